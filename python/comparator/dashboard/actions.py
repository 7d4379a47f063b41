"""What may be done to an experiment from its page, as by a command: stop it, go on with it, note something of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparator.dashboard.steering import LOCAL, started
from comparator.engine import jobs
from comparator.errors import InputError
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.notes import Notes, changed, read_notes, write_notes
from comparator.results.state import ALIVE, State
from comparator.site.folders import command_line

#: What a command that goes on with an experiment says, in the experiment's folder.
OUTPUT = "resumed.log"


def stop(path: Path) -> str:
    """Have an experiment stop; says what was done. Raises `ComparatorError` where that cannot be."""
    return jobs.stop(path)


def may_stop(state: State) -> bool:
    """Whether an experiment can be stopped from here."""
    return state.state in ALIVE and (state.job is not None or state.host == os.uname().nodename)


def why_not_resumed(experiment: FrozenExperiment, state: State) -> str | None:
    """Why an experiment cannot be gone on with from its page; None where it can."""
    provenance = experiment.provenance
    if experiment.imported:
        return "it was imported"
    if state.state not in ("stopped", "interrupted", "failed"):
        return f"it is {state.state}"
    if provenance.engine not in (LOCAL, None) or provenance.site not in (LOCAL, None):
        return "it ran elsewhere: go on with it there"
    return None


def resume(path: Path) -> str:
    """Start a process of its own that goes on with an experiment; says what was done. Raises `InputError`."""
    why_not = why_not_resumed(read_experiment(path), jobs.state_of(path))
    if why_not is not None:
        raise InputError(f"experiment '{path.name}' is not gone on with: {why_not}")
    words = [sys.executable, "-m", "comparator", "search", "--resume", path.name, "--experiments", str(path.parent)]
    return started(words, path / OUTPUT, None, "it goes on")


def note(path: Path, given: Mapping[str, Any]) -> str:
    """Give an experiment the `tags` and the `text`; says what was done.

    `was` has those that whoever gives them has seen: raises `InputError` where they are others meanwhile, and where
    these cannot be any.
    """
    tags, text = given.get("tags"), given.get("text")
    if not isinstance(text, str) or not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InputError("a note has tags, a list of texts, and a text")
    notes, now = changed(Notes(), text, tags), read_notes(path)
    if given.get("was") != {"tags": list(now.tags), "text": now.text}:
        raise InputError("tags and note were changed meanwhile, elsewhere: look at them again")
    write_notes(path, notes)
    return "noted"


def commands(path: Path, root: Path, experiment: FrozenExperiment, state: State) -> list[dict[str, Any]]:
    """The commands that do the same, to be copied."""
    name = path.name
    words = [("Follow it in a terminal", ["watch", name])]
    if state.state in ALIVE:
        words.append(("Stop it; everything finished is kept", ["stop", name]))
    elif state.state != "finished" and not experiment.imported:
        words.append(("Go on with it", ["search", "--resume", name]))
    return [{"what": what, "command": command_line(path.parent, root, *each)} for what, each in words]
