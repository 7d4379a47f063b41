"""Is it the study, or only its size: planted studies, one that is only smaller and one that differs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from recorded import make_experiment, make_record

from comparator.experiment.again import in_short
from comparator.findings.controls import Controls, claims_to_try, controls_of, name_of, rows_of
from comparator.findings.summary import summarise
from comparator.objective.amounts import Measure
from comparator.report.controls import section_of, sentences
from comparator.report.figures.controls import control_figures
from comparator.results.form import of_form
from comparator.results.frozen import Claim, FrozenExperiment
from comparator.results.record import Evaluation

BLOCKS = 8
CONTROLS = {
    "study": "train_sources",
    "rows": "row_limit",
    "shared": "match_studies",
    "drugs": {"match_by": "drug"},
    "cells": {"match_by": "cell"},
}
Read = tuple[FrozenExperiment, list[Evaluation]]


def tried(means: dict[str, float], seed: int, *, rows: tuple[float, float] = (2000.0, 900.0), **given: Any) -> Read:
    """An experiment of two studies whose claims came to so much on average, over blocks."""
    luck, records, claims = random.Random(seed), [], []
    for name, mean in means.items():
        kind = "space" if name.endswith("elsewhere") else "region"
        claims.append(Claim(name=name, kind=kind, direction=1, points=[{"noise": 1.0}] * BLOCKS))
        for block in range(BLOCKS):
            both = [{"val_loss": 1.0, "training_rows": count} for count in rows]
            line = make_record(len(records), {"noise": 1.0}, (both[0], both[1]))
            for run in line["runs"]:
                run["replicate"] = 1000 + block
            line |= {"stage": "confirm", "claim": name, "blocks": [1000 + block]}
            line |= {"signed": [mean + luck.gauss(0, 0.03)]}
            records.append(of_form(Evaluation, line, "test"))
    experiment = make_experiment(claims=[claim.as_json() for claim in claims])
    for model, study in zip(experiment["models"], ("CCLE", "gCSI"), strict=True):
        own = {**model.get("hyperparameters", {}), "train_sources": study, "match_studies": None, **given}
        model |= {"controls": CONTROLS, "hyperparameters": own}
    return of_form(FrozenExperiment, experiment, "test"), records


def controlled(was: dict[str, float], now: dict[str, float], seed: int = 1) -> Controls:
    found = controls_of(tried(was, seed), tried(now, 1000 + seed))
    assert found is not None
    return found


def test_a_study_that_is_only_smaller_loses_its_difference_with_equal_rows_and_one_that_differs_keeps_it() -> None:
    now = {name_of("rows", "region 1"): 0.0, name_of("drugs", "region 1"): 0.3, name_of("cells", "region 1"): 0.15}
    found = controlled({"region 1": 0.3}, now)
    assert {each.design: each.verdict for each in found.found} == {"rows": "gone", "drugs": "stays", "cells": "weaker"}
    assert found.studies == ("CCLE", "gCSI") and not found.idle and not found.left


def test_hardly_ever_is_what_is_the_study_called_its_size_or_what_is_its_size_the_study() -> None:
    designs = ("rows", "drugs", "cells")
    same = {name_of(design, "region 1"): 0.3 for design in designs}
    none = {name_of(design, "region 1"): 0.0 for design in designs}
    lost = sum(
        any(each.verdict in ("weaker", "gone") for each in controlled({"region 1": 0.3}, same, seed).found)
        for seed in range(200)
    )
    kept = sum(
        any(each.verdict in ("stays", "weaker") for each in controlled({"region 1": 0.3}, none, seed).found)
        for seed in range(200)
    )
    assert lost <= 18 and kept <= 18  # 5 % of 200; more than 18 has a chance of 1 in 100


def test_only_what_was_shown_is_tried_regions_first_and_with_what_they_are_compared() -> None:
    def names(means: dict[str, float]) -> list[str]:
        return [claim.name for claim in claims_to_try(*tried(means, 1))]

    assert names({"region 1": 0.5, "region 2": 0.2, "elsewhere": 0.2}) == ["region 1", "elsewhere"]
    assert names({"region 1": 0.2, "elsewhere": 0.2}) == ["region 1"]
    assert names({"elsewhere": 0.2}) == ["elsewhere"]
    assert names({"region 1": 0.0, "elsewhere": 0.0}) == []


def test_where_both_are_alike_already_there_is_nothing_to_do_and_why_is_said() -> None:
    def idle(**given: Any) -> list[str]:
        found = controls_of(tried({"elsewhere": 0.3}, 1, **given), None)
        assert found is not None and found.tried_by is None
        return [reason.partition(":")[0] for reason in found.idle] + [f"left {design}" for design in found.left]

    assert idle() == ["left rows", "left drugs", "left cells"]
    assert idle(rows=(900.0, 899.0)) == ["rows", "left drugs", "left cells"]
    assert idle(match_studies=["CCLE", "gCSI"]) == ["drugs", "cells", "left rows"]
    assert idle(match_studies=["CCLE", "gCSI"], match_by="cell") == ["cells", "left rows", "left drugs"]


def test_what_is_said_and_drawn_is_what_was_found() -> None:
    now = {name_of("rows", "region 1"): 0.0, name_of("cells", "region 1"): 0.3}
    found = controlled({"region 1": 0.3}, now)
    first, second, means, left = sentences(found, Measure(is_share=False))
    assert means.startswith("All are means of the fresh trainings as they are; of a region the report of ")
    assert first.startswith(
        "It is the number of rows, or of the steps that go with it: with equal rows the difference in region 1 is"
    )
    assert second.startswith("It is not the cell lines that only one study has: with shared cell lines")
    assert left.startswith(
        "Whether the difference of CCLE and gCSI is one of size was not tried with shared drugs: 8 pairs"
    )
    experiment, records = tried({"region 1": 0.3}, 1)
    [figure] = control_figures(summarise(experiment, records), found)
    dots = figure.chart["layer"][-1]["data"]["values"]
    assert [row["x"] for row in dots] == [value for each in found.found for value in (each.found.was, each.found.now)]
    assert len({json.dumps(label) for label in figure.chart["params"][0]["value"]}) == 2
    turned = controlled({"region 1": 0.3}, {name_of("rows", "region 1"): -0.4})
    assert sentences(turned, Measure(is_share=False))[0].startswith(
        "With equal rows the difference in region 1 turns round: it is -0.4"
    )
    assert (
        section_of(turned, Measure(is_share=True), "").rows[0][-1] == "turns round"
        and in_short(turned) == "equal rows: turns round"
    )
    idle = controls_of(tried({"elsewhere": 0.3}, 1, rows=(9.0, 9.0), match_studies=["CCLE", "gCSI"]), None)
    assert idle is not None and not control_figures(summarise(experiment, records), idle)
    assert sentences(idle, Measure(is_share=False))[0].startswith("Equal rows: both models are trained on as many rows")


def test_rows_are_those_of_each_block() -> None:
    _, records = tried({"elsewhere": 0.3}, 1)
    rows = rows_of(Claim(name="elsewhere", kind="space"), records)
    assert rows == dict.fromkeys(range(1000, 1000 + BLOCKS), (2000.0, 900.0))


def test_what_compares_no_two_studies_has_no_control() -> None:
    experiment, records = tried({"elsewhere": 0.3}, 1)
    for model in experiment.models:
        model.hyperparameters["train_sources"] = "CCLE"
    assert controls_of((experiment, records), None) is None


#: A model whose loss is its rows' and its study's: `own` is what the second study has beside its size.
MODEL = """
import random

