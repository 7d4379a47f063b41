"""Models over several studies: who predicts whom (`cross_study`), how many rows it takes (`learning_curve`), and what
settings that were tuned on one study cost on another (`cross_hpo`). And several models at once, each pair of which is
compared (`all_pairs`). And what part of the training data makes two models differ (`left_out`).

All are ordinary trainings, which go to the store like any others, followed by what is made of them: predictions,
tables in the form of IMPROVE, figures.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from comparator.results.experiments import read_experiment
from comparator.results.record import FrozenExperiment

STUDIES = (
    "cross_study",
    "learning_curve",
    "cross_hpo",
    "all_pairs",
    "left_out",
)  # each a module here, and a table of the experiment's file


def study_of(path: Path) -> ModuleType | None:
    """The workflow that an experiment belongs to, where its report is not the ordinary one."""
    found = table_of(read_experiment(path))
    return None if found is None else found[1]


def table_of(frozen: FrozenExperiment) -> tuple[str, ModuleType] | None:
    """The name of an experiment's table of studies, and the workflow that it belongs to; None where it has none."""
    name = next((name for name in STUDIES if frozen.table(name) is not None), None)
    return None if name is None else (name, import_module(f"comparator.studies.{name}"))
