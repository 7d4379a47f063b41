"""The report, on generated experiments: ordinary, unfinished, failed, degenerate and hostile ones."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from comparator.errors import InputError
from comparator.report import write_report
from comparator.report.axes import Axis, varying_axes
from comparator.report.beside import gather_material
from comparator.report.figures.heat import metric_scale
from comparator.report.figures.many import ranking
from comparator.report.figures.progress import best_and_mean
from comparator.report.findings import Findings, importance_of
from comparator.report.summary import Summary, as_json, summarise
from comparator.report.words import answer, baseline, mean_predictor, repeat_commands
from comparator.report.workers import busy, sittings_of, spans_of

Point = dict[str, Any]
Metrics = dict[str, float]

pytestmark = pytest.mark.usefixtures("quick_reports")

NOISE = {"name": "noise", "type": "float", "lower": 0, "upper": 50, "sigma": 10}
LAYERS = {"name": "layer_force", "type": "int", "lower": 25, "upper": 200, "use_log_scale": True}
UNASKED = Findings(None, "nothing was asked")
HOSTILE = '</script><img src=x onerror="alert(1)">\'"&`${x} $\\frac{1}{2}$ 細胞 \x00\x1b[31m\u202e\ud800'


def make_experiment(**changes: Any) -> dict[str, Any]:
    hyperparameters = {
        "epochs": 10,
        "learning_rate": 3e-3,
        "batch_size": 32,
        "split_by": "cell",
        "split_seed": 7,
        "match_studies": ["CCLE", "GDSC1"],
    }
    return {
        "format": 1,
        "id": "cmp-ga-3",
        "kind": "cmp",
        "created": "2026-11-23T05:48:26.120Z",
        "title": "Same cell lines, same drugs, two laboratories: where do Uno on CCLE and Uno on GDSC1 differ?",
        "settings": {
            "model": "cmp",
            "search": {"strategy": "steady_state", "find": "maximum", "population": 16, "evaluations": 56, "seed": 1},
            "cmp": {"metric": "val_loss", "difference": "relative"},
        },
        "space": [NOISE, LAYERS, {"name": "lr_decay", "type": "constant", "value": True}],
        "models": [
            {
                "submodel": number,
                "name": "Uno",
                "label": study,
                "path": "containers/uno",
                "identity": "5e1f" * 16,
                "hyperparameters": {**hyperparameters, "train_sources": study},
            }
            for number, study in enumerate(("CCLE", "GDSC1"))
        ],
        "metric": "val_loss",
        "metrics": {"val_loss": {"kind": "error", "description": "mean squared error"}},
        "objective": {"name": "relative difference of val_loss", "symbol": "V", "maximise": True},
        "provenance": {
            "revision": "0a1b2c3",
            "packages": {"numpy": "2.4.6", "tensorflow": "2.21.0"},
            "python": "3.11.7",
            "site": "local",
            "workers": 2,
            "data": "manifest 77aa",
            "command": "comparator search cfg/cmp-ga.toml",
        },
        "notices": ["hyperparameter 'out_act' is accepted and has no effect"],
        **changes,
    }


def uno(point: Point, submodel: int, random_numbers: random.Random) -> Metrics:
    """Return what a small Uno reports, roughly as measured: worse with noise, better with layers."""
    variance = (0.029, 0.031)[submodel]
    size = math.log(point.get("layer_force", 80) / 25) / math.log(8)
    skill = 0.30 + 0.3 * size - 0.0085 * point.get("noise", 10) + random_numbers.gauss(0, 0.03)
    skill -= submodel * (0.25 + 0.1 * size)
    loss = variance * (1 - skill)
    return {
        "val_loss": loss,
        "val_r2": skill,
        "val_mae": loss**0.5 * 0.8,
        "val_label_variance": variance,
        "val_mean_predictor_loss": variance * 1.01,
        "training_rows": 2500,
        "validation_rows": 620,
    }


def make_record(
    number: int, point: Point, metrics: tuple[Metrics, ...], status: str = "ok", **changes: Any
) -> dict[str, Any]:
    losses = [each.get("val_loss", 1.0) for each in metrics]
    value = -abs(losses[1] - losses[0]) / max(losses) if len(losses) == 2 and max(losses) else losses[0]
    runs = [
        {
            "submodel": submodel,
            "replicate": 0,
            "seed": 1,
            "run": f"3f9c{number}{submodel}",
            "status": status,
            "metrics": each if status == "ok" else {},
            "seconds": 3.9,
            "reused": False,
            "device": "0",
            "log": f"runs/3f9c{number}{submodel}/model.log",
        }
        for submodel, each in enumerate(metrics)
    ]
    return {
        "evaluation": number,
        "stage": "search",
        "generation": number // 16,
        "point": point,
        "status": status,
        "value": value if status == "ok" else None,
        "started": f"2026-11-23T05:{48 + number // 12:02d}:{5 * (number % 12):02d}.120Z",
        "seconds": 7.4,
        "worker": f"local/{number % 2}",
        "runs": runs,
        "reason": None if status == "ok" else "train.sh ended with exit code 137",
        **changes,
    }


def genetic(count: int = 56, failed: tuple[int, ...] = (11, 38)) -> list[dict[str, Any]]:
    """Return records that look like a genetic search's: scattered at first, then gathered."""
    random_numbers = random.Random(5)
    records = []
    for number in range(count):
        width = 1 / (1 + number // 16)
        noise = min(50.0, abs(random_numbers.gauss(6, 30 * width)))
        layers = round(25 * 8 ** min(1, max(0, random_numbers.gauss(0.75, 0.5 * width))))
        point = {"noise": noise, "layer_force": layers}
        metrics = (uno(point, 0, random_numbers), uno(point, 1, random_numbers))
        records.append(make_record(number, point, metrics, "failed" if number in failed else "ok"))
    return records


def sampled(space: list[dict[str, Any]], count: int = 30) -> list[dict[str, Any]]:
    """Return records at random points of a space of any types."""
    random_numbers = random.Random(3)

    def draw(entry: dict[str, Any]) -> Any:
        if entry["type"] == "logical":
            return random_numbers.random() < 0.5
        if "values" in entry:
            return random_numbers.choice(entry["values"])
        low, high = entry["lower"], entry["upper"]
        if entry.get("use_log_scale"):
            drawn = low * (high / low) ** random_numbers.random()
        else:
            drawn = random_numbers.uniform(low, high)
        return round(drawn) if entry["type"] == "int" else drawn

    points = [{entry["name"]: draw(entry) for entry in space} for _ in range(count)]
    return [
        make_record(number, point, (uno({}, 0, random_numbers), uno({}, 1, random_numbers)))
        for number, point in enumerate(points)
    ]


def save(folder: Path, experiment: dict[str, Any], records: list[dict[str, Any]], tail: bytes = b"") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "experiment.json").write_text(json.dumps(experiment))
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "evaluations.jsonl").write_bytes(lines.encode() + tail)
    return folder


