"""The time line: which worker did which evaluation when."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from comparator.findings.summary import Summary
from comparator.findings.workers import (
    Span,
    WorkingTime,
    beside_one_another,
    busy,
    spans_of,
    typical,
    working_times_of,
)
from comparator.formats.numbers import round_to, show
from comparator.report.figures.channels import Row, clip, haloed, lanes, number_channel, tip_of
from comparator.report.figures.crowd import MANY, UP
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.palette import FAILED, INK, PAPER, SHADES
from comparator.report.numbers import percent, printable

LANE = 18  # pixels
LANE_SHARE = 0.76  # of a lane that its bars fill
TALLEST = 500
NAMED = 26  # workers; beyond, only some lanes are named
GAP = 0.06  # of the whole: what a pause is drawn as
THINNEST = 0.0015  # of the whole: a bar that can still be seen, and pointed at; thrice that where it failed
UNITS = ((1, "s"), (60, "min"), (3600, "h"))


def timeline(summary: Summary) -> list[Figure]:
    """Return one lane a worker with its evaluations as bars; pauses between times at work are cut short."""
    spans = spans_of(summary.evaluations)
    working = working_times_of(spans)
    if not spans or working[-1].end <= 0:
        return []
    workers = sorted({span.worker for span in spans}, key=_natural)
    places = _Places(working)
    cut = ", pauses cut out" if places.paused else ""
    x = number_channel("x", f"time in {places.unit} from the first evaluation's start{cut}", domain=(0, places.end))
    y, labels = lanes([clip(worker, 14) for worker in workers], NAMED)
    at_once = beside_one_another(spans)
    layers = [_bars(summary, spans, at_once, workers, places, x, y), *_pauses(working, places, x)]
    return [
        figure(
            "timeline",
            "What the workers did when",
            {"layer": layers},
            _caption(summary, spans, working, workers, shared=any(of > 1 for _, of in at_once)),
            height=min(20 + LANE * len(workers), TALLEST),
            params=[labels],
        )
    ]


class _Places:
    """Where a time stands on the axis, in a unit that suits the whole: pauses are cut to a small gap."""

    def __init__(self, working: Sequence[WorkingTime]) -> None:
        self.worked = sum(time.end - time.start for time in working)
        self.seconds, self.unit = [each for each in UNITS if self.worked >= 2 * each[0] or each[0] == 1][-1]
        gap = GAP * self.worked
        self._cut: list[tuple[float, float]] = []  # from this time on, so much is cut out
        cut = 0.0
        for time in working:
            cut += max(time.pause - gap, 0.0)
            self._cut.append((time.start, cut))
        self.paused = len(working) > 1
        self.end = self.of(working[-1].end)

    def of(self, time: float) -> float:
        """Return the place of `time` (seconds from the first start)."""
        cut = next((cut for start, cut in reversed(self._cut) if time >= start), 0.0)
        return (time - cut) / self.seconds


def _bars(
    summary: Summary,
    spans: Sequence[Span],
    at_once: Sequence[tuple[int, int]],
    workers: Sequence[str],
    places: _Places,
    x: Row,
    y: Row,
) -> Row:
    lane_of = {worker: number for number, worker in enumerate(workers)}
    rows = []
    for span, (place, of) in zip(spans, at_once, strict=True):
        left, top, height = places.of(span.start), lane_of[span.worker] - LANE_SHARE / 2, LANE_SHARE / of
        thinnest = THINNEST * places.end * (1 if span.evaluation.status == "ok" else 3)
        rows.append(
            {
                **{
                    "x": left,
                    "x2": max(places.of(span.end), left + thinnest),
                    "y": top + place * height,
                    "y2": top + (place + 1) * height,
                },
                **{"colour": _colour(span), "evaluations": [span.evaluation.number], "tip": _said(span, summary)},
            }
        )
    rows = _joined(rows, len(workers), places.end)
    colour = {"field": "colour", "type": "nominal", "scale": None}
    look = {"stroke": PAPER, "strokeWidth": 0.5 if len(spans) <= 300 else 0.0}
    return layer(rows, "rect", look, x=x, x2={"field": "x2"}, y=y, y2={"field": "y2"}, color=colour)


def _joined(rows: list[Row], lanes_there: int, end: float) -> list[Row]:
    """Return the bars; of more than `MANY` those that begin in one part of the time, in lanes side by side, are one."""
    if len(rows) <= MANY:
        return rows
    up = min(lanes_there, UP)
    across = MANY // up
    members: dict[tuple[int, int, bool], list[Row]] = {}
    for row in rows:
        lane = int((row["y"] + LANE_SHARE / 2) * up / lanes_there)
        members.setdefault((lane, int(across * row["x"] / end), row["colour"] == FAILED), []).append(row)
    return [each[0] if len(each) == 1 else _one_of(each) for each in members.values()]


def _one_of(rows: Sequence[Row]) -> Row:
    ends = {
        name: least(row[name] for row in rows) for name, least in (("x", min), ("x2", max), ("y", min), ("y2", max))
    }
    numbers = sorted(row["evaluations"][0] for row in rows)
    return {**rows[0], **ends, "evaluations": numbers, "tip": f"{len(rows)} evaluations"}


def _colour(span: Span) -> str:
    one = span.evaluation
    if one.status != "ok":
        return FAILED
    return SHADES[(one.generation if one.generation is not None else one.number) % 2]


def _said(span: Span, summary: Summary) -> str:
    one = span.evaluation
    generation = "" if one.generation is None else f", generation {one.generation}"
    found = f", {one.reused} of {len(one.own_runs)} runs found in the store" if one.reused else ""
    said = f"{tip_of(one, summary)}\n{span.worker}{generation}\n{show(span.end - span.start)} s{found}"
    return printable(said)


def _pauses(working: Sequence[WorkingTime], places: _Places, x: Row) -> list[Row]:
    rows = [
        {
            "x": (places.of(before.end) + places.of(after.start)) / 2,
            "text": f"paused {_duration(after.pause)}",
        }
        for before, after in itertools.pairwise(working)
    ]
    if not rows:
        return []
    text = {"field": "text", "type": "nominal"}
    return [
        layer(rows, "rule", {"color": INK, "strokeDash": [1, 2]}, x=x),
        *haloed(rows, {"angle": 270}, x=x, text=text),
    ]


def _caption(
    summary: Summary, spans: Sequence[Span], working: Sequence[WorkingTime], workers: Sequence[str], *, shared: bool
) -> str:
    share = busy(spans, working)
    who = "The worker was" if len(workers) == 1 else f"The {len(workers)} workers were"
    times = f" in {len(working)} times at work" if len(working) > 1 else ""
    shades = "neighbouring generations" if summary.generations else "neighbours"
    return (
        (f"{who} busy {percent(share)} of the time{times}. " if share is not None else "")
        + f"A lane is a worker, a bar an evaluation (half of them took less than {_duration(typical(spans))}); the two "
        f"greys only tell {shades} apart. White in a lane is waiting: at the end of a generation, for a slow start, "
        "or because there was nothing left to do."
        + (" Bars that share the height of a lane are evaluations that a worker had at once." if shared else "")
        + (" Red bars failed." if summary.reasons else "")
        + (
            " Of so many, bars that begin one after the other are one, and short waits do not show."
            if len(spans) > MANY
            else ""
        )
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{show(round_to(seconds, 2))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _natural(name: str) -> list[Any]:
    """Return a key that sorts worker 10 behind worker 9."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
