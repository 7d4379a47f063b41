"""What stands on a terminal while an experiment runs, and when it is over: driven in a pseudo-terminal."""

import io
import json
import os
import re
import signal
import sys

import pytest
from desk import HYPERPARAMETERS, QUICK, Desk
from screen import Watched

from comparator.cli import experiments
from comparator.experiment.terminal import Terminal

#: A model that says how far it is, and gives time to look at that.
SLOW = """
import time

def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1}

def run(params):
    for epoch in range(1, 6):
        print(f"Epoch {epoch}/5 - val_loss: {1 / epoch:.3f}", flush=True)
        time.sleep(0.5)
    slope = 0.004 if params["side"] == "left" else 0.002
    return {"val_loss": 0.1 + slope * float(params["noise"])}
"""
COMPARATOR = [sys.executable, "-m", "comparator"]
WORD_AT_AN_END = re.compile(r"\S+$")


#: The first pair of trainings ends, the next one does not.
ONCE = """
import time
trained = []

def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1}

def run(params):
    trained.append(params)
    time.sleep(3600 if len(trained) > 2 else 0)
    return {"val_loss": 1.0 + (params["side"] == "left")}
"""


def on_a_terminal(desk: Desk, *words: str, columns: int = 80, **environment: str) -> Watched:
    kept = {name: value for name, value in desk.environment.items() if name not in ("COLUMNS", "NO_COLOR")}
    surroundings = {**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment}
    return Watched([*COMPARATOR, *words], desk.folder, surroundings, columns)


@pytest.mark.long
@pytest.mark.parametrize("columns", [80, 60])
def test_epochs_and_results_are_seen_while_it_runs(desk: Desk, columns: int) -> None:
    desk.write("slow.py", SLOW)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "slow.py"))
    words = ("search", "quick.toml", "--set", "search.evaluations=6", "--no-report", "--workers", "1")
    watched = on_a_terminal(desk, *words, columns=columns)
    seen = watched.until(lambda text: "epoch 3/5, val_loss 0.333" in text)
    assert re.search("#0 (left|right): epoch 3/5", seen), seen  # both are trained at a time
    assert "0/6" in seen and "no result yet" in seen
    watched.until(lambda text: re.search("best [0-9.]+ % at", text) is not None)
    os.kill(watched.process, signal.SIGINT)
    left = watched.end()
    assert watched.returncode == 130
    assert all(len(line) <= columns for line in left.splitlines())
    # Where the terminal breaks the command, in a word or at a blank, depends on the length of its path.
    assert "--resumequick-1" in "".join(left.split()) and "epoch" not in left.rpartition("stopped")[2]


@pytest.mark.long
def test_ctrl_c_in_watch_ends_the_watching_alone_and_the_time_left_is_the_records(desk: Desk) -> None:
    desk.write("slow.py", SLOW)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "slow.py"))
    running = on_a_terminal(desk, "search", "quick.toml", "--set", "search.evaluations=8", "--no-report")
    running.until(lambda text: "2/8" in text or "3/8" in text)
    watched = on_a_terminal(desk, "watch", "quick-1")
    seen = watched.until(lambda text: " left" in text)
    assert "about 0:00 left" not in seen and "about 0:01 left" not in seen
    os.kill(watched.process, signal.SIGINT)
    left = watched.end()
    assert watched.returncode == 130
    assert left.endswith("comparator: no longer watching; quick-1 is not touched by that")
    os.kill(running.process, signal.SIGINT)
    running.end()
    stopped = on_a_terminal(desk, "watch", "quick-1").end()
    assert stopped == "quick-1: stopped: by hand", stopped


@pytest.mark.long
def test_what_was_trained_of_evaluations_that_are_not_over_is_said_to_be_kept(desk: Desk) -> None:
    desk.write("once.py", ONCE)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "once.py"))
    words = ("--set", "search.replicates=2", "--set", "search.pilot=false", "--workers", "1", "--no-report")
    running = on_a_terminal(desk, "search", "quick.toml", *words, SITE_CORES="1")
    running.until(lambda text: "1/12" in text)
    os.kill(running.process, signal.SIGINT)
    left = " ".join(running.end().split())
    assert "stopped: 1 of 12 pairs of trainings kept; go on with them by:" in left, left


@pytest.mark.long
def test_a_map_of_the_results_stands_under_them(desk: Desk) -> None:
    watched = on_a_terminal(desk, "search", "quick.toml", "--no-report", "--workers", "1")
    last = watched.end()
    assert watched.returncode == 0, last
    assert "12/12" in last
    assert any(block in last for block in "░▒▓█")
    assert re.search(r"░ [0-9.]+ % to █ [0-9.]+ %; (noise|size)", last)
    assert b"\x1b[38;2" in watched.written or b"\x1b[38;5" in watched.written  # colours


