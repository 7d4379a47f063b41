"""The two parts that a rank of the Swift/T engine may play; `swift/comparator.tcl` calls them.

    resident    start() -> tasks, exchange([results, ...]) -> tasks: hosts the search and writes the record;
                goes_on() -> "1" or "0", after a wait where nothing was exchanged since it was asked last;
                shares_cores() -> "1" or "0": whether workers are to rest while there is no task
    worker      evaluate(task) -> results: in this interpreter or as `python -m comparator.ranks`; rest()

A task is a request, or several of trainings that take no time to speak of; tasks come one on each line. What a task and
its results hold is separated by `BETWEEN`; a long one is put into a file, which the task names. All texts are JSON
without the character ', so that Python and Tcl carry them as they are. What the ranks need to know stands in the
launch's file, which COMPARATOR_LAUNCH names.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
import traceback
from functools import cache
from pathlib import Path

from comparator.engine.interface import Task
from comparator.engine.keeper import node_name
from comparator.engine.leaf import Leaf
from comparator.engine.local import Local
from comparator.experiment.host import Host
from comparator.experiment.session import Session, open_session
from comparator.experiment.terminal import Terminal
from comparator.experiment.worker import Worker, WorkerPlace, reopen
from comparator.results.record import LISTEN, LaunchForRanks
from comparator.results.state import last_word, say
from comparator.site.profile import Site
from comparator.studies import study_of

RESIDENT_LOG = "resident.log"
#: Stands in no text of JSON, nor in the way of Python's and Tcl's quotes.
BETWEEN = "\f"
#: A task has so many requests as take so long: to hand over one takes some milliseconds where ranks share their cores.
TASK_SECONDS, SHORTEST_SECONDS = 0.1, 1e-3
#: A longer task is put into a file (`swift/comparator.tcl` says why), whose name follows this.
LONGEST_TASK, IN_FILE = 50_000, "/"
#: Seconds that a rank sleeps where nothing is there for it: at once, then, and at the most. Where ranks share cores, to
#: ask the server costs a worker, which waits for the answer without sleep, and those that it keeps from a core.
RESIDENT_WAITS, WORKER_WAITS = (0.0, 2e-4, 5e-3), (1e-3, 1e-3, 5e-2)
#: The ranks of a node that are no workers: the resident rank and the server.
SERVING = 2
C_LIBRARY = ctypes.CDLL(None)


def start() -> str:
    """Open the experiment on the resident rank; returns the first tasks."""
    experiment = Path(_launch().experiment)
    if last_word(experiment).state == "finished":  # a job that was to go on with it, and need not
        return ""
    _hosts.append(_resident())
    return _handing.tasks(_resident().start())


def exchange(results: list[str]) -> str:
    """Record the results of several tasks, in the order in which they came; returns the tasks that follow from them."""
    told = [result for several in results for result in several.split(BETWEEN)]
    _waits.are_over()
    _handing.came(len(results))
    return _handing.tasks(_resident().exchange(told))


def goes_on() -> str:
    """Whether the search waits for results."""
    if not _hosts or _resident().is_over:
        return "0"
    _waits.wait()
    return "1"


def shares_cores() -> str:
    """Whether a node has more ranks than cores, so that one that polls keeps another from its work.

    Not where there are several servers: of these a worker that does not wait for a task gets those of its own alone.
    """
    has_more = _launch().workers_per_node + SERVING > (os.cpu_count() or 1)
    return str(int(has_more and os.environ.get("ADLB_SERVERS", "1") == "1"))


def rest() -> str:
    """Wait a moment for the next task; threads of this process go on meanwhile."""
    _rests.wait()
    return ""


def evaluate(task: str) -> str:
    """Carry out a task on this worker; raises, and so ends all ranks, only where the worker cannot be set up."""
    try:
        leaf = _leaf()
    except Exception as error:
        folder = _folder()
        say(folder.parent, "failed", [], f"a worker on {node_name()} cannot start: {error}", folder.name)
        raise
    _rests.are_over()
    return BETWEEN.join(_without_quotes(leaf.evaluate(request)) for request in _text_of(task).split(BETWEEN))


class _Resident:
    """The session of the resident rank. What stops it is recorded before it stops all ranks."""

    def __init__(self, launch: LaunchForRanks) -> None:
        self._launch = launch
        self._folder = _folder()
        self._log = (self._folder / RESIDENT_LOG).open("a", encoding="utf-8")
        self._host = _host(launch, Terminal(file=self._log, width=200))
        self._session = self._open()

    def start(self) -> list[str]:
        try:
            requests = self._session.start(all_at_once=self._launch.sweep)
        except BaseException as error:
            self._fail(error)
            raise
        self._end_if_over()
        return requests

    def exchange(self, results: list[str]) -> list[str]:
        try:
            requests = self._session.tell_all(results)
        except BaseException as error:
            self._fail(error)
            raise
        self._end_if_over()
        return requests

    @property
    def is_over(self) -> bool:
        return self._session.is_over

    @property
    def usual_seconds(self) -> float | None:
        return self._session.usual_seconds

    def _open(self) -> Session:
        session = open_session(self._host, Path(self._launch.experiment).name)
        session.launched_from(self._folder.name)
        return session

    def _end_if_over(self) -> None:
        if not self._session.is_over:
            return
        # The end is told first: a job that is killed while it writes the report has finished its experiment.
        self._session.end()
        if self._host.site.has_nodes and not self._session.is_cut_short:
            try:
                self._report()
            except Exception:
                traceback.print_exc(file=self._log)
        self._log.flush()

    def _report(self) -> None:
        """Make the report here, where nobody waits for the end."""
        deadline = self._host.engine.deadline
        if deadline is not None and time.time() > deadline:
            self._host.say("no report: the walltime is near its end; `comparator report` makes it")
        elif (study := study_of(self._session.path)) is not None:
            study.resume(self._host, self._session.path.name)
        else:
            self._session.report()

    def _fail(self, error: BaseException) -> None:
        traceback.print_exc(file=self._log)
        self._log.flush()
        self._session.fail(error)


class _Waits:
    """How a rank waits: briefly where something comes all the time, for longer where it does not."""

    def __init__(self, first: float, shortest: float, longest: float) -> None:
        self._first, self._shortest, self._longest = first, shortest, longest
        self._seconds = shortest

    def are_over(self) -> None:
        self._seconds = self._first

    def wait(self) -> None:
        time.sleep(self._seconds)
        self._seconds = min(max(2 * self._seconds, self._shortest), self._longest)


_waits, _rests = _Waits(*RESIDENT_WAITS), _Waits(*WORKER_WAITS)
#: The search that this rank hosts, where it does.
_hosts: list[_Resident] = []


@cache
def _launch() -> LaunchForRanks:
    """What the launch host wrote down; sets this process up as the launch host's Python was."""
    launch: LaunchForRanks = LaunchForRanks.model_validate_json(Path(os.environ["COMPARATOR_LAUNCH"]).read_bytes())
    if __name__ != "__main__":  # a library inside a rank, not a program of its own
        end_without_finalising()
    # Models are started with it; a rank's own Python is a library inside another program, and does not know.
    sys.executable = launch.python
    if launch.python_path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = launch.python_path
    return launch


