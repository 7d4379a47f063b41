"""Whole cross-HPOs, with models that take no time and whose best settings are known."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from two_workers import said

from comparator.errors import InputError
from comparator.experiment.host import Host
from comparator.experiment.listing import experiment_rows
from comparator.experiment.reopening import reopen_plan
from comparator.results.experiments import read_experiment, read_whole_experiment
from comparator.results.record_file import read_records
from comparator.results.run_store import RunStore
from comparator.studies import cross_hpo, sweep
from comparator.verification.record import check_record, check_search

ROOT = Path(__file__).resolve().parents[3]

MODEL = """
reads = []
name = "Quick"
seed = "rng_seed"
[metrics.val_loss]
kind = "error"
[hyperparameters.train_sources]
[hyperparameters.test_sources]
[hyperparameters.split_seed]
[hyperparameters.x]
default = 2
[hyperparameters.fails_at]
"""
FLAGS = """#!/usr/bin/env bash
set -eu
while (($#)); do case $1 in --*) name=${1#--}; declare "$name="; shift ;; *) [ -v name ] && declare "$name=${!name:+${!name} }$1"; shift ;; esac; done
"""  # noqa: E501
PREPROCESS = """
for study in $train_sources ${test_sources-}; do
  case $study in A | B) ;; *) echo "no study '$study'"; exit 2 ;; esac
done
"""
#: What is best is 1 on A and 3 on B; a step away costs 10 %, and a split has its own height.
TRAIN = """
[ "$train_sources-$split_seed-${x-2}" != "${fails_at-}" ] || { echo "too large a step"; exit 1; }
case $train_sources in A) best=1 ;; *) best=3 ;; esac
echo "$train_sources" > "$output_dir/source"
awk -v x="${x-2}" -v best="$best" -v part="$split_seed" \
  'BEGIN { away = x > best ? x - best : best - x; print "IMPROVE_RESULT val_loss:", (1 + part / 9) * 1.1 ^ away }'
