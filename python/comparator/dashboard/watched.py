"""Experiments as they run: what is trained, what has come, what can be done; and the map, whose dots come at once.

What a map's dots lie on, and the page below it, are made anew at growing intervals, in the maker's process: they take
seconds.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparator.dashboard import actions, jobs
from comparator.dashboard.maker import Maker
from comparator.dashboard.overview import seconds_left, stamp_of
from comparator.engine.jobs import state_of
from comparator.errors import ComparatorError
from comparator.experiment.listing import experiment_row
from comparator.experiment.progress import point_words
from comparator.experiment.running import RunningTraining, running
from comparator.findings import metric_agreement
from comparator.findings.axes import show
from comparator.findings.summary import Summary, summarise
from comparator.report.figures.heat import dots_of
from comparator.report.figures.maps import Ground, maps_on
from comparator.report.words import repeat_commands, typed_command, without_option
from comparator.results.growing import GrowingRecord
from comparator.results.points import as_read
from comparator.results.record import ALIVE, Evaluation, FrozenExperiment
from comparator.results.store import read_experiment

#: What pages and maps are made of.
MADE_OF = ("experiment.json", "evaluations.jsonl", "withdrawn.jsonl")
#: Experiments whose records are kept in memory.
KEPT = 4
#: How many of the latest evaluations are shown.
LATEST = 6
#: What takes seconds is made again when there is a tenth more, and takes a fifth of the time at most.
GROWTH, SHARE = 1.1, 5.0
SOONEST_SECONDS = 3.0


@dataclass
class _Made:
    """Something that was made of so many evaluations; `stamp` tells what there was then."""

    stamp: Any = None
    evaluations: int = 0
    content: Any = None
    number: int = 0
    took: float = 0.0
    ended: float = float("-inf")
    is_being_made: bool = False
    failure: str = ""

    def is_due(self, stamp: Any, evaluations: int, *, runs: bool) -> bool:
        """Whether it is time to make it again."""
        if self.is_being_made or stamp == self.stamp:
            return False
        if not runs or self.stamp is None:
            return True
        rested = time.monotonic() - self.ended >= max(SOONEST_SECONDS, SHARE * self.took)
        return rested and evaluations >= GROWTH * self.evaluations


@dataclass
class _Watched:
    record: GrowingRecord
    pages: dict[str | None, _Made] = field(default_factory=dict)
    grounds: dict[str | None, _Made] = field(default_factory=dict)


class Watch:
    """The experiments of a folder that somebody looks at; from any thread."""

    def __init__(self, experiments: Path, root: Path, pages: Path, maker: Maker) -> None:
        """`pages` is a folder for what is made."""
        self._experiments, self._root, self._pages, self._maker = experiments, root, pages, maker
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._turn = threading.Lock()

    def state(self, path: Path, metric: str | None) -> dict[str, Any]:
        """What an experiment is doing, in plain values; raises `InputError` where it cannot be read."""
        watched = self._of(path)
        with self._turn:
            records = watched.record.read()
        experiment, state = read_experiment(path), state_of(path)
        runs = state.state in ALIVE
        page = self._kept(watched.pages, metric, path, len(records), runs, self._write_page)
        ground = self._kept(watched.grounds, metric, path, len(records), runs, self._learn)
        row = experiment_row(path, experiment, records)
        no_resume = actions.why_not_resumed(experiment, state)
        regions = ground.content.regions if ground.content is not None else ()
        return {
            **row,
            "state": state.state,
            "reason": state.reason or "",
            "job": state.job,
            "host": state.host,
            "updated": state.updated,
            "left": seconds_left(records, row["of"], row["evaluations"]) if runs else None,
            "records": len(records),
            "metric": metric or experiment.metric,
            "metrics": metrics_of(experiment, records),
            "running": [_running(each, self._experiments) for each in running(path)] if runs else [],
            "waiting": len(state.running),
            "latest": [_line(each, experiment) for each in records[: -LATEST - 1 : -1]],
            "page": {"number": page.number, "evaluations": page.evaluations, "failure": page.failure},
            "map": {"number": ground.number, "evaluations": ground.evaluations, "failure": ground.failure},
            "being_made": page.is_being_made or ground.is_being_made,
            "may_stop": actions.may_stop(state),
            "may_resume": no_resume is None,
            "no_resume": no_resume or "",
            "commands": actions.commands(path, self._root, experiment, state),
            "steering": steering(experiment, regions),
        }

    def page(self, path: Path, metric: str | None) -> Path | None:
        """The report's page as it was made last; None where none was. To have one made, ask for the state."""
        made = self._of(path).pages.get(metric)
        return None if made is None else made.content

    def map(self, path: Path, metric: str | None, ground: int, have: int) -> dict[str, Any]:
        """The first map: its `chart`, or the `rows` of dots that are new to who has the chart on this ground.

        `have` is how many evaluations were had. Raises `InputError` where the experiment cannot be read.
        """
        watched = self._of(path)
        with self._turn:
            records = watched.record.read()
        experiment = read_experiment(path)
        made = watched.grounds.get(metric)
        known = made.content if made is not None else None
        number = made.number if made is not None else 0
        if ground == number and 0 < have <= len(records) and known is not None and known.pairs:
            new = _summary(experiment, records[have:], metric)
            rows = dots_of(new, new.searched, *known.pairs[0])
            return {"ground": number, "have": len(records), "rows": rows}
        summary = _summary(experiment, records, metric)
        if not summary.evaluations:
            return {"ground": number, "have": 0, "chart": None}
        drawn = maps_on(summary, known or _bare(summary))
        first = drawn[0] if drawn else None
        return {
            "ground": number,
            "have": len(records),
            "of": 0 if known is None or made is None else made.evaluations,
            "chart": None if first is None else first.chart,
            "name": "" if first is None else first.name,
            "title": "" if first is None else first.title,
            "caption": "" if first is None else first.caption,
            "axes": [axis.name for axis in (known or _bare(summary)).pairs[0]] if drawn and len(summary.axes) > 1 else [],
        }

    def _of(self, path: Path) -> _Watched:
        with self._turn:
            if path.name not in self._watched:
                self._watched[path.name] = _Watched(GrowingRecord(path / "evaluations.jsonl"))
                if len(self._watched) > KEPT:
                    oldest, watched = next(iter(self._watched.items()))
                    # What was made stays: it is small, and was dear.
                    watched.record = GrowingRecord(self._experiments / oldest / "evaluations.jsonl")
            self._watched.move_to_end(path.name)
            return self._watched[path.name]

    def _kept(
        self,
        kept: dict[str | None, _Made],
        metric: str | None,
        path: Path,
        evaluations: int,
        runs: bool,
        make: Callable[[Path, str | None], tuple[int, Any]],
    ) -> _Made:
        """What was made last; where that is of too few evaluations it is made again meanwhile."""
        stamp = stamp_of(path, MADE_OF)
        with self._turn:
            made = kept.setdefault(metric, _Made())
            if not made.is_due(stamp, evaluations, runs=runs):
                return made
            made.is_being_made = True
        threading.Thread(target=_make, args=(made, stamp, make, path, metric), daemon=True).start()
        return made

    def _write_page(self, path: Path, metric: str | None) -> tuple[int, Any]:
        output = self._pages / path.name / (metric or "own")
        output.mkdir(parents=True, exist_ok=True)
        count = self._maker(jobs.write_page, path, metric, output, "../../files")
        name = "report.html" if metric is None else f"report-{metric}.html"
        page = output / name if (output / name).exists() else output / "report.html"
        return count, page

    def _learn(self, path: Path, metric: str | None) -> tuple[int, Any]:
        learnt = self._maker(jobs.learn, path, metric)
        return learnt.evaluations, learnt.ground


