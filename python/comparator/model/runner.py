"""Carry out trainings: in a warm server where the model has a Python module, else by `train.sh`.

Both ways take a `Training` and give an `Outcome`, and both end with their whole process group when the time
limit passes, when `cancel()` is called, or when this process is gone (see `guard.py`).
"""

from __future__ import annotations

from pathlib import Path

from comparator.model.cold import ColdRunner
from comparator.model.model import Model
from comparator.model.training import Runner
from comparator.model.warm import WarmRunner
from comparator.site.profile import Slot


def make_runner(
    model: Model, slot: Slot, data_folder: Path, *, warm: bool = True, data_until: int | None = None
) -> Runner:
    """Choose the way that a model's runs take: warm where it has a module, else a process per run."""
    if is_served(model, warm=warm):
        return WarmRunner(model, slot, data_folder, data_until=data_until)
    return ColdRunner(model, slot, data_folder)


def is_served(model: Model, *, warm: bool) -> bool:
    """Whether a model's runs are served by a process that stays."""
    return model.module is not None and (warm or model.script("train.sh") is None)
