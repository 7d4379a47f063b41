"""The rows of a list: what an experiment is doing, in words, and what its report found."""

import errno
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import genetic, make_experiment, save

from comparator.engine.jobs import is_closing
from comparator.experiment import listing
from comparator.experiment.listing import LISTED_VERSION, experiment_rows
from comparator.report import write_report
from comparator.report.next_step import Step
from comparator.results.experiments import read_experiment
from comparator.results.notes import changed, read_notes, write_notes
from comparator.results.points import best_of
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.state import say, say_reporting
from comparator.results.tally import count
from comparator.studies import page


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


def test_the_report_of_an_earlier_version_which_counts_less_is_still_of_its_record(folder: Path) -> None:
    counts = asdict(count(read_records(folder / "evaluations.jsonl")))
    del counts["lost"]
    found = {"verdict": "none", "reason": "none", "regions": [], "rejected": [], "evidence": None, "best": None}
    (folder / "report.json").write_text(json.dumps({"id": folder.name, "counts": counts, **found, "confirmed": []}))
    assert experiment_rows(folder.parent)[0]["verdict"] == "no difference shown"


def test_one_whose_evaluations_all_failed_says_that_it_has_no_result(tmp_path: Path) -> None:
    for name, failed in (("all-1", (0, 1, 2)), ("some-1", (0, 1))):
        save(tmp_path / name, make_experiment(id=name), genetic(3, failed))
    rows = {row["id"]: row for row in experiment_rows(tmp_path)}
    assert (rows["all-1"]["failed"], rows["all-1"]["verdict"]) == (3, "no evaluation gave a result")
    assert (rows["some-1"]["failed"], rows["some-1"]["verdict"]) == (2, "")


def test_a_state_that_is_gone_at_this_moment_is_no_report(folder: Path) -> None:
    assert not is_closing(folder)


@pytest.fixture
def reads(monkeypatch) -> list[Path]:
    """The records that a list has read."""
    read: list[Path] = []

    def noted(path: Path) -> list[Evaluation]:
        read.append(path)
        return read_records(path)

    monkeypatch.setattr(listing, "read_records", noted)
    return read


def test_a_record_is_counted_once_until_one_of_its_files_changes(folder: Path, reads: list[Path]) -> None:
    first = experiment_rows(folder.parent)
    assert experiment_rows(folder.parent) == first and len(reads) == 1
    say(folder, "failed", [], None, None)
    write_notes(folder, changed(read_notes(folder), tag=["a"]))
    row = experiment_rows(folder.parent)[0]
    assert (row["state"], row["tags"], len(reads)) == ("failed", ["a"], 1)
    lines = (folder / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (folder / "evaluations.jsonl").write_text("".join(lines[:-1]))
    assert experiment_rows(folder.parent)[0]["evaluations"] < first[0]["evaluations"]
    frozen = folder / "experiment.json"
    frozen.write_text(frozen.read_text().replace('"title": "', '"title": "x'))
    assert experiment_rows(folder.parent)[0]["title"].startswith("x")
    write_report(folder)
    assert experiment_rows(folder.parent)[0]["verdict"]
    assert len(reads) == 4


OF_A_LATER_VERSION = f'{{"version": {LISTED_VERSION + 1}, "stamp": [], "counted": {{}}}}'


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 1}', "\xff", OF_A_LATER_VERSION])
def test_a_note_of_what_was_counted_can_be_damaged_or_thrown_away(folder: Path, reads: list[Path], damage: str) -> None:
    first = experiment_rows(folder.parent)
    (folder / ".listed.json").write_text(damage)
    assert experiment_rows(folder.parent) == first and len(reads) == 2
    (folder / ".listed.json").unlink()
    assert experiment_rows(folder.parent) == first and len(reads) == 3
    assert experiment_rows(folder.parent) == first and len(reads) == 3


def test_a_record_that_was_changed_by_hand_at_its_size_and_time_is_counted_anew(folder: Path) -> None:
    experiment_rows(folder.parent)
    file = folder / "evaluations.jsonl"
    status, text = file.stat(), file.read_text()
    file.write_text(text.replace('"status": "ok"', '"status": "no"', 1))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_size == status.st_size
    assert experiment_rows(folder.parent)[0]["state"] == "damaged"
    file.write_text(text)
    assert experiment_rows(folder.parent)[0]["state"] != "damaged"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_where_nothing_may_be_written_a_list_is_the_same(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        assert experiment_rows(folder.parent) == experiment_rows(folder.parent)
        assert not (folder / ".listed.json").exists()
    finally:
        folder.chmod(0o700)


def test_a_full_disk_does_not_keep_a_list_from_being_made(folder: Path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(listing, "write_whole", full)
    assert experiment_rows(folder.parent)[0]["evaluations"]
    assert not (folder / ".listed.json").exists()


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_list_counts_what_the_record_says_however_it_grew(data: st.DataObject) -> None:
    """Beside what `points` says of all records at once."""
    records = genetic()
    with tempfile.TemporaryDirectory() as name:
        folder = save(Path(name) / "one", make_experiment(), records)
        lines = (folder / "evaluations.jsonl").read_text().splitlines(keepends=True)
        for end in sorted(data.draw(st.lists(st.integers(0, len(lines)), min_size=1, max_size=4))):
            (folder / "evaluations.jsonl").write_text("".join(lines[:end]))
            (row,) = experiment_rows(folder.parent)
            read = read_records(folder / "evaluations.jsonl")
            counts, best = count(read), best_of(read)
            assert (row["evaluations"], row["failed"], row["confirming"]) == (
                counts.done,
                counts.lost,
                counts.confirming,
            )
            assert (row["best_value"] is None) == (not best)


def test_a_study_of_an_earlier_version_has_found_what_its_page_answers(tmp_path: Path) -> None:
    folder = save(tmp_path / "curve", make_experiment(learning_curve={"studies": ["CCLE"]}), [])
    assert experiment_rows(tmp_path)[0]["verdict"] == ""
    frozen = read_experiment(folder)
    page.write(
        folder,
        frozen,
        ["R2 ends at 0.71 & more, with 900 rows. CCLE learns on."],
        "R2 0.71",
        [],
        [],
        [],
        Step("Train on more splits"),
    )
    assert experiment_rows(tmp_path)[0]["verdict"] == "R2 0.71"
    (folder / "report.json").unlink()  # which they did not write
    assert experiment_rows(tmp_path)[0]["verdict"] == "R2 ends at 0.71 & more, with 900 rows"
    (folder / "report.json").write_text('{"answer": "another"}')
    assert experiment_rows(tmp_path)[0]["verdict"] == "R2 ends at 0.71 & more, with 900 rows"
    listed = (folder / ".listed.json").read_text()
    (folder / ".listed.json").write_text(listed.replace(f'"version": {LISTED_VERSION}', '"version": 3'))
    assert experiment_rows(tmp_path)[0]["verdict"] != ""
