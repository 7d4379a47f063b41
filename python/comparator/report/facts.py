"""What a reader needs to judge how an experiment was run: its facts, and all that is only looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from comparator.findings.summary import Summary, search_settings
from comparator.findings.workers import spans_of, typical, working_times_of
from comparator.formats.numbers import show
from comparator.formats.spelling import spelling
from comparator.report import numbers, words
from comparator.results.frozen import FrozenExperiment, by_dotted_name

SPLIT = "split"  # hyperparameters whose names hold this word say how the data were divided


def listings(experiment: FrozenExperiment) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is only looked up, under its titles."""
    return [
        ("All other hyperparameters", common_hyperparameters(experiment)),
        ("Settings of the experiment", flat(experiment.settings)),
        ("Package versions", flat(experiment.provenance.packages)),
        *((f"Packages of {each.label}", flat(each.python.packages)) for each in experiment.models if each.python),
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
        "Budget": _budget(experiment, summary),
        "Pilot": experiment.pilot and experiment.pilot.words.removeprefix("pilot: "),
        "Took": _duration(summary),
        "Engine": provenance.engine,
        "Site": provenance.site,
        "Workers": provenance.workers,
        "Started": _in_utc(experiment.created),
        "Code": _SHORT_REVISION.sub(r"\1", provenance.revision or ""),
        "Python": provenance.python,
    }
    return [(name, show(value)) for name, value in found.items() if value not in (None, "")]


#: A revision of the code by so many digits as tell it from all others.
_SHORT_REVISION = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28}\b")


def _in_utc(moment: str) -> str:
    """Return a moment of a record, which is UTC, to the minute."""
    date, _, time = moment.partition("T")
    return f"{date} {time[:5]} UTC" if time else moment


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


def _budget(experiment: FrozenExperiment, summary: Summary) -> str | None:
    if not summary.reliability.pairs:
        return None
    by_stage = ", ".join(f"{stage} {count}" for stage, count in summary.reliability.pairs.items())
    return f"{by_stage} ({experiment.trained} by stage)"


def _duration(summary: Summary) -> str | None:
    """Return how long the workers were at it, in words."""
    spans = spans_of(summary.evaluations)
    seconds = sum(time.end - time.start for time in working_times_of(spans))
    if seconds <= 0:
        return None
    whole = f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    if seconds >= 7200:
        whole = f"{seconds / 3600:.1f} hours"
    return f"{whole}; {show(numbers.round_to(typical(spans), 2))} seconds for a typical evaluation"


def flat(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return nested settings as pairs of dotted name and value."""
    return [(name, show(value)) for name, value in by_dotted_name(settings).items()]
