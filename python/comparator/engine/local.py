"""The local engine: this machine's slots, each worker a thread."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from comparator.engine.leaf import Leaf
from comparator.engine.workers import Workers
from comparator.site.profile import Slot


def share_slots(slots: Sequence[Slot], workers: int) -> list[list[Slot]]:
    """Deal `slots` out to `workers`, as evenly as they go; each worker gets at least one."""
    return [list(slots[number::workers]) for number in range(workers)]


class Search(Protocol):
    """What hosts a search: a `Controller`, or the session around one."""

    def start(self) -> list[str]: ...

    def tell(self, result: str) -> list[str]: ...


def run(search: Search, leaves: Sequence[Leaf], on_change: Callable[[], None]) -> None:
    """Drive a search to its end with one worker a leaf; `on_change` is called after every result.

    An exception, Ctrl-C among them, cancels what runs before it goes on its way; finished evaluations are kept.
    Model servers are ended in any case.
    """
    idle: queue.SimpleQueue[Leaf] = queue.SimpleQueue()
    for leaf in leaves:
        idle.put(leaf)

    def evaluate(request: str) -> str:
        leaf = idle.get()
        try:
            return leaf.evaluate(request)
        finally:
            idle.put(leaf)

    def cancel() -> None:
        for leaf in leaves:
            leaf.cancel()

    try:
        requests = search.start()
        with Workers[str](len(leaves), cancel) as workers:
            for request in requests:
                workers.start(partial(evaluate, request))
            on_change()
            for result in workers.results():
                for request in search.tell(result):
                    workers.start(partial(evaluate, request))
                on_change()
    finally:
        for leaf in leaves:
            leaf.close()
