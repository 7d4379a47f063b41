"""One model over several studies: who predicts whom (`cross_study`), and how many rows it takes (`learning_curve`).

Both are ordinary sweeps of a single model, whose trainings go to the store like any others, followed by what is
made of them: predictions, tables in the form of IMPROVE, figures.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from comparator.store import read_experiment


def study_of(path: Path) -> ModuleType | None:
    """The workflow that an experiment belongs to, where its report is not the ordinary one."""
    from comparator.studies import cross_study, learning_curve

    frozen = read_experiment(path)
    return next((study for study in (cross_study, learning_curve) if study.NAME in frozen), None)
