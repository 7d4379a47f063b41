"""Whether differences, and their variation over the space, are more than chance.

Both tests scan: they look at every box of a coarse net at once (those that bound one parameter or two), and ask how
often the best box of data without a difference is as good as that of the observed data. What takes more than one box
to tell, such as a ridge, shows in a score: the sum over all pairs of points of the product of what they have, weighed
by how near they lie. Where a test has two statistics, each is ranked among its own resamples, and the better rank
among the better ranks of the resamples (Westfall and Young, Resampling-Based Multiple Testing, 1993).
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import minimize

from comparator.evidence.coordinates import Array, Coordinates
from comparator.evidence.kernel import square_distances
from comparator.evidence.paired import FLIPS, Paired, flips

FEWEST = 3  # points in a box of the net, and outside
FEWEST_BLOCKS = 7  # whose signs can be flipped in ways enough for a test at 5 %
FEWEST_IN_BLOCK = 4  # differences, on average, from which on flipping the signs of what departs from the mean holds
PARTS = 6  # of a number's range, in up to three parameters; with more a box is wide or it holds no points
PARTS_OF_MANY = 4
NEAR = 0.1  # of a range: the kernel's length, for each parameter
SLOPE = 1.0  # prior deviation of the change of the noise's logarithmic variance over a range


def net(coordinates: Coordinates, rows: Array) -> Array:
    """Which of `rows` lie in each box of the net, of shape (boxes, rows)."""
    parts = PARTS if rows.shape[1] <= 3 else PARTS_OF_MANY
    sides = [
        _categories(column) if is_category else _ranges(column, parts)
        for column, is_category in zip(rows.T, coordinates.is_category, strict=True)
    ]
    both = [
        (one[:, None, :] & other[None, :, :]).reshape(-1, len(rows)) for one, other in itertools.combinations(sides, 2)
    ]
    boxes = np.unique(np.vstack([np.zeros((1, len(rows)), dtype=bool), *sides, *both]), axis=0)
    held = boxes.sum(axis=1)
    return np.asarray(boxes[(held >= FEWEST) & (held <= len(rows) - FEWEST)], dtype=float)


def differ(
    paired: Paired, boxes: Array, rng: np.random.Generator, places: Array | None = None, *, number: int = FLIPS
) -> float | None:
    """How likely the differences are, were there none: those of a block as likely with the other sign.

    Exact for a search that was not told the signs, also where a split moves neighbours alike. Looks at the overall mean
    and at that of each box, so that a difference in a part of the space counts, and differences of opposite signs in
    two parts. Where there is one block, signs are those of each replicate: what follows holds on its split. None where
    there are several, but fewer than `FEWEST_BLOCKS`. `boxes` are of the points at `places`, by default of all.
    `number` resamples tell chances down to one in as many.
    """
    signs = _signs(paired, rng, number)
    if signs is None:
        return None
    sums = paired.sums(signs * paired.differences)
    overall = sums.sum(axis=1) ** 2
    if not len(boxes):
        return _best_rank([overall])
    of_boxes = slice(None) if places is None else places
    inside = np.abs(sums[:, of_boxes] @ boxes.T) / np.sqrt(boxes @ paired.counts[of_boxes])
    return _best_rank([overall, inside.max(axis=1)])


def vary(
    paired: Paired,
    coordinates: Coordinates,
    rows: Array,
    boxes: Array,
    rng: np.random.Generator,
    number: int = FLIPS,
    *,
    is_spread: bool = False,
) -> float | None:
    """How likely the variation is, were the difference the same everywhere.

    Looks at the contrast of each box with all else, and at the score of neighbours that depart from the overall mean
    alike. What departs is put in units of its deviation, which may change over the space. Of several blocks the signs
    of what departs are flipped, those of a block together; within one it is dealt out to the points anew, and what
    follows holds on its split. None where there are several blocks, but fewer than `FEWEST_BLOCKS`.

    Where a block has few points their mean is much of what each departs from: what is flipped is then less than what
    was observed, and chance is called a place too often. As a hash of the point chooses its block, points that do not
    depend on results (`is_spread`) could as well have had what another has, block included: where there are fewer than
    `FEWEST_IN_BLOCK` in a block they are dealt out as well. With more, neighbours of one block would depart alike.
    """
    if is_spread and len(paired.differences) < FEWEST_IN_BLOCK * paired.block_count:
        paired = paired.without_blocks
    signs = _signs(paired, rng, number) if paired.block_count > 1 else np.ones((1, len(paired.differences)))
    if signs is None:
        return None
    if not len(boxes):
        return 1.0
    weights = paired.counts / _variances(paired, rows, coordinates.is_category)
    middle = np.average(paired.means, weights=weights)
    apart = paired.sums(signs * (paired.differences - middle)) * np.sqrt(weights) / paired.counts
    if paired.block_count == 1:
        apart = np.vstack([apart, rng.permuted(np.tile(apart, (number, 1)), axis=1)])
    dealt = apart - apart.mean(axis=1, keepdims=True)
    held = boxes.sum(axis=1)
    contrasts = np.abs(dealt @ boxes.T) / np.sqrt(held * (1 - held / len(rows)))
    nearness = np.exp(-square_distances(coordinates, rows, rows).mean(axis=0) / (2 * NEAR**2))
    score = np.einsum("di,di->d", dealt @ nearness, dealt)
    return _best_rank([contrasts.max(axis=1), score])


def _signs(paired: Paired, rng: np.random.Generator, number: int) -> Array | None:
    """Signs for the differences, a row for each way of flipping them, the first all positive."""
    if paired.block_count == 1:
        return flips(len(paired.differences), rng, number)
    if paired.block_count < FEWEST_BLOCKS:
        return None
    _, places = np.unique(paired.blocks, return_inverse=True)
    return flips(paired.block_count, rng, number)[:, places]


def _best_rank(statistics: list[Array]) -> float:
    """The share of resamples whose best rank, of any statistic, is as good as that of the first, the observed one."""
    ranks = np.min([_share_as_large(each) for each in statistics], axis=0)
    return float(np.mean(ranks <= ranks[0] * (1 + 1e-9)))


def _share_as_large(statistics: Array) -> Array:
    """For each statistic the share of all that are as large; rounding does not part equal ones."""
    return 1 - np.searchsorted(np.sort(statistics), statistics * (1 - 1e-9), side="left") / len(statistics)


def _ranges(column: Array, parts: int) -> Array:
    borders = np.linspace(0, 1, parts + 1)
    borders[0], borders[-1] = -np.inf, np.inf
    found = [
        (column > low) & (column <= high)
        for low, high in itertools.combinations(borders, 2)
        if np.isfinite(low) or np.isfinite(high)
    ]
    return np.array(found)


def _categories(column: Array) -> Array:
    found = [side for value in np.unique(column) for side in (column == value, column != value)]
    return np.array(found)


def _variances(paired: Paired, rows: Array, is_category: Array) -> Array:
    """The variance of a replicate at each point, up to a factor: an exponential of a line over the space.

    The line is fitted to what departs from the overall mean, with a prior that it is flat (normal likelihood).
    """
    overall = float(np.average(paired.means, weights=paired.counts))
    squares = paired.counts * (paired.means - overall) ** 2
    if not squares.any():
        return np.ones(len(rows))
    squares = squares / squares.mean()
    columns = [
        feature
        for column, is_set in zip(rows.T, is_category, strict=True)
        for feature in ([column == value for value in np.unique(column)[1:]] if is_set else [column])
    ]
    features = np.column_stack([np.ones(len(rows)), *columns]).astype(float)
    features[:, 1:] -= features[:, 1:].mean(axis=0)
    stiffness = np.full(features.shape[1], SLOPE**-2)
    stiffness[0] = 0.0

    def cost(line: Array) -> tuple[float, Array]:
        height = features @ line
        ratio = squares * np.exp(-height)
        return (
            0.5 * float((ratio + height).sum() + (stiffness * line**2).sum()),
            0.5 * features.T @ (1 - ratio) + stiffness * line,
        )

    line = minimize(cost, np.zeros(len(stiffness)), jac=True, method="L-BFGS-B", bounds=[(-8, 8)] * len(stiffness)).x
    return np.asarray(np.exp(features[:, 1:] @ line[1:]))
