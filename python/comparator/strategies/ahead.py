"""A search whose proposals are kept ready: no worker waits while it models its results."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from comparator.evidence.threads import one_thread
from comparator.space import Point
from comparator.strategies.strategy import Proposal, Strategy

Answer = tuple[list[Proposal], str | None]


class Ahead(Strategy):
    """Answers a result with what `strategy` proposed `ahead` results ago, and has it think meanwhile, in a thread.

    `strategy` was made for `in_flight + ahead` evaluations at a time. It is told every result in the order in which
    they came, and its proposals keep their order: so the same results in the same order give the same points, however
    long it thinks. A worker waits only where it falls behind by more than `ahead` results. What that costs is that a
    point is chosen without the latest `ahead` results, as if so many more evaluations were under way.
    """

    def __init__(self, strategy: Strategy, in_flight: int, ahead: int) -> None:
        self._strategy, self._in_flight, self._ahead = strategy, in_flight, ahead
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._answers: deque[Future[Answer]] = deque()
        self._news: list[Sequence[tuple[Point, float | None]]] = []
        self._has_started = self._is_closed = False

    def inform(self, past: Sequence[tuple[Point, float | None]]) -> int:
        """After the start it hears of them with the next result; what is returned then is how many they are."""
        if not self._has_started:
            return self._strategy.inform(past)
        self._news.append(past)
        return len(past)

    def start(self) -> list[Proposal]:
        self._has_started = True
        proposals = self._strategy.start()
        for kept in proposals[self._in_flight :]:
            answer: Future[Answer] = Future()
            answer.set_result(([kept], None))
            self._answers.append(answer)
        return proposals[: self._in_flight]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if self._is_closed:
            return []
        news, self._news = self._news, []
        self._answers.append(self._thread.submit(self._think, news, number, value))
        proposals, self.ended = self._answers.popleft().result()
        return proposals

    def close(self) -> None:
        self._is_closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._strategy.close()

    def _think(self, news: Sequence[Sequence[tuple[Point, float | None]]], number: int, value: float | None) -> Answer:
        with one_thread():
            for past in news:
                self._strategy.inform(past)
            return self._strategy.tell(number, value), self._strategy.ended


def usual_ahead(in_flight: int) -> int:
    """How many proposals are kept ready of a search that models its results; none where one worker evaluates."""
    return 0 if in_flight == 1 else max(1, in_flight // 4)
