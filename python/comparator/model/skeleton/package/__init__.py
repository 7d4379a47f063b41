"""@NAME@: response of a cell line to a drug, by ridge regression on random features of both.

A CANDLE-compliant model: `initialize_parameters()` gives every hyperparameter with its default, `run(params)` trains
and returns the metrics. Your own model comes in the place of `prepare`, `fit` and `predict`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

#: Every hyperparameter with its default, which also says of what type it is. model.toml describes them.
DEFAULTS: dict[str, Any] = {
    "train_sources": ["CCLE"],
    "test_sources": ["CCLE"],
    "noise": 0.0,
    "width": 300,
    "ridge": 100.0,
    "val_split": 0.2,
    "split_seed": 1,
    "rng_seed": 1,
    "output_dir": "",
}
#: Smallest and largest value.
LIMITS = {
    "noise": (0, 1000),
    "width": (1, 100_000),
    "ridge": (1e-9, 1e9),
    "val_split": (0.01, 0.99),
    "split_seed": (0, 2**31 - 1),
    "rng_seed": (0, 2**31 - 1),
}
INPUTS = ("x_data/cancer_gene_expression.tsv", "x_data/drug_ecfp4_nbits512.tsv", "y_data/response.tsv")


def initialize_parameters() -> dict[str, Any]:
    """Return every hyperparameter with its default."""
    return dict(DEFAULTS)


def run(params: Mapping[str, Any]) -> dict[str, float]:
    """Train, and return the metrics by name; those that are known after every epoch may be lists.

    Names in `params` that the model does not have are ignored. Writes `model.npz` and `val_scores.json` into
    `output_dir` where that is set. Raises ValueError, one line, for a value that is not allowed.
    """
    settings = check(params)
    data = load(data_folder())
    random = np.random.default_rng(settings["rng_seed"])
    training, validation = split(data, settings)
    labels = data["auc"][training]
    labels = labels + random.normal(size=len(labels)) * settings["noise"] / 100 * abs(labels.mean())
    model = fit(data, training, labels, settings, random)
    metrics = {**scores(data["auc"][validation], predict(model, data, validation)), "rows": float(len(training))}
    if settings["output_dir"]:
        folder = Path(settings["output_dir"])
        folder.mkdir(parents=True, exist_ok=True)
        trained_on = data["cell_lines"][np.unique(data["cell"][training])]
        np.savez(folder / "model.npz", **model, trained_on=trained_on)
        (folder / "val_scores.json").write_text(
            json.dumps({name: metrics[name] for name in ("mse", "r2")}, indent=4), encoding="utf-8"
        )
    return {"val_loss": metrics["mse"], "val_r2": metrics["r2"], "training_rows": metrics["rows"]}


# The model


def fit(
    data: Mapping[str, Any], rows: Any, labels: Any, settings: Mapping[str, Any], random: np.random.Generator
) -> dict[str, Any]:
    """Train on `rows` of the data with `labels`, float [rows]; returns the arrays that the model consists of."""
    genes, bits = data["expression"].shape[1], data["fingerprints"].shape[1]
    model: dict[str, Any] = {
        "cell_weights": random.normal(size=(genes, settings["width"])) / np.sqrt(genes),
        "drug_weights": random.normal(size=(bits, settings["width"])) / np.sqrt(bits),
    }
    features = random_features(model, data, rows)
    penalty = settings["ridge"] * np.eye(settings["width"])
    model["mean"] = labels.mean()
    model["weights"] = np.linalg.solve(features.T @ features + penalty, features.T @ (labels - model["mean"]))
    return model


def predict(model: Mapping[str, Any], data: Mapping[str, Any], rows: Any) -> Any:
    """Return the responses that the model predicts, float [rows]."""
    return random_features(model, data, rows) @ model["weights"] + model["mean"]


def random_features(model: Mapping[str, Any], data: Mapping[str, Any], rows: Any) -> Any:
    of_cells = data["expression"] @ model["cell_weights"]
    of_drugs = data["fingerprints"] @ model["drug_weights"]
    return np.tanh(of_cells[data["cell"][rows]] + of_drugs[data["drug"][rows]])


def scores(labels: Any, predictions: Any) -> dict[str, float]:
    error = float(np.mean((labels - predictions) ** 2))
    return {"mse": error, "r2": 1 - error / float(np.var(labels))}


# Hyperparameters


def check(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return all hyperparameters in their types; raises ValueError with the one that is wrong."""
    return {name: _check_value(name, params.get(name, default), default) for name, default in DEFAULTS.items()}


def _check_value(name: str, value: Any, default: Any) -> Any:
    try:
        checked = _convert(value, default)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {value!r}: must be of the type of {default!r}") from None
    low, high = LIMITS.get(name, (None, None))
    if low is not None and not low <= checked <= high:
        raise ValueError(f"{name} = {value!r}: must be from {low} to {high}")
    return checked


