"""The schedulers that take jobs on clusters: their commands, and what they say of a job.

| scheduler | state of a job | cancels it | waits for another job |
|---|---|---|---|
| Slurm | `squeue --jobs ID` (squeue(1), JOB STATE CODES) | `scancel ID` | `--dependency=afterany:ID` |
| PBS | `qstat -f ID` (qstat(1B), `job_state`) | `qdel ID` | `-W depend=afterany:ID` |

What a scheduler says of a job is taken for what its documentation lists. Anything else, and no answer, is unknown.

A further one is a class with the facts of `Scheduler`, and a line in `SCHEDULERS` or in the `pyproject.toml` of another
package (`Registry`). Its name there is that of SITE_SCHEDULER, and, where Swift/T writes its job scripts, the one by
which that knows it (`swift-t -m`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from comparator.errors import ComparatorError
from comparator.extensions.registry import Registry
from comparator.site import pbs_rules
from comparator.site.programs import reason_in, try_command

ASKING_SECONDS = 20.0
JOB_ID = re.compile(r"\d[\w.\[\]-]*")
QUEUE_OR_PROJECT = r"\{queue\}|\{project\}"


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
    #: Those of a job of {nodes} nodes with {ranks_per_node} ranks on each, {ranks} in all, of {devices} devices a node;
    #: none where only Swift/T knows how to write its scripts.
    job: ClassVar[tuple[str, ...]] = ()
    #: The program that starts their ranks, where it is not to be the one that Swift/T was built with.
    launcher: ClassVar[str] = ""
    #: What tells that program how many there are, where the site need not say so itself.
    launch: ClassVar[str] = ""
    #: The directives that name a queue and a project, {name}, and that have a job wait for the end of another, {job}.
    queue: ClassVar[str]
    project: ClassVar[str]
    after: ClassVar[str]
    #: By what `faults` tries a job's script; nothing where it does not.
    tried_by: ClassVar[str] = ""
    #: A command that shows that the scheduler is there, and what it complains of where its programs alone are.
    answers: ClassVar[tuple[str, ...]]
    unconfigured: ClassVar[re.Pattern[str] | None] = None
    #: A variable that is set in its jobs alone.
    in_a_job: ClassVar[str]
    #: What a job that runs ranks finds in its environment besides.
    environment: ClassVar[Mapping[str, str]] = {}

    def directives(self, asked: Mapping[str, str], own: Sequence[str]) -> list[str]:
        """The lines that ask for a job, without their mark.

        `asked` has what stands for each name in braces, `own` are the site's lines. What one of those asks for is not
        asked for twice, and a line with a name for which nothing is asked is left out.
        """
        named = (
            self.queue.format(name="{queue}"),
            self.project.format(name="{project}"),
            self.after.format(job="{after}"),
        )
        taken = {key for line in own for key in self.keys(line)}
        lines = []
        for line in (*self.job, *named):
            filled = _fill(line, asked)
            if filled is not None and not taken & {*self.keys(line)}:
                taken.update(self.keys(line))
                lines.append(filled)
        return [*lines, *(filled for line in own if (filled := _fill(line, asked)) is not None)]

    def keys(self, line: str) -> list[str]:
        """What a directive asks for: two with one in common are not for one script."""
        option = re.split(r"[\s=]", line, maxsplit=1)[0]
        return [option, *re.findall(QUEUE_OR_PROJECT, line)]

    def why_silent(self, said: str) -> str:
        """Why it does not answer, in a line, by what its programs said."""
        if self.unconfigured is not None and self.unconfigured.search(said):
            return (
                f"{self.name}'s programs are here, but they know of no {self.name}: this host can submit no jobs to it"
            )
        return f"{self.name} does not answer: {reason_in(said)}"

    def faults(self, script: Path, environment: Mapping[str, str]) -> list[str]:
        """What the scheduler would say against a job script, which is not handed in; none where it takes it."""
        return []

    def hand_in(self, script: Path, environment: Mapping[str, str]) -> str:
        """Submit a job script; returns the job's id. Raises `ComparatorError` where it is not taken."""
        done = try_command([self.submit, str(script)], environment, seconds=None)
        job = JOB_ID.search(done.stdout)
        if done.returncode != 0 or job is None:
            said = done.stderr + done.stdout
            if self.unconfigured is not None and self.unconfigured.search(said):
                raise ComparatorError(self.why_silent(said))
            raise ComparatorError(f"the job was not taken: {reason_in(said)} (see {script})")
        return job[0]

    def state_of(self, job: str) -> str | None:
        """`queued`, `running` or `gone`; None where the scheduler does not say."""
        asked = try_command([*self.query, job], seconds=ASKING_SECONDS)
        match = self.state.search(asked.stdout)
        if match is not None:
            return self.states.get(match[1])
        knows_nothing = asked.returncode == 0 and not asked.stdout.strip()
        return "gone" if knows_nothing or self.forgotten.search(asked.stderr) else None

    def cancel_job(self, job: str) -> None:
        """Raises `ComparatorError` where the scheduler refuses, and the job is not over."""
        done = try_command([*self.cancel, job], seconds=ASKING_SECONDS)
        if done.returncode != 0 and self.state_of(job) != "gone":
            raise ComparatorError(f"{self.cancel[0]} {job}: {done.stderr.strip() or done.returncode}")


