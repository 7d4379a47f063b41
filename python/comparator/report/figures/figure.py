"""A figure: a Vega-Lite specification with its data inside, and what a page says of it.

What a page, a notebook and a file may rely on in every chart:

| what | meaning |
|---|---|
| field `evaluations` | the numbers of the evaluations that a datum stands for; absent where it stands for none |
| field `tip` | what it says to who points at it, lines split by `\\n` |
| fields `x`, `y` | where it lies, in what the axes are scaled in |
| parameter `chosen` | numbers of evaluations; what stands for others fades |
| parameter `brush` | where there is one: the rectangle that a reader draws, `{x: [from, to], y: [from, to]}` |

Text from users is data, a title or the value of a parameter, never an expression, and never the name of a field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comparator.report import words
from comparator.report.figures.palette import CONFIG

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
HEIGHT = 280  # pixels

# Vega's expressions have no intersection of lists: numbers between commas are looked up as text.
_IS_CHOSEN = (
    "(length(datum.evaluations) == 1 ? indexof(chosen, datum.evaluations[0]) >= 0"
    " : test(regexp(',(' + join(chosen, '|') + '),'), ',' + join(datum.evaluations, ',') + ','))"
)
TIP: dict[str, Any] = {"field": "tip", "type": "nominal"}
BRUSH: dict[str, Any] = {"name": "brush", "select": {"type": "interval", "encodings": ["x", "y"]}}


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
    section: str = "figures",
    place: str = "",
    choice: Choice | None = None,
) -> Figure:
    """Return a figure of `chart`, a view or layers, with all that the charts have in common; `height` in pixels."""
    whole = {
        "$schema": SCHEMA,
        "description": words.printable(title),
        "width": "container",
        "height": round(height),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": CONFIG,
        "params": [{"name": "chosen", "value": []}, *params],
        **chart,
    }
    return Figure(name, title, caption, whole, section, place, choice)


def layer(
    rows: Sequence[Mapping[str, Any]],
    mark: str,
    look: Mapping[str, Any],
    *params: Mapping[str, Any],
    **encoding: Any,
) -> dict[str, Any]:
    """Return one layer of a chart: a mark for each of `rows`, which fades where others are chosen."""
    opacity = look.get("opacity", 1.0)
    fades = {"opacity": fading(opacity)} if any("evaluations" in row for row in rows) else {}
    tip = {"tooltip": TIP, "description": TIP} if any("tip" in row for row in rows) else {}
    return {
        "data": {"values": list(rows)},
        **({"params": list(params)} if params else {}),
        "mark": {"type": mark, **({} if tip else {"aria": False}), **look},
        "encoding": {**encoding, **tip, **fades},
    }


def fading(opacity: float = 1.0) -> dict[str, Any]:
    """Return the channel of an opacity that is less where other evaluations are chosen."""
    return {"condition": {"test": f"length(chosen) && !{_IS_CHOSEN}", "value": 0.12 * opacity}, "value": opacity}
