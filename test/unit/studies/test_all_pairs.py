"""All pairs of several models: trained once a point, judged together, with models whose differences are known."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from two_workers import said, trained

from comparator.errors import InputError
from comparator.evidence.many import holm
from comparator.evidence.paired import Observation, Paired
from comparator.experiment import opening, session
from comparator.experiment.host import Host
from comparator.experiment.listing import experiment_rows
from comparator.experiment.recheck import plan_crossing, plan_recheck
from comparator.experiment.reopening import reopen_plan
from comparator.findings.explanation import explain
from comparator.objective.amounts import Measure
from comparator.results.experiments import read_experiment, read_whole_experiment
from comparator.site.profile import Site
from comparator.space import ParameterSpace
from comparator.strategies.blocks import block_of
from comparator.strategies.sampling import sobol_points
from comparator.studies import all_pairs, study_of, sweep
from comparator.studies.all_pairs_table import NAME, AllPairsTable, sides_of
from comparator.studies.pairs import Compared, Place, answer, chances, judge
from comparator.verification.record import check_search

ROOT = Path(__file__).resolve().parents[3]
SPACE = """
x = { type = "float", lower = 0, upper = 1 }
y = { type = "float", lower = 0, upper = 1 }
"""
ENTRIES = [{"name": name, "type": "float", "lower": 0, "upper": 1} for name in "xy"]
#: Noise of its own for each model; `worse` adds to the loss in a corner, `fails` has it fail everywhere.
MODEL = """
import random


def initialize_parameters():
    return {"x": 0.5, "y": 0.5, "who": "a", "worse": 0.0, "fails": False, "train_sources": "A", "rng_seed": 1}


def run(params):
    if params["fails"]:
        raise RuntimeError("it cannot")
    names = ("who", "train_sources", "x", "y", "rng_seed")
    noise = random.Random(" ".join(str(params[name]) for name in names)).gauss(0, 0.03)
    return {"val_loss": 1 + noise + params["worse"] * (params["x"] > 0.5)}
