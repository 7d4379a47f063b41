"""What a record says of its points: the value of each, and the best of them. Everything asks here; `tally` counts.

A point is as good as its latest evaluation that ended well says: that one's value is the mean over all its replicates
that did. What confirms stands beside the search: it changes no value and no best, and is not part of the budget.

Where a search began with fewer epochs its values are those of short trainings, by which points are compared all over
the space; the best is the best of those that were trained in full. Values of both lengths are never taken together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from comparator.results.frozen import Claim
from comparator.results.record import AFTERWARDS, FULL, Evaluation
from comparator.results.whole import lines_of


def searched(records: Iterable[Evaluation]) -> Iterator[Evaluation]:
    """The evaluations of a record's pilot and search, all of one length: all but those that followed."""
    return (record for record in records if record.stage not in AFTERWARDS)


def values_of(records: Iterable[Evaluation]) -> dict[str, Evaluation]:
    """By point (`key_of`) the evaluation that has its value, with all signed differences and runs; in their order."""
    return _latest(searched(records))


def final_values_of(records: Sequence[Evaluation]) -> dict[str, Evaluation]:
    """`values_of` what may be believed best: of the points that were trained in full, where any of them has a value."""
    return _latest(record for record in records if record.stage == FULL) or values_of(records)


def _latest(records: Iterable[Evaluation]) -> dict[str, Evaluation]:
    latest = {line.record.point_key: line for line in lines_of(records) if line.record.status == "ok"}
    return {key: line.whole() for key, line in latest.items()}


def latest_of(records: Iterable[Evaluation]) -> dict[str, Evaluation]:
    """As `values_of`, but as the lines are, without earlier replicates: enough where only values are looked at."""
    return {record.point_key: record for record in searched(records) if record.status == "ok"}


def observations_in(records: Iterable[Evaluation]) -> list[tuple[dict[str, Any], list[float], list[int]]]:
    """Each point of pilot and search that has a value: its signed differences, one a replicate, and their blocks."""
    return observations_of(values_of(records))


def observations_of(values: Mapping[str, Evaluation]) -> list[tuple[dict[str, Any], list[float], list[int]]]:
    """The same of the evaluations that have the points' values."""
    found = []
    for record in values.values():
        if record.signed:
            found.append((dict(record.point), list(record.signed), record.blocks or [0] * len(record.signed)))
    return found


def points_without_value(records: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """The points of pilot and search none of whose evaluations has a value."""
    known = latest_of(records)
    return [dict(point) for key, point in _by_key(searched(records)).items() if key not in known]


def _by_key(records: Iterable[Evaluation]) -> dict[str, Mapping[str, Any]]:
    return {record.point_key: record.point for record in records}


def best_of(records: Sequence[Evaluation]) -> list[Evaluation]:
    """The points that have a value, the best first; the earlier one of equals. In full, where any were so trained."""
    return sorted(final_values_of(records).values(), key=lambda record: record.value or 0.0)


def best_values(records: Sequence[Evaluation]) -> list[tuple[Evaluation, float]]:
    """The best value up to each evaluation of pilot and search that ended well, by number: it never worsens.

    Evaluations that are carried out at once finish in another order. A point counts from its first evaluation on, with
    its value: what that evaluation said by itself was mended by those that tried the point again. The evaluations are
    as their lines are (`latest_of`).
    """
    latest = latest_of(records)
    ended = sorted((each for each in searched(records) if each.status == "ok"), key=lambda record: record.evaluation)
    known = [(record, value) for record in ended if (value := latest[record.point_key].value) is not None]
    best = itertools.accumulate((value for _, value in known), min)
    return [(record, value) for (record, _), value in zip(known, best, strict=True)]


def is_settled_by(line: Evaluation, claim: Claim) -> bool:
    """Whether one training has tried a best point for all blocks: the models gave the same numbers for every seed."""
    is_of_best = claim.kind == "best" and claim.name == line.claim
    return is_of_best and line.status == "ok" and len(line.asked or ()) == 1 < len(claim.points)


def as_read(value: float, *, maximise: bool) -> float:
    """A value that a search minimises, as people read it: with its sign turned where the objective is maximised."""
    return (-value if maximise else value) + 0.0  # no -0.0