ROWS = {"large": 2000, "small": 500}

def initialize_parameters():
    return {"noise": 0.0, "study": "large", "own": 0.0, "most_rows": None, "both": None, "only": "none",
            "rng_seed": 1, "split_seed": 1}

def run(params):
    rows = ROWS[params["study"]]
    if params["most_rows"] is not None:
        rows = min(rows, int(params["most_rows"]))
    luck = random.Random(f"{params['split_seed']} {params['rng_seed']} {params['study']}").gauss(0, 0.01)
    own = params["own"] if params["study"] == "small" else 0.0
    shared = 0.0 if params["only"] == "none" else 0.02
    return {"val_loss": 0.5 + 200 / rows + own + shared + luck, "training_rows": rows}
"""
DESCRIPTION = """
module = "studies"
[controls]
study = "study"
rows = "most_rows"
shared = "both"
drugs = { only = "drugs" }
cells = { only = "cells" }
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    model = desk.folder / "studies"
    model.mkdir()
    (model / "studies.py").write_text(MODEL)
    (model / "model.toml").write_text(DESCRIPTION)
    (model / "train.sh").write_text("exit 1\n")
    desk.write("space.json", json.dumps([{"name": "noise", "type": "float", "lower": 0, "upper": 50}]))
    desk.write(
        "quick.txt",
        f"[Global_Params]\nmodel_name = 'cmp'\ncmp_model_name = '{model}'\n"
        "cmp_0_study = 'large'\ncmp_1_study = 'small'\n",
    )
    return desk


ASKED = ("--set", "cmp.difference=absolute", "--set", "search.strategy=sobol", "--set", "search.find=regions")


