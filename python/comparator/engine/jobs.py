"""What a launched experiment is doing, as its process, its lock or its scheduler has it, and how it is cancelled.

| scheduler | state of a job | cancels it | waits for another job |
|---|---|---|---|
| Slurm | `squeue --jobs ID` (squeue(1), JOB STATE CODES) | `scancel ID` | `--dependency=afterany:ID` |
| PBS | `qstat -f ID` (qstat(1B), `job_state`) | `qdel ID` | `-W depend=afterany:ID` |
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.errors import ComparatorError, InputError
from comparator.store import is_locked, last_word, read_json, say

LAUNCH_FILE, JOB_FILE = "launch.json", "jobid.txt"
ASKING_SECONDS = 20.0
CANCELLING_SECONDS = 60.0
ALIVE = ("queued", "running")


@dataclass(frozen=True)
class Scheduler:
    """The commands of one scheduler."""

    name: str
    mark: str  # what begins a directive in its job scripts
    query: tuple[str, ...]
    submit: str
    cancel: tuple[str, ...]
    one_node: tuple[str, ...]  # the directives of a job of one node
    queue: str
    project: str
    after: str  # the directive that has a job wait for another one's end
    state: re.Pattern[str]  # finds the state in what `query` prints
    queued: tuple[str, ...]
    running: tuple[str, ...]
    answers: tuple[str, ...]  # a command that shows that the scheduler is there

    def state_of(self, job: str) -> str | None:
        """`queued`, `running` or `gone`; None where the scheduler does not say."""
        if shutil.which(self.query[0]) is None:
            return None
        try:
            asked = subprocess.run(
                [*self.query, job],
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=ASKING_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        match = self.state.search(asked.stdout)
        if match is None:
            unknown_job = asked.returncode == 0 or re.search(r"(?i)invalid|unknown|finished", asked.stderr)
            return "gone" if unknown_job else None
        return "queued" if match[1] in self.queued else "running" if match[1] in self.running else "gone"

    def cancel_job(self, job: str) -> None:
        """Raises `ComparatorError` where the scheduler refuses."""
        try:
            done = subprocess.run(
                [*self.cancel, job], capture_output=True, encoding="utf-8", errors="replace", check=False
            )
        except OSError as error:
            raise ComparatorError(f"{self.cancel[0]}: {error.strerror}") from None
        if done.returncode != 0:
            raise ComparatorError(f"{self.cancel[0]} {job}: {done.stderr.strip() or done.returncode}")


SCHEDULERS = {
    "slurm": Scheduler(
        name="Slurm",
        mark="#SBATCH",
        query=("squeue", "--noheader", "--format=%T", "--jobs"),
        submit="sbatch",
        cancel=("scancel",),
        one_node=("--nodes=1", "--time={walltime}", "--output={output}"),
        queue="--partition={name}",
        project="--account={name}",
        after="--dependency=afterany:{job}",
        state=re.compile(r"^([A-Z_]+)\s*$", re.MULTILINE),
        queued=("PENDING", "REQUEUED", "CONFIGURING"),
        running=("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED"),
        answers=("sinfo", "--noheader"),
    ),
    "pbs": Scheduler(
        name="PBS",
        mark="#PBS",
        query=("qstat", "-f"),
        submit="qsub",
        cancel=("qdel",),
        one_node=("-l select=1", "-l walltime={walltime}", "-j oe", "-o {output}"),
        queue="-q {name}",
        project="-A {name}",
        after="-W depend=afterany:{job}",
        state=re.compile(r"job_state = ([A-Z])"),
        queued=("Q", "H", "W", "T"),
        running=("R", "E", "S"),
        answers=("qstat",),
    ),
}


def state_of(path: Path) -> dict[str, Any]:
    """What an experiment is doing: its last word, corrected where the process or the job that said it is gone."""
    said = last_word(path)
    if said["state"] not in ALIVE:
        return said
    scheduler, job = job_of(path, said)
    if scheduler is None:
        return said if _is_alive_here(path, said) else {**said, "state": "interrupted"}
    now = None if job is None else scheduler.state_of(job)
    return {**said, "state": {None: said["state"], "gone": "interrupted"}.get(now, now), "job": job}


def job_of(path: Path, said: Mapping[str, Any]) -> tuple[Scheduler | None, str | None]:
    """The scheduler and the job's id of the launch that runs an experiment; None where there is no such thing."""
    launch = said["launch"] and read_json(path / said["launch"] / LAUNCH_FILE)
    if not launch or launch["site"]["scheduler"] == "none":
        return None, None
    return SCHEDULERS[launch["site"]["scheduler"]], job_id(path / said["launch"])


def job_id(folder: Path) -> str | None:
    """The id that the scheduler gave the launch in `folder`; None before it has."""
    try:
        return (folder / JOB_FILE).read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def stop(path: Path) -> str:
    """Have a queued or running experiment stop; returns what was done. Raises `InputError` where that cannot be."""
    said = state_of(path)
    if said["state"] not in ALIVE:
        raise InputError(f"experiment '{path.name}' is not running: {said['state']}")
    scheduler, _ = job_of(path, said)
    if scheduler is not None:
        jobs = [job for folder in launches(path) if (job := job_id(folder)) and scheduler.state_of(job) != "gone"]
        for job in reversed(jobs):  # those that wait for others first
            scheduler.cancel_job(job)
        # The ranks may go on writing for a moment; the last word is to be this one.
        deadline = time.monotonic() + CANCELLING_SECONDS
        while jobs and scheduler.state_of(jobs[0]) in ALIVE and time.monotonic() < deadline:
            time.sleep(0.2)
        say(path, "stopped", said["running"], "by hand", said["launch"])
        return f"cancelled job {', '.join(jobs)}"
    launch = said["launch"] and read_json(path / said["launch"] / LAUNCH_FILE)
    if said["host"] != os.uname().nodename:
        raise InputError(f"experiment '{path.name}' runs on {said['host']}; stop it there")
    os.kill(launch["pid"] if launch else said["pid"], signal.SIGTERM)
    return "stopping"


def launches(path: Path) -> list[Path]:
    """The folders of an experiment's Swift/T launches, in their order."""
    return sorted(path.glob("launch-*"), key=lambda folder: int(folder.name.partition("-")[2]))


def _is_alive_here(path: Path, said: Mapping[str, Any]) -> bool:
    if said["state"] == "running":
        return is_locked(path)
    if said["host"] != os.uname().nodename:
        return True
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(said["pid"], 0)
        return True
    return False
