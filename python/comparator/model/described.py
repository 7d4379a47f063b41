"""What `model.toml` says of one metric, and of one hyperparameter."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from comparator.errors import nearest
from comparator.formats.text import shown

StageName = Literal["preprocess", "train", "infer"]


class MetricDescription(BaseModel):
    """What a reported number means."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["error", "score", "fact"]
    description: str = ""
    lowest: float | None = Field(default=None, strict=True)
    printed: str | None = None
    file: str | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _check_where(self) -> MetricDescription:
        if self.printed is not None and self.key is not None:
            raise ValueError("printed and key say two places of one number; leave one of them out")
        if self.key is not None and self.file is None:
            raise ValueError("key is the name of a number in a file: say which, file = 'scores.json'")
        try:
            groups = re.compile(self.printed or "").groups
        except re.error as error:
            raise ValueError(f"printed = {shown(self.printed)}: no regular expression: {error}") from None
        if groups > 1:
            raise ValueError(f"printed = {shown(self.printed)}: has {groups} groups; the number is one, or follows")
        return self


#: What a description may say of the numbers that a hyperparameter takes, in words, and whether a number is as it says.
LIMITS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "minimum": ("at least", operator.ge),
    "above": ("above", operator.gt),
    "maximum": ("at most", operator.le),
    "below": ("below", operator.lt),
}


#: What a list has to be one of; and usual values, which `init` proposes.
CHOICES, VALUES = "choices", "values"
#: What a text has that is a list.
BETWEEN_ITEMS = re.compile(r"[\s,;\[\]()]")


class HyperparameterDescription(BaseModel):
    """What a hyperparameter takes; the model itself checks what it is given, `fault` what is varied."""

    model_config = ConfigDict(extra="allow")

    type: str = "any"
    description: str = ""
    effect: Literal["none"] | None = None
    stage: StageName | None = None

    def fault(self, value: Any) -> str | None:
        """What a value, or one of a list, would have to be by `choices` and `LIMITS`; None where it is, or nobody says.

        Of a list they may stand as `item_choices` and so on. Of a text that may be a list, or a word for true or false,
        nobody says: models read these in ways of their own.
        """
        if self.effect == "none" or (isinstance(value, str) and self._reads(value)):
            return None
        said = self._said
        choices = said.get(CHOICES)
        for one in value if isinstance(value, list) else [value]:
            if one is None or one in ("None", ""):
                continue
            if isinstance(choices, list) and choices and str(one) not in map(str, choices) and one not in choices:
                return f"must be {' or '.join(map(str, choices))}{nearest(str(one), map(str, choices))}"
            for key, (words, holds) in LIMITS.items():
                if _is_number(one) and _is_number(said.get(key)) and not holds(one, said[key]):
                    return f"must be {words} {said[key]}"
        return None

    @property
    def _said(self) -> dict[str, Any]:
        return {key.removeprefix("item_"): limit for key, limit in (self.model_extra or {}).items()}

    def _reads(self, text: str) -> bool:
        """Whether a text may stand for something else than itself."""
        if BETWEEN_ITEMS.search(text):
            return self.type == "list" or any(key.startswith("item_") for key in self.model_extra or {})
        choices = self._said.get(CHOICES)
        return isinstance(choices, list) and any(isinstance(choice, bool) for choice in choices)

    def with_values(self, values: list[Any]) -> HyperparameterDescription:
        """The same with usual values, the first of which is the default."""
        usual = {"values": values} if len(values) > 1 else {}
        return self.model_copy(update={"default": values[0], **usual})


def fault_of_limit(key: str, limit: Any) -> str | None:
    """Why a key of a hyperparameter's description would limit nothing though it is meant to; None where it is not."""
    if key in LIMITS:
        return None if _is_number(limit) else f"= {shown(limit)}: must be a number"
    if key in (CHOICES, VALUES):
        return None if isinstance(limit, list) and limit else f"= {shown(limit)}: must be a list of values"
    meant = nearest(key, [*LIMITS, CHOICES])
    return f"is unknown{meant}" if meant else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
