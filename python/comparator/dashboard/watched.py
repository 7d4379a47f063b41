"""Experiments as they run: what is trained, what has come, what can be done; and their pages, whose dots come at once.

A page with all that is found is made anew at growing intervals, in the maker's process: that takes seconds.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparator.dashboard import actions, jobs, steering
from comparator.dashboard.maker import Maker
from comparator.dashboard.overview import FILES, RESTS, tag_of
from comparator.engine.jobs import state_of
from comparator.errors import ComparatorError
from comparator.experiment.listing import experiment_row, stamp_of, state_words
from comparator.experiment.progress import LATEST, point_words, seconds_left
from comparator.experiment.running import RunningTraining, running
from comparator.formats.numbers import show
from comparator.report.evaluations import evaluations_content
from comparator.report.figures.figure import newest, others_of
from comparator.report.figures.maps import maps_on
from comparator.report.reading import reading_of
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.growing import GrowingRecord
from comparator.results.record import Evaluation
from comparator.results.state import ALIVE

#: Experiments whose records are kept in memory.
KEPT = 8
RECORD = "evaluations.jsonl"
#: The address of the folder of all experiments, as an experiment's page has it.
LOGS = "../../files"
#: What a page is made of.
MADE_OF = ("experiment.json", RECORD, "withdrawn.jsonl")
#: What takes seconds is made again when there is a tenth more, and takes a fifth of the time at most.
GROWTH, SHARE = 1.1, 5.0
SOONEST_SECONDS = 3.0


@dataclass
class _Made:
    """A page, as it was made last; `stamp` tells what there was then, `ran` whether the experiment did."""

    stamp: Any = None
    page: jobs.Page | None = None
    number: int = 0
    took: float = 0.0
    ended: float = float("-inf")
    is_being_made: bool = False
    failure: str = ""
    ran: bool = False

    def is_due(self, stamp: Any, evaluations: int, *, runs: bool) -> bool:
        """Whether it is time to make it again."""
        if self.is_being_made or not evaluations:
            return False
        runs_again = self.page is not None and runs and not self.ran  # then what to do next is another
        if stamp == self.stamp and not runs_again:
            return False
        if self.page is None or not runs or runs_again:
            return True
        rested = time.monotonic() - self.ended >= max(SOONEST_SECONDS, SHARE * self.took)
        return rested and evaluations >= GROWTH * self.page.evaluations


@dataclass
class _Watched:
    record: GrowingRecord
    created: str = ""
    pages: dict[str | None, _Made] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)
    stamp: Any = None
    counted: float = float("-inf")
    took: float = 0.0


class Watch:
    """The experiments of a folder that somebody looks at; from any thread."""

    def __init__(self, experiments: Path, root: Path, maker: Maker) -> None:
        self._experiments, self._root, self._maker = experiments, root, maker
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._turn = threading.Lock()

    def state(self, path: Path, metric: str | None) -> dict[str, Any]:
        """What an experiment is doing, in plain values; raises `InputError` where it cannot be read.

        Who asks again and again has its page made when it is time.
        """
        experiment = self._read(path)
        records, state = self._records(path), state_of(path)
        runs = state.state in ALIVE
        made = self._made(path, metric, len(records), runs=runs)
        row = self._row(path, experiment, records)
        no_resume = actions.why_not_resumed(experiment, state)
        ground = None if made.page is None else made.page.ground
        return {
            **row,
            "state": state.state,
            "doing": state_words(path, state),
            "reason": state.reason or "",
            "job": state.job,
            "host": state.host,
            "left": seconds_left(self._latest(path), row["of"], row["evaluations"]) if runs else None,
            "records": len(records),
            "metric": metric or experiment.metric,
            "metrics": metrics_of(experiment, records),
            "running": [_running(each, self._experiments) for each in running(path)] if runs else [],
            "waiting": state.in_flight,
            "page": {
                "number": 0 if made.page is None else made.number,
                "failure": made.failure,
                "is_being_made": made.is_being_made,
            },
            "may_stop": actions.may_stop(state),
            "may_resume": no_resume is None,
            "no_resume": no_resume or "",
            "commands": actions.commands(path, self._root, experiment, state),
            "steering": {
                "suggestions": steering.suggestions(experiment, () if ground is None else ground.regions),
                "axes": steering.axes_of_box(experiment),
                "may_begin": steering.why_not_begun(experiment) is None,
            },
        }

    def page(self, path: Path, metric: str | None) -> tuple[int, jobs.Page]:
        """The experiment's page as it was made last, and its number; before that one of its dots alone, number 0.

        It is made when the state is asked for. Raises `InputError` where the experiment cannot be read.
        """
        experiment = self._read(path)
        made = self._watched_of(path).pages.get(metric)
        if made is not None and made.page is not None:
            return made.number, made.page
        summary = reading_of(path, experiment, self._records(path), metric).summary
        return 0, jobs.first_page(experiment, summary, state_of(path).state, LOGS)

    def news(self, path: Path, metric: str | None, since: int, held: str = "") -> dict[str, Any]:
        """What has come for a page that shows `since` evaluations: maps with the new dots, the new rows of the table.

        What lies under the dots is many times as much, and seldom another: `held` is what tells it, as the latest news
        had it, and where it is still so it is not sent again.

        Raises `InputError` where the experiment cannot be read.
        """
        experiment = self._read(path)
        made = self._watched_of(path).pages.get(metric)
        ground = None if made is None or made.page is None else made.page.ground
        records = self._records(path)
        summary = reading_of(path, experiment, records, metric).summary
        figures = maps_on(summary, ground) if ground is not None and summary.evaluations else []
        new = {each.evaluation for each in records[since:]}
        under = tag_of([others_of(each.chart) for each in figures])
        return {
            "created": experiment.created,
            "records": len(records),
            "held": under,
            "figures": {each.name: newest(each.chart, new, are_held=held == under) for each in figures},
            "evaluations": evaluations_content(summary, LOGS, new),
        }

    def _read(self, path: Path) -> FrozenExperiment:
        """The experiment; where another has taken its place under the same id, nothing is kept of the one before."""
        experiment, watched = read_experiment(path), self._watched_of(path)
        with self._turn:
            if watched.created not in ("", experiment.created):
                watched = self._watched[path.name] = _Watched(GrowingRecord(path / RECORD, keep=LATEST))
            watched.created = experiment.created
        return experiment

    def _row(self, path: Path, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> dict[str, Any]:
        """The experiment's row, which thousands of evaluations have counted anew now and then alone."""
        watched, stamp, now = self._watched_of(path), stamp_of(path, FILES), time.monotonic()
        with self._turn:
            if watched.stamp != stamp and now - watched.counted >= RESTS * watched.took:
                watched.row = experiment_row(path, experiment, records, watched.record.tally)
                watched.stamp = stamp
                watched.counted, watched.took = now, time.monotonic() - now
            return watched.row

    def _records(self, path: Path) -> list[Evaluation]:
        watched = self._watched_of(path)
        with self._turn:
            return watched.record.read()

    def _latest(self, path: Path) -> list[Evaluation]:
        watched = self._watched_of(path)
        with self._turn:
            return list(watched.record.tally.latest)

    def _watched_of(self, path: Path) -> _Watched:
        with self._turn:
            if path.name not in self._watched:
                self._watched[path.name] = _Watched(GrowingRecord(path / RECORD, keep=LATEST))
                if len(self._watched) > KEPT:
                    self._watched.popitem(last=False)
            self._watched.move_to_end(path.name)
            return self._watched[path.name]

    def _made(self, path: Path, metric: str | None, evaluations: int, *, runs: bool) -> _Made:
        """The page that was made last; where that is of too few evaluations another is made meanwhile."""
        watched, stamp = self._watched_of(path), stamp_of(path, MADE_OF)
        with self._turn:
            made = watched.pages.setdefault(metric, _Made())
            if made.is_due(stamp, evaluations, runs=runs):
                made.is_being_made, made.ran = True, runs
                threading.Thread(target=self._make, args=(made, stamp, path, metric), daemon=True).start()
            return made

    def _make(self, made: _Made, stamp: Any, path: Path, metric: str | None) -> None:
        began = time.monotonic()
        try:
            made.page, made.failure = self._maker(jobs.make_page, path, metric, LOGS), ""
        except ComparatorError as error:
            made.failure = str(error)
        finally:
            made.ended = time.monotonic()
            made.took, made.number, made.stamp = made.ended - began, made.number + 1, stamp
            made.is_being_made = False


def metrics_of(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """The metrics in which an experiment can be read: its own first, then the others that its trainings report."""
    reported = (name for record in records[:1] for run in record.runs for name in run.metrics)
    return list(dict.fromkeys([experiment.metric, *sorted(set(reported))]))


def _running(training: RunningTraining, experiments: Path) -> dict[str, Any]:
    return {
        "evaluation": training.evaluation,
        "replicate": training.replicate,
        "submodel": training.submodel,
        "model": training.model,
        "point": point_words(training.point),
        "since": training.since.timestamp(),
        "epoch": training.epoch,
        "epochs": training.epochs,
        "losses": {name: show(value) for name, value in training.losses.items()},
        "log": None if training.log is None else training.log.relative_to(experiments).as_posix(),
    }
