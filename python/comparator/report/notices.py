"""What a reader of an experiment has to know beside its findings, a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation, Run
from comparator.results.run_store import withdrawals
from comparator.results.tally import doubled_in


def notices(
    experiment: FrozenExperiment, runs: Iterable[Run], folder: Path, records: Sequence[Evaluation] = ()
) -> list[str]:
    """What was said when the experiment in `folder` was planned, and what has come out since."""
    since = [*doubled(doubled_in(records)), *withdrawn(folder)]
    return [*since, *experiment.notices, *single_use(runs, experiment.notices)]


def doubled(numbers: Sequence[int]) -> list[str]:
    """That these evaluations have several lines in a record; nothing where none has."""
    if not numbers:
        return []
    which = f"evaluation {numbers[0]} has" if len(numbers) == 1 else f"{len(numbers)} evaluations have"
    return [f"{which} more than one line in the record, each of which counts: comparator verify names them"]


def withdrawn(folder: Path) -> list[str]:
    """Which runs of the experiment in `folder` were withdrawn after it had used them."""
    return [
        f"evaluation {', '.join(map(str, note.evaluations))} rests on run {note.run[:12]}, which was withdrawn"
        f" later: {note.reason}"
        for note in withdrawals(folder)
    ]


def single_use(runs: Iterable[Run], known: Sequence[str] = ()) -> list[str]:
    """Why runs are not re-used by other experiments, as far as `known` does not say it."""
    by_identity = {run.run: run for run in runs if run.run}
    reasons = Counter(run.no_reuse for run in by_identity.values() if run.no_reuse)
    return [
        f"{count} of {len(by_identity)} trainings are not re-used by other experiments: {reason}"
        for reason, count in reasons.most_common()
        if not any(reason in notice for notice in known)
    ]
