"""One call of `swift-t` for one experiment: its ranks, its command, its environment.

This is the side of the host where commands are typed: it makes the folder of a launch in the experiment's own,

    EXPERIMENTS/ID/launch-N/launch.json     what the ranks need to know
                           /worker.sh       sets up the nodes of a job, and says when its time ends
                           /job.sh          the job's script, where the site has this package write it
                           /output.txt      what Swift/T and the ranks printed
                           /jobid.txt       the scheduler's id

What the ranks do is in `ranks.py`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.engine.interface import Task, usable_seconds
from comparator.engine.launches import LAUNCH_FILE
from comparator.engine.swift_t_job import PROGRAM, compiling, import_path, ranks_lines, setup_lines
from comparator.errors import InputError
from comparator.site.folders import shipped_folder
from comparator.site.job import Job, script
from comparator.site.profile import REQUIRABLE, clock, launch_environment
from comparator.site.programs import reason_in, try_command

WORKER_FILE, JOB_SCRIPT, OUTPUT_FILE = "worker.sh", "job.sh", "output.txt"
RANKS_A_SERVER = 256
STAND_INS = "stand-ins"
IN_A_JOB_SCRIPT = re.compile(r"[A-Za-z0-9_./+@%:=,~-]+")


@dataclass(frozen=True)
class Layout:
    """How the ranks of a launch lie on nodes.

    Beside the workers there is the resident rank, which hosts the search, and Swift/T's servers. On one node they
    come on top of the workers; on several they take the place of workers on the last node, so that nowhere are
    there more workers than places for trainings.
    """

    nodes: int
    workers_per_node: int

    @property
    def servers(self) -> int:
        return 1 + self.nodes * self.workers_per_node // RANKS_A_SERVER

    @property
    def processes(self) -> int:
        own = self.nodes * self.workers_per_node
        return own + 1 + self.servers if self.nodes == 1 else own

    @property
    def processes_per_node(self) -> int:
        return -(-self.processes // self.nodes)

    @property
    def workers(self) -> int:
        return self.processes - self.servers - 1

    @property
    def resident_rank(self) -> int:
        """The last rank before the servers, where Swift/T puts its one worker of resident work."""
        return self.processes - self.servers - 1


@dataclass(frozen=True)
class Resources:
    """What is asked of a site's scheduler, or of Swift/T alone where it has none."""

    layout: Layout
    walltime: int | None  # seconds
    queue: str = ""
    project: str = ""
    jobs: int = 1  # the first, and those that go on with what it leaves


@dataclass(frozen=True)
class Launch:
    """One call of swift-t for one experiment."""

    task: Task
    resources: Resources

    @property
    def by_scheduler(self) -> bool:
        """Whether the ranks run in a job, else on this host."""
        return self.task.site.has_nodes

    @property
    def has_own_script(self) -> bool:
        """Whether this package writes the job's script, else Swift/T from its own template."""
        return self.by_scheduler and self.task.site.job_script == "comparator"

    def command(self, folder: Path) -> list[str]:
        """The swift-t command line, which compiles and runs or submits; what it compiles goes to `folder`."""
        machine = ["-m", self.task.site.scheduler] if self.by_scheduler else []
        return ["swift-t", *machine, "-n", str(self.resources.layout.processes), *compiling(PROGRAM, folder)]

    def environment(self, folder: Path, after: str | None = None) -> dict[str, str]:
        """What swift-t and the ranks find in their environment, on top of the launch host's own.

        `folder` is the launch's; `after` the job whose end this one waits for. The names are those of Swift/T's
        guide to sites and schedulers.
        """
        if not self.by_scheduler or self.has_own_script:
            return self.ranks_environment(folder)
        layout, site = self.resources.layout, self.task.site
        return {
            **self.ranks_environment(folder),
            "PROCS": str(layout.processes),
            "PPN": str(layout.processes_per_node),
            "WALLTIME": clock(self.resources.walltime or site.walltime),
            "QUEUE": self.resources.queue,
            "PROJECT": self.resources.project,
            "TURBINE_JOBNAME": self.task.experiment.name,
            "TURBINE_OUTPUT": str(folder),
            "TURBINE_OUTPUT_SOFTLINK": "/dev/null",
            "TURBINE_DIRECTIVE": "\n".join(self._directives(after)),
            "TURBINE_PRELAUNCH": f". {folder / WORKER_FILE}",
            "TURBINE_LAUNCH_OPTIONS": site.launch_options.replace("{ranks}", str(layout.processes)),
        }

    def ranks_environment(self, folder: Path) -> dict[str, str]:
        """What the ranks find in their environment, whoever starts them."""
        layout, site = self.resources.layout, self.task.site
        values = {
            "PYTHONPATH": os.pathsep.join(import_path()),
            "COMPARATOR_LAUNCH": str(folder / LAUNCH_FILE),
            "COMPARATOR_PYTHON": sys.executable,
            "COMPARATOR_LEAF": site.leaf,
            "ADLB_SERVERS": str(layout.servers),
            "ADLB_PRINT_TIME": "0",
            "TURBINE_RESIDENT_WORK_WORKERS": "1",
            "RESIDENT_WORK_RANKS": str(layout.resident_rank),
        }
        interposer = shipped_folder("swift") / "rank.sh"
        if IN_A_JOB_SCRIPT.fullmatch(str(interposer)):  # Swift/T splits it at blanks
            values["TURBINE_INTERPOSER"] = str(interposer)
        if not self.by_scheduler and self.resources.walltime is not None:
            values["COMPARATOR_DEADLINE"] = str(int(time.time() + usable_seconds(self.resources.walltime)))
        return values

    def job_script(self, folder: Path, surroundings: Mapping[str, str], after: str | None = None) -> str:
        """The job's script, in the environment that the site sets up on the launch host."""
        layout, asked = self.resources.layout, self.resources
        job = Job(
            self.task.experiment.name,
            folder / OUTPUT_FILE,
            layout.nodes,
            layout.processes,
            layout.processes_per_node,
            asked.walltime or self.task.site.walltime,
            asked.queue,
            asked.project,
            after,
        )
        values, compiled = self.ranks_environment(folder), folder / f"{PROGRAM}.tic"
        lines = ranks_lines(self.task.site, job, values, surroundings, folder / WORKER_FILE, compiled)
        return script(self.task.site, job, [f"cd {shlex.quote(str(folder))}", *lines])

    def description(self) -> dict[str, Any]:
        """What the ranks read, besides the task."""
        return {
            "workers_per_node": self.resources.layout.workers_per_node,
            "workers": self.resources.layout.workers,
            "python": sys.executable,
            "python_path": os.environ.get("PYTHONPATH"),
        }

    def worker_script(self) -> str:
        """The lines that set up the nodes of a job, in the shell of its job script."""
        seconds = usable_seconds(self.resources.walltime or self.task.site.walltime)
        deadline = f"export COMPARATOR_DEADLINE=$(( $(date +%s) + {seconds} ))\n"
        return deadline + setup_lines(self.task.site, self.task.root)

    def _directives(self, after: str | None) -> list[str]:
        scheduler = self.task.site.batch
        asked = [*self.task.site.directives, *([scheduler.after.format(job=after)] if after else [])]
        return [f"{scheduler.mark} {line}" for line in asked]


