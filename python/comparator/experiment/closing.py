"""The closing words of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from comparator.errors import ComparatorError
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.progress import point_words
from comparator.experiment.terminal import note
from comparator.findings.summary import Summary
from comparator.formats.text import message
from comparator.objective.comparison import failure_words
from comparator.results.experiments import experiment_path, read_experiment
from comparator.results.files import read_json
from comparator.results.record import Evaluation, FrozenExperiment
from comparator.results.record_file import read_records
from comparator.results.state import last_word
from comparator.site.folders import command_line, typed_here

if TYPE_CHECKING:
    from comparator.findings.controls import Controls
    from comparator.findings.recheck import Rechecked
    from comparator.findings.variance import TrainingVariance

    #: What came of an experiment that tries another one again: its claims, its claims by designs, or one point of it.
    Again: TypeAlias = list[Rechecked] | Controls | TrainingVariance

TOO_FEW = "too few of the trainings gave a result"


def say_what_was_found(
    host: Host, plan: Plan, folder: Path, records: Sequence[Evaluation], page: Path | None
) -> Again | None:
    """What the experiment in `folder` has found, where its report is or how to make it, and what to do next.

    Returns what came of it where it tries another experiment again, which has no report to read it in. Raises
    `ComparatorError` where no evaluation has a result.
    """
    from comparator.findings.metric_agreement import with_signed
    from comparator.findings.summary import summarise
    from comparator.report.notices import single_use

    summary = summarise(plan.frozen, with_signed(plan.frozen, list(records)))
    ended_early = last_word(folder).reason
    if ended_early:
        host.say(f"ended early: {message(ended_early)}")
    if plan.frozen.rechecks is not None:
        again = _tried_again(host.experiments, plan.frozen, records)
        for line in _words_of(again, plan.frozen, records):
            host.say(line)
        return again
    if summary.best is None:
        last = failure_words(records[-1], host.experiments) if records else "there was none"
        say_where_the_report_is(host, folder.name, page)
        raise ComparatorError(f"no evaluation of {len(records)} gave a result; the last one: {last}")
    for line in single_use((run for record in records for run in record.runs), plan.frozen.notices):
        note(host.console, line)
    found = read_json(page.with_suffix(".json")) or {} if page is not None else {}
    for line in [*_answer(summary, found), *_best(summary, found)]:
        host.say(line)
    say_where_the_report_is(host, folder.name, page)
    step = found.get("next") or {}
    if step:
        host.say(f"next: {step['words']}{':' if step['command'] else ''}")
    if step.get("command"):
        host.show(f"  {typed_here(step['command'])}")
    return None


def again_as_json(again: Again | None) -> Any:
    """What came of what was tried again, for programs."""
    from comparator.findings import recheck
    from comparator.findings.variance import TrainingVariance, variance_as_json

    if again is None:
        return None
    if isinstance(again, TrainingVariance):
        return variance_as_json(again)
    return recheck.as_json(again) if isinstance(again, list) else again.as_json()


def _tried_again(experiments: Path, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> Again | None:
    """What came of what this experiment tries again; raises `InputError` where the other experiment is gone."""
    from comparator.findings.controls import controls_of, is_control
    from comparator.findings.recheck import recheck
    from comparator.findings.variance import variance_in

    if frozen.crossing is not None:
        return variance_in(frozen, records)
    path = experiment_path(experiments, frozen.rechecks or "")
    was, now = (read_experiment(path), read_records(path / "evaluations.jsonl")), (frozen, records)
    return controls_of(was, now) if any(map(is_control, frozen.claims or ())) else recheck(was, now)


def _words_of(again: Again | None, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """What came of what was tried again, for people: a line for each claim, or for each part of a variance."""
    from comparator.findings.variance import TrainingVariance

    if isinstance(again, list):
        return _recheck_words(again, frozen, records)
    if again is None or isinstance(again, TrainingVariance):
        return _variance_words(again, frozen) if frozen.crossing is not None else [TOO_FEW]
    return _control_words(again)


def _recheck_words(found: list[Rechecked], frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    from comparator.findings.recheck import trained_anew
    from comparator.report.words import with_interval

    lines = [
        f"{each.claim}, {each.what}: {each.verdict}: {with_interval(each.now, each.now_interval)}, it was"
        f" {with_interval(each.was, each.was_interval)}; changed by {with_interval(each.change, each.change_interval)}"
        f" over the same {each.blocks} blocks"
        for each in found
    ]
    done, stored = trained_anew(records)
    if not lines:
        lines = [f"'{frozen.rechecks}' has shown nothing that could be lost"]
    if not done:
        lines.append(f"note: all {stored} trainings were found in the store: nothing that they rest on is new")
    return lines


def _control_words(found: Controls) -> list[str]:
    """What became of what another experiment has shown, by each design that this one tries, a line each."""
    from comparator.report.controls import sentences

    return sentences(found) if found.found else [TOO_FEW]


def _variance_words(found: TrainingVariance | None, frozen: FrozenExperiment) -> list[str]:
    """What makes the trainings of a point differ; raises `ComparatorError` where that cannot be told."""
    from comparator.report.variance import lines

    if found is None:
        asked = len(frozen.crossing.points) if frozen.crossing is not None else 0
        raise ComparatorError(f"too few of {asked} pairs of trainings gave a difference, or all the same")
    return lines(found, frozen)


def say_where_the_report_is(host: Host, identifier: str, page: Path | None) -> None:
    """Where the report is, or how to make it."""
    if page is None:
        make = command_line(host.experiments, host.root, "report", identifier)
        host.say("report: not made; make it by:")
        host.show(f"  {make}")
        return
    host.show(f"report: {page}")


def _answer(summary: Summary, found: Mapping[str, Any]) -> list[str]:
    """What a report says in its first sentence, and in a word how sure that is; its page says what that rests on.

    Of a single model that takes both sentences.
    """
    sentences = found.get("answer") or []
    if summary.kind == "single":
        return list(sentences)
    of = {"regions": "region 1", "everywhere": "difference"}.get(str(found.get("verdict")))
    sure = next((each["word"] for each in found.get("sureness", ()) if each["about"] == of), None)
    return [f"{sentence}{f' How sure: {sure}.' if sure else ''}" for sentence in sentences[:1]]


def _best(summary: Summary, found: Mapping[str, Any]) -> list[str]:
    """The best point, what became of it when it was tried anew, and what all of it took; in a line beside a report."""
    from comparator.report.words import trainings_in

    best = summary.best
    assert best is not None and best.difference is not None
    extreme = "largest" if summary.maximise else "smallest"
    at = f"{best.difference:.4g} at {point_words(best.point) or 'the settings as given'}"
    trained, stored = trainings_in(run for one in summary.evaluations for run in one.runs)
    trainings = f"trainings: {trained} done, {stored} found"
    if not found:
        return [f"{extreme} {summary.objective}: {at}", f"{trainings} in the store"]
    anew = (found.get("best") or {}).get("confirmed")
    tried = "" if anew is None else f"; tried anew {anew:.4g}"
    return [f"{extreme}: {at}{tried}; {trainings}"]
