"""The closing words of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparator.errors import ComparatorError
from comparator.experiment.again import tried_again, words_of
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.progress import point_words
from comparator.experiment.terminal import note
from comparator.findings.summary import Summary
from comparator.formats.text import message
from comparator.objective.comparison import failure_words
from comparator.results.files import read_json
from comparator.results.record import CONFIRM, Evaluation
from comparator.results.state import last_word
from comparator.results.tally import pairs_in, pairs_to_confirm
from comparator.site.folders import command_line, typed_here

if TYPE_CHECKING:
    from comparator.experiment.again import Again


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
        again = tried_again(host.experiments, plan.frozen, records)
        for line in words_of(again, plan.frozen, records):
            host.say(line)
        return again
    if summary.best is None:
        last = failure_words(records[-1], host.experiments, plan.frozen.labels) if records else "there was none"
        say_where_the_report_is(host, folder.name, page)
        raise ComparatorError(f"no evaluation of {len(records)} gave a result; the last one: {last}")
    for line in single_use((run for record in records for run in record.runs), plan.frozen.notices):
        note(host.console, line)
    found = read_json(page.with_suffix(".json")) or {} if page is not None else {}
    for line in [*_answer(summary, found), *_best(summary, found)]:
        host.say(line)
    say_where_the_report_is(host, folder.name, page)
    say_what_is_next(host, found, plan.frozen.file)
    return None


def kept_words(plan: Plan, records: Sequence[Evaluation], done: int) -> str:
    """How much is kept of an experiment that was stopped: pairs of trainings, of a single model trainings.

    `done` of its budget have a result, also those of evaluations that are not over: one that is resumed finds them in
    the store.
    """
    if plan.frozen.rechecks is not None:
        return pairs_anew(plan, records)
    anew = _tried_anew(records)
    of, several = ("", "" if done == 1 else "s") if plan.budget is None else (f" of {plan.budget}", "s")
    what = f"training{several}" if plan.frozen.kind == "single" else f"pair{several} of trainings"
    return f"{done}{of} {what}{f', and {anew} that try anew what was found,' if anew else ''}"


def pairs_anew(plan: Plan, records: Sequence[Evaluation]) -> str:
    """How many are done of the pairs that try anew what another experiment found."""
    return f"{_tried_anew(records)} of {pairs_to_confirm(plan.frozen.claims or (), records)} pairs of trainings"


def _tried_anew(records: Sequence[Evaluation]) -> int:
    return pairs_in(line for line in records if line.stage == CONFIRM)


def say_what_is_next(host: Host, found: Mapping[str, Any], file: str = "") -> None:
    """What a report says to do next; nothing where there is none. `file` is the experiment's."""
    step = found.get("next") or {}
    if step:
        words, has_command = step["words"], bool(step["command"])
        host.say(f"next: {words}{':' if has_command and not words.endswith('?') else ''}")
    if step.get("command"):
        host.show(f"  {typed_here(step['command'], file)}")


def say_where_the_report_is(host: Host, identifier: str, page: Path | None) -> None:
    """Where the report is, or how to make it."""
    if page is None:
        make = command_line(host.experiments, host.root, "report", identifier)
        host.say("report: not made; make it by:")
        host.show(f"  {make}")
        return
    host.show(f"report: {page}")


def say_where_it_is_read(host: Host, again: Again, folder: Path) -> None:
    """Write the page that says what was tried again, and say where it is.

    Of a search by designs that is its own, beside what it has found: what makes it is said.
    """
    from comparator.findings.controls import Controls
    from comparator.report import write_report

    if not isinstance(again, Controls):
        page = write_report(folder)
        say_where_the_report_is(host, folder.name, page)
        say_what_is_next(host, read_json(page.with_suffix(".json")) or {})
        return
    make = command_line(host.experiments, host.root, "report", again.id)
    host.say(f"report: that of '{again.id}' says so beside what it found; make it anew by:")
    host.show(f"  {make}")


def _answer(summary: Summary, found: Mapping[str, Any]) -> list[str]:
    """What a report says in its first sentence, and in a word how sure that is; its page says what that rests on.

    Of a single model that takes both sentences.
    """
    sentences = found.get("answer") or []
    if summary.kind == "single":
        return list(sentences)
    region = next((each.get("number", 1) for each in found.get("regions") or ()), 1)
    of = {"regions": f"region {region}", "everywhere": "difference"}.get(str(found.get("verdict")))
    sure = next((each["word"] for each in found.get("sureness", ()) if each["about"] == of), None)
    return [f"{sentence}{f' How sure: {sure}.' if sure else ''}" for sentence in sentences[:1]]


def _best(summary: Summary, found: Mapping[str, Any]) -> list[str]:
    """The best point, what became of it when it was tried anew, and what all of it took; in a line beside a report."""
    from comparator.report.words import trainings_in

    best = summary.best
    assert best is not None and best.difference is not None
    trained, stored = trainings_in(run for one in summary.evaluations for run in one.runs)
    trainings = f"trainings: {trained} done, {stored} found"
    if summary.is_idle and found:
        return [trainings]
    extreme = "largest" if summary.maximise else "smallest"
    amount = summary.measure.amount
    at = f"{amount(best.difference, 4)} at {point_words(best.point) or 'the settings as given'}"
    if not found:
        return [f"{extreme} {summary.objective}: {at}", f"{trainings} in the store"]
    anew = (found.get("best") or {}).get("confirmed")
    tried = "" if anew is None else f"; tried anew {amount(anew, 4)}"
    return [f"{extreme}: {at}{tried}; {trainings}"]
