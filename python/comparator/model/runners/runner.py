"""Carry out trainings: in a warm server where the model has a Python module, else by its scripts.

Every way takes a `Training` and gives an `Outcome`, and each ends with its whole process group when the time limit
passes, when `cancel()` is called, or when this process is gone (see `guard.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.model.ml_data import MLData
from comparator.model.model import Model
from comparator.model.runners.cold import ColdRunner
from comparator.model.runners.staged import StagedRunner
from comparator.model.runners.warm import WarmRunner
from comparator.model.training import Runner
from comparator.site.profile import Slot


def make_runner(
    model: Model,
    slot: Slot,
    data_folder: Path,
    *,
    warm: bool = True,
    data_until: int | None = None,
    ml_data: MLData | None = None,
    runs_folder: Path | None = None,
) -> Runner:
    """Choose the way that a model's runs take: warm where it has a module, else a process per run.

    `ml_data` is where a model in three steps keeps what it has preprocessed; `runs_folder` is as `WarmRunner` has it.
    """
    if is_served(model, warm=warm):
        return WarmRunner(model, slot, data_folder, data_until=data_until, runs_folder=runs_folder)
    return make_script_runner(model, slot, data_folder, ml_data)


def make_script_runner(
    model: Model, slot: Slot, data_folder: Path, ml_data: MLData | None, *, under: Sequence[str] = ()
) -> ColdRunner | StagedRunner:
    """What runs a model's scripts, `under` a command that starts its training."""
    if model.stages is None:
        return ColdRunner(model, slot, data_folder, under=under)
    assert ml_data is not None
    return StagedRunner(model, slot, data_folder, ml_data, under=under)


def is_served(model: Model, *, warm: bool) -> bool:
    """Whether a model's runs are served by a process that stays."""
    return model.module is not None and (warm or model.trained_by is None)
