"""The schedulers that take jobs on clusters: their commands, and what they say of a job.

| scheduler | state of a job | cancels it | waits for another job |
|---|---|---|---|
| Slurm | `squeue --jobs ID` (squeue(1), JOB STATE CODES) | `scancel ID` | `--dependency=afterany:ID` |
| PBS | `qstat -f ID` (qstat(1B), `job_state`) | `qdel ID` | `-W depend=afterany:ID` |

What a scheduler says of a job is taken for what its documentation lists. Anything else, and no answer, is unknown.

A further one is a class with the facts of `Scheduler`, and a line in `SCHEDULERS` or in the `pyproject.toml` of another
package (`Registry`). Its name there is that of SITE_SCHEDULER, and the one by which Swift/T knows it (`swift-t -m`).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from typing import ClassVar

from comparator.errors import ComparatorError
from comparator.extensions.registry import Registry

ASKING_SECONDS = 20.0


class Scheduler:
    """What there is to know of one scheduler."""

    #: Whether there are nodes that it gives to jobs, other than the host where commands are typed.
    takes_jobs: ClassVar[bool] = True
    #: What people call it.
    name: ClassVar[str]
    #: What begins a directive in its job scripts.
    mark: ClassVar[str]
    #: The program that takes a job script.
    submit: ClassVar[str]
    #: The command, without the job's id, that tells what a job is doing, and what finds the state in its answer.
    query: ClassVar[tuple[str, ...]]
    state: ClassVar[re.Pattern[str]]
    #: What each word for a state means: `queued`, `running` or `gone`.
    states: ClassVar[Mapping[str, str]]
    #: What `query` complains of where a job is over and forgotten.
    forgotten: ClassVar[re.Pattern[str]]
    #: The command, without the job's id, that cancels a job.
    cancel: ClassVar[tuple[str, ...]]
    #: The directives of a job of one node, whose output goes to {output}, for {walltime} (HH:MM:SS) at most.
    one_node: ClassVar[tuple[str, ...]]
    #: The directives that name a queue and a project, {name}, and that have a job wait for the end of another, {job}.
    queue: ClassVar[str]
    project: ClassVar[str]
    after: ClassVar[str]
    #: A command that shows that the scheduler is there.
    answers: ClassVar[tuple[str, ...]]
    #: A variable that is set in its jobs alone.
    in_a_job: ClassVar[str]
    #: What a job that runs ranks finds in its environment besides.
    environment: ClassVar[Mapping[str, str]] = {}

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


def meanings(**words: str) -> dict[str, str]:
    """`meanings(queued="Q H", running="R")` gives `{"Q": "queued", "H": "queued", "R": "running"}`."""
    return {word: meaning for meaning, given in words.items() for word in given.split()}


class NoScheduler(Scheduler):
    """A machine without one: what runs there runs on the host where it is typed."""

    takes_jobs = False
    name = "none"


class Slurm(Scheduler):
    """Slurm, of 22.05; words of states that later ones have too: EXPEDITING, POWER_UP_NODE and the like."""

    name = "Slurm"
    mark = "#SBATCH"
    submit = "sbatch"
    query = ("squeue", "--noheader", "--format=%T", "--jobs")
    state = re.compile(r"^([A-Z_]+)\s*$", re.MULTILINE)
    states = meanings(
        queued="PENDING CONFIGURING REQUEUED REQUEUE_FED REQUEUE_HOLD RESV_DEL_HOLD SPECIAL_EXIT EXPEDITING"
        " POWER_UP_NODE",
        running="RUNNING COMPLETING RESIZING SIGNALING STAGE_OUT STOPPED SUSPENDED",
        gone="BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT"
        " LAUNCH_FAILED RECONFIG_FAIL",
    )
    forgotten = re.compile(r"Invalid job id specified")
    cancel = ("scancel",)
    one_node = ("--nodes=1", "--time={walltime}", "--output={output}")
    queue = "--partition={name}"
    project = "--account={name}"
    after = "--dependency=afterany:{job}"
    answers = ("sinfo", "--noheader")
    in_a_job = "SLURM_JOB_ID"
    #: It has srun(1) end all ranks when one ends badly. The mpiexec of MPICH, of Open MPI and of PALS does so unasked.
    environment: ClassVar[Mapping[str, str]] = {"SLURM_KILL_BAD_EXIT": "1"}


class PBS(Scheduler):
    """PBS Pro and OpenPBS; the state C is TORQUE's. M, moved to another server, is a job that this one has lost."""

    name = "PBS"
    mark = "#PBS"
    submit = "qsub"
    query = ("qstat", "-f")
    state = re.compile(r"job_state = ([A-Z])")
    states = meanings(queued="Q H W T", running="R B E S U", gone="F X C")
    forgotten = re.compile(r"(?i)unknown job id|job has finished")
    cancel = ("qdel",)
    one_node = ("-l select=1", "-l walltime={walltime}", "-j oe", "-o {output}")
    queue = "-q {name}"
    project = "-A {name}"
    after = "-W depend=afterany:{job}"
    answers = ("qstat",)
    in_a_job = "PBS_JOBID"


SCHEDULERS: Registry[type[Scheduler]] = Registry(
    "comparator.schedulers", {"none": NoScheduler, "slurm": Slurm, "pbs": PBS}
)
