"""Which tasks are made of requests."""

import json
from dataclasses import dataclass

import pytest

from comparator.engine.tasks import BETWEEN, Dealing
from comparator.results.requests import LISTEN

WORKERS = 4


@dataclass
class Usual:
    """How long a training takes."""

    seconds: float | None = None


def dealt(usual: Usual, of_no_time: int = WORKERS) -> Dealing:
    return Dealing(WORKERS, of_no_time, 1, lambda: usual.seconds)


@pytest.fixture
def dealing() -> Dealing:
    """That of trainings that take a hundredth of a second."""
    return dealt(Usual(0.01))


def requests(count: int, evaluation: int | None = None, **more: object) -> list[str]:
    return [json.dumps({"evaluation": evaluation or number, **more}) for number in range(count)]


def came(dealing: Dealing, tasks: int) -> None:
    dealing.came(requests(tasks))


def held(tasks: list[str]) -> list[int]:
    return [len(task.split(BETWEEN)) for task in tasks]


def test_a_task_has_as_many_requests_as_leave_each_free_worker_its_share(dealing: Dealing) -> None:
    assert held(dealing.tasks(requests(40))) == [10, 10, 10, 10]
    came(dealing, 1)
    assert held(dealing.tasks(requests(6))) == [6]  # the one that brought results is the only one that is free
    came(dealing, 4)
    assert held(dealing.tasks(requests(6))) == [2, 2, 1, 1]
    came(dealing, 1)
    assert held(dealing.tasks(requests(30))) == [10] * 3  # no more than take a tenth of a second
    assert dealing.tasks([]) == []


def test_what_no_worker_will_soon_have_is_kept_until_it_is_known_how_long_it_takes() -> None:
    usual = Usual()
    dealing = dealt(usual)
    assert held(dealing.tasks(requests(100))) == [1] * 2 * WORKERS
    came(dealing, 1)
    usual.seconds = 0.5  # the first has started its model
    assert held(dealing.tasks([])) == [1]
    came(dealing, 1)
    usual.seconds = 0.01
    assert held(dealing.tasks([])) == [10]
    given = 2 * WORKERS + 1 + 10
    while given < 100:
        came(dealing, 1)
        given += sum(held(dealing.tasks([])))
    assert given == 100


def test_trainings_of_no_time_go_to_as_many_workers_as_there_are_cores_for() -> None:
    usual = Usual(0.002)
    dealing = dealt(usual, of_no_time=2)
    assert held(dealing.tasks(requests(50))) == [25, 25]
    came(dealing, 2)
    usual.seconds = 0.2  # these may wait for something else than a core
    assert held(dealing.tasks(requests(50))) == [1] * 2 * WORKERS


def test_who_listens_keeps_no_other_request_waiting(dealing: Dealing) -> None:
    listener = requests(1, LISTEN)
    tasks = dealing.tasks([*listener, *requests(8)])
    assert held(tasks) == [2, 2, 2, 2, 1]
    assert json.loads(tasks[-1])["evaluation"] == LISTEN
    dealing.came(listener)  # it was no worker's share
    assert held(dealing.tasks(requests(2))) == [2]


def test_results_in_which_the_number_of_who_listens_stands_are_results(dealing: Dealing) -> None:
    assert held(dealing.tasks(requests(40))) == [10] * 4
    results = requests(10, metrics={"val_r2": float(LISTEN)})
    dealing.came([BETWEEN.join(results), results[0]])
    assert held(dealing.tasks(requests(6))) == [3, 3]
