"""Experiments in Optuna and MLflow: each evaluation once, as its record has it, read by their own interfaces."""

from __future__ import annotations

import json
import posixpath
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from recorded import CATEGORICAL, LAYERS, NOISE, as_read, genetic, make_experiment, make_record, sampled, save

from comparator.errors import ComparatorError, InputError
from comparator.importers import import_experiment
from comparator.results.points import best_of
from comparator.sharing.mlflow_runs import _names, export_to_mlflow
from comparator.sharing.optuna_trials import export_to_optuna

PAST = Path(__file__).parents[1] / "data" / "past"
SPACE = [NOISE, LAYERS]
METRICS = {"val_loss": 0.5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "cmp-ga-3", make_experiment(space=SPACE, created="2026-11-23T05:48:26.120Z"), genetic(20))


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/trials.db"


def study_in(storage: str, name: str = "cmp-ga-3") -> optuna.Study:
    return optuna.load_study(study_name=name, storage=storage)


# Optuna


@pytest.mark.long
def test_each_evaluation_is_a_trial_and_the_best_is_the_best(folder: Path, storage: str) -> None:
    assert export_to_optuna(folder, storage) == (20, 0)
    study, records = study_in(storage), genetic(20)
    assert study.direction.name == "MAXIMIZE"
    assert study.best_value == -(best_of(as_read(records))[0].value or 0)
    for trial, record in zip(study.trials, records, strict=True):
        assert trial.params == record["point"] and trial.user_attrs["comparator.evaluation"] == record["evaluation"]
        assert trial.state.name == {"ok": "COMPLETE", "failed": "FAIL"}[record["status"]]
        if record["status"] == "ok":
            assert trial.value == -record["value"] and trial.user_attrs["seeds"] == [1]
            for label, run in zip(("CCLE", "GDSC1"), record["runs"], strict=True):
                assert trial.user_attrs[f"{label}/val_loss"] == run["metrics"]["val_loss"]
        else:
            assert trial.user_attrs["reason"] == record["reason"]
        assert trial.datetime_start is not None and trial.datetime_complete is not None
        began = datetime.fromisoformat(record["started"].replace("Z", "+00:00"))
        assert trial.datetime_start.astimezone() == began
        assert (trial.datetime_complete - trial.datetime_start).total_seconds() == pytest.approx(7.4)


@pytest.mark.long
def test_written_again_it_has_what_is_new_and_nothing_twice(folder: Path, storage: str) -> None:
    export_to_optuna(folder, storage)
    with (folder / "evaluations.jsonl").open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in genetic(23)[20:])
    assert export_to_optuna(folder, storage) == (3, 20)
    assert export_to_optuna(folder, storage) == (0, 23)
    numbers = [trial.user_attrs["comparator.evaluation"] for trial in study_in(storage).trials]
    assert numbers == list(range(23))


@pytest.mark.long
def test_short_trainings_are_pruned_and_what_confirms_stands_apart(tmp_path: Path, storage: str) -> None:
    point = {"noise": 1.0, "layer_force": 30}
    records = [
        make_record(0, point, (METRICS, {"val_loss": 0.01}), epochs=2),
        make_record(1, point, (METRICS, {"val_loss": 0.4}), stage="full"),
        make_record(2, point, (METRICS, {"val_loss": 0.1}), stage="confirm", claim="best 1"),
    ]
    export_to_optuna(save(tmp_path / "cmp-ga-3", make_experiment(space=SPACE), records), storage)
    short, full = study_in(storage).trials
    assert short.state.name == "PRUNED" and list(short.intermediate_values) == [2]
    assert study_in(storage).best_trial.number == full.number
    (confirming,) = study_in(storage, "cmp-ga-3 confirm").trials
    assert confirming.user_attrs["claim"] == "best 1" and confirming.value == pytest.approx(0.8)


@pytest.mark.long
def test_values_of_every_type_come_as_optuna_can_have_them(tmp_path: Path, storage: str) -> None:
    mixed = {"name": "mixed", "type": "ordered", "element_type": "int", "values": [1, 2, 16]}
    flag = {"name": "flag", "type": "logical"}
    space = [NOISE, CATEGORICAL, mixed, flag]
    records = sampled(space, 12)
    export_to_optuna(save(tmp_path / "cmp-ga-3", make_experiment(space=space), records), storage)
    for trial, record in zip(study_in(storage).trials, records, strict=True):
        point = record["point"]
        assert trial.params["activation"] == point["activation"] and trial.params["noise"] == point["noise"]
        assert json.loads(trial.params["flag"]) == point["flag"] and json.loads(trial.params["mixed"]) == point["mixed"]


def test_lines_of_a_upf_need_no_space(tmp_path: Path, storage: str) -> None:
    points = [{"sizes": [8, 16], "noise": 0.5}, {"sizes": [8], "noise": 1.5}]
    records = [make_record(number, point, (METRICS, METRICS)) for number, point in enumerate(points)]
    upf = [[f"run-{number}", point] for number, point in enumerate(points)]
    export_to_optuna(save(tmp_path / "cmp-ga-3", make_experiment(space=[], upf=upf), records), storage)
    assert [json.loads(trial.params["sizes"]) for trial in study_in(storage).trials] == [[8, 16], [8]]


