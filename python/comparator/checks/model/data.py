"""Whether a model's data can be prepared, and told from others."""

from __future__ import annotations

import time
from collections.abc import Generator

from comparator.checks.model.trial import Trial
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding, Findings
from comparator.formats.hyperparameters import as_flags
from comparator.model.fingerprint import content_of


def check_data(trial: Trial) -> Generator[Finding, None, bool]:
    """Have `preprocess.sh` prepare the data folder, twice; gives whether there are data to go on with."""
    tiny = trial.bench.data_folder is None
    where = "a tiny benchmark made for this" if tiny else str(trial.data_folder)
    if not trial.is_callable("preprocess.sh"):
        yield Finding("data", UNTESTED, f"{where}; nothing prepares it")
        return True
    seconds = []
    for _ in range(2):
        folder, began = trial.new_folder("preprocess"), time.monotonic()
        reason = trial.call("preprocess.sh", [trial.seen(str(trial.data_folder)), *as_flags(trial.given())], folder)
        seconds.append(time.monotonic() - began)
        if reason is not None:
            real = "; if it is this data set that does not suit, try a real one: --data FOLDER" if tiny else ""
            yield Finding("data", FAILS, f"preprocess.sh on {where}: {reason}{real}")
            return False
    took = "prepared in {:.1f} s, a second call took {:.1f} s".format(*seconds)
    yield Finding("data", HOLDS, f"{where}; {took}")
    return True


def check_manifest(trial: Trial) -> Findings:
    manifest = trial.model.description.data_manifest
    if manifest is None:
        return
    path = trial.data_folder / manifest
    there = content_of(path) is not None
    if not there or not path.stat().st_size:
        what = "this file is empty" if there else "there is no such file in the data folder"
        words = f"data_manifest = '{manifest}': {what} after preprocess.sh"
        yield Finding("data_manifest", FAILS, f"{words}; without it, runs on other data pass for the same")
    else:
        yield Finding("data_manifest", HOLDS, f"{manifest} is there, to tell one data set from another")
