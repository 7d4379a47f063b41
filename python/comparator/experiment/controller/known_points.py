"""What is known of all points that an experiment has tried."""

from __future__ import annotations

import heapq

from comparator.errors import ComparatorError
from comparator.evidence.replicates import pooled_deviation
from comparator.experiment.controller.open_evaluations import KnownPoint, ObjectiveFunction, OpenEvaluation, Runs
from comparator.objective.differences import NoValue
from comparator.results.record import key_of
from comparator.space import Point
from comparator.strategies.blocks import FIRST_FRESH


class KnownPoints:
    """The points that pilot and search have tried, what replicates gave there, and the unit of a difference.

    `has_pilot` says that a pilot gives all differences their unit, before any line of it is written.
    """

    def __init__(self, objective: ObjectiveFunction, *, has_pilot: bool) -> None:
        self._objective, self._has_pilot = objective, has_pilot
        self._points: dict[str, KnownPoint] = {}
        self._means = _Means()  # of these
        self._unit: float | None = None  # of a difference in deviations
        #: Whether two replicates of a point were equal under different seeds.
        self.is_deterministic = False

    def at(self, point: Point) -> KnownPoint:
        """What is known of a point; nothing yet of one that is new."""
        return self._points.setdefault(key_of(point), KnownPoint())

    @property
    def any_has_several(self) -> bool:
        """Whether a point has had two values, which tell whether seeds matter."""
        return any(len(point.values) > 1 for point in self._points.values())

    def learn_all(self, evaluation: OpenEvaluation) -> None:
        """Take what the replicates of an evaluation have given."""
        for replicate, outcome in evaluation.outcomes.items():
            self.learn(evaluation.point, replicate, outcome.runs)

    def learn(self, point: KnownPoint, replicate: int, runs: Runs) -> None:
        """Take what one replicate has given."""
        has_value = point.learn(replicate, runs, self._objective)
        if has_value and replicate < FIRST_FRESH:
            self._means.set(point)
            self.is_deterministic = self.is_deterministic or point.is_equal_under_different_seeds

    def values_of(self, runs: Runs) -> list[float]:
        """The value of one replicate, where it has one."""
        try:
            return [self._objective(runs)]
        except NoValue:
            return []

    def smallest_mean_but(self, point: KnownPoint) -> float | None:
        """The smallest mean of all other points; None where there is none."""
        return self._means.smallest_but(point)

    # The unit of a difference in deviations

    def find_unit(self) -> None:
        """Measure the unit by what is known, which is the pilot; raises `ComparatorError` where it gives none."""
        self._unit = pooled_deviation([list(each.signed.values()) for each in self._points.values()])
        if self._objective.needs_unit and not self._unit:
            found = "no deviation from seed to seed" if self._unit == 0 else "too few results to measure a deviation"
            raise ComparatorError(
                f"the pilot gave {found}, so that a difference in deviations has no unit; 'relative' needs none"
            )

    @property
    def have_own_unit(self) -> bool:
        """Whether differences are divided by the deviation of their own point, which each replicate changes."""
        return self._objective.needs_unit and not self._has_pilot

    def unit_of(self, point: KnownPoint) -> float:
        """What a difference is divided by; raises `NoValue` where a difference in deviations has none."""
        if not self._objective.needs_unit:
            return 1.0
        unit = self._unit or point.of_signed.deviation
        if not unit:
            found = "seeds change nothing here" if unit == 0 else "it takes two seeds that give a result"
            raise NoValue(f"no deviation from seed to seed is known: {found}")
        return unit


class _Means:
    """The means of the points that have any, as they change; the smallest is found without going through them."""

    def __init__(self) -> None:
        self._means: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []  # what a later mean has made untrue goes when it comes to the top

    def set(self, point: KnownPoint) -> None:
        self._means[id(point)] = mean = point.of_values.mean
        heapq.heappush(self._heap, (mean, id(point)))

    def smallest_but(self, point: KnownPoint) -> float | None:
        """The smallest of all other points; None where there is none."""
        own = None
        while self._heap and (self._is_untrue(self._heap[0]) or self._heap[0][1] == id(point)):
            taken = heapq.heappop(self._heap)
            own = own if self._is_untrue(taken) else taken
        smallest = self._heap[0][0] if self._heap else None
        if own is not None:
            heapq.heappush(self._heap, own)
        return smallest

    def _is_untrue(self, entry: tuple[float, int]) -> bool:
        return self._means[entry[1]] != entry[0]
