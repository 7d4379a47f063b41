"""What the resident rank hands out, and how ranks wait that share cores."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from comparator import ranks
from comparator.results.record import LISTEN


@pytest.fixture
def handing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ranks._Handing:
    """That of a launch of four workers, whose trainings take a hundredth of a second."""
    monkeypatch.setenv("COMPARATOR_LAUNCH", str(tmp_path / "launch.json"))
    monkeypatch.setattr(ranks, "_launch", lambda: SimpleNamespace(workers=4, workers_per_node=4))
    monkeypatch.setattr(ranks, "_resident", lambda: SimpleNamespace(usual_seconds=0.01))
    return ranks._Handing()


def requests(count: int, evaluation: int | None = None, **more: object) -> list[str]:
    return [json.dumps({"evaluation": evaluation or number, **more}) for number in range(count)]


def held(tasks: str) -> list[int]:
    return [len(ranks._text_of(task).split(ranks.BETWEEN)) for task in tasks.split("\n")]


def test_a_task_has_as_many_requests_as_leave_each_free_worker_its_share(handing: ranks._Handing) -> None:
    assert held(handing.tasks(requests(40))) == [10, 10, 10, 10]
    handing.came(1)
    assert held(handing.tasks(requests(6))) == [6]  # the one that brought results is the only one that is free
    handing.came(4)
    assert held(handing.tasks(requests(6))) == [1] * 6
    assert held(handing.tasks(requests(30))) == [10] * 3  # no more than take a tenth of a second
    assert handing.tasks([]) == ""


def test_who_listens_keeps_no_other_request_waiting(handing: ranks._Handing) -> None:
    tasks = handing.tasks([*requests(8), *requests(1, LISTEN)])
    assert held(tasks) == [2, 2, 2, 2, 1]
    assert json.loads(tasks.split("\n")[-1])["evaluation"] == LISTEN


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


def test_waits_grow_up_to_the_longest_and_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    waits = ranks._Waits(0.0, 1.0, 3.0)
    for _ in range(3):
        waits.wait()
    waits.are_over()
    waits.wait()
    waits.wait()
    assert slept == [1.0, 2.0, 3.0, 0.0, 1.0]
