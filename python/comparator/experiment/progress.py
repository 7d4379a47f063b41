"""How an experiment is doing, for a terminal that is watched and for a log that is read later."""

from __future__ import annotations

import contextlib
import math
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from comparator.experiment.running import RunningTraining, end_of, running
from comparator.experiment.small_map import SmallMap
from comparator.experiment.terminal import clock, copyable, has_blocks, in_notebook, is_redrawn
from comparator.formats.text import message, one_line, shortened
from comparator.objective.amounts import measure_of
from comparator.results.files import time_of
from comparator.results.frozen import FrozenExperiment
from comparator.results.points import as_read, best_of, searched
from comparator.results.record import Evaluation
from comparator.results.requests import BASELINE
from comparator.results.tally import Tally, pairs_in

#: Of so many of the latest evaluations the pace is taken.
LATEST = 20
#: Seconds between two looks at what runs; a look that takes long is taken less often.
LOOK_SECONDS = 0.5
SPARE = 20
#: Seconds after which a log has a line though nothing has come in; each time twice as many.
FIRST_LINE_SECONDS = 15.0
#: Trainings that are shown, of all that run.
SHOWN = 4
BAR_WIDTH = 30
#: Bytes at the end of a log in which its last line is looked for.
LAST_BYTES = 4096
SEPARATOR = " · "
#: A number that stands three times or more, one behind the other, as the widths of alike layers do.
RUN = re.compile(r"(?<!\S)([^\s,]+)(?:, \1(?![^\s,])){2,}")
#: Lines of a terminal that has room for the map.
ROOM_FOR_MAP = 20


