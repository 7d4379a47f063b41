"""The two parts that a rank of the Swift/T engine may play; `swift/leaf.swift` calls them.

    resident    start() -> requests, exchange(result) -> requests: hosts the search and writes the record
    worker      evaluate(request) -> result: one evaluation, in this interpreter or as `python -m comparator.ranks`

Requests come one on each line. All texts are JSON without the character ', so that Python and Tcl carry them as they
are. What the ranks need to know stands in the launch's file, which COMPARATOR_LAUNCH names.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import socket
import sys
import time
import traceback
from functools import cache
from pathlib import Path

from comparator.engine.keeper import node_name
from comparator.engine.leaf import Leaf
from comparator.engine.local import share_slots
from comparator.errors import ComparatorError
from comparator.experiment.host import Host
from comparator.experiment.reopening import reopen_plan
from comparator.experiment.session import Session, open_session
from comparator.experiment.terminal import Terminal
from comparator.results.record import LaunchForRanks
from comparator.results.store import last_word, read_whole_experiment, say
from comparator.site.profile import Site
from comparator.studies import study_of

RESIDENT_LOG = "resident.log"
C_LIBRARY = ctypes.CDLL(None)


def start() -> str:
    """Open the experiment on the resident rank; returns the first requests."""
    experiment = Path(_launch().experiment)
    if last_word(experiment).state == "finished":  # a job that was to go on with it, and need not
        return ""
    return _lines(_resident().start())


def exchange(result: str) -> str:
    """Record a result; returns the requests that follow from it."""
    return _lines(_resident().exchange(result))


def evaluate(request: str) -> str:
    """Carry out a request on this worker; raises, and so ends all ranks, only where the worker cannot be set up."""
    try:
        leaf = _leaf()
    except Exception as error:
        launch = Path(os.environ["COMPARATOR_LAUNCH"]).parent
        say(launch.parent, "failed", [], f"a worker on {node_name()} cannot start: {error}", launch.name)
        raise
    return _without_quotes(leaf.evaluate(request))


class _Resident:
    """The session of the resident rank. What stops it is recorded before it stops all ranks."""

    def __init__(self, launch: LaunchForRanks) -> None:
        self._launch = launch
        self._folder = Path(os.environ["COMPARATOR_LAUNCH"]).parent
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

    def exchange(self, result: str) -> list[str]:
        try:
            requests = self._session.tell(result)
        except BaseException as error:
            self._fail(error)
            raise
        self._end_if_over()
        return requests

    def _open(self) -> Session:
        session = open_session(self._host, Path(self._launch.experiment).name)
        session.launched_from(self._folder.name)
        return session

    def _end_if_over(self) -> None:
        if not self._session.is_over:
            return
        # The end is told first: a job that is killed while it writes the report has finished its experiment.
        self._session.end()
        if self._host.site.scheduler != "none" and not self._session.is_cut_short:
            try:
                self._report()
            except Exception:
                traceback.print_exc(file=self._log)
        self._log.flush()

    def _report(self) -> None:
        """Make the report here, where nobody waits for the end."""
        if self._host.deadline is not None and time.time() > self._host.deadline:
            self._host.say("no report: the walltime is near its end; `comparator report` makes it")
        elif (study := study_of(self._session.path)) is not None:
            study.resume(self._host, self._session.path.name)
        else:
            self._session.report()

    def _fail(self, error: BaseException) -> None:
        traceback.print_exc(file=self._log)
        self._log.flush()
        self._session.fail(error)


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
    launch = _launch()
    host = _host(launch, Terminal(quiet=True))
    experiment = Path(launch.experiment)
    plan = reopen_plan(read_whole_experiment(experiment), root=host.root, site=host.site)
    place = _claim_place(launch.workers_per_node)
    return Leaf(
        plan.frozen,
        [model.placed(host.site.image_folder) for model in plan.models],
        plan.objective,
        experiments=host.experiments,
        data_folder=host.site.data_folder,
        slots=share_slots(host.slots, launch.workers_per_node)[place],
        name=f"{node_name()}/{place}",
        warm=launch.warm and launch.site.leaf == "python",
        deadline=host.deadline,
        say=lambda words: print(words, file=sys.stderr, flush=True),
    )


def _host(launch: LaunchForRanks, console: Terminal) -> Host:
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
    deadline = os.environ.get("COMPARATOR_DEADLINE")
    return Host(
        root=Path(launch.root),
        experiments=Path(launch.experiment).parent,
        site=site,
        slots=site.slots(),
        workers=launch.workers,
        warm=launch.warm,
        reports=launch.reports,
        console=console,
        deadline=float(deadline) if deadline else None,
    )


_claims: list[socket.socket] = []  # held as long as the process lives


def _claim_place(places: int) -> int:
    """Take a place on this node that no other worker of this launch has, for as long as this process lives.

    The place is a name in the kernel (an abstract socket address, unix(7)), which goes when its holder does,
    however that ends. A rank's number on its node would not do: the resident rank and the servers have numbers too.
    """
    # An abstract address has room for 107 bytes.
    launch = hashlib.sha256(os.environ["COMPARATOR_LAUNCH"].encode()).hexdigest()[:16]
    for place in range(places):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0comparator {os.getuid()} {launch} {node_name()} {place}")
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return place
    raise ComparatorError(f"{node_name()}: more workers than the {places} places there are for them")


def _lines(requests: list[str]) -> str:
    return "\n".join(map(_without_quotes, requests))


def _without_quotes(text: str) -> str:
    return text.replace("'", "\\u0027")


if __name__ == "__main__":
    print(evaluate(sys.argv[1]))
