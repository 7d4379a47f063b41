"""What leaving out changes, drawn: the difference of both models, and the predictions of each."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.evidence.omission import Mean
from comparator.formats.numbers import with_interval
from comparator.objective.amounts import Measure, measure_of
from comparator.report.figures.channels import Row, clip, labels_in, lanes, number_channel, series
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.palette import FAINT, INK, MODELS, MUTED, PAPER, SHAPES
from comparator.report.numbers import printable
from comparator.results.frozen import FrozenExperiment
from comparator.studies.left_out_changes import Change, Effect, Found

MOST = 40  # subsets in a figure
RANDOM = "random rows"
LANE = 20.0  # pixels
APART = 0.17  # of a lane: by so much the two models' marks lie above and below its middle


def draw(found: Found, kind: str, frozen: FrozenExperiment) -> list[Figure]:
    """Return the ranking by the change of the difference, and, where predictions were kept, how far these moved."""
    drawn = [_ranking(found, kind, frozen)]
    if any(moved is not None for each in found.effects for moved in each.change.moved):
        drawn.append(_moved(found, kind, frozen))
    return drawn


def _ranking(found: Found, kind: str, frozen: FrozenExperiment) -> Figure:
    effects, measure = found.effects[:MOST], measure_of(frozen)
    alone = found.controls[0] if len(found.controls) == 1 else None
    names = [each.subset.name for each in effects] + [RANDOM] * (alone is not None)
    y, labels = lanes([clip(name, 22) for name in names])
    rows = [row for lane, each in enumerate(effects) for row in _mark(each.omission.change, lane, each, measure)]
    of_random = [] if alone is None else _mark(alone.difference, len(effects), None, measure)
    for lane, each in enumerate(effects if alone is None else []):
        control = found.control_of(each)
        of_random += _mark(control.difference, lane + 2 * APART, None, measure) if control is not None else []
    ends = [end for row in (*rows, *of_random) for end in (row["low"], row["high"])] + [0.0]
    title = [clip(f"change of the {frozen.objective.name}", 60) + measure.in_units]
    x = number_channel("x", title, holding=ends, grid=True, **labels_in(measure, apart=True))
    bounds = {"x": {**x, "field": "low"}, "x2": {"field": "high"}}
    fill = {"field": "colour", "type": "nominal", "scale": None}
    band = [{**row, "from": -0.6, "to": len(names) - 0.4} for row in of_random] if alone is not None else []
    height = {"y": {**y, "field": "from"}, "y2": {"field": "to"}}
    layers = [
        layer(band, "rect", {"color": FAINT, "opacity": 0.5, "clip": True}, **bounds, **height),
        layer([{"x": 0}], "rule", {"color": INK, "strokeWidth": 0.8}, x=x),
        layer([*rows, *of_random], "rule", {"color": MUTED, "strokeWidth": 1.6}, **bounds, y=y),
        layer(rows, "point", {"size": 60, "stroke": INK, "strokeWidth": 1.4}, x=x, y=y, fill=fill),
        layer(of_random, "point", {"shape": "square", "size": 50, "stroke": MUTED, "fill": PAPER}, x=x, y=y),
    ]
    of = f"the {len(effects)} that change it most of {len(found.effects)} {kind}" if len(found.effects) > MOST else kind
    random_words = "Squares: as many random rows left out, each with an interval of its own"
    if alone is not None:
        random_words = (
            f"Square: as many random rows left out as {clip(alone.subset.name)} has; the band is their interval"
        )
    caption = (
        f"By how much the difference changes where one of the {of} is left out of both trainings; above 0 the models"
        f" differ more without it. Lines: intervals (95 %) over {found.blocks} blocks, for all {len(found.effects)} at"
        f" once. Full dots: shown.{f' {random_words}.' if found.controls else ''}"
    )
    return figure(
        "left-out",
        "What changes the difference",
        {"layer": layers},
        caption,
        height=40 + LANE * len(names),
        params=[labels],
    )


def _mark(mean: Mean | None, lane: float, effect: Effect | None, measure: Measure) -> list[Row]:
    """A mark with its interval; none where there is no mean."""
    if mean is None:
        return []
    low, high = mean.interval or (mean.value, mean.value)
    name = RANDOM if effect is None else effect.subset.name
    colour = INK if effect is not None and effect.omission.shown else PAPER
    tip = printable(f"{name}\n{measure.apart(mean.value, mean.interval)}")
    return [{"x": mean.value, "low": low, "high": high, "y": lane, "colour": colour, "tip": tip}]


def _moved(found: Found, kind: str, frozen: FrozenExperiment) -> Figure:
    """How far both models' predictions moved; the subsets are in the order of the ranking."""
    effects = found.effects[:MOST]
    changes = [(each.subset.name, each.change) for each in effects]
    largest = max(found.controls, key=lambda each: sum(each.change.rows_lost), default=None)
    changes += [] if largest is None else [(RANDOM, largest.change)]
    y, names = lanes([clip(name, 22) for name, _ in changes])
    labels = [clip(label, 40) for label in frozen.labels]
    rows = [row for lane, (name, change) in enumerate(changes) for row in _dots(name, change, lane, labels)]
    ends = [end for row in rows for end in (row["low"], row["high"])] + [0.0]
    x = number_channel("x", "root mean square change", holding=ends, grid=True)
    look = series(
        {label: {"color": colour, "shape": shape} for label, colour, shape in zip(labels, MODELS, SHAPES, strict=True)}
    )
    layers = [
        layer(
            rows,
            "rule",
            {"strokeWidth": 1.4},
            x={**x, "field": "low"},
            x2={"field": "high"},
            y=y,
            color=look["color"],
        ),
        layer(rows, "point", {"filled": True, "size": 50, "opacity": 1}, x=x, y=y, **look),
    ]
    caption = (
        f"How far each model's predictions of the same held-out rows are from those with all rows, where one of the"
        f" {kind} is left out of training. Lines: 95 % over blocks, each for itself."
        + ("" if largest is None else f" Last: without as many random rows as {clip(largest.subset.name)} has.")
    )
    return figure(
        "predictions-moved",
        "What changes the predictions",
        {"layer": layers},
        caption,
        height=60 + LANE * len(changes),
        params=[names],
    )


def _dots(name: str, change: Change, lane: int, labels: Sequence[str]) -> list[Row]:
    rows = []
    for number, (label, moved) in enumerate(zip(labels, change.moved, strict=True)):
        if moved is None:
            continue
        mean = moved.everywhere
        low, high = mean.interval or (mean.value, mean.value)
        tip = printable(f"{name}, {label}\n{with_interval(mean.value, mean.interval)}")
        place = lane + (APART if number else -APART)
        rows.append({"x": mean.value, "low": max(0.0, low), "high": high, "y": place, "series": label, "tip": tip})
    return rows
