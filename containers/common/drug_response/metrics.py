"""How well predictions fit: the numbers that every drug-response model of this project reports."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating]


def mean_squared_error(true: Vector, predicted: Vector) -> float:
    return float(np.mean((true - predicted) ** 2))


def mean_absolute_error(true: Vector, predicted: Vector) -> float:
    return float(np.mean(np.abs(true - predicted)))


def r_squared(true: Vector, predicted: Vector) -> float:
    """1 - mse / variance of the true values: 0 is the mean predictor; NaN where the true values are equal."""
    variance = float(np.var(true))
    return 1.0 - mean_squared_error(true, predicted) / variance if variance > 0 else float("nan")


def pearson(true: Vector, predicted: Vector) -> float:
    """Linear correlation; NaN where either side does not vary."""
    centred_true, centred_predicted = true - np.mean(true), predicted - np.mean(predicted)
    scale = float(np.sqrt(np.sum(centred_true**2) * np.sum(centred_predicted**2)))
    return float(np.sum(centred_true * centred_predicted)) / scale if scale > 0 else float("nan")


def spearman(true: Vector, predicted: Vector) -> float:
    """Correlation of ranks, equal values sharing their mean rank; NaN where either side does not vary."""
    return pearson(_ranks_of(np.asarray(true, dtype=np.float64).tobytes()), _ranks(predicted))


@lru_cache(maxsize=1)
def _ranks_of(true: bytes) -> NDArray[np.float64]:
    """The ranks of true values, which are the same in every epoch of a training: sorted once, then compared."""
    ranks = _ranks(np.frombuffer(true, dtype=np.float64))
    ranks.flags.writeable = False
    return ranks


def _ranks(values: Vector) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2.0
    return np.asarray(mean_rank[inverse], dtype=np.float64)


def scores(true: Vector, predicted: Vector) -> dict[str, float]:
    """Return `loss` (mse), `mae`, `r2`, `corr` (Pearson) and `spearman` of two vectors of one length.

    Where a prediction is not finite, every score is NaN.
    """
    true, predicted = np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if not np.all(np.isfinite(predicted)):
        return dict.fromkeys(("loss", "mae", "r2", "corr", "spearman"), float("nan"))
    return {
        "loss": mean_squared_error(true, predicted),
        "mae": mean_absolute_error(true, predicted),
        "r2": r_squared(true, predicted),
        "corr": pearson(true, predicted),
        "spearman": spearman(true, predicted),
    }
