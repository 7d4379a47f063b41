"""Which groups of rows carry a difference of two models' metric: drugs, cell lines, whatever their predictions name.

The influence of a group is by how much less the models differ where its rows are left out of both models' predictions.
It is 0 for a group whose rows are like all others, however many it has. Of a metric that is a mean over rows the part
of a group in the difference D = V1 - V0 is exact as well: with a_k the share of the group's rows in the predictions of
model k, m_k its metric there and M_k that of all rows, it is

    (a_0 + a_1) / 2 * D + a_1 * (m_1 - M_1) - a_0 * (m_0 - M_0)

which sums to D over the groups, also where the two models predicted other rows.

Of many groups some carry more by chance. So the blocks, data splits with seeds of their own, are divided: the first
ones choose a few groups, each with its direction, the others, which chose nothing, measure these. What is named holds
for all that were measured at once, at level `ALPHA`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from comparator.evidence.confirmation import chance_above_zero, chance_not_zero, interval_of
from comparator.evidence.coordinates import Array
from comparator.evidence.row_scores import (
    MEANS,
    ROWS,
    TRUE,
    TRUE_2,
    Block,
    Measure,
    difference,
    differences,
    in_all,
    score,
    sums_of_groups,
    sums_of_rows,
)
from comparator.evidence.rows_in_common import agreement_by_group, rows_in_common

ALPHA = 0.05
FEWEST_BLOCKS = 6
CHOOSING = 3 / 8  # of the blocks, and as many as `FEWEST_CHOOSING`; a wrong choice costs power alone
FEWEST_CHOOSING = 3
MOST_CHOSEN = 3
CHANCE_CHOSEN = 0.1  # a group that chance gives so often is not measured,
LARGE = 0.25  # unless its influence is so much of the difference
NAMED_ALPHA = ALPHA / 2
MATERIAL = 0.05  # of the difference: less is not worth a name

Ends = tuple[float | None, float | None]


@dataclass(frozen=True)
class Group:
    """A group's influence on the signed difference, in its direction: below 0 where it works against it.

    `rows` is its share of the rows, `share` its exact part of the difference as a fraction, None where the metric is no
    mean over rows. `interval` of a group that was measured holds for all that were, together (95 %), and is of one
    alone else; `p` is the chance of as much, of all that were measured; None for one that was not.
    `metrics` are both models' own in the group, `variances` those of their labels there, None where one has no such
    row. `agreement` is the correlation of both models' labels of rows that both predicted, None where it is not known.
    """

    name: str
    rows: float
    share: float | None
    influence: float
    interval: tuple[float, float]
    p: float | None = None
    metrics: tuple[float | None, float | None] = (None, None)
    variances: tuple[float | None, float | None] = (None, None)
    agreement: float | None = None


@dataclass(frozen=True)
class Without:
    """A difference with and without the rows of some `groups`, each with its interval over blocks.

    95 %; where the same blocks have named the groups the interval `without` them is one of `NAMED_ALPHA`: what
    is named is named rather where chance made it large.
    """

    groups: tuple[str, ...]
    difference: float
    interval: tuple[float, float]
    without: float
    without_interval: tuple[float, float]


@dataclass(frozen=True)
class Contributions:
    """What the groups of one column contribute at one place.

    `named` are the groups that carry more than their share beyond chance, or work against it, the largest first;
    `without` is the difference without the rows of those that carry it, of the others where none does, over the
    `measuring` blocks, and `elsewhere` the same over blocks of another place, which chose nothing; None where nothing
    is named. `groups` are all, over all blocks, the largest influence first, with intervals that are each of one alone.
    `difference` has its `interval` (95 %) over the measuring blocks.
    """

    column: str
    difference: float
    interval: tuple[float, float]
    choosing: int
    measuring: int
    named: tuple[Group, ...]
    without: Without | None
    elsewhere: Without | None
    groups: tuple[Group, ...]


@dataclass(frozen=True, eq=False)
class Influences:
    """The influence of each group of a column in each block, and the groups that the first blocks have chosen."""

    column: str
    names: Sequence[str]
    blocks: Sequence[Block]
    measure: Measure
    sums: Sequence[Sequence[Array]]
    whole: Array  # [blocks], the difference
    influence: Array  # [blocks, groups]
    choosing: int
    chosen: Sequence[int]


def influences(column: str, blocks: Sequence[Block], measure: Measure) -> Influences | None:
    """Return the influences of a column's groups; None with fewer blocks than `FEWEST_BLOCKS` that tell."""
    told = [each for each in blocks if math.isfinite(difference(measure, *sums_of_rows(each)))]
    names = sorted({name for block in told for each in block.predicted for name in each.columns[column]})
    if len(told) < FEWEST_BLOCKS or len(names) < 2:
        return None
    sums = [sums_of_groups(block, column, names, measure.score) for block in told]
    whole = np.array([difference(measure, *in_all(each)) for each in sums])
    left = np.array([differences(measure, *(one.sum(axis=0) - one for one in each)) for each in sums])
    influence = np.where(np.isfinite(left), whole[:, None] - left, 0.0)
    choosing = max(FEWEST_CHOOSING, round(CHOOSING * len(whole)))
    chosen = _chosen(influence[:choosing], whole[:choosing])
    return Influences(column, names, told, measure, sums, whole, influence, choosing, chosen)


