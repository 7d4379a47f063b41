"""Experiments that an earlier version froze: read, and gone on with, as if this one had.

Format 1 had other identities: a model was the files of its folder (of a Python file those beside it), and its data the
file that `data_manifest` names or nothing. In the record of format 2, and of 1, each line has all replicates of its
point; such lines stay as they are, and the first one of a point that follows them has all once more.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.model.fingerprint import content_of
from comparator.model.image import image_digest
from comparator.model.inputs import inputs_of
from comparator.model.model import Model
from comparator.objective.differences import asked_difference, difference_code
from comparator.results.frozen import FORMAT, WholeExperiment

NOT_COUNTED = {"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def upgraded(frozen: WholeExperiment, models: Sequence[Model], data_folder: Path) -> WholeExperiment:
    """A frozen experiment of an earlier format in the present one; of format 1 models and data are those of today.

    Raises `InputError` where they are not those that it began with, as far as it says.
    """
    now: dict[str, Any] = {"format": FORMAT, "from_format": frozen.from_format or frozen.format}
    if frozen.format == 1:
        now |= _identities(frozen, models, data_folder)
    return frozen.model_copy(update=now)


def _identities(frozen: WholeExperiment, models: Sequence[Model], data_folder: Path) -> dict[str, Any]:
    """What a frozen experiment of format 1 says otherwise."""
    submodels = []
    for submodel, model in zip(frozen.models, models, strict=True):
        if _identity(model) != submodel.identity:
            raise InputError(f"{model.path}: the model has changed since '{frozen.id}' began; start anew")
        if _data(model, data_folder) != submodel.data:
            raise InputError(f"the data in {data_folder} have changed since '{frozen.id}' began; start anew")
        now = {"identity": model.identity, **inputs_of(model, data_folder)}
        submodels.append(submodel.model_copy(update=now))
    difference = asked_difference(frozen)
    code = None if difference is None else difference_code(difference, Path(frozen.file).parent)
    return {"models": submodels, "difference_code": code}


def _identity(model: Model) -> str:
    if model.image is not None:
        return image_digest(model.path)
    digest = hashlib.sha256()
    roots = [model.path.resolve(), *model.python_path] if model.is_folder else [model.path.parent]
    for root in dict.fromkeys(roots):
        beside = [*sorted(root.glob("*.py")), model.path.with_suffix(".toml")]
        for file in filter(Path.is_file, _files_below(root) if model.is_folder else beside):
            digest.update(f"{root.name}/{file.relative_to(root).as_posix()}\0{content_of(file)}\n".encode())
    return digest.hexdigest()


def _data(model: Model, data_folder: Path) -> str | None:
    manifest = model.description.data_manifest
    return None if manifest is None else content_of(data_folder / manifest)


def _files_below(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - NOT_COUNTED)
        yield from (Path(folder, name) for name in sorted(names) if not name.endswith(".pyc"))
