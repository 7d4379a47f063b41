"""A search on simulated workers, whose evaluations take random times."""

import heapq
import random
from collections.abc import Callable

from comparator.space import Point
from comparator.strategies import Strategy


def search(
    strategy: Strategy, evaluate: Callable[[int, Point], float], budget: int, workers: int, rng: random.Random
) -> None:
    """Carry a search out: `evaluate(number, point)` is asked in the order in which evaluations finish, and told."""
    waiting = strategy.start()
    running: list[tuple[float, int, Point]] = []
    clock, started = 0.0, 0
    while True:
        while waiting and len(running) < workers and started < budget:
            proposal = waiting.pop(0)
            heapq.heappush(running, (clock + rng.lognormvariate(0, 0.5), proposal.number, proposal.point))
            started += 1
        if not running:
            break
        clock, number, point = heapq.heappop(running)
        waiting += strategy.tell(number, evaluate(number, point))
    strategy.close()
