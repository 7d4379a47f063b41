"""What an engine is: what carries the evaluations of an experiment to workers.

An experiment that is opened is a `Search`. It is given to `Engine.run`, which either hosts it in this process, as

    with search.hosted() as show:
        carry_out(search, workers, evaluate, show)

does, or hands it over to another process, which does so later. Requests and results are lines of JSON; `Leaf.evaluate`
makes one of the other. A launch that no process of this machine carries out, but a job of a scheduler say, is a `Job`:
by it any process sees what the experiment is doing, and stops it.

A further engine is a subclass of `Engine`, and a line in `ENGINES` or in the `pyproject.toml` of another package
(`Registry`); its name there is that of `--engine` and of SITE_ENGINES.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from comparator.engine.tasks import BETWEEN, take_tasks
from comparator.engine.workers import Workers
from comparator.formats.finding import Finding
from comparator.site.profile import Site, Slot, seconds_of

if TYPE_CHECKING:
    from comparator.engine.leaf import Leaf

#: So many results are told together at the most: whoever brought the first waits for the requests of all.
MOST_AT_ONCE = 256
#: What remains of a walltime for the last result and the report; of a short one a twentieth.
CLOSING_SECONDS = 60


@dataclass(frozen=True)
class Task:
    """An experiment as whoever carries it out knows it: where it lies, and what its workers are set up with."""

    experiment: Path  # its folder
    root: Path  # the project's
    site: Site
    warm: bool  # whether a model's process stays from one run to the next
    reports: bool  # whether a report is made when it is over
    is_sweep: bool  # whether all points are known from the start


class Search(Protocol):
    """An experiment that is opened, for an engine; its session is one."""

    @property
    def task(self) -> Task: ...

    def hosted(self) -> AbstractContextManager[Callable[[], None]]:
        """Have this process host the search as long as the context lasts, whose end is that of the search.

        Yields what brings the progress that is shown up to date. An exception stops the search: Ctrl-C for a resume,
        any other as failed; what is finished is kept.
        """
        ...

    def start(self, *, all_at_once: bool = False) -> list[str]:
        """The first requests; `all_at_once`: more than can be carried out yet of a search that looks at no result."""
        ...

    def tell(self, result: str) -> list[str]:
        """Record a result; gives the requests that follow. Without one that waits for its result the search is over."""
        ...

    def tell_all(self, results: Sequence[str]) -> list[str]:
        """The same of results that came together, in this order, for less than one by one."""
        ...

    def hand_over(self, launch: str) -> None:
        """Let go of the experiment's folder, for the process that is started by the launch of this name."""
        ...

    def progress(self) -> AbstractContextManager[Callable[[], None]]:
        """Show the progress of a search that another process hosts; yields what brings it up to date."""
        ...

    @property
    def together(self) -> int:
        """How many requests a worker may be given at once, because a model of the search takes trainings together."""
        ...

    def leaf(self, slots: Sequence[Slot], number: int, deadline: float | None) -> Leaf:
        """The worker of this number, in this process, on these slots; `deadline` as `time.time()` has it."""
        ...

    def worker(self, places: int, deadline: float | None) -> Callable[[str], str]:
        """What makes a result of a request in any process that sees the experiment's folder; it can be pickled.

        `places` workers share the slots of a node.
        """
        ...


class Job(ABC):
    """A launch that is not carried out by a process of this machine."""

    #: Its id, for people; None before it has one.
    id: str | None
    #: Whose job it is, for people: `Slurm`.
    of: str

    @abstractmethod
    def state(self) -> str | None:
        """`queued`, `running` or `gone`; None where that cannot be told."""

    @abstractmethod
    def cancel(self) -> None:
        """Have it end; raises `ComparatorError` where that is refused, and it is not over."""


