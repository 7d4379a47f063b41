"""The commands that note something of an experiment and bring it elsewhere, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import Desk
from recorded import genetic, make_experiment, save


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


def test_a_mistake_in_a_note_is_a_line(desk: Desk) -> None:
    for words, said in (
        (("note", "cmp-ga-2"), "did you mean 'cmp-ga-3'?"),
        (("note", "cmp-ga-3", "--tag", "a,b"), "tag 'a,b': may hold"),
        (("note", "cmp-ga-3", "--untag", "paper"), "tag 'paper' is not there; there is none"),
    ):
        done = desk.run(*words)
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
