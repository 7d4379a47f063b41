"""What confirms a search that is over: its claims, each trained anew on fresh blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from comparator.experiment.controller.known_points import KnownPoints
from comparator.experiment.controller.open_evaluations import OpenEvaluation, reported
from comparator.results.frozen import Claim
from comparator.results.record import CONFIRM, Evaluation, key_of
from comparator.results.whole import by_replicate
from comparator.space import Point
from comparator.strategies.blocks import FIRST_FRESH, crossed, square


@dataclass(frozen=True)
class ToConfirm:
    """What is confirmed when the search is over.

    `find` reads the claims off a record that is complete; where they are known already they are `known`. `splits` says
    that every fresh block has a data split of its own.
    """

    find: Callable[[Sequence[Evaluation]], list[Claim]]
    known: Sequence[Claim] | None
    splits: bool


class Confirmation:
    """The confirmation of a search; `to_confirm` is None where nothing is confirmed."""

    def __init__(self, to_confirm: ToConfirm | None) -> None:
        self._to_confirm = to_confirm
        #: What is confirmed, None before the search is over or where nothing is.
        self.claims: list[Claim] | None = None

    def begin(self, records: Sequence[Evaluation], *, is_deterministic: bool) -> list[tuple[str, Point, list[int]]]:
        """Find the claims of a search that is over; gives what is trained: of which claim, where, on which blocks."""
        if self._to_confirm is None or (is_deterministic and not self._to_confirm.splits):
            return []
        known = self._to_confirm.known
        self.claims = list(known) if known is not None else self._to_confirm.find(records)
        return [(claim.name, point, fresh) for claim in self.claims for point, fresh in by_point(claim)]

    @property
    def keeps_split(self) -> bool:
        """Whether its trainings have the data split that the user gave."""
        return self._to_confirm is not None and not self._to_confirm.splits

    def may_be_exact(self, evaluation: OpenEvaluation, points: KnownPoints) -> bool:
        """Whether a best point is tried on one seed first: no point has had two, which tell whether seeds matter."""
        if not self.keeps_split:
            return False
        if not any(claim.kind == "best" and claim.name == evaluation.claim for claim in self.claims or ()):
            return False
        return not points.any_has_several

    def is_exact(self, evaluation: OpenEvaluation, points: KnownPoints, records: Sequence[Evaluation]) -> bool:
        """Whether what confirms a best point, by one seed so far, is what the search had there by another."""
        if not self.may_be_exact(evaluation, points) or len(evaluation.outcomes) != 1:
            return False
        anew = [reported(outcome.runs) for outcome in evaluation.outcomes.values() if outcome.status == "ok"]
        key = key_of(evaluation.proposal.point)
        before = [line for line in records if line.stage != CONFIRM and line.point_key == key]
        known = {reported(runs) for line in before for runs in by_replicate(line.runs).values()}
        return bool(anew) and known.issuperset(anew)


def by_point(claim: Claim) -> list[tuple[Point, list[int]]]:
    """The points of a claim with the replicates, and so the fresh blocks, that confirm it there."""
    fresh: dict[str, tuple[Point, list[int]]] = {}
    numbers: Sequence[int] = range(FIRST_FRESH, FIRST_FRESH + len(claim.points))
    if claim.levels:
        numbers = square(claim.factors, claim.levels)
    elif claim.crossed is not None:
        numbers = crossed(*claim.crossed)
    for number, point in zip(numbers, claim.points, strict=True):
        fresh.setdefault(key_of(point), (point, []))[1].append(number)
    return list(fresh.values())
