"""The page: an experiment, its summary and its pictures, put into the template."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from comparator.findings.axes import is_number, show
from comparator.findings.metric_agreement import MetricReading
from comparator.findings.summary import SKILL, EvaluationSummary, Summary, search_settings
from comparator.findings.verdict import Findings
from comparator.findings.workers import spans_of, typical, working_times_of
from comparator.formats.spelling import spelling
from comparator.report import words
from comparator.report.figures.drawing import Drawing
from comparator.report.material import Files
from comparator.results.record import FrozenExperiment, Run

SPLIT = "split"  # hyperparameters whose names hold this word say how the data were divided


@dataclass(frozen=True)
class Picture:
    """A figure for the page: `name` of its files in figures/, title, caption, and the SVG element.

    Pictures of the same `place` take turns there: `choice` is what a reader chooses, out of the set `of`.
    """

    name: str
    title: str
    caption: str
    svg: str
    section: str
    place: str
    of: str = ""
    choice: str = ""


@dataclass(frozen=True)
class Gallery:
    """The pictures in the page's order, and a sentence for each that is left out."""

    pictures: tuple[Picture, ...] = ()
    left_out: tuple[str, ...] = ()

    def places(self, section: str) -> list[tuple[str, list[Picture]]]:
        """Return the pictures of a section by their place."""
        by_place: dict[str, list[Picture]] = {}
        for one in (each for each in self.pictures if each.section == section):
            by_place.setdefault(one.place, []).append(one)
        return list(by_place.items())


@dataclass(frozen=True)
class Cell:
    """One cell of the table of evaluations: what it shows, and what it is sorted by."""

    text: str
    order: str


@dataclass(frozen=True)
class Row:
    """One row of the table of evaluations."""

    evaluation: EvaluationSummary
    cells: tuple[Cell, ...]
    logs: tuple[tuple[str, str], ...]


def picture(drawing: Drawing, svg: str) -> Picture:
    """Return `drawing`, whose SVG element is `svg`, for the page."""
    choice = drawing.choice
    return Picture(
        drawing.name,
        drawing.title,
        drawing.caption,
        Markup(svg),
        drawing.section,
        drawing.place or drawing.name,
        choice.of if choice else "",
        choice.label if choice else "",
    )


@dataclass(frozen=True)
class Failure:
    """Evaluations that failed for the same reason, each with its number, status and logs."""

    reason: str
    evaluations: tuple[tuple[int, str, tuple[tuple[str, str], ...]], ...]


