"""Cross-studies and learning curves: their rows, tables, sizes, and whole ones with a model that takes no time."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from two_workers import said

import comparator
from comparator.cli.resuming import check_settings
from comparator.errors import ComparatorError, InputError
from comparator.experiment.host import Host
from comparator.experiment.listing import experiment_rows
from comparator.report.figures.heat import Scale
from comparator.results.run_store import RunStore
from comparator.studies import beside, cross_study, figures, learning_curve, sweep, tables
from comparator.studies.learning_curve import LearningCurveTable, choose_sizes, log_scale
from comparator.studies.tables import CrossTest

ROOT = Path(__file__).resolve().parents[3]
ROWS = {"A": 1000, "B": 200}

MODEL = """
reads = []
name = "Quick"
seed = "rng_seed"
[metrics.val_loss]
kind = "error"
[metrics.val_r2]
kind = "score"
[hyperparameters.train_sources]
[hyperparameters.test_sources]
[hyperparameters.split_seed]
[hyperparameters.row_limit]
[hyperparameters.count_rows]
"""
#: Reads its flags into variables; the scores tell source, target and split.
FLAGS = """#!/usr/bin/env bash
set -eu
while (($#)); do case $1 in --*) name=${1#--}; declare "$name="; shift ;; *) [ -v name ] && declare "$name=${!name:+${!name} }$1"; shift ;; esac; done
"""  # noqa: E501
PREPROCESS = """
for study in $train_sources ${test_sources-}; do
  case $study in A) rows=1000 ;; B) rows=200 ;; C) rows=50 ;; *) echo "no study '$study'"; exit 2 ;; esac
