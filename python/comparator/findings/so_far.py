"""What each evaluation rests on: its own replicates and those that its point had before, as counts and means.

The sums are exact, so that a mean is that of `statistics.fmean` over all of them, at the cost of what is new in a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from comparator.results.record import Evaluation, Run
from comparator.results.whole import not_there

#: Of each submodel, by the name of a metric: the sum over runs, and how many they are.
Metrics = tuple[dict[str, tuple[Fraction | float, int]], ...]


@dataclass(frozen=True)
class SoFar:
    """What an evaluation rests on.

    `replicates` are how many, `ended_well` those of them that have a run that did. `signed` is the mean of
    the signed differences, None where there is none, and `metrics[s]` are submodel s's, means over the runs that ended
    well and report them.
    """

    replicates: int
    ended_well: int
    signed: float | None
    metrics: tuple[dict[str, float], ...]


def so_far(records: Iterable[Evaluation], submodels: int) -> Iterator[tuple[Evaluation, SoFar]]:
    """Each line of a record with what it rests on; of the lines before it memory holds sums.

    Raises `InputError` where a line follows on one that is not there.
    """
    known: dict[int, _Sums] = {}
    for record in records:
        if record.after is not None and record.after not in known:
            raise not_there(record)
        sums = _Sums(submodels) if record.after is None else known[record.after]
        known[record.evaluation] = sums
        yield record, sums.take(record)


class _Sums:
    """Those over the replicates of a point."""

    def __init__(self, submodels: int) -> None:
        self._replicates: set[int] = set()
        self._signed, self._differences = Fraction(0), 0
        self._metrics: Metrics = tuple({} for _ in range(submodels))

    def take(self, record: Evaluation) -> SoFar:
        """Take what a line adds to its point; gives what it rests on, to which its failed replicates belong."""
        own = [run for run in record.runs if run.replicate not in self._replicates]
        counted = set(record.replicates or ())
        added = [run for run in own if run.replicate in counted]
        failed = [run for run in own if run.replicate not in counted]
        self._replicates |= counted
        unit = Fraction(1 if record.unit is None else record.unit)
        self._signed += unit * sum(map(Fraction, record.signed or ()))
        self._differences += len(record.signed or ())
        self._metrics = _plus(self._metrics, added)
        return SoFar(
            replicates=len(self._replicates) + len({run.replicate for run in failed}),
            ended_well=len(self._replicates) + len({run.replicate for run in failed if run.status == "ok"}),
            signed=float(self._signed / unit) / self._differences if self._differences else None,
            metrics=_means(_plus(self._metrics, failed)),
        )


def mean_metrics(runs: Sequence[Run], submodels: int) -> tuple[dict[str, float], ...]:
    """Each submodel's metrics, means over the runs that ended well and report them."""
    return _means(_plus(tuple({} for _ in range(submodels)), runs))


def _plus(sums: Metrics, runs: Sequence[Run]) -> Metrics:
    if not runs:
        return sums
    found = tuple(dict(each) for each in sums)
    for run in runs:
        if run.status == "ok" and run.submodel < len(found):
            of = found[run.submodel]
            for name, value in run.metrics.items():
                if value is not None:
                    total, count = of.get(name, (0, 0))
                    of[name] = Fraction(total) + Fraction(value) if count else value, count + 1
    return found


def _means(sums: Metrics) -> tuple[dict[str, float], ...]:
    return tuple({name: float(total) / count for name, (total, count) in each.items()} for each in sums)