def end_without_finalising() -> None:
    """Have this process end, when it exits, without taking its Python down.

    Inside a rank that is done from a handler of exit(3), where extension modules have been seen to crash; and a rank
    that does not end keeps its job until the walltime.
    """
    if hasattr(C_LIBRARY, "on_exit"):  # glibc's
        C_LIBRARY.on_exit(_leave, None)


@ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
def _leave(status: int, _: int | None) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    C_LIBRARY.fflush(None)
    os._exit(status)


@cache
def _resident() -> _Resident:
    return _Resident(_launch())


@cache
def _leaf() -> Leaf:
    """The worker of this rank, at a place that it keeps as long as it lives."""
    launch = _launch()
    worker = Worker(_task(launch), launch.workers_per_node, _deadline(), os.environ["COMPARATOR_LAUNCH"])
    _places.append(WorkerPlace(worker.session, worker.places))
    return worker.open(_places[-1], reopen(worker.task))


_places: list[WorkerPlace] = []


def _task(launch: LaunchForRanks) -> Task:
    described = launch.site.model_dump()
    site = Site(
        **{
            **described,
            "engines": tuple(described["engines"]),
            "directives": tuple(described["directives"]),
            "data_folder": Path(described["data_folder"]),
            "container_options": tuple(described["container_options"]),
            "image_folder": Path(described["image_folder"]) if described["image_folder"] else None,
        }
    )
    return Task(Path(launch.experiment), Path(launch.root), site, launch.warm, launch.reports, launch.sweep)


def _host(launch: LaunchForRanks, console: Terminal) -> Host:
    """The machine as the resident rank has it, which carries out here what is left to do after the search."""
    task = _task(launch)
    slots = task.site.slots()
    engine = Local(slots, launch.workers, _deadline())
    return Host(task.root, task.experiment.parent, task.site, slots, engine, task.warm, console, reports=task.reports)


def _deadline() -> float | None:
    deadline = os.environ.get("COMPARATOR_DEADLINE")
    return float(deadline) if deadline else None


class _Handing:
    """What tasks are made of requests: no more requests in one than leave each worker that is free its share."""

    def __init__(self) -> None:
        self._under_way = 0  # tasks
        self._files = 0

    def came(self, tasks: int) -> None:
        self._under_way -= tasks

    def tasks(self, requests: list[str]) -> str:
        """The requests as tasks, one on each line."""
        if not requests:
            return ""
        several, texts = self._several(len(requests)), list(map(_without_quotes, requests))
        # Who listens waits, and what came in one task with it would wait too.
        alone = [text for text in texts if several > 1 and json.loads(text)["evaluation"] == LISTEN]
        texts = [text for text in texts if text not in alone] if alone else texts
        tasks = [*(BETWEEN.join(texts[place : place + several]) for place in range(0, len(texts), several)), *alone]
        self._under_way += len(tasks)
        return "\n".join(task if len(task) <= LONGEST_TASK else self._in_file(task) for task in tasks)

    def _several(self, requests: int) -> int:
        free, usual = max(1, _launch().workers - self._under_way), _resident().usual_seconds
        return 1 if usual is None else max(1, min(requests // free, int(TASK_SECONDS / max(usual, SHORTEST_SECONDS))))

    def _in_file(self, task: str) -> str:
        self._files += 1
        name = f"task-{self._files}"
        (_folder() / name).write_text(task, encoding="utf-8")
        return IN_FILE + name


_handing = _Handing()


def _text_of(task: str) -> str:
    if not task.startswith(IN_FILE):
        return task
    file = _folder() / task.removeprefix(IN_FILE)
    text = file.read_text(encoding="utf-8")
    file.unlink()
    return text


def _folder() -> Path:
    """The launch's."""
    return Path(os.environ["COMPARATOR_LAUNCH"]).parent


def _without_quotes(text: str) -> str:
    return text.replace("'", "\\u0027")


if __name__ == "__main__":
    print(evaluate(sys.argv[1]))
