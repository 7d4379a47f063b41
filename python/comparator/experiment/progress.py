"""How an experiment is doing, for a terminal that is watched and for a log that is read later."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from comparator.experiment.terminal import in_notebook
from comparator.formats.text import message, shortened
from comparator.results.points import as_read, best_of, done_in, failed_in
from comparator.results.record import Evaluation, FrozenExperiment


class ProgressView:
    """Shows evaluations done, best so far, running, failed and time left.

    On a terminal and in a notebook one line that is redrawn; elsewhere a line for every tenth of the budget.
    """

    def __init__(self, console: Console, experiment: FrozenExperiment, *, done_before: int = 0) -> None:
        self._console, self._experiment = console, experiment
        self._total = experiment.budget.evaluations
        self._done_before = done_before
        self._began = time.monotonic()
        self._lines_told = -1
        self._progress = Progress(
            TextColumn("{task.fields[done]}", markup=False),
            BarColumn(24),
            TextColumn("{task.fields[words]}", markup=False),
            console=console,
        )
        self._task = self._progress.add_task("", total=self._total, done="", words="starting")
        self._cell = None if console.quiet else _cell_output()

    def __enter__(self) -> ProgressView:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def update(self, records: Sequence[Evaluation], running: int, heard: int = 0) -> None:
        """Show the state: the record, how many evaluations workers hold, and how many pairs were `heard` of.

        Those are more than the record's where evaluations of several replicates are half done.
        """
        done = max(heard, done_in(records))
        words = message(describe(self._experiment, records, running, self._seconds_left(done)))
        counted = f"{done}/{self._total}" if self._total else f"{done}"
        if self._console.is_terminal:
            self._progress.update(self._task, completed=done, done=counted, words=words)
        elif self._cell is not None:
            part = done / self._total if self._total else 0.0
            self._cell.update(_plain(f"{counted} {'█' * round(24 * part):·<24} {words}"), raw=True)
        elif self._is_worth_a_line(done):
            self._console.print(f"{counted}  {words}", markup=False, highlight=False, soft_wrap=True)

    def _seconds_left(self, done: int) -> float | None:
        here = done - self._done_before
        if self._total is None or here <= 0:
            return None
        return (time.monotonic() - self._began) / here * (self._total - done)

    def _is_worth_a_line(self, done: int) -> bool:
        step = max(1, (self._total or 50) // 10)
        line = done // step
        if line == self._lines_told:
            return False
        self._lines_told = line
        return True


def _cell_output() -> Any:
    """A line of the notebook's cell that runs, which can be written anew; None outside notebooks."""
    if not in_notebook():
        return None
    from IPython.display import display

    return display(_plain("starting"), raw=True, display_id=True)


def _plain(text: str) -> dict[str, str]:
    return {"text/plain": text}


def describe(
    experiment: FrozenExperiment,
    records: Sequence[Evaluation],
    running: int,
    seconds_left: float | None,
) -> str:
    """The state in one line: `best 0.412 at noise 3.1, layer_force 180 · 2 running · about 1:20 left`."""
    parts = [best_words(experiment, records)]
    failed = failed_in(records)
    if failed:
        parts.append(f"{failed} failed")
    if running:
        parts.append(f"{running} running")
    if seconds_left == 0 and running:
        parts.append("training the best anew")
    elif seconds_left is not None:
        parts.append(f"about {clock(seconds_left)} left" if seconds_left >= 1 or running else "done")
    return " · ".join(part for part in parts if part)


def best_words(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> str:
    """The best point so far and its value."""
    best = next(iter(best_of(records)), None)
    if best is None:
        return "no result yet"
    value = as_read(best.value or 0.0, maximise=experiment.objective.maximise)
    return f"best {value:.3g} at {point_words(best.point)}"


def point_words(point: Mapping[str, Any]) -> str:
    """A point in words: `noise 31.2, layer_force 88`."""
    return ", ".join(
        f"{shortened(name)} {f'{value:.3g}' if isinstance(value, float) else shortened(str(value))}"
        for name, value in point.items()
    )


def clock(seconds: float) -> str:
    """`1:05` for 65 seconds, `2:00:00` for two hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
