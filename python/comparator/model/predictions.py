"""The scores that a table of predictions holds, as IMPROVE's models write it: columns `NAME_true` and `NAME_pred`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes half a second to import
    import pandas as pd

TRUE, PREDICTED = "_true", "_pred"


def scores_of(path: Path) -> dict[str, float | None]:
    """The scores of `val_scores.json`, `mse` and others, computed from predictions (None: not finite).

    Empty where there is no such table, or it has no pair of columns, or no rows. Rows without a number in either column
    do not count.
    """
    if not path.is_file():
        return {}
    import numpy as np
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError):  # pandas' own errors are ValueErrors
        return {}
    name = next((each for each in map(str, table) if each.endswith(TRUE) and _partner(each) in table), None)
    if name is None:
        return {}
    rows = table[[name, _partner(name)]].apply(pd.to_numeric, errors="coerce").dropna()
    if rows.empty:
        return {}
    with np.errstate(all="ignore"):  # a number that is not finite is told as such
        found = _scores(rows[name], rows[_partner(name)])
    return {metric: value if math.isfinite(value) else None for metric, value in found.items()}


def _scores(truth: pd.Series, predicted: pd.Series) -> dict[str, float]:
    errors = truth - predicted
    squared, spread = float((errors**2).mean()), float(truth.var(ddof=0))
    return {
        "mse": squared,
        "rmse": math.sqrt(squared) if squared >= 0 else math.nan,
        "mae": float(errors.abs().mean()),
        "r2": 1 - squared / spread if spread > 0 else math.nan,
        "pcc": float(truth.corr(predicted)),
        "scc": float(truth.rank().corr(predicted.rank())),
    }


def _partner(name: str) -> str:
    return name.removesuffix(TRUE) + PREDICTED