def render(
    experiment: FrozenExperiment,
    summary: Summary,
    findings: Findings,
    readings: Sequence[MetricReading],
    gallery: Gallery,
    files: Files,
    notices: Sequence[str] = (),
) -> str:
    """Return the page as HTML; everything that comes from data is escaped."""
    environment = Environment(
        loader=PackageLoader("comparator.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["show"] = lambda value: "" if value is None else show(value)
    environment.filters["short"] = lambda value: "" if value is None else show(words.round_to(value, 3))
    script = _asset("page.js")
    columns, rows = _table(summary)
    return words.printable(
        environment.get_template("page.html").render(
            experiment=experiment,
            summary=summary,
            findings=findings,
            readings=readings,
            gallery=gallery,
            files=files,
            style=Markup(_asset("page.css")),
            script=Markup(script),
            # The page's own script alone may run, and nothing may be fetched, whatever the data hold.
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            words=words,
            question=words.question(summary),
            answer=words.answer(summary, findings),
            remarks=words.remarks(summary, findings, readings),
            disagreements=words.disagreements(summary, readings),
            best_columns=_metric_columns(summary),
            columns=columns,
            rows=rows,
            failures=failures(summary),
            commands=words.repeat_commands(experiment, findings.regions),
            facts=facts(experiment, summary),
            settings=flat(experiment.settings),
            differing=differing_hyperparameters(experiment),
            common=common_hyperparameters(experiment),
            packages=flat(experiment.provenance.packages),
            notices=notices,
        )
    )


def failures(summary: Summary) -> list[Failure]:
    """Return what failed, the most frequent reason first."""
    by_number = {one.number: one for one in summary.evaluations if one.status != "ok"}
    return [
        Failure(
            reason, tuple((number, by_number[number].status, _logs(summary, by_number[number])) for number in numbers)
        )
        for reason, numbers in summary.reasons.items()
    ]


def differing_hyperparameters(experiment: FrozenExperiment) -> list[tuple[str, list[str]]]:
    """Return the hyperparameters in which the submodels differ, each with one value a submodel."""
    given = [model.hyperparameters for model in experiment.models]
    names: dict[str, str] = {}
    for name in (name for one in given for name in one):
        names.setdefault(name.casefold(), name)  # each model's are as it writes them itself
    rows = [
        (name, [show(one[own]) if (own := spelling(name, one)) in one else "not given" for one in given])
        for name in names.values()
    ]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def common_hyperparameters(experiment: FrozenExperiment) -> list[tuple[str, str]]:
    """Return the hyperparameters that are the same in all submodels."""
    given = [model.hyperparameters for model in experiment.models]
    different = {name for name, _ in differing_hyperparameters(experiment)}
    first = given[0] if given else {}
    return [(name, show(value)) for name, value in first.items() if name not in different]


def facts(experiment: FrozenExperiment, summary: Summary) -> list[tuple[str, str]]:
    """Return what a reader needs to judge how it was run, as pairs of name and value."""
    provenance, search = experiment.provenance, search_settings(experiment)
    seeds = sorted({run.seed for one in summary.evaluations for run in one.runs if run.seed is not None})
    splits = {name: value for name, value in common_hyperparameters(experiment) if SPLIT in name}
    runs = [run for one in summary.evaluations for run in one.runs]
    reused = sum(run.reused for run in runs)
    found = {
        "Strategy": search.get("strategy"),
        "Seed of the search": search.get("seed"),
        "Seeds of the runs": ", ".join(map(str, seeds)),
        "Split of the data": ", ".join(f"{name} = {value}" for name, value in splits.items()),
        "Data": provenance.data,
        "Runs": f"{len(runs)}, of which {reused} reused" if runs else None,
        "Budget": _budget(summary),
        "Pilot": experiment.pilot and experiment.pilot.words,
        "Took": _duration(summary),
        "Engine": provenance.engine,
        "Site": provenance.site,
        "Workers": provenance.workers,
        "Started": experiment.created,
        "Code": provenance.revision,
        "Python": provenance.python,
    }
    return [(name, show(value)) for name, value in found.items() if value not in (None, "")]


def _budget(summary: Summary) -> str:
    what = "runs" if summary.kind == "single" else "pairs of runs"
    return ", ".join(f"{stage} {count}" for stage, count in summary.reliability.pairs.items()) + f" ({what})"


def _duration(summary: Summary) -> str | None:
    """Return how long the workers were at it, in words."""
    spans = spans_of(summary.evaluations)
    seconds = sum(time.end - time.start for time in working_times_of(spans))
    if seconds <= 0:
        return None
    whole = f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    if seconds >= 7200:
        whole = f"{seconds / 3600:.1f} hours"
    return f"{whole}; {show(words.round_to(typical(spans), 2))} seconds for a typical evaluation"


def flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as pairs of dotted name and value."""
    rows: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            rows += flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", show(value)))
    return rows


def _metric_columns(summary: Summary) -> list[tuple[int, str, str]]:
    """Return (submodel, metric, heading) for the metric compared, and for R2 where it is known."""
    reported = {name for one in summary.evaluations for metrics in one.metrics for name in metrics}
    shown = dict.fromkeys([summary.metric, *({SKILL} & reported)])
    return [
        (submodel, metric, f"{metric}, {model}") for metric in shown for submodel, model in enumerate(summary.models)
    ]


def _table(summary: Summary) -> tuple[list[str], list[Row]]:
    """Return the headings and the rows of the table of evaluations; stages and generations only where there are any."""
    staged = len({one.stage for one in summary.evaluations}) > 1
    counted = any(one.generation is not None for one in summary.evaluations)
    paired = summary.kind != "single"
    measured = _metric_columns(summary)
    headings = [
        "number",
        *["stage"] * staged,
        *["generation"] * counted,
        *(axis.name for axis in summary.axes),
        "status",
        *["difference"] * paired,
        *(heading for _, _, heading in measured),
        "seconds",
        "reused",
    ]
    rows = []
    for one in summary.evaluations:
        reused = sum(run.reused for run in one.runs)
        values = [
            one.number,
            *[one.stage] * staged,
            *[one.generation] * counted,
            *(one.point.get(axis.name) for axis in summary.axes),
            one.status,
            *[one.difference] * paired,
            *(one.metrics[submodel].get(metric) for submodel, metric, _ in measured),
            one.seconds,
            f"{reused} of {len(one.runs)}",
        ]
        rows.append(Row(one, tuple(_cell(value) for value in values), _logs(summary, one)))
    return headings, rows


def _logs(summary: Summary, one: EvaluationSummary) -> tuple[tuple[str, str], ...]:
    return tuple((_log_name(summary, run), _log_address(run)) for run in one.runs if run.log)


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell("", "")
    return Cell(show(value), repr(value) if is_number(value) else show(value))


def _log_name(summary: Summary, run: Run) -> str:
    model = dict(enumerate(summary.models)).get(run.submodel, "log")
    return f"{model} {run.replicate}" if run.replicate else model


def _log_address(run: Run) -> str:
    """Return the log's address relative to the folder of all experiments."""
    return quote(str(run.log).encode("utf-8", "replace"))


def _asset(name: str) -> str:
    return resources.files("comparator.report").joinpath(name).read_text(encoding="utf-8")
