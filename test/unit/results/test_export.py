"""The tidy table of runs: what is in it, and that pandas reads back what was written."""

from __future__ import annotations

import csv
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from comparator.errors import InputError
from comparator.results.table import export

ROOT = Path(__file__).resolve().parents[3]
MODELS = [{"submodel": 0, "name": "Uno", "label": "CCLE"}, {"submodel": 1, "name": "Uno", "label": "GDSC1, matched"}]


def make_run(submodel: int, replicate: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "submodel": submodel,
        "replicate": replicate,
        "seed": 1 + replicate,
        "run": f"3f9c{submodel}{replicate}",
        "status": "ok",
        "metrics": {"val_loss": 0.1 + 0.2 * submodel, "val_r2": 1 / 3},
        "seconds": 1.25,
        "reused": False,
        "device": "0",
        "log": f"runs/3f9c{submodel}{replicate}/model.log",
        "reason": None,
        **changes,
    }


def make_record(number: int, runs: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "evaluation": number,
        "stage": "search",
        "generation": number // 2,
        "point": {"noise": number / 3, "layer_force": 40 + number, "dense": "500 500", "sizes": [8, number]},
        "status": "ok",
        "value": -2 / 3,
        "started": "2026-11-23T05:48:26.120Z",
        "seconds": 2.5,
        "worker": "local/0",
        "runs": runs,
        "reason": None,
        **changes,
    }


def make_folder(path: Path, records: list[dict[str, Any]], tail: str = "") -> Path:
    path.mkdir()
    objective = {"name": "relative difference of val_loss", "symbol": "V", "maximise": True}
    experiment = {"id": path.name, "kind": "cmp", "models": MODELS, "metric": "val_loss", "objective": objective}
    (path / "experiment.json").write_text(json.dumps(experiment))
    (path / "evaluations.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records) + tail)
    return path


RECORDS = [
    make_record(0, [make_run(0), make_run(1)]),
    make_record(1, [make_run(0, 0, reused=True), make_run(1, 0, reused=True), make_run(0, 1), make_run(1, 1)]),
    make_record(
        2,
        [make_run(0), make_run(1, status="timeout", metrics={}, reason='took "600" s,\nmore than 600')],
        status="timeout",
        value=None,
        reason="submodel 1: took too long",
    ),
    make_record(3, [], status="failed", value=None, reason="the store: No space left on device", point={"noise": 1.0}),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "cmp-ga-1", RECORDS, tail='{"evaluation": 4, "poi')


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def test_numbers_are_written_in_full(folder: Path) -> None:
    with export(folder).open(newline="") as file:
        row = list(csv.DictReader(file))[3]
    assert float(row["point.noise"]) == 1 / 3 and float(row["value"]) == -2 / 3
    assert float(row["metric.val_loss"]) == 0.1 + 0.2


def test_one_row_a_run_as_pandas_reads_it(folder: Path) -> None:
    table = read(export(folder))
    assert list(table["evaluation"]) == [0, 0, 1, 1, 1, 1, 2, 2, 3]
    assert list(table["point.noise"][:6]) == pytest.approx([0, 0, 1 / 3, 1 / 3, 1 / 3, 1 / 3], rel=1e-15)
    assert list(table["metric.val_loss"][:2]) == pytest.approx([0.1, 0.3], rel=1e-15)
    assert list(table["value"].dropna()) == pytest.approx([-2 / 3] * 6, rel=1e-15)
    assert list(table["difference"].dropna()) == pytest.approx([2 / 3] * 6, rel=1e-15)
    assert list(table["replicate"][2:6]) == [0, 0, 1, 1] and list(table["seed"][2:6]) == [1, 1, 2, 2]
    assert list(table["label"][:2]) == ["CCLE", "GDSC1, matched"]
    assert list(table["reused"][2:6]) == [True, True, False, False]
    assert json.loads(table["point.sizes"][2]) == [8, 1]
    assert table["point.dense"][0] == "500 500"


def test_what_failed_says_so_and_has_empty_fields(folder: Path) -> None:
    table = read(export(folder))
    timeout, failed = table.iloc[7], table.iloc[8]
    assert timeout["status"] == "timeout" and timeout["run_status"] == "timeout"
    assert timeout["reason"] == 'took "600" s,\nmore than 600'
    assert table["run_status"][6] == "ok" and table["reason"][6] == "submodel 1: took too long"
    assert failed["reason"] == "the store: No space left on device" and failed["worker"] == "local/0"
    assert all(math.isnan(failed[name]) for name in ("value", "submodel", "metric.val_loss", "point.layer_force"))


def test_json_has_the_same_rows_and_the_settings(folder: Path) -> None:
    path = export(folder, "json")
    content = json.loads(path.read_text())
    table = read(export(folder))
    assert path.name == "runs.json"
    assert content["experiment"]["models"] == MODELS
    assert list(content["runs"][0]) == list(table.columns)
    assert [row["difference"] for row in content["runs"]][:2] == [2 / 3, 2 / 3]
    assert content["runs"][0]["point.sizes"] == [8, 0] and content["runs"][8]["submodel"] is None


def test_every_column_is_documented(folder: Path) -> None:
    import comparator.results.table

    documented = [
        line.split("|")[1].strip() for line in str(comparator.results.table.__doc__).splitlines() if line[:1] == "|"
    ]
    columns = [name.split(".")[0] for name in read(export(folder)).columns]
    assert list(dict.fromkeys(columns)) == [name.split(".")[0] for name in documented[2:]]


def test_the_target_is_a_file_or_a_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export(folder) == folder / "runs.csv"
    assert export(folder, "json", tmp_path / "out") == tmp_path / "out" / "cmp-ga-1.json"
    assert export(folder, "csv", tmp_path / "mine.txt").read_bytes() == (folder / "runs.csv").read_bytes()
    assert not list(tmp_path.rglob("*.tmp"))


def test_wrong_input_is_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'cvs': .* \(did you mean 'csv'\?\)"):
        export(folder, "cvs")
    with pytest.raises(InputError, match="there is no folder"):
        export(folder, "csv", tmp_path / "nowhere" / "runs.csv")
    with pytest.raises(InputError, match="no such file"):
        export(tmp_path)
    damaged = make_folder(tmp_path / "damaged", RECORDS[:1], tail="oops\n" + json.dumps(RECORDS[1]) + "\n")
    with pytest.raises(InputError, match="line 2 is not a record"):
        export(damaged)
    assert not (damaged / "runs.csv").exists()


def test_an_experiment_without_evaluations_has_a_table_without_rows(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "new", [])
    assert read(export(folder)).empty
    assert json.loads(export(folder, "json").read_text())["runs"] == []


@pytest.mark.long
def test_the_length_of_an_experiment_does_not_matter(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "large", [])
    line = json.dumps(make_record(7, [make_run(0), make_run(1)])) + "\n"
    with (folder / "evaluations.jsonl").open("w") as file:
        file.writelines(line for _ in range(1_500))
    for form in ("csv", "json"):
        tracemalloc.start()
        path = export(folder, form)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 400_000 < path.stat().st_size


# The example notebook
