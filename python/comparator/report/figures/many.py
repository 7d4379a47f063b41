"""Spaces of more than two hyperparameters: which of them matter, and all of them at once as parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.formats.numbers import show
from comparator.objective.amounts import SHARES, in_percent
from comparator.report.figures.channels import (
    GOLDEN,
    TOGETHER,
    Row,
    clip,
    haloed,
    labels_in,
    lanes,
    number_channel,
    objective_label,
    tip_of,
)
from comparator.report.figures.figure import TIP, Figure, figure, layer
from comparator.report.figures.heat import Scale, scale_of
from comparator.report.figures.palette import FAINT, INK, MUTED, PAPER
from comparator.report.numbers import percent, printable

if TYPE_CHECKING:
    from comparator.evidence.importance import Importance, Share

LINES = 400  # beyond, the best and a sample of the others are drawn
HIGHEST = 24  # hyperparameters in one figure
NAMED = 6  # values of a list that are all written beside its axis


def ranking(summary: Summary, importance: Importance | None) -> list[Figure]:
    """Return a bar for each hyperparameter: how much of the objective's variance rests on it."""
    if importance is None:
        return []
    shares = importance.shares[:HIGHEST]
    rows = [
        {
            **{"x": max(share.mean, 0.0), "from": 0, "low": share.low, "high": min(share.high, max(1.0, share.mean))},
            **{"y": lane - 0.32, "y2": lane + 0.32, "middle": lane},
            **{"colour": MUTED if share.shown else PAPER, "tip": _said(share)},
        }
        for lane, share in enumerate(shares)
    ]
    y, labels = lanes([clip(share.name, 22) for share in shares])
    x = number_channel("x", "share of the variance that rests on it", grid=True, **labels_in(SHARES))
    fill = {"field": "colour", "type": "nominal", "scale": None}
    ends = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": {**y, "field": "middle"}}
    layers = [
        layer(rows, "rect", {"stroke": MUTED}, x=x, x2={"field": "from"}, y=y, y2={"field": "y2"}, fill=fill),
        layer(rows, "rule", {"color": INK, "strokeWidth": 1.6}, **ends),
        layer([{"x": 0}], "rule", {"color": INK, "strokeWidth": 0.8}, x=x),
    ]
    return [
        figure(
            "importance",
            "Importance, with its uncertainty",
            {"layer": layers},
            _caption(importance, summary.lattice),
            height=16 + 24 * len(shares),
            params=[labels],
            section="importance",
        )
    ]


def _said(share: Share) -> str:
    return printable(f"{share.name}\n{in_percent(share.mean, (share.low, share.high))}")


def _caption(importance: Importance, lattice: bool) -> str:
    doubt = (
        "Trees fitted to the evaluations do not predict those left out, so this ranking means nothing yet. "
        if importance.predicted <= 0
        else f"Trees fitted to the evaluations predict {percent(importance.predicted)} of the variance of those left"
        " out. "
    )
    return (
        f"{doubt}A bar is the share of the variance that rests on a hyperparameter, alone or together with others, by "
        "how much worse the prediction gets when its values are shuffled; the line is where 90 % of bootstrap samples "
        f"put it. Hollow bars, whose line reaches 0, may not matter at all: {importance.points} distinct points do not "
        "tell."
        + (
            ""
            if lattice
            else " A search gathers its points where it hopes for the best; what matters elsewhere may not show."
        )
    )


