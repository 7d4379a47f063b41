"""What is handed to a worker at once: a task, which is a request, or several with `BETWEEN` between them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence

from comparator.results.requests import LISTEN

#: Stands in no text of JSON, nor in the way of Python's and Tcl's quotes.
BETWEEN = "\f"
#: A task has so many requests as take so long: to hand over one takes some milliseconds where ranks share their cores.
TASK_SECONDS, SHORTEST_SECONDS = 0.1, 1e-3
#: So many tasks wait for each worker, beside the one that it has: what the others take is not known yet. Not where a
#: model takes trainings together: what comes while all workers have a task may make one with what comes next.
TASKS_AHEAD = 1


def take_tasks(kept: deque[str], free: int, most: int, ahead: int = 0) -> list[str]:
    """Tasks for so many workers that are free, of up to `most` requests each, taken from those that are kept.

    No worker gets more than its share of them while others are free; `ahead` more tasks wait for whoever is free next.
    Who listens waits, and what came in one task with it would wait too.
    """
    tasks: list[str] = []
    while kept and len(tasks) < free + ahead:
        share = -(-len(kept) // max(1, free - len(tasks)))
        several = [kept.popleft()]
        size = 1 if listens(several[0]) else min(most, share)
        while kept and len(several) < size and not listens(kept[0]):
            several.append(kept.popleft())
        tasks.append(BETWEEN.join(several))
    return tasks


def listens(text: str) -> bool:
    """Whether a request asks a worker to wait for what comes in, or a result is of such a one."""
    return str(LISTEN) in text and json.loads(text)["evaluation"] == LISTEN


class Dealing:
    """Requests dealt to `workers` as tasks, of so many requests as take `TASK_SECONDS`, or as a model takes `together`.

    Those for which no worker will soon be free are kept back: how many of them make a task is seen by then. Of
    trainings that take no time to speak of `of_no_time` tasks go on at a time, of others one for each worker.
    `usual_seconds` gives how long a training takes, None before that is known.
    """

    def __init__(self, workers: int, of_no_time: int, together: int, usual_seconds: Callable[[], float | None]) -> None:
        self._workers, self._of_no_time, self._together = workers, of_no_time, together
        self._usual_seconds = usual_seconds
        self._kept: deque[str] = deque()
        self._under_way = 0  # tasks

    def came(self, results: Sequence[str]) -> None:
        """Results of tasks, a text of each; who listens has one of its own."""
        self._under_way -= sum(BETWEEN in result or not listens(result) for result in results)

    def tasks(self, requests: Sequence[str]) -> list[str]:
        """What is to be done next, the requests among it. Who listens is no worker's share, and comes last."""
        listening = [text for text in requests if listens(text)]
        self._kept += [text for text in requests if text not in listening] if listening else requests
        usual = self._usual_seconds() if self._kept else None
        is_short = usual is not None and usual <= TASK_SECONDS
        at_a_time = self._of_no_time if is_short else self._workers
        ahead = TASKS_AHEAD * at_a_time if self._together == 1 else 0
        tasks = take_tasks(self._kept, at_a_time - self._under_way, self._most(usual), ahead)
        self._under_way += len(tasks)
        return tasks + listening

    def _most(self, usual: float | None) -> int:
        """How many requests make a task."""
        short = 1 if usual is None else int(TASK_SECONDS / max(usual, SHORTEST_SECONDS))
        return max(1, short, self._together)
