"""Why a verdict is what it is, in words: those of the evidence's reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comparator.objective.amounts import Measure

if TYPE_CHECKING:
    from comparator.evidence.regions import Reason, Why

#: Those that rest on no number.
PLAIN_REASONS: dict[Why, str] = {
    "nothing given": "no evaluation has a difference",
    "all the same": "both models give the same everywhere",
    "only seeds": "no difference is shown beyond what seeds alone give",
    "not confirmed": "the search saw a difference, which its best points on fresh seeds do not show",
    "no place": "they differ, and the search's own trainings show no place where they differ more",
    "none seen": "they differ, and the search saw no condition under which they differ more",
    "not shown anew": "they differ; that they differ more under some conditions is not shown by fresh trainings",
    "somewhere more": "they differ more under some conditions",
}


def reason_words(reason: Reason, measure: Measure) -> str:
    """Return a reason as a clause; `measure` puts differences into words."""
    given, needed = reason.given, reason.needed
    if reason.why == "few blocks":
        return (
            f"a difference cannot be tested on {given} blocks of seeds: it takes {needed}"
            " or more, or all trainings in a single block ([search] blocks = 1)"
        )
    if reason.why == "few pairs":
        return f"{given} {'pair' if given == 1 else 'pairs'} of trainings cannot show a difference"
    if reason.why == "few points":
        points = f"{given} point{' is' if given == 1 else 's are'}"
        return f"they differ; {points} too few to say where, which takes {needed}"
    if reason.why == "no condition":
        return (
            f"the difference varies, but no condition holds {needed} evaluations where it exceeds"
            f" {measure.amount(given)}, and others where it does not"
        )
    return PLAIN_REASONS[reason.why]
