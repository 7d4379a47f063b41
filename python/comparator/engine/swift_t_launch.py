"""One call of `swift-t` for one experiment: its ranks, its command, its environment.

This is the side of the host where commands are typed: it makes the folder of a launch in the experiment's own,

    EXPERIMENTS/ID/launch-N/launch.json     what the ranks need to know
                           /worker.sh       sets up the nodes of a job, and says when its time ends
                           /output.txt      what Swift/T and the ranks printed
                           /jobid.txt       the scheduler's id

What the ranks do is in `ranks.py`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.engine.interface import Task, usable_seconds
from comparator.engine.launches import LAUNCH_FILE
from comparator.errors import InputError
from comparator.site.folders import shipped_folder
from comparator.site.profile import clock, launch_environment, site_file

WORKER_FILE = "worker.sh"
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

    def command(self, folder: Path) -> list[str]:
        """The swift-t command line; what it compiles goes to `folder`."""
        machine = ["-m", self.task.site.scheduler] if self.by_scheduler else []
        swift = shipped_folder("swift")
        compiled = ["-r", str(swift), "-o", str(folder / "search.tic"), str(swift / "search.swift")]
        return ["swift-t", *machine, "-n", str(self.resources.layout.processes), *compiled]

    def environment(self, folder: Path, after: str | None = None) -> dict[str, str]:
        """What swift-t and the ranks find in their environment, on top of the launch host's own.

        `folder` is the launch's; `after` the job whose end this one waits for. The names are those of Swift/T's
        guide to sites and schedulers.
        """
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
        if not self.by_scheduler:
            if self.resources.walltime is not None:
                values["COMPARATOR_DEADLINE"] = str(int(time.time() + usable_seconds(self.resources.walltime)))
            return values
        return {
            **values,
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
        root, site = self.task.root, self.task.site
        seconds = usable_seconds(self.resources.walltime or site.walltime)
        exported = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in site.batch.environment.items())
        return (
            f"{exported}"
            f"export COMPARATOR_DEADLINE=$(( $(date +%s) + {seconds} ))\n"
            f"export COMPARATOR_ROOT={shlex.quote(str(root))}\n"
            f". {shlex.quote(str(site_file(site.name, root)))}\n"
            "if declare -F site_worker >/dev/null; then site_worker; fi\n"
        )

    def _directives(self, after: str | None) -> list[str]:
        scheduler = self.task.site.batch
        asked = [*self.task.site.directives, *([scheduler.after.format(job=after)] if after else [])]
        return [f"{scheduler.mark} {line}" for line in asked]


def import_path() -> list[str]:
    """Where a rank's own Python finds this package and what it needs."""
    package = str(Path(__file__).resolve().parents[2])
    return list(dict.fromkeys([package, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))


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


def host_environment(launch: Launch) -> dict[str, str]:
    """The environment that the site sets up on this host; without a scheduler it is that of the workers too."""
    return launch_environment(launch.task.site, launch.task.root, workers_too=not launch.by_scheduler)


def rehearse(launch: Launch) -> str:
    """The swift-t command, its environment and the job script, without anything started, as text for people."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        own = launch.environment(folder)
        lines = [f"{name}={shlex.quote(value)} \\" for name, value in sorted(own.items())]
        lines.append(shlex.join(launch.command(folder)))
        if launch.by_scheduler:
            lines += ["", "the nodes are set up by:", launch.worker_script(), *_job_script(launch, folder, own)]
        text = "\n".join(lines).replace(f"{folder}/{STAND_INS}{os.pathsep}", "")
    return text.replace(str(folder), str(launch.task.experiment / "launch-1"))


def _job_script(launch: Launch, folder: Path, own: Mapping[str, str]) -> Sequence[str]:
    """The job script as swift-t writes it, with a stand-in for the command that would submit it."""
    try:
        surroundings = host_environment(launch)
        check(launch, surroundings)
    except InputError as error:
        return [f"the job script is written by swift-t, which cannot be called here: {error}"]
    stand_in = folder / STAND_INS / launch.task.site.batch.submit
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\necho 1\n", encoding="utf-8")
    stand_in.chmod(0o755)
    path = f"{folder}/{STAND_INS}{os.pathsep}{surroundings['PATH']}"
    environment = {**surroundings, **own, "PATH": path}
    done = subprocess.run(
        launch.command(folder),
        env=environment,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    scripts = list(folder.glob("turbine-*.sh"))
    if not scripts:
        return [f"swift-t wrote no job script: {reason_in(done.stdout + done.stderr)}"]
    return ["the job script:", scripts[0].read_text(encoding="utf-8", errors="surrogateescape")]


def reason_in(text: str) -> str:
    """The line that most likely tells why: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"(?i)\berror\b", line)]
    return [*telling, *lines[-1:], "no reason was given"][0]
