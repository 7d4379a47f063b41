"""Commands that look at experiments and sites, the self-test, and what a search leaves to later commands."""

from __future__ import annotations

import json

import pytest
from desk import HYPERPARAMETERS, Desk


@pytest.mark.long
def test_a_damaged_experiment_is_a_row_that_says_what_is_damaged(desk: Desk) -> None:
    line = {"evaluation": 0, "point": {}, "status": "ok", "value": 1.0, "runs": []}
    files = {
        "bare": ("{}", ""),
        "later": ('{"id": "later", "format": 99, "models": []}', ""),
        "line": ('{"id": "line", "models": []}', "7\n{}\n"),
        "little": ('{"id": "little", "models": []}', json.dumps(line) + "\n"),
    }
    for name, (frozen, record) in files.items():
        (desk.experiments / name).mkdir(parents=True)
        (desk.experiments / name / "experiment.json").write_text(frozen)
        (desk.experiments / name / "evaluations.jsonl").write_text(record)
    listed = desk.run("list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "experiment.json: id is missing; the file was changed or damaged" in listed.stdout
    assert "experiment.json: its format is 99, of a later version" in listed.stdout
    assert "evaluations.jsonl: line 1: it is no object" in listed.stdout
    states = {row["id"]: row["state"] for row in json.loads(desk.run("list", "--json").stdout)}
    assert states == {"bare": "damaged", "later": "damaged", "line": "damaged", "little": "new"}
    for command in ("report", "export", "watch", "verify"):
        for name in ("bare", "later", "line"):
            done = desk.run(command, name)
            assert done.returncode in (1, 2) and "Traceback" not in done.stderr, (command, name, done)
    resumed = desk.search("--resume", "little")
    assert (resumed.returncode, resumed.stderr) == (
        2,
        f"comparator: {desk.experiments}/little/experiment.json: format is missing; the file was changed or damaged\n",
    )


@pytest.mark.long
def test_watch_list_and_stop_see_an_experiment_of_another_process(desk: Desk) -> None:
    process = desk.start("search", "quick.toml", "--set", "hyperparameters.sleep=30", "--id", "mine")
    assert process.stdout is not None
    assert "experiment mine" in process.stdout.readline()
    assert "no result yet" in process.stdout.readline()
    listed = json.loads(desk.run("list", "--json").stdout)
    assert [(each["id"], each["state"]) for each in listed] == [("mine", "running")]
    assert "is being run by process" in desk.search("--resume", "mine").stderr
    watching = desk.start("watch", "mine")
    assert desk.run("stop", "mine").returncode == 0
    process.communicate(timeout=300)
    watched, _ = watching.communicate(timeout=300)
    assert "mine: stopped" in watched
    assert desk.run("stop", "mine").returncode == 2


def test_sites_are_listed_and_shown(desk: Desk) -> None:
    assert "local" in desk.run("site", "list").stdout.split()
    far = desk.run("site", "show", "frontier").stdout
    assert "8 slots a node (8 devices, 1 models on each)\n" in far, "its cores are not this host's"
    assert "a slot for each core of a node (no devices); SITE_CORES" in desk.run("site", "show", "slurm").stdout
    assert "3 slots a node (no devices, 3 cores)" in desk.run("site", "show", "local", SITE_CORES="3").stdout
    shown = desk.run("site", "show", "local", SITE_DEVICES="2", SITE_MODELS_PER_DEVICE="2").stdout
    assert "4 slots a node (2 devices, 2 models on each" in shown
    together = "8 trainings at once in a slot, of models that take several together"
    assert together in desk.run("site", "show", "local", SITE_TOGETHER="8").stdout and together not in shown


@pytest.mark.long
def test_a_self_test_of_equal_numbers_says_that_it_compared_nothing(desk: Desk) -> None:
    few = ("--set", "search.evaluations=3", "--set", "confirm.points=0")
    done = desk.run("selftest", "quick.toml", *few)
    assert done.returncode == 0, done.stderr
    assert "note: seeds change nothing here: both sides gave equal numbers" in done.stderr
    found = json.loads(done.stdout)
    assert (found["verdict"], found["reason"]) == ("none", "both models give the same everywhere")


@pytest.mark.long
def test_a_self_test_goes_the_way_of_every_search_and_finds_nothing(desk: Desk) -> None:
    desk.write("quick.txt", HYPERPARAMETERS + "jitter = 0.02\nrng_seed = 31\n")
    few = ("--set", "search.evaluations=14", "--set", "search.pilot=2", "--set", "confirm.points=2")
    done = desk.run("selftest", "quick.toml", *few)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["verdict", "reason", "regions", "best", "confirmed"]
    assert "seeds change nothing" not in done.stderr
    assert (found["verdict"], found["regions"]) == ("none", [])
    assert [each["verdict"] for each in found["confirmed"]] == ["not confirmed"] * len(found["confirmed"])
    assert found["best"]["searched"] > 0 and found["best"]["seeds"] == 8
    records = desk.records("quick-selftest-1")
    assert {record["stage"] for record in records} == {"pilot", "search", "confirm"}
    for run in (run for record in records for run in record["runs"]):
        step = run["seed"] - 31 - 100_000 * run["submodel"]
        assert step == run["replicate"] == run["block"] if run["replicate"] >= 1000 else step % 8 == run["block"]
        assert run["metrics"]["seed"] == run["seed"]
    report = json.loads((desk.experiments / "quick-selftest-1" / "report.json").read_text())
    frozen = json.loads((desk.experiments / "quick-selftest-1" / "experiment.json").read_text())
    assert report["pairs"] == {"pilot": 4, "search": 10, "confirm": 8 * len(frozen["claims"])}
    assert report["pilot"]["deviation"] > 0


@pytest.mark.long
def test_a_report_is_left_for_later(desk: Desk) -> None:
    desk.write("quick.txt", HYPERPARAMETERS + "jitter = 0.02\n")
    done = desk.search("quick.toml", "--id", "later", "--set", "search.pilot=2")
    assert done.returncode == 0, done.stderr
    assert "largest relative difference of val_loss" in done.stdout and "report later" in done.stdout
    report = desk.experiments / "later" / "report.json"
    assert not report.exists()
    printed = json.loads(desk.run("report", "later", "--json").stdout)
    assert printed == json.loads(report.read_text())
    assert printed["best"]["difference"] > 0
    assert "--json prints the report; leave out --no-report" in desk.search("quick.toml", "--json").stderr


@pytest.mark.long
def test_results_for_programs(desk: Desk) -> None:
    done = desk.run("search", "quick.toml", "--json")
    assert done.returncode == 0
    printed = json.loads(done.stdout)
    assert printed["best"]["difference"] > 0
    assert printed == json.loads((desk.experiments / "quick-1" / "report.json").read_text())
    again = desk.run("report", "quick-1", "--metric", "val_r2", "--json")
    assert json.loads(again.stdout)["metric"] == "val_r2"
    assert (desk.experiments / "quick-1" / "report-val_r2.html").exists()
    refused = desk.run("report", "quick-1", "--metric", "val_r3")
    assert refused.returncode == 2 and "did you mean 'val_r2'" in refused.stderr
