"""The time line: which worker did which evaluation when."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from comparator.findings.axes import show
from comparator.findings.summary import Summary
from comparator.findings.workers import Span, WorkingTime, busy, spans_of, typical, working_times_of
from comparator.report.figures.drawing import (
    FAILED,
    INK,
    MANY,
    PAPER,
    SHADES,
    Axes,
    Drawing,
    Mark,
    clip,
    legend,
    mark_of,
    new_drawing,
)

LANE = 0.24  # inches
TALLEST = 7.0
NAMED = 26  # workers; beyond, only some lanes are named
GAP = 0.06  # of the whole: what a pause is drawn as
THINNEST = 0.0015  # of the whole: a bar that can still be seen, and pointed at; thrice that where it failed
UNITS = ((1, "s"), (60, "min"), (3600, "h"))


def timeline(summary: Summary) -> list[Drawing]:
    """Return one lane a worker with its evaluations as bars; pauses between times at work are cut short."""
    spans = spans_of(summary.evaluations)
    working = working_times_of(spans)
    if not spans or working[-1].end <= 0:
        return []
    workers = sorted({span.worker for span in spans}, key=_natural)
    drawing, axes = new_drawing("timeline", "What the workers did when", min(1.3 + LANE * len(workers), TALLEST))
    places = _Places(working)
    _draw_bars(drawing, axes, summary, spans, workers, places)
    _draw_pauses(axes, working, places)
    _set_axes(axes, workers, places)
    legend(axes)
    drawing.caption = _caption(summary, spans, working, workers)
    return [drawing]


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


def _draw_bars(
    drawing: Drawing, axes: Axes, summary: Summary, spans: Sequence[Span], workers: Sequence[str], places: _Places
) -> None:
    from matplotlib.collections import PolyCollection

    lanes = {worker: number for number, worker in enumerate(workers)}
    corners, colours = [], []
    for span in spans:
        left, lane = places.of(span.start), lanes[span.worker]
        thinnest = THINNEST * places.end * (1 if span.evaluation.status == "ok" else 3)
        right = max(places.of(span.end), left + thinnest)
        corners.append([(left, lane - 0.38), (right, lane - 0.38), (right, lane + 0.38), (left, lane + 0.38)])
        colours.append(_colour(span))
    width = 0.5 if len(spans) <= 300 else 0.0
    bars = PolyCollection(corners, facecolor=colours, edgecolor=PAPER, linewidth=width, rasterized=len(spans) > MANY)
    axes.add_collection(bars)
    drawing.mark(bars, [_mark(span, summary) for span in spans])
    # An experiment without failures needs no legend: its shades only tell neighbours apart.
    if FAILED in colours:
        for colour, label in ((SHADES[0], "succeeded"), (FAILED, "failed")):
            axes.scatter([], [], marker="s", s=40, color=colour, label=label)


def _colour(span: Span) -> str:
    one = span.evaluation
    if one.status != "ok":
        return FAILED
    return SHADES[(one.generation if one.generation is not None else one.number) % 2]


def _mark(span: Span, summary: Summary) -> Mark:
    one = span.evaluation
    said = mark_of(one, summary)
    generation = "" if one.generation is None else f", generation {one.generation}"
    reused = sum(run.reused for run in one.runs)
    found = f", {reused} of {len(one.runs)} runs found in the store" if reused else ""
    return Mark(f"{said.text}\n{span.worker}{generation}\n{show(span.end - span.start)} s{found}", said.evaluations)


def _draw_pauses(axes: Axes, working: Sequence[WorkingTime], places: _Places) -> None:
    for before, after in itertools.pairwise(working):
        middle = (places.of(before.end) + places.of(after.start)) / 2
        axes.axvline(middle, color=INK, lw=1, ls=(0, (1, 2)))
        axes.annotate(
            f"paused {_duration(after.pause)}",
            (middle, 0.5),
            xycoords=("data", "axes fraction"),
            fontsize=7,
            rotation=90,
            ha="center",
            va="center",
            color=INK,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
        )


def _set_axes(axes: Axes, workers: Sequence[str], places: _Places) -> None:
    axes.set_xlim(0, places.end)
    axes.set_ylim(len(workers) - 0.4, -0.6)
    every = -(-len(workers) // NAMED)
    axes.set_yticks(range(0, len(workers), every), [clip(worker, 14) for worker in workers[::every]])
    cut = ", pauses cut out" if places.paused else ""
    axes.set_xlabel(f"time in {places.unit} from the first evaluation's start{cut}")


def _caption(summary: Summary, spans: Sequence[Span], working: Sequence[WorkingTime], workers: Sequence[str]) -> str:
    share = busy(spans, working)
    who = "The worker was" if len(workers) == 1 else f"The {len(workers)} workers were"
    times = f" in {len(working)} times at work" if len(working) > 1 else ""
    shades = "neighbouring generations" if summary.generations else "neighbours"
    return (
        (f"{who} busy {share:.0%} of the time{times}. " if share is not None else "")
        + f"A lane is a worker, a bar an evaluation (half of them took less than {_duration(typical(spans))}); the two "
        f"greys only tell {shades} apart. White in a lane is waiting: at the end of a generation, for a slow start, "
        "or because there was nothing left to do." + (" Red bars failed." if summary.reasons else "")
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _natural(name: str) -> list[Any]:
    """Return a key that sorts worker 10 behind worker 9."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
