"""What the resident rank hands out, and when ranks sleep."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from comparator import ranks
from comparator.results.record import LISTEN

WORKERS = 4


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float | None], None]:
    """Says how long a training takes in a launch of four workers on a node with a core for each rank."""
    monkeypatch.setenv("COMPARATOR_LAUNCH", str(tmp_path / "launch.json"))
    monkeypatch.setattr(ranks, "_launch", lambda: SimpleNamespace(workers=WORKERS, workers_per_node=WORKERS))
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    found = SimpleNamespace(usual_seconds=None, together=1)
    monkeypatch.setattr(ranks, "_resident", lambda: found)
    return lambda seconds: setattr(found, "usual_seconds", seconds)


@pytest.fixture
def handing(usual: Callable[[float | None], None]) -> ranks._Handing:
    """That of trainings that take a hundredth of a second."""
    usual(0.01)
    return ranks._Handing()


def requests(count: int, evaluation: int | None = None, **more: object) -> list[str]:
    return [json.dumps({"evaluation": evaluation or number, **more}) for number in range(count)]


def came(handing: ranks._Handing, tasks: int) -> None:
    handing.came(requests(tasks))


def held(tasks: str) -> list[int]:
    return [len(ranks._text_of(task).split(ranks.BETWEEN)) for task in tasks.split("\n")] if tasks else []


def test_a_task_has_as_many_requests_as_leave_each_free_worker_its_share(handing: ranks._Handing) -> None:
    assert held(handing.tasks(requests(40))) == [10, 10, 10, 10]
    came(handing, 1)
    assert held(handing.tasks(requests(6))) == [6]  # the one that brought results is the only one that is free
    came(handing, 4)
    assert held(handing.tasks(requests(6))) == [2, 2, 1, 1]
    came(handing, 1)
    assert held(handing.tasks(requests(30))) == [10] * 3  # no more than take a tenth of a second
    assert handing.tasks([]) == ""


def test_what_no_worker_will_soon_have_is_kept_until_it_is_known_how_long_it_takes(
    usual: Callable[[float | None], None],
) -> None:
    handing = ranks._Handing()
    assert held(handing.tasks(requests(100))) == [1] * 2 * WORKERS
    came(handing, 1)
    usual(0.5)  # the first has started its model
    assert held(handing.tasks([])) == [1]
    came(handing, 1)
    usual(0.01)
    assert held(handing.tasks([])) == [10]
    given = 2 * WORKERS + 1 + 10
    while given < 100:
        came(handing, 1)
        given += sum(held(handing.tasks([])))
    assert given == 100


def test_trainings_of_no_time_go_to_as_many_workers_as_there_are_cores_for(
    usual: Callable[[float | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    handing = ranks._Handing()
    usual(0.002)
    assert held(handing.tasks(requests(50))) == [25, 25]
    came(handing, 2)
    usual(0.2)  # these may wait for something else than a core
    assert held(handing.tasks(requests(50))) == [1] * 2 * WORKERS


def test_who_listens_keeps_no_other_request_waiting(handing: ranks._Handing) -> None:
    listener = requests(1, LISTEN)
    tasks = handing.tasks([*listener, *requests(8)])
    assert held(tasks) == [2, 2, 2, 2, 1]
    assert json.loads(tasks.split("\n")[-1])["evaluation"] == LISTEN
    handing.came(listener)  # it was no worker's share
    assert held(handing.tasks(requests(2))) == [2]


def test_results_in_which_the_number_of_who_listens_stands_are_results(handing: ranks._Handing) -> None:
    assert held(handing.tasks(requests(40))) == [10] * 4
    results = requests(10, metrics={"val_r2": float(LISTEN)})
    handing.came([ranks.BETWEEN.join(results), results[0]])
    assert held(handing.tasks(requests(6))) == [3, 3]


def test_a_long_task_goes_by_a_file_that_is_read_once(handing: ranks._Handing, tmp_path: Path) -> None:
    [long] = requests(1, point={"text": "ü" * ranks.LONGEST_TASK})
    task = handing.tasks([long])
    assert len(task) < 100 and [path.name for path in tmp_path.iterdir()] == [task.removeprefix(ranks.IN_FILE)]
    assert json.loads(ranks._text_of(task)) == json.loads(long)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("cores", "shares"), [(4, "1"), (6, "0"), (64, "0")])
def test_workers_rest_where_a_node_has_more_ranks_than_cores(
    cores: int, shares: str, handing: ranks._Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setenv("ADLB_SERVERS", "1")
    assert ranks.shares_cores() == shares
    monkeypatch.setenv("ADLB_SERVERS", "2")  # a worker that does not wait has no task of another server
    assert ranks.shares_cores() == "0"
