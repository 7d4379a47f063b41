"""The page: an experiment, its answer and its figures, put into the template.

The page is one file, and fetches nothing: the JavaScript that draws figures (`comparator.report.bundle`), the figures'
specifications and the table of evaluations stand in it, compressed (`comparator.report.packing`); `begin.js` unpacks
them. What a page that is served replaces when new results come, `page.js` takes in `window.comparatorPage`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from comparator.findings.axes import Axis, is_number, show
from comparator.findings.controls import Controls
from comparator.findings.explanation import Explanation
from comparator.findings.like_for_like import LikeForLike
from comparator.findings.mean_predictor import SKILL
from comparator.findings.metric_agreement import MetricReading
from comparator.findings.summary import EvaluationSummary, Summary, search_settings
from comparator.findings.verdict import Findings
from comparator.findings.workers import spans_of, typical, working_times_of
from comparator.findings.yardstick import InMetric
from comparator.formats.spelling import spelling
from comparator.report import words
from comparator.report.answer import MEANINGS, Answer, Claim
from comparator.report.bundle import bundle
from comparator.report.controls import HEADINGS
from comparator.report.controls import section_of as section_of_controls
from comparator.report.explanation import section_of
from comparator.report.figures import palette
from comparator.report.figures.channels import metric_heading
from comparator.report.figures.figure import Figure
from comparator.report.likeness import box_of
from comparator.report.material import Files
from comparator.report.packing import compressed, packed
from comparator.results.frozen import FrozenExperiment, by_dotted_name
from comparator.results.record import Run

SPLIT = "split"  # hyperparameters whose names hold this word say how the data were divided
MAPS = "where"  # the section of the maps, the first of which the page begins with
#: The sections of the other figures, after those with words of their own: identifier, also of its figures, and heading.
SECTIONS = (
    ("models", "Each model by itself"),
    ("learning", "Learning curves"),
    ("search", "The search"),
)
#: The section of a figure that names none, by how its name begins; else it tells of the search.
FAMILIES = {"models": ("model", "mean-predictor"), "learning": ("learning",)}
#: The variable of the page's style that each colour of the figures takes, in a light and a dark scheme.
COLOURS = {
    palette.INK: "--ink",
    palette.MUTED: "--muted",
    palette.FAINT: "--faint",
    palette.PAPER: "--paper",
    palette.MODELS[0]: "--model-0",
    palette.MODELS[1]: "--model-1",
    palette.MEAN: "--mean",
    palette.FAILED: "--failed",
    palette.SHADES[0]: "--shade-0",
    palette.SHADES[1]: "--shade-1",
}


@dataclass(frozen=True)
class Gallery:
    """The figures in the page's order, and a sentence for each that is left out."""

    figures: tuple[Figure, ...] = ()
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, figures: Sequence[Figure], left_out: Sequence[str] = ()) -> Gallery:
        """Return the figures with the page's sections; where there is no map of the search, the models' own lead."""
        settled = [replace(each, section=_section_of(each)) for each in figures]
        if not any(each.section == MAPS for each in settled):
            settled = [replace(each, section=MAPS) if each.name.startswith("model-") else each for each in settled]
        return cls(tuple(settled), tuple(left_out))

    def places(self, *sections: str) -> list[tuple[str, list[Figure]]]:
        """Return the figures of sections by their place; those of one place take turns there."""
        by_place: dict[str, list[Figure]] = {}
        for one in (each for each in self.figures if each.section in sections):
            by_place.setdefault(one.place or one.name, []).append(one)
        return list(by_place.items())


