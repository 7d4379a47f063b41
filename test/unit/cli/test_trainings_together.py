"""A search whose worker gives a model several trainings at once finds what one finds that gives it one at a time."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import by_executor
import pytest
from by_executor import processes
from desk import Desk

MODEL = Path(__file__).parents[1] / "models" / "together.py"
needs_swift_t = pytest.mark.skipif(shutil.which("swift-t") is None, reason="there is no swift-t on the PATH")

EXPERIMENT = f"""
title = "left against right"
space = "space.json"
model = "cmp"
run_timeout = 120
[search]
strategy = "sobol"
evaluations = 16
pilot = 0
[cmp]
models = ["{MODEL}", "{MODEL}"]
metric = "val_loss"
[confirm]
points = 0
[set]
cmp_0_side = "left"
cmp_1_side = "right"
jitter = 0.01
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.write("together.toml", EXPERIMENT)
    return made


def search(desk: Desk, name: str, *words: str, **environment: str) -> tuple[dict[str, float], list[int]]:
    """The value at each point, and how many trainings each call of the model had."""
    calls = desk.folder / f"{name}.calls"
    given = (
        "--id",
        name,
        "--set",
        f"hyperparameters.logfile={calls}",
        "--experiments",
        str(desk.folder / f"store of {name}"),
    )
    done = desk.run("search", "together.toml", *given, *words, **environment)
    assert done.returncode == 0, done.stderr + done.stdout
    record = desk.folder / f"store of {name}" / name / "evaluations.jsonl"
    lines = list(map(json.loads, record.read_text().splitlines()))
    values = {json.dumps(line["point"], sort_keys=True): line["value"] for line in lines}
    return values, [int(line.split()[1]) for line in calls.read_text().splitlines()]


@pytest.mark.long
@pytest.mark.parametrize("engine", ["local", pytest.param("swift-t", marks=needs_swift_t)])
def test_a_search_finds_the_same_whether_trainings_go_together_or_not(desk: Desk, engine: str) -> None:
    alone, one_each = search(desk, "alone", "--workers", "2", "--engine", engine, SITE_CORES="2")
    together, sizes = search(desk, "together", "--workers", "2", "--engine", engine, "--together", "4", SITE_CORES="2")
    assert one_each == [1] * 32
    assert sum(sizes) == 32 and sizes.count(4) >= 6 and max(sizes) == 4, sizes
    assert alone == together and len(alone) == 16


@pytest.mark.long
def test_one_worker_has_all_that_go_together_at_every_call(desk: Desk) -> None:
    _, sizes = search(desk, "one", "--workers", "1", SITE_TOGETHER="8")
    assert sizes == [8] * 4


@pytest.mark.long
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_search_that_is_ended_in_the_midst_of_several_goes_on(
    desk: Desk, sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_CORES", "1")  # else the submodels run side by side
    calls = desk.folder / "calls"
    given = ("--set", f"hyperparameters.logfile={calls}", "--set", "hyperparameters.behave=wait together")
    process = desk.start("search", "together.toml", "--id", "left", "--workers", "1", "--together", "8", *given)
    while not calls.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(sent)
    process.communicate(timeout=300)
    assert list(desk.experiments.glob("left/evaluations.jsonl")) == [] or desk.records("left") == []
    Path(f"{calls}.go").touch()
    done = desk.search("--resume", "left", "--workers", "1", "--together", "8")
    assert done.returncode == 0, done.stderr
    assert [record["status"] for record in desk.records("left")] == ["ok"] * 16
    assert calls.read_text().splitlines() == ["left 8", *["left 8", "right 8"] * 2]


@pytest.mark.long
def test_a_pool_of_processes_has_tasks_of_several(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("quick.toml", EXPERIMENT)
    monkeypatch.setenv("SITE_TOGETHER", "4")
    monkeypatch.setenv("CANDLE_DATA_DIR", str(desk.folder / "data"))
    with processes(2) as executor:
        by_executor.search(executor, desk.folder, "pool", [f"hyperparameters.logfile={desk.folder / 'calls'}"])
    sizes = [int(line.split()[1]) for line in (desk.folder / "calls").read_text().splitlines()]
    assert sum(sizes) == 32 and sizes.count(4) >= 6 and max(sizes) == 4, sizes


def test_a_dry_run_says_how_many_go_together(desk: Desk) -> None:
    said = desk.run("search", "together.toml", "--together", "8", "--workers", "1", "--dry-run")
    assert "1 workers, each of which gives 8 trainings at once to a model with run_many(params_list)" in said.stdout
    other = desk.run("search", "quick.toml", "--together", "8", "--workers", "1", "--dry-run")
    assert "1 workers, each with one training at a time, since no model is served that has run_many(" in other.stdout
    cold = desk.run("search", "together.toml", "--workers", "1", "--dry-run")
    assert "1 workers; a node has" in cold.stdout


def test_a_number_that_none_can_be_is_refused(desk: Desk) -> None:
    assert "--together" in desk.run("search", "together.toml", "--together", "0").stderr
    refused = desk.run("search", "together.toml", "--dry-run", SITE_TOGETHER="several")
    assert refused.returncode == 2
    assert "comparator: SITE_TOGETHER='several' in the environment: must be a whole number from 1" in refused.stderr
