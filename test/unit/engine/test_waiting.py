"""How ranks of one node wait for each other without a core."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from comparator.engine.waiting import WaitingResident, WaitingWorker, Waits

LONG = 60.0  # longer than any test: who sleeps so long was not called


@pytest.fixture
def launch(tmp_path: Path) -> str:
    return str(tmp_path / "launch.json")


@pytest.fixture
def resident(launch: str) -> Iterator[WaitingResident]:
    yield WaitingResident(launch, 2, Waits(0.0, 1e-3, 1e-3), LONG)


def worker_of(launch: str) -> WaitingWorker:
    return WaitingWorker(launch, Waits(LONG, LONG, LONG), LONG)


class Sleeper:
    """A worker that has said that it waits, and then sleeps in a thread."""

    def __init__(self, worker: WaitingWorker) -> None:
        worker.wait()  # says so alone
        self.woke = threading.Event()
        threading.Thread(target=self._sleep, args=(worker,), daemon=True).start()

    def _sleep(self, worker: WaitingWorker) -> None:
        worker.wait()
        self.woke.set()


def test_as_many_workers_are_called_as_there_are_tasks(launch: str, resident: WaitingResident) -> None:
    first, second = Sleeper(worker_of(launch)), Sleeper(worker_of(launch))
    resident.call(1)
    assert first.woke.wait(LONG / 2) and not second.woke.is_set()
    resident.call(1)
    assert second.woke.wait(LONG / 2)


def test_who_has_found_a_task_is_not_called(launch: str, resident: WaitingResident) -> None:
    busy = worker_of(launch)
    busy.wait()
    busy.task_came()
    waits = Sleeper(worker_of(launch))
    resident.call(1)
    assert waits.woke.wait(LONG / 2)


def test_a_worker_that_has_sent_its_results_waits_and_the_resident_rank_is_called(
    launch: str, resident: WaitingResident
) -> None:
    first, second = worker_of(launch), worker_of(launch)
    first.task_came()
    resident.call(0)  # both are connected: from here on it sleeps until it is called
    called = threading.Event()

    def wait() -> None:
        resident.wait()
        called.set()

    threading.Thread(target=wait, daemon=True).start()
    second.wait()  # that it waits is no result
    first.results_sent()
    assert called.wait(LONG / 2)
    resident.call(2)
    first.wait()
    second.wait()


def test_a_call_that_came_before_the_sleep_ends_it(launch: str, resident: WaitingResident) -> None:
    worker = worker_of(launch)
    worker.results_sent()
    resident.call(1)
    worker.wait()


def test_all_are_called_at_the_end(launch: str, resident: WaitingResident) -> None:
    sleepers = [Sleeper(worker_of(launch)) for _ in range(3)]
    resident.call_all()
    assert all(sleeper.woke.wait(LONG / 2) for sleeper in sleepers)


def test_without_a_resident_rank_on_its_node_a_worker_sleeps_by_pauses(
    launch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    alone = WaitingWorker(launch, Waits(0.0, 1.0, 3.0), LONG)
    for _ in range(3):
        alone.wait()
    alone.task_came()
    alone.wait()
    alone.results_sent()
    alone.wait()
    assert slept == [1.0, 2.0, 3.0, 0.0, 1.0]


def test_a_resident_rank_that_hears_no_worker_sleeps_by_pauses(launch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    resident = WaitingResident(launch, 2, Waits(0.0, 1.0, 3.0), LONG)
    resident.wait()
    resident.results_came()
    resident.wait()
    assert slept == [1.0, 0.0]


def test_where_only_some_workers_are_on_its_node_it_looks_for_results_of_the_others(launch: str) -> None:
    resident = WaitingResident(launch, 2, Waits(1e-3, 1e-3, 1e-3), LONG)
    worker_of(launch).wait()
    resident.call(0)
    began = time.monotonic()
    resident.wait()
    assert time.monotonic() - began < LONG / 2


def test_a_worker_that_is_gone_is_called_no_more(launch: str, resident: WaitingResident) -> None:
    gone = worker_of(launch)
    gone.wait()
    del gone  # and so its socket
    stays = Sleeper(worker_of(launch))
    resident.call(2)
    assert stays.woke.wait(LONG / 2)


def test_a_worker_goes_on_when_the_resident_rank_is_gone(launch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = WaitingResident(launch, 1, Waits(0.0, 1.0, 1.0), LONG)
    worker = WaitingWorker(launch, Waits(0.0, 1.0, 3.0), LONG)
    worker.wait()
    resident.call(0)
    del resident
    worker.wait()
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    worker.wait()
    assert slept == [1.0]


def test_another_launch_has_another_name(tmp_path: Path) -> None:
    first, other = str(tmp_path / "1"), str(tmp_path / "2")
    mine, others = (WaitingResident(each, 1, Waits(0.0, 0.0, 0.0), LONG) for each in (first, other))
    sleeper = Sleeper(worker_of(other))
    mine.call_all()
    assert not sleeper.woke.is_set()
    others.call_all()
    assert sleeper.woke.wait(LONG / 2)
