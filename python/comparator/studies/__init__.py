"""Models over several studies: who predicts whom (`cross_study`), how many rows it takes (`learning_curve`), and what
settings that were tuned on one study cost on another (`cross_hpo`). And several models at once, each pair of which is
compared (`all_pairs`). And what part of the training data makes two models differ (`left_out`).

All are ordinary trainings, which go to the store like any others, followed by what is made of them: predictions,
tables in the form of IMPROVE, figures.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment

if TYPE_CHECKING:
    from comparator.studies.study import Study

STUDIES = (
    "cross_study",
    "learning_curve",
    "cross_hpo",
    "all_pairs",
    "left_out",
)  # each a module here, which has its `STUDY`, and a table of the experiment's file


def study_of(path: Path) -> Study[Any, Any] | None:
    """The study that the experiment in a folder belongs to, where its report is not the ordinary one."""
    return study_in(read_experiment(path))


def study_in(frozen: FrozenExperiment) -> Study[Any, Any] | None:
    """The study that an experiment belongs to; None where it belongs to none."""
    name = next((name for name in STUDIES if frozen.table(name) is not None), None)
    return None if name is None else study_called(name)


def study_called(name: str) -> Study[Any, Any]:
    """The study of a name of `STUDIES`."""
    study: Study[Any, Any] = import_module(f"comparator.studies.{name}").STUDY
    return study