def with_histories(experiments: Path, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write a `result.json` with learning curves for each run, and return the records as they are."""
    for run in (run for record in records for run in record["runs"]):
        folder = experiments / "runs" / run["run"]
        folder.mkdir(parents=True, exist_ok=True)
        losses = [0.08 / epoch + 0.01 * (1 + run["submodel"]) for epoch in range(1, 11)]
        history = {"val_loss": losses, "loss": [*losses[:5], None, *losses[6:]]}
        (folder / "result.json").write_text(json.dumps({"status": "ok", "history": history}))
    return records


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    experiments = tmp_path_factory.mktemp("experiments")
    folder = save(experiments / "cmp-ga-3", make_experiment(), with_histories(experiments, genetic()))
    (folder / "figures").mkdir()
    (folder / "figures" / "search-7.svg").write_text("<svg/>")  # of an earlier report
    write_report(folder)
    return folder


# -- the summary -------------------------------------------------------------------------------------------


def summary_of(records: list[dict[str, Any]], **changes: Any) -> Summary:
    return summarise(make_experiment(**changes), records)


def test_the_best_point_is_the_one_with_the_largest_difference() -> None:
    records = genetic()
    best = summary_of(records).best
    expected = min((record for record in records if record["status"] == "ok"), key=lambda one: one["value"])
    assert best is not None and best.number == expected["evaluation"]
    assert best.difference == -expected["value"] and best.metrics[1]["val_loss"] > best.metrics[0]["val_loss"]


def test_a_repeated_point_counts_once_with_its_latest_value() -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    records = [
        make_record(0, {"noise": 1.0, "layer_force": 50}, metrics, value=-0.9),
        make_record(1, {"layer_force": 50, "noise": 1.0}, metrics, value=-0.4),
        make_record(2, {"noise": 2.0, "layer_force": 50}, metrics, value=-0.5),
    ]
    assert [(one.number, one.difference) for one in summary_of(records).best_points] == [(2, 0.5), (1, 0.4)]


def test_confirmation_neither_wins_nor_counts_as_searched() -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    records = [
        make_record(0, {"noise": 1.0}, metrics, value=-0.3),
        make_record(1, {"noise": 2.0}, metrics, value=-0.8, stage="confirm", generation=None),
    ]
    summary = summary_of(records)
    assert summary.best is not None and summary.best.number == 0 and len(summary.searched) == 1


def test_metrics_are_means_over_the_replicates_that_succeeded() -> None:
    record = make_record(0, {"noise": 1.0}, ({"val_loss": 0.01}, {"val_loss": 0.02}))
    again = [{**run, "replicate": 1, "metrics": {"val_loss": 0.03}} for run in record["runs"]]
    broken = [{**run, "replicate": 2, "status": "failed", "metrics": {}} for run in record["runs"]]
    summary = summary_of([{**record, "runs": record["runs"] + again + broken}])
    assert summary.best is not None
    assert [metrics["val_loss"] for metrics in summary.best.metrics] == pytest.approx([0.02, 0.025])
    assert "3 seeds" in answer(summary, UNASKED)[1]


def test_generations_have_count_best_mean_and_best_so_far() -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    values = [(0, -0.2), (0, -0.4), (1, -0.3), (1, None)]
    records = [
        make_record(
            number, {"noise": float(number)}, metrics, "ok" if value else "timeout", value=value, generation=generation
        )
        for number, (generation, value) in enumerate(values)
    ]
    summary = summary_of(records)
    assert [(one.count, one.failed, one.best, one.best_so_far) for one in summary.generations] == [
        (2, 0, 0.4, 0.4),
        (2, 1, 0.3, 0.4),
    ]
    assert summary.generations[0].mean == pytest.approx(0.3)
    assert summary.best_so_far == ((0, 0.2), (1, 0.4), (2, 0.4))
    assert summary.counts == {"ok": 3, "failed": 0, "timeout": 1}


def test_a_single_model_is_summarised_by_its_metric() -> None:
    records = [
        make_record(number, {"noise": float(number)}, ({"val_loss": loss, "val_r2": 0.3},))
        for number, loss in enumerate((0.03, 0.01, 0.02))
    ]
    experiment = make_experiment(kind="single", objective={"name": "val_loss", "maximise": False})
    experiment["models"] = experiment["models"][:1]
    summary = summarise(experiment, records)
    assert summary.best is not None and summary.best.difference == 0.01
    assert "lowest val_loss found is 0.01" in answer(summary, UNASKED)[0]
    assert mean_predictor(summary) == ("In 3 of 3 evaluations the model beats the mean predictor (val_r2 above 0).")


def test_the_answer_is_honest_about_one_seed() -> None:
    first, second = answer(summary_of(genetic()), UNASKED)
    assert "CCLE" in first and "GDSC1" in first and "val_loss is 0.0" in first
    assert "one seed a point can show that the two models differ, not that this point" in second


@pytest.mark.parametrize(
    ("reported", "beaten"),
    [
        (({"val_r2": 0.1}, {"val_r2": -0.1}), (0, 1)),
        (({"val_r2": 0.1}, {"val_r2": 0.2}), (1, 1)),
        (({"val_loss": 1.0, "val_mean_predictor_loss": 2.0},) * 2, (1, 1)),
        (
            ({"val_loss": 1.0, "val_mean_predictor_loss": 2.0}, {"val_loss": 2.0, "val_mean_predictor_loss": 1.5}),
            (0, 1),
        ),
        (({"val_loss": 1.0}, {"val_loss": 2.0}), None),
    ],
)
def test_the_mean_predictor_is_counted(reported: tuple[Metrics, Metrics], beaten: tuple[int, int] | None) -> None:
    counted = summary_of([make_record(0, {"noise": 1.0}, reported)]).mean_predictor
    assert (counted and (counted.beaten_by_both, counted.of)) == beaten


def test_report_json_survives_nan_and_has_the_promised_keys() -> None:
    record = make_record(0, {"noise": 1.0}, ({"val_loss": 0.1, "val_r2": float("nan")}, {"val_loss": 0.2}))
    content = json.loads(json.dumps(as_json(summary_of([record])), allow_nan=False))
    assert content["best"]["metrics"] == [{"val_loss": 0.1}, {"val_loss": 0.2}]
    assert content["generations"] == [{"generation": 0, "count": 1, "best": 0.5, "mean": 0.5}]


def test_the_summary_is_cheap_to_import() -> None:
    code = (
        "import sys, comparator.report.summary, comparator.report.words, comparator.report\n"
        "print([name for name in ('matplotlib', 'pandas', 'jinja2', 'numpy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_command_to_repeat_names_the_seed() -> None:
    assert repeat_commands(make_experiment())[0][1] == "comparator search cfg/cmp-ga.toml --seed 1"


# -- axes --------------------------------------------------------------------------------------------------


def axis_of(entry: dict[str, Any]) -> Axis:
    return varying_axes([{"name": "x", **entry}], [])[0]


def test_a_range_has_ten_bins_with_both_ends_included() -> None:
    axis = axis_of({"type": "float", "lower": 0, "upper": 50})
    assert [axis.bin(value) for value in (0, 4.99, 5.0, 49.9, 50, 60, -1)] == [0, 0, 1, 9, 9, 9, 0]
    assert axis.label(1) == "5 to 10" and axis.bin("many") is None


def test_a_log_range_has_bins_of_equal_ratio() -> None:
    axis = axis_of({"type": "float", "lower": 1e-6, "upper": 1e-1, "use_log_scale": True})
    assert axis.log and axis.edges[2] == pytest.approx(1e-5) and axis.bin(2e-3) == 6 and axis.bin(0) is None


def test_values_are_bins_where_there_are_few() -> None:
    assert axis_of({"type": "int", "lower": 2, "upper": 5}).values == (2, 3, 4, 5)
    assert axis_of({"type": "logical"}).bin(True) == 1
    ordered = axis_of({"type": "ordered", "values": ["16", "32", "64"], "element_type": "int"})
    assert ordered.bin(32) == 1 and ordered.label(2) == "64"


def test_what_does_not_vary_is_no_axis() -> None:
    assert (
        varying_axes(
            [
                {"name": "a", "type": "constant", "value": 1},
                {"name": "b", "type": "categorical", "values": ["one"]},
                {"name": "c", "type": "int", "lower": 4, "upper": 4},
            ],
            [],
        )
        == ()
    )


def test_axes_of_a_listed_sweep_are_read_off_its_points() -> None:
    points = [{"size": size, "drug": "all", "act": act} for size in (128, 512) for act in ("relu", [1, 2])]
    assert [(axis.name, axis.values) for axis in varying_axes([], points)] == [
        ("size", (128, 512)),
        ("act", ("relu", [1, 2])),
    ]


# -- files -------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects what the tests ask about: tags, addresses, identifiers and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, name: str, tag: str | None = None) -> list[str]:
        return [str(attrs[name]) for each, attrs in self.tags if name in attrs and tag in (None, each)]


def read_page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def check_files(folder: Path) -> None:
    """Check what every report must be: SVG that is XML, a page that fetches nothing and runs one script."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = read_page(folder)
    for path in (folder / "figures").glob("*.svg"):
        ElementTree.fromstring(path.read_bytes())
        assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    for inline in re.findall(r"<svg .*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(inline)
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert page.values("src") == [] and [tag for tag, _ in page.tags].count("script") == 1
    assert not [address for address in page.values("href") if re.match(r"\s*([A-Za-z]+:|//)", address)]
    assert all(address.startswith(("#", "data:image/png;")) for address in page.values("xlink:href"))
    assert not re.search(r"url\((?!#)|@import", text)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    identifiers = page.values("id")
    assert len(identifiers) == len(set(identifiers))
    json.loads((folder / "report.json").read_text())
    assert not list(folder.rglob("*.tmp"))


def test_an_ordinary_report_is_complete(ordinary: Path) -> None:
    check_files(ordinary)
    assert {path.name for path in (ordinary / "figures").iterdir()} == {
        f"{name}.{form}"
        for name in (
            *("search", "importance", "progress", "models", "timeline", "learning-1", "learning-2", "learning-3"),
            *("model-1", "model-1-own", "model-2", "model-2-own"),
        )
        for form in ("png", "svg")
    }
    text = " ".join(" ".join(read_page(ordinary).words).split())
    for expected in (
        "where do Uno on CCLE and Uno on GDSC1 differ?",
        "54 ok, 2 failed, 0 timed out",
        "of 54 evaluations both models beat the mean predictor",
        "worse than it is GDSC1 at",
        "train_sources",
        "tensorflow",
        "split_by = cell, split_seed = 7",
        "manifest 77aa",
        "'out_act' is accepted",
        "comparator search cfg/cmp-ga.toml --seed 1",
        "train.sh ended with exit code 137",
    ):
        assert expected in text


def test_figures_of_an_earlier_report_go(ordinary: Path) -> None:
    figures = ordinary / "figures"
    assert not (figures / "search-7.svg").exists() and (figures / "search.svg").exists()


def test_logs_are_linked_relative_to_the_page(ordinary: Path) -> None:
    """Those of every evaluation, and those of the two that failed once more where it says what went wrong."""
    logs = [address for address in read_page(ordinary).values("href", "a") if address.endswith("model.log")]
    assert len(logs) == 112 + 4 and logs[0] == "../runs/3f9c00/model.log"


def test_every_successful_evaluation_has_a_cell_and_every_mark_a_row(ordinary: Path) -> None:
    page = read_page(ordinary)
    rows = set(page.values("data-evaluation", "tr"))
    marked = {number for numbers in page.values("data-evaluations") for number in numbers.split()}
    assert rows == marked == {str(number) for number in range(56)}
    cells = [
        attrs["data-evaluations"] or "" for _, attrs in page.tags if str(attrs.get("data-tip")).startswith("noise ")
    ]
    done = [number for number in range(56) if number not in (11, 38)]
    maps = 1 + 2 * 2  # the difference, and two models on two scales
    assert sorted(int(number) for cell in cells for number in cell.split()) == sorted(done * maps)


def test_the_csv_is_tidy(ordinary: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((ordinary / "evaluations.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 56 and rows[11]["value"] == "" and rows[11]["reason"].startswith("train.sh ended")
    records = genetic()
    assert float(rows[5]["point.noise"]) == records[5]["point"]["noise"]
    assert float(rows[5]["difference"]) == -records[5]["value"]
    assert float(rows[5]["metrics.1.val_loss"]) == records[5]["runs"][1]["metrics"]["val_loss"]
    assert rows[5]["log.0"] == "runs/3f9c50/model.log"


def test_svg_text_is_text_and_figures_are_the_same_each_time(ordinary: Path, tmp_path: Path) -> None:
    document = (ordinary / "figures" / "search.svg").read_text(encoding="utf-8")
    assert ">layer_force</text>" in document
    folder = save(tmp_path / "cmp-ga-3", make_experiment(), with_histories(tmp_path, genetic()))
    write_report(folder)
    assert (folder / "figures" / "search.svg").read_text(encoding="utf-8") == document
    assert (folder / "report.html").read_bytes() == (ordinary / "report.html").read_bytes()


CATEGORICAL = {
    "name": "activation",
    "type": "categorical",
    "element_type": "string",
    "values": ["relu", "tanh", "a rather long name of an activation"],
}
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
    pairs = len(list((folder / "figures").glob("search-*.svg")))
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
    assert not list((folder / "figures").glob("search-*.svg"))
    assert "../javascript%3Aalert%281%29/%22%3E%3Cb%3E" in read_page(folder).values("href", "a")
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


def test_very_many_evaluations_are_drawn_as_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comparator.report.figures.drawing.MANY", 20)
    monkeypatch.setattr("comparator.report.figures.skill.MANY", 20)
    monkeypatch.setattr("comparator.report.figures.timeline.MANY", 20)
    folder = save(tmp_path / "x", make_experiment(), genetic(24))
    write_report(folder)
    check_files(folder)


# -- grids, and what lies beside an experiment -------------------------------------------------------------


def grid_records(per_axis: int = 5, **changes: Any) -> list[dict[str, Any]]:
    random_numbers = random.Random(9)
    points = [
        {"noise": 50.0 * column / (per_axis - 1), "layer_force": round(25 * 8 ** (row / (per_axis - 1)))}
        for column in range(per_axis)
        for row in range(per_axis)
    ]
    return [
        make_record(
            number, point, (uno(point, 0, random_numbers), uno(point, 1, random_numbers)), generation=None, **changes
        )
        for number, point in enumerate(points)
    ]


GRID = {"id": "cmp-grid-1", "strategy": {"name": "grid"}}


def test_a_grid_has_a_cell_for_each_of_its_points() -> None:
    summary = summary_of(grid_records(), **GRID)
    noise, layers = summary.axes
    assert summary.lattice and noise.at == (0, 12.5, 25, 37.5, 50) and layers.at == (25, 42, 71, 119, 200)
    assert [noise.bin(value) for value in noise.at] == [layers.bin(value) for value in layers.at] == [0, 1, 2, 3, 4]
    assert noise.label(1) == "12.5" and noise.range() == "0 to 50" and noise.middle(1) == 12.5
    assert sum(layers.share(number) for number in range(5)) == pytest.approx(1)


def test_scattered_points_are_no_grid_and_an_unfinished_grid_is_one() -> None:
    assert not summary_of(genetic()).lattice
    half = grid_records()[:13]
    assert summary_of(half, **GRID).lattice and not summary_of(half).lattice
    assert summary_of(grid_records()).lattice  # whatever chose its points


def test_a_grids_report_shows_its_cells_and_no_progress(tmp_path: Path) -> None:
    folder = save(tmp_path / "cmp-grid-1", make_experiment(**GRID), grid_records())
    write_report(folder)
    check_files(folder)
    names = {path.stem for path in (folder / "figures").glob("*.svg")}
    assert {"grid", "model-1", "model-2-own"} <= names and not {"search", "progress", "parallel"} & names
    tips = read_page(folder).values("data-tip")
    assert sum(tip.startswith("noise 12.5\nlayer_force 42\n") for tip in tips) == 1 + 2 * 2


def figure_six(experiments: Path, **changes: Any) -> str:
    """Return the caption of Figure 6 of a search beside a grid with these changes to its experiment.json."""
    save(experiments / "cmp-grid-1", make_experiment(**{**GRID, **changes}), grid_records())
    folder = save(experiments / "cmp-ga-3", make_experiment(), genetic(20))
    summary = summarise(make_experiment(), genetic(20))
    return best_and_mean(summary, gather_material(folder, make_experiment(), summary, UNASKED).grid)[0].caption


def test_a_search_is_measured_by_the_grids_best(tmp_path: Path) -> None:
    caption = figure_six(tmp_path)
    best = summary_of(grid_records(), **GRID).best
    assert best is not None and f"grid of 25 points, experiment cmp-grid-1: {best.difference:.4g}" in caption


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


# -- figures -----------------------------------------------------------------------------------------------


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
    names = {path.stem for path in (folder / "figures").glob("*.svg")}
    assert {"model-1", "model-2", "model-1-own", "importance"} <= names and not {"grid", "parallel"} & names
    text = " ".join(read_page(folder).words)
    assert "val_loss of train_sources CCLE" in text and "val_loss of train_sources GDSC1" in text


def test_the_metrics_scale_is_white_at_the_median_red_above_and_blue_below() -> None:
    scale = metric_scale([0.01, 0.02, 0.03, 0.2, 0.3])
    assert min(scale.rgba(0.03)[:3]) > 0.95
    red, _, blue, _ = scale.rgba(0.2)
    assert red > blue
    red, _, blue, _ = scale.rgba(0.01)
    assert blue > red
    assert scale.ink(0.01) == "#ffffff" and scale.ink(0.03) == "#000000"


def test_a_run_that_diverged_does_not_press_the_others_into_one_colour() -> None:
    usual = [0.01 + 0.001 * number for number in range(20)]
    scale = metric_scale([*usual, 1e6])
    assert scale.extend == "max" and scale.ticks[-1] == usual[-1]
    assert metric_scale([]).ticks and metric_scale([2.0, 2.0]).ticks == (2.0,)


def test_the_sitting_after_a_pause_is_told_from_the_first() -> None:
    records = [
        make_record(
            number, {"noise": 1.0 * number}, ({},), started=f"2026-11-23T{hour}:00:{5 * number:02d}Z", value=0.0
        )
        for number, hour in ((0, "05"), (1, "05"), (2, "09"), (3, "09"))
    ]
    spans = spans_of(summary_of(records, models=[]).evaluations)
    first, second = sittings_of(spans)
    assert first.end - first.start == pytest.approx(12.4) and second.pause == pytest.approx(4 * 3600 - 2.4)
    share = busy(spans, [first, second])
    assert share == pytest.approx(4 * 7.4 / (2 * (12.4 + 12.4)))
    assert spans_of(summary_of([{**records[0], "started": "yesterday"}], models=[]).evaluations) == []


def planted(count: int, noise: float) -> Summary:
    """Return a search of four hyperparameters of which only noise and activation matter."""
    space = [NOISE, LAYERS, CATEGORICAL, {"name": "residual", "type": "logical"}]
    random_numbers = random.Random(4)
    records = sampled(space, count)
    for record in records:
        effect = record["point"]["noise"] / 50 + (record["point"]["activation"] == "tanh")
        record["value"] = -effect - random_numbers.gauss(0, noise)
    return summary_of(records, space=space)


def test_the_hyperparameters_that_matter_are_found() -> None:
    found = importance_of(planted(80, 0.05))
    assert found is not None and found.predicted > 0.5 and found.points == 80
    assert {share.name for share in found.shares if share.shown} == {"noise", "activation"}
    assert all(abs(share.mean) < 0.05 and share.low <= share.mean <= share.high for share in found.shares[2:])


def test_noise_is_not_called_important() -> None:
    found = importance_of(planted(40, 50.0))
    assert found is not None and found.predicted <= 0 and not any(share.shown for share in found.shares)
    assert "means nothing yet" in ranking(planted(40, 50.0), found)[0].caption
    assert importance_of(planted(8, 0.0)) is None


def test_what_the_search_bought_over_the_default_settings_is_said() -> None:
    records = [make_record(number, {"noise": 1.0 * number}, ({"val_loss": 0.02},), value=0.02) for number in range(3)]
    default = make_record(0, {"noise": 9.0}, ({"val_loss": 0.025},), value=0.025)
    single = {"kind": "single", "objective": {"name": "val_loss", "maximise": False}}
    single["models"] = make_experiment()["models"][:1]
    said = baseline(summary_of(records, baseline=default, **single))
    assert said is not None and said.startswith("The default settings (noise 9) reach a val_loss of 0.025; ")
    assert "the search found 0.02, better by 0.005 (20%)." in said and "luck" in said
    failed = baseline(summary_of(records, baseline={**default, "status": "failed", "reason": "broke"}, **single))
    assert failed == "The default settings (noise 9) gave no val_loss: broke."
    best = baseline(summary_of(records, baseline={**default, "value": 0.01}, **single))
    assert best is not None and "nothing better (its best is 0.02)" in best
    assert baseline(summary_of(records, **single)) is None
