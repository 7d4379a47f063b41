"""The two parts that a rank of the Swift/T engine may play; `swift/comparator.tcl` calls them.

    resident    start() -> tasks, exchange([results, ...]) -> tasks: hosts the search and writes the record;
                goes_on() -> "1" or "0", after a wait where nothing was exchanged since it was asked last;
                shares_cores() -> "1" or "0": whether workers sleep while there is no task, and are called:
                tasks_sent(), workers_told()
    worker      evaluate(task) -> results: in this interpreter or as `python -m comparator.ranks`;
                where it sleeps while there is no task: sleep(), task_came(), results_sent()

A task is a request, or several: of trainings that take no time to speak of, or that a model takes together. Tasks come
one on each line; a long one is put into a file, which the task names. All texts are JSON
without the character ', so that Python and Tcl carry them as they are. What the ranks need to know stands in the
launch's file, which COMPARATOR_LAUNCH names.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from comparator.engine.interface import Task
from comparator.engine.keeper import node_name
from comparator.engine.launches import LaunchForRanks
from comparator.engine.leaf import Leaf
from comparator.engine.local import Local
from comparator.engine.tasks import BETWEEN, Dealing
from comparator.engine.waiting import WaitingResident, WaitingWorker, Waits
from comparator.experiment.host import Host
from comparator.experiment.terminal import Terminal
from comparator.experiment.worker import Worker, WorkerPlace, reopen
from comparator.results.form import from_text
from comparator.results.state import last_word, say
from comparator.site.profile import Site

if TYPE_CHECKING:
    from comparator.experiment.session import Session

RESIDENT_LOG = "resident.log"
#: A longer task is put into a file (`swift/comparator.tcl` says why), whose name follows this.
LONGEST_TASK, IN_FILE = 50_000, "/"
#: Seconds that a rank sleeps where nobody calls it: after something came, then, and at the most. Where ranks share
#: cores, to ask the server costs a worker, which waits for the answer without sleep, and those that it keeps from one.
RESIDENT_WAITS, WORKER_WAITS = (0.0, 2e-4, 5e-3), (1e-3, 1e-3, 5e-2)
#: Seconds after which a rank that is called looks for itself.
LONGEST_WAIT = 0.5
#: The ranks of a node that are no workers: the resident rank and the server.
SERVING = 2
C_LIBRARY = ctypes.CDLL(None)


def start() -> str:
    """Open the experiment on the resident rank; returns the first tasks."""
    experiment = Path(_launch().experiment)
    if last_word(experiment).state == "finished":  # a job that was to go on with it, and need not
        return ""
    _hosts.append(_resident())
    with _resident().what_stops_it_recorded():
        return _handing().tasks(_resident().start())


def exchange(results: list[str]) -> str:
    """Record the results of several tasks, in the order in which they came; returns the tasks that follow from them."""
    told = [result for several in results for result in several.split(BETWEEN)]
    _waiting_resident().results_came()
    with _resident().what_stops_it_recorded():
        _handing().came(results)
        return _handing().tasks(_resident().exchange(told))


def goes_on() -> str:
    """Whether the search waits for results."""
    if not _hosts or _resident().is_over:
        return "0"
    _waiting_resident().wait()
    return "1"


def shares_cores() -> str:
    """Whether a node has more ranks than cores, so that one that polls keeps another from its work.

    Not where there are several servers: of these a worker that does not wait for a task gets those of its own alone.
    """
    return str(int(_shares_cores()))


def tasks_sent() -> str:
    """Call workers for the tasks that were returned last, now that MPI has them."""
    _waiting_resident().call(_handing().tasks_returned)
    return ""


def workers_told() -> str:
    """Call all workers, of which MPI has a message for each."""
    _waiting_resident().call_all()
    return ""


def sleep() -> str:
    """Wait for the next task; threads of this process go on meanwhile."""
    _waiting_worker().wait()
    return ""


def task_came() -> str:
    """Wait for no task any more."""
    _waiting_worker().task_came()
    return ""


def results_sent() -> str:
    """Call the resident rank, now that MPI has a task's results, and wait for the next task."""
    _waiting_worker().results_sent()
    return ""


