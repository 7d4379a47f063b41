"""LightGBM's part of a training: trees are grown, and saved as LightGBM's own text, `model.txt`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response.dataset import Part
from drug_response.output import SavedModel, no_model, write_model
from drug_response.tables import Source
from drug_response.training import Task, Trained, scores

try:
    import lightgbm
except OSError as error:  # Its library wants the compiler's run time, which pip cannot bring.
    raise ImportError(f"{error} (Debian: apt install libgomp1)") from None

MODEL_FILE = "model.txt"

#: LightGBM's objective and its metric, by loss.
OBJECTIVES = {"mse": ("regression", "l2"), "mae": ("regression_l1", "l1")}
#: Hyperparameters that go to LightGBM under their own names.
TREE_KEYS = ("num_leaves", "max_depth", "learning_rate", "min_child_samples", "reg_lambda", "max_bin")
#: How many lines tell of a training's course.
_LINES = 10


def join_features(tables: Sequence[NDArray[np.float32]], numbers: NDArray[np.int32]) -> NDArray[np.float32]:
    """Look each row's features up in the tables; returns float32 [rows, columns of all tables]."""
    return np.concatenate([table[numbers[:, place]] for place, table in enumerate(tables)], axis=1)


def parameters(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return LightGBM's parameters: one thread, no random numbers, the same trees each time."""
    objective, metric = OBJECTIVES[hyperparameters["loss"]]
    return {
        "objective": objective,
        "metric": metric,
        "seed": hyperparameters["rng_seed"],
        **{key: hyperparameters[key] for key in TREE_KEYS},
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


class _Course:
    """Follows a training tree by tree: keeps the curves, prints some lines, ends it when its time is over."""

    def __init__(self, hyperparameters: Mapping[str, Any]) -> None:
        self.history: dict[str, list[float]] = {"loss": [], "val_loss": []}
        self.timed_out = False
        self._trees, self._timeout = hyperparameters["n_estimators"], hyperparameters["timeout"]
        self._started = time.monotonic()

    def __call__(self, state: lightgbm.callback.CallbackEnv) -> None:
        """Take one more tree, as LightGBM's callbacks do."""
        # Results of the training rows, then of the validation rows: name of the set, metric, value, ...
        results = state.evaluation_result_list or []
        for name, result in zip(self.history, results, strict=True):
            self.history[name].append(float(result[2]))
        done, seconds = state.iteration + 1, time.monotonic() - self._started
        self.timed_out = 0 <= self._timeout < seconds and done < self._trees
        if self.timed_out or done == self._trees or done % max(1, self._trees // _LINES) == 0:
            values = " - ".join(f"{name}: {values[-1]:.6f}" for name, values in self.history.items())
            print(f"Tree {done}/{self._trees} - {seconds:.1f} s - {values}", flush=True)
        if self.timed_out:
            print(f"Stopped after tree {done}: timeout of {self._timeout:g} seconds")
            raise lightgbm.callback.EarlyStopException(state.iteration, results)


def fit(task: Task) -> Trained:
    """Grow the trees that the hyperparameters ask for, up to the best one where `early_stopping_rounds` is set."""
    hyperparameters, tables = task.hyperparameters, task.dataset.tables
    settings, course = parameters(hyperparameters), _Course(hyperparameters)
    callbacks: list[Any] = [course]
    patience = hyperparameters["early_stopping_rounds"]
    if patience:
        callbacks.append(lightgbm.early_stopping(patience, verbose=False))
    training = join_features(task.tables.training, task.training.numbers)
    validation = join_features(task.tables.validation, task.validation.numbers)
    learned = lightgbm.Dataset(training, task.labels.training, params=settings)
    booster = lightgbm.train(
        settings,
        learned,
        num_boost_round=hyperparameters["n_estimators"],
        valid_sets=[learned, learned.create_valid(validation, task.labels.validation)],
        valid_names=["training", "validation"],
        callbacks=callbacks,
    )
    trees = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    if trees < booster.current_iteration():
        print(f"{booster.current_iteration()} trees grown, {trees} kept: val_loss did not fall after them")
    validated = _predict(booster, validation, trees)
    history = {name: values[:trees] for name, values in course.history.items()}
    # The same number as LightGBM's, summed as the other scores are.
    history["val_loss"][-1] = scores(hyperparameters, task.labels.validation, validated)["loss"]

    def predict(part: Part) -> NDArray[np.float64]:
        return _predict(booster, join_features(tables, part.numbers), trees)

    def save(folder: Path) -> None:
        booster.save_model(folder / MODEL_FILE, num_iteration=trees)
        write_model(folder, hyperparameters, task.dataset, {}, {"trees": trees})

    facts = {"trees": trees, "timed_out": int(course.timed_out)}
    return Trained(history, validated, len(task.training), facts, predict, save)


def load(
    folder: Path, model: SavedModel, source: Source, tables: Sequence[NDArray[np.float32]]
) -> Callable[[Part], NDArray[np.float64]]:
    """Return what predicts with saved trees. Raises ValueError where they are not there."""
    try:
        booster = lightgbm.Booster(model_str=(folder / MODEL_FILE).read_text(encoding="utf-8"))
    except (OSError, lightgbm.basic.LightGBMError) as error:
        raise no_model(folder, error) from None
    return lambda part: _predict(booster, join_features(tables, part.numbers), model.described["trees"])


def _predict(booster: lightgbm.Booster, features: NDArray[np.float32], trees: int) -> NDArray[np.float64]:
    return np.asarray(booster.predict(features, num_iteration=trees, num_threads=1), dtype=np.float64)