class ProgressView:
    """Shows evaluations done, the best so far, what is trained now with its epochs, time left, and a small map.

    On a terminal some lines that are redrawn, in a notebook one; elsewhere a line for every tenth of the budget, and
    one now and then in between. `folder` is the experiment's.
    """

    def __init__(
        self,
        console: Console,
        experiment: FrozenExperiment,
        folder: Path,
        *,
        done_before: int = 0,
    ) -> None:
        self._console, self._experiment, self._folder = console, experiment, folder
        self._total = experiment.budget.evaluations
        self._began = time.monotonic()
        self._lines_told = -1
        self._records: Sequence[Evaluation] = ()
        self._tally = Tally(LATEST)
        self._done, self._anew, self._words = done_before, 0, "starting"
        self._small_map = SmallMap(experiment, blocks=has_blocks(console)) if experiment.is_search else None
        self._map: list[Text] = []
        self._map_of = -1
        self._trainings: list[RunningTraining] = []
        self._next_look = 0.0
        self._over = threading.Event()
        self._live = Live(console=console, get_renderable=self._drawn, refresh_per_second=2)
        self._ticker = threading.Thread(target=self._tell_now_and_then, name="progress", daemon=True)
        self._cell = None if console.quiet else _cell_output()
        self._is_log = not is_redrawn(console) and self._cell is None

    def __enter__(self) -> ProgressView:
        if is_redrawn(self._console):
            self._live.start()
        elif self._is_log:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        if is_redrawn(self._console):
            self._live.stop()

    def update(
        self, records: Sequence[Evaluation], running: int, heard: int = 0, anew: int = 0, *, is_over: bool = False
    ) -> None:
        """Show the state: the record, how many evaluations workers hold, and how many pairs were `heard` of.

        Those are more than the record's where evaluations of several replicates are half done. `anew` is how many
        pairs try anew what was found, as soon as that is known. Of what `is_over` nothing is left to wait for.
        """
        self._records, self._anew = records, anew
        tally = self._tally.take(records)
        counts = tally.counts
        self._done = max(heard, counts.done)
        if self._experiment.rechecks is not None:  # there is no search in it
            self._done, self._total = counts.confirming, anew or None
        left = None if is_over else seconds_left(tally.latest, self._total, self._done)
        self._words = message(describe(self._experiment, tally, running, left, anew))
        if self._cell is not None:
            part = self._done / self._total if self._total else 0.0
            self._cell.update(_plain(f"{self._counted} {'█' * round(24 * part):·<24} {self._words}"), raw=True)
        elif self._is_log and self._is_worth_a_line(self._done):
            self._print(self._words)

    @property
    def _counted(self) -> str:
        return f"{self._done}/{self._total}" if self._total else f"{self._done}"

    def _print(self, words: str) -> None:
        copyable(self._console, f"{self._counted}  {words}".rstrip())

    def _is_worth_a_line(self, done: int) -> bool:
        step = max(1, (self._total or 50) // 10)
        line = done // step + (self._total is not None and done >= self._total)  # the last result may be the best
        if line == self._lines_told:
            return False
        self._lines_told = line
        return True

    def _tell_now_and_then(self) -> None:
        """Have a log say what runs while no result comes in."""
        seconds = FIRST_LINE_SECONDS
        while not self._over.wait(seconds):
            self._look()
            said = [training_words(each) for each in self._trainings[:2]]
            if said:
                self._print("  ".join(said))
            seconds *= 2

    def _look(self) -> None:
        """Read what is trained now, unless that was done a moment ago."""
        if time.monotonic() < self._next_look:
            return
        began = time.monotonic()
        with contextlib.suppress(Exception):  # what is shown must never stop what is done
            self._trainings = running(self._folder)
        took = time.monotonic() - began
        self._next_look = began + max(LOOK_SECONDS, SPARE * took)

    def _drawn(self) -> RenderableType:
        if self._over.is_set():
            self._trainings = []
        else:
            self._look()
        shown = self._trainings[:SHOWN]
        more = len(self._trainings) - len(shown)
        lines = [self._line(training_words(each)) for each in shown]
        lines += [self._line(f"and {more} more")] if more else []
        room = self._console.height >= ROOM_FOR_MAP
        # Trainings come and go: what stands below them would move each time.
        return Group(self._head(), *self._state(), *(self._newest_map() if room else ()), *lines)

    def _head(self) -> RenderableType:
        spent = f"{clock(time.monotonic() - self._began)} so far"
        if self._total is None:
            return self._line(f"{self._counted} {self._experiment.trained}, {spent}")
        head = Table.grid(padding=(0, 1))
        bar = ProgressBar(
            total=self._total, completed=self._done, width=BAR_WIDTH, complete_style="green", finished_style="green"
        )
        head.add_row(self._counted, bar, spent)
        return head

    def _state(self) -> list[Text]:
        """What `describe` says, in two lines where one has no room for it."""
        best, dot, rest = self._words.partition(SEPARATOR)
        if not dot or cell_len(self._words) <= self._console.width:
            return [self._line(self._words)]
        return [self._line(best), self._line(rest)]

    def _line(self, words: str) -> Text:
        return Text(one_line(words), no_wrap=True, overflow="ellipsis" if has_blocks(self._console) else "crop")

    def _newest_map(self) -> list[Text]:
        if self._small_map is not None and len(self._records) != self._map_of:
            self._map_of = len(self._records)
            with contextlib.suppress(Exception):  # nor must a map
                self._map = self._small_map.lines(self._records)
        return self._map


def _cell_output() -> Any:
    """A line of the notebook's cell that runs, which can be written anew; None outside notebooks."""
    if not in_notebook():
        return None
    from IPython.display import display

    return display(_plain("starting"), raw=True, display_id=True)


def _plain(text: str) -> dict[str, str]:
    return {"text/plain": text}


def training_words(training: RunningTraining) -> str:
    """A training in a line: `#3 CCLE: epoch 7/15, val_loss 0.0153`; before an epoch how long, and what it says."""
    beside = "defaults" if training.evaluation == BASELINE else "probe"
    name = beside if training.evaluation < 0 else f"#{training.evaluation}"
    who = f"{name} {shortened(training.model, 24)}: "
    since = clock((datetime.now(timezone.utc) - training.since).total_seconds())
    if training.epoch is None:
        said = RUN.sub(_told_once, _last_words(training.log) or "")
        return who + (f"{since}  {said}" if said else f"starting, {since}")
    of = f"/{training.epochs}" if training.epochs else ""
    losses = sorted(training.losses.items(), key=lambda each: not each[0].startswith("val"))
    told = "".join(f", {shortened(metric, 20)} {value:.4g}" for metric, value in losses[:2])
    return f"{who}epoch {training.epoch}{of}{told}"


def _told_once(run: re.Match[str]) -> str:
    return f"{run[1]} ({run[0].count(',') + 1} times)"


def _last_words(log: Path | None) -> str | None:
    """The last line that a model has written; None where there is none yet."""
    if log is None:
        return None
    from comparator.model.log_lines import OURS

    lines = end_of(log, LAST_BYTES).splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip() and not line.startswith(OURS)), None)


