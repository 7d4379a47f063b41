"""How sure a finding is, in three words that people use, each tied to a test and a level.

| word | is said where |
|---|---|
| very likely | fresh blocks, which the search never saw, show it at level 1 % |
| likely | fresh blocks show it at level 5 %; or, where nothing was trained anew, the search itself does |
| not shown | neither |
| not tested | fewer than two blocks gave both sides of the comparison |

The tests are those of the verdict (`comparator.evidence.verdict`, `comparator.evidence.confirmation`), corrected for
all that was tried together, so that a region of the verdict is at least likely. What the search alone saw is never more
than likely: the trainings that chose a finding cannot prove it as new ones can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from comparator.evidence.confirmation import ALPHA

if TYPE_CHECKING:
    from comparator.evidence.confirmation import Confirmation
    from comparator.evidence.regions import Evidence, Region

VERY_LIKELY, LIKELY, NOT_SHOWN, NOT_TESTED = "very likely", "likely", "not shown", "not tested"
STRICT = 0.01
#: What every place that shows a verdict says where they differ and no region is shown.
NO_PLACE = "no place is shown where they differ more"


def of_difference(evidence: Evidence) -> str:
    """How sure it is that the models differ at all: by fresh blocks the mean over the space has to lie clear of 0."""
    if evidence.verdict == "none" or evidence.p_differ is None:
        return NOT_SHOWN
    ends = evidence.overall_interval
    is_clear = ends is not None and ends[0] * ends[1] > 0
    return VERY_LIKELY if evidence.fresh_blocks and is_clear and evidence.p_differ <= STRICT else LIKELY


def over_the_space(evidence: Evidence) -> str:
    """What a mean over the space is over: all of it, or what gave results."""
    return "over the space where both gave a result" if evidence.some_failed else "over the space"


def of_region(region: Region, evidence: Evidence) -> str:
    """How sure it is that the models differ more in a region than elsewhere; one that was rejected is not shown."""
    if region not in evidence.regions:
        return NOT_SHOWN if region.p is not None else NOT_TESTED
    chance = chance_of_region(region, evidence)
    return VERY_LIKELY if chance is not None and chance <= STRICT else LIKELY


def chance_of_region(region: Region, evidence: Evidence) -> float | None:
    """The chance of a contrast as that of a region where there is none, all that were tried together; None: no test."""
    if region.p is None:
        return None
    return min(1.0, region.p * (len(evidence.regions) + len(evidence.rejected)))


def of_point(confirmation: Confirmation) -> str | None:
    """How sure it is that the models differ more at a best point than elsewhere; None where that is not asked."""
    if confirmation.verdict is None:
        return None
    if confirmation.p is None:
        return NOT_TESTED
    return VERY_LIKELY if confirmation.p <= STRICT else LIKELY if confirmation.p <= ALPHA else NOT_SHOWN
