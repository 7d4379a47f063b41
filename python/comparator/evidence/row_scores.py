"""Scores of two models' predictions, and their difference, of any part of the rows: from sums over the rows of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from comparator.evidence.coordinates import Array
from comparator.tables.predictions import PredictedRows

Signed = Callable[[float, float], float]


@dataclass(frozen=True)
class Block:
    """Both models' predictions by trainings of one block, and its number."""

    number: int
    predicted: tuple[PredictedRows, PredictedRows]


#: The sums of a part of the rows, in their order: how many, squared and absolute errors, labels, squares of labels,
#: predictions, their squares, products.
ROWS, SQUARED, ABSOLUTE, TRUE, TRUE_2, PREDICTED, PREDICTED_2, PRODUCT = range(8)
#: Metrics that are means over rows, by the sum they are of.
MEANS = {"mse": SQUARED, "mae": ABSOLUTE}


def score(name: str, sums: Array) -> Array:
    """Return a score, by the names of `tables.predictions`, of parts of the rows, [..., 8] sums; NaN where none is.

    `scc` is the correlation of ranks among all rows, which are not ranked anew for a part.
    """
    with np.errstate(all="ignore"):
        rows = sums[..., ROWS]
        if name in MEANS:
            return np.asarray(sums[..., MEANS[name]] / rows)
        if name == "rmse":
            return np.asarray(np.sqrt(np.maximum(sums[..., SQUARED], 0) / rows))
        scatter = sums[..., TRUE_2] - sums[..., TRUE] ** 2 / rows
        if name == "r2":
            return np.asarray(1 - sums[..., SQUARED] / scatter)
        other = sums[..., PREDICTED_2] - sums[..., PREDICTED] ** 2 / rows
        together = sums[..., PRODUCT] - sums[..., TRUE] * sums[..., PREDICTED] / rows
        return np.asarray(together / np.sqrt(scatter * other))


def score_of_rows(name: str, rows: PredictedRows) -> float:
    """Return a score of all rows."""
    return float(score(name, _terms(name, rows).sum(axis=1)))


@dataclass(frozen=True)
class Measure:
    """How two models' predictions become a number: a score by its name, and the signed difference of two of them.

    `signed` raises ValueError where there is none; `direction` is that in which it is counted.
    """

    score: str
    signed: Signed
    direction: int = 1


def sums_of_groups(block: Block, column: str, names: Sequence[str], score: str) -> list[Array]:
    """What the score of any part of the rows is told from: of each model, [groups, sums]."""
    number_of = {name: number for number, name in enumerate(names)}
    found = []
    for predicted in block.predicted:
        places = np.array([number_of[name] for name in predicted.columns[column]])
        terms = [np.bincount(places, weights=term, minlength=len(names)) for term in _terms(score, predicted)]
        found.append(np.stack(terms, axis=1))
    return found


def sums_of_rows(block: Block) -> list[Array]:
    """The sums over all rows, of each model, for scores that need no ranks."""
    return [_terms("", each).sum(axis=1) for each in block.predicted]


def in_all(sums: Sequence[Array]) -> list[Array]:
    """The sums over all groups, of each model."""
    return [each.sum(axis=0) for each in sums]


def _terms(metric: str, predicted: PredictedRows) -> Array:
    """What each row adds to the sums, [8, rows]."""
    true, answers = predicted.true, predicted.predicted
    if metric == "scc":
        import pandas as pd

        true, answers = (pd.Series(each).rank().to_numpy() for each in (true, answers))
    error = true - answers
    rows = np.ones_like(true)
    return np.stack([rows, error**2, np.abs(error), true, true**2, answers, answers**2, true * answers])


def difference(measure: Measure, first: Array, second: Array) -> float:
    """The signed difference of two scores, of the sums of each model; NaN where there is none."""
    return float(differences(measure, first[None], second[None])[0])


def differences(measure: Measure, first: Array, second: Array) -> Array:
    """The signed differences of parts of the rows, [parts, sums] of each model; NaN where there is none."""
    found = []
    for one, other in zip(score(measure.score, first).tolist(), score(measure.score, second).tolist(), strict=True):
        try:
            is_known = math.isfinite(one) and math.isfinite(other)
            found.append(measure.direction * measure.signed(one, other) if is_known else math.nan)
        except ValueError:
            found.append(math.nan)
    return np.array(found)