@pytest.mark.long
def test_a_planted_study_that_is_only_smaller_is_told_by_one_command(desk: Desk) -> None:
    assert desk.search("quick.toml", "--id", "smaller", *ASKED).returncode == 0
    planned = desk.run("recheck", "smaller", "--controls", "--dry-run")
    assert "24 pairs, 48 trainings" in planned.stdout and "power:" not in planned.stdout, planned.stderr
    one = desk.run("recheck", "smaller", "--controls", "--set", 'confirm.controls=["rows"]', "--dry-run")
    assert "8 pairs, 16 trainings" in one.stdout, one.stderr
    done = desk.run("recheck", "smaller", "--controls", "--json")
    assert done.returncode == 0, done.stderr
    found = {each["design"]: each["verdict"] for each in json.loads(done.stdout)["found"]}
    assert found == {"rows": "gone", "drugs": "stays", "cells": "stays"}
    listed = {row["id"]: row for row in json.loads(desk.run("list", "--json").stdout)}
    in_short = "equal rows: gone, shared drugs: stays, shared cell lines: stays"
    assert listed["smaller-recheck-1"]["verdict"] == in_short
    again = desk.run("recheck", "--resume", "smaller-recheck-1").stdout
    assert "report: that of 'smaller' says so beside what it found; make it anew by:\n" in again
    assert again.rstrip().endswith("comparator report smaller")
    assert desk.run("report", "smaller").returncode == 0
    page = (desk.experiments / "smaller" / "report.html").read_text()
    assert (
        "It is the number of rows, or of the steps that go with it: with equal rows the difference" in page
        and "--controls" not in page
    )
    assert desk.run("verify", "smaller-recheck-1", "--sample", "2").returncode == 0
    assert desk.run("report", "smaller-recheck-1").returncode == 0
    own = json.loads((desk.experiments / "smaller-recheck-1" / "report.json").read_text())
    assert own["question"].startswith("Is it the study, or only its size?") and len(own["answer"]) == 4


@pytest.mark.long
def test_a_search_that_is_asked_to_sets_them_beside_its_finding(desk: Desk) -> None:
    words = ["--set", "hyperparameters.own=0.3", "--set", 'confirm.controls=["rows"]']
    done = desk.run("search", "quick.toml", "--id", "other", *ASKED, *words)
    assert done.returncode == 0, done.stderr
    assert "8 pairs of trainings with both studies cut alike" in done.stdout
    found = json.loads((desk.experiments / "other" / "report.json").read_text())["controls"]
    assert [(each["design"], each["verdict"]) for each in found["found"]] == [("rows", "weaker")]
    assert found["left"] == ["drugs", "cells"]
    again = desk.run("search", "--resume", "other")
    assert again.returncode == 0 and not (desk.experiments / "other-recheck-2").exists()


@pytest.mark.long
def test_controls_that_a_search_asked_for_and_that_were_stopped_are_gone_on_with_by_its_id(desk: Desk) -> None:
    words = ["--set", "hyperparameters.own=0.3", "--set", 'confirm.controls=["rows"]', "--workers", "1"]
    assert desk.search("quick.toml", "--id", "other", *ASKED, *words).returncode == 0
    stopped = desk.experiments / "other-recheck-1"
    whole = (stopped / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (stopped / "evaluations.jsonl").write_text("".join(whole[:3]))
    state = json.loads((stopped / "state.json").read_text())
    (stopped / "state.json").write_text(json.dumps({**state, "state": "stopped", "reason": "by hand"}))
    done = desk.run("search", "--resume", "other")
    assert done.returncode == 0, done.stderr
    assert "going on with other-recheck-1" in done.stdout and "3 of 8 pairs of trainings" in done.stdout
    assert "other is finished" not in done.stdout and not (desk.experiments / "other-recheck-2").exists()
    assert len(desk.records("other-recheck-1")) == len(whole)
    found = json.loads((desk.experiments / "other" / "report.json").read_text())["controls"]
    assert found["tried_by"] == "other-recheck-1"
    assert "other is finished" in desk.run("search", "--resume", "other").stdout
    report = desk.experiments / "other" / "report.json"
    report.write_text(json.dumps({**json.loads(report.read_text()), "controls": None}))  # made before they were done
    again = desk.run("search", "--resume", "other")
    assert again.returncode == 0 and "report: " in again.stdout and "other is finished" not in again.stdout
    assert json.loads(report.read_text())["controls"] == found


@pytest.mark.long
def test_what_has_no_control_is_refused_in_a_line(desk: Desk) -> None:
    one = ["--set", "hyperparameters.cmp_1_study=large", "--set", "hyperparameters.cmp_1_own=0.1"]
    refused = desk.search("quick.toml", *ASKED, *one, "--set", 'confirm.controls=["rows"]')
    assert refused.returncode == 2 and "both models are of one study" in refused.stderr
    unknown = desk.search("quick.toml", *ASKED, "--set", 'confirm.controls=["genes"]')
    assert unknown.returncode == 2 and "'rows', 'drugs' or 'cells'" in unknown.stderr
