"""The closing words of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparator.errors import ComparatorError
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.progress import point_words
from comparator.experiment.terminal import note
from comparator.findings.summary import Summary
from comparator.formats.text import message
from comparator.objective.comparison import failure_words
from comparator.results.record import Evaluation, FrozenExperiment
from comparator.results.store import experiment_path, last_word, read_experiment, read_json, read_records
from comparator.site.folders import command_line, typed_here

if TYPE_CHECKING:
    from comparator.findings.controls import Controls
    from comparator.findings.recheck import Rechecked


def say_what_was_found(host: Host, plan: Plan, folder: Path, records: Sequence[Evaluation], page: Path | None) -> None:
    """What the experiment in `folder` has found, where its report is or how to make it, and what to do next.

    Raises `ComparatorError` where no evaluation has a result.
    """
    from comparator.findings.metric_agreement import with_signed
    from comparator.findings.summary import summarise
    from comparator.report.notices import single_use

    summary = summarise(plan.frozen, with_signed(plan.frozen, list(records)))
    ended_early = last_word(folder).reason
    if ended_early:
        host.say(f"ended early: {message(ended_early)}")
    if plan.frozen.rechecks is not None:
        for line in recheck_words(host.experiments, plan.frozen, records):
            host.say(line)
        return
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


def rechecked(experiments: Path, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[Rechecked]:
    """What became of the claims of the experiment that this one checks again; raises `InputError` where it is gone."""
    from comparator.findings.recheck import recheck

    path = experiment_path(experiments, frozen.rechecks or "")
    return recheck((read_experiment(path), read_records(path / "evaluations.jsonl")), (frozen, records))


def recheck_words(experiments: Path, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """What became of the claims of the experiment that this one checks again, a line each."""
    from comparator.findings.controls import is_control
    from comparator.findings.recheck import trained_anew
    from comparator.report.words import with_interval

    if frozen.crossing is not None:
        return _variance_words(frozen, records)
    if any(map(is_control, frozen.claims or ())):
        return control_words(experiments, frozen, records)
    lines = [
        f"{each.claim}, {each.what}: {each.verdict}: {with_interval(each.now, each.now_interval)}, it was"
        f" {with_interval(each.was, each.was_interval)}; changed by {with_interval(each.change, each.change_interval)}"
        f" over the same {each.blocks} blocks"
        for each in rechecked(experiments, frozen, records)
    ]
    done, found = trained_anew(records)
    if not lines:
        lines = [f"'{frozen.rechecks}' has shown nothing that could be lost"]
    if not done:
        lines.append(f"note: all {found} trainings were found in the store: nothing that they rest on is new")
    return lines


def controlled(experiments: Path, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> Controls | None:
    """What became of what another experiment has shown, by each design that this one tries."""
    from comparator.findings.controls import controls_of

    path = experiment_path(experiments, frozen.rechecks or "")
    was = read_experiment(path), read_records(path / "evaluations.jsonl")
    return controls_of(was, (frozen, records))


def control_words(experiments: Path, frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """The same in words, a line each."""
    from comparator.report.controls import sentences

    found = controlled(experiments, frozen, records)
    return ["too few of the trainings gave a result"] if found is None or not found.found else sentences(found)


def _variance_words(frozen: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """What makes the trainings of a point differ; raises `ComparatorError` where that cannot be told."""
    from comparator.findings.variance import variance_in
    from comparator.report.variance import lines

    found = variance_in(frozen, records)
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
