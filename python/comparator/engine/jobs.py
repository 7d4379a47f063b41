"""What an experiment is doing, as its process, its lock or its job has it, and how it is stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comparator.engine.engines import ENGINES
from comparator.engine.interface import Job
from comparator.engine.launches import launches, read_launch
from comparator.errors import ComparatorError, InputError
from comparator.results.experiments import read_experiment
from comparator.results.holder import lives
from comparator.results.lease import holder_of
from comparator.results.points import latest_of
from comparator.results.record import CONFIRM, FULL
from comparator.results.record_file import read_records
from comparator.results.state import ALIVE, State, last_word, say_ended
from comparator.results.tally import done_in, pairs_in, pairs_to_confirm
from comparator.strategies.strategy import SWEEPS

CANCELLING_SECONDS = 60.0
REPORT_SECONDS = 600.0


def state_of(path: Path) -> State:
    """What an experiment is doing: its last word, corrected where the process or the job that said it is gone.

    One that is interrupted, but whose record has all that was asked for, is finished. One whose next job waits or runs
    is queued or running.
    """
    said = last_word(path)
    if said.state in ALIVE:
        said = _as_it_is(path, said)
    if said.state == "interrupted" and has_all(path):
        said = said.model_copy(update={"state": "finished", "reason": None})
    if said.state in ("new", "finished", *ALIVE):
        return said
    return said.model_copy(update=_next_job(path, said))


def _as_it_is(path: Path, said: State) -> State:
    job = job_of(path, said.launch)
    if job is None:
        return said if _is_alive_here(path, said) else said.model_copy(update={"state": "interrupted"})
    now = job.state()
    state = said.state if now is None else "interrupted" if now == "gone" else now
    return said.model_copy(update={"state": state, "job": job.id})


def _next_job(path: Path, said: State) -> dict[str, Any]:
    """State and job of the launch that is to go on with an experiment, where there is one."""
    names = [folder.name for folder in launches(path)]
    if said.launch not in names:
        return {}
    for name in names[names.index(said.launch) + 1 :]:
        job = job_of(path, name)
        now = None if job is None else job.state()
        if job is not None and now in ALIVE:
            return {"state": now, "job": job.id, "reason": None}
    return {}


def has_all(path: Path) -> bool:
    """Whether the record has all that was asked for, as far as that can be told without the search itself."""
    try:
        frozen, records = read_experiment(path), read_records(path / "evaluations.jsonl")
    except InputError:
        return False
    budget = frozen.budget.evaluations
    if budget is None or done_in(records) < budget:
        return False
    first, in_full = frozen.stages.first, sum(record.stage == FULL for record in records)
    if first is not None and in_full < min(first.points, len(latest_of(records))):
        return False
    to_confirm = 0 if frozen.stages.confirm is None else frozen.stages.confirm.points
    trying = [record for record in records if record.stage == CONFIRM]
    is_sweep = frozen.strategy.name in SWEEPS
    has_baseline = frozen.kind != "single" or is_sweep or not frozen.space or frozen.baseline is not None
    is_tried = len(trying) >= to_confirm and pairs_in(trying) >= pairs_to_confirm(frozen.claims or (), records)
    return is_tried and has_baseline


def is_closing(path: Path) -> bool:
    """Whether what has finished an experiment still runs: it may be writing the report."""
    said = last_word(path)
    job = job_of(path, said.launch)
    now = None if job is None else job.state()
    if now is not None:
        return now == "running"
    # Later, the process's number may be another's, and a scheduler that does not answer may not be there any more.
    try:
        changed = (path / "state.json").stat().st_mtime
    except OSError:  # it may be removed at this moment
        return False
    if time.time() - changed > REPORT_SECONDS:
        return False
    process = _process_of(path, said) if said.host == os.uname().nodename else None
    return job is not None or (process is not None and lives(process))


def job_of(path: Path, launch: str | None) -> Job | None:
    """The job that carries out a launch of an experiment; None where a process of this machine does, or did."""
    launched = None if launch is None else read_launch(path / launch)
    engine = None if launched is None else ENGINES.get(launched.engine)
    return None if engine is None else engine.job(path / str(launch))


def stop(path: Path) -> str:
    """Have a queued or running experiment stop; returns what was done. Raises `InputError` where that cannot be."""
    said = state_of(path)
    if said.state not in ALIVE:
        raise InputError(f"experiment '{path.name}' is not running: {said.state}")
    if job_of(path, said.launch) is not None:
        return _cancel(path, said)
    process = _process_of(path, said)
    if said.host != os.uname().nodename or process is None:
        raise InputError(f"experiment '{path.name}' runs on {said.host}; stop it there")
    os.kill(process, signal.SIGTERM)
    return "stopping"


def _cancel(path: Path, said: State) -> str:
    """Cancel all jobs of an experiment, and wait until they are gone; raises `ComparatorError` where they are not."""
    folders = launches(path)
    found = [job_of(path, folder.name) for folder in folders]
    jobs = [job for job in found if job is not None and job.id is not None and job.state() != "gone"]
    if not jobs:
        raise ComparatorError(f"experiment '{path.name}': its job is not known yet; nothing was cancelled")
    for job in reversed(jobs):  # those that wait for others first
        job.cancel()
    # The ranks may go on writing for a moment; the last word is to be this one.
    deadline = time.monotonic() + CANCELLING_SECONDS
    while left := [job for job in jobs if job.state() != "gone"]:
        if time.monotonic() > deadline:
            raise ComparatorError(
                f"the cancelling of job {_ids(left)} was accepted, but {left[0].of} does not say that it is over"
            )
        time.sleep(0.2)
    say_ended(path, said, "stopped", "by hand", folders[-1].name)
    return f"cancelled job {_ids(jobs)}"


def _ids(jobs: Sequence[Job]) -> str:
    return ", ".join(str(job.id) for job in jobs)


def _is_alive_here(path: Path, said: State) -> bool:
    if said.state == "running":
        return holder_of(path) is not None
    if said.host != os.uname().nodename:
        return True
    return said.pid is not None and lives(said.pid)


def _process_of(path: Path, said: State) -> int | None:
    """The process id of the command that carries an experiment out on this machine; None where it is not known."""
    launched = None if said.launch is None else read_launch(path / said.launch)
    return said.pid if launched is None else launched.pid