def seconds_left(records: Iterable[Evaluation], of: int | None, done: int) -> float | None:
    """How long the rest of a budget takes at the pace of the latest evaluations; None where that is not known."""
    latest = list(searched(records))[-LATEST:]
    spent, pairs = busy_seconds(latest), pairs_in(latest)
    if of is None or not pairs or spent <= 0:
        return None
    return spent / pairs * max(0, of - done)


def busy_seconds(records: Sequence[Evaluation]) -> float:
    """How long evaluations of pilot and search were under way, any of them; while an experiment lay still none was."""
    spent = 0.0
    end = -math.inf
    now = time.time()
    times = [(time_of(each.started), each.seconds or 0.0) for each in searched(records)]
    for start, seconds in sorted((began.timestamp(), seconds) for began, seconds in times if began is not None):
        until = min(now, start + seconds)
        spent += max(0.0, until - max(start, end))
        end = max(end, until)
    return spent


def describe(
    experiment: FrozenExperiment,
    tally: Tally,
    running: int,
    seconds_left: float | None,
    anew: int = 0,
) -> str:
    """The state in one line: `best 41.2 % at noise 3.1, layer_force 180 · 2 running · about 1:20 left`."""
    parts, counts = [words_of_best(experiment, tally.best)], tally.counts
    if counts.lost:
        parts.append(f"{counts.lost} failed")
    if running:
        parts.append(f"{running} running")
    if anew and experiment.rechecks is None:  # else what is counted before these words are the same pairs
        parts.append(f"{counts.confirming} of {anew} {experiment.trained} that try it anew")
    elif seconds_left == 0 and running:
        parts.append("training the best anew")
    elif seconds_left is not None:
        parts.append(f"about {clock(seconds_left)} left" if seconds_left >= 1 or running else "done")
    return SEPARATOR.join(part for part in parts if part)


def best_words(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> str:
    """The best point so far and its value."""
    return words_of_best(experiment, next(iter(best_of(records)), None))


def words_of_best(experiment: FrozenExperiment, best: Evaluation | None) -> str:
    """The same of the best that is known already; empty where nothing is searched, so that there is no best."""
    if not experiment.is_search:
        return ""
    if best is None:
        return "no result yet"
    constants = {entry["name"] for entry in experiment.space if entry["type"] == "constant"}
    varied = {name: value for name, value in best.point.items() if name not in constants}
    return f"best {value_words(experiment, best)} at {point_words(varied)}"


def value_words(experiment: FrozenExperiment, one: Evaluation) -> str:
    """The value of an evaluation as it is read: a difference as its measure has it, else the metric."""
    value = as_read(one.value or 0.0, maximise=experiment.objective.maximise)
    return measure_of(experiment).amount(value)


def point_words(point: Mapping[str, Any]) -> str:
    """A point in words: `noise 31.2, layer_force 88`."""
    return ", ".join(
        f"{shortened(name)} {f'{value:.3g}' if isinstance(value, float) else shortened(str(value))}"
        for name, value in point.items()
    )
