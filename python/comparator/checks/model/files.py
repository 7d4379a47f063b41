"""Whether a model writes where it may: into its data folder and the folder of the run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from comparator.checks.model.bench import RUNS
from comparator.checks.model.trial import Trial
from comparator.formats.finding import FAILS, HOLDS, Finding, listed
from comparator.model.fingerprint import NOT_COUNTED
from comparator.model.model import Model

#: Size and time of each file.
Listing = Mapping[Path, tuple[int, int]]


def own_files(model: Model) -> Listing:
    """Every file of the model's own; an image's cannot be written."""
    roots = [] if model.image else [model.path, *model.python_path] if model.is_folder else [model.path.parent]
    own = None if model.python is None else model.python.folder
    found = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(set(folders) - NOT_COUNTED) if model.is_folder else []
            folders[:] = [name for name in folders if Path(folder, name) != own]
            for path in (Path(folder, name) for name in names if not name.endswith(".pyc")):
                status = path.lstat()
                found[path] = (status.st_size, status.st_mtime_ns)
    return found


def check_files(trial: Trial, before: Listing) -> Finding:
    """What has changed since `before`, and what was written beside the folders of runs."""
    after = own_files(trial.model)
    changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
    # Beside the folder of a run, which is where it is started.
    runs = trial.bench.folder / RUNS
    changed += [path for path in runs.iterdir() if path not in trial.folders] if runs.is_dir() else []
    if changed:
        mend = "a model's files are its identity, and images are read-only: write to output_dir"
        words = f"written outside the data folder and the run's: {listed(sorted(map(str, changed)))}; {mend}"
        return Finding("files", FAILS, words)
    return Finding("files", HOLDS, "nothing is written outside the data folder and the run's")
