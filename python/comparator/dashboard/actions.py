"""What may be done to an experiment from its page: stop it, and go on with it; each could be typed as a command."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from comparator.engine import jobs
from comparator.errors import InputError
from comparator.results.record import ALIVE, FrozenExperiment, State
from comparator.results.store import read_experiment
from comparator.site.folders import command_line

LOCAL = "local"
#: What a command that goes on with an experiment says, in the experiment's folder.
OUTPUT = "resumed.log"
#: So long is waited for a command that goes on with an experiment to be refused.
REFUSED_SECONDS = 2.0


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
    with (path / OUTPUT).open("wb") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    threading.Thread(target=process.wait, daemon=True).start()  # a child that nobody waits for never goes
    try:
        code = process.wait(REFUSED_SECONDS)
    except subprocess.TimeoutExpired:
        return "it goes on"
    if code != 0:
        said = (path / OUTPUT).read_text(errors="replace").strip().splitlines()
        raise InputError(said[-1] if said else f"the command ended with code {code}")
    return "it went on, and is done"


def commands(path: Path, root: Path, experiment: FrozenExperiment, state: State) -> list[dict[str, Any]]:
    """The commands that do the same, to be copied."""
    name = path.name
    words = [("Follow it in a terminal", ["watch", name])]
    if state.state in ALIVE:
        words.append(("Stop it; everything finished is kept", ["stop", name]))
    elif state.state != "finished" and not experiment.imported:
        words.append(("Go on with it", ["search", "--resume", name]))
    return [{"what": what, "command": command_line(path.parent, root, *each)} for what, each in words]
