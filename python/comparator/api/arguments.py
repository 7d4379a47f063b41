"""What a call is given, checked before anything is done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Executor
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from comparator.api.plain import plain
from comparator.errors import InputError
from comparator.formats.hyperparameters import check_key
from comparator.formats.refusal import allowed
from comparator.formats.text import shown
from comparator.site.profile import clock

HYPERPARAMETERS = "give a dict, a CANDLE file, or a list of these"


class Arguments(BaseModel):
    """What calls take beside models, space and hyperparameters."""

    model_config = ConfigDict(strict=True, arbitrary_types_allowed=True)

    metric: Annotated[str, Field(min_length=1)] | None = None
    labels: list[str] | tuple[str, ...] | None = Field(default=None, min_length=2, max_length=2)
    strategy: str | Path | None = None
    confirm: dict[str, Any] | bool = True
    title: str = ""
    id: str | None = None
    site: str = "local"
    engine: Annotated[str, Field(min_length=1)] | Executor | None = None
    workers: int | None = Field(default=None, ge=1)
    together: int | None = Field(default=None, ge=1)
    walltime: str | None = None
    experiments: Annotated[str, Field(min_length=1)] | Path | None = None
    settings: dict[str, Any] | None = None
    quiet: bool = False

    @field_validator("walltime", mode="before")
    @classmethod
    def _as_clock(cls, given: Any) -> Any:
        """A span of time as HH:MM:SS; a bare number has no unit that all would take it for."""
        if isinstance(given, timedelta):
            return clock(int(given.total_seconds()))
        if given is None or isinstance(given, str):
            return given
        raise ValueError(
            "must be a time as HH:MM:SS in quotes, such as '00:05:00' for five minutes, or a datetime.timedelta"
        )


def check_arguments(called: str, **given: Any) -> Arguments:
    """What is given; raises `InputError`, whose line `called` opens, for an argument that the call does not take."""
    try:
        return Arguments.model_validate(plain(given))
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise InputError(f"{called}: {key} = {shown(given[key])}: {allowed(error)}") from None


def listed_hyperparameters(given: Any) -> list[Any]:
    """The files and dicts that are given; raises `InputError` for what is neither, or is no JSON."""
    listed = [given] if isinstance(given, (str, Path, Mapping)) else given
    if not isinstance(listed, (list, tuple)):
        raise InputError(f"hyperparameters: {shown(given)}: {HYPERPARAMETERS}")
    hyperparameters = [*plain(listed)]
    for each in hyperparameters:
        if not isinstance(each, (str, Path, Mapping)):
            raise InputError(f"hyperparameters: {shown(each)}: {HYPERPARAMETERS}")
        if isinstance(each, Mapping):
            _check_values(each, "hyperparameters")
    return hyperparameters


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Further keys of an experiment file, paths as text; raises `InputError` for what is no key, or no JSON."""
    for key in settings:
        check_key(key, "settings")
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in settings.items()}
    _check_values(plain, "settings")
    return plain


def _check_values(given: Mapping[str, Any], what: str) -> None:
    for name, value in given.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise InputError(f"{what}: '{name}' = {shown(value)} is nothing that JSON has") from None
