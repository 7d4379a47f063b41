"""What an experiment trains at this moment, and how far each training is, as its log and its files tell.

Epochs and losses are read off what models print, whoever wrote them:

    Epoch 3/15 - 0.8 s - loss: 0.0332 - val_loss: 0.0353        the models of this project
    Epoch 3/15
    78/78 [====] - 1s 5ms/step - loss: 0.03 - val_loss: 0.04    Keras; version 3 draws its bar otherwise
    [Epoch: 2] loss: 0.021, val_loss: 0.035                     CANDLE
    Epoch [3/15], Loss: 0.1234          epoch 3 loss 0.5        loops of one's own
    Tree 10/100 - 0.5 s - val_loss: 0.02
    [10]    valid_0's l2: 0.0306        [10] eval-rmse:0.6      LightGBM, XGBoost

A model that prints nothing of the kind may write a history as it goes: `history.json` with a list for each metric, or
a table (CSV) with a column `epoch`, as Keras's CSVLogger and Lightning do.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from comparator.model.log_lines import FINITE, OURS, plain
from comparator.results.experiments import read_experiment
from comparator.results.files import time_of
from comparator.results.frozen import FrozenExperiment
from comparator.results.in_flight import InFlight, trainings_in_flight
from comparator.results.run_store import RunStore

LOG = "model.log"
#: Bytes at the end of a log in which the latest epoch is looked for: a bar may be redrawn a thousand times in one.
TAIL = 1 << 18
#: A history that is larger is not read: it would be, every second.
LARGEST_HISTORY = 1 << 22
HISTORY = "history.json"
TABLES = ("*.csv", "training.log")

#: What a model prints of how well it does: anything called so, and nothing called otherwise, a learning rate say.
METRIC = (
    r"(?:[\w'-]+'s )?[\w/'-]*(?:loss|error|mse|mae|rmse|mape|r2|accuracy|acc|auc|corr|correlation"
    r"|pearson|spearman|pcc|scc|score|l1|l2|deviance)"
)
EPOCH = re.compile(
    r"(?<![\w.])(?:epoch|tree|iteration|round)(?![\w.])[\s\[(:=#'\"]{0,4}(?P<epoch>\d{1,7})(?!\w|\.\d)"
    r"(?:\s?(?:/|of)\s?(?P<epochs>\d{1,7}))?"
    rf"|^\[(?P<round>\d{{1,7}})\](?=\s+{METRIC}\s?[:=])",
    re.IGNORECASE,
)
VALUE = re.compile(
    rf"(?<![\w/-])(?=[^\W\d])(?P<name>{METRIC})['\"]?(?:\s?[:=]\s?|\s)(?P<value>{FINITE}|[+-]?(?:nan|inf))(?![\w.])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Progress:
    """How far a training is; None where it does not tell. `losses` has the latest of each metric that it told."""

    epoch: int | None = None
    epochs: int | None = None
    losses: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RunningTraining:
    """One training that goes on now. `evaluation` is negative for one beside the search (`Request`)."""

    evaluation: int
    submodel: int
    model: str
    point: Mapping[str, Any]
    since: datetime
    epoch: int | None
    epochs: int | None
    losses: Mapping[str, float]
    log: Path | None
    replicate: int = 0


def running(folder: Path) -> list[RunningTraining]:
    """What the experiment in `folder` trains now, on whatever machine, in the order of its evaluations.

    Raises `InputError` where the experiment cannot be read.
    """
    trainings = trainings_in_flight(folder)
    if not trainings:
        return []
    experiment = read_experiment(folder)
    return [_running_training(folder, experiment, training) for training in trainings]


def _running_training(folder: Path, experiment: FrozenExperiment, training: InFlight) -> RunningTraining:
    place = RunStore(folder.parent).folder_of(training.run)
    assert place is not None  # its lease was looked at there
    log = place / LOG
    progress = progress_of(place)
    names = dict(zip((model.submodel for model in experiment.models), experiment.labels, strict=True))
    return RunningTraining(
        evaluation=training.evaluation,
        submodel=training.submodel,
        model=names.get(training.submodel, "model"),
        point=training.point,
        since=time_of(training.started) or datetime.now(timezone.utc),
        epoch=progress.epoch,
        epochs=progress.epochs or training.epochs,
        losses=progress.losses,
        log=log if log.is_file() else None,
        replicate=training.replicate,
    )


def progress_of(place: Path) -> Progress:
    """How far the training is whose files lie in `place`: by its log, else by a history that it writes as it goes."""
    told = progress_in(end_of(place / LOG))
    return told if told.epoch is not None else _of_history(place) or told


def progress_in(log: str) -> Progress:
    """How far a training is that has printed this, or the end of this."""
    epoch, epochs, losses = None, None, {}
    for line in re.split(r"[\r\n\b]+", log):
        if line.startswith(OURS):
            continue
        words = plain(line)
        found = EPOCH.search(words)
        if found is not None:
            epoch = int(found["epoch"] or found["round"])
            epochs = int(found["epochs"]) if found["epochs"] else epochs
        for value in VALUE.finditer(words):
            number = float(value["value"])
            if math.isfinite(number):
                losses[value["name"]] = number
    return Progress(epoch, epochs, losses)


def end_of(log: Path, most: int = TAIL) -> str:
    """The last bytes of a log as text; empty where it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - most))
            return file.read(most).replace(b"\0", b"").decode("utf-8", "replace")
    except OSError:
        return ""


def _of_history(place: Path) -> Progress | None:
    """What a history tells that the training writes; None where there is none, or it is not whole."""
    files = [place / HISTORY, *(table for pattern in TABLES for table in sorted(place.glob(pattern)))]
    for file in files:
        try:
            if not file.is_file() or file.stat().st_size > LARGEST_HISTORY:
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            found = _of_lists(text) if file.name == HISTORY else _of_table(text)
        except (OSError, ValueError, RecursionError, csv.Error):
            continue
        if found is not None:
            return found
    return None


def _of_lists(text: str) -> Progress | None:
    history = json.loads(text)
    if not isinstance(history, dict):
        return None
    lists = {name: values for name, values in history.items() if isinstance(values, list) and values}
    losses = {name: float(values[-1]) for name, values in lists.items() if _is_finite(values[-1])}
    return Progress(epoch=max(map(len, lists.values())), losses=losses) if lists else None


def _of_table(text: str) -> Progress | None:
    """The last row of each column; Keras and Lightning count epochs from 0."""
    whole = text[: text.rfind("\n") + 1]
    latest: dict[str, float] = {}
    first = None
    for row in csv.DictReader(whole.splitlines()):
        numbers = {name: float(cell) for name, cell in row.items() if isinstance(name, str) and _is_number(cell)}
        if "epoch" not in numbers:
            continue
        first = numbers["epoch"] if first is None else first
        latest |= numbers
    if first is None:
        return None
    losses = {name: value for name, value in latest.items() if re.fullmatch(METRIC, name, re.IGNORECASE)}
    return Progress(epoch=int(latest["epoch"]) + (first == 0), losses=losses)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_number(cell: object) -> bool:
    return isinstance(cell, str) and re.fullmatch(FINITE, cell.strip(), re.IGNORECASE) is not None
