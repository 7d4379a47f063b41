"""That nothing grows faster than linearly with an experiment, and a result costs the same whatever there is.

`test/bench/growth.py` has the seconds. Here calls of functions are counted, which a busy machine does not change.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median_high
from types import FrameType
from typing import Any

import pytest
from growth import fill, opened_with, result_of, tell
from no_time import host_of
from test_controller import Listed

from comparator.experiment.controller import Controller
from comparator.experiment.opening import open_session
from comparator.experiment.simulation import MemoryRecord
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES
from comparator.results.record import Run
from comparator.results.requests import Result
from comparator.results.run_store import RunStore
from comparator.strategies.replication import Replication

#: An exponent of calls above its true one, 0 or 1: what grew with the size itself would be higher by 1.
MOST_ABOVE = 0.15
#: The requests that begin a search: of its pilot, and of what is trained beside it.
PILOT = 10


def calls_of(work: Callable[[], object]) -> Counter[str]:
    """How often functions are called, by their names, C's included."""
    called: Counter[str] = Counter()

    def note(frame: FrameType, event: str, called_by_c: Any) -> None:
        if event in ("call", "c_call"):
            called[called_by_c.__name__ if event == "c_call" else frame.f_code.co_name] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return called


def exponent(sizes: tuple[int, int], calls: tuple[int, int]) -> float:
    return math.log(calls[1] / calls[0]) / math.log(sizes[1] / sizes[0])


def calls_of_a_result(folder: Path, in_flight: int, recorded: int) -> tuple[int, int]:
    """The least of what a few results cost to be told, and to be shown, behind so many."""
    folder.mkdir()
    opened = opened_with(folder, in_flight, in_flight + recorded + 50)
    requests, told, shown = opened.start(), [], []
    tell(opened, requests, recorded)
    with opened.progress() as show:
        for _ in range(6):
            result = result_of(requests.pop(0))
            told.append(calls_of(lambda result=result: requests.extend(opened.tell_all([result]))).total())
            shown.append(calls_of(show).total())
    opened.end()
    return min(told), min(shown)


@pytest.mark.parametrize("grows", ["in flight", "recorded"])
def test_a_result_costs_the_same_whatever_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grows: str) -> None:
    monkeypatch.setenv("SITE_CORES", "2")
    sizes = (110, 330)  # behind the latest hundred, which tell how long a training may take
    few, many = (
        calls_of_a_result(tmp_path / str(size), *((size, 110) if grows == "in flight" else (8, size))) for size in sizes
    )
    for what, calls in zip(("told", "shown"), zip(few, many, strict=True), strict=True):
        assert exponent(sizes, calls) <= MOST_ABOVE, f"{what}: {calls[0]} calls, then {calls[1]}"


def calls_of_a_repeat(recorded: int, points: int, replicates: int | str) -> int:
    """What results usually cost to be told behind so many evaluations of so many points."""
    draw, objective = random.Random(1), Objective("loss", DIFFERENCES["relative"])
    strategy = Listed([{"x": number % points} for number in range(recorded + 20)], ahead=1)
    controller = Controller(MemoryRecord(), strategy, objective, replication=Replication.of(replicates))
    waiting, told = controller.start(), []
    while waiting:
        request = waiting.pop(0)
        runs = [
            Run(submodel=number, replicate=request.replicate, status="ok", metrics={"loss": 1 + draw.random()})
            for number in range(2)
        ]
        evaluation, replicate = request.evaluation, request.replicate
        result = Result(evaluation=evaluation, replicate=replicate, status="ok", started="", worker="", runs=runs)
        told.append(calls_of(lambda result=result: waiting.extend(controller.tell_all([result]))).total())
    assert len(told) >= recorded
    return median_high(told[-20:])


@pytest.mark.parametrize(("points", "replicates"), [(1, 1), (1000, "adaptive")])
def test_a_result_costs_the_same_whatever_its_point_and_others_have(points: int, replicates: int | str) -> None:
    sizes = (110, 330)
    few, many = (calls_of_a_repeat(size, points, replicates) for size in sizes)
    assert exponent(sizes, (few, many)) <= MOST_ABOVE, f"{few} calls, then {many}"


class Watched(list[Any]):
    """A record that counts how many of its lines are gone through, which C does without a call for each."""

    looked_at = 0

    def __iter__(self) -> Iterator[Any]:
        for line in super().__iter__():
            self.looked_at += 1
            yield line


def test_a_result_does_not_go_through_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_CORES", "2")
    opened = opened_with(tmp_path, 8, 200)
    requests = opened.start()
    tell(opened, requests, 120)
    record = Watched(opened._folder.records)
    opened._folder.records = record
    with opened.progress() as show:
        show()  # the first time all of it
        record.looked_at = 0
        tell(opened, requests, 5)
        show()
        assert record.looked_at <= 5, "more than one line a result"
    opened.end()


def test_results_that_come_together_share_one_sync_and_a_begin_is_linear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_CORES", "2")
    sizes, begun, told = (50, 350), [], []
    for size in sizes:
        (tmp_path / str(size)).mkdir()
        opened = opened_with(tmp_path / str(size), size, 3 * size)
        requests: list[str] = []
        begun.append(calls_of(lambda opened=opened, requests=requests: requests.extend(opened.start())).total())
        opened.tell_all([result_of(request) for request in requests[:PILOT]])
        results = [result_of(request) for request in requests[PILOT : PILOT + size]]
        called = calls_of(lambda opened=opened, results=results: opened.tell_all(results))
        assert called["fsync"] == 1, called["fsync"]
        told.append(called.total())
        opened.end()
    assert exponent(sizes, (begun[0], begun[1])) <= 1 + MOST_ABOVE, begun
    assert exponent(sizes, (told[0], told[1])) <= 1 + MOST_ABOVE, told


def test_a_run_is_found_by_the_same_steps_among_however_many(tmp_path: Path) -> None:
    sizes, found = (20, 320), []
    for size in sizes:
        store = RunStore(tmp_path / str(size))
        names = random.Random(2).sample(fill(store, size), 10)
        found.append(calls_of(lambda store=store, names=names: [store.finished(name) for name in names]).total())
    assert exponent(sizes, (found[0], found[1])) <= MOST_ABOVE, found


def test_what_is_opened_again_costs_so_much_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_CORES", "2")
    sizes, calls = (60, 240), []
    for size in sizes:
        folder = tmp_path / str(size)
        folder.mkdir()
        opened = opened_with(folder, 8, 2 * size)
        tell(opened, opened.start(), size)
        opened.fail(KeyboardInterrupt())
        host = host_of(folder, "local", 8)

        def go_on(host: Any = host, name: str = opened.path.name) -> None:
            again = open_session(host, name)
            again.start()
            again.end()

        calls.append(calls_of(go_on).total())
    assert exponent(sizes, (calls[0], calls[1])) <= 1 + MOST_ABOVE, calls
