"""The experiments of a folder by their names, and what each froze when it began."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TypeVar

from comparator.errors import InputError, nearest, nearest_names
from comparator.formats.names import check_name
from comparator.formats.text import shortened
from comparator.results.files import read_json
from comparator.results.form import of_form
from comparator.results.frozen import FORMAT, FrozenExperiment, WholeExperiment
from comparator.site.folders import no_such_folder

EXPERIMENT = "experiment.json"
#: Names of experiments in a message that there is none of a name.
MOST_TOLD = 8
AnyExperiment = TypeVar("AnyExperiment", bound=FrozenExperiment)


def experiment_path(experiments: Path, identifier: str) -> Path:
    """The folder of an existing experiment; raises `InputError` with the nearest name."""
    path = experiments / check_name(identifier, "id")
    if not (path / EXPERIMENT).exists():
        known = experiment_names(experiments)
        told = list(dict.fromkeys([*nearest_names(identifier, known, most=MOST_TOLD), *reversed(known)]))[:MOST_TOLD]
        more = f" and {len(known) - len(told)} more" if len(known) > len(told) else ""
        there = f"; there are: {', '.join(told)}{more}" if known else f"; there is {_nothing_in(experiments)}"
        raise InputError(f"no experiment '{shortened(identifier)}' in {experiments}{nearest(identifier, known)}{there}")
    return path


def _nothing_in(experiments: Path) -> str:
    return "none yet" if experiments.is_dir() else no_such_folder(experiments)


def read_experiment(path: Path) -> FrozenExperiment:
    """The frozen experiment in the folder `path`.

    Raises `InputError` where there is none, or it is damaged, or of a later version.
    """
    return _read_experiment(path, FrozenExperiment)


def read_whole_experiment(path: Path) -> WholeExperiment:
    """The same, where it has all that it takes to go on with it; raises `InputError` where it has not."""
    return _read_experiment(path, WholeExperiment)


def _read_experiment(path: Path, form: type[AnyExperiment]) -> AnyExperiment:
    file = path / EXPERIMENT
    try:
        content = read_json(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    if content is None:
        raise InputError(f"{file}: {'is not a whole experiment' if file.exists() else 'no such file'}")
    given = content.get("format") if isinstance(content, dict) else None
    if isinstance(given, int) and given > FORMAT:
        raise InputError(f"{file}: its format is {given}, of a later version; this one reads {FORMAT}")
    return of_form(form, content, str(file))


def hidden_experiments(experiments: Path) -> list[str]:
    """The names of what lies among the experiments and may not be looked into."""
    return sorted(
        path.name for path in experiments.glob("[!.]*") if path.is_dir() and not os.access(path, os.R_OK | os.X_OK)
    )


def experiment_names(experiments: Path) -> list[str]:
    """The ids of all experiments, oldest first."""
    changed = {}
    for file in experiments.glob(f"[!.]*/{EXPERIMENT}"):
        with contextlib.suppress(OSError):  # it may be removed at this moment
            changed[file.parent.name] = file.stat().st_mtime
    return sorted(changed, key=lambda name: changed[name])
