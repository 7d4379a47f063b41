"""Preprocessed data: what an IMPROVE model's first step has made, once for all trainings that read the same.

ML_DATA/IDENTITY/data/              what the step wrote
ML_DATA/IDENTITY/preprocess.log     what it printed
ML_DATA/IDENTITY/made.json          how it was made; it is written last, and data without it are not used
ML_DATA/IDENTITY/lock, lease        held while they are made

The identity is a SHA-256 over what the data are made of: the model's code and environment, the raw data, and the
hyperparameters that the step is given, with the contents of files that these name.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import read_text, write_text_whole
from comparator.model.fingerprint import digest_of
from comparator.model.named_paths import NamedPaths, canonical
from comparator.results.holder import Holder
from comparator.results.lease import claim

DATA, LOG, MADE, TRAINING_ROWS = "data", "preprocess.log", "made.json", "train_split.txt"
#: Training rows are drawn in one order, whatever their number.
ORDER = 1


@dataclass(frozen=True)
class MLFolder:
    """One data set's folder; it is `whole` once the step that made it has ended well."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path / DATA

    @property
    def log(self) -> Path:
        return self.path / LOG

    @property
    def is_whole(self) -> bool:
        return (self.path / MADE).is_file() and self.data.is_dir()

    def clear(self) -> None:
        """Remove what an earlier attempt has left that was ended, or failed."""
        (self.path / MADE).unlink(missing_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)
        self.log.unlink(missing_ok=True)
        self.data.mkdir()

    def finish(self, told: Mapping[str, Any]) -> None:
        """Say that the data are whole, and how they were made."""
        write_text_whole(self.path / MADE, json.dumps(told, indent=1, default=str) + "\n")


class MLData:
    """The preprocessed data of one model, in `folder`; `basis` says what they rest on beside hyperparameters."""

    def __init__(self, folder: Path, basis: Sequence[object], named: NamedPaths) -> None:
        self._folder, self._basis, self._named = folder, tuple(basis), named

    def of(self, hyperparameters: Mapping[str, Any]) -> MLFolder:
        """The folder of the data that a step makes with these hyperparameters."""
        unknown: list[str] = []
        telling = {
            name: canonical(value, self._named, unknown, is_number=False) for name, value in hyperparameters.items()
        }
        told = json.dumps([telling, unknown], sort_keys=True, default=str)
        return MLFolder(self._folder / digest_of([*self._basis, told]))

    @contextlib.contextmanager
    def claimed(self, made: MLFolder, wait: Callable[[Holder, float], bool]) -> Iterator[bool]:
        """Hold a folder while its data are made, waiting as `lease.claim` does; yields False where it was given up."""
        made.path.mkdir(parents=True, exist_ok=True)
        with claim(made.path, "its preprocessing", wait) as held:
            yield held is not None


def training_rows(named_rows: Path, number: int) -> list[str]:
    """`number` rows of a file that names training rows, one a line; fewer rows are part of more.

    Raises `InputError` where there are not so many, or there is no such file.
    """
    try:
        rows = read_text(named_rows).split()
    except InputError as error:
        raise InputError(f"training_size = {number}: {error}") from None
    if not 0 < number <= len(rows):
        raise InputError(f"training_size = {number}: {named_rows.name} names {len(rows):,} training rows")
    random.Random(ORDER).shuffle(rows)
    return rows[:number]