def _section_of(figure: Figure) -> str:
    if figure.section != "figures":
        return figure.section
    families = (section for section, begins in FAMILIES.items() if figure.name.startswith(begins))
    return next(families, "search")


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
    said: Answer,
    notices: Sequence[str] = (),
    likeness: LikeForLike | None = None,
    explanation: Explanation | None = None,
    in_metrics: Sequence[InMetric] = (),
    controls: Controls | None = None,
) -> str:
    """Return the page as HTML; everything that comes from data is escaped."""
    page = (
        environment()
        .get_template("page.html")
        .render(
            experiment=experiment,
            summary=summary,
            findings=findings,
            readings=readings,
            gallery=gallery,
            files=files,
            style=style(),
            words=words,
            said=said,
            title=_subtitle(experiment, said.question),
            meanings=MEANINGS,
            word_of={each.about: each.word for each in said.claims},
            sections=SECTIONS,
            maps=gallery.places(MAPS),
            remarks=words.remarks(summary, findings),
            disagreements=words.disagreements(summary, readings),
            by_yardstick=words.by_yardstick(summary, in_metrics),
            in_metrics=in_metrics,
            best_columns=_metric_columns(summary),
            colours=script_json(COLOURS),
            packed=Markup(
                packed(
                    {each.name: each.chart for each in gallery.figures}, evaluations_content(summary, files.experiments)
                )
            ),
            failures=failures(summary),
            commands=words.repeat_commands(
                experiment, findings.regions, is_explained=explanation is None or not explanation.reason
            ),
            facts=facts(experiment, summary),
            differing=differing_hyperparameters(experiment),
            listings=_listings(experiment),
            notices=notices,
            likeness=box_of(likeness, summary.models),
            explained=section_of(explanation, experiment, summary),
            controlled=section_of_controls(controls, shlex.join(words.controls_command(experiment))),
            control_headings=HEADINGS,
            **scripts(),
        )
    )
    return with_scripts(words.printable(page))


def _subtitle(experiment: FrozenExperiment, asked: str) -> str:
    """Return the title that the experiment was given; empty where that of its file is the question once more."""
    title = experiment.title if experiment.settings.get("title", experiment.title) else ""
    return "" if title in (experiment.id, asked) else title


def _listings(experiment: FrozenExperiment) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is only looked up, under its titles."""
    return [
        ("All other hyperparameters", common_hyperparameters(experiment)),
        ("Settings of the experiment", flat(experiment.settings)),
        ("Package versions", flat(experiment.provenance.packages)),
        *((f"Packages of {each.label}", flat(each.python.packages)) for each in experiment.models if each.python),
    ]


def specifications(figures: Iterable[Figure]) -> dict[str, Any]:
    """Return what specifications.html puts into a page: `specifications` by figures' names, the `colours` to swap."""
    return {
        "specifications": [(each.name, script_json(each.chart)) for each in figures],
        "colours": script_json(COLOURS),
    }


def evaluations_content(
    summary: Summary, experiments: str = "..", only: Collection[int] | None = None
) -> dict[str, Any]:
    """Return the table of evaluations: its `columns`, the `axes` of the space, and its `rows`.

    A row is the evaluation's number, its status, its cells, its logs as pairs of name and address, and why it failed;
    where `only` is given, that of evaluations with these numbers alone. Numbers have four significant digits: what
    reads them rounds no further. `experiments` is the address of the folder of all experiments.
    """
    shown = [one for one in summary.evaluations if only is None or one.number in only]
    columns, cells = _table(summary, shown)
    return {
        "columns": columns,
        "axes": [_axis_content(axis) for axis in summary.axes],
        "rows": [
            [
                one.number,
                one.status,
                values,
                [[name, f"{experiments}/{at}"] for name, at in _logs(summary, one)],
                one.reason,
            ]
            for one, values in zip(shown, cells, strict=True)
        ],
    }


def _axis_content(axis: Axis) -> dict[str, Any]:
    """Return an axis: its ends and whether they are drawn on a log scale; of few values these, as in the table."""
    content = {"name": axis.name, "low": axis.edges[0], "high": axis.edges[-1], "log": axis.log}
    return {**content, "values": [_cell(value) for value in axis.values]} if axis.discrete else content


