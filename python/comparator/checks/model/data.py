"""Whether a model's data can be prepared, and told from others."""

from __future__ import annotations

import time
from collections.abc import Generator

from comparator.checks.model.trial import Trial
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding, Findings
from comparator.formats.hyperparameters import as_flags
from comparator.model.fingerprint import content_of, tree_of
from comparator.model.reported import last_words
from comparator.model.training import Outcome

REAL = "; if it is this data set that does not suit, try a real one: --data FOLDER"


def check_data(trial: Trial) -> Generator[Finding, None, bool]:
    """Have `preprocess.sh` prepare the data folder, twice; gives whether there are data to go on with."""
    tiny = trial.bench.data_folder is None
    where = "a tiny benchmark made for this" if tiny else str(trial.data_folder)
    if trial.model.stages is not None:
        return (yield from _prepare_in_steps(trial, trial.model.stages.preprocess.script.name, where, tiny=tiny))
    if not trial.is_callable("preprocess.sh"):
        yield Finding("data", UNTESTED, f"{where}; nothing prepares it")
        return True
    seconds, was = [], _state(trial)
    for _ in range(2):
        folder, began = trial.new_folder("preprocess"), time.monotonic()
        reason = trial.call("preprocess.sh", [trial.seen(str(trial.data_folder)), *as_flags(trial.given())], folder)
        seconds.append(time.monotonic() - began)
        if reason is not None:
            yield Finding("data", FAILS, f"preprocess.sh on {where}: {reason}{REAL if tiny else ''}")
            return False
    took = "{:.1f} s, a second call took {:.1f} s".format(*seconds)
    if was is None or _state(trial) != was:
        yield Finding("data", HOLDS, f"{where}; prepared in {took}")
    else:
        said = last_words(folder / "model.log")
        words = f"preprocess.sh ended well, and left the data folder as it was{f': {said}' if said else ''}"
        yield Finding("data", UNTESTED if tiny and said else HOLDS, f"{where}; {words}")
    return True


def _state(trial: Trial) -> str | None:
    """What changes when something is written into the data folder; None where that cannot be told."""
    return tree_of([("", trial.data_folder)]).digest


def _prepare_in_steps(trial: Trial, script: str, where: str, *, tiny: bool) -> Generator[Finding, None, bool]:
    """Have the first of three steps preprocess the data, and find them preprocessed."""
    began = time.monotonic()
    made = trial.prepare()
    took = time.monotonic() - began
    if isinstance(made, Outcome):
        log = trial.folders[-1] / "model.log"
        yield Finding("data", FAILS, f"{where}: {made.reason} (log: {log}){REAL if tiny else ''}")
        return False
    again = trial.prepare()
    kept = "every training of equal data reads them" if again == made else "a second call made them anew"
    yield Finding("data", HOLDS, f"{where}; preprocessed by {script} in {took:.1f} s, and kept: {kept}")
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
