"""Tables of predictions, label and prediction of each row, as models of IMPROVE write them: how many, what scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes a third of a second to import, and most runs have no such table
    import numpy as np
    from numpy.typing import NDArray

#: What a training writes of its validation rows into the folder of its run.
FILE = "val_y_data_predicted.csv"
#: How the columns of labels and of predictions end; IMPROVE's begin with the measure, `auc_true` say.
TRUE, PREDICTED = "true", "pred"


@dataclass(frozen=True)
class Predictions:
    """The rows that were predicted: their number, mean and variance of the labels, scores under IMPROVE's names.

    A score is None where it is not finite.
    """

    rows: int
    label_mean: float
    label_variance: float
    scores: dict[str, float | None]


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """The rows that have a label: `true` and `predicted`, [rows] each; the text of every other column by its name."""

    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    columns: Mapping[str, Sequence[str]]


def read_predictions(path: Path) -> Predictions | None:
    """Return what the table says; None where there is none that can be read, or it has no rows with a label."""
    read = _read(path, with_columns=False)
    return None if read is None else predictions_of(read.true, read.predicted)


def read_predicted_rows(path: Path) -> PredictedRows | None:
    """Return the table's rows; None where there is none that can be read, or it has no rows with a label."""
    return _read(path, with_columns=True)


def _read(path: Path, *, with_columns: bool) -> PredictedRows | None:
    if not path.is_file():
        return None
    import numpy as np

    from comparator.tables.reading import TableError, numbers, read_header, read_table

    try:
        names = read_header(path)
        true, predicted = (
            next((name for name in names if name.lower().endswith(end)), None) for end in (TRUE, PREDICTED)
        )
        if true is None or predicted is None:
            return None
        others = [name for name in names if name not in (true, predicted)] if with_columns else []
        table = read_table(path, [true, predicted], ids=others)
        labels, answers = numbers(table, true), numbers(table, predicted)
    except TableError:
        return None
    kept = np.flatnonzero(~np.isnan(labels))
    if not len(kept):
        return None
    columns = {name: [table.columns[name][row] for row in kept] for name in others}
    return PredictedRows(labels[kept], answers[kept], columns)


def predictions_of(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> Predictions:
    """Return what labels and predictions, [rows] each, say."""
    import numpy as np
    import pandas as pd

    with np.errstate(all="ignore"):  # a number that is not finite is told as such
        mean, variance, mse = float(np.mean(true)), float(np.var(true)), float(np.mean((true - predicted) ** 2))
        scores = {
            "mse": mse,
            "rmse": math.sqrt(mse) if mse >= 0 else math.nan,
            "mae": float(np.mean(np.abs(true - predicted))),
            "r2": 1 - mse / variance if variance > 0 else math.nan,
            "pcc": _correlation(true, predicted),
            "scc": _correlation(*(pd.Series(each).rank().to_numpy() for each in (true, predicted))),
        }
    finite = {name: score if math.isfinite(score) else None for name, score in scores.items()}
    return Predictions(len(true), mean, variance, finite)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = math.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum()) / scale if scale > 0 else math.nan
