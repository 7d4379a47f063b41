"""What is left out of training: subsets, trainings, and what they are found to change, with models that are known."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from two_workers import said, trained

from comparator.errors import ComparatorError, InputError
from comparator.experiment.controls import plan_controls
from comparator.experiment.host import Host
from comparator.experiment.listing import experiment_rows
from comparator.experiment.recheck import Meeting, plan_crossing, plan_recheck
from comparator.experiment.reopening import reopen_plan
from comparator.findings.explanation import explain
from comparator.results.experiments import read_whole_experiment
from comparator.results.record_file import read_records
from comparator.results.run_store import RunStore
from comparator.sharing.figure_files import write_figure
from comparator.studies import left_out, study_of
from comparator.studies.left_out import LeftOutTable, controlled, subsets_of, table_of
from comparator.verification.record import check_record, check_search

ROOT = Path(__file__).resolve().parents[3]
#: Side 1 learns badly from drug B's rows: without them its loss is smaller. C is large, and moves both alike.
MODEL = """
import random
from pathlib import Path


def initialize_parameters():
    return {"side": 0, "rng_seed": 1, "split_seed": 1, "exclude_drugs": None, "exclude_at_random": False,
            "output_dir": None, "fails_without": "", "worse": 0.4}


SIZES = {"A": 100, "B": 100, "C": 300, "D": 100}


