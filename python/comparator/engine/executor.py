"""An executor of `concurrent.futures` as an engine: of processes, of Dask, of MPI, of any other library.

This process hosts the search. Its requests go to the executor as texts, one by one, or so many at once as a worker
evaluates together, and are evaluated wherever it takes them, by a worker that is set up there from the experiment's
folder, once in each process. Hence every process of the executor has to see that folder and the project's under the
same paths, and to have this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait

from comparator.engine.interface import Engine, EngineOptions, Search, carry_out, deadline_of
from comparator.engine.workers import Workers
from comparator.errors import ComparatorError, InputError
from comparator.site.profile import Site, Slot


class ExecutorEngine(Engine):
    """Evaluates on an executor, which it leaves open."""

    takes = frozenset({*Engine.takes, "together"})
    manner = "has its own processes"

    def __init__(self, executor: Executor, workers: int, *, places: int, deadline: float | None = None) -> None:
        """`workers` evaluations at a time; on a node up to `places`, which share its slots evenly."""
        self.name = type(executor).__name__
        self.workers, self.deadline = workers, deadline
        self._executor, self._places = executor, places

    @classmethod
    def open(cls, asked: EngineOptions, site: Site, slots: Sequence[Slot]) -> ExecutorEngine:
        """By default it has as many workers as a node has slots: an executor does not say how large it is."""
        assert isinstance(asked.engine, Executor)
        workers = asked.workers or len(slots)
        places = asked.workers_per_node or min(workers, len(slots))
        if places > len(slots):
            raise InputError(f"--workers-per-node {places}: a node of site '{site.name}' has {len(slots)} slots")
        return cls(asked.engine, workers, places=places, deadline=deadline_of(asked.walltime))

    @property
    def options(self) -> list[str]:
        return []

    def run(self, search: Search) -> None:
        worker = search.worker(self._places, self.deadline)
        stopped: Future[str] = Future()

        def evaluate(task: str) -> str:
            """Wait for the executor's answer, or for the end of the search: then nobody waits for what runs there."""
            asked = self._executor.submit(worker, task)
            wait([asked, stopped], return_when=FIRST_COMPLETED)
            if not asked.done():
                asked.cancel()
                return stopped.result()
            return asked.result()

        with search.hosted() as show:
            try:
                workers = Workers[str](self.workers, lambda: stopped.set_result(""))
                carry_out(search, workers, evaluate, show, at_a_time=self.workers)
            except BrokenExecutor as error:
                raise ComparatorError(f"{self.name}: {error}") from None
