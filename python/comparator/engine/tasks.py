"""What is handed to a worker at once: a task, which is a request, or several with `BETWEEN` between them."""

from __future__ import annotations

import json
from collections import deque

from comparator.results.record import LISTEN

#: Stands in no text of JSON, nor in the way of Python's and Tcl's quotes.
BETWEEN = "\f"


def take_tasks(kept: deque[str], free: int, most: int) -> list[str]:
    """Tasks for so many workers that are free, of up to `most` requests each, taken from those that are kept.

    No worker gets more than its share of them while others are free. Who listens waits, and what came in one task with
    it would wait too.
    """
    tasks: list[str] = []
    while kept and len(tasks) < free:
        share = -(-len(kept) // (free - len(tasks)))
        several = [kept.popleft()]
        while kept and len(several) < min(most, share) and not (listens(several[0]) or listens(kept[0])):
            several.append(kept.popleft())
        tasks.append(BETWEEN.join(several))
    return tasks


def listens(text: str) -> bool:
    """Whether a request asks a worker to wait for what comes in, or a result is of such a one."""
    return str(LISTEN) in text and json.loads(text)["evaluation"] == LISTEN
