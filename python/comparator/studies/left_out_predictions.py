"""What predictions of the same held-out rows say of trainings with and without a part of the data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from comparator.evidence.omission import Mean
from comparator.evidence.row_scores import Measure, score_of_rows
from comparator.tables.predictions import PredictedRows

#: Both models' predictions of each block in which both have kept them.
Pairs = Mapping[int, tuple[PredictedRows, PredictedRows]]


@dataclass(frozen=True)
class Moved:
    """How far one model's predictions of the held-out rows moved: root mean squares of the changes, means over blocks.

    `own` are the rows of what was left out, `others` all but these; None where the predictions do not tell, or none is.
    """

    everywhere: Mean
    own: float | None
    others: float | None


@dataclass(frozen=True)
class Elsewhere:
    """The difference over the held-out rows of all that was not left out: with all rows, and its change without some.

    The interval of the change is one of its own.
    """

    whole: float
    change: Mean


def key_of(name: str) -> str:
    """A name as models compare it: without case and marks."""
    return "".join(each for each in name.casefold() if each.isalnum())


def moved(before: Pairs, after: Pairs, number: int, members: Sequence[str]) -> Moved | None:
    """How far the predictions of a model moved where `members` were left out; None where they do not tell."""
    everywhere, own, others = [], [], []
    for block, pair in after.items():
        if block not in before or not _has_same_rows(before[block][number], pair[number]):
            continue
        squares = (pair[number].predicted - before[block][number].predicted) ** 2
        is_own = rows_of(pair[number], members)
        everywhere.append(math.sqrt(float(squares.mean())))
        if is_own.any():
            own.append(math.sqrt(float(squares[is_own].mean())))
            others += [math.sqrt(float(squares[~is_own].mean()))] if not is_own.all() else []
    mean = Mean.of(everywhere)
    return None if mean is None else Moved(mean, fmean(own) if own else None, fmean(others) if others else None)


def elsewhere(before: Pairs, after: Pairs, members: Sequence[str], measure: Measure) -> Elsewhere | None:
    """The difference over the rows of others; None where the predictions do not tell rows of `members` from them."""
    found = []
    for block, pair in after.items():
        if block not in before or not all(map(_has_same_rows, before[block], pair)):
            continue
        own = [rows_of(each, members) for each in pair]
        if not any(each.any() for each in own) or any(each.all() for each in own):
            continue
        try:
            found.append(tuple(_difference(each, own, measure) for each in (before[block], pair)))
        except ValueError:  # there is no such difference
            continue
    told = [each for each in found if all(map(math.isfinite, each))]
    change = Mean.of([without - whole for whole, without in told])
    return None if change is None else Elsewhere(fmean(whole for whole, _ in told), change)


def _difference(pair: tuple[PredictedRows, PredictedRows], own: Sequence[NDArray[np.bool_]], measure: Measure) -> float:
    first, second = (
        score_of_rows(measure.score, _without(rows, left_out)) for rows, left_out in zip(pair, own, strict=True)
    )
    return measure.direction * measure.signed(first, second)


def _without(rows: PredictedRows, left_out: NDArray[np.bool_]) -> PredictedRows:
    return replace(rows, true=rows.true[~left_out], predicted=rows.predicted[~left_out], columns={})


def _has_same_rows(one: PredictedRows, other: PredictedRows) -> bool:
    return len(one.true) == len(other.true) and one.columns == other.columns


def rows_of(rows: PredictedRows, members: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows name one of the members in any column."""
    keys = {key_of(name) for name in members}
    own = np.zeros(len(rows.true), dtype=bool)
    for texts in rows.columns.values():
        own |= np.array([key_of(text) in keys for text in texts])
    return own