def script_json(content: Any) -> Markup:
    """Return JSON for a script element: nothing in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


@cache
def environment() -> Environment:
    """Return the templates' environment, which escapes."""
    made = Environment(
        loader=PackageLoader("comparator.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["show"] = lambda value: "" if value is None else show(value)
    made.filters["short"] = lambda value: "" if value is None else show(words.round_to(value, 3))
    made.globals["is_claim"] = lambda part: isinstance(part, Claim)
    return made


@cache
def style() -> Markup:
    """Return the page's style, with what gives the figures its colours."""
    swaps = "\n".join(
        f'.chart svg [{what}="{colour}"] {{ {what}: var({variable}); }}'
        for colour, variable in COLOURS.items()
        for what in ("fill", "stroke")
    )
    return Markup(f"{_asset('page.css')}\n{swaps}")


#: What stands for the large script until the text around it is whole.
_BUNDLE = "comparator:bundle"


def scripts() -> dict[str, Any]:
    """Return what a template needs of the page's scripts: `begin`, which runs those that are packed, and the hashes."""
    begin, script = _asset("begin.js"), page_script()
    return {
        "begin": Markup(begin),
        "script": Markup(compressed(script)),
        "bundle": Markup(_BUNDLE),
        # The page's own scripts alone may run, and nothing may be fetched, whatever the data hold.
        "script_hashes": Markup(" ".join(f"'sha256-{_hash(each)}'" for each in (begin, bundle(), script))),
    }


@cache
def packed_bundle() -> str:
    """Return the large script as it stands in a page."""
    return compressed(bundle())


@cache
def page_script() -> str:
    """Return the page's own script: what all pages share, the figures, and the table with what is picked."""
    return "\n".join(map(_asset, ("elements.js", "picked.js", "drawing.js", "page.js")))


def with_scripts(page: str) -> str:
    """Return a rendered page with the bundle in its place."""
    return page.replace(_BUNDLE, packed_bundle(), 1)


@cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


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
    found = {
        "Title": experiment.title,  # whole, as it may not be on a narrow screen's first line
        "Asked": words.question(summary) if experiment.is_search else words.question_again(experiment),
        "Strategy": search.get("strategy") if experiment.is_search else None,
        "Seed of the search": search.get("seed") if experiment.is_search else None,
        "Seeds of the trainings": "none" if summary.is_exact else ", ".join(map(str, seeds)),
        "Split of the data": _split(experiment, summary),
        "Data": provenance.data,
        "Counts": words.counted(summary),
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


def _split(experiment: FrozenExperiment, summary: Summary) -> str:
    """Return how the data are divided: as the models were given it, and the seeds that trainings got of their own."""
    given = ", ".join(f"{name} = {value}" for name, value in common_hyperparameters(experiment) if SPLIT in name)
    told = summary.searched or summary.evaluations
    splits = {run.split for one in told for run in one.runs if run.split is not None}
    if not splits:
        return given
    whose = "the search's trainings" if summary.searched else "the trainings"
    dealt = f"{whose} were dealt to {len(splits)} split{'s' * (len(splits) != 1)} of their own"
    return f"given: {given}; {dealt}" if given else dealt


def _budget(summary: Summary) -> str | None:
    if not summary.reliability.pairs:
        return None
    what = "trainings" if summary.kind == "single" else "pairs"
    return ", ".join(f"{stage} {count}" for stage, count in summary.reliability.pairs.items()) + f" ({what} by stage)"


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


def flat(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return nested settings as pairs of dotted name and value."""
    return [(name, show(value)) for name, value in by_dotted_name(settings).items()]


def _metric_columns(summary: Summary) -> list[tuple[int, str, str]]:
    """Return (submodel, metric, heading) for the metric compared, and for R2 where it is known."""
    reported = {name for one in summary.evaluations for metrics in one.metrics for name in metrics}
    shown = dict.fromkeys([summary.metric, *({SKILL} & reported)])
    return [
        (submodel, metric, metric_heading(metric, model))
        for metric in shown
        for submodel, model in enumerate(summary.models)
    ]


def _table(summary: Summary, shown: Iterable[EvaluationSummary]) -> tuple[list[str], list[list[Any]]]:
    """Return the headings and the cells of the table; stages and generations only where there are any."""
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
    rows = [
        [
            one.number,
            *[one.stage] * staged,
            *[one.generation] * counted,
            *(_cell(one.point.get(axis.name)) for axis in summary.axes),
            one.status,
            *[_cell(one.difference)] * paired,
            *(_cell(one.metrics[submodel].get(metric)) for submodel, metric, _ in measured),
            _cell(one.seconds),
            f"{one.reused} of {len(one.own_runs)}",
        ]
        for one in shown
    ]
    return headings, rows


def _cell(value: Any) -> int | float | str | None:
    if value is None or isinstance(value, bool) or not is_number(value):
        return None if value is None else show(value)
    return value if isinstance(value, int) else words.round_to(value, 4)


def _logs(summary: Summary, one: EvaluationSummary) -> tuple[tuple[str, str], ...]:
    return tuple((_log_name(summary, run), _log_address(run)) for run in one.runs if run.log)


def _log_name(summary: Summary, run: Run) -> str:
    model = dict(enumerate(summary.models)).get(run.submodel, "log")
    return f"{model} {run.replicate}" if run.replicate else model


def _log_address(run: Run) -> str:
    """Return the log's address relative to the folder of all experiments."""
    return quote(str(run.log).encode("utf-8", "replace"))


@cache
def _asset(name: str) -> str:
    return resources.files("comparator.report").joinpath(name).read_text(encoding="utf-8")
