"""Stores of earlier versions, whose runs lie beside each other, and mixtures of both."""

import json
import shutil
from pathlib import Path

import pytest
from desk import Desk
from repeats import as_earlier as as_earlier_lines

from comparator.results.experiments import read_experiment
from comparator.results.form import as_text
from comparator.results.frozen import FORMAT
from comparator.results.points import observations_in
from comparator.results.record_file import read_records
from comparator.results.run_result import RunResult
from comparator.results.run_store import RunStore
from comparator.sharing.bundle import write_bundle
from comparator.sharing.opening import open_bundle

SEARCH = ("--set", "search.evaluations=4", "--set", "confirm.points=0", "--workers", "1")


def as_earlier(experiments: Path) -> None:
    """Have the runs, and the logs that records name, lie where earlier versions put them."""
    for run in list(RunStore(experiments).folders()):
        run.rename(experiments / "runs" / run.name)
        (experiments / "runs" / run.name / "lock").touch()
        if not any(run.parent.iterdir()):
            run.parent.rmdir()
        for record in experiments.glob("*/evaluations.jsonl"):
            record.write_text(record.read_text().replace(f"runs/{run.name[:2]}/{run.name}/", f"runs/{run.name}/"))


def logs(desk: Desk, identifier: str) -> list[Path]:
    return [desk.experiments / run["log"] for record in desk.records(identifier) for run in record["runs"]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    assert desk.search("quick.toml", "--id", "first", *SEARCH).returncode == 0
    as_earlier(desk.experiments)
    return desk


@pytest.fixture
def earlier(made: Desk, tmp_path: Path) -> Desk:
    (tmp_path / "desk").mkdir()
    desk = Desk(tmp_path / "desk")
    shutil.copytree(made.experiments, desk.experiments)
    return desk


@pytest.mark.long
def test_what_an_earlier_version_has_trained_is_found_and_not_trained_again(earlier: Desk) -> None:
    trained = {run.name for run in RunStore(earlier.experiments).folders()}
    assert trained and all(run.parent.name == "runs" for run in RunStore(earlier.experiments).folders())
    one = min(trained)
    (earlier.experiments / "runs" / one / "result.json").write_text(json.dumps(RunResult(status="failed").as_json()))
    assert earlier.search("quick.toml", "--id", "second", *SEARCH, "--set", "search.evaluations=6").returncode == 0
    runs = [run for record in earlier.records("second") for run in record["runs"]]
    anew = {run["run"] for run in runs if not run["reused"]}
    assert anew & trained == {one} and {run["run"] for run in runs} > trained
    assert all(log.is_file() for log in logs(earlier, "second"))
    places = {run.name: run.parent.name for run in RunStore(earlier.experiments).folders()}
    assert all(places[run] == ("runs" if run in trained else run[:2]) for run in places)
    assert len(places) == len(trained | anew)
    assert earlier.run("verify", "second", "--sample", "2").returncode == 0


@pytest.mark.long
def test_an_experiment_of_an_earlier_version_is_verified_carried_on_and_shared(earlier: Desk, tmp_path: Path) -> None:
    assert earlier.run("verify", "first", "--sample", "2").returncode == 0
    record = earlier.experiments / "first" / "evaluations.jsonl"
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join(lines[:2]))
    (earlier.experiments / "first" / "state.json").write_text('{"state": "stopped"}')
    assert earlier.search("--resume", "first", "--workers", "1").returncode == 0
    assert [each["value"] for each in earlier.records("first")] == [json.loads(line)["value"] for line in lines]
    bundle = write_bundle(earlier.experiments / "first", tmp_path).path
    there = Desk(earlier.folder)
    there.experiments = tmp_path / "there"
    opened = open_bundle(bundle, there.experiments, containers=tmp_path)
    assert opened.came == len(list(RunStore(earlier.experiments).folders())) and opened.here == 0
    assert all(log.is_file() for log in logs(there, "first"))
    assert open_bundle(bundle, there.experiments, containers=tmp_path).came == 0


@pytest.mark.long
def test_lines_that_have_all_replicates_of_their_points_are_followed_by_such_as_have_new_ones(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write("space.json", json.dumps([{"name": "size", "type": "int", "lower": 10, "upper": 12}]))
    few = ("--set", "search.evaluations=14", "--set", "search.pilot=0", "--set", "confirm.points=0", "--workers", "1")
    assert desk.search("quick.toml", "--id", "one", *few).returncode == 0
    path = desk.experiments / "one"
    lines = read_records(path / "evaluations.jsonl")
    assert sum(line.after is not None for line in lines) > 5
    assert read_experiment(path).format == FORMAT and desk.run("verify", "one", "--sample", "0").returncode == 0
    earlier = "".join(f"{as_text(line)}\n" for line in as_earlier_lines(lines)[:7])
    (path / "evaluations.jsonl").write_text(earlier)
    (path / "experiment.json").write_text(json.dumps(read_experiment(path).as_json() | {"format": 2}))
    (path / "state.json").write_text('{"state": "stopped"}')
    assert desk.run("verify", "one", "--sample", "0").returncode == 0
    assert (read_experiment(path).format, read_experiment(path).from_format) == (2, None)

    resumed = desk.search("--resume", "one", "--workers", "1")
    assert resumed.returncode == 0 and "did not note" not in resumed.stderr + resumed.stdout
    assert (read_experiment(path).format, read_experiment(path).from_format) == (FORMAT, 2)
    assert (path / "evaluations.jsonl").read_text().startswith(earlier)
    now = read_records(path / "evaluations.jsonl")
    assert [line.value for line in now] == pytest.approx([line.value for line in lines])
    assert observations_in(now) == observations_in(lines)
    assert any(line.after is not None for line in now[7:]) and all(line.after not in range(7) for line in now)
    assert desk.run("verify", "one", "--sample", "0").returncode == 0