def _fill(line: str, asked: Mapping[str, str]) -> str | None:
    """A line with what is asked in the place of its names; None where one of them has nothing."""
    names = [name for name in asked if f"{{{name}}}" in line]
    if not all(asked[name] for name in names):
        return None
    for name in names:
        line = line.replace(f"{{{name}}}", asked[name])
    return line


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
    job = (
        "--job-name={name}",
        "--output={output}",
        "--nodes={nodes}",
        "--ntasks={ranks}",
        "--ntasks-per-node={ranks_per_node}",
        "--time={walltime}",
    )
    launcher = "srun"
    launch = "--nodes={nodes} --ntasks={ranks} --ntasks-per-node={ranks_per_node}"
    queue = "--partition={name}"
    project = "--account={name}"
    after = "--dependency=afterany:{job}"
    tried_by = "sbatch --test-only"
    answers = ("sinfo", "--noheader")
    unconfigured = re.compile(r"Could not establish a configuration source")
    in_a_job = "SLURM_JOB_ID"
    #: It has srun(1) end all ranks when one ends badly. The mpiexec of MPICH, of Open MPI and of PALS does so unasked.
    environment: ClassVar[Mapping[str, str]] = {"SLURM_KILL_BAD_EXIT": "1"}

    def faults(self, script: Path, environment: Mapping[str, str]) -> list[str]:
        """What `sbatch --test-only` says (sbatch(1)): it looks at partition, account, limits and nodes."""
        done = try_command([self.submit, "--test-only", str(script)], environment)
        said = [line.removeprefix("sbatch: error: ").strip() for line in (done.stderr + done.stdout).splitlines()]
        return [] if done.returncode == 0 else [each for each in said if each] or [f"exit status {done.returncode}"]


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
    #: With its environment, as Slurm's jobs have it unasked.
    job = (
        "-N {name}",
        "-l select={nodes}:ncpus={ranks_per_node}:ngpus={devices}:mpiprocs={ranks_per_node}",
        "-l select={nodes}:ncpus={ranks_per_node}:mpiprocs={ranks_per_node}",  # where there are no devices
        "-l place=scatter",
        "-l walltime={walltime}",
        "-j oe",
        "-k doe",  # written as it comes, where -o says
        "-o {output}",
        "-V",
    )
    queue = "-q {name}"
    project = "-A {name}"
    after = "-W depend=afterany:{job}"
    tried_by = "the rules of qsub, and what its server has"
    answers = ("qstat",)
    in_a_job = "PBS_JOBID"

    def keys(self, line: str) -> list[str]:
        """Of `-l` the resources; `nodes` is the old word for `select`, and says where they are placed as well."""
        names = [name for option, _ in pbs_rules.options(line) or () if (name := option) != "-l"]
        for name, _ in pbs_rules.resources(line):
            names += ["select", "place"] if name == "nodes" else [name]
        return [*names, *re.findall(QUEUE_OR_PROJECT, line)]

    def faults(self, script: Path, environment: Mapping[str, str]) -> list[str]:
        """What breaks the rules of qsub(1B) and pbs_resources(7B), and what the server does not have."""
        text = script.read_text(encoding="utf-8", errors="replace")
        lines = [line.removeprefix(self.mark).strip() for line in text.splitlines() if line.startswith(f"{self.mark} ")]
        return [*pbs_rules.faults(lines), *pbs_rules.unknown_to_the_server(lines, environment)]


SCHEDULERS: Registry[type[Scheduler]] = Registry(
    "comparator.schedulers", {"none": NoScheduler, "slurm": Slurm, "pbs": PBS}
)
