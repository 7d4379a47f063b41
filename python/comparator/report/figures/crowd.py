"""Marks of many evaluations: where there are more than can be told apart, those of one small part of a figure are one.

A page's size, the time that it takes to draw and to follow the mouse, and what an eye can tell apart are all bounded by
the marks, not by the evaluations: each mark carries the numbers of those that it stands for.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from comparator.objective.amounts import PLAIN, Measure

Row = dict[str, Any]

MANY = 1500  # marks of a layer; of more, neighbours are one
ACROSS, UP = 40, 22  # parts of a figure in which they are
MEANT = ("x", "y", "v")  # fields of which a mark of several has the mean
#: What a caption says then.
SAID = " Of so many evaluations neighbours are one mark, at the mean of theirs; point at it for how many."


def said_of(count: int) -> str:
    """Return what a caption says of so many evaluations."""
    return SAID if count > MANY else ""


def gathered(rows: Sequence[Row], x: Mapping[str, Any], y: Mapping[str, Any], measure: Measure = PLAIN) -> list[Row]:
    """Return the rows, each for one evaluation; of more than `MANY`, one for those in each part of the figure.

    `x` and `y` are the channels that say where the rows' fields of these names lie. Rows that differ in a field which
    is no number are never one. Those that are drawn last remain the last. `measure` puts their means into words.
    """
    if len(rows) <= MANY:
        return list(rows)
    apart = [row for row in rows if None in (row.get("x", 0), row.get("y", 0))]
    rows = [row for row in rows if row not in apart] if apart else rows
    across, up = _parts(rows, "x", x, ACROSS), _parts(rows, "y", y, UP)
    members: dict[tuple[Any, ...], list[Row]] = {}
    for row, *cell in zip(rows, across, up, strict=True):
        kinds = (value for name, value in row.items() if name not in (*MEANT, "tip", "evaluations"))
        key = (*cell, *kinds)
        held = members.pop(key, [])
        held.append(row)
        members[key] = held  # at the end
    logs = {name for name, channel in (("x", x), ("y", y)) if _is_log(channel)}
    return apart + [each[0] if len(each) == 1 else _one_of(each, logs, measure) for each in members.values()]


def _is_log(channel: Mapping[str, Any]) -> bool:
    return bool(channel.get("scale", {}).get("type") == "log")


def _parts(rows: Sequence[Row], name: str, channel: Mapping[str, Any], count: int) -> list[int]:
    """Return in which of so many equal parts of the axis each row lies; all in one where the axis has no such field."""
    if name not in rows[0]:
        return [0] * len(rows)
    places = [math.log10(row[name]) if _is_log(channel) else float(row[name]) for row in rows]
    low, high = min(places), max(places)
    width = (high - low) / count or 1.0
    return [min(int((place - low) / width), count - 1) for place in places]


def _one_of(rows: Sequence[Row], logs: Collection[str], measure: Measure) -> Row:
    """Return one row for several."""
    means = {name: _mean((row[name] for row in rows), is_log=name in logs) for name in MEANT if name in rows[0]}
    shown = next((name for name in ("v", "y") if name in means), None)
    said = f"{len(rows)} evaluations"
    if shown is not None:
        said += f"\nmean {measure.amount(means[shown])}"
    return {**rows[0], **means, "evaluations": sorted(row["evaluations"][0] for row in rows), "tip": said}


def _mean(numbers: Iterable[float], *, is_log: bool) -> float:
    return math.exp(fmean(map(math.log, numbers))) if is_log else fmean(numbers)
