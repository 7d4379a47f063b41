"""Trainings that a worker gives to a model together: which come together, and that each ends as it would by itself."""

from __future__ import annotations

import gc
import json
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comparator.engine.gathering import Gathering
from comparator.engine.leaf import Leaf
from comparator.engine.tasks import BETWEEN
from comparator.model.model import Model
from comparator.model.training import Outcome, Training
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES
from comparator.results.frozen import FrozenExperiment, Submodel
from comparator.results.in_flight import trainings_in_flight
from comparator.results.run_store import RunStore
from comparator.site.profile import Slot

MODELS = Path(__file__).parents[1] / "models"
TOGETHER = Model("together", MODELS / "together.py")
ALONE = Model("quick", MODELS / "quick.py")

Made = Callable[..., Leaf]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    leaves: list[Leaf] = []

    def make(
        models: tuple[Model, ...] = (TOGETHER, TOGETHER),
        *,
        together: int = 4,
        slots: int = 1,
        run_timeout: float = 60.0,
        name: str = "local/0",
        deadline: float | None = None,
        **given: object,
    ) -> Leaf:
        experiment = FrozenExperiment(
            id="try-1",
            metric="val_loss",
            run_timeout=run_timeout,
            hyperparameters={
                **{"cmp_0_side": "left", "cmp_1_side": "right", "logfile": str(tmp_path / "calls"), "jitter": 0.01},
                **given,
            },
            models=[
                Submodel(submodel=number, identity="m", seed="rng_seed")  # type: ignore[arg-type]
                for number in range(len(models))
            ],
        )
        (tmp_path / "try-1").mkdir(exist_ok=True)
        leaf = Leaf(
            experiment,
            models,
            Objective("val_loss", DIFFERENCES["relative"]),
            experiments=tmp_path,
            data_folder=tmp_path,
            slots=[Slot(number) for number in range(slots)],
            name=name,
            together=together,
            deadline=deadline,
            say=said(tmp_path).append,
        )
        leaves.append(leaf)
        return leaf

    yield make
    for leaf in leaves:
        leaf.close()
    SAID.clear()


SAID: dict[Path, list[str]] = {}


def said(folder: Path) -> list[str]:
    return SAID.setdefault(folder, [])


