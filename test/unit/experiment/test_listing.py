"""The rows of a list: what an experiment is doing, in words, and what its report found."""

import json
import os
from pathlib import Path

import pytest
from recorded import genetic, make_experiment, save

from comparator.engine.jobs import is_closing
from comparator.experiment.listing import experiment_rows
from comparator.report import write_report
from comparator.results.store import say, say_reporting


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "cmp-ga-3", make_experiment(), genetic())


def test_a_report_that_is_written_is_said_with_its_share(folder: Path) -> None:
    say(folder, "finished", [], None, None)
    say_reporting(folder, 0.4)
    (row,) = experiment_rows(folder.parent)
    assert (row["state"], row["doing"]) == ("finished", "writing the report, 40 %")
    say_reporting(folder, None)
    assert experiment_rows(folder.parent)[0]["doing"] == "finished"


def test_the_report_of_a_process_that_is_gone_is_not_written_any_more(folder: Path) -> None:
    state = {"state": "finished", "pid": 2**22 + 1, "host": os.uname().nodename, "reporting": 0.4}
    (folder / "state.json").write_text(json.dumps(state))
    assert experiment_rows(folder.parent)[0]["doing"] == "finished"


def test_one_that_ended_before_its_budget_is_marked(folder: Path) -> None:
    say(folder, "finished", [], "every further evaluation would be sure to fail", None)
    assert experiment_rows(folder.parent)[0]["doing"] == "ended early"


def test_what_runs_is_no_report(folder: Path) -> None:
    say(folder, "stopped", [], "by hand", None)
    say_reporting(folder, 0.4)
    assert experiment_rows(folder.parent)[0]["doing"] == "stopped"


@pytest.mark.long
def test_best_and_verdict_stand_in_the_row_and_the_share_grows(folder: Path) -> None:
    (row,) = experiment_rows(folder.parent)
    assert row["verdict"] == "" and 0 < row["best_value"] < 1
    shares: list[float] = []
    write_report(folder, told=shares.append)
    assert shares == sorted(shares) and shares[0] == 0 and len(shares) > 3 and shares[-1] <= 1
    found = json.loads((folder / "report.json").read_text())
    (row,) = experiment_rows(folder.parent)
    assert row["verdict"].startswith(
        {"regions": "more with ", "everywhere": "no place", "none": "no d"}[found["verdict"]]
    )


def test_one_that_cannot_be_read_is_a_row_of_its_own(folder: Path) -> None:
    other = save(folder.parent / "cmp-ga-4", make_experiment(id="cmp-ga-4"), genetic())
    (other / "state.json").mkdir()
    rows = {row["id"]: row for row in experiment_rows(folder.parent)}
    assert rows["cmp-ga-4"]["state"] == "damaged"
    assert rows["cmp-ga-4"]["damage"] == "state.json: cannot be read: Is a directory"
    assert rows["cmp-ga-3"]["evaluations"] == len(genetic())


@pytest.mark.long
def test_a_report_of_another_record_has_no_verdict(folder: Path) -> None:
    write_report(folder)
    assert experiment_rows(folder.parent)[0]["verdict"]
    (folder / "evaluations.jsonl").write_text("")
    assert experiment_rows(folder.parent)[0]["verdict"] == ""


def test_a_state_that_is_gone_at_this_moment_is_no_report(folder: Path) -> None:
    assert not is_closing(folder)