def test_what_another_program_searched_goes_there_too_though_it_says_no_times(tmp_path: Path, storage: str) -> None:
    folder, _ = import_experiment(PAST / "defects" / "hpo.csv", tmp_path)
    assert export_to_optuna(folder, storage) == (7, 0)
    study = study_in(storage, folder.name)
    assert study.best_value == 0.125 and study.best_params == {"learning_rate": 0.002, "batch_size": "32"}


def test_another_study_of_the_name_and_a_bad_storage_are_a_line(folder: Path, storage: str, tmp_path: Path) -> None:
    optuna.create_study(study_name="cmp-ga-3", storage=storage).ask()
    with pytest.raises(InputError, match="its study 'cmp-ga-3' is of another experiment"):
        export_to_optuna(folder, storage)
    for bad in ("mysterious", f"sqlite:///{tmp_path}/no/folder/x.db", "nosuch://host/db"):
        with pytest.raises(ComparatorError) as error:
            export_to_optuna(folder, bad)
        assert str(error.value).startswith("--storage ") and "\n" not in str(error.value)


def test_a_password_in_an_address_is_not_said(folder: Path) -> None:
    with pytest.raises(ComparatorError) as error:
        export_to_optuna(folder, "nosuch://somebody:secret@host/db")
    assert "//...@host/db" in str(error.value) and "secret" not in str(error.value)


# MLflow


def test_without_mlflow_it_is_said_how_to_have_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    with pytest.raises(InputError, match=r"pip install 'comparator\[mlflow\]'"):
        export_to_mlflow(folder, None)


@pytest.fixture
def client(tmp_path: Path) -> Any:
    pytest.importorskip("mlflow", reason="an extra")
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")


def runs_of(client: Any) -> list[Any]:
    place = client.get_experiment_by_name("cmp-ga-3").experiment_id
    return sorted(client.search_runs([place]), key=lambda run: int(run.data.tags["comparator.evaluation"]))


def test_each_evaluation_is_a_run_of_mlflow(folder: Path, client: Any) -> None:
    assert export_to_mlflow(folder, client.tracking_uri) == (20, 0)
    records = genetic(20)
    for run, record in zip(runs_of(client), records, strict=True):
        assert {name: json.loads(value) for name, value in run.data.params.items()} == record["point"]
        assert run.info.status == {"ok": "FINISHED", "failed": "FAILED"}[record["status"]]
        assert run.info.end_time - run.info.start_time == pytest.approx(7400, abs=1)
        assert run.data.tags["stage"] == "search"
        if record["status"] == "ok":
            assert run.data.metrics["relative difference of val_loss"] == -record["value"]
            assert run.data.metrics["GDSC1/val_loss"] == record["runs"][1]["metrics"]["val_loss"]


ODD = ["a:b", "a;b", "../x", "..", ".", "", "/y", "z/", "n" * 400, "größe", f"{'p' * 239}/q"]


def test_names_that_mlflow_does_not_take_are_written_so_that_it_does_and_no_two_alike(tmp_path: Path) -> None:
    called = _names(ODD)
    assert list(called) == ODD and len(set(called.values())) == len(ODD)
    assert called["a:b"] == "a_b" and called["a;b"] == "a_b 2"
    assert all(posixpath.normpath(name) == name and len(name) <= 250 and name != ".." for name in called.values())


def test_an_experiment_of_odd_names_and_texts_goes_to_mlflow_whole(tmp_path: Path, client: Any) -> None:
    point = {**dict.fromkeys(ODD, 1), "text": "x\ud800\0y"}
    metrics = {"val_loss": 1.0, **dict.fromkeys(ODD, 2.0)}
    words = {"name": "../difference", "symbol": "V", "maximise": True}
    folder = save(
        tmp_path / "odd",
        make_experiment(id="odd", space=[], objective=words),
        [make_record(0, point, (metrics, metrics))],
    )
    assert export_to_mlflow(folder, client.tracking_uri) == (1, 0)
    (run,) = client.search_runs([client.get_experiment_by_name("odd").experiment_id])
    assert len(run.data.params) == len(point) and len(run.data.metrics) == 2 * len(metrics) + 1


def test_written_to_mlflow_again_it_stands_there_once(folder: Path, client: Any) -> None:
    export_to_mlflow(folder, client.tracking_uri)
    first = runs_of(client)[0]
    client.update_run(first.info.run_id, status="RUNNING")  # as one that was cut off in the middle
    assert export_to_mlflow(folder, client.tracking_uri) == (1, 19)
    assert len(runs_of(client)) == 20
    save(folder, make_experiment(space=SPACE, created="2026-11-24T00:00:00Z"), genetic(2))
    with pytest.raises(InputError, match="there is another experiment 'cmp-ga-3'"):
        export_to_mlflow(folder, client.tracking_uri)
    with pytest.raises(ComparatorError, match="--uri nosuch"):
        export_to_mlflow(folder, "nosuch://host")
