"""Searches whose trainings fail, and searches that are stopped and gone on with."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
import threading
from subprocess import PIPE, Popen

import pytest
from desk import EXPERIMENT, SPACE, Desk, assert_names_the_models_log

from comparator.cli.app import stop_signals_like_ctrl_c
from comparator.engine.workers import STOPPED_BY
from comparator.results.record_file import read_records


@pytest.mark.long
@pytest.mark.parametrize("behave", ["raise", "die", "nan", "nonsense", "nothing"])
def test_an_experiment_that_only_fails_stops_and_says_so(desk: Desk, behave: str) -> None:
    done = desk.search("quick.toml", "--set", f"hyperparameters.behave='{behave}'")
    assert done.returncode == 1
    assert "evaluations all failed" in done.stderr
    assert_names_the_models_log(desk, done)
    records = desk.records("quick-1")
    assert 5 <= len(records) <= 7
    assert all(record["status"] == "failed" and record["reason"] for record in records)
    assert all((desk.experiments / record["runs"][0]["log"]).is_file() for record in records)


@pytest.mark.long
def test_a_model_that_hangs_is_a_time_out(desk: Desk) -> None:
    desk.write("quick.toml", EXPERIMENT.replace("run_timeout = 20", "run_timeout = 0.3"))
    done = desk.search("quick.toml", "--set", "hyperparameters.cmp_1_behave=hang", "--set", "search.evaluations=2")
    assert done.returncode == 1
    words = "comparator: no evaluation of 2 gave a result; the last one: right, hang: the run exceeded its limit of 0.3"
    assert done.stderr.startswith(words)
    log = desk.experiments / desk.records("quick-1")[-1]["runs"][1]["log"]
    assert done.stderr.endswith(f"(log: {log})\n")
    assert {record["status"] for record in desk.records("quick-1")} == {"timeout"}


@pytest.mark.long
def test_some_failures_do_not_stop_a_search(desk: Desk) -> None:
    space = [*SPACE, {"name": "behave", "type": "categorical", "element_type": "string", "values": ["well", "raise"]}]
    desk.write("space.json", json.dumps(space))
    done = desk.search("quick.toml", "--set", "search.strategy=random", "--set", "search.evaluations=16")
    assert done.returncode == 0, done.stderr
    assert {record["status"] for record in desk.records("quick-1")} == {"ok", "failed"}


@pytest.mark.long
@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_and_resumed_is_the_experiment_that_was_never_stopped(desk: Desk, stopped_by) -> None:
    slow = ("--set", "hyperparameters.sleep=0.05", "--workers", "1")
    assert desk.search("quick.toml", *slow, "--experiments", "whole").returncode == 0
    process = desk.start("search", "quick.toml", *slow)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("4/12"):
            break
    process.send_signal(stopped_by)
    output, errors = process.communicate(timeout=300)
    if stopped_by is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130
        assert "--resume quick-1" in output
        assert "Traceback" not in errors
    kept = len(desk.records("quick-1"))
    assert 4 <= kept < 12
    resumed = desk.search("--resume", "quick-1", "--workers", "1")
    assert resumed.returncode == 0, resumed.stderr
    said = [f"experiment quick-1: {kept} done, {each} to repeat, {12 - kept - each} to go" for each in (1, 0)]
    # What runs is said a moment later than it begins: of a process that was killed, the last of it may not be known.
    known = said if stopped_by is signal.SIGKILL else said[:1]
    assert any(words in resumed.stdout for words in known)
    whole = read_records(desk.folder / "whole" / "quick-1" / "evaluations.jsonl")
    assert [each["point"] for each in desk.records("quick-1")] == [each.point for each in whole]


READING = """
import os
def initialize_parameters(): return {"rng_seed": 1, "noise": 0.0, "size": 1, "side": "left"}
def run(params):
    weight = float(os.environ.get("WEIGHT", "1"))
    return params["noise"] * weight + float(open(os.environ["CANDLE_DATA_DIR"] + "/loss.txt").read())
"""


@pytest.mark.long
def test_resuming_says_what_may_make_the_trainings_come_out_otherwise(desk: Desk) -> None:
    model = desk.write("reading.py", READING)
    data = desk.folder / "data"
    data.mkdir()
    (data / "loss.txt").write_text("0.5")
    asked = ("quick.toml", "--workers", "1", "--set", f"hyperparameters.cmp_model_name={model}")
    first, second = (desk.search(*asked, "--id", name).stdout for name in ("one", "two"))
    trained = re.search(r"^trainings: (\d+) done, 0 found in the store$", first, re.MULTILINE)
    assert trained
    assert f"trainings: 0 done, {trained[1]} found in the store" in second.splitlines()
    again = ("--resume", "one", "--workers", "1")
    state = desk.experiments / "one" / "state.json"
    stopped = state.read_text().replace('"finished"', '"stopped"')
    state.write_text(stopped)
    assert "note:" not in desk.search(*again).stdout
    state.write_text(stopped)
    assert "note: $WEIGHT is not as it was when this began" in desk.search(*again, WEIGHT="2").stdout
    (data / "more.txt").write_text("0.25")
    state.write_text(stopped)
    said = desk.search(*again).stdout
    assert f"note: reading: the data in {data} have changed since this began" in said


@pytest.mark.long
def test_a_second_ctrl_c_changes_nothing(desk: Desk) -> None:
    process = desk.start("search", "quick.toml", "--set", "hyperparameters.sleep=600", "--set", "run_timeout=600")
    assert process.stdout is not None
    assert "experiment quick-1" in process.stdout.readline()
    assert "no result yet" in process.stdout.readline()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "--resume quick-1" in output
    assert errors == "comparator: stopped\n"


def test_a_ctrl_c_counts_unless_an_earlier_one_is_ending_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)  # Python drops what is raised here

    handlers = {number: signal.getsignal(number) for number in STOPPED_BY}
    try:
        monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop_signals_like_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            Gone()
            threading.Event().wait(60)
        assert capsys.readouterr().err == ""
        with pytest.raises(KeyboardInterrupt):
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGINT)
                with contextlib.suppress(ValueError):
                    signal.raise_signal(signal.SIGINT)
                    raise ValueError
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


#: Python as it finds a module, of which Ctrl-C is typed.
FINDS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what is in the background
class Finds:
    def find_spec(self, name, path=None, target=None):
        if name == NAME:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finds())
from comparator.cli import main
main()
"""


@pytest.mark.parametrize("name", ["comparator.cli.command", "comparator.site.surroundings", "typer"])
def test_ctrl_c_while_the_command_is_loaded_is_a_line(desk: Desk, name: str) -> None:
    words = [sys.executable, "-c", FINDS.replace("NAME", repr(name)), "search", "quick.toml"]
    process = Popen(words, stderr=PIPE, text=True, env=desk.environment, cwd=desk.folder)
    assert process.communicate(timeout=60)[1] == "comparator: stopped\n" and process.returncode in (130, -signal.SIGINT)
