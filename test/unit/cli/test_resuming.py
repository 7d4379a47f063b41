"""`--resume` as it is typed after Ctrl-C: with the file, with settings, without an id."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from recorded import make_experiment, save

from comparator.cli.words import with_all_values
from comparator.errors import InputError
from comparator.experiment.resuming import latest_unfinished
from comparator.results.lease import Lease, hold
from comparator.results.state import say


def left(desk: Desk, identifier: str, *words: str) -> None:
    """An experiment that was stopped before its end."""
    assert desk.search("quick.toml", "--id", identifier, "--workers", "1", *words).returncode == 0
    path = desk.experiments / identifier
    lines = (path / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (path / "evaluations.jsonl").write_text("".join(lines[:5]))
    state = json.loads((path / "state.json").read_text())
    (path / "state.json").write_text(json.dumps({**state, "state": "stopped", "reason": "by hand"}))


@pytest.mark.long
def test_with_the_file_it_goes_on(desk: Desk) -> None:
    left(desk, "one")
    done = desk.search("quick.toml", "--resume", "one", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "one: 5 done" in done.stdout and "12/12" in done.stdout


@pytest.mark.long
def test_it_is_said_where_the_file_differs_and_it_goes_on_as_it_began(desk: Desk) -> None:
    left(desk, "one", "--set", "search.evaluations=9", "--seed=3")
    desk.write("quick.toml", (desk.folder / "quick.toml").read_text().replace("population = 4", "population = 5"))
    done = desk.search("quick.toml", "--resume", "one", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert (
        "goes on with 'one' as it began, not as quick.toml is now: search.population is 4 there, 5 here\n"
        in done.stdout
    )
    assert "9/9" in done.stdout


@pytest.mark.long
def test_nothing_is_said_of_a_file_that_is_as_it_was_though_settings_were_typed_at_the_beginning(desk: Desk) -> None:
    left(desk, "one", "--set", "search.evaluations=9", "--set", "hyperparameters.epochs=3", "--seed", "3")
    done = desk.search("quick.toml", "--resume", "one", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "as it began" not in done.stdout and "9/9" in done.stdout


@pytest.mark.long
def test_settings_that_were_typed_again_have_to_be_those_it_began_with(desk: Desk) -> None:
    left(desk, "one", "--set", "search.evaluations=9", "--seed", "3")
    words = ["quick.toml", "--resume", "one", "--workers", "1", "--seed", "3"]
    refused = desk.search(*words, "--set", "search.evaluations=20")
    assert refused.returncode == 2
    assert "search.evaluations is 9 there, 20 here; leave that out" in refused.stderr
    assert desk.search(*words, "--set", "search.evaluations=9").returncode == 0


@pytest.mark.long
def test_another_file_serves_where_its_settings_are_the_same(desk: Desk) -> None:
    left(desk, "one")
    content = (desk.folder / "quick.toml").read_text()
    desk.write("other.toml", content.replace("population = 4", "population = 5"))
    refused = desk.search("other.toml", "--resume", "one")
    assert refused.returncode == 2
    assert "other.toml is not the file of 'one'" in refused.stderr and "search.population is 4 there" in refused.stderr
    desk.write("other.toml", content)
    assert desk.search("other.toml", "--resume", "one", "--workers", "1").returncode == 0


@pytest.mark.long
def test_without_an_id_it_is_the_latest_of_the_file_that_is_not_finished(desk: Desk) -> None:
    left(desk, "one")
    assert desk.search("quick.toml", "--id", "two", "--workers", "1").returncode == 0
    done = desk.search("quick.toml", "--resume", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "going on with one, the latest that is not finished of quick.toml" in done.stdout
    none = desk.search("quick.toml", "--resume")
    assert none.returncode == 2 and "no experiment of quick.toml is unfinished" in none.stderr


@pytest.mark.long
def test_what_runs_and_what_is_missing_is_named(desk: Desk) -> None:
    left(desk, "one")
    missing = desk.search("nosuch.toml", "--resume")
    assert missing.returncode == 2 and "nosuch.toml: no such file" in missing.stderr
    seed = desk.search("--resume", "one", "--seed", "3")
    assert seed.returncode == 2 and "leave out --seed" in seed.stderr
    lease = hold(desk.experiments / "one")
    assert isinstance(lease, Lease)
    say(desk.experiments / "one", "running", [], None, None)
    runs = desk.search("quick.toml", "--resume")
    lease.release()
    assert runs.returncode == 2 and "--resume: one is running now; no other experiment of quick.toml" in runs.stderr


@pytest.mark.long
def test_one_that_is_finished_is_said_to_be_with_its_report_and_how_to_have_more(desk: Desk) -> None:
    typed = ["--workers", "1", "--set", "hyperparameters.epochs=3", "--set", "search.evaluations=12"]
    assert desk.search("quick.toml", "--id", "one", *typed).returncode == 0
    done = desk.search("quick.toml", "--resume", "one")
    assert done.returncode == 0
    assert "one is finished: 12 evaluations" in done.stdout
    assert "comparator report one" in done.stdout
    assert "--set hyperparameters.epochs=3" in done.stdout and "--set search.evaluations=24" in done.stdout
    assert "search.evaluations=12" not in done.stdout


def test_each_command_goes_on_with_the_latest_of_its_own_kind(tmp_path: Path) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "left-out": {"left_out": {}},
        "cross-study": {"cross_study": {}},
        "learning-curve": {"learning_curve": {}},
        "cross-hpo": {"cross_hpo": {}},
        "all-pairs": {"all_pairs": {}},
        "recheck": {"rechecks": "search"},
        "variance": {"rechecks": "search", "claims": [{"name": "point", "kind": "point", "crossed": [4, 4]}]},
        "search": {},
    }
    for number, (kind, own) in enumerate(kinds.items()):
        created = f"2026-11-23T05:4{number}:00.000Z"
        save(tmp_path / kind, make_experiment(id=kind, created=created, **own), [])
    assert {latest_unfinished(tmp_path, None, kind) for kind in kinds} == kinds.keys()
    assert latest_unfinished(tmp_path, None) == "search"
    shutil.rmtree(tmp_path / "left-out")
    with pytest.raises(InputError, match="no left-out is unfinished"):
        latest_unfinished(tmp_path, None, "left-out")


@pytest.mark.long
def test_a_study_does_not_go_on_with_a_search_nor_controls_with_a_recheck(desk: Desk) -> None:
    left(desk, "one")
    for words, said in (
        (["left-out", "--resume"], "no left-out is unfinished"),
        (
            ["cross-study", "--resume", "one"],
            "no cross-study; go on with it by: comparator search --resume one",
        ),
    ):
        refused = desk.run(*words)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
    frozen = json.loads((desk.experiments / "one" / "experiment.json").read_text())
    claims = [{"name": "best 1", "kind": "best", "points": [{"noise": 1.0, "size": 20}]}]
    save(desk.experiments / "again", {**frozen, "id": "again", "rechecks": "one", "claims": claims}, [])
    refused = desk.run("recheck", "--controls", "--resume", "again")
    assert refused.returncode == 2 and "'again' began without --controls" in refused.stderr


def test_values_that_are_left_out_are_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").touch()
    assert with_all_values(["search", "--resume", "mine.toml"]) == ["search", "--resume", "", "mine.toml"]
    assert with_all_values(["search", "mine.toml", "--resume"]) == ["search", "mine.toml", "--resume", ""]
    assert with_all_values(["--resume", "--cold"]) == ["--resume", "", "--cold"]
    assert with_all_values(["--resume", "mine-1"]) == ["--resume", "mine-1"]
    assert with_all_values(["--notify", "mail me", "x"]) == ["--notify", "mail me", "x"]


@pytest.mark.long
def test_lines_that_were_copied_are_said_by_report_and_list_and_not_gone_on_from(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    few = ("--set", "search.evaluations=6", "--set", "search.pilot=0", "--set", "confirm.points=0", "--workers", "1")
    assert desk.search("quick.toml", "--id", "one", *few).returncode == 0
    clean = desk.run("report", "one")
    assert "more than one line" not in clean.stdout + (desk.experiments / "one" / "report.html").read_text()
    record = desk.experiments / "one" / "evaluations.jsonl"
    lines = record.read_text().splitlines(keepends=True)
    copied = "".join([*lines[:4], lines[2], *lines[4:5]])
    record.write_text(copied)
    (desk.experiments / "one" / "state.json").write_text('{"state": "stopped"}')
    said = "evaluation 2 has more than one line in the record, each of which counts: comparator verify names them"
    assert said in " ".join(desk.run("report", "one").stdout.split())
    assert said in (desk.experiments / "one" / "report.html").read_text()
    assert json.loads((desk.experiments / "one" / "report.json").read_text())["doubled"] == [2]
    assert "stopped; evaluations with several lines: 1" in desk.run("list").stdout
    resumed = desk.search("--resume", "one")
    assert resumed.returncode != 0 and record.read_text() == copied, "nothing is lost"
    assert "evaluation 2 has more than one line, so that nothing can follow on it" in " ".join(resumed.stderr.split())
    record.write_text("".join(lines[:5]))
    assert desk.search("--resume", "one").returncode == 0
    assert len(desk.records("one")) == 6


@pytest.mark.long
def test_a_finished_search_whose_report_is_older_than_its_record_has_it_made_again(desk: Desk) -> None:
    assert desk.run("search", "quick.toml", "--id", "one", "--set", "confirm.points=0").returncode == 0
    path = desk.experiments / "one"
    page = path / "report.html"
    made = page.read_bytes()
    page.write_bytes(made + b"<!-- as it was -->")
    assert f"report: {page}" in desk.run("search", "--resume", "one").stdout
    assert page.read_bytes() == made + b"<!-- as it was -->", "it is as new as the record"
    os.utime(page, (0, 0))
    said = desk.run("search", "--resume", "one").stdout
    assert "one is finished: 12 evaluations" in said and f"report: {page}" in said
    assert b"as it was" not in page.read_bytes()
