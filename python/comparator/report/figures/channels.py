"""What the charts' channels have in common: axes, colours and their words, and the rows that stand for evaluations."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from comparator.findings.axes import Axis, effect
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.formats.numbers import show
from comparator.objective.amounts import Measure
from comparator.report import numbers
from comparator.report.figures.crowd import gathered
from comparator.report.figures.figure import layer
from comparator.report.figures.palette import FAILED, MUTED, PAPER

Row = dict[str, Any]
Place = Callable[[EvaluationSummary], Any]

GOLDEN = 0.618  # of a whole: so far apart, points that stand side by side spread evenly
HEADING = 60  # characters of a name in the heading of a figure, which may take two lines
BESIDE = 20  # characters of a name that has another beside it in a legend, also on a narrow screen
SHORT = 8  # as BESIDE, with three others in its line
TICKS = 20  # values of a list that an axis names at most
TOGETHER = 44  # characters that stand side by side below an axis
CROSS: Mapping[str, Any] = {"shape": "M-.4,-.4L.4,.4M.4,-.4L-.4,.4", "size": 140, "stroke": FAILED, "strokeWidth": 1.6}

PER_CENT = " + '\u00a0%'"
NUMBER = "format(datum.value, ',.6~g')"  # as people write it, small ones in full
VALUE = "format(datum.value, abs(datum.value) < 1000 ? ',.4~g' : ',.6~g')"  # of a grid: some have many digits

#: Ticks of whole numbers alone: over a short range there are others between them, even with a least step.
IS_WHOLE = "datum.value === floor(datum.value)"
WHOLE: Mapping[str, Any] = {
    "tickMinStep": 1,
    "labelExpr": f"{IS_WHOLE} ? format(datum.value, 'd') : ''",
    "tickOpacity": {"condition": {"test": IS_WHOLE, "value": 1}, "value": 0},
}

# -- words -------------------------------------------------------------------------------------------------


def clip(text: str, length: int = 28) -> str:
    """Return `text` on one line, cut where it is too long."""
    text = " ".join(numbers.printable(text).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def objective_label(summary: Summary, of: str = "", *, apart: bool = False) -> list[str]:
    """Return the objective's name and unit, in lines; `of` says what of it is shown.

    Where that is by how much one is above another (`apart`), the unit is that; per cent stand beside each number.
    """
    measure = summary.measure
    unit = f" ({measure.unit})" if measure.unit else measure.in_units if apart else ""
    return textwrap.wrap(clip(f"{of}{summary.objective}", 48 + len(of)) + unit, 44) or [""]


def written(number: str, measure: Measure, form: str = ".3~g", *, apart: bool = False) -> str:
    """Return the expression that writes a number as its measure has it, in per cent or plain.

    By how much one is above another (`apart`) is in percentage points, which what stands beside it says.
    """
    if not measure.is_share:
        return f"format({number}, '{form}')"
    return f"format(100 * {number}, '{form}'){'' if apart else PER_CENT}"


def labels_in(measure: Measure, *, apart: bool = False) -> Row:
    """Return what has an axis or a legend write its numbers so; nothing of those that are written as they are."""
    return {"labelExpr": written("datum.value", measure, ",.6~g", apart=apart)} if measure.is_share else {}


def metric_heading(metric: str, model: str) -> str:
    """Return the heading of a model's metric in the table of evaluations."""
    return f"{metric}, {model}"


def height_column(summary: Summary) -> str:
    """Return the column of the table that has what figures show as their height."""
    return metric_heading(summary.metric, summary.models[0]) if summary.kind == "single" else "difference"


def tip_of(one: EvaluationSummary, summary: Summary) -> str:
    """Return what a mark says that stands for one evaluation."""
    said = one.status if one.difference is None else summary.measure.amount(one.difference, 4)
    return numbers.printable(f"evaluation {one.number}: {said}\n{numbers.point(one, names_of(summary))}")


# -- evaluations -------------------------------------------------------------------------------------------


def names_of(summary: Summary) -> tuple[str, ...]:
    """Return the names of the hyperparameters that vary."""
    return tuple(axis.name for axis in summary.axes)


def differences_of(evaluations: Iterable[EvaluationSummary]) -> list[float]:
    """Return the differences of the evaluations that have one."""
    return [one.difference for one in evaluations if one.difference is not None]