def parallel_coordinates(summary: Summary) -> list[Figure]:
    """Return a line for each point through its values of all hyperparameters; nothing for a grid.

    The lines of a grid join every value with every other, and say nothing.
    """
    done = summary.points
    if summary.lattice or not done:
        return []
    shown = sorted(done, key=lambda one: one.value or 0.0, reverse=True)  # the best last, on top
    if len(shown) > LINES:
        shown = shown[: -LINES // 2 : -(-len(shown) // (LINES // 2))] + shown[-LINES // 2 :]
    axes = summary.axes[:HIGHEST]
    names = [clip(axis.name, 18) + (" (log)" if axis.log else "") for axis in axes]
    layers = [
        layer([{"x": column} for column in range(len(axes))], "rule", {"color": FAINT}, x=_across(names)),
        _lines(summary, axes, names, shown),
        *_ticks(axes, names),
    ]
    caption = (
        "A line is one point, through its value of each hyperparameter; the better ones lie on top. Where the "
        "best lines run through one place of an axis, that hyperparameter matters; where they cross it anywhere, it "
        "does not. Draw a frame over a part of an axis to pick the lines that run through it; frames on several axes "
        "hold together."
        + (f" The best {LINES // 2} of {len(done)} are drawn, and a sample of the others." if len(done) > LINES else "")
    )
    return [
        figure(
            "parallel",
            "All hyperparameters at once",
            {"layer": layers},
            caption,
            height=340,
            params=[{"name": "x_labels", "value": names}],
            axes={"across": [axis.name for axis in axes]},
        )
    ]


def _across(names: Sequence[str]) -> Row:
    crowded = sum(len(name) + 2 for name in names) > TOGETHER
    turned = {"labelAngle": -30, "labelAlign": "right"} if crowded else {}
    return {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [-0.3, len(names) - 0.7], "nice": False, "zero": False},
        "axis": {
            **{"title": None, "values": list(range(len(names))), "labelExpr": "x_labels[datum.value]"},
            **{"ticks": False, "domain": False, "labelOverlap": False, "labelLimit": 160, **turned},
        },
    }


UP: Row = {
    "field": "y",
    "type": "quantitative",
    "scale": {"domain": [-0.08, 1.08], "nice": False, "zero": False},
    "axis": None,
}


def _lines(summary: Summary, axes: Sequence[Axis], names: Sequence[str], shown: Sequence[EvaluationSummary]) -> Row:
    rows: list[Row] = []
    for one in shown:
        heights = [axis.position(one.point.get(axis.name)) for axis in axes]
        known = [height for height in heights if height is not None]
        if len(known) == len(axes):
            apart = {
                f"at{column}": round(_apart(axis, one, height), 4)
                for column, (axis, height) in enumerate(zip(axes, known, strict=True))
            }
            said = {"v": one.difference, "evaluations": [one.number], "tip": tip_of(one, summary)}
            rows.append({**apart, "line": one.number, **said})
    ends = scale_of(summary, [row["v"] for row in rows])
    colour = Scale(ends.low, ends.high).channel(objective_label(summary), summary.measure)  # white would not be seen
    return {
        "data": {"values": rows},
        "transform": [
            {"fold": [f"at{column}" for column in range(len(axes))], "as": ["axis", "y"]},
            {"calculate": "toNumber(slice(datum.axis, 2))", "as": "x"},
        ],
        "mark": {"type": "line", "strokeWidth": 1.4, "strokeCap": "round", "opacity": 0.8},
        "encoding": {
            **{"x": _across(names), "y": UP, "detail": {"field": "line", "type": "nominal"}, "color": colour},
            **{"tooltip": TIP, "description": TIP},
        },
    }


def _apart(axis: Axis, one: EvaluationSummary, height: float) -> float:
    """Return the height, moved a little where many lines would run through the same value of a few."""
    if not axis.discrete:
        return height
    return height + ((one.number * GOLDEN) % 1 - 0.5) * 0.5 / len(axis.values)


def _ticks(axes: Sequence[Axis], names: Sequence[str]) -> list[Row]:
    """Return the layers of the values beside the axes: those of a short list, the ends of a range."""
    rows: list[Row] = []
    for column, axis in enumerate(axes):
        if axis.discrete and len(axis.values) <= NAMED:
            rows += [{"x": column, "y": axis.position(value), "text": clip(show(value), 10)} for value in axis.values]
        else:
            ends = axis.values if axis.discrete else axis.edges
            rows += [{"x": column, "y": y, "text": clip(show(ends[end]), 10)} for end, y in ((-1, 1.05), (0, -0.05))]
    return haloed(rows, {}, x=_across(names), y=UP, text={"field": "text", "type": "nominal"})
