"""Numbers in words: shares, chances, points; amounts of a difference are put into words by its `Measure`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.findings.summary import EvaluationSummary
from comparator.formats.numbers import round_to, show

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def percent(share: float) -> str:
    """Return a share for people: `31 %`, `under 1 %`."""
    return "under 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def chance(probability: float | None) -> str:
    """Return a p-value for people: `0.1 % at most`, `12 %`, `not asked`."""
    if probability is None:
        return "not asked"
    return "0.1 % at most" if probability <= 0.001 else f"{show(round_to(100 * probability, 2))} %"


def listed(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def point(evaluation: EvaluationSummary, names: tuple[str, ...]) -> str:
    """Return the point in words: `noise 3.2, layer_force 180`; all its settings where `names` is empty."""
    return point_words(evaluation.point, names)


def point_words(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return these values in words, as `point` does."""
    return ", ".join(f"{name} {show(values[name])}" for name in names or tuple(values) if name in values)


def printable(text: str) -> str:
    """Return `text` without what XML and terminals cannot show, nor what turns the direction of writing.

    Line ends stay.
    """
    return UNPRINTABLE.sub(" ", text)
