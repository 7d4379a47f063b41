"""A map of the results so far, small enough for a terminal: the two hyperparameters that they depend on most."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich.text import Text

from comparator.findings.axes import Axis, effect, varying_axes
from comparator.formats.numbers import show
from comparator.formats.text import shortened
from comparator.objective.amounts import measure_of
from comparator.results.frozen import FrozenExperiment
from comparator.results.points import as_read, latest_of
from comparator.results.record import Evaluation

#: Points with a value before there is a map.
FEWEST = 4
ROWS = 5
#: Columns of the terminal that a bin takes.
BIN_WIDTH = 3
#: From the smallest value to the largest: what stands for it with blocks, without, and its colour where there is one.
BLOCKS, PLAIN = "░▒▓█", ".:o#"
COLOURS = ("#3b528b", "#21918c", "#5ec962", "#fde725")
NAME_WIDTH = 14


class SmallMap:
    """The map of an experiment as it runs: what it shows across and upwards stays what it was at first."""

    def __init__(self, experiment: FrozenExperiment, *, blocks: bool) -> None:
        self._experiment, self._blocks = experiment, blocks
        self._names: tuple[str, ...] = ()

    def lines(self, records: Sequence[Evaluation]) -> list[Text]:
        """The map, a line each; none yet where there are too few results."""
        if len(self._names) < 2:
            self._names = main_axes(self._experiment, records)
        return small_map(self._experiment, records, self._names, blocks=self._blocks)


def main_axes(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> tuple[str, ...]:
    """The two hyperparameters, or the only one, that the results depend on most, in the space's order."""
    known, values, axes = _known(experiment, records)
    if len(known) < FEWEST:
        return ()
    most = sorted(axes, key=lambda axis: -effect(axis, known, values))[:2]
    return tuple(axis.name for axis in axes if axis in most)


def _known(
    experiment: FrozenExperiment, records: Sequence[Evaluation]
) -> tuple[list[Evaluation], list[float], Sequence[Axis]]:
    """The evaluations that have the points' values, these values, and the axes along which the points vary."""
    known = list(latest_of(records).values())
    values = [as_read(record.value or 0.0, maximise=experiment.objective.maximise) for record in known]
    return known, values, varying_axes(experiment.space, [record.point for record in known])


def small_map(
    experiment: FrozenExperiment, records: Sequence[Evaluation], names: Sequence[str], *, blocks: bool
) -> list[Text]:
    """The map over the axes of these names, a line each with a legend below; none where there are too few results.

    A cell is the mean of the points in it, empty where none is; rows of numbers grow upwards.
    """
    known, values, axes = _known(experiment, records)
    shown = [axis for axis in axes if axis.name in names]
    if len(known) < FEWEST or not shown:
        return []
    across, *upwards = shown
    cells = _cells(known, values, across, upwards[0] if upwards else None)
    if not cells:
        return []
    lowest, highest = min(cells.values()), max(cells.values())
    signs = BLOCKS if blocks else PLAIN
    rows = []
    for row in reversed(range(_rows(upwards[0]) if upwards else 1)):
        line = Text(_row_name(upwards[0], row) if upwards else "".rjust(NAME_WIDTH) + " ")
        for column in range(len(across.edges) - 1):
            line.append_text(_cell(cells.get((column, row)), lowest, highest, signs))
        rows.append(line)
    ends = [measure_of(experiment).amount(each) for each in (lowest, highest)]
    return [*rows, *_legend(across, upwards, ends, signs)]


def _cells(
    records: Sequence[Evaluation], values: Sequence[float], across: Axis, upwards: Axis | None
) -> dict[tuple[int, int], float]:
    held: dict[tuple[int, int], list[float]] = {}
    for record, value in zip(records, values, strict=True):
        column = across.bin(record.point.get(across.name))
        row = 0 if upwards is None else _row(upwards, record.point.get(upwards.name))
        if column is not None and row is not None:
            held.setdefault((column, row), []).append(value)
    return {place: statistics.fmean(each) for place, each in held.items()}


def _rows(axis: Axis) -> int:
    return min(ROWS, len(axis.edges) - 1)


def _row(axis: Axis, value: object) -> int | None:
    """The row of the map for a value: several bins share one where there are more than rows."""
    number = axis.bin(value)
    return None if number is None else number * _rows(axis) // (len(axis.edges) - 1)


def _row_name(axis: Axis, row: int) -> str:
    """What stands before a row: the value of a list, the ends of a range of numbers."""
    if axis.discrete and len(axis.values) == _rows(axis):
        name = show(axis.values[row])
    else:
        ends = axis.values or axis.edges
        name = show(ends[-1]) if row == _rows(axis) - 1 else show(ends[0]) if row == 0 else ""
    return f"{shortened(name, NAME_WIDTH):>{NAME_WIDTH}} "


def _cell(value: float | None, lowest: float, highest: float, signs: str) -> Text:
    if value is None:
        return Text(" " * BIN_WIDTH)
    level = int((value - lowest) / (highest - lowest) * len(signs)) if highest > lowest else 0
    level = min(level, len(signs) - 1)
    return Text(signs[level] * BIN_WIDTH, style=COLOURS[level])


def _legend(across: Axis, upwards: Sequence[Axis], ends: Sequence[str], signs: str) -> list[Text]:
    indent = " " * (NAME_WIDTH + 1)
    scale = Text(f"{indent}{signs[0]} {ends[0]} to {signs[-1]} {ends[1]}; {shortened(across.name, 20)}")
    scale.append(f" {shortened(across.range(), 30)} across")
    if upwards:
        scale.append(f", {shortened(upwards[0].name, 20)} upwards")
    return [scale]
