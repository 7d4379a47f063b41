"""The commands that note something of an experiment and bring it elsewhere, as they are typed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from desk import Desk
from recorded import genetic, make_experiment, save

from comparator.cli import sharing
from comparator.experiment.terminal import Terminal


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    save(desk.experiments / "cmp-ga-3", make_experiment(), genetic(8))
    return desk


def test_a_note_and_tags_are_given_and_shown(desk: Desk) -> None:
    assert desk.run("note", "cmp-ga-3").stdout == "tags: none\nno note\n"
    desk.run("note", "cmp-ga-3", "the one of figure 2", "--tag", "paper", "--tag", "two words")
    shown = desk.run("note", "cmp-ga-3", "--untag", "two words").stdout
    assert shown == "tags: paper\nthe one of figure 2\n"
    (listed,) = json.loads(desk.run("list", "--json").stdout)
    assert (listed["tags"], listed["note"]) == (["paper"], "the one of figure 2")
    assert json.loads(desk.run("note", "cmp-ga-3", "", "--json").stdout) == {"tags": ["paper"], "text": ""}


def test_a_narrow_terminal_has_sentences_broken_between_words_and_what_is_copied_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    shown = io.StringIO()
    monkeypatch.setattr(sharing, "out", Terminal(file=shown, width=40, force_terminal=True))
    tags = [f"tag {number}" for number in range(12)]
    sharing.note_experiment("cmp-ga-3", "a note of a line", tag=tags, experiments=desk.experiments)
    sentence = shown.getvalue().splitlines()[:-1]
    assert len(sentence) > 1 and all(len(line) <= 40 for line in sentence)
    assert " ".join(sentence) == f"tags: {', '.join(tags)}"
    place = desk.folder / "of a name that is longer than a line.csv"
    sharing.export_experiment("cmp-ga-3", output=place, experiments=desk.experiments)
    assert shown.getvalue().endswith(f"runs: {place}\n")


def test_a_mistake_in_a_note_is_a_line(desk: Desk) -> None:
    for words, said in (
        (("note", "cmp-ga-2"), "did you mean 'cmp-ga-3'?"),
        (("note", "cmp-ga-3", "--tag", "a,b"), "tag 'a,b': may hold"),
        (("note", "cmp-ga-3", "--untag", "paper"), "tag 'paper' is not there; there is none"),
    ):
        done = desk.run(*words)
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.long
def test_a_bundle_is_made_and_opened_under_another_name(desk: Desk, tmp_path: Path) -> None:
    made = desk.run("export", "cmp-ga-3", "--bundle", "--log-limit", "4", "--license", "CC-BY-4.0")
    assert made.stdout == "bundle: cmp-ga-3.zip; elsewhere: comparator import cmp-ga-3.zip\n", made.stderr
    again = desk.run("import", "cmp-ga-3.zip")
    assert "experiment cmp-ga-3 is here already, alike in everything" in again.stdout
    other = desk.run("import", "cmp-ga-3.zip", "--as", "theirs")
    assert other.returncode == 0 and (desk.experiments / "theirs" / "report.html").exists()
    assert [row["id"] for row in json.loads(desk.run("list", "--json").stdout)] == ["cmp-ga-3", "theirs"]


@pytest.mark.long
def test_a_file_that_is_there_is_written_over_only_where_that_is_said(desk: Desk) -> None:
    for words, name in ((["--bundle"], "cmp-ga-3.zip"), (["--figure", "map"], "cmp-ga-3-map.pdf")):
        desk.write(name, "of another")
        done = desk.run("export", "cmp-ga-3", *words)
        assert done.returncode == 2
        assert done.stderr == f"comparator: {name}: is there already; --output {name} or --force writes over it\n"
        assert (desk.folder / name).read_text() == "of another"
        assert desk.run("export", "cmp-ga-3", *words, "--force").returncode == 0
        assert desk.run("export", "cmp-ga-3", *words, "-o", name).returncode == 0


def test_the_table_goes_where_it_always_went(desk: Desk) -> None:
    assert desk.run("export", "cmp-ga-3").stdout == f"runs: {desk.experiments / 'cmp-ga-3' / 'runs.csv'}\n"
    assert desk.run("export", "cmp-ga-3", "--form", "json", "--to", "mine.json").stdout == "runs: mine.json\n"
    assert desk.run("export", "cmp-ga-3", "-o", "other.csv").stdout == "runs: other.csv\n"


def test_a_table_that_goes_to_the_terminal_is_all_that_is_printed(desk: Desk) -> None:
    done = desk.run("export", "cmp-ga-3", "--to", "/dev/stdout")
    assert done.returncode == 0, done.stderr
    desk.run("export", "cmp-ga-3")
    assert done.stdout == (desk.experiments / "cmp-ga-3" / "runs.csv").read_text()


@pytest.mark.long
def test_optuna_has_the_trials_once(desk: Desk) -> None:
    said = desk.run("export", "cmp-ga-3", "--to", "optuna").stdout
    assert said == "optuna: study cmp-ga-3 in sqlite:///cmp-ga-3.db: 8 trials came, 0 were there\n"
    assert "0 trials came, 8 were there" in desk.run("export", "cmp-ga-3", "--to", "optuna").stdout


@pytest.mark.long
def test_a_figure_is_written_for_a_paper(desk: Desk) -> None:
    assert desk.run("export", "cmp-ga-3", "--figure", "map").stdout == "figure: cmp-ga-3-map.pdf\n"
    assert (desk.folder / "cmp-ga-3-map.pdf").read_bytes().startswith(b"%PDF")
    desk.run("export", "cmp-ga-3", "--figure", "map", "--format", "png", "-o", "map.image")
    assert (desk.folder / "map.image").read_bytes().startswith(b"\x89PNG")
    desk.run("export", "cmp-ga-3", "--figure", "progress", "-o", "progress.svg")
    assert (desk.folder / "progress.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--bundle", "--figure", "map"), "--bundle and --figure: one at a time"),
        (("--bundle", "--uri", "x"), "--uri goes with --to mlflow, not with --bundle"),
        (("--storage", "x"), "--storage goes with --to optuna, not with the table"),
        (("--to", "optuna", "-o", "x"), "--output goes with the table or --figure or --bundle, not with --to optuna"),
        (("--to", "a.csv", "--output", "b.csv"), "--to a.csv and --output b.csv: one place"),
        (("--figure", "mapp"), "(did you mean 'map'?); figures: map, "),
        (("--figure", "map", "--format", "pfd"), "(did you mean 'pdf'?)"),
        (("--bundle", "--licence", "mine and yours"), "give its SPDX name"),
        (("--bundle", "-o", "nowhere/a.zip"), "there is no folder nowhere"),
        (("--form", "pdf"), "'pdf': there is no such form of export"),
        (("--to", "mlfow"), "--to mlfow: is no program that is known (did you mean 'mlflow'?); ./mlfow is a file"),
    ],
)
def test_a_mistake_in_an_export_is_a_line(desk: Desk, words: tuple[str, ...], said: str) -> None:
    done = desk.run("export", "cmp-ga-3", *words)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not list(desk.folder.glob("*.zip"))


def test_a_file_that_is_no_bundle_is_a_line_and_leaves_nothing(desk: Desk) -> None:
    (desk.folder / "torn.zip").write_bytes(b"PK\x03\x04")
    done = desk.run("import", "torn.zip")
    assert done.returncode == 2 and "the file is damaged, or no ZIP" in done.stderr and done.stderr.count("\n") == 1
    assert "--space and --metric are of other programs" in desk.run("import", "torn.zip", "--metric", "x").stderr
    assert [path.name for path in desk.experiments.iterdir()] == ["cmp-ga-3"]