def strongest_first(axes: Sequence[Axis], summary: Summary) -> list[Axis]:
    """Return the axes by the share of the difference's variance that each explains alone."""
    done = summary.points
    return sorted(axes, key=lambda axis: -effect(axis, done, differences_of(done)))


def coordinate_of(axis: Axis | None, step: float = GOLDEN, spread: float = 0.5) -> Place:
    """Return where an evaluation stands on `axis`, beside others of the same value; without an axis, its number."""
    if axis is None:
        return lambda one: one.number

    def coordinate(one: EvaluationSummary) -> float | None:
        place = axis.coordinate(one.point.get(axis.name))
        return place if place is None or not axis.discrete else place + spread * ((one.number * step) % 1 - 0.5)

    return coordinate


def dots(summary: Summary, place: Place, x: Row, y: Row, size: int = 16) -> Row:
    """Return the layer with a small dot for each evaluation that succeeded, as high as its difference."""
    rows = [
        {"x": place(one), "y": one.difference, "evaluations": [one.number], "tip": tip_of(one, summary)}
        for one in summary.searched
        if one.difference is not None and place(one) is not None
    ]
    look = {"size": size, "color": MUTED, "opacity": 0.6, "clip": False}
    return layer(gathered(rows, x, y, summary.measure), "circle", look, x=x, y=y)


def failed_at_foot(summary: Summary, place: Place, x: Row) -> list[Row]:
    """Return the layer with a cross at the foot for each evaluation that failed, where any did: they have no height."""
    rows = [failed_row(one, x=place(one)) for one in summary.searched if one.difference is None]
    rows = [row for row in rows if row["x"] is not None]
    foot = {"value": {"expr": "height - 6"}}
    return [layer(gathered(rows, x, foot), "point", CROSS, x=x, y=foot)] if rows else []


def failed_row(one: EvaluationSummary, **place: Any) -> Row:
    """Return the row of an evaluation that failed."""
    tip = numbers.printable(f"evaluation {one.number}: {one.status}\n{clip(one.reason or '', 200)}")
    return {**place, "evaluations": [one.number], "tip": tip}


def references(rows: Sequence[Row], y: Row) -> list[Row]:
    """Return the layers of lines across the chart, each a row of `y`, `text`, `colour` and `dash`, with what it is."""
    if not rows:
        return []
    colour = {"field": "colour", "type": "nominal", "scale": None}
    dash = {"field": "dash", "type": "nominal", "scale": None}
    text = {"field": "text", "type": "nominal"}
    beside = {"align": "right", "dx": -3, "dy": -6}
    return [
        layer(rows, "rule", {"strokeWidth": 1.4}, y=y, color=colour, strokeDash=dash),
        *haloed(rows, beside, x={"value": {"expr": "width"}}, y=y, text=text),
    ]


def haloed(rows: Sequence[Row], look: Mapping[str, Any], **encoding: Any) -> list[Row]:
    """Return the layers of text that is read on whatever lies behind it."""
    behind = {"stroke": PAPER, "strokeWidth": 3, "strokeOpacity": 0.85}
    return [layer(rows, "text", {**look, **more}, **encoding) for more in (behind, {})]


# -- series ------------------------------------------------------------------------------------------------


def distinct(labels: Sequence[str], length: int = 40) -> list[str]:
    """Return labels cut to a length, numbered where they would be the same."""
    short = [clip(label, length) for label in labels]
    return [f"{label} ({place})" if short.count(label) > 1 else label for place, label in enumerate(short, start=1)]


def series(looks: Mapping[str, Mapping[str, Any]]) -> dict[str, Row]:
    """Return the channels of field `series`, which share a legend: for each name the `color`, `shape` and so on."""
    channels = dict.fromkeys(channel for look in looks.values() for channel in look)
    longest = max(map(len, looks), default=0)
    columns = 4 if longest <= SHORT else 2 if longest <= BESIDE else 1
    return {
        channel: {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": list(looks), "range": [look[channel] for look in looks.values()]},
            "legend": None if channel == "strokeDash" else {"title": None, "columns": columns},
        }
        for channel in channels
    }


# -- axes --------------------------------------------------------------------------------------------------


