"""Generated experiments, as the store records them."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from comparator.findings.summary import Summary, summarise
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation

Point = dict[str, Any]
Metrics = dict[str, float]

NOISE = {"name": "noise", "type": "float", "lower": 0, "upper": 50, "sigma": 10}
LAYERS = {"name": "layer_force", "type": "int", "lower": 25, "upper": 200, "use_log_scale": True}
CATEGORICAL = {
    "name": "activation",
    "type": "categorical",
    "element_type": "string",
    "values": ["relu", "tanh", "a rather long name of an activation"],
}
GRID = {"id": "cmp-grid-1", "strategy": {"name": "grid"}}


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
        "space": [{**NOISE}, {**LAYERS}, {"name": "lr_decay", "type": "constant", "value": True}],
        "models": [
            {
                "submodel": number,
                "name": "Uno",
                "label": study,
                "path": "containers/uno",
                "identity": "5e1f" * 16,
                "seed": "rng_seed",
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


def frozen(**changes: Any) -> FrozenExperiment:
    """The experiment as it is read."""
    return of_form(FrozenExperiment, make_experiment(**changes), "experiment.json")


def as_read(records: Iterable[dict[str, Any]]) -> list[Evaluation]:
    """Records as they are read."""
    return [of_form(Evaluation, record, "evaluations.jsonl") for record in records]


def summary_of(records: list[dict[str, Any]], **changes: Any) -> Summary:
    return summarise(frozen(**changes), as_read(records))
