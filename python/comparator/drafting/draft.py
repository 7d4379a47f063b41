"""An experiment file that is written for its user: one TOML file with the space and the hyperparameters inside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from comparator.drafting.definitions import Definition
from comparator.formats.spelling import WORKFLOW
from comparator.formats.text import one_line, shortened

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
WIDTH = 38  # columns before a comment
#: What each question asks, behind `find`.
FIND_WORDS = {
    "both": "under which conditions they differ, and where most; or regions, or maximum, alone",
    "regions": "under which conditions they differ; or maximum: where most; or both",
    "maximum": "where they differ most; or regions: under which conditions; or both",
}


@dataclass(frozen=True)
class Draft:
    """What the file says: of one model or two, as the file names them, varied over `space`.

    `settings` are hyperparameters that are given as they are, `known` those of the models, for comments; `pythons` are
    the keys `python` and `requirements` of each model, of which some may say nothing.
    """

    models: tuple[str, ...]
    space: Sequence[Mapping[str, Any]]
    metric: str
    evaluations: int
    find: str = "both"
    settings: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    pythons: tuple[Mapping[str, str], ...] = ()
    known: Mapping[str, Definition] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """What the text is read as."""
        space = {entry["name"]: {key: value for key, value in entry.items() if key != "name"} for entry in self.space}
        search: dict[str, Any] = {"evaluations": self.evaluations}
        settings = {"set": dict(self.settings)}
        if len(self.models) == 1:
            own = {"model": self.models[0], "metric": self.metric, **(self.pythons[0] if self.pythons else {})}
            return {**own, "space": space, "search": search, **settings}
        compared: dict[str, Any] = {"models": list(self.models), "metric": self.metric}
        if self.labels:
            compared["labels"] = list(self.labels)
        compared |= {str(number): dict(keys) for number, keys in enumerate(self.pythons) if keys}
        return {"cmp": compared, "space": space, "search": {"find": self.find, **search}, **settings}

    @property
    def text(self) -> str:
        """The file, with a word to each line."""
        lines = ["# An experiment of the Comparator. Paths are relative to this file.", ""]
        content = self.content
        if len(self.models) == 1:
            lines += [_line("model", content["model"], "the model that is searched")]
            lines += [_line("metric", self.metric, "what it reports, and is best in")]
            lines += _python_lines(self.pythons[0] if self.pythons else {})
        else:
            lines += ["[cmp]", _line("models", content["cmp"]["models"], "submodel 0, submodel 1")]
            lines += [_line("metric", self.metric, "what both report, and are compared by")]
            if self.labels:
                lines += [_line("labels", content["cmp"]["labels"], "what reports call them")]
            for number, keys in enumerate(self.pythons):
                lines += ["", f"[cmp.{number}]", *_python_lines(keys)] if keys else []
        lines += ["", "[search]"]
        if "find" in content["search"]:
            lines += [_line("find", self.find, FIND_WORDS[self.find])]
        what = "pairs of trainings" if len(self.models) == 2 else "trainings"
        lines += [_line("evaluations", self.evaluations, f"{what}; what is found is then tried anew beside them")]
        lines += ["", "[space]" + " " * (WIDTH - 7) + "# what is varied, and over which values"]
        lines += [_line(name, entry, self._words(name)) for name, entry in content["space"].items()]
        lines += ["", *self._set_lines()]
        return "\n".join(lines) + "\n"

    def _set_lines(self) -> list[str]:
        """`[set]`, and the other hyperparameters as comments with their defaults."""
        taken = {name.casefold() for name in [*self.settings, *(entry["name"] for entry in self.space)]}
        others = [each for name, each in self.known.items() if name.casefold() not in taken | WORKFLOW]
        fixed = [_line(name, value, self._words(name)) for name, value in self.settings.items()]
        left = [
            "# " + _line(each.name, each.default, self._words(each.name))
            for each in others
            if _is_written(each.default)
        ]
        prefix = "; cmp_0_NAME and cmp_1_NAME are of one model alone" if len(self.models) == 2 else ""
        head = [f"# Hyperparameters that are not varied{prefix}."]
        if left:
            head.append(
                "# Those behind a # have the models' own values, as far as these are known; take it away to set one."
            )
        return [*head, "[set]", *fixed, *left]

    def _words(self, name: str) -> str:
        bare = re.sub(r"^cmp_([01]_)?", "", name)
        known = self.known.get(name) or self.known.get(bare)
        if known is None:
            return ""
        default = f"default {shortened(literal(known.default), 30)}" if _is_written(known.default) else ""
        varied = any(entry["name"] == name for entry in self.space)
        return ": ".join(part for part in (default if varied else "", known.description) if part)


def _python_lines(keys: Mapping[str, str]) -> list[str]:
    words = {"python": "what runs it", "requirements": "what its environment is made from"}
    return [_line(name, value, words[name]) for name, value in keys.items()]


def _line(name: str, value: Any, words: str) -> str:
    line = f"{key(name)} = {literal(value)}"
    return f"{line.ljust(WIDTH - 2)}  # {_comment(words)}" if words else line


def _comment(words: str) -> str:
    return shortened(one_line(words), 100)


def _is_written(value: Any) -> bool:
    """Whether TOML can say a value; a text that no file can hold is none."""
    try:
        literal(value).encode()
    except (TypeError, UnicodeEncodeError):
        return False
    return value not in ("", [])


def key(name: str) -> str:
    """A key as TOML writes it."""
    return name if BARE_KEY.fullmatch(name) else literal(name)


def literal(value: Any) -> str:
    """A value of JSON's types as TOML writes it in one line; raises `TypeError` for None, which TOML does not know."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key(str(name))} = {literal(each)}" for name, each in value.items()) + " }"
    raise TypeError(f"{value!r} is nothing that TOML can say")
