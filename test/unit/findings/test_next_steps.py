"""What is to be done next, as what was found suggests."""

from __future__ import annotations

import shlex

import pytest
from planted_records import answer_to, findings_of, frozen_of, in_region, records_of, tried_anew
from recorded import as_read, make_experiment

from comparator.findings.summary import summarise
from comparator.findings.verdict import find
from comparator.report.answer import answer_of
from comparator.report.commands import repeat_commands
from comparator.report.next_step import larger_search

pytestmark = pytest.mark.usefixtures("quick_reports")


def test_a_closer_look_suggests_no_closer_one() -> None:
    records = records_of(in_region)
    settings = {**frozen_of().settings, "search": {"focus": {"noise": [0, 25]}}}
    step = answer_to(records, id="planted-2", settings=settings, **tried_anew(records, in_region)).next
    assert "--focus" not in step.command and step.command.startswith("comparator recheck planted-2")
    assert step.words.startswith("It was a closer look already")


@pytest.mark.long
def test_the_next_step_suits_the_outcome() -> None:
    records = records_of(in_region)
    claims = tried_anew(records, in_region)
    assert answer_to(records, id="planted-1", **claims).next.command.endswith("--focus planted-1:1")
    climbed = answer_to(records_of(lambda point: 0.3), strategy={"name": "steady_state"})
    assert climbed.next.command.endswith("--set search.find=both")
    few = answer_to(records_of(in_region, 3), strategy={"name": "steady_state"}).next
    assert few.words.startswith("Search with more evaluations") and "search.evaluations=" in few.command
    assert answer_to([]).next.command == ""
    command = "comparator search x.toml --set confirm.seeds=8 --set search.seed=2"
    provenance = {**make_experiment()["provenance"], "command": command}
    records = records_of(in_region)
    claims = tried_anew(records, lambda point: 0.3)
    again = answer_to(records, provenance=provenance, **claims).next.command
    assert again == "comparator search x.toml --set search.seed=2 --set confirm.seeds=16"
    stages = {"confirm": {"points": 1, "seeds": 12, "splits": True, "regions": True}}  # four of which have failed
    again = answer_to(records, provenance=provenance, **{**claims, "stages": stages}).next.command
    assert again == "comparator search x.toml --set search.seed=2 --set confirm.seeds=24"


def test_a_grid_of_listed_values_is_made_larger_by_seeds() -> None:
    values = {"name": "noise", "type": "ordered", "element_type": "int", "values": [0, 10, 20]}
    grid = frozen_of(strategy={"name": "grid"}, space=[values])
    assert larger_search(grid, 3).endswith("--set search.replicates=2")
    assert "search.evaluations=" in larger_search(frozen_of(strategy={"name": "random"}, space=[values]), 3)
    assert "search.evaluations=" in larger_search(frozen_of(strategy={"name": "grid"}), 3)


def test_what_runs_goes_on_by_itself_and_what_is_cut_short_is_gone_on_with() -> None:
    read, command = as_read(records_of(in_region)), "comparator search x.toml --id a-1 --experiments /data --site desk"
    provenance = {**make_experiment()["provenance"], "command": command}
    stages = {"confirm": {"points": 1, "seeds": 8, "splits": True, "regions": True}}
    experiment = frozen_of(id="a-1", provenance=provenance, stages=stages, budget={"evaluations": len(read) + 2})
    summary = summarise(experiment, read)
    found = find(experiment, read, summary)
    runs = answer_of(experiment, summary, found, "running").next
    assert (runs.words, runs.command) == (
        "It goes on by itself: 2 more evaluations, then what was found tried on 8 fresh splits and seeds",
        "",
    )
    for state in ("stopped", "interrupted", "failed"):
        stopped = answer_of(experiment, summary, found, state).next
        assert stopped.command == "comparator search --resume a-1 --experiments /data --site desk"


def test_a_search_goes_on_within_a_region_and_around_it() -> None:
    _, found, _ = findings_of(records_of(in_region))
    commands = dict(repeat_commands(frozen_of(id="a-1"), found.regions))
    focus = next(command for what, command in commands.items() if what.startswith("A search within region 1 ("))
    assert shlex.split(focus)[-2:] == ["--focus", "a-1:1"] and shlex.split(focus)[:2] == ["comparator", "search"]
    more = next(
        command for what, command in commands.items() if what.startswith("The same in region 1 with 4 trainings")
    )
    assert more == f"{focus} --set search.replicates=4"
    typed = "comparator search a.toml --focus old-1:2 --avoid old-1:3"
    provenance = {"provenance": {"command": typed}}
    commands = dict(repeat_commands(frozen_of(id="a-1", **provenance), found.regions))
    focus = next(command for what, command in commands.items() if "within" in what)
    assert focus == "comparator search a.toml --avoid old-1:3 --seed 1 --focus a-1:1"
    opened = "comparator import a-1.zip --as two --experiments /here"
    provenance = {"provenance": {"command": typed, "opened": opened}}
    assert dict(repeat_commands(frozen_of(id="two", **provenance), found.regions)) == {
        "This page, made again": "comparator report two --experiments /here",
        "Its runs as a table, one row a training": "comparator export two --experiments /here",
    }
    answer = answer_to(records_of(in_region), id="two", **provenance)
    assert answer.next.command in ("", "comparator export two --experiments /here")
    records = records_of(in_region)
    claims = tried_anew(records, in_region)
    claimed = dict(repeat_commands(frozen_of(id="a-1", **claims)))
    assert claimed["What it claims, tried again as models and data are now"] == "comparator recheck a-1"
    assert claimed["Who carries the difference, all groups"] == "comparator explain a-1"
    assert (
        "comparator explain a-1"
        not in dict(repeat_commands(frozen_of(id="a-1", **claims), is_explained=False)).values()
    )


@pytest.mark.long
def test_from_python_the_next_step_after_a_confirmed_region_looks_closer() -> None:
    lines = records_of(in_region)
    claims = tried_anew(lines, in_region)
    provenance = {**make_experiment()["provenance"], "command": ""}
    step = answer_to(lines, provenance=provenance, **claims).next
    assert step.words.startswith("Look closer: ask the same in a space that is narrowed to ") and not step.command
