"""The local engine: this machine's slots, each worker a thread."""

from __future__ import annotations

import queue
from collections.abc import Sequence

from comparator.engine.interface import Engine, EngineOptions, Search, carry_out, deadline_of, share_slots
from comparator.engine.leaf import Leaf
from comparator.engine.workers import Workers
from comparator.errors import InputError
from comparator.site.profile import Site, Slot


class Local(Engine):
    """Evaluates in threads of this process, which share its slots evenly."""

    name = "local"
    takes = frozenset({*Engine.takes, "together"})
    manner = "runs on this machine alone"

    def __init__(self, slots: Sequence[Slot], workers: int, deadline: float | None = None) -> None:
        self.workers, self.deadline = workers, deadline
        self._slots = slots

    @classmethod
    def open(cls, asked: EngineOptions, site: Site, slots: Sequence[Slot]) -> Local:
        workers = asked.workers or asked.workers_per_node or len(slots)
        if workers > len(slots):
            raise InputError(
                f"--workers {workers}: site '{site.name}' has {len(slots)} slots;"
                " SITE_CORES=N in the environment makes it N"
            )
        return cls(slots, workers, deadline_of(asked.walltime))

    def run(self, search: Search) -> None:
        shares = share_slots(self._slots, self.workers)
        leaves = [search.leaf(slots, number, self.deadline) for number, slots in enumerate(shares)]
        idle: queue.SimpleQueue[Leaf] = queue.SimpleQueue()
        for leaf in leaves:
            idle.put(leaf)

        def evaluate(task: str) -> str:
            leaf = idle.get()
            try:
                return leaf.carry_out(task)
            finally:
                idle.put(leaf)

        def cancel() -> None:
            for leaf in leaves:
                leaf.cancel()

        with search.hosted() as show:
            try:
                carry_out(search, Workers[str](len(leaves), cancel), evaluate, show, at_a_time=len(leaves))
            finally:
                for leaf in leaves:
                    leaf.close()
