"""Which studies the two models of a comparison were trained on, and whether that is what sets them apart."""

from __future__ import annotations

from typing import Any

from comparator.formats.spelling import spelling
from comparator.results.record import FrozenExperiment, Submodel


def studies_of(experiment: FrozenExperiment) -> tuple[str, str] | None:
    """Return the studies of both models where they differ in these; None where they do not, or it is not told.

    A model tells which hyperparameter names its study in `[controls]` of its `model.toml`.
    """
    if experiment.kind == "single" or len(experiment.models) != 2:
        return None
    first, second = (_study(submodel) for submodel in experiment.models)
    return None if first is None or second is None or first == second else (first, second)


def given(submodel: Submodel, name: str) -> Any:
    """Return what a submodel is given of a hyperparameter, whatever the case of its name; None where it is nothing."""
    together = {**submodel.config, **submodel.hyperparameters}
    return together.get(spelling(name, together))


def _study(submodel: Submodel) -> str | None:
    named = given(submodel, submodel.controls["study"]) if submodel.controls else None
    if isinstance(named, (list, tuple)):
        return " + ".join(map(str, named)) or None
    return str(named) if named else None