done
case $train_sources in A) rows=1000 ;; B) rows=200 ;; *) rows=50 ;; esac
echo "IMPROVE_RESULT training_rows: $rows"
"""
TRAIN = """
[ "$train_sources" != C ] || { echo "C cannot be learnt"; exit 1; }
echo "$train_sources" > "$output_dir/source"
echo "IMPROVE_RESULT val_r2: 0.${split_seed}5"
echo "IMPROVE_RESULT val_loss: 0.${row_limit:-5}"
"""
INFER = """
echo started >> "$model_dir/started"
source=$(cat "$model_dir/source")
[ ! -e "$model_dir/../../../no-tests" ] || { echo "no test today"; exit 3; }
[ "$source" = "$test_sources" ] && mse=0.1 || mse=0.4
echo "{\\"mse\\": $mse, \\"r2\\": -0.5}" > "$output_dir/test_scores.json"
printf 'auc_true,auc_pred\\n1,1\\n0,0\\n' > "$output_dir/test_y_data_predicted.csv"
echo "$test_sources: two rows" > "$output_dir/test_rows.txt"
"""
TABLE = {
    "cross_study": 'studies = ["A", "B"]\nsplits = [1, 2]',
    "learning_curve": 'studies = ["A", "B"]\nsplits = [1, 2]\nsmallest = 10\ncount = 3',
}


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """A model in a folder, and an experiment file for each of the two."""
    folder = tmp_path / "quick"
    folder.mkdir()
    (folder / "model.toml").write_text(MODEL)
    for name, text in {"preprocess": PREPROCESS, "train": TRAIN, "infer": INFER}.items():
        (folder / f"{name}.sh").write_text(FLAGS + text)
        (folder / f"{name}.sh").chmod(0o755)
    for name, table in TABLE.items():
        (tmp_path / f"{name}.toml").write_text(f'model = "quick"\n[{name}]\n{table}\n[set]\ntrain_sources = "A"\n')
    return tmp_path


def read(folder: Path | None, name: str) -> pd.DataFrame:
    assert folder is not None
    return pd.read_csv(folder / "tables" / name)


def started(host: Host) -> int:
    """How many inferences were started, ever."""
    return sum(len(path.read_text().splitlines()) for path in (host.experiments / "runs").glob("*/*/started"))


# Tables


def test_a_cross_studys_tables_have_improves_form() -> None:
    tests = [
        CrossTest(source, target, split, {"mse": 0.1 + split / 1000 + 0.2 * (source != target), "r2": 0.5})
        for source in ("B", "A")
        for target in ("A", "B")
        for split in (2, 1)
    ]
    scores = tables.cross_study_scores(tests, "Quick")
    assert list(scores) == ["met", "split", "value", "src", "trg", "model"]
    assert scores[["met", "split", "src", "trg"]].to_numpy().tolist()[:4] == [
        *(["mse", 1, "A", "A"], ["mse", 2, "A", "A"], ["r2", 1, "A", "A"], ["r2", 2, "A", "A"])
    ]
    mean = tables.matrix(scores, "mse", "mean", ["A", "B"])
    assert mean.index.name == "src" and mean.columns.name == "trg"
    assert mean.to_numpy() == pytest.approx(np.array([[0.1015, 0.3015], [0.3015, 0.1015]]))
    assert tables.cells(scores, "mse")["A", "B"] == pytest.approx((0.3015, 0.001 / math.sqrt(2)))


def test_k_studies_give_all_their_differences() -> None:
    value = {"A": 0.1, "B": 0.2, "C": 0.4}
    tests = [CrossTest(study, study, split, {"mse": value[study], "r2": -0.5}) for study in "ABC" for split in (1, 2)]
    found = tables.cross_study_differences(tables.cross_study_scores(tests, "Quick"), ["A", "B", "C"])
    relative = found[(found.metric == "mse") & (found.difference == "relative")]
    assert relative[["study_0", "study_1"]].to_numpy().tolist() == [["A", "B"], ["A", "C"], ["B", "C"]]
    assert relative["mean"].tolist() == pytest.approx([0.5, 0.75, 0.5])
    assert relative["std"].tolist() == [0, 0, 0] and list(found)[-2:] == ["split_1", "split_2"]
    # What equation 1 is not defined for has no line; the absolute difference has one.
    assert set(found[found.metric == "r2"].difference) == {"absolute"}


# Sizes


def test_sizes_are_even_on_a_log_scale() -> None:
    assert log_scale(128, 1024, 4) == [128, 256, 512, 1024]
    assert log_scale(1, 3, 9) == [1, 2, 3]
    table = LearningCurveTable(studies=["A", "B"], smallest=10, count=3)
    assert choose_sizes(table, ROWS, "x") == {"A": [10, 100, 1000], "B": [10, 100]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sizes": [100, 300]}, ["sizes", "300", "B has only 200"]),
        ({"largest": 5000}, ["largest = 5000", "1000"]),
        ({"smallest": 300}, ["smallest = 300", "B has only 200"]),
        ({"smallest": 2000}, ["smallest = 2000", "1000"]),
    ],
)
def test_sizes_beyond_the_rows_are_refused(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        choose_sizes(LearningCurveTable(studies=["A", "B"], **changes), ROWS, "x.toml")
    assert all(word in str(raised.value) for word in words)


def test_sizes_must_be_given_where_the_model_cannot_count() -> None:
    with pytest.raises(InputError, match="give sizes or largest"):
        choose_sizes(LearningCurveTable(studies=["A"]), {"A": None}, "x.toml")


# Whole ones


@pytest.mark.long
def test_a_cross_study_trains_each_study_once_and_is_never_done_again(quick: Path, host: Host) -> None:
    folder = cross_study.STUDY.run(host, quick / "cross_study.toml", [], command="")
    assert len(read(folder, "all_scores.csv")) == 2 * 2 * 2 * 2
    assert started(host) == 8 and len(list(RunStore(host.experiments).folders())) == 4
    assert read(folder, "mse_mean_csa_table.csv").to_numpy().tolist() == [["A", 0.1, 0.4], ["B", 0.4, 0.1]]
    densed = read(folder, "densed_csa_table.csv")
    assert densed[densed.met == "mse"][["mean", "summary"]].to_numpy().tolist() == [[0.1, "within"], [0.4, "cross"]]
    assert set(read(folder, "rows.csv").which) == {"two rows"}
    assert folder is not None and (folder / "infer" / "A-B" / "split_2" / "test_scores.json").is_file()
    assert (folder / "figures" / "cross-study-mse.png").is_file()
    (row,) = experiment_rows(host.experiments)
    assert (row["verdict"], row["best"], row["best_value"]) == (
        "R2 -0.50 on its own study, -0.50 on others",
        "",
        None,
    )
    assert " best " not in said(host)
    assert not (folder / "tables" / "missing_pred_files.txt").exists()

    again = cross_study.STUDY.run(host, quick / "cross_study.toml", ["cross_study.splits=[1, 2]"], command="")
    assert again != folder and started(host) == 8 and "of which 0 to do" in said(host)
    wider = cross_study.STUDY.run(host, quick / "cross_study.toml", ["cross_study.splits=[2, 3]"], command="")
    assert started(host) == 12 and len(read(wider, "all_scores.csv")) == 16


@pytest.mark.long
def test_a_published_table_stands_beside_a_cross_study_also_of_one_that_is_resumed(quick: Path, host: Host) -> None:
    file, published = quick / "cross_study.toml", quick / "published.csv"
    file.write_text(file.read_text().replace("splits = [1, 2]", 'splits = [1, 2]\nbeside = "published.csv"'))
    published.write_text("met,model,src,trg,mean,std\nr2,theirs,A,A,0.5,0.1\nr2,theirs,A,B,-0.45,0.1\n")
    folder = cross_study.STUDY.run(host, file, [], command="")
    compared = read(folder, "beside.csv")
    assert compared[["trg", "our_mean", "beyond"]].to_numpy().tolist() == [["A", -0.5, True], ["B", -0.5, False]]
    assert "1 of 2 cells of R2 differ by more than its deviation" in said(host)
    assert folder is not None and "Beside published.csv" in (folder / "report.html").read_text()
    published.unlink()
    again = cross_study.STUDY.resume(host, folder.name)
    assert len(read(again, "beside.csv")) == 2
    (folder / "beside.csv").unlink()
    with pytest.raises(InputError, match=r"\[cross_study\] beside: .*beside\.csv"):
        cross_study.STUDY.resume(host, folder.name)


@pytest.mark.long
def test_names_are_the_models_whatever_their_case_in_the_file(quick: Path, host: Host) -> None:
    for name in ("Train_Sources", "Test_Sources", "Split_Seed", "Row_Limit"):
        for file in (quick / "quick").iterdir():
            file.write_text(file.read_text().replace(name.lower(), name))
    folder = cross_study.STUDY.run(host, quick / "cross_study.toml", [], command="")
    assert read(folder, "mse_mean_csa_table.csv").to_numpy().tolist() == [["A", 0.1, 0.4], ["B", 0.4, 0.1]]
    table = quick / "learning_curve.toml"
    table.write_text(table.read_text().replace("count = 3", 'count = 3\nsource = "TRAIN_sources"\nsize = "row_LIMIT"'))
    sizes = read(learning_curve.STUDY.run(host, table, ["hyperparameters.ROW_limit=7"], command=""), "all_scores.csv")
    assert {study: sorted(set(part.shard)) for study, part in sizes.groupby("dataset")} == {
        "A": [10, 100, 1000],
        "B": [10, 100],
    }
    with pytest.raises(InputError, match="'row_limit' is set twice: 'ROW_limit' is 7 already"):
        twice = ["hyperparameters.ROW_limit=7", "hyperparameters.row_limit=8"]
        learning_curve.STUDY.run(host, table, twice, command="")


@pytest.mark.long
def test_what_fails_is_missing_and_said(quick: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cross_study.STUDY.run(host, quick / "cross_study.toml", ['cross_study.studies=["A", "C"]'], command="")
    assert folder is not None
    missing = (folder / "tables" / "missing_pred_files.txt").read_text().splitlines()
    assert missing[0] == "infer/C-A/split_1/test_y_data_predicted.csv" and len(missing) == 4
    (host.experiments / "no-tests").touch()
    with pytest.raises(ComparatorError, match="no test ended well"):
        cross_study.STUDY.run(host, quick / "cross_study.toml", ["cross_study.splits=[4]"], command="")
    assert "no test today" in said(host)
    (host.experiments / "no-tests").unlink()
    file = quick / "cross_study.toml"
    check_settings(host, "cross_study-2", file, ["cross_study.splits=[4]"])
    assert "goes on with" not in said(host)
    check_settings(host, "cross_study-2", file, [])
    assert "cross_study.splits is [4] there, [1, 2] here" in said(host)
    with pytest.raises(InputError, match="leave that out"):
        check_settings(host, "cross_study-2", file, ["cross_study.splits=[5]"])
    assert cross_study.STUDY.resume(host, "cross_study-2").name == "cross_study-2"
    monkeypatch.setenv("CANDLE_DATA_DIR", str(host.site.data_folder))
    resumed = comparator.resume("cross_study-2", experiments=host.experiments, quiet=True)
    assert resumed.state == "finished" and (resumed.path / "tables" / "all_scores.csv").is_file()


@pytest.mark.long
def test_a_learning_curve_takes_what_each_study_has(quick: Path, host: Host) -> None:
    folder = learning_curve.STUDY.run(host, quick / "learning_curve.toml", [], command="")
    scores = read(folder, "all_scores.csv")
    assert list(scores) == ["metric", "shard", "value", "split", "model", "dataset"]
    assert {study: sorted(set(part.shard)) for study, part in scores.groupby("dataset")} == {
        "A": [10, 100, 1000],
        "B": [10, 100],
    }
    assert len(read(folder, "runtimes.csv")) == 2 * (3 + 2)
    assert set(read(folder, "differences.csv").shard) == {10, 100}
    assert folder is not None and (folder / "figures" / "learning-curve-r2.svg").is_file()
    assert experiment_rows(host.experiments)[0]["verdict"].startswith("R2 at the end: A ")


@pytest.mark.long
def test_odd_values_beside_the_scores_do_not_undo_a_cross_study(quick: Path, host: Host) -> None:
    """Texts, truths and nested values beside the numbers, names that are no file names, no table of predictions."""
    infer = quick / "quick" / "infer.sh"
    odd = '\\"study\\": \\"K\xf6ln\\", \\"done\\": true, \\"folds\\": [1], \\"acc/val@1\\": 0.5, \\"nothing\\": NaN'
    text = infer.read_text().replace('\\"r2\\": -0.5}', f'\\"r2\\": -0.5, {odd}}}')
    text = text.replace("printf 'auc_true", "[ $source = B ] || printf 'auc_true").replace("two rows", "zw\xf6lf rows")
    infer.write_bytes(text.encode("latin-1"))
    folder = cross_study.STUDY.run(host, quick / "cross_study.toml", [], command="")
    assert set(read(folder, "all_scores.csv").met) == {"mse", "r2", "acc/val@1"}
    assert folder is not None and (folder / "tables" / "acc_val_1_scores.csv").is_file()
    assert (folder / "figures" / "cross-study-acc_val_1.png").is_file()
    rows = read(folder, "rows.csv")
    assert rows[rows.src == "A"]["rows"].tolist() == [2] * 4 and rows[rows.src == "B"]["rows"].isna().all()
    missing = (folder / "tables" / "missing_pred_files.txt").read_text().splitlines()
    assert len(missing) == 4 and missing[0] == "infer/B-A/split_1/test_y_data_predicted.csv"


def test_an_inference_without_a_number_has_failed(quick: Path, host: Host) -> None:
    infer = quick / "quick" / "infer.sh"
    infer.write_text(infer.read_text().replace('\\"mse\\": $mse, \\"r2\\": -0.5', ""))
    with pytest.raises(ComparatorError, match="no test ended well"):
        cross_study.STUDY.run(host, quick / "cross_study.toml", [], command="")
    assert "infer.sh wrote a test_scores.json without a number for A" in said(host)


@pytest.mark.long
def test_odd_scores_do_not_undo_a_learning_curve(quick: Path, host: Host) -> None:
    train = quick / "quick" / "train.sh"
    odd = {"mse": 0.5, "study": "A", "done": True, "folds": [0.1], "r2": "n/a"}
    train.write_text(train.read_text() + f"echo '{json.dumps(odd)}' > \"$output_dir/val_scores.json\"\n")
    scores = read(learning_curve.STUDY.run(host, quick / "learning_curve.toml", [], command=""), "all_scores.csv")
    assert set(scores.metric) == {"mse", "r2"}


def test_a_learning_curve_without_scores_says_so(quick: Path, host: Host) -> None:
    (quick / "quick" / "model.toml").write_text(MODEL.replace("metrics.val_r2", "metrics.quality"))
    train = quick / "quick" / "train.sh"
    train.write_text(f"{FLAGS}echo IMPROVE_RESULT quality: 0.5\n")
    with pytest.raises(ComparatorError, match="no training reported a score that is finite"):
        learning_curve.STUDY.run(host, quick / "learning_curve.toml", ["metric=quality"], command="")


@pytest.mark.parametrize(
    ("printed", "count"),
    [
        ("IMPROVE_RESULT training_rows: 361", 361),
        ("INFO IMPROVE_RESULT training_rows: np.int64(361)", 361),
        ("IMPROVE_RESULT training_rows: 361.0, and more", 361),
        ("IMPROVE_RESULT training_rows: nan", None),
        ("IMPROVE_RESULT training_rows: unknown", None),
        ("done", None),
    ],
)
def test_rows_are_counted_from_any_result_line(quick: Path, host: Host, printed: str, count: int | None) -> None:
    (quick / "quick" / "preprocess.sh").write_text(f"#!/bin/sh\necho '{printed}'\n")
    file, table = sweep.read_file(quick / "learning_curve.toml", [], "learning_curve", LearningCurveTable, "comparator")
    plan = sweep.plan_sweep(host, file, {table.source: ["A"]})
    assert sweep.count_rows(host, plan, [{table.source: ["A"]}], "x.toml") == [count]


def test_a_dry_run_counts_and_starts_nothing(quick: Path, host: Host) -> None:
    assert cross_study.STUDY.run(host, quick / "cross_study.toml", [], command="", dry_run=True) is None
    assert learning_curve.STUDY.run(host, quick / "learning_curve.toml", [], command="", dry_run=True) is None
    assert "4 trainings, 8 tests" in said(host) and "10 trainings" in said(host)
    assert not (host.experiments / "runs").exists()


@pytest.mark.parametrize(
    ("kind", "override", "words"),
    [
        ("cross_study", 'cross_study.studies=["A", "Z"]', ["[cross_study] studies", "no study 'Z'"]),
        ("cross_study", 'cross_study.studies=["A", "../A"]', ["study '../A'"]),
        ("cross_study", "cross_study.splits=[1, 1]", ["splits", "stands twice"]),
        ("cross_study", "cross_study.split_numbers=[1]", ["unknown key 'split_numbers'", "splits"]),
        ("cross_study", "cross_study.beside=none.csv", ["[cross_study] beside", "none.csv"]),
        ("cross_study", 'cross_study.beside_models=["lgbm"]', ["beside_models", "give beside"]),
        ("cross_study", "population=3", ["--set population=3: no key 'population'; a hyperparameter is set as"]),
        ("cross_study", "cros_study.splits=[1]", ["no key 'cros_study.splits' (did you mean 'cross_study.splits'?)"]),
        ("cross_study", "model=cmp", ["model = 'cmp'"]),
        ("cross_study", "metric=val_lost", ["val_lost", "val_loss"]),
        ("learning_curve", "learning_curve.sizes=[100, 300]", ["300", "B has only 200"]),
        ("learning_curve", "learning_curve.sizes=[300, 100]", ["sizes", "must rise"]),
    ],
)
def test_wrong_input_is_one_line_before_anything_starts(
    quick: Path, host: Host, kind: str, override: str, words: list[str]
) -> None:
    run = {"cross_study": cross_study.STUDY.run, "learning_curve": learning_curve.STUDY.run}[kind]
    with pytest.raises(InputError) as raised:
        run(host, quick / f"{kind}.toml", [override], command="")
    message = str(raised.value)
    assert "\n" not in message and all(word in message for word in words)
    assert not host.experiments.exists()


def test_a_value_that_the_model_does_not_take_is_laid_to_the_file_that_was_typed(quick: Path, host: Host) -> None:
    description = quick / "quick" / "model.toml"
    description.write_text(MODEL.replace("row_limit]", "row_limit]\nmaximum = 100"))
    file = quick / "learning_curve.toml"
    with pytest.raises(InputError) as raised:
        learning_curve.STUDY.run(host, file, ["learning_curve.sizes=[150]"], command="")
    assert str(raised.value) == f"{file}: row_limit = 150: Quick says that it must be at most 100"


def test_a_model_without_infer_is_refused(quick: Path, host: Host) -> None:
    (quick / "quick" / "infer.sh").unlink()
    with pytest.raises(InputError, match=r"Quick has no infer\.sh"):
        cross_study.STUDY.run(host, quick / "cross_study.toml", [], command="")


def test_the_benchmarks_file_of_cfg_finds_its_published_table() -> None:
    file = ROOT / "cfg" / "benchmark.toml"
    table = cross_study.STUDY.read_table(file, [])
    cells, notices = beside.read_for(file.parent / str(table.beside), table.studies, table.beside_models, "x")
    assert len(cells) == 4 and not notices and table.split == "split_number"


@pytest.mark.parametrize("name", ["cross-study", "learning-curve"])
def test_the_files_of_cfg_are_well_formed(name: str) -> None:
    kind = {"cross-study": cross_study.CrossStudyTable, "learning-curve": LearningCurveTable}[name]
    _, table = sweep.read_file(ROOT / "cfg" / f"{name}.toml", [], name.replace("-", "_"), kind, "")
    assert table.studies == ["CCLE", "GDSC1", "GDSC2"]


# The rows of Uno, on real data

SMALL = {"split_over": "data", "layer_force": 8, "epochs": 1, "row_limit": 400, "val_row_limit": 64}
STUDIES = ["CCLE", "GDSC1", "GDSC2"]


@pytest.fixture
def uno_data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CANDLE_DATA_DIR", str(data_folder))
    return data_folder


def dataset(folder: Path, **changes: Any) -> Any:
    from drug_response.dataset import read_dataset
    from uno import HYPERPARAMETERS

    return read_dataset(HYPERPARAMETERS.complete({**SMALL, **changes}), folder)


@pytest.mark.parametrize(("split", "column"), [("cell", "cell_line"), ("drug", "drug")])
def test_all_models_are_tested_on_the_same_rows_of_a_study(uno_data: Path, split: str, column: str) -> None:
    sides = {
        study: dataset(uno_data, train_sources=[study], test_sources=STUDIES, split=split, row_limit=None)
        for study in STUDIES
    }
    trained_on = set.union(*(set(getattr(each.training, column)) for each in sides.values()))
    for target in STUDIES:
        parts = [each.held_out if study == target else each.test[target] for study, each in sides.items()]
        for part in parts:
            np.testing.assert_array_equal(part.cell_line, parts[0].cell_line)
            np.testing.assert_array_equal(part.drug, parts[0].drug)
        assert not trained_on & set(getattr(parts[0], column))


def test_a_test_has_rows_that_training_has_seen_where_that_is_asked_for(uno_data: Path) -> None:
    asked = {"train_sources": ["CCLE"], "test_sources": ["GDSC2"], "split": "row", "split_over": "study"}
    unseen, whole = (dataset(uno_data, **asked, row_limit=None, test_seen=seen) for seen in (False, True))
    trained = set(zip(whole.training.cell_line, whole.training.drug, strict=True))
    tested = [list(zip(each.test["GDSC2"].cell_line, each.test["GDSC2"].drug, strict=True)) for each in (unseen, whole)]
    assert not trained & set(tested[0]) and trained & set(tested[1])
    assert len(tested[0]) < len(tested[1]) == len(whole.source.responses["GDSC2"])
    assert whole.test_notes[0] == "all rows" != unseen.test_notes[0]


def test_smaller_trainings_have_a_part_of_the_rows_of_larger_ones(uno_data: Path) -> None:
    small, large = (dataset(uno_data, train_sources=["CCLE"], row_limit=limit) for limit in (100, 1000))
    pairs = [set(zip(each.training.cell_line, each.training.drug, strict=True)) for each in (small, large)]
    assert len(small.training) == 100 and pairs[0] < pairs[1]
    np.testing.assert_array_equal(small.validation.labels, large.validation.labels)
    assert len(small.validation) == 64 < len(small.held_out)


def test_rows_are_counted_without_a_training(uno_data: Path) -> None:
    from drug_response.dataset import count_rows
    from uno import HYPERPARAMETERS

    settings = HYPERPARAMETERS.complete({**SMALL, "train_sources": ["CCLE"], "row_limit": None})
    training, validation = count_rows(settings, uno_data)
    assert validation == 64 and training == len(dataset(uno_data, train_sources=["CCLE"], row_limit=None).training)
    with pytest.raises(ValueError, match="split_over = 'data'"):
        count_rows({**settings, "split": "row"}, uno_data)


@pytest.mark.long
def test_uno_is_tested_on_each_study_in_one_start(uno_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    import uno

    predict = uno.MODEL.predict
    uno.run({**SMALL, "train_sources": ["CCLE"], "output_dir": str(tmp_path / "run")})
    together = predict(tmp_path / "run", tmp_path / "all", {"test_sources": ["CCLE", "GDSC2"], "separate_tests": True})
    for study in ("CCLE", "GDSC2"):
        alone = predict(tmp_path / "run", tmp_path / study, {"test_sources": [study]})
        scores = json.loads((tmp_path / "all" / study / "test_scores.json").read_text())
        assert scores == alone and together[f"{study}.mse"] == alone["mse"]
        written = [tmp_path / place / "test_y_data_predicted.csv" for place in (f"all/{study}", study)]
        assert written[0].read_bytes() == written[1].read_bytes()
        assert "holds out in every study" in (tmp_path / "all" / study / "test_rows.txt").read_text()


def curves_of(**means: list[float]) -> pd.DataFrame:
    """R2 of studies at 128, 512, ... training rows, over two splits."""
    return pd.DataFrame(
        [
            {"dataset": study, "shard": 128 * 4**place, "metric": "r2", "mean": mean, "std": 0.01, "splits": 2}
            for study, values in means.items()
            for place, mean in enumerate(values)
        ]
    )


def test_a_curve_of_models_that_learnt_nothing_is_drawn_and_one_below_others_is_told() -> None:
    lost = figures.learning_curve(curves_of(CCLE=[-12.0, -2.0]), "r2", ["CCLE"])
    low, high = lost.chart["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert low <= -12 and high >= 0 and "table alone" not in lost.caption
    both = figures.learning_curve(curves_of(CCLE=[-12.0, -0.5], GDSC1=[0.1, 0.4]), "r2", ["CCLE", "GDSC1"])
    assert both.chart["layer"][1]["encoding"]["y"]["scale"]["domain"][0] >= -1.2
    assert both.caption.endswith("Below -1, in the table alone: 1 of 4 means.")


def test_the_size_that_all_studies_have_is_named_where_one_has_more() -> None:
    alike = learning_curve.answer(curves_of(CCLE=[0.1, 0.2], GDSC1=[0.2, 0.3]), "r2", ["CCLE", "GDSC1"])
    assert alike == ["R2 on held-out rows ends at CCLE 0.20 ± 0.01 with 512 rows, GDSC1 0.30 ± 0.01 with 512 rows."]
    more = learning_curve.answer(curves_of(CCLE=[0.1], GDSC1=[0.2, 0.3]), "r2", ["CCLE", "GDSC1"])
    assert more[1] == "With 128 rows, the largest size that all have: CCLE 0.10 ± 0.01, GDSC1 0.20 ± 0.01."


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([0.111, 0.137, 0.153], 3),
        ([-5.76, -2.59], 2),
        ([0.0745, -0.0144, 0.0046], 4),
        ([0.5], 2),
        ([0.0, 0.0], 2),
        ([], 2),
    ],
)
def test_numbers_beside_each_other_have_the_digits_that_tell_them_apart(values: list[float], digits: int) -> None:
    assert figures.decimals_for(values) == digits


def test_a_deviation_has_a_digit_that_counts() -> None:
    nan = float("nan")
    assert figures.decimals_of([(0.11, 0.004), (0.15, 0.006)]) == 3 and figures.decimals_of([(0.11, nan)]) == 2


@pytest.mark.parametrize(
    ("count", "below", "has_room"), [(3, "± 0.01", True), (4, "± 0.01", False), (3, "[-0.0012, 0.0234]", False)]
)
def test_a_matrix_of_few_words_has_room_on_a_telephone(tmp_path: Path, count: int, below: str, has_room: bool) -> None:
    studies = [f"study {number}" for number in range(count)]
    cells = {(one, other): figures.MatrixCell(0.5, "0.50", below) for one in studies for other in studies}
    shown = figures.Matrix(
        cells, studies, [(each, "9 rows") for each in studies], ("trained", "tested"), ("R2", "mean")
    )
    (picture,) = figures.write(tmp_path, [figures.matrix("r2", "R2", shown, Scale(0.0, 1.0, 0.5), "")])
    assert bool(picture.narrow) == has_room
