"""What came of an experiment that tries another one again: its claims, its claims by designs, or one point of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from comparator.errors import ComparatorError
from comparator.results.experiments import experiment_path, read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records

if TYPE_CHECKING:
    from comparator.findings.controls import Controls
    from comparator.findings.recheck import Rechecked
    from comparator.findings.variance import TrainingVariance

    Again: TypeAlias = list[Rechecked] | Controls | TrainingVariance

TOO_FEW = "too few of the trainings gave a result"
#: Verdicts in a table, that which says most against a finding first.
WORST_FIRST = ("turns round", "gone", "weaker", "not settled", "reproduced", "stays")


def tried_again(experiments: Path, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> Again | None:
    """What came of what this experiment tries again; raises `InputError` where the other experiment is gone."""
    from comparator.findings.controls import controls_of, is_control
    from comparator.findings.recheck import recheck
    from comparator.findings.variance import variance_in

    if frozen.crossing is not None:
        return variance_in(frozen, records)
    path = experiment_path(experiments, frozen.rechecks or "")
    was, now = (read_experiment(path), read_records(path / "evaluations.jsonl")), (frozen, records)
    return controls_of(was, now) if any(map(is_control, frozen.claims or ())) else recheck(was, now)


def again_as_json(again: Again | None) -> Any:
    """What came of what was tried again, for programs."""
    from comparator.findings import recheck
    from comparator.findings.variance import TrainingVariance, variance_as_json

    if again is None:
        return None
    if isinstance(again, TrainingVariance):
        return variance_as_json(again)
    return recheck.as_json(again) if isinstance(again, list) else again.as_json()


def in_short(again: Again | None) -> str:
    """The same in a few words, for a table; empty where nothing came of it."""
    from comparator.findings.variance import TrainingVariance
    from comparator.report import variance
    from comparator.report.controls import TITLES, verdict_of

    if again is None:
        return ""
    if isinstance(again, TrainingVariance):
        return variance.in_short(again)
    if isinstance(again, list):
        found = Counter[str](each.verdict for each in again)
        if len(found) == 1:
            return next(iter(found))
        return ", ".join(f"{found[verdict]} {verdict}" for verdict in WORST_FIRST if found[verdict])
    by_design = {each.design: set[str]() for each in again.found}
    for each in again.found:
        by_design[each.design].add(verdict_of(each))
    said = {TITLES[design]: next(word for word in WORST_FIRST if word in by_design[design]) for design in by_design}
    return ", ".join(f"{title}: {verdict}" for title, verdict in said.items())


def words_of(again: Again | None, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """What came of what was tried again, for people: a line for each claim, or for each part of a variance."""
    from comparator.findings.variance import TrainingVariance
    from comparator.report.recheck import sentences

    if isinstance(again, list):
        return sentences(again, frozen, records)
    if again is None or isinstance(again, TrainingVariance):
        return _variance_words(again, frozen) if frozen.crossing is not None else [TOO_FEW]
    return _control_words(again, frozen)


def _control_words(found: Controls, frozen: FrozenExperiment) -> list[str]:
    """What became of what another experiment has shown, by each design that this one tries, a line each."""
    from comparator.objective.amounts import measure_of
    from comparator.report.controls import sentences

    return sentences(found, measure_of(frozen)) if found.found else [TOO_FEW]


def _variance_words(found: TrainingVariance | None, frozen: FrozenExperiment) -> list[str]:
    """What makes the trainings of a point differ; raises `ComparatorError` where that cannot be told."""
    from comparator.report.variance import lines

    if found is None:
        asked = len(frozen.crossing.points) if frozen.crossing is not None else 0
        raise ComparatorError(f"too few of {asked} pairs of trainings gave a difference, or all the same")
    return lines(found, frozen)