"""
FILE = f"""
metric = "val_loss"
[all_pairs]
evaluations = 24
[all_pairs.models.First]
model = "toy.py"
set = {{ who = "a" }}
[all_pairs.models.Second]
model = "toy.py"
set = {{ who = "b" }}
[all_pairs.models.Third]
model = "toy.py"
set = {{ who = "c" }}
[space]
{SPACE}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A model, and an experiment file with three settings of it that are alike but for their luck."""
    (tmp_path / "toy.py").write_text(MODEL)
    (tmp_path / "all.toml").write_text(FILE)
    return tmp_path / "all.toml"


def carried_out(host: Host, file: Path, *overrides: str) -> Path:
    folder = all_pairs.STUDY.run(host, file, overrides, command="")
    assert folder is not None
    return folder


@pytest.mark.long
def test_a_planted_difference_is_named_and_each_model_is_trained_once_a_point(desk: Path, host: Host) -> None:
    worse = '[all_pairs.models.Worse]\nmodel = "toy.py"\nset = { who = "d", worse = 0.5 }\n[space]'
    desk.write_text(FILE.replace("[space]", worse))
    folder = carried_out(host, desk)
    assert trained(host) == 4 * 24
    rows = {row["id"]: row for row in experiment_rows(host.experiments)}
    assert [row["state"] for row in rows.values()] == ["finished"] * 7
    assert (rows["all-1"]["evaluations"], rows["all-1"]["of"]) == (6 * 24, 6 * 24)
    content = json.loads((folder / "report.json").read_text())
    for each in content["pairs"]:  # a pair's own report knows of no other pair
        words = {"regions": "more with x above 0.", "everywhere": "no place", "none": "no difference"}
        assert rows[each["id"]]["verdict"].startswith(words[each["verdict"]])
    assert len(content["pairs"]) == 6
    most = next(each for each in content["pairs"] if each["id"] == content["most_different"])
    assert rows["all-1"]["verdict"] == f"{' and '.join(most['models'])} differ most"
    shown = {tuple(each["models"]): each for each in content["pairs"] if each["verdict"] != "none"}
    assert set(shown) == {("First", "Worse"), ("Second", "Worse"), ("Third", "Worse")}
    for each in shown.values():
        assert each["verdict"] == "regions"
        assert each["regions"][0]["condition"].startswith("x above 0.")
        assert each["regions"][0]["mean"] == pytest.approx(1 / 3, abs=0.06)
    assert "Worse differ most with x above 0." in content["answer"]
    assert "3 of 6 pairs differ" in content["answer"]
    page = (folder / "report.html").read_text()
    assert f'href="../{content["most_different"]}/report.html"' in page
    assert (folder / "figures" / "all-pairs.svg").is_file()
    assert len((folder / "tables" / "pairs.csv").read_text().splitlines()) == 7

    plan = reopen_plan(read_whole_experiment(folder), root=host.root, site=host.site)
    assert list(check_search(plan, [], is_finished=True)) == []
    assert study_of(folder) is all_pairs.STUDY
    assert all_pairs.STUDY.resume(host, folder.name) == folder
    assert trained(host) == 4 * 24


@pytest.mark.long
def test_what_is_stopped_goes_on_where_it_was(desk: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = opening.resume

    def stopped(host: Host, identifier: str) -> session.Session:
        if identifier.endswith("First-Third"):
            raise KeyboardInterrupt
        return opened(host, identifier)

    monkeypatch.setattr(opening, "resume", stopped)
    with pytest.raises(KeyboardInterrupt):
        carried_out(host, desk)
    assert trained(host) == 2 * 24
    assert "all-pairs --resume all-1" in said(host)
    monkeypatch.setattr(opening, "resume", opened)
    folder = all_pairs.STUDY.resume(host, "all-1")
    assert trained(host) == 3 * 24
    assert len(json.loads((folder / "report.json").read_text())["pairs"]) == 3


@pytest.mark.long
def test_a_model_that_always_fails_leaves_the_other_pairs(desk: Path, host: Host) -> None:
    desk.write_text(FILE.replace('who = "c"', 'who = "c", fails = true'))
    folder = carried_out(host, desk)
    verdicts = {tuple(each["models"]): each for each in json.loads((folder / "report.json").read_text())["pairs"]}
    assert verdicts["First", "Second"]["verdict"] == "none"
    assert verdicts["First", "Third"]["verdict"] is None
    assert "Of First and Third, Second and Third nothing can be said" in said(host)


def test_each_model_stands_on_each_study(desk: Path, host: Host) -> None:
    assert all_pairs.STUDY.run(host, desk, ['all_pairs.studies=["A", "B"]'], command="", dry_run=True) is None
    words = said(host)
    assert "First-A, First-B, Second-A, Second-B, Third-A, Third-B" in words
    assert "24 points, 6 trainings of each: 144 trainings for 15 pairs" in words
    assert not host.experiments.exists()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("search=3", ["'search' has no meaning in [all_pairs]"]),
        ("model=toy.py", ["'model' stands in the table of each model"]),
        ("space=none.json", ["none.json"]),
        ("all_pairs.evaluations=6", ["evaluations = 6", "too few for 3 pairs"]),
        ("all_pairs.evaluation=6", ["unknown key 'evaluation'", "evaluations"]),
        ('all_pairs.studies=["A", "A"]', ["'A' stands twice"]),
        ('all_pairs.studies=["A", "B", "C", "D", "E", "F", "G", "H"]', ["of 276 pairs", "fewer models"]),
        ("all_pairs.models={}", ["[all_pairs]", "models"]),
        ("all_pairs.difference=none", ["difference", "none"]),
    ],
)
def test_a_mistake_is_one_line_before_anything_starts(desk: Path, host: Host, override: str, words: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        all_pairs.STUDY.run(host, desk, [override], command="")
    assert all(each in str(raised.value) for each in words), str(raised.value)
    assert "\n" not in str(raised.value)
    assert not host.experiments.exists()


def test_a_study_of_all_pairs_says_what_can_be_asked_of_it_instead(desk: Path, host: Host) -> None:
    study = all_pairs.STUDY.begin(host, all_pairs.STUDY.plan(host, desk, [], ""), "all", "three")
    words = "a study of all pairs, which trains nothing itself; ask it of a pair, each of which is an experiment:"
    words += " 'three-First-Second'"
    assert words in explain(read_experiment(study), [], lambda run: None).reason
    for planned in (
        lambda: plan_recheck(host, "three", [], command=""),
        lambda: plan_crossing(host, "three", [], (3, 3), [], command=""),
    ):
        with pytest.raises(InputError, match=words):
            planned()
    rows = {row["id"]: row for row in experiment_rows(host.experiments)}
    assert (rows["three"]["evaluations"], rows["three"]["of"]) == (0, 3 * 24)


def test_two_equal_models_are_noted(desk: Path, host: Host) -> None:
    desk.write_text(FILE.replace('who = "b"', 'who = "a"'))
    all_pairs.STUDY.run(host, desk, [], command="", dry_run=True)
    assert "First and Second are one model with the same settings" in said(host)
    assert "Third are one model" not in said(host)


def test_a_site_that_submits_jobs_is_refused_in_a_line(desk: Path, host: Host) -> None:
    site = Site("far", "", ("swift-t",), host.site.data_folder, 0, 1, "CUDA_VISIBLE_DEVICES", "ascending", 2)
    far = replace(host, site=replace(site, scheduler="slurm"), engine=SimpleNamespace(name="swift-t"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"'far' submits jobs.*inside a job"):
        all_pairs.STUDY.run(far, desk, [], command="")


def test_chances_are_corrected_by_rank() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def compared(one: str, other: str, mean: float, p: float | None, p_where: float | None = None) -> Compared:
    paired = Paired.of([Observation({"x": place / 9}, [mean], [place]) for place in range(8)])
    places = [] if p_where is None else [Place("x above 0.5", {"x": [0.5, 1]}, 2 * mean, 0.0)]
    return Compared(f"{one}-{other}", (one, other), paired, [], p, p_where, places)


def test_a_pair_is_not_called_different_for_having_been_looked_at_among_many() -> None:
    judged = judge([compared("A", "B", 0.2, 0.03), compared("A", "C", 0.1, 0.2), compared("B", "C", 0.1, None)])
    assert [each.verdict for each in judged] == ["none"] * 3
    assert answer(judged, "val_loss", Measure(is_share=True))[0].startswith("No two of them")
    alone = judge([compared("A", "B", -0.2, 0.03, 0.04)])
    assert alone[0].verdict == "regions"
    assert answer(alone, "val_loss", Measure(is_share=True))[0] == (
        "A and B differ most with x above 0.5:"
        " there the val_loss of B is on average 40 % below that of A; elsewhere 0 %."
    )


def simulated(trial: int, models: int, apart: float) -> list[Compared]:
    """All pairs of models whose losses lie `apart` from each to the next everywhere, beside luck of split and seed."""
    space = ParameterSpace.from_entries(ENTRIES, "the space")
    points = list(itertools.islice(sobol_points(space, 1), 24))
    blocks = [block_of(point, 0, 100).number for point in points]
    draws = np.random.default_rng(trial)
    of_split = draws.normal(0, 0.03, (models, 100))  # what a split does to each model
    losses = 1 + of_split[:, blocks] + draws.normal(0, 0.03, (models, 24)) + apart * np.arange(models)[:, None]
    pairs = []
    for first, second in itertools.combinations(range(models), 2):
        gaps = (losses[second] - losses[first]) / np.maximum(losses[first], losses[second])
        seen = [Observation(p, [gap], [b]) for p, gap, b in zip(points, gaps.tolist(), blocks, strict=True)]
        paired = Paired.of(seen)
        places = [Place("anywhere", {}, 1.0, 0.0)]
        labels = (str(first), str(second))
        pairs.append(Compared("", labels, paired, [], *chances(space, paired), places))
    return pairs


@pytest.mark.long
def test_equal_models_are_seldom_called_different() -> None:
    """Five equal models, ten pairs: in 40 experiments that were not tuned on, any pair in at most 5 % but for luck."""
    called = sum(any(each.verdict != "none" for each in judge(simulated(trial, 5, 0.0))) for trial in range(40))
    assert called <= 6  # 2 are expected; 7 or more would come by luck in 0.3 % of such tests


@pytest.mark.long
def test_a_difference_that_is_the_same_everywhere_is_seldom_given_a_place() -> None:
    verdicts = [[each.verdict for each in judge(simulated(trial, 3, 0.2))] for trial in range(100, 140)]
    assert all("none" not in each for each in verdicts)
    assert sum("regions" in each for each in verdicts) <= 6


def test_the_experiment_file_of_the_project_is_nine_models_and_studies() -> None:
    file, table = sweep.read_file(ROOT / "cfg" / "all-pairs.toml", [], NAME, AllPairsTable, "")
    assert len(sides_of(file, table, {})) == 9
