"""Planted truth for what is left out of training: two small learners, one of which has a drug that teaches it wrong.

    [set]
    cmp_model_name = "test/bench/planted_left_out.py"
    cmp_0_side = 0
    cmp_1_side = 1
    planted = "drug 3"                     # empty: both sides learn from labels of the same kind

Fifteen drugs, as unequal in rows as those that CCLE and GDSC1 share, and 120 cell lines, of which a quarter validates.
A label is what the drug does to every line, and what a line's four genes do, alike for all drugs; its noise is drawn
anew with each seed, for each side. So without anything planted the two sides are alike in all but their luck, whatever
is left out of both. In side 1's labels of the planted drug the genes do nothing: from its rows it learns what is wrong
for all others. A learner is a ridge regression, on the genes and on random features of its seed.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRUGS, LINES, GENES, FEATURES = 15, 120, 4, 12
#: Of the lines, how many of a hundred each drug was measured on.
MEASURED = (99, 98, 98, 97, 97, 80, 79, 30, 30, 29, 28, 28, 27, 27, 26)
NOISE, WRONG, PENALTY, POTENCY = 0.5, 1.0, 1.0, 0.2
NAMES = [f"drug {number}" for number in range(1, DRUGS + 1)]


def initialize_parameters() -> dict[str, Any]:
    return {
        **{"side": 0, "planted": "", "exclude_drugs": None, "exclude_at_random": False, "rng_seed": 1, "split_seed": 1},
        "output_dir": None,
    }


def rows_of_drug(name: str) -> int:
    """How many rows a drug has, validation included."""
    return round(LINES * MEASURED[NAMES.index(name)] / 100)


def run(params: dict[str, Any]) -> dict[str, float]:
    """Train once; the loss is of the held-out lines, by labels without noise and without what is planted."""
    rng = np.random.default_rng(11)  # the data, the same for all
    genes, potency = rng.standard_normal((LINES, GENES)), POTENCY * rng.standard_normal(DRUGS)
    weights = rng.standard_normal(GENES)
    lines = [rng.permutation(LINES)[: rows_of_drug(name)] for name in NAMES]
    drug = np.repeat(np.arange(DRUGS), [len(each) for each in lines])
    line = np.concatenate(lines)
    signal, seed = genes[line] @ weights, int(params["rng_seed"])
    true = potency[drug] + signal
    labels = true + NOISE * np.random.default_rng([seed, int(params["side"]), 1]).standard_normal(len(true))
    if params["side"] and params["planted"]:
        labels = labels - WRONG * signal * (drug == NAMES.index(params["planted"]))
    held_out = np.random.default_rng([int(params["split_seed"]), 2]).permutation(LINES)[: LINES // 4]
    validates = np.isin(line, held_out)
    learns = _kept(params, drug, ~validates)
    inputs = np.concatenate([np.eye(DRUGS)[drug], _features(genes, seed)[line]], axis=1)
    predicted = inputs[validates] @ _ridge(inputs[learns], labels[learns])
    if params["output_dir"]:
        _write(Path(params["output_dir"]), drug[validates], line[validates], true[validates], predicted)
    return {"val_loss": float(np.mean((predicted - true[validates]) ** 2)), "training_rows": int(learns.sum())}


def _kept(params: dict[str, Any], drug: NDArray[np.int64], training: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The training rows without those that are left out, or without as many random ones."""
    names = params["exclude_drugs"] or []
    left_out = np.isin(drug, [NAMES.index(name) for name in names]) & training
    if params["exclude_at_random"] not in (True, "True"):
        return training & ~left_out
    rows: list[int] = np.flatnonzero(training).tolist()
    random.Random(f"{params['split_seed']} at random").shuffle(rows)
    kept = training.copy()
    kept[rows[: int(left_out.sum())]] = False
    return kept


def _features(genes: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """What the learner sees of a line: random bends of random sums of its genes, beside the genes."""
    mixed = genes @ np.random.default_rng([seed, 3]).standard_normal((GENES, FEATURES))
    return np.concatenate([genes, np.tanh(mixed)], axis=1)


def _ridge(inputs: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    square = inputs.T @ inputs + PENALTY * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(square, inputs.T @ labels))


def _write(folder: Path, drug: Any, line: Any, true: Any, predicted: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = zip(drug.tolist(), line.tolist(), true.tolist(), predicted.tolist(), strict=True)
    lines = [f"{NAMES[one]},line {other},{label},{answer}" for one, other, label, answer in rows]
    text = "\n".join(["drug,line,auc_true,auc_pred", *lines, ""])
    (folder / "val_y_data_predicted.csv").write_text(text, encoding="utf-8")