"""
INFER = """
source=$(cat "$model_dir/source")
[ "$source" = "$test_sources" ] && mse=0.1 || mse=0.4
echo "{\\"mse\\": $mse}" > "$output_dir/test_scores.json"
printf 'auc_true,auc_pred\\n1,1\\n0,0\\n' > "$output_dir/test_y_data_predicted.csv"
"""
SPACE = 'space.x = { type = "ordered", element_type = "int", values = [1, 2, 3] }'
SPLITS = "[cross_hpo]\nstudies = ['A', 'B']\nsplits = [1, 2, 3]\nchoosing = 1\nsettings = 4\n"
ONE = f'model = "quick"\n{SPACE}\n{SPLITS}[set]\nx = 2\ntrain_sources = "A"\n'
TWO = f"""{SPLITS}
[cross_hpo.models.First]
model = "quick"
{SPACE}
[cross_hpo.models.Second]
model = "other"
set = {{ fails_at = "B-1-3" }}
{SPACE}
[set]
x = 2
train_sources = "A"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Two models in folders, and an experiment file of one, and of both."""
    for folder in ("quick", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.toml").write_text(MODEL.replace("Quick", folder.capitalize()))
        for name, text in {"preprocess": PREPROCESS, "train": TRAIN, "infer": INFER}.items():
            (tmp_path / folder / f"{name}.sh").write_text(FLAGS + text)
            (tmp_path / folder / f"{name}.sh").chmod(0o755)
    (tmp_path / "one.toml").write_text(ONE)
    (tmp_path / "two.toml").write_text(TWO)
    return tmp_path


def carried_out(host: Host, file: Path, *overrides: str) -> Path:
    folder = cross_hpo.STUDY.run(host, file, overrides, command="")
    assert folder is not None
    return folder


def faults(host: Host, folder: Path) -> list[str]:
    """What is wrong with a record, and with what the search would ask for next."""
    plan = reopen_plan(read_whole_experiment(folder), root=host.root, site=host.site)
    records = read_records(folder / "evaluations.jsonl")
    found = check_record(plan.frozen, records, RunStore(host.experiments), plan.objective, is_finished=True)
    return [*map(str, found), *map(str, check_search(plan, records, is_finished=True))]


def trained(host: Host) -> int:
    return len(list(RunStore(host.experiments).folders()))


@pytest.mark.long
def test_a_first_model_that_always_fails_does_not_end_the_other(desk: Path, host: Host) -> None:
    (desk / "quick" / "train.sh").write_text("#!/bin/sh\necho it cannot\nexit 3\n")
    folder = carried_out(host, desk / "two.toml")
    assert set(json.loads((folder / "tables" / "hyperparameters.json").read_text())["Second"]) == {"A", "B"}
    assert "First: no test ended well" in said(host)


@pytest.mark.long
def test_what_is_tuned_on_one_study_costs_on_the_other_what_it_was_made_to_cost(desk: Path, host: Host) -> None:
    folder = carried_out(host, desk / "one.toml")
    costs = pd.read_csv(folder / "tables" / "costs.csv").set_index(["tuned_on", "used_on"])
    found = {place: round(100 * (2.718281828459045 ** costs.loc[place, "mean"] - 1), 3) for place in costs.index}
    assert found == {("as given", "A"): 10, ("as given", "B"): 10, ("B", "A"): 21, ("A", "B"): 21}
    assert set(costs.splits) == {2}
    best = json.loads((folder / "tables" / "hyperparameters.json").read_text())
    assert best == {"Quick": {"A": {"x": 1}, "B": {"x": 3}}}
    trainings = pd.read_csv(folder / "tables" / "trainings.csv")
    assert set(trainings[trainings["for"] == "choosing"].split) == {1}
    assert set(trainings[trainings["for"] == "reporting"].split) == {2, 3}
    page = (folder / "report.html").read_text()
    assert "Settings tuned on another study worsen val_loss in 2 of 2 cases: +21.0\u00a0%" in page
    assert (folder / "figures" / "cost-Quick.svg").is_file()
    rows = experiment_rows(host.experiments)
    assert rows[-1]["verdict"] == "settings of another study: a cost is shown in 2 of 2 cases"
    scores = pd.read_csv(folder / "tables" / "Quick" / "mse_mean_csa_table.csv")
    assert scores.to_numpy().tolist() == [["A", 0.1, 0.4], ["B", 0.4, 0.1]]

    assert cross_hpo.STUDY.run(host, desk / "one.toml", [], command="", dry_run=True) is None
    assert f"s a training in {folder.name}: about 1 min with 2 workers" in said(host)
    before = trained(host)
    again = carried_out(host, desk / "one.toml", "cross_hpo.splits=[1, 2, 3, 4]")
    # Settings 0 and 2 are one, and what an earlier experiment trained is found: three settings, two studies, one split.
    assert again != folder and trained(host) == before + 3 * 2


@pytest.mark.long
def test_several_models_are_one_experiment_that_goes_on_where_it_was_left(desk: Path, host: Host) -> None:
    folder = carried_out(host, desk / "two.toml")
    frozen, records = read_experiment(folder), read_records(folder / "evaluations.jsonl")
    assert frozen.labels == ("First", "Second") and frozen.kind == "single"
    assert {record.runs[0].submodel for record in records if record.point["model_name"] == "Second"} == {1}
    assert all(len(record.runs) == 1 for record in records)
    best = json.loads((folder / "tables" / "hyperparameters.json").read_text())
    # What failed on the split that chooses is not chosen, though it would be best, and is said to have failed.
    assert best == {"First": {"A": {"x": 1}, "B": {"x": 3}}, "Second": {"A": {"x": 1}, "B": {"x": 2}}}
    assert faults(host, folder) == []
    page = (folder / "report.html").read_text()
    assert "Failed trainings" in page and "too large a step" in page

    lines = (folder / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (folder / "evaluations.jsonl").write_text("".join(lines[:7]))
    (folder / "state.json").write_text('{"state": "stopped"}')
    stamps = {run.name: (run / "result.json").stat().st_mtime_ns for run in RunStore(host.experiments).folders()}
    assert cross_hpo.STUDY.resume(host, folder.name) == folder
    anew = [
        run.name
        for run in RunStore(host.experiments).folders()
        if stamps.get(run.name) != (run / "result.json").stat().st_mtime_ns
    ]
    assert len(anew) <= 1  # the failed training alone
    points = {record.id: (record.point, record.value) for record in read_records(folder / "evaluations.jsonl")}
    assert points == {record.id: (record.point, record.value) for record in records}


@pytest.mark.long
def test_a_study_on_which_nothing_ended_well_has_no_settings_and_hides_nothing(desk: Path, host: Host) -> None:
    train = desk / "quick" / "train.sh"
    train.write_text(
        train.read_text().replace(
            "case $train", '[ "$train_sources" != B ] || { echo "not B"; exit 1; }\ncase $train', 1
        )
    )
    folder = carried_out(host, desk / "one.toml")
    costs = pd.read_csv(folder / "tables" / "costs.csv").set_index(["tuned_on", "used_on"])
    assert costs.loc[("A", "B"), "splits"] == 0 and costs.loc[("as given", "A"), "splits"] == 2
    assert "not B" in (folder / "report.html").read_text()


def test_a_dry_run_says_how_much_there_is_to_train_and_starts_nothing(desk: Path, host: Host) -> None:
    assert cross_hpo.STUDY.run(host, desk / "two.toml", [], command="", dry_run=True) is None
    words = said(host)
    assert "models: First, Second; 4 settings of each" in words
    assert "16 trainings to choose by, and at most 24 to report on; 16 tests" in words
    assert "not known before some were trained" in words
    assert not (host.experiments / "runs").exists()


@pytest.mark.parametrize(
    ("file", "override", "words"),
    [
        ("one", 'cross_hpo.studies=["A", "Z"]', ["[cross_hpo] studies", "no study 'Z'"]),
        ("one", 'cross_hpo.studies=["A"]', ["[cross_hpo]", "studies"]),
        ("one", "cross_hpo.splits=[1]", ["splits", "1 are too few", "give 3 or more"]),
        ("one", "cross_hpo.settings=1", ["settings", "2"]),
        ("one", "cross_hpo.settings=9", ["has 3 points", "settings = 9"]),
        ("one", "cross_hpo.settings=1000000", ["has 3 points", "settings = 1000000"]),
        ("one", 'cross_hpo.source="split_seed"', ["source and split", "'split_seed'"]),
        ("one", 'cross_hpo.source="TEST_sources"', ["source and target", "'TEST_sources'"]),
        ("one", "cross_hpo.setting=3", ["unknown key 'setting'", "settings"]),
        ("one", "search=3", ["'search' has no meaning", "[cross_hpo] settings"]),
        ("one", "metric=val_lost", ["val_lost", "val_loss"]),
        ("one", 'cross_hpo.source="x"', ["'x' is not tuned"]),
        ("two", "model=quick", ["'model'", "[cross_hpo.models.NAME]"]),
        ("two", "cross_hpo.models={}", ["give model and space"]),
    ],
)
def test_wrong_input_is_one_line_before_anything_starts(
    desk: Path, host: Host, file: str, override: str, words: list[str]
) -> None:
    with pytest.raises(InputError) as raised:
        cross_hpo.STUDY.run(host, desk / f"{file}.toml", [override], command="")
    message = str(raised.value)
    assert "\n" not in message and all(word in message for word in words), message
    assert not host.experiments.exists()


def test_a_model_that_cannot_test_elsewhere_is_refused(desk: Path, host: Host) -> None:
    (desk / "other" / "infer.sh").unlink()
    with pytest.raises(InputError, match=r"Other has no infer\.sh"):
        cross_hpo.STUDY.run(host, desk / "two.toml", [], command="")


def test_the_file_of_cfg_is_well_formed() -> None:
    _, table = sweep.read_file(ROOT / "cfg" / "cross-hpo.toml", [], "cross_hpo", cross_hpo.CrossHPOTable, "")
    assert table.studies == ["CCLE", "GDSC1", "GDSC2"] and list(table.models) == ["Uno", "LightGBM"]
    assert table.choose_on == [1, 2] and not set(table.choose_on) & set(table.report_on)


def test_models_and_studies_whose_joined_names_are_alike_are_refused(desk: Path, host: Host) -> None:
    text = TWO.replace("models.First", "models.X").replace("models.Second", "models.X-Y")
    (desk / "two.toml").write_text(text.replace("['A', 'B']", "['Z', 'Y-Z']").replace('"A"', '"Z"'))
    for folder in ("quick", "other"):
        script = desk / folder / "preprocess.sh"
        script.write_text(script.read_text().replace("A | B)", "Z | Y-Z)"))
    with pytest.raises(InputError, match="are alike: 'X-Y-Z-split_1-setting_0' is two"):
        cross_hpo.STUDY.run(host, desk / "two.toml", [], command="")