def _convert(value: Any, default: Any) -> Any:
    if isinstance(default, list):
        return list(value) if isinstance(value, (list, tuple)) else str(value).split()
    if isinstance(default, str):
        return str(value or "")
    number = float(value)
    if isinstance(default, int) and number != int(number):
        raise ValueError(value)
    return type(default)(number)


# Data


def data_folder() -> Path:
    """Return the data folder of this run."""
    folder = os.environ.get("CANDLE_DATA_DIR") or os.environ.get("IMPROVE_DATA_DIR")
    if not folder:
        raise ValueError("CANDLE_DATA_DIR is not set: it must name the data folder")
    return Path(folder)


def prepare(folder: Path) -> list[str]:
    """Read the benchmark's tables into DATA/@NAME@/data.npz, unless that is done; return the studies there are."""
    raw, own = folder / "raw_data", folder / "@NAME@"
    for name in INPUTS:
        if not (raw / name).is_file():
            raise ValueError(f"{raw / name}: no such file; the data folder must hold an IMPROVE benchmark's raw_data")
    manifest = json.dumps({name: hashlib.sha256((raw / name).read_bytes()).hexdigest() for name in INPUTS}, indent=1)
    if not (own / "manifest.json").is_file() or (own / "manifest.json").read_text(encoding="utf-8") != manifest:
        own.mkdir(exist_ok=True)
        unfinished = own / f"data-{os.getpid()}.npz"
        np.savez(unfinished, **_read(raw))
        unfinished.replace(own / "data.npz")
        (own / "manifest.json").write_text(manifest, encoding="utf-8")
    return sorted(set(load(folder)["study"]))


@functools.cache
def load(folder: Path) -> dict[str, Any]:
    """Return the prepared arrays; a server that is called again and again reads them once.

    `expression` [cell lines, genes] and `fingerprints` [drugs, bits]; for each measured pair `cell`, `drug` (their
    rows), `auc` and `study`; the names `cell_lines` and `drugs`.
    """
    path = folder / "@NAME@" / "data.npz"
    if not path.is_file():
        raise ValueError(f"{path}: no such file; preprocess.sh makes it")
    with np.load(path) as arrays:
        return dict(arrays)


def split(data: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the rows that train and those that validate: no cell line is on both sides."""
    rows = rows_of(data, settings["train_sources"])
    cells = np.unique(data["cell"][rows])
    order = np.random.default_rng(settings["split_seed"]).permutation(cells)
    validates = np.isin(data["cell"][rows], order[: max(1, round(len(cells) * settings["val_split"]))])
    return rows[~validates], rows[validates]


def rows_of(data: Mapping[str, Any], studies: list[str]) -> Any:
    """Return the rows of the studies; raises ValueError where the data do not have one."""
    known = sorted(set(data["study"]))
    for study in studies:
        if study not in known:
            raise ValueError(f"study '{study}': the data have {', '.join(known)}")
    return np.flatnonzero(np.isin(data["study"], studies))


def _read(raw: Path) -> dict[str, Any]:
    expression, fingerprints, responses = ([*_table(raw / name)] for name in INPUTS)
    # Older benchmarks have three header rows, newer ones one.
    header_rows = 3 if expression[1][0] == expression[2][0] == "" else 1
    cells, values = _numbers(expression[header_rows:])
    drugs, bits = _numbers(fingerprints[1:])
    columns = {name: place for place, name in enumerate(responses[0])}
    cell_rows, drug_rows = ({name: row for row, name in enumerate(names)} for names in (cells, drugs))
    kept = []
    for row in responses[1:]:
        cell, drug = row[columns["improve_sample_id"]], row[columns["improve_chem_id"]]
        if cell in cell_rows and drug in drug_rows and row[columns["auc"]]:
            kept.append((cell_rows[cell], drug_rows[drug], float(row[columns["auc"]]), row[columns["source"]]))
    cell_of, drug_of, auc, study = zip(*kept, strict=True)
    deviations = values.std(axis=0)
    return {
        "expression": ((values - values.mean(axis=0)) / np.where(deviations > 0, deviations, 1)).astype(np.float32),
        "fingerprints": bits.astype(np.float32),
        "cell_lines": np.array(cells),
        "drugs": np.array(drugs),
        "cell": np.array(cell_of),
        "drug": np.array(drug_of),
        "auc": np.array(auc),
        "study": np.array(study),
    }


def _table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8") as lines:
        return [line.rstrip("\r\n").split("\t") for line in lines]


def _numbers(rows: list[list[str]]) -> tuple[list[str], Any]:
    return [row[0] for row in rows], np.array([[float(word or 0) for word in row[1:]] for row in rows])
