"""What the names of metrics tell, and which to ask for where the one asked for is missing."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from comparator.formats.slips import slip_of
from comparator.formats.text import shortened

#: Metrics that are better when they are larger; what stands before them (`val_`, `test_`) does not count.
SCORES = {"r2", "pcc", "scc", "pearson", "spearman", "corr", "acc", "accuracy", "recall", "precision", "f1", "kappa"}
SCORES |= {"bacc", "auc", "roc_auc", "aupr", "objective"}
ERRORS = ("loss", "err", "mse", "mae")
#: Words that names of metrics are made of.
KNOWN_WORDS = {*SCORES, *ERRORS, "rmse", "nrmse", "mape", "error", "mcc", "iou", "miou", "spearmanr", "pearsonr"}
KNOWN_WORDS |= {"val", "valid", "validation", "test", "train", "dev", "eval", "micro", "macro", "weighted"}
KNOWN_WORDS |= {"mean", "median", "best", "last", "final"}
LISTED = 6
_WORDS = re.compile(r"[^a-z0-9]+")
_PARTITION = re.compile(r"(val|test|train)_")


def kind_by_name(metric: str) -> Literal["score", "error"] | None:
    """Whether larger or smaller is better, None where the name does not tell."""
    name = _PARTITION.sub("", metric.lower())
    if name in SCORES:
        return "score"
    return "error" if any(word in name for word in ERRORS) else None


def misspelt_metric(metric: str, reported: Iterable[str]) -> str | None:
    """The reported metric that `metric` is a slip of: nobody reports what is called so; None where it may be one.

    It may be where all its words are those of metrics (`val_mae`, of a model that reports `val_mse`).
    """
    words = {word for word in _WORDS.split(metric.lower()) if word}
    return None if words <= KNOWN_WORDS else slip_of(metric, reported)


def reported_instead(
    metric: str, reported: Mapping[str, float | None], ask: str, described: Collection[str] = ()
) -> str:
    """What a run reported that lacks `metric`, and how to ask for the nearest: `it reported r2, rmse: --metric rmse`.

    `ask` is what stands before the name of a metric that is asked for, such as `--metric `; where it is empty, how is
    not said. Where metrics are `described`, no others can be asked for.
    """
    numbers = sorted(name for name, value in reported.items() if value is not None)
    if not numbers:
        return f"it reported {'no finite number' if reported else 'nothing'}"
    more = f" and {len(numbers) - LISTED} more" if len(numbers) > LISTED else ""
    words = f"it reported {', '.join(map(shortened, numbers[:LISTED]))}{more}"
    if not ask:
        return words
    known = [name for name in numbers if not described or name in described]
    if not known:
        return f"{words}, of which the model describes none"
    alike = [name for name in known if kind_by_name(name) == kind_by_name(metric)] or known
    nearest = slip_of(metric, known) or difflib.get_close_matches(metric, alike, n=1, cutoff=0.0)[0]
    return f"{words}: {ask}{shlex.quote(nearest)}"
