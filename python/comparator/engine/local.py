"""The local engine: this machine's slots, driven through `concurrent.futures`."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from comparator.leaf import Leaf
from comparator.site import Slot


def share_slots(slots: Sequence[Slot], workers: int) -> list[list[Slot]]:
    """Deal `slots` out to `workers`, as evenly as they go; each worker gets at least one."""
    return [list(slots[number::workers]) for number in range(workers)]


class Search(Protocol):
    """What hosts a search: an `Experiment`, or the sitting around one."""

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

    with ThreadPoolExecutor(len(leaves), thread_name_prefix="worker") as workers:
        try:
            running: list[Future[str]] = [workers.submit(evaluate, each) for each in search.start()]
            on_change()
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                # In the order in which they were asked for, which for one worker is that in which they finished.
                for future in [each for each in running if each in finished]:
                    running.remove(future)
                    running += [workers.submit(evaluate, each) for each in search.tell(future.result())]
                    on_change()
        except BaseException:
            for leaf in leaves:
                leaf.cancel()
            workers.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            for leaf in leaves:
                leaf.close()
