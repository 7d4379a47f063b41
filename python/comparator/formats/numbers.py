"""Numbers as people read them: rounded, and with their intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

FINEST, COARSEST = 1e-6, 1e9  # what is below or from there on has too many digits to be read without an exponent
ROUNDING = 1e-9  # of the numbers that another was worked out of: what is smaller may be rounding alone


def is_number(value: Any) -> bool:
    """Return whether `value` is a finite number; True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def show(value: Any) -> str:
    """Return a value in the form that people read: numbers with four significant digits at most."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def round_to(number: float, digits: int) -> float:
    """Return `number` to so many significant digits; 0 has no sign."""
    return float(f"{number:.{digits}g}") + 0.0


def fixed(number: float, places: int) -> str:
    """Return a number with so many places; what rounds to 0 has no sign."""
    text = f"{number:.{places}f}"
    return text if float(text) else f"{0:.{places}f}"


def places_for(number: float, digits: int) -> int:
    """Return how many places show a number of 1 or more to so many digits, once it is rounded: 9.99 to two is 10."""
    rounded = abs(round_to(number, digits))
    return max(0, digits - 1 - (math.floor(math.log10(rounded)) if rounded >= 1 else 0))


def how_many(count: int, what: str) -> str:
    """Return `1 row`, `3 rows`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def not_as_zero(number: float, places: int, size: float = 1.0) -> str:
    """Return a number with so many places, or as many more as it takes to tell it from 0.

    What is nothing beside numbers of this `size` but what rounding left of them is `0`, without places.
    """
    if abs(number) <= ROUNDING * size:
        return "0"
    if float(f"{number:.{places}f}"):
        return fixed(number, places)
    return f"{number:.{-math.floor(math.log10(abs(number)))}f}"


def with_interval(mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return `0.31 [0.28, 0.35]`, the mean alone where it has no finite interval."""
    if mean is None:
        return "unknown"
    if interval is None or not all(is_number(end) for end in interval):
        return show(round_to(mean, 3))
    low, high = (float(end) for end in interval if end is not None)
    size = max(abs(mean), abs(low), abs(high))
    if size and not FINEST <= size < COARSEST:
        return f"{show(mean)} [{show(low)}, {show(high)}]"
    places = max(0, 1 - math.floor(math.log10(size))) if size > 0 else 0
    if any(abs(end) > ROUNDING * size and not float(f"{end:.{places}f}") for end in (low, high)):
        places += 1  # on which side of 0 an interval ends is what it is read for
    middle = "0" if abs(mean) <= ROUNDING * size else fixed(mean, places)
    return f"{middle} [{', '.join(not_as_zero(end, places, size) for end in (low, high))}]"
