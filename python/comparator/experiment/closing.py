"""The closing words of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.errors import ComparatorError
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.progress import point_words
from comparator.experiment.terminal import note
from comparator.formats.text import message
from comparator.objective.comparison import failure_words
from comparator.results.record import Evaluation
from comparator.results.store import last_word, read_json
from comparator.site.folders import command_line

BEST_SHOWN = 3


def say_what_was_found(host: Host, plan: Plan, folder: Path, records: Sequence[Evaluation], page: Path | None) -> None:
    """What the experiment in `folder` has found, and where its report is or how to make it.

    Raises `ComparatorError` where no evaluation has a result.
    """
    from comparator.findings import reliability
    from comparator.findings.metric_agreement import with_signed
    from comparator.findings.summary import summarise
    from comparator.report import words
    from comparator.report.notices import single_use

    summary = summarise(plan.frozen, with_signed(plan.frozen, list(records)))
    ended_early = last_word(folder).reason
    if ended_early:
        host.say(f"ended early: {message(ended_early)}")
    if summary.best is None:
        last = failure_words(records[-1], host.experiments) if records else "there was none"
        say_where_the_report_is(host, folder.name, page)
        raise ComparatorError(f"no evaluation of {len(records)} gave a result; the last one: {last}")
    if page is not None:
        for line in words.verdict(read_json(page.with_suffix(".json")) or {}):
            host.say(line)
    host.say(f"largest {summary.objective}:" if summary.maximise else f"smallest {summary.objective}:")
    for best in summary.best_points[:BEST_SHOWN]:
        both = "  ".join(
            f"{name} {metrics[summary.metric]:.4g}"
            for name, metrics in zip(summary.models, best.metrics, strict=True)
            if summary.metric in metrics
        )
        host.say(f"  {best.difference:.4g}  at {point_words(best.point)}  ({both})")
    for line in reliability.words(summary.reliability):
        host.say(line)
    host.say(_trained_words(records))
    for line in single_use((run for record in records for run in record.runs), plan.frozen.notices):
        note(host.console, line)
    say_where_the_report_is(host, folder.name, page)


def say_where_the_report_is(host: Host, identifier: str, page: Path | None) -> None:
    """Where the report is, or how to make it."""
    if page is None:
        make = command_line(host.experiments, host.root, "report", identifier)
        host.say("report: not made; make it by:")
        host.show(f"  {make}")
        return
    host.show(f"report: {page}")


def _trained_words(records: Sequence[Evaluation]) -> str:
    """How many trainings the records rest on, and how many of them were found in the store."""
    runs = [run for record in records for run in record.runs if run.run]
    trained = {run.run for run in runs if not run.reused}
    found = {run.run for run in runs} - trained
    return f"trainings: {len(trained)} done, {len(found)} found in the store"