@dataclass(frozen=True)
class EngineOptions:
    """What is said of engine, workers and job; None where nothing is.

    `engine` is a name, an engine, or an executor of `concurrent.futures`.
    """

    engine: str | Engine | Executor | None = None
    workers: int | None = None
    nodes: int | None = None
    workers_per_node: int | None = None
    together: int | None = None
    walltime: str | None = None  # HH:MM:SS
    queue: str | None = None
    project: str | None = None
    resume_jobs: int = 0

    def given(self) -> list[str]:
        """The names of the options that are given, but for the engine's own."""
        names = [each.name for each in fields(self) if each.name != "engine"]
        return [name for name in names if getattr(self, name) not in (None, 0)]


class Engine(ABC):
    """Carries evaluations to workers."""

    #: Its name, for people and in the record.
    name: str
    #: The options that it takes, by their names in `EngineOptions`, and why it takes no others. One that takes
    #: `together` hands out tasks of several requests (`Search.together`); any other has one for each.
    takes: ClassVar[frozenset[str]] = frozenset({"workers", "workers_per_node", "walltime"})
    manner: ClassVar[str] = "does without"
    #: How many evaluations it carries out at a time.
    workers: int
    #: A time as `time.time()` has it, before which every evaluation has to end; None where there is none.
    deadline: float | None = None

    @classmethod
    @abstractmethod
    def open(cls, asked: EngineOptions, site: Site, slots: Sequence[Slot]) -> Engine:
        """The engine on a site whose nodes have these slots; raises `InputError` for what the site cannot give."""

    @abstractmethod
    def run(self, search: Search) -> None:
        """Carry a search out to its end, or raise `Submitted` once something else is to do so.

        Raises `ComparatorError` where that cannot be; an exception, Ctrl-C among them, first ends what it has started.
        """

    @property
    def serves_warm(self) -> bool:
        """Whether its workers stay, so that a model's process can stay from one run to the next."""
        return True

    @property
    def options(self) -> list[str]:
        """The words of the command line that ask for it; none where the command line cannot."""
        return ["--engine", self.name]

    def words(self) -> list[str]:
        """What a dry run says of it besides name and workers, a line each."""
        return []

    def rehearsal(self, task: Task) -> list[str]:
        """The lines that show what would be started for an experiment."""
        return []

    @classmethod
    def job(cls, launch: Path) -> Job | None:
        """The job that carries out the launch in a folder; None where the process does that the launch's file names."""
        return None

    @classmethod
    def check(cls, surroundings: Mapping[str, str]) -> Iterator[Finding]:
        """What of the engine holds on this machine, in the environment that a site sets up."""
        return iter(())


def usable_seconds(walltime: int) -> int:
    """How long after a job's start an evaluation may still end."""
    return walltime - min(CLOSING_SECONDS, walltime // 20)


def deadline_of(walltime: str | None) -> float | None:
    """Until when what starts now may evaluate, as `time.time()` has it; raises `InputError` for no HH:MM:SS."""
    return None if walltime is None else time.time() + usable_seconds(seconds_of(walltime, "--walltime"))


def share_slots(slots: Sequence[Slot], workers: int) -> list[list[Slot]]:
    """Deal `slots` out to `workers`, as evenly as they go; each worker gets at least one."""
    return [list(slots[number::workers]) for number in range(workers)]


def carry_out(
    search: Search,
    workers: Workers[str],
    evaluate: Callable[[str], str],
    on_change: Callable[[], None],
    *,
    at_a_time: int | None = None,
) -> None:
    """Host a search to its end: `evaluate` makes results of its requests on `workers`.

    What is evaluated is one request. Where a model takes trainings together, and it is said how many workers there are,
    `at_a_time`, it is a task of up to `Search.together`, for which requests wait until a worker is free. Results that
    have queued up are told together. `on_change` is called once the first requests are given out, and whenever results
    were told.
    """
    most = 1 if at_a_time is None else search.together
    kept = deque(search.start())
    under_way = 0
    with workers:
        while True:
            free = len(kept) if at_a_time is None or most == 1 else at_a_time - under_way
            for task in take_tasks(kept, free, most):
                workers.start(partial(evaluate, task))
                under_way += 1
            on_change()
            results = next(workers.batches(MOST_AT_ONCE), None)
            if results is None:
                return
            under_way -= len(results)
            kept += search.tell_all([result for several in results for result in several.split(BETWEEN)])
