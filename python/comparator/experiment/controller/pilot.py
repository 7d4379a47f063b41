"""What a pilot has found."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.evidence.pilot import Pilot, measure_pilot
from comparator.experiment.controller.open_evaluations import KnownPoint
from comparator.results.record import Evaluation


def pilot_of(lines: Sequence[Evaluation], points: Sequence[KnownPoint]) -> Pilot:
    """What a pilot of these points has found, whose lines are all recorded.

    Where the search goes on beside it, a point may know of replicates that are not the pilot's: these do not count.
    """
    pairs = [part for line in lines for part in line.asked or ()]
    own = {part.replicate for part in pairs}
    signed = [[number for replicate, number in point.signed.items() if replicate in own] for point in points]
    return measure_pilot(signed, [part.seconds for part in pairs if not part.reused], len(pairs))
