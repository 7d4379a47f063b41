"""A strategy that listens: its points come from outside, at any time, and no result brings them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk

from comparator.results.files import read_json

STRATEGY = """
from pathlib import Path

from comparator.strategies.strategy import Strategy

LETTERS = Path(__file__).with_name("letters.txt")


class Letters(Strategy):
    listens = True
    ends_by_itself = True

    def __init__(self, space, seed, in_flight, options):
        self.recalled, self.read, self.most = [], 0, in_flight

    def recall(self, recorded):
        super().recall(recorded)
        self.recalled, self.read = list(recorded), len(recorded)

    def start(self):
        return self.recalled

    def tell(self, number, value):
        return []

    def listen(self):
        lines = LETTERS.read_text().splitlines()[self.read :]
        if lines[:1] == ["stop"]:
            return None
        lines = [line for line in lines if line != "stop"][: self.most]
        self.read += len(lines)
        return [self._propose({"noise": float(line), "size": 100}) for line in lines]
"""
EXPERIMENT = """\
hyperparameters = "quick.txt"
space = "space.json"
[search]
strategy = "letters.py"
[confirm]
points = 1
regions = false
"""
EXACT = """
def initialize_parameters():
    return {"noise": 0.0, "size": 100, "rng_seed": 1}


def run(params):
    return {"val_loss": params["noise"]}
"""
SECONDS = 180.0


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.write("letters.py", STRATEGY)
    made.write("letters.txt", "")
    made.write("listening.toml", EXPERIMENT)
    return made


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def stages(desk: Desk) -> list[str]:
    path = desk.experiments / "own"
    return [line["stage"] for line in desk.records("own")] if path.exists() else []


def started(desk: Desk, *words: str) -> subprocess.Popen[str]:
    return desk.start("search", "listening.toml", "--id", "own", "--no-report", "--workers", "2", *words)


@pytest.mark.long
def test_points_are_heard_of_while_nothing_runs_and_the_search_ends_when_no_more_will_come(desk: Desk) -> None:
    process = started(desk, "--set", "search.pilot=2", "--set", "hyperparameters.jitter=0.01")
    try:
        wait_for(lambda: stages(desk) == ["pilot"] * 2)
        for count in (1, 2):
            desk.write("letters.txt", "".join(f"{number}\n" for number in range(count)))
            wait_for(lambda count=count: stages(desk) == ["pilot"] * 2 + ["search"] * count)
        desk.write("letters.txt", "0\n1\nstop\n")
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.communicate()
    assert stages(desk)[4:] and set(stages(desk)[4:]) == {"confirm"}
    state = read_json(desk.experiments / "own" / "state.json") or {}
    assert (state["state"], state["reason"], state["running"]) == ("finished", None, [])


@pytest.mark.long
def test_a_resumed_search_has_its_recorded_points_and_hears_of_further_ones(desk: Desk) -> None:
    desk.write("letters.txt", "0\n1\n2\nstop\n")
    quickly = ("--set", "confirm.points=0", "--workers", "1")
    assert desk.search("listening.toml", "--id", "own", *quickly).returncode == 0
    finished = desk.search("--resume", "own")
    assert finished.returncode == 0 and len(desk.records("own")) == 3, finished.stderr
    record = desk.experiments / "own" / "evaluations.jsonl"
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join(lines[:2]))
    state = desk.experiments / "own" / "state.json"
    state.write_text(state.read_text().replace('"finished"', '"stopped"'))
    resumed = desk.search("--resume", "own")
    assert resumed.returncode == 0, resumed.stderr
    assert sorted(line["point"]["noise"] for line in desk.records("own")) == [0, 1, 2]
    assert desk.run("verify", "own", "--sample", "1").returncode == 0


def test_a_budget_ends_it_and_the_walltime_too(desk: Desk) -> None:
    desk.write("letters.txt", "".join(f"{number}\n" for number in range(9)))
    asked = ("--set", "confirm.points=0", "--set", "search.pilot=0")
    budget = desk.search("listening.toml", "--id", "own", *asked, "--set", "search.evaluations=4")
    assert budget.returncode == 0 and len(desk.records("own")) == 4, budget.stderr
    walltime = desk.search("listening.toml", "--id", "late", *asked, "--walltime", "00:00:03")
    assert walltime.returncode == 75 and "the walltime came to its end" in walltime.stderr


@pytest.mark.long
def test_points_that_repeat_are_answered_as_often_as_they_are_asked(desk: Desk) -> None:
    desk.write("exact.py", EXACT)
    desk.write("exact.toml", 'model = "exact.py"\nmetric = "val_loss"\n' + EXPERIMENT.partition("\n")[2])
    desk.write("letters.txt", "1\n" * 60 + "stop\n")
    asked = ("--id", "own", "--workers", "1", "--set", "confirm.points=0")
    done = desk.search("exact.toml", *asked)
    assert done.returncode == 0, done.stderr
    lines = desk.records("own")
    assert len(lines) == 60 and len({line["value"] for line in lines}) == 1
    assert sum(len(line["asked"]) for line in lines) <= 4