def ask(leaf: Leaf, *points: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of one task, of a request for each point."""
    requests = [{"evaluation": number, "point": point, "replicate": 0} for number, point in enumerate(points)]
    return list(map(json.loads, leaf.carry_out(BETWEEN.join(map(json.dumps, requests))).split(BETWEEN)))


def points(number: int, **more: Any) -> list[dict[str, Any]]:
    return [{"noise": float(each), **more} for each in range(number)]


def calls(folder: Path) -> list[str]:
    """The side and the number of runs of each call of the model."""
    return (folder / "calls").read_text().splitlines()


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [result["status"] for result in results]


def test_the_trainings_of_a_task_come_together_and_are_what_they_are_by_themselves(made: Made, tmp_path: Path) -> None:
    results = ask(made(), *points(4))
    assert calls(tmp_path) == ["left 4", "right 4"]
    assert [result["evaluation"] for result in results] == [0, 1, 2, 3]
    store = RunStore(tmp_path)
    stored = [store.result(run["run"]) for result in results for run in result["runs"]]
    assert {one.together for one in stored} == {4}
    assert len({one.seconds for one in stored[::2]}) == 1  # of one call each has its share
    logs = [(tmp_path / run["log"]).read_text() for result in results for run in result["runs"]]
    assert all(log.count("4 together\n") == 1 and "4 runs are trained together" in log for log in logs)
    assert trainings_in_flight(tmp_path / "try-1") == []
    for result in results:
        for run in result["runs"]:
            store.withdraw(run["run"], "to train it anew")
    alone = ask(made(together=1, name="local/1"), *points(4))
    assert calls(tmp_path)[2:] == ["left 1", "right 1"] * 4
    assert [result["value"] for result in alone] == [result["value"] for result in results]
    anew = [store.result(run["run"]) for result in alone for run in result["runs"]]
    assert [one.reads for one in anew] == [one.reads for one in stored] and stored[0].reads is not None
    assert {one.no_reuse for one in stored} == {None}  # each may serve other experiments
    assert [run["metrics"] for one in alone for run in one["runs"]] == [
        run["metrics"] for one in results for run in one["runs"]
    ]


def test_more_requests_than_go_together_go_one_after_the_other(made: Made, tmp_path: Path) -> None:
    leaf = made()
    assert statuses(ask(leaf, *points(6))) == ["ok"] * 6
    assert calls(tmp_path) == ["left 4", "right 4", "left 2", "right 2"]
    assert statuses(ask(leaf, {"noise": 20.0})) == ["ok"]
    assert calls(tmp_path)[4:] == ["left 1", "right 1"]


def test_what_is_in_the_store_is_not_trained_and_the_rest_still_comes_together(made: Made, tmp_path: Path) -> None:
    leaf = made()
    ask(leaf, *points(2))
    results = ask(leaf, *points(4))
    assert calls(tmp_path)[2:] == ["left 2", "right 2"]
    assert [[run["reused"] for run in result["runs"]] for result in results] == [[True] * 2] * 2 + [[False] * 2] * 2


def test_who_needs_the_run_that_another_of_the_task_trains_waits_for_it(made: Made, tmp_path: Path) -> None:
    """The left model is the same at all points, so one training of it serves them all."""
    results = ask(made(), *({"cmp_1_noise": float(noise)} for noise in range(4)))
    assert calls(tmp_path) == ["left 1", "right 4"]
    assert statuses(results) == ["ok"] * 4
    assert sum(result["runs"][0]["reused"] for result in results) == 3


def test_equal_evaluations_of_a_task_train_once(made: Made, tmp_path: Path) -> None:
    results = ask(made(), *[{"noise": 3.0}] * 4)
    assert calls(tmp_path) == ["left 1", "right 1"]
    assert len({result["value"] for result in results}) == 1


def test_workers_that_wait_for_one_anothers_runs_come_to_an_end(made: Made, tmp_path: Path) -> None:
    """Each of two has a task with the same points, in another order."""
    leaves = [made(name=f"local/{number}") for number in range(2)]
    results: list[list[dict[str, Any]]] = [[], []]

    def work(number: int) -> None:
        asked = points(4)
        results[number] = ask(leaves[number], *(asked if number == 0 else asked[::-1]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses(results[0] + results[1]) == ["ok"] * 8
    assert sum(int(line.split()[1]) for line in calls(tmp_path)) == 8
    assert [one["value"] for one in results[0]] == [one["value"] for one in results[1][::-1]]


def test_on_two_slots_both_models_take_theirs_together(made: Made, tmp_path: Path) -> None:
    results = ask(made(slots=2), *points(4))
    assert sorted(calls(tmp_path)) == ["left 4", "right 4"]
    assert statuses(results) == ["ok"] * 4
    assert not any(run["reused"] for result in results for run in result["runs"])


def test_a_model_that_takes_one_at_a_time_does_so_beside_one_that_takes_several(made: Made, tmp_path: Path) -> None:
    results = ask(made((TOGETHER, ALONE)), *points(4))
    assert calls(tmp_path) == ["left 4"]
    assert statuses(results) == ["ok"] * 4
    store = RunStore(tmp_path)
    assert [store.result(run["run"]).together for run in results[0]["runs"]] == [4, None]


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        ("raise", "RuntimeError: this one broke"),
        ("nonsense", "TypeError: run_many(), in its list, returned 'as well as could be expected': expected a number"),
    ],
)
def test_one_that_fails_fails_alone(made: Made, tmp_path: Path, behave: str, reason: str) -> None:
    first, second, *others = points(4)
    results = ask(made(), first, {**second, "cmp_1_behave": behave}, *others)
    assert calls(tmp_path) == ["left 4", "right 4"]
    assert statuses(results) == ["ok", "failed", "ok", "ok"]
    assert reason in results[1]["reason"]
    assert said(tmp_path) == []


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        ("no list", "TypeError: run_many() returned {'val_loss': 0.5}: expected a list of 4, one for each run"),
        ("too few", "TypeError: run_many() returned a list of 3: expected a list of 4, one for each run"),
    ],
)
def test_what_is_no_list_of_results_is_one_reason_for_all(made: Made, tmp_path: Path, behave: str, reason: str) -> None:
    results = ask(made(), *points(4, cmp_0_behave=f"{behave} together"))
    assert calls(tmp_path) == ["left 4"]
    assert statuses(results) == ["failed"] * 4
    assert all(reason in result["reason"] for result in results)


def test_a_death_in_the_midst_of_several_costs_the_guilty_one_alone(made: Made, tmp_path: Path) -> None:
    first, second, *others = points(4)
    results = ask(made(), first, {**second, "cmp_0_behave": "die"}, *others)
    assert statuses(results) == ["ok", "failed", "ok", "ok"]
    assert calls(tmp_path) == ["left 4", *["left 1"] * 4, "right 3"]
    assert results[1]["reason"].endswith("the model's process was killed by SIGKILL")
    assert said(tmp_path) == [
        "4 trainings that were carried out together: the model's process was killed by SIGKILL; each is tried by itself"
    ]
    log = (tmp_path / results[2]["runs"][0]["log"]).read_text()
    assert "together with others: failed: the model's process was killed by SIGKILL; it is tried by itself" in log


def test_where_all_of_them_raise_each_is_tried_by_itself_in_a_folder_that_is_empty(made: Made, tmp_path: Path) -> None:
    results = ask(made(), *points(3, cmp_0_behave="raise together"))
    assert statuses(results) == ["ok"] * 3
    assert calls(tmp_path) == ["left 3", *["left 1"] * 3, "right 3"]
    assert "MemoryError: too many for this device" in said(tmp_path)[0]


def test_a_model_that_takes_none_together_here_is_not_asked_again(made: Made, tmp_path: Path) -> None:
    leaf = made(cmp_0_behave="decline together")
    results = ask(leaf, *points(3))
    assert calls(tmp_path) == ["left 3", *["left 1"] * 3, *["right 1"] * 3]  # one server serves both sides
    assert statuses(results) == ["ok"] * 3
    assert said(tmp_path) == [
        "trainings that were to be carried out together are carried out one by one: no device is seen"
    ]
    log = (tmp_path / results[1]["runs"][0]["log"]).read_text()
    assert "run_many() takes none together here: no device is seen" in log and "Traceback" not in log
    assert RunStore(tmp_path).result(results[1]["runs"][0]["run"]).together is None
    ask(leaf, *[{"noise": 30.0 + each} for each in range(2)])
    assert calls(tmp_path)[7:] == ["left 1", "left 1", "right 1", "right 1"]


def test_what_a_call_leaves_that_declines_in_the_midst_is_none_of_what_follows(made: Made, tmp_path: Path) -> None:
    results = ask(made(), *points(3, cmp_0_behave="decline late"))
    assert calls(tmp_path) == ["left 3", *["left 1"] * 3, *["right 1"] * 3]
    assert statuses(results) == ["ok"] * 3


@pytest.mark.parametrize("error", ["NotImplementedError", "MemoryError"])
def test_what_a_call_has_read_that_comes_to_no_results_those_rest_on_that_follow(
    made: Made, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, error: str
) -> None:
    """The model has it in memory from then on."""
    table = tmp_path_factory.mktemp("elsewhere") / "table.txt"
    table.write_text("0.5")
    (tmp_path / "keeping.py").write_text(
        "import functools, pathlib\n"
        "@functools.cache\n"
        f"def read(): return float(pathlib.Path({str(table)!r}).read_text())\n"
        "def run(params): return {'val_loss': read() + float(params['noise'])}\n"
        f"def run_many(params_list): read(); raise {error}\n"
    )
    results = ask(made((Model("keeping", tmp_path / "keeping.py"),) * 2), *points(3))
    stored = [RunStore(tmp_path).result(run["run"]) for result in results for run in result["runs"]]
    assert {one.status for one in stored} == {"ok"}
    assert all(str(table) in one.reads.files for one in stored)


def test_of_those_that_are_trained_one_by_one_each_is_kept_when_it_ends(made: Made, tmp_path: Path) -> None:
    leaf = made(cmp_0_behave="decline together")
    first, second, third = points(3)
    answers: list[Any] = []
    task = threading.Thread(target=lambda: answers.extend(ask(leaf, first, second, {**third, "cmp_0_behave": "wait"})))
    task.start()
    while len(list((tmp_path / "runs").rglob("result.json"))) < 2:
        assert task.is_alive()
        time.sleep(0.01)
    (tmp_path / "calls.go").touch()
    task.join()
    assert statuses(answers) == ["ok"] * 3


def test_together_they_have_the_time_of_one_and_who_exceeds_it_does_so_by_itself(made: Made, tmp_path: Path) -> None:
    first, second, third = points(3)
    results = ask(made(run_timeout=3.0), first, {**second, "cmp_0_behave": "hang"}, third)
    assert statuses(results) == ["ok", "timeout", "ok"]
    assert calls(tmp_path) == ["left 3", *["left 1"] * 3, "right 2"]
    assert results[1]["reason"].endswith("the run exceeded its limit of 3 seconds")


def test_to_cancel_ends_all_of_them_and_tries_none_again(made: Made, tmp_path: Path) -> None:
    leaf = made()
    results: list[dict[str, Any]] = []
    work = threading.Thread(target=lambda: results.extend(ask(leaf, *points(4, cmp_0_behave="hang together"))))
    work.start()
    while not (tmp_path / "calls").exists():
        assert work.is_alive()
        work.join(0.01)
    leaf.cancel()
    work.join()
    assert statuses(results) == ["cancelled"] * 4
    assert calls(tmp_path) == ["left 4"]
    assert list(tmp_path.glob("runs/*/*/lease")) == []


def test_all_that_go_together_are_said_to_be_under_way(made: Made, tmp_path: Path) -> None:
    leaf = made()
    work = threading.Thread(target=lambda: ask(leaf, *points(4, cmp_0_behave="hang together")))
    work.start()
    while not (tmp_path / "calls").exists():
        assert work.is_alive()
        work.join(0.01)
    going_on = trainings_in_flight(tmp_path / "try-1")
    leaf.cancel()
    work.join()
    assert [(one.evaluation, one.submodel) for one in going_on] == [(number, 0) for number in range(4)]


def test_a_model_whose_source_promises_more_than_it_has_is_trained_one_by_one(made: Made, tmp_path: Path) -> None:
    (tmp_path / "promising.py").write_text(
        "def run(params): return {'val_loss': 0.5 + params['noise']}\nrun_many = None\n"
    )
    results = ask(made((Model("promising", tmp_path / "promising.py"),) * 2), *points(3))
    assert statuses(results) == ["ok"] * 3
    assert {RunStore(tmp_path).result(run["run"]).together for result in results for run in result["runs"]} == {None}


def test_what_may_not_end_before_the_walltime_does_not_begin(made: Made, tmp_path: Path) -> None:
    results = ask(made(deadline=time.time()), *points(4))
    assert statuses(results) == ["cancelled"] * 4
    assert not (tmp_path / "calls").exists()


def test_what_has_been_trained_is_let_go_without_the_collector(tmp_path: Path) -> None:
    """A batch and its trainings that held one another cost an evaluation of no time a fifth of its CPU."""
    gathering, trainings = Gathering(), [Training({"noise": 1.0}, tmp_path, tmp_path / "log", "val_loss", None)]
    known = weakref.ref(trainings[0])
    gc.disable()
    try:
        gathering.expect(1)
        with gathering.taking_part():
            gathering.train(0, 0, (0, 0), trainings.pop(), lambda asked: [Outcome("ok") for _ in asked])
        assert known() is None
    finally:
        gc.enable()
