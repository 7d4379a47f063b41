"""Which studies the two models of a comparison were trained on, and whether that is what sets them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comparator.errors import InputError
from comparator.formats.spelling import spelling
from comparator.results.frozen import FrozenExperiment, Submodel


def studies_of(experiment: FrozenExperiment) -> tuple[str, str] | None:
    """Return the studies of both models where they differ in these; None where they do not, or it is not told.

    A model tells which hyperparameter names its study in `[controls]` of its `model.toml`.
    """
    return None if experiment.kind == "single" else _studies(experiment.models)


def check_studies(models: Sequence[Submodel], where: str) -> None:
    """Raise `InputError` where two models are not of two studies, or do not say how their rows are cut."""
    untold = next((model for model in models if not model.controls), None)
    if untold is not None:
        raise InputError(
            f"{where}: {untold.label or untold.name} does not say how its study's rows are cut: [controls] in its"
            f" {untold.description_file} names the hyperparameters"
        )
    if _studies(models) is None:
        raise InputError(f"{where}: both models are of one study: there is no size of a study to control for")


def _studies(models: Sequence[Submodel]) -> tuple[str, str] | None:
    named = [_study(submodel) for submodel in models]
    if len(named) != 2 or named[0] is None or named[1] is None or named[0] == named[1]:
        return None
    return named[0], named[1]


def given(submodel: Submodel, name: str) -> Any:
    """Return what a submodel is given of a hyperparameter, whatever the case of its name; None where it is nothing."""
    together = {**submodel.config, **submodel.hyperparameters}
    return together.get(spelling(name, together))


def study_names(submodel: Submodel) -> list[str]:
    """Return the studies that a submodel is trained on, by name; none where it is not told."""
    named = given(submodel, submodel.controls["study"]) if submodel.controls else None
    if isinstance(named, (list, tuple)):
        return [str(each) for each in named]
    return [str(named)] if named else []


def _study(submodel: Submodel) -> str | None:
    return " + ".join(study_names(submodel)) or None
