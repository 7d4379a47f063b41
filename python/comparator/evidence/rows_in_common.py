"""Which rows two models both predicted, and whether their labels of these agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from comparator.evidence.row_scores import Block
from comparator.tables.predictions import PredictedRows

#: Labels that differ by less than this share, near 0 by less than that one of their deviation, were only written
#: otherwise.
SAME_LABEL, SAME_NEAR_ZERO = 1e-5, 1e-4


@dataclass(frozen=True)
class RowsInCommon:
    """Which rows both models predicted; rows are told by their ids.

    `share` is that of the rows that either predicted; of the common ones `other_labels` is the share that has another
    label with the second model, and of all rows `repeated` the share whose ids another row of the same table has.
    """

    share: float
    other_labels: float
    repeated: float

    @property
    def are_all(self) -> bool:
        """Whether each row of one model is one row of the other."""
        return self.share == 1 and self.repeated == 0


def rows_in_common(blocks: Sequence[Block]) -> RowsInCommon:
    """Compare the rows of both models, block by block."""
    both = either = other = repeated = rows = 0
    for block in blocks:
        first, second = (_labels(each) for each in block.predicted)
        near = SAME_NEAR_ZERO * max(float(each.true.std()) for each in block.predicted)
        for row in first.keys() | second.keys():
            here, there = first.get(row, []), second.get(row, [])
            both, either = both + min(len(here), len(there)), either + max(len(here), len(there))
            other += sum(
                not math.isclose(one, two, rel_tol=SAME_LABEL, abs_tol=near)
                for one, two in zip(here, there, strict=False)
            )
            repeated += sum(len(each) for each in (here, there) if len(each) > 1)
            rows += len(here) + len(there)
    return RowsInCommon(
        both / either if either else 0.0, other / both if both else 0.0, repeated / rows if rows else 0.0
    )


def _labels(predicted: PredictedRows) -> dict[tuple[str, ...], list[float]]:
    """The labels of each row, in order, by its ids."""
    found: dict[tuple[str, ...], list[float]] = {}
    for row, label in sorted(zip(zip(*predicted.columns.values(), strict=True), predicted.true.tolist(), strict=True)):
        found.setdefault(row, []).append(label)
    return found


def agreement_by_group(blocks: Sequence[Block], column: str) -> dict[str, float]:
    """The correlation of both models' labels in each group; each row counts once, three or more tell."""
    labels: dict[str, dict[tuple[str, ...], tuple[float, float]]] = {}
    for block in blocks:
        first, second = (
            dict(zip(zip(*each.columns.values(), strict=True), each.true.tolist(), strict=True))
            for each in block.predicted
        )
        for row, group in zip(
            zip(*block.predicted[0].columns.values(), strict=True), block.predicted[0].columns[column], strict=True
        ):
            labels.setdefault(group, {})[row] = first[row], second[row]
    found = {}
    for group, rows in labels.items():
        one, other = np.array(list(rows.values())).T
        if len(rows) > 2 and one.std() > 0 and other.std() > 0:
            found[group] = float(np.corrcoef(one, other)[0, 1])
    return found