def run(params):
    without = [] if not params["exclude_drugs"] else params["exclude_drugs"]
    if isinstance(without, str):
        without = without.split()
    side, at_random = int(params["side"]), params["exclude_at_random"] in (True, "True")
    if params["fails_without"] in without and not at_random:
        raise RuntimeError("it cannot learn without " + params["fails_without"])
    rows = sum(SIZES[name] for name in without)
    gone = [] if at_random else without
    noise = random.Random(f"{side} {params['rng_seed']} {without} {at_random}").gauss(0, 0.01)
    loss = 1 + 0.0002 * rows + noise + (params["worse"] if side and "B" not in gone else 0)
    if params["output_dir"]:
        lines = ["drug,auc_true,auc_pred"]
        for number, name in enumerate("ABCD" * 5):
            moved = 0.5 * (name in gone) + 0.01 * (rows > 0) * (1 + side)
            lines.append(f"{name},{number / 20},{number / 20 + moved}")
        folder = Path(params["output_dir"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "val_y_data_predicted.csv").write_text("\\n".join(lines) + "\\n")
    return {"val_loss": loss, "training_rows": 600 - rows}
"""
FILE = """
model = "cmp"
[left_out]
names = ["A", "B", "C", "D"]
blocks = 6
control = "each"
[set]
cmp_model_name = "toy.py"
cmp_0_side = 0
cmp_1_side = 1
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A model, and an experiment file of two settings of it."""
    (tmp_path / "toy.py").write_text(MODEL)
    (tmp_path / "out.toml").write_text(FILE)
    return tmp_path / "out.toml"


def carried_out(host: Host, file: Path, *overrides: str) -> Path:
    folder = left_out.STUDY.run(host, file, overrides, command="")
    assert folder is not None
    return folder


def reported(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content


@pytest.mark.long
def test_a_drug_that_one_model_learns_badly_from_is_found(desk: Path, host: Host) -> None:
    folder = carried_out(host, desk)
    assert trained(host) == 2 * 6 * (1 + 4 + 4)
    content = reported(folder)
    shown = [each["subset"]["name"] for each in content["effects"] if each["shown"]]
    assert shown == ["B"]
    first = content["effects"][0]["omission"]
    assert first["change"]["value"] == pytest.approx(-0.4 / 1.4, abs=0.03)
    low, high = first["change"]["interval"]
    assert low < -0.4 / 1.42 < high < 0
    assert content["answer"].startswith("Leaving out B changes the difference most: by -2")
    assert "] percentage points, from 29 % to 0.0" in content["answer"] or "from 28 % to" in content["answer"]
    assert "4 drugs looked at" in content["answer"] and "As many random rows as B has" in content["answer"]
    assert content["whole"]["value"] == pytest.approx(0.4 / 1.4, abs=0.02)
    moved = content["effects"][0]["change"]["moved"]
    assert moved[0]["own"] == pytest.approx(0.51) and moved[0]["others"] == pytest.approx(0.01)
    assert moved[1]["own"] == pytest.approx(0.52) and content["effects"][0]["change"]["rows"] == [100, 100]
    rows = list(csv.DictReader((folder / "tables" / "left_out.csv").open()))
    assert [row["left_out"] for row in rows if row["shown"] == "yes"] == ["B"] and len(rows) == 8
    for name in ("left-out", "predictions-moved"):
        assert (folder / "figures" / f"{name}.svg").is_file()
    assert "What changes the predictions" in (folder / "report.html").read_text()
    (row,) = experiment_rows(host.experiments)
    assert row["verdict"] == f"without B {100 * first['change']['value']:.2g} percentage points"
    assert (row["best"], row["best_value"]) == ("", None) and "best" not in said(host)

    plan = reopen_plan(read_whole_experiment(folder), root=host.root, site=host.site)
    records = read_records(folder / "evaluations.jsonl")
    assert list(check_search(plan, records, is_finished=True)) == []
    checked = check_record(plan.frozen, records, RunStore(host.experiments), plan.objective, is_finished=True)
    assert list(checked) == []
    assert study_of(folder) is left_out.STUDY
    with pytest.raises(InputError, match="has figures of its own, as PNG and SVG"):
        write_figure(folder, "map")
    assert left_out.STUDY.resume(host, folder.name) == folder
    assert trained(host) == 2 * 6 * (1 + 4 + 4)


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_on_a_telephone_its_figures_have_the_width_of_the_page(desk: Path, host: Host, tmp_path: Path) -> None:
    page = carried_out(host, desk, 'left_out.control="none"') / "report.html"
    browser = Browser(tmp_path / "profile")
    try:
        for width, shown in ((400, "chart narrow"), (1200, "chart wide")):
            browser.open(page, width)
            charts = "[...document.querySelectorAll('.chart')].filter(each => each.clientWidth)"
            assert browser.ask(f"{charts}.every(each => each.scrollWidth <= each.clientWidth)")
            assert browser.ask(f"{charts}.map(each => each.className)") == [shown, shown]
            assert browser.ask("document.documentElement.scrollWidth") <= width
    finally:
        browser.close()


@pytest.mark.long
def test_where_no_drug_matters_none_is_named(desk: Path, host: Host) -> None:
    desk.write_text(FILE.replace("[set]", "[set]\nworse = 0.0"))
    # Of 20 such experiments one may name a drug; with 6 blocks, this one does.
    folder = carried_out(host, desk, 'left_out.control="none"', "left_out.blocks=8")
    content = reported(folder)
    assert not any(each["shown"] for each in content["effects"]) and content["controls"] == []
    assert content["answer"].startswith("Of none of the drugs is it shown")
    assert "cannot be excluded" in content["answer"]
    with pytest.raises(InputError, match='do not tell which subset is the largest; give control = "each"'):
        carried_out(host, desk, 'left_out.control="largest"')


@pytest.mark.long
def test_a_training_that_fails_is_a_result(desk: Path, host: Host) -> None:
    folder = carried_out(host, desk, "hyperparameters.fails_without=D", 'left_out.control="none"')
    content = reported(folder)
    failed = next(each for each in content["effects"] if each["subset"]["name"] == "D")
    assert failed["omission"]["change"] is None and failed["failed"] == 6 and not failed["shown"]
    assert content["effects"][-1] == failed
    assert "What failed" in (folder / "report.html").read_text()
    with pytest.raises(
        ComparatorError, match="no block has a difference with all rows; the last failure: submodel 1: Type"
    ):
        carried_out(host, desk, "hyperparameters.worse=none")


@pytest.mark.long
def test_what_is_stopped_goes_on_where_it_was(desk: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("comparator.studies.left_out.measure", stopped)
        with pytest.raises(KeyboardInterrupt):
            left_out.STUDY.run(host, desk, [], command="", identifier="stopped")
    done = trained(host)
    assert left_out.STUDY.resume(host, "stopped").name == "stopped" and trained(host) == done
    path, words = host.experiments / "stopped", "it is a study, of `comparator left-out`: it claims nothing"
    with pytest.raises(InputError, match=words):
        plan_recheck(host, "stopped", [], command="")
    with pytest.raises(InputError, match=words):
        plan_controls(host, "stopped", [], command="")
    with pytest.raises(InputError, match=words):
        plan_crossing(host, "stopped", [], Meeting(), [], command="")
    frozen, records = read_whole_experiment(path), read_records(path / "evaluations.jsonl")
    assert explain(frozen, records, RunStore(host.experiments).predicted_rows).reason.startswith(words)
    again = carried_out(host, desk, 'left_out.names=["B"]', 'left_out.control="none"')
    assert trained(host) == done and again.name != "stopped"
    text = desk.read_text().replace('names = ["A", "B", "C", "D"]', 'groups = { small = ["A", "B"], large = ["C"] }')
    desk.write_text(text)
    content = reported(carried_out(host, desk))
    assert "2 groups of drugs looked at" in content["answer"] and "without small" in content["answer"]
    assert content["effects"][0]["subset"] == {"name": "small", "members": ["A", "B"], "rows": [0, 0]}


def test_a_dry_run_says_what_it_costs_and_starts_nothing(desk: Path, host: Host) -> None:
    named = ['cmp.labels=["still", "moved"]']
    assert left_out.STUDY.run(host, desk, named, command="", dry_run=True) is None
    words = said(host).replace("\n", " ")
    assert "A, B, C, D" in words and "4 times without some, 4 controls" in words
    assert "in 6 blocks: 54 pairs, 108 trainings" in words
    assert "model: still, toy" in words and "model: moved, toy" in words
    assert not (host.experiments / "runs").exists()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("space=a.json", ["'space' has no meaning in [left_out]", "[set]"]),
        ("left_out.blocks=2", ["[left_out]", "blocks", "must be 4 or more"]),
        ('left_out.names=["A", "A"]', ["names", "'A' stands twice"]),
        ("left_out.groups=1", ["groups", "two or more"]),
        ("left_out.groups=kinases", ["'groups' = 'kinases'", "a number, or a table of lists of names"]),
        ("left_out.exclude=exclude_drug", ["'exclude_drug'", "no such hyperparameter", "did you mean 'exclude_drugs'"]),
        ("left_out.at_random=no", ["has no hyperparameter 'no'", 'give control = "none"']),
        ("left_out.leave_out=genes", ["leave_out", "'genes'", "'cell_types'"]),
        ("model=toy.py", ["model = 'toy.py'", 'model = "cmp"']),
    ],
)
def test_a_mistake_is_one_line_before_anything_starts(desk: Path, host: Host, override: str, words: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        carried_out(host, desk, override)
    assert "\n" not in str(raised.value) and all(word in str(raised.value) for word in words), raised.value
    assert not host.experiments.exists() or not trained(host)


def test_without_names_a_model_that_cannot_tell_them_is_refused(desk: Path, host: Host) -> None:
    desk.write_text(FILE.replace('names = ["A", "B", "C", "D"]', ""))
    with pytest.raises(InputError, match="do not tell which drugs there are; give names"):
        carried_out(host, desk)


def test_subsets_are_names_groups_or_dealt_alike() -> None:
    rows = {"a": [30, 10], "B": [20, 20], "c": [5, 0], "d": [15, 15]}
    alone = subsets_of(LeftOutTable(fewest_rows=10), rows, "x")
    assert [(each.name, each.rows) for each in alone] == [("a", [30, 10]), ("B", [20, 20]), ("d", [15, 15])]
    groups = subsets_of(LeftOutTable(groups={"both": ["A", "b"], "one": ["c"]}), rows, "x")
    assert [(each.name, each.rows) for each in groups] == [("both", [50, 30]), ("one", [5, 0])]
    many = {f"line {number}": [number % 7 + 1, 3] for number in range(60)}
    dealt = subsets_of(LeftOutTable(leave_out="cells", groups=5), many, "x")
    assert len(dealt) == 5 and sorted(name for each in dealt for name in each.members) == sorted(many)
    sizes = [sum(each.rows) for each in dealt]
    assert max(sizes) - min(sizes) <= 10
    assert dealt == subsets_of(LeftOutTable(leave_out="cells", groups=5), many, "x")
    assert dealt != subsets_of(LeftOutTable(leave_out="cells", groups=5, seed=2), many, "x")
    with pytest.raises(InputError, match="300 cell lines; give names, or groups"):
        subsets_of(LeftOutTable(leave_out="cells"), {str(number): [1, 1] for number in range(300)}, "x")
    with pytest.raises(InputError, match="fewest_rows = 99: nothing"):
        subsets_of(LeftOutTable(fewest_rows=99), rows, "x")
    with pytest.raises(InputError, match="groups = 5: there are 4 drugs"):
        subsets_of(LeftOutTable(groups=5), rows, "x")
    for table in (LeftOutTable(names=["a", "BB"]), LeftOutTable(groups={"both": ["a", "BB"]})):
        with pytest.raises(InputError, match=r"'BB' has no row that either model learns from \(did you mean 'B'"):
            subsets_of(table, {**rows, "BB": [0, 0]}, "x")


@pytest.mark.long
def test_the_experiment_file_of_the_project_leaves_out_each_drug(data_folder: Path, host: Host) -> None:
    from dataclasses import replace

    here = replace(host, site=replace(host.site, data_folder=data_folder))
    plan, table = left_out.make_plan(here, ROOT / "cfg" / "left-out.toml", ["left_out.blocks=4"], "")
    assert len(table.subsets) == 15 and {each.name for each in table.subsets} > {"17-AAG", "Panobinostat", "PLX-4720"}
    assert [table.subsets[number].name for number in controlled(table)] == ["17-AAG"]
    points = dict(plan.frozen.upf or [])
    assert len(points) == 4 * 17
    seeds = {(point["split_seed"], point["rng_seed"]) for point in points.values()}
    assert len(seeds) == 4 and min(split for split, _ in seeds) > 1000
    assert table_of(plan.frozen) == table
    with pytest.raises(InputError, match=r"exclude_drugs = '17-AAGG': not in .* \(did you mean '17-AAG'\?\)"):
        left_out.make_plan(here, ROOT / "cfg" / "left-out.toml", ['left_out.names=["17-AAGG"]'], "")