def along(axis: Axis | None, which: str) -> dict[str, Any]:
    """Return the channel `x` or `y` of a hyperparameter; without one, of the evaluations' numbers."""
    if axis is None:
        return number_channel(which, "evaluation", integer=True)
    scale: Row = {"domain": [axis.edges[0], axis.edges[-1]], "nice": False, "zero": False}
    title = clip(axis.name)
    if axis.log:
        scale["type"] = "log"
        title += " (log scale)"
    return {"field": which, "type": "quantitative", "scale": scale, "axis": {"title": title, **_ticks(axis, which)}}


def number_channel(
    which: str,
    title: str | list[str],
    *,
    log: bool = False,
    integer: bool = False,
    domain: Sequence[float] | None = None,
    holding: Sequence[float] = (),
    **axis: Any,
) -> dict[str, Any]:
    """Return the channel `x` or `y` of a number: over a `domain`, or such that it holds some numbers.

    An axis without either is told by its rows, and drawn anew with each that comes.
    """
    scale: Row = {"zero": False, "nice": domain is None}
    if holding:
        low, high = min(holding), max(holding)
        domain = (low, high) if high > low else _around(low)
        scale["nice"] = high > low
    if log:
        scale["type"] = "log"
        if domain is not None:
            ends = _whole_decades(*domain) if scale["nice"] else domain
            axis = {"values": _decades(*ends), **axis}
        axis = {"labelExpr": NUMBER, **axis}
        title = [title] if isinstance(title, str) else list(title)
        title[-1] += " (log scale)"
    if domain is not None:
        scale["domain"] = list(domain)
    ticks: Row = {"tickCount": 7, **(WHOLE if integer else {})}
    return {"field": which, "type": "quantitative", "scale": scale, "axis": {"title": title, **ticks, **axis}}


def height(summary: Summary, *others: float) -> Row:
    """Return the channel `y` of the difference; `others` are numbers drawn beside those of the evaluations."""
    numbers = [*differences_of(summary.searched), *others]
    return number_channel("y", objective_label(summary), holding=numbers, grid=True, **labels_in(summary.measure))


def _around(number: float) -> tuple[float, float]:
    """Return the ends of an axis that has a number in its middle."""
    margin = 0.5 * abs(number) or 0.5
    return number - margin, number + margin


def lanes(labels: Sequence[str | list[str]], named: int = 40) -> tuple[Row, Row]:
    """Return the channel `y` of lanes below each other, numbered from 0, and the parameter that holds their names.

    A name is a line, or a list of lines.
    """
    every = -(-len(labels) // named)
    channel = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [-0.6, len(labels) - 0.4], "nice": False, "reverse": True},
        "axis": {
            "title": None,
            "values": list(range(0, len(labels), every)),
            "labelExpr": "y_labels[datum.value]",
            "labelLimit": 150,
            "labelOverlap": False,
        },
    }
    return channel, {"name": "y_labels", "value": list(labels)}


def labels_of(**axes: Axis | None) -> list[Row]:
    """Return the parameters that hold the names of the values of axes, by channel: `along` looks them up there."""
    return [
        {"name": f"{which}_labels", "value": [clip(show(value), 20) for value in axis.values]}
        for which, axis in axes.items()
        if axis is not None and axis.discrete
    ]


def _ticks(axis: Axis, which: str) -> Row:
    """Return where an axis has ticks, and what they say."""
    if not axis.discrete and not axis.at:
        return {"values": _decades(axis.edges[0], axis.edges[-1]), "labelExpr": NUMBER} if axis.log else {}
    places = list(axis.at or range(len(axis.values)))
    every = max(1, -(-len(places) // (11 if axis.at else TICKS)))
    told: Row = {"labelExpr": VALUE} if axis.at else {"labelExpr": f"{which}_labels[datum.value]", "labelLimit": 120}
    labels = [clip(axis.label(number), 20) for number in range(0, len(places), every)]
    if which == "x" and sum(len(label) + 2 for label in labels) > TOGETHER:
        told |= {"labelAngle": -40, "labelAlign": "right", "labelBaseline": "middle"}
    return {"values": places[::every], **told}


def _whole_decades(low: float, high: float) -> tuple[float, float]:
    """Return the powers of ten that hold what lies between two numbers: the ends of a nice log scale."""
    return float(f"1e{math.floor(math.log10(low))}"), float(f"1e{math.ceil(math.log10(high))}")


def _decades(low: float, high: float) -> list[float]:
    """Return the ticks of a log scale: powers of ten, and what lies between them where these are few."""
    steps = (1,) if high > 100 * low else (1, 2, 5) if high > 20 * low else (1, 2, 3, 5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
