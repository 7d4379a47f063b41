"""The examples of `docs/extend.md`, each taken from the page as it stands there, and tried."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from desk import Desk
from recorded import genetic, summary_of

import drug_response
from comparator.findings.verdict import Findings
from comparator.objective.differences import DIFFERENCES, Difference, find_difference, signed_difference
from comparator.report import figures
from comparator.report.figures.files import figure_file
from comparator.report.material import Material
from comparator.results.experiments import read_experiment
from comparator.space import ParameterSpace
from comparator.strategies import make_strategy
from drug_response import sources
from drug_response.preparation import prepare, summarise
from drug_response.selection import open_prepared
from drug_response.studies import choose_source

PAGE = (Path(__file__).parents[3] / "docs" / "extend.md").read_text(encoding="utf-8")
#: A block of code, which begins with a comment: the file that it is, or where its lines go.
BLOCK = re.compile(r"^```(?:python|toml)\n# (?P<what>.+)\n(?P<code>(?s:.*?))^```$", re.MULTILINE)
BEFORE = """
hyperparameters = "quick.txt"
space = "space.json"
run_timeout = 20
"""
QUICKLY = ("--set", "search.pilot=0", "--set", "confirm.points=0")


def examples(heading: str) -> dict[str, str]:
    """The blocks of one section, by what their first lines say that they are."""
    section = re.split(r"^##+ ", PAGE, flags=re.MULTILINE)
    (text,) = [each for each in section if each.startswith(f"{heading}\n")]
    return {block["what"]: block["code"] for block in BLOCK.finditer(text)}


def of(blocks: dict[str, str], words: str) -> str:
    (code,) = [code for what, code in blocks.items() if words in what]
    return code


def test_every_example_is_tried() -> None:
    blocks = re.findall(r"^```", PAGE, re.MULTILINE)
    headings = re.findall(r"^##+ (.+)$", PAGE, re.MULTILINE)
    assert len(blocks) == 2 * sum(len(examples(heading)) for heading in headings)
    assert headings == [
        *("A strategy", "An Optuna sampler", "An EQ/Py algorithm", "An EQ/SQL algorithm", "A strategy for others"),
        *("A difference", "A figure", "A data source"),
    ]


def search(desk: Desk, heading: str, more: str = "", *options: str) -> CompletedProcess[str]:
    """Carry out the experiment of a section, as `own`."""
    for what, code in examples(heading).items():
        if ", beside the experiment file" in what:
            desk.write(what.split(",")[0], code)
    desk.write("own.toml", BEFORE + of(examples(heading), "in the experiment file") + more)
    return desk.search("own.toml", "--id", "own", *QUICKLY, *options)


@pytest.mark.parametrize(
    ("heading", "lines"), [("A strategy", 12), ("An Optuna sampler", 12), ("An EQ/Py algorithm", 2)]
)
def test_a_search_of_ones_own_is_carried_out(desk: Desk, heading: str, lines: int) -> None:
    done = search(desk, heading)
    assert done.returncode == 0, done.stderr
    records = desk.records("own")
    assert len(records) >= lines and all(record["status"] == "ok" for record in records)


@pytest.mark.long
def test_a_strategy_of_ones_own_goes_on_where_it_was_and_not_with_other_code(desk: Desk) -> None:
    one_by_one = ("--workers", "1")  # so that results come in the same order both times
    assert search(desk, "A strategy", "", *one_by_one).returncode == 0
    folder, whole = desk.experiments / "own", desk.records("own")
    record = folder / "evaluations.jsonl"
    assert read_experiment(folder).strategy.code is not None
    record.write_text("".join(record.read_text().splitlines(keepends=True)[:7]))
    resumed = desk.search("--resume", "own", *one_by_one)
    assert resumed.returncode == 0, resumed.stderr
    kept = ("evaluation", "point", "value")
    assert sorted([[each[key] for key in kept] for each in desk.records("own")], key=str) == sorted(
        [[each[key] for key in kept] for each in whole], key=str
    )
    file = desk.folder / "nearer.py"
    file.write_text(file.read_text() + "\n")
    record.write_text("".join(record.read_text().splitlines(keepends=True)[:7]))
    refused = desk.search("--resume", "own")
    said = f"the code of strategy '{file}' has changed since 'own' began; start anew"
    assert (refused.returncode, refused.stderr.strip()) == (2, f"comparator: {said}")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("changes = 0.3", "change = 0.3", "unknown option 'change' (did you mean 'changes'?); options: changes"),
        ("changes = 0.3", "changes = 3", "'changes' = 3 is not a number above 0 to 1"),
        ("evaluations = 12", "", "give a budget: evaluations = N, or generations = N"),
        ("nearer.py", "neerer.py", "neerer.py: no such file"),
    ],
)
def test_a_mistake_in_it_is_one_line(desk: Desk, old: str, new: str, words: str) -> None:
    blocks = examples("A strategy")
    desk.write("nearer.py", of(blocks, "nearer.py"))
    desk.write("own.toml", BEFORE + of(blocks, "in the experiment file").replace(old, new))
    refused = desk.search("own.toml")
    assert refused.returncode == 2 and words in refused.stderr and len(refused.stderr.splitlines()) == 1


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package of the page, as pip installs it."""
    code = tmp_path / "my_searches"
    code.mkdir()
    (code / "__init__.py").touch()
    (code / "nearer.py").write_text(of(examples("A strategy"), "nearer.py"))
    (code / "parzen.py").write_text(of(examples("An Optuna sampler"), "parzen.py"))
    lines = of(examples("A strategy for others"), "pyproject.toml").splitlines()
    assert lines[0] == '[project.entry-points."comparator.strategies"]'
    told = tmp_path / "my_searches-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: my_searches\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("\n".join(["[comparator.strategies]", *lines[1:]]).replace('"', ""))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "my_searches"]:
        del sys.modules[name]