@pytest.mark.long
@pytest.mark.parametrize(
    "surroundings", [{"NO_COLOR": "1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_without_colours_and_without_blocks_it_reads_the_same(desk: Desk, surroundings: dict[str, str]) -> None:
    watched = on_a_terminal(desk, "search", "quick.toml", "--no-report", "--workers", "1", **surroundings)
    last = watched.end()
    assert watched.returncode == 0, last
    assert "12/12" in last and " across, " in last
    if "NO_COLOR" in surroundings:
        assert not re.search(rb"\x1b\[[0-9;]*3[0-9][;m]", watched.written)
    else:
        assert last.isascii(), last


@pytest.mark.long
def test_a_terminal_without_orders_and_a_log_have_plain_lines(desk: Desk) -> None:
    watched = on_a_terminal(desk, "search", "quick.toml", "--no-report", "--workers", "1", TERM="dumb")
    last = watched.end()
    assert b"\x1b" not in watched.written
    assert "12/12" in last
    done = desk.search("quick.toml", "--workers", "1", COLUMNS="")
    assert "\x1b" not in done.stdout and "12/12" in done.stdout


@pytest.mark.long
def test_the_end_is_a_few_lines_that_break_between_words(desk: Desk) -> None:
    title = "a title of many words that goes on and on, until no terminal has room for all of it in a line"
    desk.write("quick.toml", (desk.folder / "quick.toml").read_text().replace("left against right", title))
    watched = on_a_terminal(desk, "search", "quick.toml", "--workers", "1", columns=80)
    last = watched.end()
    assert watched.returncode == 0, last
    page = desk.experiments / "quick-1" / "report.html"
    assert f"report: {page}" in last.replace("\n", "")
    answer = json.loads(page.with_suffix(".json").read_text())["answer"]
    assert answer[0] in " ".join(last.split())
    assert title in " ".join(last.split())
    end = last[last.index(answer[0][:20]) :].splitlines()
    assert any(line.startswith("next: ") for line in end)
    long = f"report: {page}"
    assert len(end) - len(long) // 80 - len(end[-1]) // 80 <= 8, last
    assert all(len(line) <= 80 for line in end)


@pytest.mark.long
def test_the_list_is_a_line_each_at_any_width(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    title = "a title of many words that goes on and on, until no terminal has room for all of it in a line"
    desk.write("quick.toml", (desk.folder / "quick.toml").read_text().replace("left against right", title))
    assert desk.search("quick.toml").returncode == 0
    for columns in (80, 60):
        listed = on_a_terminal(desk, "list", columns=columns).end().splitlines()
        assert len(listed) == 2
        assert listed[1].startswith("quick-1  finished  12/12") and listed[1].endswith("…")
        assert all(len(line) <= columns for line in listed)
    assert title in desk.run("list").stdout
    verdict = "more with noise from 12.5 and size below 144"
    cells = {"doing": "finished", "evaluations": 12, "of": 12, "failed": 0, "withdrawn": 0, "doubled": 0, "tags": []}
    rows = [{**cells, "id": "quick-1", "best_amount": "66.7 %", "verdict": verdict, "title": title}]
    shown = io.StringIO()
    monkeypatch.setattr(experiments, "out", Terminal(file=shown, width=80, force_terminal=True))
    experiments._print_table(rows)
    assert f"66.7 %  {verdict}" in shown.getvalue(), "a title is cut before what was found, in which a number may end"
    desk.run("note", "quick-1", "--tag", "paper")
    listed = on_a_terminal(desk, "list", columns=80).end().splitlines()
    assert listed[0].split() == ["id", "state", "done", "best", "tags", "found", "title"]
    assert "  paper  " in listed[1] and all(len(line) <= 80 for line in listed)


def test_a_bare_command_shows_its_groups_and_h_is_help(desk: Desk) -> None:
    bare = desk.run(COLUMNS="80")
    assert bare.returncode == 2
    for group in ("Run:", "Look:", "Models and sites:", "Records:"):
        assert f"\n{group}\n" in bare.stderr
    assert all(len(line) <= 80 for line in bare.stderr.splitlines())
    for words in (["-h"], ["search", "-h"], ["site", "check", "-h"], ["model", "new", "-h"]):
        done = desk.run(*words)
        assert done.returncode == 0 and done.stdout.startswith("Usage: "), words


@pytest.mark.long
def test_notice_is_given_at_the_end_and_its_failure_changes_nothing(desk: Desk) -> None:
    words = ("search", "quick.toml", "--set", "search.evaluations=8", "--no-report", "--workers", "1", "--notify")
    watched = on_a_terminal(desk, *words, DISPLAY="", WAYLAND_DISPLAY="")
    watched.end()
    assert watched.returncode == 0
    assert b"\x1b]9;comparator search is done" in watched.written
    told = desk.folder / "told"
    assert desk.run(*words, f'echo "$COMPARATOR_NOTICE" > {told}').returncode == 0
    assert told.read_text().startswith("comparator search is done, after ")
    assert desk.run(*words, "exit 7").returncode == 0