def contributions(found: Influences, count: int, elsewhere: Sequence[Block] = ()) -> Contributions:
    """Return what the groups of a column contribute, where `count` groups are measured in all, of other columns too."""
    since, whole = found.choosing, found.whole[found.choosing :]
    measured = {number: _measured(found.influence[:, number], since, count) for number in found.chosen}
    named = [
        number
        for number in sorted(found.chosen, key=lambda each: -abs(float(found.influence[since:, each].mean())))
        if measured[number][1] <= ALPHA and _is_at_least(MATERIAL, found.influence[since:, number], whole)
    ]
    agreement = agreement_by_group(found.blocks, found.column) if rows_in_common(found.blocks).are_all else {}
    carrying = [number for number in named if found.influence[since:, number].mean() > 0]
    left_out = [found.names[number] for number in carrying or named]
    by_size = np.argsort(-np.abs(found.influence.mean(axis=0)), kind="stable").tolist()
    return Contributions(
        column=found.column,
        difference=fmean(whole),
        interval=_interval(whole),
        choosing=since,
        measuring=len(whole),
        named=tuple(_group(found, number, since, agreement, *measured[number]) for number in named),
        without=_without(found.blocks[since:], found.column, left_out, found.measure, NAMED_ALPHA),
        elsewhere=_without(elsewhere, found.column, left_out, found.measure),
        groups=tuple(_group(found, number, 0, agreement, _interval(found.influence[:, number])) for number in by_size),
    )


def _group(
    found: Influences,
    number: int,
    since: int,
    agreement: Mapping[str, float],
    interval: tuple[float, float],
    p: float | None = None,
) -> Group:
    """A group over the blocks from `since` on."""
    sums, score = found.sums[since:], found.measure.score
    rows, share = _shares(number, sums, score)
    metrics, variances = _own(number, sums, score)
    return Group(
        name=found.names[number],
        rows=rows,
        share=share,
        influence=float(found.influence[since:, number].mean()),
        interval=interval,
        p=p,
        metrics=metrics,
        variances=variances,
        agreement=agreement.get(found.names[number]),
    )


def _without(
    blocks: Sequence[Block], column: str, left_out: Sequence[str], measure: Measure, alpha: float = ALPHA
) -> Without | None:
    """The difference with and without some groups; None where none are left out, and with fewer than two blocks."""
    numbers = []
    for block in blocks:
        names = sorted({name for each in block.predicted for name in each.columns[column]})
        kept = np.array([name not in left_out for name in names])
        sums = sums_of_groups(block, column, names, measure.score)
        numbers.append(
            (difference(measure, *in_all(sums)), difference(measure, *in_all([each[kept] for each in sums])))
        )
    numbers = [each for each in numbers if all(map(math.isfinite, each))]
    if not left_out or len(numbers) < 2:
        return None
    whole, without = np.array(numbers).T
    return Without(tuple(left_out), fmean(whole), _interval(whole), fmean(without), _interval(without, alpha))


def _chosen(influence: Array, whole: Array) -> list[int]:
    """The groups that are measured: large enough, hardly of chance or very large, the largest."""
    found = [
        number
        for number in range(influence.shape[1])
        if _is_at_least(MATERIAL, influence[:, number], whole)
        and (
            _is_at_least(LARGE, influence[:, number], whole)
            or chance_not_zero(influence[:, number].tolist()) <= CHANCE_CHOSEN
        )
    ]
    return sorted(found, key=lambda number: -abs(float(influence[:, number].mean())))[:MOST_CHOSEN]


def _is_at_least(share: float, influence: Array, whole: Array) -> bool:
    return bool(abs(influence.mean()) >= share * abs(whole.mean()))


def _measured(influence: Array, since: int, count: int) -> tuple[tuple[float, float], float]:
    """A group's interval, and the chance of as much in the direction in which it was chosen (Bonferroni)."""
    direction = float(np.sign(influence[:since].mean()))
    chance = chance_above_zero((direction * influence[since:]).tolist())
    return _interval(influence[since:], ALPHA / count), min(1.0, count * chance)


def _interval(numbers: Array, alpha: float = ALPHA) -> tuple[float, float]:
    interval = interval_of(numbers.tolist(), confidence=1 - alpha)
    assert interval is not None
    return interval


def _own(number: int, sums: Sequence[Sequence[Array]], name: str) -> tuple[Ends, Ends]:
    """Both models' score in a group, and the variance of their labels there, all blocks together."""
    together = [np.sum([block[submodel][number] for block in sums], axis=0) for submodel in (0, 1)]
    with np.errstate(all="ignore"):
        scores = [float(score(name, each)) for each in together]
        variances = [float(each[TRUE_2] / each[ROWS] - (each[TRUE] / each[ROWS]) ** 2) for each in together]
    return _finite(scores), _finite(variances)


def _finite(numbers: Sequence[float]) -> Ends:
    first, second = (number if math.isfinite(number) else None for number in numbers)
    return first, second


def _shares(number: int, sums: Sequence[Sequence[Array]], name: str) -> tuple[float, float | None]:
    """A group's share of the rows, and its exact part in the difference, see the module's text."""
    rows, parts, wholes = [], [], []
    for block in sums:
        counts = [float(each[:, ROWS].sum()) for each in block]
        rows.append(sum(float(each[number, ROWS]) / count for each, count in zip(block, counts, strict=True)) / 2)
        if name in MEANS:
            errors = [each[:, MEANS[name]] for each in block]
            means = [float(each.sum()) / count for each, count in zip(errors, counts, strict=True)]
            own = [
                float(error[number] - mean * each[number, ROWS]) / count
                for error, mean, each, count in zip(errors, means, block, counts, strict=True)
            ]
            wholes.append(means[1] - means[0])
            parts.append(own[1] - own[0] + rows[-1] * wholes[-1])
    return fmean(rows), fmean(parts) / fmean(wholes) if wholes and fmean(wholes) else None