@pytest.mark.parametrize(("name", "options"), [("nearer", {"changes": 0.3}), ("parzen", {})])
def test_a_package_brings_a_strategy_to_all(package: None, name: str, options: dict[str, object]) -> None:
    space = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "space")
    strategy = make_strategy(name, space, seed=1, in_flight=2, options=options)
    waiting, values = strategy.start(), []
    for _ in range(40):
        proposal = waiting.pop(0)
        values.append(abs(proposal.point["x"] - 0.3))
        waiting += strategy.tell(proposal.number, values[-1])
    assert min(values) < 0.1


@pytest.mark.long
def test_a_difference_of_ones_own_is_carried_out(desk: Desk) -> None:
    budget = '\n[search]\nstrategy = "random"\nevaluations = 4\n'
    done = search(desk, "A difference", budget)
    assert done.returncode == 0, done.stderr
    for record in desk.records("own"):
        first, second = (run["metrics"]["val_loss"] for run in record["runs"][-2:])
        assert record["value"] == pytest.approx(-abs(second**0.5 - first**0.5))
    assert read_experiment(desk.experiments / "own").objective.name == "my_difference:of_roots of val_loss"


def test_a_difference_with_a_name_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = examples("A difference")
    known: dict[str, object] = {"Difference": Difference}
    exec(of(blocks, "my_difference.py"), known)
    made = eval(of(blocks, "a line of DIFFERENCES"), known)
    monkeypatch.setitem(DIFFERENCES, made.name, made)
    found = find_difference("of_roots", tmp_path, "cfg")
    assert signed_difference(found, 4.0, 1.0) == -1.0
    assert found.words("val_loss") == "of roots difference of val_loss"


def test_a_figure_is_one_function_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = examples("A figure")
    module = type(sys)("spread")
    exec(of(blocks, "report/figures/spread.py"), module.__dict__)
    added = eval(of(blocks, "a line of FURTHER"), {"spread": module})
    monkeypatch.setattr(figures, "FURTHER", [*figures.FURTHER, added])
    for records, is_drawn in ((genetic(), True), (genetic(1), False)):
        drawn = {each.name: each for each in figures.draw(Material(summary_of(records), Findings(None, "not asked")))}
        assert ("spread" in drawn) == is_drawn
        if is_drawn:
            assert b"points" in figure_file(drawn["spread"], "svg")


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """A data folder with the three tables of a small laboratory."""
    folder = tmp_path / "data" / "my_lab"
    folder.mkdir(parents=True)
    draw = random.Random(1)
    cells, drugs = [f"cell{n}" for n in range(6)], {"ethanol": "CCO", "benzene": "c1ccccc1", "acetone": "CC(C)=O"}
    expression = pd.DataFrame({gene: [draw.random() for _ in cells] for gene in ("TP53", "EGFR")}, index=cells)
    expression.to_csv(folder / "expression.csv")
    pd.DataFrame({"smiles": drugs}).to_csv(folder / "drugs.csv")
    pairs = [{"cell_line": cell, "drug": drug, "auc": draw.random()} for cell in cells for drug in drugs]
    pd.DataFrame(pairs).to_csv(folder / "responses.csv", index=False)
    return folder.parent


@pytest.mark.long
def test_a_data_source_is_one_module_and_one_line(
    laboratory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = examples("A data source")
    (tmp_path / "my_lab.py").write_text(of(blocks, "drug_response/my_lab.py"))
    monkeypatch.setattr(drug_response, "__path__", [*drug_response.__path__, str(tmp_path)])
    known = dict(vars(sources))
    exec(of(blocks, "drug_response/sources.py"), known)
    made = eval(of(blocks, "a line of SOURCES"), known)
    monkeypatch.setitem(sources.SOURCES, made.name, made)
    try:
        manifest = prepare(laboratory, tell=lambda line: None)
        assert "my_lab: MyLab, 18 rows (AUC)" in summarise(manifest)
        for asked in ("auto", "my_lab"):
            assert choose_source(manifest, asked, {"train_sources": ["MyLab"]}, laboratory) == "my_lab"
        source = open_prepared(laboratory, "my_lab")
        assert source.studies == ["MyLab"] and len(source.genes) == 2 and np.all(source.responses["MyLab"]["AUC"] < 1)
        assert json.loads((laboratory / "prepared" / "manifest.json").read_text())["sources"]["my_lab"]["drugs"] == 3
    finally:
        sys.modules.pop("drug_response.my_lab", None)
