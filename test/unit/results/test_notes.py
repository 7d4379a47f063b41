"""Tags and notes: kept beside an experiment, never part of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import genetic, make_experiment, save

import comparator
from comparator.errors import InputError
from comparator.experiment.listing import experiment_rows
from comparator.results.notes import NOTES, Notes, changed, read_notes, write_notes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "cmp-ga-3", make_experiment(), genetic(4))


def test_what_is_noted_is_read_again_and_changes_nothing_else(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert read_notes(folder) == Notes()
    notes = changed(Notes(), "  two lines,\nthe second one \n", tag=("paper", "wrong data", "paper"))
    write_notes(folder, notes)
    assert read_notes(folder) == Notes(tags=("paper", "wrong data"), text="two lines,\nthe second one")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert json.loads(after.pop(NOTES))["tags"] == ["paper", "wrong data"] and after == before


def test_text_and_tags_change_apart(folder: Path) -> None:
    notes = changed(Notes(tags=("a", "b"), text="said"), tag=("c",), untag=("a",))
    assert (notes.tags, notes.text) == (("b", "c"), "said")
    assert changed(notes, "") == Notes(tags=("b", "c"), text="")


def test_what_cannot_be_a_tag_is_refused_in_a_line() -> None:
    for tag in ("", "  ", "a,b", "a\nb", "x" * 41):
        with pytest.raises(InputError, match="no comma"):
            changed(Notes(), tag=(tag,))
    with pytest.raises(InputError, match=r"'papre' is not there \(did you mean 'paper'\?\); there are: paper"):
        changed(Notes(tags=("paper",)), untag=("papre",))


@given(content=st.one_of(st.binary(max_size=40), st.from_regex(rb'\{"(tags|text)": .{0,9}\}', fullmatch=True)))
def test_a_damaged_file_is_as_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("noted")
    (folder / NOTES).write_bytes(content)
    assert isinstance(read_notes(folder), Notes)


def test_lists_have_them(folder: Path) -> None:
    write_notes(folder, Notes(tags=("paper",), text="as in figure 2"))
    (row,) = experiment_rows(folder.parent)
    assert (row["tags"], row["note"]) == (["paper"], "as in figure 2")
    listed = comparator.list(experiments=folder.parent)
    assert listed.loc["cmp-ga-3", "tags"] == ["paper"] and listed.loc["cmp-ga-3", "note"] == "as in figure 2"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said_in_a_line(folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(InputError, match="may not be written"):
        write_notes(folder, Notes(text="x"))
