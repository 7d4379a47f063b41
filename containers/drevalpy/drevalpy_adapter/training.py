"""drevalpy's part of a training: its model is built, trained and asked by drevalpy's own methods, and saved by them.

A model that stops early is told when by rows of its own, see `early_stopping`; one that learns a drug by itself is
trained once for each drug of the training rows.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from drevalpy.models import MODEL_FACTORY
from numpy.typing import NDArray
from pytorch_lightning.callbacks import TQDMProgressBar
from torch.utils.data import DataLoader

from drevalpy_adapter.views import EXPRESSION, FINGERPRINTS, Views
from drug_response import metrics, splits
from drug_response.dataset import Part
from drug_response.errors import DataError
from drug_response.output import SavedModel, no_model, write_model
from drug_response.tables import Source
from drug_response.training import Task, Trained

#: The part of the training rows' cell lines, drugs or rows that tells a model when to stop.
EARLY_STOPPING_SHARE = 0.1
#: Where drevalpy's own files of a saved model are, in a folder for each drug where there is a model for each.
MODEL_FOLDER = "drevalpy"
#: The feature tables that the training rows were given, by drevalpy's word for them.
TABLE_KINDS = {EXPRESSION: "rnaseq", FINGERPRINTS: "fingerprints"}


@dataclass
class Learned:
    """Trained models by drug, None for one of all drugs, and what is predicted for a drug that has none.

    Files that they leave go to a folder in `place`, among the temporary ones where it is None, which then goes.
    """

    views: Views
    otherwise: float
    place: Path | None = None
    models: dict[str | None, Any] = field(default_factory=dict)

    def predict(self, part: Part) -> NDArray[np.float64]:
        """Return predictions, float64 [rows]."""
        predicted = np.full(len(part), self.otherwise)
        cell_lines, drugs = self.views.ids(part)
        with _alone(self.place):
            for drug, model in self.models.items():
                rows = np.flatnonzero(drugs == drug) if drug is not None else np.arange(len(part))
                if len(rows):
                    inputs = _inputs(model, self.views, [part])
                    predicted[rows] = np.asarray(model.predict(cell_lines[rows], drugs[rows], *inputs)).reshape(-1)
        return predicted

    def without_model(self, part: Part) -> int:
        """Return how many rows are of drugs that no model has learned."""
        if None in self.models:
            return 0
        return int(np.sum(~np.isin(self.views.ids(part)[1], [str(drug) for drug in self.models])))

    def save(self, folder: Path) -> list[str | None]:
        """Save each model by its own method; returns the drugs in the order of their folders."""
        for number, model in enumerate(self.models.values()):
            model.save(str(folder / MODEL_FOLDER / str(number)))
        return list(self.models)


def fit(task: Task, hyperparameters: Mapping[str, Any]) -> Trained:
    """Train the model that the hyperparameters name.

    Raises `DataError` where it needs what the data do not have, or learns each drug by itself and is to predict others.
    """
    name, seed = hyperparameters["drevalpy_model"], hyperparameters["rng_seed"]
    views = Views(task.dataset.source, {table.kind: table.names.tolist() for table in task.dataset.features})
    settings = _settings(name, hyperparameters, views)
    kind = MODEL_FACTORY[name]
    if kind.is_single_drug_model and hyperparameters["split"] == "drug":
        raise DataError(f"split = 'drug': {name} learns each drug by itself, and so none that it has not seen")
    place = Path(hyperparameters["output_dir"]).absolute() if hyperparameters["output_dir"] else None
    learned = Learned(views, float(np.mean(task.labels.training, dtype=np.float64)), place)
    stopping = _early_stopping_rows(task, hyperparameters) if kind.early_stopping else None
    told = {name: value for name, value in settings.items() if name in hyperparameters}
    print(f"{name}: {', '.join(f'{name} = {value}' for name, value in told.items()) or 'no hyperparameters'}")
    _seed_all(seed)
    drugs = views.ids(task.training)[1]
    for drug in np.unique(drugs).tolist() if kind.is_single_drug_model else [None]:
        rows = np.ones(len(drugs), dtype=bool) if drug is None else drugs == drug
        learned.models[drug] = _train(_built(name, settings, seed), task, learned, rows, stopping)
    validated = learned.predict(task.validation)
    loss = metrics.mean_squared_error(task.labels.training.astype(np.float64), learned.predict(task.training))
    val_loss = metrics.scores(task.labels.validation, validated)["loss"]

    def save(folder: Path) -> None:
        try:
            saved = learned.save(folder)
        except NotImplementedError:
            print(f"Not saved: {name} has no way to be, in this version of drevalpy")
            return
        described = {"drugs": saved, "otherwise": learned.otherwise}
        write_model(folder, hyperparameters, task.dataset, {}, described)

    return Trained(
        {"loss": [loss], "val_loss": [val_loss]},
        validated,
        training_rows=len(task.training),
        facts={
            "early_stopping_rows": 0 if stopping is None else stopping.size,
            "rows_without_model": learned.without_model(task.validation),
        },
        predict=learned.predict,
        save=save,
    )


@dataclass(frozen=True)
class _Stopping:
    """The rows that tell when to stop: numbers of training rows, or all validation rows (None)."""

    training_rows: NDArray[np.intp] | None
    size: int


def _early_stopping_rows(task: Task, hyperparameters: Mapping[str, Any]) -> _Stopping:
    """Choose them: of the training rows so that they are apart from the others as validation is from training."""
    if hyperparameters["early_stopping"] == "validation":
        return _Stopping(None, len(task.validation))
    kind = "cell" if hyperparameters["split"] == "file" else hyperparameters["split"]
    groups = splits.group_of_rows(kind, task.training.cell_line, task.training.drug)
    chosen = splits.held_out(groups, hyperparameters["split_seed"], EARLY_STOPPING_SHARE)
    rows = np.flatnonzero(np.isin(groups, chosen))
    return _Stopping(rows, len(rows))


def _train(model: Any, task: Task, learned: Learned, rows: NDArray[np.bool_], stopping: _Stopping | None) -> Any:
    """Return the model, which has learned from some of the training rows."""
    views = learned.views
    if stopping is None:
        held = None
    elif stopping.training_rows is None:
        held = views.responses(task.validation, task.labels.validation)
    else:
        apart = np.zeros(len(rows), dtype=bool)
        apart[stopping.training_rows] = True
        held = views.responses(*_chosen(task, rows & apart))
        rows = rows & ~apart
    inputs = _inputs(model, views, _parts(task))
    with _alone(learned.place) as folder:
        model.train(views.responses(*_chosen(task, rows)), *inputs, held, **_checkpoints(model, folder))
    return model


def _parts(task: Task) -> list[Part]:
    """All rows of a training, whose cell lines and drugs a model may look at: a few of them look at all before."""
    return [task.training, task.validation, *task.dataset.test.values()]


def _chosen(task: Task, rows: NDArray[np.bool_]) -> tuple[Part, NDArray[Any]]:
    part = task.training
    chosen = Part(part.numbers[rows], part.labels[rows], part.cell_line[rows], part.drug[rows])
    return chosen, task.labels.training[rows]


def _checkpoints(model: Any, folder: str) -> dict[str, str]:
    """The argument of `train` that says where checkpoints go, of a model that takes one."""
    code = type(model).train.__code__
    return {"model_checkpoint_dir": folder} if "model_checkpoint_dir" in code.co_varnames[: code.co_argcount] else {}


def _inputs(model: Any, views: Views, parts: Sequence[Part]) -> tuple[Any, Any]:
    return views.cell_lines(model.cell_line_views, parts), views.drugs(model.drug_views, parts)


def _settings(name: str, hyperparameters: Mapping[str, Any], views: Views) -> dict[str, Any]:
    """Return drevalpy's hyperparameters: the first of its sets whose views the data have, and over it what is given.

    Raises `DataError` that says which views are missing, where they are for all.
    """
    missing: list[str] = []
    for settings in MODEL_FACTORY[name].get_hyperparameter_set():
        model = _built(name, settings, 0)
        missing = views.missing(model.cell_line_views, model.drug_views)
        if not missing:
            given = {key: value for key in settings if (value := hyperparameters.get(key)) is not None}
            return {**settings, **given}
    raise DataError(f"drevalpy_model = '{name}': needs {', '.join(missing)}, which the '{views.source.name}' data lack")


def _built(name: str, settings: Mapping[str, Any], seed: int) -> Any:
    """Return a new model, whose random numbers are the seed's and which computes in one thread."""
    model = MODEL_FACTORY[name]()
    own = {"seed": seed} if "seed" in settings else {}
    model.build_model({**settings, **own})
    estimator = getattr(model, "model", None)
    if hasattr(estimator, "set_params"):
        known = estimator.get_params()
        estimator.set_params(
            **{key: value for key, value in {"random_state": seed, "n_jobs": 1}.items() if key in known}
        )
    return model


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextlib.contextmanager
def _alone(place: Path | None) -> Iterator[str]:
    """A folder in `place` where a model may leave files, which go; it starts no processes, threads or progress bars.

    As many trainings run at once as there are cores, and some of drevalpy's models would start 16 processes each. What
    they load is the same without.
    """
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    original = DataLoader.__init__

    def in_this_process(self: Any, *arguments: Any, **options: Any) -> None:
        options = {**options, "num_workers": 0, "persistent_workers": False, "pin_memory": False}
        original(self, *arguments, **{key: value for key, value in options.items() if key != "prefetch_factor"})

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=place))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(mock.patch.object(DataLoader, "__init__", in_this_process))
        stack.enter_context(mock.patch.object(TQDMProgressBar, "is_enabled", False))
        yield folder


def load(
    folder: Path, model: SavedModel, source: Source, tables: Sequence[NDArray[np.float32]]
) -> Callable[[Part], NDArray[np.float64]]:
    """Return what predicts with saved models. Raises ValueError where they are not there."""
    views = Views(source, {features.kind: features.names for features in model.features})
    learned = Learned(views, model.described["otherwise"])
    kind = MODEL_FACTORY[model.hyperparameters["drevalpy_model"]]
    try:
        for number, drug in enumerate(model.described["drugs"]):
            learned.models[drug] = kind.load(str(folder / MODEL_FOLDER / str(number)))
    except (OSError, KeyError, ValueError, NotImplementedError) as error:
        raise no_model(folder, error) from None
    return learned.predict
