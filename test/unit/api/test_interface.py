"""What a script or a notebook does: compare, look, go on, open again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import comparator as cmp
from comparator.api import Experiment
from comparator.api.experiment import _region_table
from comparator.cli import main
from comparator.errors import Submitted
from comparator.experiment.session import Session
from comparator.results.record_file import read_records

SPACE = cmp.Space(x=cmp.Float(0, 10), y=cmp.Int(1, 9))
TOGETHER = Path(__file__).parents[1] / "models" / "together.py"
UNFIT = threading.Lock()  # of which no file can be made


def level(params: dict[str, Any]) -> dict[str, Any]:
    return {"val_loss": 1.0 + 0.01 * (params["rng_seed"] % 7), "history": [1.5, 1.2, 1.0]}


def step(params: dict[str, Any]) -> dict[str, Any]:
    seeds = 0.01 * (params["rng_seed"] % 5)
    return {"val_loss": (1.6 if params["x"] < 4 else 1.2) + seeds}


def slow(params: dict[str, Any]) -> dict[str, Any]:
    time.sleep(0.5)
    return {"val_loss": 1.0 + params["x"]}


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("experiments")
        patch.setenv("COMPARATOR_EXPERIMENTS", str(folder))
        # Part of the identity of a run, and that of the project may be prepared meanwhile by another test.
        patch.setenv("CANDLE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield folder


@pytest.fixture(scope="module")
def found(experiments: Path) -> Experiment:
    return cmp.compare(level, step, SPACE, evaluations=20, find="regions", quiet=True)


@pytest.fixture(scope="module")
def written(experiments: Path, quick_reports: None) -> Experiment:
    """An experiment with its report, whose record was not searched for here."""
    # Not at the top: a file that is made of a function has what its module imports.
    from recorded import GRID, grid_records, make_experiment, save

    from comparator.report import write_report

    content = make_experiment(**GRID)
    write_report(save(experiments / content["id"], content, grid_records()))
    opened = cmp.open(content["id"])
    assert not opened.regions.empty
    return opened


@pytest.mark.long
def test_regions_of_two_functions_are_found(found: Experiment) -> None:
    assert (found.id, found.state) == ("compare-1", "finished")
    assert found.title == "Where do level and step differ in val_loss?"
    region = found.regions.iloc[0]
    assert region["x.low"] == 0 and region["x.high"] == pytest.approx(4, abs=1.5)
    assert region["more_low"] > 0 and region["low"] <= region["mean"] <= region["high"] and region["blocks"] == 8
    assert region["where"].startswith("x below") and "With x below" in found.verdict
    assert found.best is not None and set(found.best.index) == {"x", "y", "difference"}
    assert found.confirmed.empty and "verdict" in found.confirmed and "mean" in found.not_shown


@pytest.mark.long
def test_the_same_comparison_finds_its_trainings_again(experiments: Path) -> None:
    def once() -> Experiment:
        return cmp.compare(level, step, SPACE, evaluations=4, strategy="sobol", seed=7, confirm=False, quiet=True)

    assert not once().runs["reused"].any()
    import sklearn.tree  # noqa: F401  sets variables as it is imported, as notebooks do

    assert once().runs["reused"].all()


@pytest.mark.long
def test_tables_are_tidy(found: Experiment) -> None:
    evaluations, runs = found.evaluations, found.runs
    assert (evaluations["status"] == "ok").all() and {"point.x", "difference", "signed"} <= set(evaluations)
    assert len(runs) == sum(2 * evaluations["replicates"]) and set(runs["label"]) == {"level", "step"}
    history = runs[runs["label"] == "level"]["history"].iloc[0]
    assert isinstance(history, pd.DataFrame) and history["history"].tolist() == [1.5, 1.2, 1.0]
    assert runs[runs["label"] == "step"]["history"].isna().all()


def test_bounds_of_regions_are_ranges_or_the_values_of_a_list() -> None:
    bounds = {"x": [0.0, 4.0], "activation": {"values": ["elu", "tanh"]}}
    region = {"words": "x below 4: more", "bounds": bounds, "mean": 0.3, "share": 0.2, "blocks": 8}
    row = _region_table([region]).iloc[0]
    assert (row["x.low"], row["x.high"], row["activation.values"]) == (0.0, 4.0, ("elu", "tanh"))


@pytest.mark.long
def test_it_shows_itself_as_text_as_html_and_as_figures(found: Experiment) -> None:
    assert repr(found).startswith("compare-1: Where do level and step differ in val_loss? (finished, ")
    page = found._repr_html_()
    assert "<svg" in page and "<table" in page and "With x below" in page
    assert found.figure("regions").to_dict()["layer"] and "timeline" in found.figures
    with pytest.raises(cmp.InputError, match=r"no figure 'timelin' \(did you mean 'timeline'\?\)"):
        found.figure("timelin")
    assert found.predict(x=2, y=5)["mean"] > found.predict(x=8, y=5)["mean"]
    with pytest.raises(cmp.InputError, match="the space has no 'z'"):
        found.predict(x=2, z=5)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: {**content, "id": "another"},
        lambda content: {**content, "counts": {**content["counts"], "done": 1}},
        lambda content: {**content, "regions": [{"words": "all over"}]},
        *(
            pytest.param(change, marks=pytest.mark.long)
            for change in (
                lambda content: {**content, "verdict": 3},
                lambda content: {**content, "regions": None},
                lambda content: [content],
                lambda content: {},
            )
        ),
    ],
)
def test_a_report_that_was_changed_or_is_anothers_is_not_believed(written: Experiment, change: Any) -> None:
    report, said = written.path / "report.json", written.verdict
    whole = report.read_text()
    try:
        report.write_text(json.dumps(change(json.loads(whole))))
        assert cmp.open(written.id).verdict == said and len(cmp.open(written.id).regions) == len(written.regions)
    finally:
        report.write_text(whole)


def test_a_report_of_this_record_is_believed(written: Experiment) -> None:
    report = written.path / "report.json"
    whole = report.read_text()
    try:
        report.write_text(json.dumps({**json.loads(whole), "regions": [], "rejected": []}))
        assert cmp.open(written.id).regions.empty
    finally:
        report.write_text(whole)


@pytest.mark.long
def test_the_store_is_the_one_of_the_command_line(
    found: Experiment, experiments: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cmp.open("compare-1").path == found.path and cmp.list().loc["compare-1", "state"] == "finished"
    monkeypatch.setattr("sys.argv", ["comparator", "list"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0 and "compare-1" in capsys.readouterr().out
    with pytest.raises(cmp.InputError, match="'compar-1'"):
        cmp.open("compar-1")


def test_what_was_stopped_is_gone_on_with_from_either_side(
    experiments: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"

    def waits(params: dict[str, Any]) -> float:
        import time

        while params["x"] > 9 and not gate.exists():
            time.sleep(0.01)
        return 1.0 + params["x"]

    stopped = threading.Event()

    def stop(self: Any, *_: Any) -> None:
        if len(read_records(experiments / "held" / "evaluations.jsonl")) >= 4 and not stopped.is_set():
            stopped.set()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("comparator.experiment.progress.ProgressView.update", stop)
        with pytest.raises(KeyboardInterrupt):
            cmp.search(waits, SPACE, evaluations=8, strategy="sobol", confirm=False, id="held", workers=1, quiet=True)
    assert cmp.open("held").state == "stopped"
    kept = read_records(experiments / "held" / "evaluations.jsonl")
    gate.touch()
    monkeypatch.setattr("sys.argv", ["comparator", "search", "--resume", "held", "--no-report"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    gone_on = cmp.open("held")
    assert gone_on.state == "finished" and len(gone_on.evaluations) == 8
    assert read_records(gone_on.path / "evaluations.jsonl")[: len(kept)] == kept
    assert gone_on.verdict.startswith("The lowest val_loss that was found is 1") and "no result" not in repr(gone_on)
    assert gone_on.best is not None and gone_on.best["val_loss"] == gone_on.evaluations["difference"].min()


def test_a_job_that_waits_is_the_experiment_that_it_will_be(
    experiments: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def submits(opened: Session) -> None:
        opened.hand_over("launch-1")
        raise Submitted("submitted as job 7")

    monkeypatch.setattr(Session, "run", submits)
    waiting = cmp.search(level, SPACE, evaluations=4, strategy="sobol", id="waiting")
    assert waiting.state == "queued" and "submitted as job 7" in capsys.readouterr().out


@pytest.mark.long
def test_models_are_functions_names_folders_and_files(experiments: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def run(params):\n    return {'val_loss': 2.0 + params['x']}\n")
    made = cmp.compare(
        level,
        tmp_path / "mine.py",
        SPACE,
        evaluations=4,
        strategy="sobol",
        confirm=False,
        labels=["one", "two"],
        hyperparameters={"extra": 3},
        quiet=True,
    )
    assert list(dict.fromkeys(made.runs["label"])) == ["one", "two"]


def test_what_the_command_line_says_by_options_a_call_says_by_arguments(experiments: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    made = cmp.search(
        TOGETHER,
        SPACE,
        evaluations=8,
        strategy="sobol",
        confirm=False,
        workers=1,
        together=4,
        walltime="00:30:00",
        settings={"hyperparameters.logfile": str(calls), "run_timeout": 600, "title": "007"},
        hyperparameters={"side": "left"},
        quiet=True,
    )
    assert [line.split()[1] for line in calls.read_text().splitlines()][:2] == ["4", "4"]
    settings = json.loads((made.path / "experiment.json").read_text())["settings"]
    assert settings["run_timeout"] == 600
    assert settings["title"] == "007"  # text stays text, as it is in a file with quotes


def test_numbers_of_numpy_are_numbers(experiments: Path) -> None:
    made = cmp.search(
        step,
        cmp.Space(x=cmp.Float(np.float64(0), np.float32(10)), y=cmp.Choice(list(np.arange(3)))),
        evaluations=np.int64(6),
        seed=np.int32(2),
        strategy="sobol",
        replicates=np.int64(2),
        workers=np.int64(1),
        confirm={"points": np.int64(0)},
        hyperparameters={"rate": np.float32(0.5), "layers": [np.int64(8), np.int64(4)]},
        settings={"run_timeout": np.float64(60)},
        quiet=True,
    )
    frozen = json.loads((made.path / "experiment.json").read_text())
    assert len(made.evaluations) == 3 and frozen["settings"]["search"]["seed"] == 2
    assert frozen["space"][1]["values"] == [0, 1, 2] and frozen["settings"]["set"] == {"rate": 0.5, "layers": [8, 4]}


def test_a_walltime_that_ends_first_says_what_goes_on(experiments: Path) -> None:
    with pytest.raises(cmp.ComparatorError, match=r"^experiment '(\S+)': .*; resume\('\1'\) goes on$") as error:
        cmp.search(slow, SPACE, evaluations=8, confirm=False, workers=1, walltime=timedelta(seconds=1), quiet=True)
    assert cmp.open(str(error.value).split("'")[1]).state == "stopped"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cmp.compare(level, 3, SPACE), r"^3 is no model: give a function, a name"),  # type: ignore[arg-type]
        (lambda: cmp.compare(level, step, {"x": (0, 1)}), r"^space: .* is no space: write Space"),  # type: ignore[arg-type]
        (lambda: cmp.compare(level, "unoo", SPACE), r"^compare\(\): first, second: no model 'unoo'"),
        (lambda: cmp.compare(level, step, SPACE, find="region"), r"^compare\(\): .*find"),  # type: ignore[arg-type]
        (lambda: cmp.compare(level, step, SPACE, strategy="sobl"), r"unknown strategy 'sobl' \(did you mean 'sobol'"),
        (lambda: cmp.compare(level, step, SPACE, populaton=3), r"'populaton'"),
        (lambda: cmp.search(level, SPACE, site="nowhere"), r"no site 'nowhere'"),
        (lambda: cmp.compare(level, step, SPACE, id="a b"), r"'a b'"),
        (lambda: cmp.compare(level, step, SPACE, id=5), r"^compare\(\): id = 5: "),  # type: ignore[arg-type]
        (lambda: cmp.compare(level, step, SPACE, workers=0), r"^compare\(\): workers = 0: "),
        (lambda: cmp.compare(level, step, SPACE, workers=-1), r"^compare\(\): workers = -1: "),
        (lambda: cmp.compare(level, step, SPACE, workers=9999), r"^workers = 9999: site 'local' has "),
        (lambda: cmp.compare(level, step, SPACE, engine="swft-t"), r"^engine = 'swft-t': site 'local' has "),
        (lambda: cmp.compare(level, step, SPACE, evaluations=0), r"^compare\(\): evaluations = 0: "),
        pytest.param(
            lambda: cmp.compare(level, step, SPACE, evaluations=5, pilot=3),
            r"^compare\(\): pilot = 3: takes 6 pairs",
            marks=pytest.mark.long,
        ),
        (lambda: cmp.compare(level, step, SPACE, keep=0.5), r"^compare\(\): keep is the share of the points"),
        (lambda: cmp.compare(level, step, SPACE, metric=""), r"^compare\(\): metric = '': "),
        (
            lambda: cmp.compare(level, step, SPACE, evalutions=5),
            r"^compare\(\): strategy '\w+': unknown option 'evalutions' \(did you mean 'evaluations'\?\)$",
        ),
        (lambda: cmp.search(level, SPACE, find="regions"), r"^search\(\): find .* compare\(\) answers that$"),
        (lambda: cmp.compare(level, step, SPACE, engine=5), r"^compare\(\): engine = 5: "),  # type: ignore[arg-type]
        (lambda: cmp.compare(level, step, SPACE, labels="ab"), r"^compare\(\): labels = "),
        (lambda: cmp.compare(level, step, SPACE, confirm="x"), r"^compare\(\): confirm = "),  # type: ignore[arg-type]
        (lambda: cmp.compare(level, step, SPACE, hyperparameters=5), r"^hyperparameters: 5: "),  # type: ignore[arg-type]
        (lambda: cmp.compare(level, step, SPACE, hyperparameters={"y": object()}), r"^hyperparameters: 'y' = "),
        (
            lambda: cmp.compare(level, step, SPACE, evaluations=56, generations=3),
            r"evaluations or generations, not both",
        ),
        (lambda: cmp.compare(level, step, SPACE, together=0), r"^compare\(\): together = 0: "),
        (lambda: cmp.compare(level, step, SPACE, walltime="3"), r"^walltime='3': must be a time as HH:MM:SS"),
        (
            lambda: cmp.compare(level, step, SPACE, walltime=5),  # type: ignore[arg-type]
            r"^compare\(\): walltime = 5: must be a time as HH:MM:SS in quotes, such as '00:05:00' for five minutes",
        ),
        (
            lambda: cmp.compare(level, step, SPACE, walltime=timedelta(hours=-1)),
            r"^walltime='-1:00:00': must be a time",
        ),
        (lambda: cmp.compare(level, step, SPACE, walltime="00:00:01\n"), r"^walltime='00:00:01\\n': must be a time"),
        (lambda: cmp.compare(level, step, SPACE, walltime="\uff11:00:00"), r"^walltime='\uff11:00:00': must be a time"),
        (lambda: cmp.compare(level, step, SPACE, settings={"run_timout": 3}), r"'run_timout' = 3: .*'run_timeout'"),
        (lambda: cmp.compare(level, step, SPACE, settings={"run_timeout": -3}), r"^compare\(\): 'run_timeout' = -3: "),
        (
            lambda: cmp.compare(level, step, SPACE, settings={"cmp.0.python": "nowhere"}),
            r"^compare\(\): \[cmp.0\]: python = 'nowhere': there is no ",
        ),
        (lambda: cmp.compare(level, step, SPACE, settings={"seed =": 3}), r"^settings: 'seed =' is no key, such as "),
        (lambda: cmp.compare(level, step, SPACE, settings={"search.": 3}), r"^settings: 'search.' is no key, such as "),
        (lambda: cmp.compare(level, step, SPACE, settings={"title": UNFIT}), r"^settings: 'title' = .* JSON has$"),
        (lambda: cmp.open(5), r"^open\(\): id = 5: "),  # type: ignore[arg-type]
    ],
)
def test_a_mistake_is_one_line_before_anything_starts(experiments: Path, call: Any, words: str) -> None:
    before = set(experiments.glob("*/experiment.json"))
    with pytest.raises(cmp.InputError, match=words) as error:
        call()
    assert "\n" not in str(error.value) and set(experiments.glob("*/experiment.json")) == before


def test_a_slip_in_a_hyperparameter_of_a_model_that_says_what_it_takes_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "def initialize_parameters():\n    return {'noise': 0.0, 'x': 1.0, 'y': 1, 'rng_seed': 1}\n\n"
        "def run(params):\n    return {'val_loss': 0.1}\n"
    )
    with pytest.raises(cmp.InputError, match=r"^search\(\): hyperparameters.nois: .* \(did you mean 'noise'\?\)$"):
        cmp.search(model, SPACE, hyperparameters={"nois": 3}, experiments=tmp_path / "experiments", quiet=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "sobl"},
        {"strategy": "sobol", "population": "x", "tournament_size": 3},
        {"difference": "relativ"},
        {"hyperparameters": "missing.txt"},
        {"space": "missing.json"},
        {"evaluations": 0},
        {"id": "a b"},
        {"second": lambda params: UNFIT},
    ],
    ids=lambda wrong: " ".join(wrong),
)
def test_of_a_call_that_is_refused_nothing_is_kept(tmp_path: Path, wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"first": level, "second": step, "space": SPACE, "experiments": tmp_path / "kept", **wrong}
    with pytest.raises(cmp.InputError):
        cmp.compare(**given, quiet=True)
    assert not list(tmp_path.rglob("*.py"))


def test_a_star_takes_the_interface_and_leaves_the_names_of_python() -> None:
    taken: dict[str, Any] = {}
    exec("from comparator import *", taken)
    assert taken["compare"] is cmp.compare and not {"list", "open"} & taken.keys()
    assert {"list", "open", *cmp.__all__} <= set(dir(cmp))


def test_a_folder_that_is_not_there_has_no_empty_list(tmp_path: Path) -> None:
    with pytest.raises(cmp.InputError, match=r"experiments = '.*/nowhere': no such folder"):
        cmp.list(experiments=tmp_path / "nowhere")
