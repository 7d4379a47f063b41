"""Searches of the command line, from an experiment's file to its report."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from desk import EXPERIMENT, GAP, GAP_TOML, GAP_TXT, HYPERPARAMETERS, QUICK, SPACE, Desk
from planted_model import CASES

from comparator.results.record_file import read_records

PLANTED_MODEL = Path(__file__).parents[2] / "bench" / "planted_model.py"
PLANTED_HYPERPARAMETERS = f"""
[Global_Params]
cmp_model_name = '{PLANTED_MODEL}'
cmp_0_side = 0
cmp_1_side = 1
case = 'box'
deviation = 0.01
"""
PLANTED = """
model = "cmp"
hyperparameters = "planted.txt"
space = "space.json"
[search]
find = "regions"
evaluations = 14
"""


@pytest.mark.long
def test_an_experiment_from_its_file_to_its_report(desk: Desk) -> None:
    done = desk.run("search", "quick.toml", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "experiment quick-1: left against right" in done.stdout
    assert "12/12" in done.stdout
    page = desk.experiments / "quick-1" / "report.html"
    assert f"report: {page}" in done.stdout
    assert page.is_file()
    records = desk.records("quick-1")
    assert len(records) >= 12
    for record in records:
        first, second = (run["metrics"]["val_loss"] for run in record["runs"][-2:])
        assert record["runs"][-1]["seed"] == record["runs"][-2]["seed"]
        single = -abs(second - first) / max(first, second)
        assert record["value"] == pytest.approx(single)  # the quick model is deterministic
        assert (desk.experiments / record["runs"][0]["log"]).is_file()


@pytest.mark.long
def test_the_same_seed_gives_the_same_points_and_costs_no_training(desk: Desk) -> None:
    for _ in range(2):
        assert desk.search("quick.toml", "--seed", "7", "--workers", "1").returncode == 0
    first, second = desk.records("quick-1"), desk.records("quick-2")
    assert [each["point"] for each in first] == [each["point"] for each in second]
    assert [each["value"] for each in first] == [each["value"] for each in second]
    assert all(run["reused"] for record in second for run in record["runs"])


def test_folders_and_words_may_be_no_utf_8(tmp_path: Path) -> None:
    """Names of files are bytes; what holds some goes between processes, and stays in the record."""
    folder = tmp_path / os.fsdecode(b"d\xe9p\xf4t")
    folder.mkdir()
    desk = Desk(folder)
    script = folder / "train.sh"
    script.write_text('#!/bin/bash\necho "IMPROVE_RESULT val_loss: 0.5"\n')
    script.chmod(0o755)
    desk.write("upf.txt", '{"id": "a", "noise": 1}\n')
    desk.write("one.toml", 'model = "."\nupf = "upf.txt"\n')
    title = os.fsdecode(b"\xe9")
    done = desk.run("sweep", "one.toml", "--set", f"title={title}", "--id", "s1", "--no-report")
    assert done.returncode == 0, done.stderr
    (record,) = read_records(desk.experiments / "s1" / "evaluations.jsonl")
    assert record.value == 0.5
    listed = desk.run("list")
    assert (listed.returncode, "\\xe9" in listed.stdout) == (0, True), listed


@pytest.mark.long
@pytest.mark.parametrize(
    "strategy", ["bayesian", "simple", "mu_plus_lambda", "particle_swarm", "steady_state", "sobol", "random", "grid"]
)
def test_every_strategy_runs(desk: Desk, strategy: str) -> None:
    done = desk.search("quick.toml", "--set", f"search.strategy={strategy}", "--set", "search.evaluations=9")
    assert done.returncode == 0, done.stderr
    assert len(desk.records("quick-1")) >= 9


@pytest.mark.long
def test_a_search_for_regions_needs_no_strategy_and_two_models(desk: Desk) -> None:
    """On a planted case, whose model gives the planted difference exactly."""
    desk.write("space.json", json.dumps(CASES["box"].space))
    desk.write("planted.txt", PLANTED_HYPERPARAMETERS)
    desk.write("planted.toml", PLANTED)
    done = desk.search("planted.toml", "--workers", "1")
    assert done.returncode == 0, done.stderr
    frozen = json.loads((desk.experiments / "planted-1" / "experiment.json").read_text())
    assert frozen["strategy"]["name"] == "level_set"
    records = desk.records("planted-1")
    assert len(records) >= 14
    for record in records:
        noise_free = 0.45 if CASES["box"].is_inside(record["point"]) else 0.2
        assert record["value"] == pytest.approx(-noise_free, abs=0.05)
    desk.write("planted.toml", PLANTED.replace('model = "cmp"', f'model = "{PLANTED_MODEL}"'))
    refused = desk.search("planted.toml")
    assert refused.returncode == 2
    assert "find = 'regions' asks where two models differ; it needs model = 'cmp'" in refused.stderr


@pytest.mark.long
@pytest.mark.parametrize("description", [GAP_TOML, None])
def test_a_score_that_crosses_zero_is_compared_in_its_own_units(desk: Desk, description: str | None) -> None:
    """By equation 1 the same gap would be a hundred at one point, and no number at others."""
    desk.write("gap.py", GAP)
    desk.write("quick.txt", GAP_TXT)
    if description is not None:
        desk.write("gap.toml", description)
    done = desk.run("search", "quick.toml", "--set", "cmp.metric=val_r2", "--set", "search.strategy=sobol")
    assert done.returncode == 0, done.stderr
    assert "largest: " in done.stdout and "val_r2" in done.stdout
    frozen = json.loads((desk.experiments / "quick-1" / "experiment.json").read_text())
    assert frozen["settings"]["cmp"]["difference"] == "absolute"
    records = desk.records("quick-1")
    assert {record["status"] for record in records} == {"ok"}
    assert [record["value"] for record in records] == pytest.approx([-0.3] * len(records))
    skills = [run["metrics"]["val_r2"] for record in records for run in record["runs"]]
    assert min(skills) < -0.1 and max(skills) > 0.3


@pytest.mark.long
def test_generations_are_a_budget_too(desk: Desk) -> None:
    done = desk.search(
        "quick.toml",
        "--set",
        "search.strategy=simple",
        "--set",
        "search.generations=3",
        "--set",
        "search.population=12",
    )
    assert done.returncode == 0, done.stderr
    searched = [record for record in desk.records("quick-1") if record["stage"] == "search"]
    assert {record["generation"] for record in searched} == {0, 1, 2}


def test_a_single_model_is_searched_by_its_metric(desk: Desk) -> None:
    text = EXPERIMENT.replace("title", f'model = "{QUICK}"\ntitle').replace("[cmp]", "").replace("metric", "#")
    desk.write("single.toml", text)
    desk.write("quick.txt", "[a]\nside = 'left'\n")
    done = desk.run("search", "single.toml")
    assert done.returncode == 0, done.stderr
    assert "smallest: " in done.stdout
    records = desk.records("single-1")
    assert {run["submodel"] for record in records for run in record["runs"]} == {0}
    assert {1, 8} <= {len(record["runs"]) for record in records}  # on its seed, and on those that confirm
    report = json.loads((desk.experiments / "single-1" / "report.json").read_text())
    assert report["verdict"] is None and {each["verdict"] for each in report["confirmed"]} == {None}


@pytest.mark.long
def test_side_by_side_gives_what_one_after_the_other_gives(desk: Desk) -> None:
    environment = {"SITE_CORES": "2"}
    desk.search("quick.toml", "--workers", "1", "--experiments", "side-by-side", **environment)
    desk.search("quick.toml", "--workers", "1", "--experiments", "in-turn", SITE_CORES="1")
    both = [read_records(desk.folder / name / "quick-1/evaluations.jsonl") for name in ("side-by-side", "in-turn")]
    assert [record.value for record in both[0]] == [record.value for record in both[1]]


@pytest.mark.long
def test_a_process_per_run_gives_what_a_warm_server_gives(desk: Desk) -> None:
    model = desk.folder / "model"
    model.mkdir()
    (model / "quick.py").write_text(QUICK.read_text())
    (model / "model.toml").write_text('module = "quick"\nseed = "rng_seed"\n')
    main = (
        "import sys, quick\nwords = sys.argv[3:]\n"
        "given = {key[2:]: value for key, value in zip(words[::2], words[1::2])}\n"
        "given = {**quick.initialize_parameters(), **given}\n"
        "given.update(jitter=float(given['jitter']), sleep=0.0, rng_seed=int(given['rng_seed']))\n"
        "print('IMPROVE_RESULT val_loss:', repr(quick.run(given)['val_loss'][-1]))\n"
    )
    (model / "main.py").write_text(main)
    train = model / "train.sh"
    train.write_text('#!/bin/sh\nexec python3 "$(dirname "$0")/main.py" "$@"\n')
    train.chmod(0o755)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), str(model)) + "jitter = 0.003\n")
    few = ("--set", "search.evaluations=4", "--workers", "1")
    assert desk.search("quick.toml", *few, "--experiments", "warm").returncode == 0
    cold = desk.search("quick.toml", *few, "--experiments", "cold", "--cold")
    assert cold.returncode == 0, cold.stderr
    both = [read_records(desk.folder / name / "quick-1/evaluations.jsonl") for name in ("warm", "cold")]
    assert [record.value for record in both[0]] == [record.value for record in both[1]]
    first = {"warm": both[0][0].runs[0], "cold": both[1][0].runs[0]}
    logs = [(desk.folder / name / str(run.log)).read_text() for name, run in first.items()]
    assert "warm server" in logs[0]
    assert "a process of its own" in logs[1]


@pytest.mark.long
def test_model_return_names_the_metric_where_the_file_does_not(desk: Desk) -> None:
    stated = desk.search("quick.toml", "--dry-run", MODEL_RETURN="val_r2")
    assert "MODEL_RETURN=val_r2 has no effect: quick.toml states 'val_loss'" in stated.stdout
    desk.write("quick.toml", EXPERIMENT.replace('metric = "val_loss"', ""))
    assert desk.search("quick.toml", MODEL_RETURN="val_r2").returncode == 0
    assert "difference of val_r2" in (desk.experiments / "quick-1" / "experiment.json").read_text()


@pytest.mark.long
def test_trainings_in_an_environment_of_their_own_are_found_again_and_come_out_again(desk: Desk) -> None:
    desk.write(
        "quick.toml", EXPERIMENT + '[cmp.0]\nenvironment = { TF_DETERMINISTIC_OPS = "1", OMP_SCHEDULE = "static" }\n'
    )
    few = ("quick.toml", "--workers", "1", "--set", "search.evaluations=2", "--set", "confirm.points=0")
    assert "trainings: 4 done, 0 found in the store" in desk.search(*few, "--id", "one").stdout
    assert "trainings: 0 done, 4 found in the store" in desk.search(*few, "--id", "two").stdout
    verified = desk.run("verify", "one", "--sample", "all")
    assert (verified.returncode, "4 gave the same numbers" in verified.stdout) == (0, True)


def test_replicates_of_a_model_without_a_description_have_seeds_of_their_own(desk: Desk) -> None:
    desk.write(
        "space.json", json.dumps([{"name": "noise", "type": "ordered", "element_type": "int", "values": [1, 2]}])
    )
    desk.write("quick.txt", HYPERPARAMETERS + "cmp_1_jitter = 0.01\n")
    assert desk.search("quick.toml", "--set", "search.blocks=1").returncode == 0
    runs = [run for record in desk.records("quick-1") for run in record["runs"] if run["submodel"] == 1]
    assert len({run["metrics"]["val_loss"] for run in runs if run["seed"] == 1}) == 2
    assert len({run["seed"] for run in runs}) > 2
    assert all(run["metrics"]["seed"] == run["seed"] for run in runs)


def test_a_constant_config_of_a_space_is_a_file_of_hyperparameters(desk: Desk) -> None:
    model = desk.folder / "model"
    model.mkdir()
    (model / "quick.py").write_text(QUICK.read_text())
    (model / "model.toml").write_text('module = "quick"\n')
    (model / "best.txt").write_text("[a]\nsize = 40\n")
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "model"))
    desk.write("space.json", json.dumps([SPACE[0], {"name": "config", "type": "constant", "value": "best.txt"}]))
    assert desk.search("quick.toml", "--set", "search.evaluations=2").returncode == 0
    log = (desk.experiments / desk.records("quick-1")[0]["runs"][0]["log"]).read_text()
    assert " size 40" in log


@pytest.mark.long
def test_a_box_is_handed_back_to_a_search(desk: Desk) -> None:
    desk.write("box.json", json.dumps({"noise": [10, 50]}))
    around = desk.search("quick.toml", "--id", "around", "--avoid", "box.json", "--workers", "1")
    assert around.returncode == 0, around.stdout
    assert "the search keeps out of noise above 10" in around.stdout
    records = desk.records("around")
    assert sum(record["stage"] == "search" for record in records) == 12
    assert all(record["point"]["noise"] < 10 for record in records)

    # The box is frozen: what the file says later changes nothing, and a resume proposes what it would have.
    desk.write("box.json", json.dumps({"noise": [0, 10]}))
    lines = desk.experiments / "around" / "evaluations.jsonl"
    lines.write_text("".join(line + "\n" for line in lines.read_text().splitlines()[:7]))
    resumed = desk.search("--resume", "around", "--workers", "1")
    assert resumed.returncode == 0, resumed.stdout
    assert [record["point"] for record in desk.records("around")] == [record["point"] for record in records]

    report = desk.experiments / "around" / "report.json"
    box = {"noise": [10, 30], "size": [50, 120]}
    report.write_text(json.dumps({"regions": [{"bounds": {"noise": [0, 1]}}, {"bounds": box, "mean": 0.3}]}))
    inside = desk.search("quick.toml", "--focus", "around:2", "--dry-run", "--json")
    assert inside.returncode == 0 and "the search keeps to noise 10 to 30 and size 50 to 120" in inside.stderr
    frozen = json.loads(inside.stdout)
    assert frozen["settings"]["search"]["focus"] == box
    assert [(entry["lower"], entry["upper"]) for entry in frozen["space"]] == [(10, 30), (50, 120)]
