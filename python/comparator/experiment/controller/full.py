"""What is trained in full after a search by short trainings."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.experiment.controller.known_points import KnownPoints
from comparator.results.frozen import FirstEpochs
from comparator.results.points import latest_of
from comparator.results.record import Evaluation
from comparator.space import Point


def best_to_train(
    first: FirstEpochs, records: Sequence[Evaluation], points: KnownPoints, seeds: int
) -> list[tuple[Point, range]]:
    """The best points of a search that is over, the best first, each with the `seeds` replicates that follow its own.

    On those that it had, the luck that made it one of the best would be carried over.
    """
    best = sorted(latest_of(records).values(), key=lambda line: line.value or 0.0)[: first.points]
    after = [1 + max(points.at(line.point).asked) for line in best]
    return [(line.point, range(number, number + seeds)) for line, number in zip(best, after, strict=True)]
