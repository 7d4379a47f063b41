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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from comparator.findings.controls import Controls
from comparator.findings.explanation import Explanation
from comparator.findings.like_for_like import LikeForLike
from comparator.findings.metric_agreement import MetricReading
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.findings.verdict import Findings
from comparator.findings.yardstick import InMetric
from comparator.formats.numbers import round_to, show
from comparator.objective.amounts import measure_by, measure_of
from comparator.report import commands, numbers, words
from comparator.report.answer import Answer
from comparator.report.bundle import bundle
from comparator.report.claims import MEANINGS, Claim
from comparator.report.controls import HEADINGS
from comparator.report.controls import section_of as section_of_controls
from comparator.report.evaluations import evaluations_content, logs_of, metric_columns
from comparator.report.explanation import section_of
from comparator.report.facts import differing_hyperparameters, facts, listings
from comparator.report.figures import palette
from comparator.report.figures.figure import Figure
from comparator.report.glossary import GLOSSARY
from comparator.report.likeness import box_of
from comparator.report.material import Files
from comparator.report.packing import compressed, packed
from comparator.report.typesetting import whole_numbers, words_apart
from comparator.results.frozen import FrozenExperiment

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
            glossary=GLOSSARY,
            numbers=numbers,
            measure_by=measure_by,
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
            best_columns=metric_columns(summary),
            colours=script_json(COLOURS),
            packed=Markup(
                packed(
                    {each.name: each.chart for each in gallery.figures}, evaluations_content(summary, files.experiments)
                )
            ),
            failures=failures(summary),
            **_how_it_was_run(
                experiment, summary, findings, is_explained=explanation is None or not explanation.reason
            ),
            notices=notices,
            likeness=box_of(likeness, summary.models),
            explained=None if experiment.crossing is not None else section_of(explanation, experiment, summary),
            controlled=section_of_controls(
                controls, measure_of(experiment), shlex.join(commands.controls_command(experiment))
            ),
            control_headings=HEADINGS,
            **scripts(),
        )
    )
    return with_scripts(numbers.printable(page))


def _how_it_was_run(
    experiment: FrozenExperiment, summary: Summary, findings: Findings, *, is_explained: bool
) -> dict[str, Any]:
    """Return what the last sections say: how it was run, and how to repeat it."""
    return {
        "commands": commands.repeat_commands(experiment, findings.regions, is_explained=is_explained),
        "facts": facts(experiment, summary),
        "differing": differing_hyperparameters(experiment),
        "listings": listings(experiment),
    }


def _subtitle(experiment: FrozenExperiment, asked: str) -> str:
    """Return the title that the experiment was given; empty where that of its file is the question once more."""
    title = experiment.title if experiment.settings.get("title", experiment.title) else ""
    return "" if title in (experiment.id, asked) else title


def specifications(figures: Iterable[Figure]) -> dict[str, Any]:
    """Return what specifications.html puts into a page: `specifications` by figures' names, the `colours` to swap."""
    return {
        "specifications": [(each.name, script_json(each.chart)) for each in figures],
        "colours": script_json(COLOURS),
    }


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
        finalize=whole_numbers,
    )
    made.filters["words_apart"] = words_apart
    made.filters["show"] = lambda value: "" if value is None else show(value)
    made.filters["short"] = lambda value: "" if value is None else show(round_to(value, 3))
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
    return "\n".join(map(_asset, ("elements.js", "picked.js", "drawing.js", "keys.js", "sorting.js", "page.js")))


def with_scripts(page: str) -> str:
    """Return a rendered page with the bundle in its place."""
    return page.replace(_BUNDLE, packed_bundle(), 1)


@cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def failures(summary: Summary) -> list[Failure]:
    """Return what failed, the most frequent reason first; then evaluations of which only some pairs failed."""
    in_part: dict[str, list[int]] = {}
    for one in summary.evaluations:
        if one.status == "ok" and one.reason:
            in_part.setdefault(one.reason, []).append(one.number)
    by_number = {one.number: one for one in summary.evaluations if one.status != "ok" or one.reason}
    return [
        Failure(reason, tuple((each, _ended(by_number[each]), logs_of(summary, by_number[each])) for each in numbers))
        for reason, numbers in [*summary.reasons.items(), *in_part.items()]
    ]


def _ended(one: EvaluationSummary) -> str:
    return "in part" if one.status == "ok" else one.status


@cache
def _asset(name: str) -> str:
    return resources.files("comparator.report").joinpath(name).read_text(encoding="utf-8")
