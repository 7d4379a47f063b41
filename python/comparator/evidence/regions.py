"""What a verdict says: whether two models differ, in which regions more than elsewhere, and why it is said.

`comparator.evidence.verdict` finds it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from comparator.evidence.surrogate import Components

Verdict = Literal["regions", "everywhere", "none"]
# fmt: off
Why = Literal[
    "nothing given", "all the same", "few blocks", "few pairs", "only seeds", "not confirmed",
    "few points", "no place", "no condition", "none seen", "not shown anew",
    "somewhere more",
]
# fmt: on


@dataclass(frozen=True)
class Reason:
    """Why a verdict is what it is, with what was `given` and what is `needed`, where it rests on such a number.

    `none` for want of any difference (`nothing given`), of one that is not 0 (`all the same`), of blocks to test it on
    (`few blocks`), of pairs of trainings (`few pairs`), of more than seeds alone give (`only seeds`), or of best points
    that show it again (`not confirmed`). `everywhere` for want of points to tell a place by (`few points`), of a place
    where it is more (`no place`), of a condition under which enough evaluations exceed the level, which is what is
    given (`no condition`), of a region to be tried anew (`none seen`), or of one that holds (`not shown anew`).
    `regions`: `somewhere more`.
    """

    why: Why
    given: float | None = None
    needed: int | None = None


@dataclass(frozen=True)
class Region:
    """A box in which the models differ more than elsewhere.

    `mean` is the mean signed difference over the box, each part counting alike, in its own direction, so that it is
    a size; `larger` is the submodel whose metric is the larger there. `outside` is the mean outside all regions in the
    same direction. `contrast` is the one less the other. With `interval`, `outside_interval` and `contrast_interval`,
    95 % over splits and seeds that were not looked at; None where nothing was trained anew, and the means are then
    those of the evaluated points. `p` is the chance of such a contrast where there is none, `blocks` counts the fresh
    blocks, `evaluations` the distinct points of the search inside, `share` is that of the space, and `stability` that
    of resamples in which a box that overlaps by more than half was found. `number` is that of its claim, whatever
    became of the others; of regions that nothing tried anew their place.
    """

    bounds: Mapping[str, Any]
    mean: float
    interval: tuple[float, float] | None
    outside: float | None
    outside_interval: tuple[float, float] | None
    contrast: float | None
    contrast_interval: tuple[float, float] | None
    p: float | None
    blocks: int
    evaluations: int
    larger: int
    share: float
    stability: float
    number: int = 1


@dataclass(frozen=True)
class Evidence:
    """What the evaluations prove.

    `p_differ` and `p_where` are the chances of what was seen where there is no
    difference, or none in place (None: not asked), `level` the size of the difference beyond which a point counts as
    in a region, `overall` and `overall_interval` (95 %) the mean signed difference over the space; `noise` the
    deviation of a replicate from its point's mean, None where no point has two. `blocks` counts those of the search,
    `fresh_blocks` those trained anew, over which `overall` is. `missed` is the largest mean difference that cannot be
    excluded where the verdict is `none`, and `missed_contrast` the largest difference between a place that was looked
    at and the rest.
    `components` says what makes trainings differ; None where the search had one block or too few points. `rejected` are
    regions that the search saw and fresh blocks did not show. `failing` are boxes in which trainings fail.
    `some_failed` says that trainings failed somewhere, so that a mean over the space is where both gave a result.
    """

    verdict: Verdict
    reason: Reason
    p_differ: float | None
    p_where: float | None
    level: float | None
    regions: tuple[Region, ...]
    overall: float | None
    overall_interval: tuple[float, float] | None
    noise: float | None
    points: int
    blocks: int = 1
    fresh_blocks: int = 0
    missed: float | None = None
    missed_contrast: float | None = None
    components: Components | None = None
    rejected: tuple[Region, ...] = ()
    failing: tuple[Mapping[str, Any], ...] = ()
    some_failed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON text."""
        return _plain(asdict(self))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
