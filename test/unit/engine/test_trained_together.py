"""Trainings of one model that are carried out together: each is a run of its own, with the numbers it has alone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comparator.engine.leaf import Leaf
from comparator.model.model import Model
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES
from comparator.results.record import FrozenExperiment, Submodel
from comparator.site.profile import Slot

MODELS = Path(__file__).parents[1] / "models"
SEVERAL, QUICK = Model("several", MODELS / "several.py"), Model("quick", MODELS / "quick.py")


@pytest.fixture
def make_leaf(tmp_path: Path) -> Iterator[Callable[..., Leaf]]:
    leaves: list[Leaf] = []

    def make(name: str = "e", model: Model = SEVERAL, slots: int = 1, **fields: object) -> Leaf:
        folder = tmp_path / name
        (folder / "e").mkdir(parents=True)
        experiment = FrozenExperiment(
            id="e",
            metric="val_loss",
            models=[
                Submodel(submodel=0, identity="m", seed="rng_seed"),
                Submodel(submodel=1, identity="m", seed="rng_seed"),
            ],
            **{"run_timeout": 30.0, "hyperparameters": {"cmp_0_noise": 0.5, "cmp_1_noise": 1.5}, **fields},
        )
        leaves.append(
            Leaf(
                experiment,
                [model, model],
                Objective("val_loss", DIFFERENCES["relative"]),
                experiments=folder,
                data_folder=tmp_path,
                slots=[Slot(number) for number in range(slots)],
                name="local/0",
                say=said.append,
            )
        )
        return leaves[-1]

    said: list[str] = []
    make.said = said  # type: ignore[attr-defined]
    yield make
    for leaf in leaves:
        leaf.close()


def request(replicate: int = 0, **point: object) -> str:
    return json.dumps({"evaluation": 3, "name": None, "point": point, "replicate": replicate, "seed": replicate})


def log_of(tmp_path: Path, run: dict, name: str = "e") -> str:
    return (tmp_path / name / run["log"]).read_text()


def test_a_pair_is_trained_together_and_each_is_the_run_that_it_is_alone(make_leaf, tmp_path: Path) -> None:
    together = json.loads(make_leaf("one-slot").evaluate(request()))
    side_by_side = json.loads(make_leaf("two-slots", slots=2).evaluate(request()))
    assert together["status"] == side_by_side["status"] == "ok"
    assert together["value"] == side_by_side["value"]
    for ours, alone in zip(together["runs"], side_by_side["runs"], strict=True):
        assert (ours["run"], ours["seed"], ours["metrics"]) == (alone["run"], alone["seed"], alone["metrics"])
        assert not ours["reused"] and not alone["reused"]
        assert "alone" in log_of(tmp_path, alone, "two-slots")
        log = log_of(tmp_path, ours, "one-slot")
        assert "run 1 of it, together with 1 more" in log or "run 2 of it, together with 1 more" in log
        assert "seed 1" in log and "together" in log and "alone" not in log
        folder = (tmp_path / "one-slot" / ours["log"]).parent
        assert len(json.loads((folder / "result.json").read_text())["history"]["val_loss"]) == 5


def test_several_requests_are_trained_together_and_answered_in_their_order(make_leaf, tmp_path: Path) -> None:
    leaf = make_leaf()
    results = [json.loads(each) for each in leaf.evaluate_all([request(replicate) for replicate in range(4)])]
    assert [each["replicate"] for each in results] == [0, 1, 2, 3]
    runs = [run for each in results for run in each["runs"]]
    assert len({run["run"] for run in runs}) == 8
    assert all("together with 7 more" in log_of(tmp_path, run) for run in runs)
    assert [run["seed"] for run in runs] == [1, 1, 2, 2, 3, 3, 4, 4]
    again = json.loads(leaf.evaluate(request(2)))
    assert [run["reused"] for run in again["runs"]] == [True, True]


def test_what_is_in_the_store_is_not_trained_again(make_leaf, tmp_path: Path) -> None:
    leaf = make_leaf()
    leaf.evaluate(request(1))
    first, known = (json.loads(each) for each in leaf.evaluate_all([request(0), request(1)]))
    assert [run["reused"] for run in known["runs"]] == [True, True]
    assert all("together with 1 more" in log_of(tmp_path, run) for run in first["runs"])


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        ("raise together", "RuntimeError: cannot be stacked"),
        ("die together", "ended with exit status 3"),
        ("one less", "TypeError: run_many() returned 1 results for 2 trainings"),
    ],
)
def test_where_all_together_fail_each_is_trained_alone_from_then_on(make_leaf, tmp_path: Path, behave, reason) -> None:
    leaf = make_leaf(hyperparameters={"cmp_0_behave": behave, "cmp_1_noise": 1.0})
    for replicate in range(2):
        result = json.loads(leaf.evaluate(request(replicate)))
        assert result["status"] == "ok"
        assert all("alone" in log_of(tmp_path, run) for run in result["runs"])
    assert [reason in words for words in make_leaf.said] == [True]


def test_time_limit_holds_for_all_together(make_leaf) -> None:
    leaf = make_leaf(hyperparameters={"cmp_0_behave": "hang together", "cmp_1_noise": 1.0}, run_timeout=2.0)
    assert json.loads(leaf.evaluate(request()))["status"] == "ok"
    assert ["exceeded its limit of 2 seconds" in words for words in make_leaf.said] == [True]


@pytest.mark.parametrize(("behave", "status"), [("refuse together", "ok"), ("diverge", "failed")])
def test_one_that_fails_does_not_spoil_the_others(make_leaf, tmp_path: Path, behave: str, status: str) -> None:
    leaf = make_leaf(hyperparameters={"cmp_0_noise": 0.5, "cmp_1_behave": behave})
    result = json.loads(leaf.evaluate(request()))
    first, second = result["runs"]
    assert result["status"] == status
    assert first["status"] == "ok" and first["metrics"]["val_loss"] > 0
    assert "alone" not in log_of(tmp_path, first)
    assert ("alone" in log_of(tmp_path, second)) == (behave == "refuse together")


def test_a_model_without_it_trains_one_after_the_other(make_leaf, tmp_path: Path) -> None:
    leaf = make_leaf(model=QUICK, hyperparameters={"cmp_0_side": "left", "cmp_1_side": "right"})
    results = [json.loads(leaf.evaluate(request(replicate, noise=1.0))) for replicate in range(2)]
    assert {each["status"] for each in results} == {"ok"}
    assert not make_leaf.said
    logs = [log_of(tmp_path, run) for each in results for run in each["runs"]]
    assert not any("together" in log for log in logs)
    assert "run 4 of it" in logs[3]
