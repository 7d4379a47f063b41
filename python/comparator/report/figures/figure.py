"""A figure: a Vega-Lite specification with its data inside, and what a page says of it.

What a page, a notebook and a file may rely on in every chart:

| what | meaning |
|---|---|
| field `evaluations` | the numbers of the evaluations that a datum stands for; absent where it stands for none |
| field `tip` | what it says to who points at it, lines split by `\\n` |
| fields `x`, `y` | where it lies, in what the axes are scaled in |
| `usermeta.axes` | what a frame drawn on it bounds: columns of the table of evaluations as `x` and `y`, or `across` |
| a layer named `growing...` | has a row for each evaluation, which those that come later leave as it is |

Text from users is data, a title or the value of a parameter, never an expression, and never the name of a field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comparator.report import numbers
from comparator.report.figures.palette import CONFIG

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
HEIGHT = 280  # pixels

TIP: dict[str, Any] = {"field": "tip", "type": "nominal"}
GROWING = "growing"
#: In place of the rows of a layer that whoever draws it has already.
HELD = "held"


@dataclass(frozen=True)
class Choice:
    """One way to show a figure: `label` out of the set `of`; choosing it chooses it in all figures of the set."""

    of: str
    label: str


@dataclass(frozen=True)
class Figure:
    """A figure with its name (also of its files), title, caption and chart.

    `chart` is a Vega-Lite specification with its data inside, as wide as what holds it. `section` is the page's section
    that it stands in. Figures of one `place` take turns there, and have a `choice` each.
    """

    name: str
    title: str
    caption: str
    chart: Mapping[str, Any]
    section: str = "figures"
    place: str = ""
    choice: Choice | None = None


def figure(
    name: str,
    title: str,
    chart: Mapping[str, Any],
    caption: str = "",
    *,
    height: float = HEIGHT,
    params: Sequence[Mapping[str, Any]] = (),
    axes: Mapping[str, Any] | None = None,
    section: str = "figures",
    place: str = "",
    choice: Choice | None = None,
) -> Figure:
    """Return a figure of `chart`, a view or layers, with all that the charts have in common; `height` in pixels.

    `axes` are the columns that a frame on it bounds.
    """
    whole = {
        "$schema": SCHEMA,
        "description": numbers.printable(title),
        "width": "container",
        "height": round(height),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": CONFIG,
        **({"params": list(params)} if params else {}),
        **({"usermeta": {"axes": _printable(axes)}} if axes else {}),
        **chart,
    }
    return Figure(name, title, caption, whole, section, place, choice)


def _printable(names: Mapping[str, Any]) -> dict[str, Any]:
    return {
        which: numbers.printable(name) if isinstance(name, str) else [numbers.printable(each) for each in name]
        for which, name in names.items()
    }


def layer(
    rows: Sequence[Mapping[str, Any]],
    mark: str,
    look: Mapping[str, Any],
    **encoding: Any,
) -> dict[str, Any]:
    """Return one layer of a chart: a mark for each of `rows`."""
    tip = {"tooltip": TIP, "description": TIP} if any("tip" in row for row in rows) else {}
    solid = {"opacity": 1.0} if any("evaluations" in row for row in rows) else {}
    return {
        "data": {"values": list(rows)},
        "mark": {"type": mark, **solid, **({} if tip else {"aria": False}), **look},
        "encoding": {**encoding, **tip},
    }


def growing(layer: Mapping[str, Any], number: int = 1) -> dict[str, Any]:
    """Return a layer whose rows stay as they are when evaluations come; `number` tells it from others of its chart.

    Where a row stands for several evaluations it may have to stand for more: such a layer stays what it is.
    """
    if any(len(row["evaluations"]) > 1 for row in layer["data"]["values"]):
        return dict(layer)
    return {"name": f"{GROWING}-{number}", **layer}


def newest(chart: Mapping[str, Any], numbers: Collection[int], *, are_held: bool = False) -> dict[str, Any]:
    """Return a chart whose growing layers have the rows of evaluations with these numbers alone.

    Where the others `are_held` by whoever asks, as `others_of` tells, they say so instead of their rows.
    """
    return {**chart, "layer": [_newest(each, numbers, are_held=are_held) for each in chart["layer"]]}


def others_of(chart: Mapping[str, Any]) -> dict[int, Any]:
    """Return the rows of the layers of a chart that do not grow, by their places."""
    return {place: each["data"]["values"] for place, each in enumerate(chart["layer"]) if not _is_growing(each)}


def _is_growing(layer: Mapping[str, Any]) -> bool:
    return str(layer.get("name", "")).startswith(GROWING)


def _newest(layer: Mapping[str, Any], numbers: Collection[int], *, are_held: bool) -> Mapping[str, Any]:
    if not _is_growing(layer):
        return {**layer, "data": {"values": HELD}} if are_held else layer
    rows = [row for row in layer["data"]["values"] if row["evaluations"][0] in numbers]
    return {**layer, "data": {"values": rows}}
