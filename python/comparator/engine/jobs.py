"""What a launched experiment is doing, as its process, its lock or its scheduler has it, and how it is cancelled.

| scheduler | state of a job | cancels it | waits for another job |
|---|---|---|---|
| Slurm | `squeue --jobs ID` (squeue(1), JOB STATE CODES) | `scancel ID` | `--dependency=afterany:ID` |
| PBS | `qstat -f ID` (qstat(1B), `job_state`) | `qdel ID` | `-W depend=afterany:ID` |

What a scheduler says of a job is taken for what its documentation lists. Anything else, and no answer, is unknown: then
the experiment's last word stands.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.errors import ComparatorError, InputError
from comparator.results.lease import holder_of, lives
from comparator.results.points import done_in, values_of
from comparator.results.record import CONFIRM, FULL, Launched, State
from comparator.results.store import last_word, read_experiment, read_form, read_records, say
from comparator.strategies.strategy import SWEEPS

LAUNCH_FILE, JOB_FILE = "launch.json", "jobid.txt"
LAUNCH = re.compile(r"launch-([0-9]+)")
ASKING_SECONDS = 20.0
CANCELLING_SECONDS = 60.0
REPORT_SECONDS = 600.0
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
    states: Mapping[str, str]  # what each of its words means: queued, running or gone
    forgotten: re.Pattern[str]  # what `query` complains of where a job is over and forgotten
    answers: tuple[str, ...]  # a command that shows that the scheduler is there

    def state_of(self, job: str) -> str | None:
        """`queued`, `running` or `gone`; None where the scheduler does not say."""
        try:
            asked = _call(*self.query, job)
        except ComparatorError:
            return None
        match = self.state.search(asked.stdout)
        if match is not None:
            return self.states.get(match[1])
        knows_nothing = asked.returncode == 0 and not asked.stdout.strip()
        return "gone" if knows_nothing or self.forgotten.search(asked.stderr) else None

    def cancel_job(self, job: str) -> None:
        """Raises `ComparatorError` where the scheduler refuses, and the job is not over."""
        done = _call(*self.cancel, job)
        if done.returncode != 0 and self.state_of(job) != "gone":
            raise ComparatorError(f"{self.cancel[0]} {job}: {done.stderr.strip() or done.returncode}")


def _call(*command: str) -> subprocess.CompletedProcess[str]:
    """Raises `ComparatorError` where there is no such program, or it does not answer."""
    try:
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=ASKING_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ComparatorError(f"{command[0]}: no answer in {ASKING_SECONDS:.0f} seconds") from None
    except OSError as error:
        raise ComparatorError(f"{command[0]}: {error.strerror}") from None


def _meaning(**words: str) -> dict[str, str]:
    return {word: meaning for meaning, given in words.items() for word in given.split()}


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
        # squeue(1), JOB STATE CODES, of 22.05, and what later ones have: EXPEDITING, POWER_UP_NODE and the like.
        states=_meaning(
            queued="PENDING CONFIGURING REQUEUED REQUEUE_FED REQUEUE_HOLD RESV_DEL_HOLD SPECIAL_EXIT EXPEDITING"
            " POWER_UP_NODE",
            running="RUNNING COMPLETING RESIZING SIGNALING STAGE_OUT STOPPED SUSPENDED",
            gone="BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT"
            " LAUNCH_FAILED RECONFIG_FAIL",
        ),
        forgotten=re.compile(r"Invalid job id specified"),
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
        # qstat(1B) of PBS Pro and OpenPBS; C is TORQUE's. M, moved to another server, is a job that this one has lost.
        states=_meaning(queued="Q H W T", running="R B E S U", gone="F X C"),
        forgotten=re.compile(r"(?i)unknown job id|job has finished"),
        answers=("qstat",),
    ),
}


def state_of(path: Path) -> State:
    """What an experiment is doing: its last word, corrected where the process or the job that said it is gone.

    One that is interrupted, but whose record has all that was asked for, is finished. One whose next job waits or runs
    is queued or running.
    """
    said = last_word(path)
    if said.state in ALIVE:
        said = _as_it_is(path, said)
    if said.state == "interrupted" and _has_all(path):
        said = said.model_copy(update={"state": "finished", "reason": None})
    if said.state in ("new", "finished", *ALIVE):
        return said
    return said.model_copy(update=_next_job(path, said))


def _as_it_is(path: Path, said: State) -> State:
    scheduler, job = job_of(path, said)
    if scheduler is None:
        return said if _is_alive_here(path, said) else said.model_copy(update={"state": "interrupted"})
    now = None if job is None else scheduler.state_of(job)
    state = said.state if now is None else "interrupted" if now == "gone" else now
    return said.model_copy(update={"state": state, "job": job})


def _next_job(path: Path, said: State) -> dict[str, Any]:
    """State and job of the launch that is to go on with an experiment, where there is one."""
    folders = launches(path)
    names = [folder.name for folder in folders]
    if said.launch not in names:
        return {}
    for folder in folders[names.index(said.launch) + 1 :]:
        scheduler, job = job_of(path, State(launch=folder.name))
        now = scheduler.state_of(job) if scheduler is not None and job is not None else None
        if now in ALIVE:
            return {"state": now, "job": job, "reason": None}
    return {}


def _has_all(path: Path) -> bool:
    """Whether the record has all that was asked for, as far as that can be told without the search itself."""
    try:
        frozen, records = read_experiment(path), read_records(path / "evaluations.jsonl")
    except InputError:
        return False
    budget = frozen.budget.evaluations
    if budget is None or done_in(records) < budget:
        return False
    first, in_full = frozen.stages.first, sum(record.stage == FULL for record in records)
    if first is not None and in_full < min(first.points, len(values_of(records))):
        return False
    to_confirm = 0 if frozen.stages.confirm is None else frozen.stages.confirm.points
    confirmed = sum(record.stage == CONFIRM for record in records)
    is_sweep = frozen.strategy.name in SWEEPS
    has_baseline = frozen.kind != "single" or is_sweep or frozen.baseline is not None
    return confirmed >= to_confirm and has_baseline


def is_closing(path: Path) -> bool:
    """Whether what has finished an experiment still runs: it may be writing the report."""
    said = last_word(path)
    scheduler, job = job_of(path, said)
    now = None if scheduler is None or job is None else scheduler.state_of(job)
    if now is not None:
        return now == "running"
    # Later, the process's number may be another's, and a scheduler that does not answer may not be there any more.
    if time.time() - (path / "state.json").stat().st_mtime > REPORT_SECONDS:
        return False
    process = _process_of(path, said) if said.host == os.uname().nodename else None
    return scheduler is not None or (process is not None and lives(process))


def job_of(path: Path, said: State) -> tuple[Scheduler | None, str | None]:
    """The scheduler and the job's id of the launch that runs an experiment; None where there is no such thing."""
    launch = _launched(path, said)
    if launch is None or launch.site.scheduler not in SCHEDULERS:
        return None, None
    return SCHEDULERS[launch.site.scheduler], job_id(path / str(said.launch))