def check(launch: Launch, host_environment: Mapping[str, str]) -> None:
    """See to it that the launch can be made; raises `InputError`."""
    task = launch.task
    if shutil.which("swift-t", path=host_environment.get("PATH")) is None:
        raise InputError(
            f"site '{task.site.name}', engine swift-t: there is no program swift-t on the PATH"
            " (site_launch in the site's file may set it)"
        )
    if launch.by_scheduler:
        carried = [str(task.experiment), str(task.root), *import_path(), sys.executable]
        for text in carried:
            if not IN_A_JOB_SCRIPT.fullmatch(text):
                raise InputError(f"'{text}': a path with such characters cannot stand in a job script")
        given = {"SITE_QUEUE": launch.resources.queue, "SITE_PROJECT": launch.resources.project}
        for name in task.site.requires.split():
            if not given[name]:
                raise InputError(
                    f"site '{task.site.name}': its jobs must have {REQUIRABLE[name]}, or {name} in the environment"
                )


def host_environment(launch: Launch) -> dict[str, str]:
    """The environment that the site sets up on this host; without a scheduler it is that of the workers too."""
    return launch_environment(launch.task.site, launch.task.root, workers_too=not launch.by_scheduler)


def rehearse(launch: Launch) -> str:
    """The swift-t command, its environment and the job script, without anything started, as text for people."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if launch.has_own_script:
            lines = ["the program is compiled by:", shlex.join(["stc", *compiling(PROGRAM, folder)])]
        else:
            own = sorted(launch.environment(folder).items())
            lines = [*(f"{name}={shlex.quote(value)} \\" for name, value in own), shlex.join(launch.command(folder))]
        if launch.by_scheduler:
            lines += ["", "the nodes are set up by:", launch.worker_script(), *_job_script(launch, folder)]
        text = "\n".join(lines).replace(f"{folder}/{STAND_INS}{os.pathsep}", "")
    return text.replace(str(folder), str(launch.task.experiment / "launch-1"))


def _job_script(launch: Launch, folder: Path) -> Sequence[str]:
    """The job's script: ours, or as swift-t writes it, with a stand-in for the command that would submit it."""
    try:
        surroundings = host_environment(launch)
        check(launch, surroundings)
        if launch.has_own_script:
            return ["the job script:", launch.job_script(folder, surroundings)]
    except InputError as error:
        return [f"the job script cannot be written here: {error}"]
    stand_in = folder / STAND_INS / launch.task.site.batch.submit
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\necho 1\n", encoding="utf-8")
    stand_in.chmod(0o755)
    path = f"{folder}/{STAND_INS}{os.pathsep}{surroundings['PATH']}"
    environment = {**surroundings, **launch.environment(folder), "PATH": path}
    done = try_command(launch.command(folder), environment, folder=folder, seconds=None)
    scripts = list(folder.glob("turbine-*.sh"))
    if not scripts:
        return [f"swift-t wrote no job script: {reason_in(done.stdout + done.stderr)}"]
    return ["the job script:", scripts[0].read_text(encoding="utf-8", errors="surrogateescape")]