def evaluate(task: str) -> str:
    """Carry out a task on this worker; raises, and so ends all ranks, only where the worker cannot be set up."""
    try:
        leaf = _leaf()
    except Exception as error:
        folder = _folder()
        say(folder.parent, "failed", [], f"a worker on {node_name()} cannot start: {error}", folder.name)
        raise
    return _without_quotes(leaf.carry_out(_text_of(task)))


class _Resident:
    """The session of the resident rank. What stops it is recorded before it stops all ranks."""

    def __init__(self, launch: LaunchForRanks) -> None:
        self._launch = launch
        self._folder = _folder()
        self._log = (self._folder / RESIDENT_LOG).open("a", encoding="utf-8")
        self._host = _host(launch, Terminal(file=self._log, width=200))
        self._session = self._open()

    @contextmanager
    def what_stops_it_recorded(self) -> Iterator[None]:
        """Record what is raised while the context lasts."""
        try:
            yield
        except BaseException as error:
            self._session.fail(error)
            with suppress(OSError):  # a full disk, which is why the search stops
                traceback.print_exc(file=self._log)
                self._log.flush()
            raise

    def start(self) -> list[str]:
        requests = self._session.start(all_at_once=True)
        self._end_if_over()
        return requests

    def exchange(self, results: list[str]) -> list[str]:
        requests = self._session.tell_all(results)
        self._end_if_over()
        return requests

    @property
    def is_over(self) -> bool:
        return self._session.is_over

    @property
    def usual_seconds(self) -> float | None:
        return self._session.usual_seconds

    @property
    def together(self) -> int:
        return self._session.together

    def _open(self) -> Session:
        from comparator.experiment.opening import open_session  # what no worker needs is imported by none

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
        from comparator.studies import study_of

        deadline = self._host.engine.deadline
        if deadline is not None and time.time() > deadline:
            self._host.say("no report: the walltime is near its end; `comparator report` makes it")
        elif (study := study_of(self._session.path)) is not None:
            study.resume(self._host, self._session.path.name)
        else:
            self._session.report()


#: The search that this rank hosts, where it does.
_hosts: list[_Resident] = []


@cache
def _waiting_resident() -> WaitingResident:
    return WaitingResident(os.environ["COMPARATOR_LAUNCH"], _launch().workers, Waits(*RESIDENT_WAITS), LONGEST_WAIT)


@cache
def _waiting_worker() -> WaitingWorker:
    return WaitingWorker(os.environ["COMPARATOR_LAUNCH"], Waits(*WORKER_WAITS), LONGEST_WAIT)


def _shares_cores() -> bool:
    has_more = _launch().workers_per_node + SERVING > _cores()
    return has_more and os.environ.get("ADLB_SERVERS", "1") == "1"


def _cores() -> int:
    return os.cpu_count() or 1


@cache
def _launch() -> LaunchForRanks:
    """What the launch host wrote down; sets this process up as the launch host's Python was."""
    launch = from_text(LaunchForRanks, Path(os.environ["COMPARATOR_LAUNCH"]).read_bytes())
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
    """Hands out tasks as Tcl takes them: one on each line, without the character ', a long one by a file."""

    def __init__(self) -> None:
        workers, per_node = _launch().workers, _launch().workers_per_node
        of_no_time = min(workers, _cores() * -(-workers // per_node)) if _shares_cores() else workers
        self._dealing = Dealing(workers, of_no_time, _resident().together, lambda: _resident().usual_seconds)
        self.tasks_returned = 0
        self._files = 0

    def came(self, results: list[str]) -> None:
        self._dealing.came(results)

    def tasks(self, requests: list[str]) -> str:
        tasks = self._dealing.tasks(list(map(_without_quotes, requests)))
        self.tasks_returned = len(tasks)
        return "\n".join(task if len(task) <= LONGEST_TASK else self._in_file(task) for task in tasks)

    def _in_file(self, task: str) -> str:
        self._files += 1
        name = f"task-{self._files}"
        (_folder() / name).write_text(task, encoding="utf-8")
        return IN_FILE + name


@cache
def _handing() -> _Handing:
    return _Handing()


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
