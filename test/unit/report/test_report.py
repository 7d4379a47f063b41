"""The report, on generated experiments: ordinary, unfinished, failed, degenerate and hostile ones."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pages import check_files, read_page
from recorded import (
    CATEGORICAL,
    GRID,
    LAYERS,
    NOISE,
    frozen,
    genetic,
    grid_records,
    make_experiment,
    make_record,
    sampled,
    save,
    summary_of,
    uno,
    with_histories,
)

from comparator.errors import InputError
from comparator.findings.verdict import Findings
from comparator.report import write_report
from comparator.report.figures.heat import metric_scale
from comparator.report.figures.progress import best_and_mean
from comparator.report.material import gather_material
from comparator.report.page import _subtitle

pytestmark = pytest.mark.usefixtures("quick_reports")

UNASKED = Findings(None, "nothing was asked")

HOSTILE = '</script><img src=x onerror="alert(1)">\'"&`${x} $\\frac{1}{2}$ 細胞 \x00\x1b[31m\u202e\ud800'


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    experiments = tmp_path_factory.mktemp("experiments")
    folder = save(experiments / "cmp-ga-3", make_experiment(), with_histories(experiments, genetic()))
    write_report(folder)
    return folder


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"title": "Two laboratories"}, "Two laboratories"),
        ({"title": "Where do CCLE and GDSC1 differ?", "settings": {"title": ""}}, ""),  # the file gave none
        ({"title": "Two laboratories", "settings": {"title": "Two laboratories"}}, "Two laboratories"),
        ({"title": "Where do CCLE and GDSC1 differ most?"}, ""),
    ],
)
def test_what_stands_below_the_question_is_not_the_question_again(changes: dict[str, Any], title: str) -> None:
    assert _subtitle(frozen(**changes), "Where do CCLE and GDSC1 differ most?") == title


@pytest.mark.long
def test_an_ordinary_report_is_complete(ordinary: Path) -> None:
    check_files(ordinary)
    assert not (ordinary / "figures").exists(), "the page gives each as a file"
    page = read_page(ordinary)
    assert set(page.charts) == {
        *(
            "search",
            "importance",
            "effect-1",
            "effect-2",
            "progress",
            "models",
            "timeline",
            "learning-1",
            "learning-2",
            "learning-3",
        ),
        *("model-1", "model-1-own", "model-2", "model-2-own"),
    }
    text = page.text
    for expected in (
        "where do Uno on CCLE and Uno on GDSC1 differ?",
        "56 pairs at 56 points: 112 trainings done, 0 found in the store; 2 pairs failed.",
        "2 of 56 pairs failed",
        "of 54 points both models beat the mean predictor",
        "worse than it: GDSC1 at",
        "train_sources",
        "tensorflow",
        "split_by = cell, split_seed = 7",
        "manifest 77aa",
        "'out_act' is accepted",
        "comparator search cfg/cmp-ga.toml --seed 1",
        "train.sh ended with exit code 137",
    ):
        assert expected in text


def test_splits_that_trainings_were_dealt_to_are_told_beside_the_one_that_was_given(tmp_path: Path) -> None:
    records = genetic(8)
    for number, record in enumerate(records):
        for run in record["runs"]:
            run["split"] = number % 4
    folder = save(tmp_path / "x-1", make_experiment(), records)
    write_report(folder)
    dealt = "split_seed = 7; the search's trainings were dealt to 4 splits of their own"
    assert f"given: split_by = cell, {dealt}" in read_page(folder).text
    (tmp_path / "none-1").mkdir()
    write_report(save(tmp_path / "none-1", make_experiment(), []))
    assert "by stage" not in read_page(tmp_path / "none-1").text


@pytest.mark.long
def test_figures_are_files_too_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = save(tmp_path / "x-1", make_experiment(), genetic(1))
    figures = folder / "figures"
    figures.mkdir()
    (figures / "search-7.svg").write_text("<svg/>")  # of an earlier report
    write_report(folder, png=True)
    names = set(read_page(folder).charts)
    assert {path.name for path in figures.iterdir()} == {f"{name}.{form}" for name in names for form in ("png", "svg")}
    assert (figures / "search.png").read_bytes().startswith(b"\x89PNG")
    assert ">layer_force (log scale)</text>" in (figures / "search.svg").read_text(encoding="utf-8")
    check_files(folder)
    write_report(folder)
    assert not figures.exists(), "what was not drawn with this report shows another state"


@pytest.mark.long
def test_logs_are_linked_relative_to_the_page(ordinary: Path) -> None:
    """Those of every evaluation, and those of the two that failed once more where it says what went wrong."""
    page = read_page(ordinary)
    assert len(page.logs) == 112 and page.logs[0] == "../runs/3f9c00/model.log"
    assert len([address for address in page.values("href", "a") if address.endswith("model.log")]) == 4


def test_every_evaluation_has_a_row_and_every_mark_one_too(ordinary: Path) -> None:
    page = read_page(ordinary)
    marked = {number for name in page.charts for mark in page.marks(name) for number in mark.get("evaluations", ())}
    assert {row[0] for row in page.rows} == marked == set(range(56))
    assert {number for mark in page.marks("search") for number in mark.get("evaluations", ())} == set(range(56))


def test_the_csv_is_tidy(ordinary: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((ordinary / "evaluations.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 56 and rows[11]["value"] == "" and rows[11]["reason"].startswith("train.sh ended")
    records = genetic()
    assert float(rows[5]["point.noise"]) == records[5]["point"]["noise"]
    assert float(rows[5]["difference"]) == -records[5]["value"]
    assert float(rows[5]["metrics.1.val_loss"]) == records[5]["runs"][1]["metrics"]["val_loss"]
    assert rows[5]["log.0"] == "runs/3f9c50/model.log"


@pytest.mark.long
def test_a_page_is_the_same_each_time(ordinary: Path, tmp_path: Path) -> None:
    folder = save(tmp_path / "cmp-ga-3", make_experiment(), with_histories(tmp_path, genetic()))
    write_report(folder)
    assert (folder / "report.html").read_bytes() == (ordinary / "report.html").read_bytes()


DEGENERATE: dict[str, Callable[[], tuple[dict[str, Any], list[dict[str, Any]]]]] = {
    "zero evaluations": lambda: (make_experiment(), []),
    "one evaluation": lambda: (make_experiment(), genetic(1)),
    "all failed": lambda: (make_experiment(), genetic(3, (0, 1, 2))),
    "constant value": lambda: (make_experiment(), [{**record, "value": -0.25} for record in genetic(6)]),
    "zero value": lambda: (make_experiment(), [{**record, "value": -0.0} for record in genetic(3)]),
    "one dimension": lambda: (make_experiment(space=[NOISE]), sampled([NOISE])),
    "no dimension": lambda: (make_experiment(space=[]), sampled([], 2)),
    "four dimensions": lambda: (
        make_experiment(space=[NOISE, LAYERS, CATEGORICAL, {"name": "residual", "type": "logical"}]),
        sampled([NOISE, LAYERS, CATEGORICAL, {"name": "residual", "type": "logical"}]),
    ),
    "categories": lambda: (
        make_experiment(space=[CATEGORICAL, {"name": "residual", "type": "logical"}]),
        sampled([CATEGORICAL, {"name": "residual", "type": "logical"}]),
    ),
    "a sweep": lambda: (
        make_experiment(space=[]),
        [{**record, "generation": None} for record in sampled([NOISE, CATEGORICAL], 12)],
    ),
    "no mean predictor": lambda: (
        make_experiment(),
        [
            make_record(
                number, {"noise": 5.0 * number, "layer_force": 30}, ({"val_loss": 10.0**number}, {"val_loss": 2.0})
            )
            for number in range(5)
        ],
    ),
    "hardly described": lambda: (
        {"id": "x-1", "models": [{}, {}]},
        [
            {"evaluation": 0, "point": {"noise": 1.5}, "status": "ok", "value": -0.5, "runs": []},
            {"evaluation": 1, "point": {"noise": 2.5}, "status": "timeout", "value": None, "runs": []},
        ],
    ),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_no_experiment_is_too_odd_for_a_report(name: str, tmp_path: Path) -> None:
    folder = save(tmp_path / "experiments" / "x-1", *DEGENERATE[name]())
    assert write_report(folder) == folder / "report.html"
    check_files(folder)
    pairs = len([each for each in read_page(folder).charts if each.startswith("search-")])
    assert pairs == (6 if name == "four dimensions" else 0)


def hostile() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    experiment = make_experiment(
        title=HOSTILE,
        notices=[HOSTILE],
        id="x-1",
        space=[{**NOISE, "name": HOSTILE}, {**CATEGORICAL, "values": ["a", HOSTILE]}],
        objective={"name": HOSTILE, "symbol": "$V_{", "maximise": True},
        models=[
            {**model, "label": f"{HOSTILE}{model['submodel']}", "path": HOSTILE}
            for model in make_experiment()["models"]
        ],
    )
    records = [
        make_record(
            number,
            {HOSTILE: number, "activation": ("a", HOSTILE)[number % 2]},
            (uno({}, 0, random.Random(1)), uno({}, 1, random.Random(2))),
            "failed" if number == 3 else "ok",
            **({"reason": HOSTILE} if number == 3 else {}),
        )
        for number in range(6)
    ]
    return experiment, records


def test_hostile_text_is_shown_as_text(tmp_path: Path) -> None:
    experiment, records = hostile()
    records[0]["runs"][0]["log"] = 'javascript:alert(1)/"><b>'
    folder = save(tmp_path / "x-1", experiment, records)
    assert write_report(folder) == folder / "report.html"
    check_files(folder)
    assert "../javascript%3Aalert%281%29/%22%3E%3Cb%3E" in read_page(folder).logs
    assert '<img src=x onerror="alert(1)">' in "".join(read_page(folder).words)


def test_a_torn_last_line_is_left_out_and_a_broken_middle_refused(tmp_path: Path) -> None:
    torn = '{"evaluation": 2, "reason": "é'.encode()[:-1]
    folder = save(tmp_path / "x", make_experiment(), genetic(2), tail=torn)
    write_report(folder)
    assert json.loads((folder / "report.json").read_text())["evaluations"]["ok"] == 2
    save(folder, make_experiment(), [], tail=b'{"evaluation": 0\n{}\n')
    with pytest.raises(InputError, match="line 1"):
        write_report(folder)


def test_a_folder_without_an_experiment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"experiment\.json: no such file"):
        write_report(tmp_path)


def test_a_grids_report_shows_its_cells_and_no_progress(tmp_path: Path) -> None:
    folder = save(tmp_path / "cmp-grid-1", make_experiment(**GRID), grid_records())
    write_report(folder)
    check_files(folder)
    page = read_page(folder)
    names = set(page.charts)
    assert {"grid", "model-1", "model-2-own"} <= names and not {"search", "progress", "parallel"} & names
    tips = [mark["tip"] for name in ("grid", "model-1") for mark in page.marks(name)]
    assert any(tip.startswith("noise 12.5\nlayer_force 42\n") for tip in tips)


def figure_six(experiments: Path, **changes: Any) -> str:
    """Return the caption of Figure 6 of a search beside a grid with these changes to its experiment.json."""
    save(experiments / "cmp-grid-1", make_experiment(**{**GRID, **changes}), grid_records())
    folder = save(experiments / "cmp-ga-3", make_experiment(), genetic(20))
    summary = summary_of(genetic(20))
    return best_and_mean(summary, gather_material(folder, frozen(), summary, UNASKED).grid)[0].caption


def test_a_search_is_measured_by_the_grids_best(tmp_path: Path) -> None:
    caption = figure_six(tmp_path)
    best = summary_of(grid_records(), **GRID).best
    assert best is not None and f"grid of 25 points, experiment cmp-grid-1: {100 * best.difference:.2f} %" in caption


def test_a_grid_without_a_space_file_counts_where_its_points_lie_within(tmp_path: Path) -> None:
    assert "grid of 25 points" in figure_six(tmp_path, space=[])


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": "val_r2"},
        {"objective": {"name": "signed difference", "maximise": True}},
        {"space": [{**NOISE, "upper": 60}, LAYERS]},
        {"models": [{**model, "identity": "other"} for model in make_experiment()["models"]]},
        {"models": [{**model, "hyperparameters": {"epochs": 9}} for model in make_experiment()["models"]]},
        {"kind": "single"},
        {"models": "damaged"},
    ],
)
def test_another_question_is_no_measure(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert "grid of" not in figure_six(tmp_path, **changes)


def test_what_lies_beside_may_be_damaged(tmp_path: Path) -> None:
    unfinished = save(tmp_path / "cmp-grid-1", make_experiment(**GRID), grid_records()[:20])
    (unfinished / "state.json").write_text('{"state": "stopped"}')
    save(tmp_path / "cmp-grid-2", make_experiment(**GRID), [], tail=b"{\n{\n{}\n")
    (save(tmp_path / "torn", make_experiment(), []) / "experiment.json").write_text('{"id": ')
    (tmp_path / "runs").mkdir()
    records = genetic(6, ())
    for number, content in enumerate(("", "[]", '{"history": 3}', '{"history": {"val_loss": ["a", null]}}')):
        identity = records[number]["runs"][0]["run"] = f"run-{number}"
        (tmp_path / "runs" / identity).mkdir()
        (tmp_path / "runs" / identity / "result.json").write_text(content)
    records[5]["runs"][0]["run"] = "../../escaped"
    folder = save(tmp_path / "cmp-ga-3", make_experiment(), records)
    write_report(folder)
    check_files(folder)
    text = (folder / "report.html").read_text()
    assert "grid of" not in text and "Learning curves are left out" in text


def test_a_single_models_grid_has_a_panel_for_each_study(tmp_path: Path) -> None:
    study = {"name": "train_sources", "type": "categorical", "values": ["CCLE", "GDSC1"]}
    records = [
        make_record(
            25 * submodel + one["evaluation"],
            {**one["point"], "train_sources": study["values"][submodel]},
            (one["runs"][submodel]["metrics"],),
            generation=None,
        )
        for submodel in (0, 1)
        for one in grid_records()
    ]
    single = {"kind": "single", "objective": {"name": "val_loss", "maximise": False}, **GRID}
    experiment = make_experiment(space=[NOISE, LAYERS, study], models=make_experiment()["models"][:1], **single)
    folder = save(tmp_path / "dense-noise-1", experiment, records)
    write_report(folder)
    check_files(folder)
    names = set(read_page(folder).charts)
    assert {"model-1", "model-2", "model-1-own", "importance"} <= names and not {"grid", "parallel"} & names
    text = " ".join(read_page(folder).words)
    assert "val_loss of train_sources CCLE" in text and "val_loss of train_sources GDSC1" in text


def test_the_metrics_scale_is_white_at_the_median_red_above_and_blue_below() -> None:
    scale = metric_scale([0.01, 0.02, 0.03, 0.2, 0.3])
    assert (scale.low, scale.middle, scale.high) == (0.01, 0.03, 0.3)
    colours = scale.channel("val_loss")["scale"]
    assert (colours["domainMid"], colours["scheme"], colours["reverse"]) == (0.03, "redblue", True)
    assert scale.ink(0.01) == "#ffffff" and scale.ink(0.03) == "#000000"


def test_a_run_that_diverged_does_not_press_the_others_into_one_colour() -> None:
    usual = [0.01 + 0.001 * number for number in range(20)]
    scale = metric_scale([*usual, 1e6])
    assert scale.high == usual[-1]
    for few in ([], [2.0, 2.0]):
        assert metric_scale(few).low < metric_scale(few).high


def test_where_most_evaluations_failed_that_is_mended_first(tmp_path: Path) -> None:
    folder = save(tmp_path / "failed-1", make_experiment(id="failed-1"), genetic(12, tuple(range(9))))
    step = json.loads(write_report(folder).with_suffix(".json").read_text())["next"]
    assert step["words"].startswith("Mend what made 9 of 12 evaluations fail")
    assert step["command"].startswith("comparator search")


def test_pairs_that_failed_are_told_beside_evaluations_of_several_and_of_those_that_came_to_a_result(
    tmp_path: Path,
) -> None:
    asked = [{"replicate": replicate, "seconds": 1.0} for replicate in (0, 1)]
    lines = [{**line, "asked": asked} for line in genetic(3, (0, 1, 2))]
    page = save(tmp_path / "failed-1", make_experiment(id="failed-1"), lines)
    found = json.loads(write_report(page).with_suffix(".json").read_text())
    assert found["answer"][0].startswith("None of the 3 evaluations, of 6 pairs together, gave a result")
    assert found["counts"]["done"] == found["counts"]["lost"] == 6
    broken = {**genetic(3)[1]["runs"][0], "replicate": 1, "status": "failed", "metrics": {}}
    lines = [{**line, "asked": asked} for line in genetic(3, ())]
    lines[1] |= {"runs": [*lines[1]["runs"], broken], "reason": "replicate 1: out of memory"}
    page = save(tmp_path / "in-part-1", make_experiment(id="in-part-1"), lines)
    text = write_report(page).read_text()
    assert "; 1 pair failed." in text and "replicate 1: out of memory" in text and "1, in part" in text
