"""Parameter spaces as they are written in Python; each stands for an entry of a CANDLE parameter-space file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.api.plain import plain
from comparator.errors import InputError
from comparator.formats.text import shown
from comparator.space import ParameterSpace


class Parameter:
    """A hyperparameter that a search may vary: `Float`, `Int`, `Choice`, `Ordered`, `Flag`, or a `Constant`."""

    def entry(self) -> dict[str, Any]:
        """The keys of a parameter-space file, but for the name."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Number(Parameter):
    lower: float
    upper: float
    log: bool = False
    sigma: float | None = None

    def entry(self) -> dict[str, Any]:
        sigma = {} if self.sigma is None else {"sigma": self.sigma}
        scale = {"use_log_scale": True} if self.log else {}
        kind = type(self).__name__.lower()
        return {"type": kind, "lower": self.lower, "upper": self.upper, **sigma, **scale}


@dataclass(frozen=True)
class Float(_Number):
    """A number between `lower` and `upper`, both included; `log` searches it on a log scale (lower above 0).

    `sigma` is the deviation of an evolutionary search's step, in the parameter's unit or, with `log`, in decades;
    default a tenth of the range.
    """


@dataclass(frozen=True)
class Int(_Number):
    """A whole number between `lower` and `upper`, both included; `log` and `sigma` as of `Float`."""


class _Values(Parameter):
    kind: str

    def __init__(self, *values: Any) -> None:
        listed = tuple(values[0]) if len(values) == 1 and isinstance(values[0], (list, tuple)) else values
        self.values: tuple[Any, ...] = plain(listed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.values))})"

    def entry(self) -> dict[str, Any]:
        return {"type": self.kind, "element_type": _element_type(self.values), "values": list(self.values)}


class Choice(_Values):
    """One of these values, in no order: `Choice("relu", "tanh")`, or of a list."""

    kind = "categorical"


class Ordered(_Values):
    """One of these values, of which neighbours are alike: `Ordered(16, 32, 64)`, or of a list."""

    kind = "ordered"


@dataclass(frozen=True)
class Flag(Parameter):
    """True or False."""

    def entry(self) -> dict[str, Any]:
        return {"type": "logical"}


@dataclass(frozen=True)
class Constant(Parameter):
    """A value that is given to the models and never varied."""

    value: Any

    def entry(self) -> dict[str, Any]:
        return {"type": "constant", "value": self.value}


class Space:
    """The hyperparameters that a search varies: `Space(noise=Float(0, 50), layer_force=Int(25, 200, log=True))`.

    A name that is no Python name goes in a dict: `Space({"dense-1": Int(8, 64)})`. Raises `InputError` that names the
    hyperparameter, and what is allowed.
    """

    def __init__(self, named: Mapping[str, Parameter] | None = None, /, **parameters: Parameter) -> None:
        entries = []
        for name, parameter in {**(named or {}), **parameters}.items():
            if not isinstance(parameter, Parameter):
                raise InputError(
                    f"Space: '{name}': {shown(parameter)} is no parameter; write Float(lower, upper),"
                    " Int(lower, upper), Choice(...), Ordered(...), Flag() or Constant(value)"
                )
            entries.append({"name": name, **plain(parameter.entry())})
        if not entries:
            raise InputError("Space: no hyperparameter is given; write Space(noise=Float(0, 50))")
        self._space = ParameterSpace.from_entries(entries, "Space")

    @classmethod
    def read(cls, path: str | Path) -> Space:
        """The space of a parameter-space file (CANDLE's JSON); raises `InputError`."""
        made = cls.__new__(cls)
        made._space = ParameterSpace.read(Path(path).expanduser())
        return made

    @property
    def names(self) -> list[str]:
        """The names of the hyperparameters, in their order."""
        return self._space.names

    def entries(self) -> list[dict[str, Any]]:
        """The space in the format of parameter-space files."""
        return [dict(entry) for entry in self._space.entries()]

    def __repr__(self) -> str:
        return "\n".join(["Space", *(f"  {_entry_words(entry)}" for entry in self.entries())])


def _entry_words(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}: {', '.join(f'{key}={value}' for key, value in entry.items() if key != 'name')}"


def _element_type(values: tuple[Any, ...]) -> str:
    """The element type of a parameter-space file that holds all values."""
    if values and all(isinstance(value, bool) for value in values):
        return "logical"
    if values and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "int"
    if values and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return "float"
    return "string"
