"""Several experiments beside each other, or one in several metrics: maps on the same axes, and what differs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from comparator.findings.axes import Axis
from comparator.formats.numbers import show
from comparator.objective.amounts import Measure
from comparator.report.facts import flat
from comparator.report.figures.boxes import region_layers
from comparator.report.figures.channels import along, clip, labels_of, objective_label, strongest_first
from comparator.report.figures.figure import Figure, figure
from comparator.report.figures.heat import (
    HEIGHT,
    Scale,
    cell_layer,
    difference_scale,
    dot_layer,
    gather,
    means_of,
    pair_words,
    scale_of,
)
from comparator.report.figures.surface import Surface, expected
from comparator.report.reading import Reading, read_in
from comparator.results.frozen import FrozenExperiment

#: Pairs of hyperparameters whose maps are shown.
PAIRS = 3
#: Purple where the second is larger, orange where the first is; white where they are alike.
APART = {"scheme": "purpleorange", "reverse": True}


@dataclass(frozen=True)
class Side:
    """One of those compared: what it is called, where its page is, what was found, in plain words, and its maps."""

    name: str
    address: str
    title: str
    metric: str
    evaluations: int
    confirming: int
    answer: Sequence[str]


@dataclass(frozen=True)
class Row:
    """The maps of one pair of hyperparameters: one of each side, and of two the difference."""

    title: str
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Comparison:
    """What a page shows; `why_no_maps` says why there are none, empty where there are."""

    sides: Sequence[Side]
    rows: Sequence[Row]
    differing: Sequence[tuple[str, Sequence[str]]]
    why_no_maps: str


def compare(asked: Sequence[tuple[Path, str | None]]) -> Comparison:
    """Compare experiments, each read in a metric, None for its own; raises `InputError`."""
    reads = [read_in(folder, metric) for folder, metric in asked]
    names = _names([folder.name for folder, _ in asked], reads)
    sides = [
        Side(
            name,
            f"experiments/{folder.name}/" + ("" if metric is None else f"?{urlencode({'metric': metric})}"),
            read.summary.title,
            read.summary.metric,
            read.summary.number.done,
            read.summary.number.confirming,
            read.answer.lines,
        )
        for name, read, (folder, metric) in zip(names, reads, asked, strict=True)
    ]
    rows, why_not = _rows(names, reads)
    return Comparison(
        sides, rows, differing([(name, read.experiment) for name, read in zip(names, reads, strict=True)]), why_not
    )


def differing(experiments: Sequence[tuple[str, FrozenExperiment]]) -> list[tuple[str, list[str]]]:
    """The settings in which experiments differ, each with a value for each of them; `-` where it is not given."""
    tables = [dict(_settings(experiment)) for _, experiment in experiments]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [(name, [table.get(name, "-") for table in tables]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _settings(experiment: FrozenExperiment) -> Iterable[tuple[str, str]]:
    yield from flat(experiment.settings)
    for model in experiment.models:
        yield f"model {model.submodel}", model.label or model.name
        yield from ((f"model {model.submodel}: {name}", show(value)) for name, value in model.hyperparameters.items())
    for entry in experiment.space:
        name = entry.get("name")
        yield from ((f"space: {name}.{key}", show(value)) for key, value in entry.items() if key != "name")
    provenance = experiment.provenance
    facts: Mapping[str, Any] = {
        "metric": experiment.metric,
        "seed of the search": experiment.strategy.seed,
        "code": provenance.revision,
        "site": provenance.site,
        "engine": provenance.engine,
        "workers": provenance.workers,
    }
    yield from ((name, show(value)) for name, value in facts.items() if value is not None)


def _names(ids: Sequence[str], reads: Sequence[Reading]) -> list[str]:
    """What each is called: its id, with the metric where that is another than its own or the id stands twice."""
    return [
        f"{name} in {read.summary.metric}" if ids.count(name) > 1 or read.summary.metric != read.own_metric else name
        for name, read in zip(ids, reads, strict=True)
    ]


def _rows(names: Sequence[str], reads: Sequence[Reading]) -> tuple[list[Row], str]:
    empty = [name for name, read in zip(names, reads, strict=True) if not read.summary.points]
    if empty:
        return [], f"{empty[0]} has no result yet"
    axes = [{axis.name: axis for axis in read.summary.axes} for read in reads]
    order = [axis.name for axis in strongest_first(reads[0].summary.axes, reads[0].summary)]
    common = [name for name in order if all(name in each for each in axes)][:4]
    if len(common) < 2:
        return [], "they have fewer than two varied hyperparameters in common"
    common.sort(key=[axis.name for axis in reads[0].summary.axes].index)  # as the reports' own maps have them
    rows = []
    for x, y in list(itertools.combinations(common, 2))[:PAIRS]:
        if (row := _row(names, reads, [(each[x], each[y]) for each in axes])) is not None:
            rows.append(row)
    return rows, "" if rows else "what they vary in common is listed in one and a range in another, or other values"


def _row(names: Sequence[str], reads: Sequence[Reading], pairs: Sequence[tuple[Axis, Axis]]) -> Row | None:
    shown = _together([x for x, _ in pairs]), _together([y for _, y in pairs])
    if shown[0] is None or shown[1] is None:
        return None
    whole = shown[0], shown[1]
    surfaces = [_surface(read, *pair) for read, pair in zip(reads, pairs, strict=True)]
    scales = _scales(reads, surfaces)
    place = f"{len(names)}-{pairs[0][0].name}-{pairs[0][1].name}"
    figures = [
        _map(f"map-{number}-{place}", name, read, pair, whole, surface, scale)
        for number, (name, read, pair, surface, scale) in enumerate(
            zip(names, reads, pairs, surfaces, scales, strict=True)
        )
    ]
    if len(reads) == 2:
        figures += _difference(f"difference-{place}", names, reads, pairs, whole)
    return Row(pair_words(*pairs[0]), figures)


def _surface(read: Reading, x: Axis, y: Axis) -> Surface | None:
    return None if read.summary.lattice else expected(read.summary, read.findings.predictor, x, y)


def _scales(reads: Sequence[Reading], surfaces: Sequence[Surface | None]) -> list[Scale]:
    """A scale for each: the same one, where all are the same quantity."""
    numbers = [
        [
            *(one.difference for one in read.summary.points if one.difference is not None),
            *(surface.numbers() if surface else ()),
        ]
        for read, surface in zip(reads, surfaces, strict=True)
    ]
    kinds = {(read.summary.kind, read.summary.objective, read.summary.unit) for read in reads}
    metrics = {read.summary.metric for read in reads}
    if len(kinds) == 1 and (len(metrics) == 1 or reads[0].summary.measure.is_share):
        scale = scale_of(reads[0].summary, itertools.chain.from_iterable(numbers))
        return [scale] * len(reads)
    return [scale_of(read.summary, own) for read, own in zip(reads, numbers, strict=True)]


def _map(
    name: str,
    title: str,
    read: Reading,
    own: tuple[Axis, Axis],
    whole: tuple[Axis, Axis],
    surface: Surface | None,
    scale: Scale,
) -> Figure:
    summary, colour = read.summary, scale.channel(objective_label(read.summary), read.summary.measure)
    if surface is not None:
        under = replace(surface, axes=whole).cells(colour, summary.measure)
    else:
        cells = gather(summary.points, *own)
        under = cell_layer(*own, cells, means_of(cells, lambda one: one.difference), colour, summary.measure.amount)
    done = [one for one in summary.searched if one.difference is not None]
    dots = [] if summary.lattice else [dot_layer(summary, done, *whole, colour, scale)]
    frames, numbers = region_layers(summary, read.findings.regions, whole)
    layers = [_on(layer, whole) for layer in (under, *frames, *dots, *numbers)]
    return figure(name, clip(title, 60), {"layer": layers}, height=HEIGHT, params=labels_of(x=whole[0], y=whole[1]))


def _on(layer: dict[str, Any], whole: tuple[Axis, Axis]) -> dict[str, Any]:
    """A layer of a map on the axes of all."""
    encoding = dict(layer["encoding"])
    for which, axis in zip("xy", whole, strict=True):
        if which in encoding and "field" in encoding[which]:
            encoding[which] = {**encoding[which], **along(axis, which)}
    return {**layer, "encoding": encoding}


def _difference(
    name: str,
    names: Sequence[str],
    reads: Sequence[Reading],
    pairs: Sequence[tuple[Axis, Axis]],
    whole: tuple[Axis, Axis],
) -> list[Figure]:
    """The first minus the second, where both have something: of what is expected, else of the means of cells."""
    if reads[0].summary.metric != reads[1].summary.metric and not reads[0].summary.measure.is_share:
        return []
    x, y = (_overlap(*(pair[number] for pair in pairs)) for number in (0, 1))
    if x is None or y is None:
        return []
    surfaces = [_surface(read, x, y) for read in reads]
    first, second = surfaces
    title = clip(f"{names[0]} minus {names[1]}", 60)
    measure, legend = reads[0].summary.measure, objective_label(reads[0].summary, apart=True)
    if first is not None and second is not None:
        coarse = min(first, second, key=lambda each: len(each.sides[0]))
        across, up = map(_middles, coarse.sides)
        means = [[_height(first, each, place) - _height(second, each, place) for place in up] for each in across]
        apart = replace(coarse, axes=whole, means=means, lows=(), highs=())
        layer = apart.cells(_apart(apart.numbers(), legend, measure), measure, apart=True)
    else:
        cells = [means_of(gather(read.summary.points, x, y), lambda one: one.difference) for read in reads]
        both = {cell: cells[0][cell] - cells[1][cell] for cell in cells[0] if cell in cells[1]}
        if not both:
            return []
        members = gather(reads[0].summary.points, x, y)
        layer = cell_layer(x, y, members, both, _apart(both.values(), legend, measure), measure.apart)
    drawn = {"layer": [_on(layer, whole)]}
    return [figure(name, title, drawn, height=HEIGHT, params=labels_of(x=whole[0], y=whole[1]))]


def _middles(stretches: Sequence[Any]) -> list[float]:
    """Where the stretches of an axis have their middles, as shares of it."""
    return [(number + 0.5) / len(stretches) for number in range(len(stretches))]


def _height(surface: Surface, across: float, up: float) -> float:
    """How high a surface is at a place, by shares of its axes."""
    return surface.means[int(across * len(surface.sides[0]))][int(up * len(surface.sides[1]))]


def _apart(numbers: Iterable[float], title: Sequence[str], measure: Measure) -> dict[str, Any]:
    most = max(map(abs, numbers), default=0.0) or 1.0
    channel = difference_scale([-most, most]).channel(title, measure, apart=True)
    return {**channel, "scale": {"domain": [-most, most], "nice": False, "clamp": True, **APART}}


def _together(axes: Sequence[Axis]) -> Axis | None:
    """The axis that holds all of these, scaled as the first; None where they are not of one kind."""
    first = axes[0]
    if any(axis.discrete != first.discrete for axis in axes):
        return None
    if first.discrete:
        return first if all(axis.values == first.values for axis in axes) else None
    return _from_to(first, min(axis.edges[0] for axis in axes), max(axis.edges[-1] for axis in axes))


def _overlap(one: Axis, other: Axis) -> Axis | None:
    """The part of an axis that both have, scaled as the first; None where there is none."""
    if one.discrete:
        return one
    low, high = max(one.edges[0], other.edges[0]), min(one.edges[-1], other.edges[-1])
    return _from_to(one, low, high) if low < high else None


def _from_to(axis: Axis, low: float, high: float) -> Axis:
    """An axis from another place to another, in as many bins; on a log scale only where that has a place on one."""
    if (low, high) == (axis.edges[0], axis.edges[-1]):
        return axis
    bins, log = len(axis.edges) - 1, axis.log and low > 0
    shares = [step / bins for step in range(1, bins)]
    inner = [low * (high / low) ** share if log else low + (high - low) * share for share in shares]
    return replace(axis, edges=(low, *inner, high), log=log, at=())
