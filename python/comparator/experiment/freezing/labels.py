"""What people read that tells the models of an experiment apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comparator.formats.spelling import spelling
from comparator.results.frozen import PythonOfSubmodel, Submodel

#: So many packages that tell two environments apart are named, more are not.
FEW_PACKAGES = 2


def give_labels(submodels: Sequence[Submodel], labels: Sequence[str] | None) -> None:
    """Call each submodel by what sets it apart from the other."""
    for submodel in submodels:
        others = [other for other in submodels if other is not submodel]
        if labels is not None:
            label = labels[submodel.submodel]
        elif others and others[0].path != submodel.path:
            label = submodel.name
        elif others and others[0].python != submodel.python:
            label = f"{submodel.name}, {_python_words(submodel.python, others[0].python)}"
        else:
            own = submodel.hyperparameters
            other = others[0].hyperparameters if others else own
            apart = [key for key in own if own[key] != other.get(spelling(key, other))]
            label = ", ".join(_words(key, own[key]) for key in apart if key != "run_id") or submodel.name
        submodel.label = label
    if len({submodel.label for submodel in submodels}) < len(submodels):
        for submodel in submodels:
            submodel.label = f"{submodel.label} ({submodel.submodel})"


def _python_words(own: PythonOfSubmodel | None, other: PythonOfSubmodel | None) -> str:
    """What tells a model's Python from another's: its version, a few packages that differ, or its place."""
    if own is None:
        return "the Comparator's Python"
    if other is None or own.version != other.version:
        return f"Python {own.version}"
    both = {name: (own.packages.get(name, ""), other.packages.get(name, "")) for name in own.packages | other.packages}
    apart = [
        f"{name} {one.split()[0]}" for name, (one, two) in both.items() if one and one.split()[:1] != two.split()[:1]
    ]
    return ", ".join(apart) if 1 <= len(apart) <= FEW_PACKAGES else Path(own.interpreter).parents[1].name


def _words(name: str, value: Any) -> str:
    """What tells two models apart: a text says it by itself, anything else needs its name."""
    if isinstance(value, list):
        return " + ".join(map(str, value))
    return value if isinstance(value, str) and value else f"{name} {value}"
