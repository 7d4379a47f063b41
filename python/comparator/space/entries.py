"""One entry of a space file, read as its author meant it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.errors import InputError, nearest, nearest_names
from comparator.formats.spelling import as_kept
from comparator.formats.text import UNFIT, shortened, shown, unfit_number
from comparator.space.parameters import (
    ELEMENT_TYPES,
    Choice,
    Constant,
    Number,
    Ordered,
    Parameter,
    logical,
    number,
    same,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
#: The keys of an entry by its type, besides `name` and `type`.
_KEYS = {
    "int": ("lower", "upper", "sigma", "use_log_scale"),
    "float": ("lower", "upper", "sigma", "use_log_scale"),
    "logical": (),
    "categorical": ("values", "element_type"),
    "ordered": ("values", "element_type", "sigma"),
    "constant": ("value",),
}
#: Keys that users' files have for people to read, or out of habit.
_FOR_PEOPLE = {"comment", "debug_value", "def_value", "def_values", "orig_values", "element_type"}
#: Larger bounds would overflow on the way.
_LARGEST = 1e300


def element_type_of(values: Sequence[Any]) -> str | None:
    """The element type that all values have as JSON writes them; None where they have none in common."""
    for element_type, kind in (("logical", bool), ("int", int), ("float", int | float), ("string", str)):
        if values and all(isinstance(each, kind) and isinstance(each, bool) == (kind is bool) for each in values):
            return element_type
    return None


class EntryReader:
    """Reads one entry of a space, and gathers what should be said about it; `of_candle`: it may be CANDLE's file."""

    def __init__(self, entry: Any, number: int, where: str, *, of_candle: bool = False) -> None:
        self.warnings: list[str] = []
        if not isinstance(entry, Mapping):
            raise InputError(f"{where}, parameter {number}: {shown(entry)} is not an object with 'name' and 'type'")
        self._entry, self._of_candle = entry, of_candle
        self._where = f"{where}, parameter {number}"
        name = self._get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self._error(f"'name' = {shown(name)} is not the name of a hyperparameter")
        self._name = as_kept(name)
        self._where = f"{where}: '{shortened(name)}'"

    def read(self) -> Parameter:
        kind = self._get("type")
        if not isinstance(kind, str) or kind not in _KEYS:
            raise self._error(f"type {shown(kind)} is unknown{nearest(str(kind), _KEYS)}; types: {', '.join(_KEYS)}")
        self._doubt_keys(kind)
        if kind == "constant":
            return Constant(self._name, self._json(self._get("value")))
        if kind == "logical":
            return Choice(self._name, (False, True), "logical")
        return self._number(whole=kind == "int") if kind in ("int", "float") else self._list(kind == "ordered")

    def _number(self, whole: bool) -> Parameter:
        lower, upper = self._bound("lower", whole), self._bound("upper", whole)
        use_log_scale = self._flag("use_log_scale")
        if lower > upper:
            raise self._error(f"'lower' = {shown(lower)} is above 'upper' = {shown(upper)}")
        if use_log_scale and lower <= 0:
            raise self._error(f"'use_log_scale' needs a 'lower' above zero, not {shown(lower)}")
        if lower == upper:
            self._warn(f"'lower' and 'upper' are equal; taken as the constant {shown(lower)}")
            return Constant(self._name, lower)
        breadth = math.log10(upper) - math.log10(lower) if use_log_scale else upper - lower
        sigma = self._sigma(breadth / 10)
        if use_log_scale and self._of_candle:
            self._warn(f"searched on a log scale, sigma {sigma:g} decades; CANDLE's own search ran it linear")
        elif not use_log_scale and not whole and lower > 0 and upper / lower >= 1000:
            self._warn(f"{lower:g} to {upper:g} is searched linearly; 'use_log_scale' would suit it")
        if sigma > breadth:
            self._warn(f"'sigma' = {sigma:g} exceeds the range {breadth:g}: most mutations end on a bound")
        return Number(self._name, lower, upper, sigma, whole, use_log_scale)

    def _list(self, ordered: bool) -> Parameter:
        if self._entry.get("values") == []:
            raise self._error("'values' must not be empty")
        element_type = self._element_type()
        if not isinstance(element_type, str) or element_type not in ELEMENT_TYPES:
            raise self._error(
                f"'element_type' = {shown(element_type)} is unknown"
                f"{nearest(str(element_type), ELEMENT_TYPES)}; known: {', '.join(ELEMENT_TYPES)}"
            )
        given = self._get("values")
        if not isinstance(given, list):
            raise self._error(f"'values' = {shown(given)} is not a list of values")
        values: list[Any] = []
        for value in (self._element(value, element_type) for value in given):
            if any(same(value, known) for known in values):
                self._warn(f"{shown(value)} stands twice among 'values'; taken once")
            else:
                values.append(value)
        sigma = self._sigma(len(values) / 10) if ordered else 0.0
        if len(values) == 1:
            return Constant(self._name, values[0])
        if ordered:
            return Ordered(self._name, tuple(values), element_type, sigma)
        return Choice(self._name, tuple(values), element_type)

    def _element_type(self) -> Any:
        """The element type that is given; that of the values where none is, as in files of CANDLE's first years."""
        values = self._entry.get("values")
        if "element_type" in self._entry or self._misspelt("element_type") or not isinstance(values, list):
            return self._get("element_type")
        written = element_type_of(values)
        if written is None:
            return self._get("element_type")
        self._warn(f"'element_type' is missing; the values are taken as {written}")
        return written

    def _element(self, value: Any, element_type: str) -> Any:
        """A value of a list as it is given, but text as what it spells where the element type is not text."""
        given = value
        if isinstance(value, str) and element_type != "string":
            try:
                value = ELEMENT_TYPES[element_type](value)
            except (ValueError, OverflowError):
                value = None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = {
            "int": is_number and isinstance(value, int),
            "float": is_number,
            "string": True,
            "logical": isinstance(value, int) and value in (0, 1),
        }
        if not fits[element_type]:
            raise self._error(f"{shown(given)} among 'values' is not of the element type {element_type}")
        return self._json(value)

    def _bound(self, key: str, whole: bool) -> Any:
        value = self._finite(key)
        if not whole:
            return float(value)
        if value != int(value):
            raise self._error(f"'{key}' = {shown(value)} is not a whole number")
        return int(value)

    def _sigma(self, default: float) -> float:
        if self._entry.get("sigma") is None:
            return default
        sigma = float(self._finite("sigma"))
        if sigma < 0:
            raise self._error(f"'sigma' = {shown(sigma)} is below zero")
        if sigma == 0:
            self._warn("'sigma' is zero: mutation changes nothing")
        return sigma

    def _finite(self, key: str) -> float:
        """A number, or the text of one, as users write `"sigma": "0.000495"`."""
        given = self._get(key)
        value = given
        if isinstance(given, str):
            try:
                value = number(given)
            except ValueError:
                value = None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(f"'{key}' = {shown(given)} is not a number")
        if not -_LARGEST <= value <= _LARGEST:
            raise self._error(f"'{key}' = {shown(given)} is not a finite number of usual size")
        return value

    def _flag(self, key: str) -> bool:
        given = self._entry.get(key, False)
        try:
            return given if isinstance(given, bool) else logical(str(given))
        except ValueError:
            raise self._error(f"'{key}' = {shown(given)} is neither true nor false") from None

    def _json(self, value: Any) -> Any:
        try:
            json.dumps(value, allow_nan=False)
        except (ValueError, TypeError):
            raise self._error(f"{shown(value)} is not a value that JSON text can hold") from None
        if unfit_number(value) is not None:
            raise self._error(f"{shown(value)} {UNFIT}")
        return value

    def _get(self, key: str) -> Any:
        if key not in self._entry:
            misspelt = self._misspelt(key)
            instead = f"; '{shortened(misspelt[0])}' is unknown (did you mean '{key}'?)" if misspelt else ""
            raise self._error(f"'{key}' is missing{instead}")
        return self._entry[key]

    def _misspelt(self, key: str) -> list[str]:
        """The unknown keys that `key` may have been meant by, the nearest first."""
        known = {"name", "type"}.union(*_KEYS.values())
        return nearest_names(key, (str(each) for each in self._entry if each not in known))

    def _doubt_keys(self, kind: str) -> None:
        known = {"name", "type", *_KEYS[kind]}
        for key in self._entry:
            if key in known or key in _FOR_PEOPLE:
                continue
            elsewhere = any(key in keys for keys in _KEYS.values())
            reason = f"is of no use to the type {kind}" if elsewhere else f"is unknown{nearest(str(key), known)}"
            self._warn(f"the key '{shortened(str(key))}' {reason}; ignored")

    def _warn(self, text: str) -> None:
        self.warnings.append(f"{self._where}: {text}")

    def _error(self, text: str) -> InputError:
        return InputError(f"{self._where}: {text}")