def _make(
    made: _Made,
    stamp: Any,
    make: Callable[[Path, str | None], tuple[int, Any]],
    path: Path,
    metric: str | None,
) -> None:
    began = time.monotonic()
    try:
        made.evaluations, made.content = make(path, metric)
        made.failure = ""
    except ComparatorError as error:
        made.failure = str(error)
    made.ended = time.monotonic()
    made.took = made.ended - began
    made.number += 1
    made.stamp, made.is_being_made = stamp, False


def metrics_of(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> list[str]:
    """The metrics in which an experiment can be read: its own first, then the others that its trainings report."""
    reported = (name for record in records[:1] for run in record.runs for name in run.metrics)
    return list(dict.fromkeys([experiment.metric, *sorted(set(reported))]))


def steering(experiment: FrozenExperiment, regions: Sequence[Any]) -> dict[str, Any]:
    """The commands that steer: searches within a region and around it, with more replicates; `box` awaits a box."""
    typed = without_option(typed_command(experiment), "--id")
    found = [
        {"what": what, "command": command}
        for what, command in repeat_commands(experiment, regions)
        if what.startswith("A search ")
    ]
    if "search" not in typed[:2]:
        return {"commands": [], "box": ""}
    replicates = experiment.stages.replicates
    more = 2 * replicates if isinstance(replicates, int) else 3
    words = _without_setting(typed, "search.replicates")
    found.append(
        {
            "what": f"The same search with {more} replicates of each point",
            "command": shlex.join([*words, "--set", f"search.replicates={more}"]),
        }
    )
    plain = without_option(without_option(typed, "--focus"), "--avoid")
    return {"commands": found, "box": shlex.join(plain)}


def _without_setting(words: Sequence[str], key: str) -> list[str]:
    kept: list[str] = []
    skip = False
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if skip or (word == "--set" and following.startswith(f"{key}=")):
            skip = not skip
            continue
        kept.append(word)
    return kept


def _summary(experiment: FrozenExperiment, records: Sequence[Evaluation], metric: str | None) -> Summary:
    found = metric_agreement.with_signed(experiment, records)
    if metric is not None and metric != experiment.metric:
        experiment, found = metric_agreement.read_in(experiment, found, metric)
    return summarise(experiment, found)


def _bare(summary: Summary) -> Ground:
    """The ground before anything is learnt."""
    axes = summary.axes[:2]
    pairs = ((axes[0], axes[1]),) if len(axes) == 2 else ()
    return Ground(pairs, (None,) * len(pairs), ())


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


def _line(record: Evaluation, experiment: FrozenExperiment) -> dict[str, Any]:
    value = None if record.value is None else as_read(record.value, maximise=experiment.objective.maximise)
    return {
        "evaluation": record.evaluation,
        "stage": record.stage,
        "point": point_words(record.point),
        "status": record.status,
        "value": value,
        "reason": record.reason or "",
        "logs": logs_of(record),
    }


def logs_of(record: Evaluation) -> list[str]:
    """The logs of an evaluation's trainings, relative to the folder of all experiments."""
    return [run.log for run in record.runs if run.log]