def _launched(path: Path, said: State) -> Launched | None:
    """The launch that an experiment's last word speaks of; None where there is none, or its file is damaged."""
    return None if said.launch is None else read_form(Launched, path / said.launch / LAUNCH_FILE)


def job_id(folder: Path) -> str | None:
    """The id that the scheduler gave the launch in `folder`; None before it has."""
    try:
        return (folder / JOB_FILE).read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def stop(path: Path) -> str:
    """Have a queued or running experiment stop; returns what was done. Raises `InputError` where that cannot be."""
    said = state_of(path)
    if said.state not in ALIVE:
        raise InputError(f"experiment '{path.name}' is not running: {said.state}")
    scheduler, _ = job_of(path, said)
    if scheduler is not None:
        return _cancel(path, said, scheduler)
    process = _process_of(path, said)
    if said.host != os.uname().nodename or process is None:
        raise InputError(f"experiment '{path.name}' runs on {said.host}; stop it there")
    os.kill(process, signal.SIGTERM)
    return "stopping"


def _cancel(path: Path, said: State, scheduler: Scheduler) -> str:
    """Cancel all jobs of an experiment, and wait until they are gone; raises `ComparatorError` where they are not."""
    folders = launches(path)
    jobs = [job for folder in folders if (job := job_id(folder)) and scheduler.state_of(job) != "gone"]
    if not jobs:
        raise ComparatorError(f"experiment '{path.name}': its job is not known yet; nothing was cancelled")
    for job in reversed(jobs):  # those that wait for others first
        scheduler.cancel_job(job)
    # The ranks may go on writing for a moment; the last word is to be this one.
    deadline = time.monotonic() + CANCELLING_SECONDS
    while left := [job for job in jobs if scheduler.state_of(job) != "gone"]:
        if time.monotonic() > deadline:
            asked = f"{' '.join(scheduler.cancel)} {' '.join(left)}"
            raise ComparatorError(f"{asked}: was accepted, but {scheduler.name} does not say that it is over")
        time.sleep(0.2)
    say(path, "stopped", said.running, "by hand", folders[-1].name)
    return f"cancelled job {', '.join(jobs)}"


def launches(path: Path) -> list[Path]:
    """The folders of an experiment's Swift/T launches, in their order."""
    numbered = [(int(match[1]), folder) for folder in path.glob("launch-*") if (match := LAUNCH.fullmatch(folder.name))]
    return [folder for _, folder in sorted(numbered)]


def _is_alive_here(path: Path, said: State) -> bool:
    if said.state == "running":
        return holder_of(path) is not None
    if said.host != os.uname().nodename:
        return True
    return said.pid is not None and lives(said.pid)


def _process_of(path: Path, said: State) -> int | None:
    """The process id of the command that carries an experiment out on this machine; None where it is not known."""
    launch = _launched(path, said)
    return said.pid if launch is None else launch.pid
