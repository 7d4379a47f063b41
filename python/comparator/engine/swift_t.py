"""The Swift/T engine: an experiment's ranks over MPI, on this machine or in a job.

This is the side of the host where commands are typed: it makes the folder of a launch in the experiment's own,

    EXPERIMENTS/ID/launch-N/launch.json     what the ranks need to know
                           /worker.sh       sets up the nodes of a job, and says when its time ends
                           /output.txt      what Swift/T and the ranks printed
                           /jobid.txt       the scheduler's id

and calls `swift-t` with a program of `swift/`. What the ranks do is in `ranks.py`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from comparator.engine.jobs import LAUNCH_FILE, SCHEDULERS, job_id, launches
from comparator.errors import ComparatorError, InputError
from comparator.model.process import GuardedProcess
from comparator.results.store import write_whole
from comparator.site.folders import shipped_folder
from comparator.site.profile import Site, launch_environment, site_file

OUTPUT_FILE, WORKER_FILE = "output.txt", "worker.sh"
RANKS_A_SERVER = 256
STAND_INS = "stand-ins"
LOOK_SECONDS = 0.5
#: What remains of a walltime for the last result and the report; of a short one a twentieth.
CLOSING_SECONDS = 60
#: What has srun(1) end all ranks when one ends badly. The mpiexec of MPICH, of Open MPI and of PALS does so unasked.
FAIL_FAST = {"SLURM_KILL_BAD_EXIT": "1"}
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
class Job:
    """What is asked of a site's scheduler, or of Swift/T alone where it has none."""

    layout: Layout
    walltime: int | None  # seconds
    queue: str = ""
    project: str = ""
    jobs: int = 1  # the first, and those that go on with what it leaves


@dataclass(frozen=True)
class Launch:
    """One call of swift-t for one experiment."""

    experiment: Path
    root: Path
    site: Site
    job: Job
    warm: bool
    reports: bool
    sweep: bool

    def command(self, folder: Path) -> list[str]:
        """The swift-t command line; what it compiles goes to `folder`."""
        machine = [] if self.site.scheduler == "none" else ["-m", self.site.scheduler]
        swift = shipped_folder("swift")
        program = "upf" if self.sweep else "search"
        compiled = ["-I", str(swift), "-o", str(folder / f"{program}.tic")]
        return ["swift-t", *machine, "-n", str(self.job.layout.processes), *compiled, str(swift / f"{program}.swift")]

    def environment(self, folder: Path, after: str | None = None) -> dict[str, str]:
        """What swift-t and the ranks find in their environment, on top of the launch host's own.

        `folder` is the launch's; `after` the job whose end this one waits for. The names are those of Swift/T's
        guide to sites and schedulers.
        """
        layout = self.job.layout
        values = {
            "PYTHONPATH": os.pathsep.join(import_path()),
            "COMPARATOR_LAUNCH": str(folder / LAUNCH_FILE),
            "COMPARATOR_PYTHON": sys.executable,
            "COMPARATOR_LEAF": self.site.leaf,
            "ADLB_SERVERS": str(layout.servers),
            "ADLB_PRINT_TIME": "0",
            "TURBINE_RESIDENT_WORK_WORKERS": "1",
            "RESIDENT_WORK_RANKS": str(layout.resident_rank),
        }
        interposer = shipped_folder("swift") / "rank.sh"
        if IN_A_JOB_SCRIPT.fullmatch(str(interposer)):  # Swift/T splits it at blanks
            values["TURBINE_INTERPOSER"] = str(interposer)
        if self.site.scheduler == "none":
            if self.job.walltime is not None:
                values["COMPARATOR_DEADLINE"] = str(int(time.time() + usable_seconds(self.job.walltime)))
            return values
        return {
            **values,
            "PROCS": str(layout.processes),
            "PPN": str(layout.processes_per_node),
            "WALLTIME": clock(self.job.walltime or self.site.walltime),
            "QUEUE": self.job.queue,
            "PROJECT": self.job.project,
            "TURBINE_JOBNAME": self.experiment.name,
            "TURBINE_OUTPUT": str(folder),
            "TURBINE_OUTPUT_SOFTLINK": "/dev/null",
            "TURBINE_DIRECTIVE": "\n".join(self._directives(after)),
            "TURBINE_PRELAUNCH": f". {folder / WORKER_FILE}",
            "TURBINE_LAUNCH_OPTIONS": self.site.launch_options.replace("{ranks}", str(layout.processes)),
        }

    def description(self) -> dict[str, Any]:
        """What the ranks read."""
        return {
            "experiment": str(self.experiment),
            "root": str(self.root),
            "site": asdict(self.site),
            "workers_per_node": self.job.layout.workers_per_node,
            "workers": self.job.layout.workers,
            "warm": self.warm,
            "reports": self.reports,
            "sweep": self.sweep,
            "python": sys.executable,
            "python_path": os.environ.get("PYTHONPATH"),
            "pid": os.getpid(),
        }

    def worker_script(self) -> str:
        """The lines that set up the nodes of a job, in the shell of its job script."""
        seconds = usable_seconds(self.job.walltime or self.site.walltime)
        fail_fast = "".join(f"export {name}={value}\n" for name, value in FAIL_FAST.items())
        return (
            f"{fail_fast}"
            f"export COMPARATOR_DEADLINE=$(( $(date +%s) + {seconds} ))\n"
            f"export COMPARATOR_ROOT={shlex.quote(str(self.root))}\n"
            f". {shlex.quote(str(site_file(self.site.name, self.root)))}\n"
            "if declare -F site_worker >/dev/null; then site_worker; fi\n"
        )

    def _directives(self, after: str | None) -> list[str]:
        scheduler = SCHEDULERS[self.site.scheduler]
        asked = [*self.site.directives, *([scheduler.after.format(job=after)] if after else [])]
        return [f"{scheduler.mark} {line}" for line in asked]


def import_path() -> list[str]:
    """Where a rank's own Python finds this package and what it needs."""
    package = str(Path(__file__).resolve().parents[2])
    return list(dict.fromkeys([package, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))


def usable_seconds(walltime: int) -> int:
    """How long after a job's start an evaluation may still end."""
    return walltime - min(CLOSING_SECONDS, walltime // 20)


def clock(seconds: int) -> str:
    """`01:30:00` for 5400 seconds."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def check(launch: Launch, host_environment: Mapping[str, str]) -> None:
    """See to it that the launch can be made; raises `InputError`."""
    if shutil.which("swift-t", path=host_environment.get("PATH")) is None:
        raise InputError(
            f"site '{launch.site.name}', engine swift-t: there is no program swift-t on the PATH"
            " (site_launch in the site's file may set it)"
        )
    if launch.site.scheduler != "none":
        carried = [str(launch.experiment), str(launch.root), *import_path(), sys.executable]
        for text in carried:
            if not IN_A_JOB_SCRIPT.fullmatch(text):
                raise InputError(f"'{text}': a path with such characters cannot stand in a job script")


def host_environment(launch: Launch) -> dict[str, str]:
    """The environment that the site sets up on this host; without a scheduler it is that of the workers too."""
    return launch_environment(launch.site, launch.root, workers_too=launch.site.scheduler == "none")


def run(launch: Launch, on_look: Callable[[], None]) -> int:
    """Run an experiment's ranks on this machine until they end; returns the exit status of swift-t.

    `on_look` is called twice a second. An exception, Ctrl-C among them, ends all ranks before it goes on its way.
    """
    surroundings = host_environment(launch)
    check(launch, surroundings)
    folder = _make_folder(launch)
    environment = {**surroundings, **launch.environment(folder)}
    with (folder / OUTPUT_FILE).open("ab") as output:
        process = GuardedProcess(launch.command(folder), environment, output, piped=False, folder=folder)
        try:
            while True:
                try:
                    return process.wait(LOOK_SECONDS)
                except subprocess.TimeoutExpired:
                    on_look()
        finally:
            process.close()


def submit(launch: Launch) -> list[str]:
    """Hand the job, and those that are to go on with what it leaves, to the site's scheduler; returns their ids.

    Raises `InputError` where the launch cannot be made, `ComparatorError` where the scheduler refuses.
    """
    surroundings = host_environment(launch)
    check(launch, surroundings)
    jobs: list[str] = []
    for _ in range(launch.job.jobs):
        folder = _make_folder(launch)
        (folder / WORKER_FILE).write_text(launch.worker_script(), encoding="utf-8", errors="surrogateescape")
        environment = {**surroundings, **launch.environment(folder, after=jobs[-1] if jobs else None)}
        done = subprocess.run(
            launch.command(folder),
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        (folder / "submission.txt").write_text(done.stdout, encoding="utf-8", errors="replace")
        job = job_id(folder)
        if done.returncode != 0 or job is None:
            raise ComparatorError(f"the job was not taken: {_reason(done.stdout)} (see {folder}/submission.txt)")
        jobs.append(job)
    return jobs


def rehearse(launch: Launch) -> str:
    """The swift-t command, its environment and the job script, without anything started, as text for people."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        own = launch.environment(folder)
        lines = [f"{name}={shlex.quote(value)} \\" for name, value in sorted(own.items())]
        lines.append(shlex.join(launch.command(folder)))
        if launch.site.scheduler != "none":
            lines += ["", "the nodes are set up by:", launch.worker_script(), *_job_script(launch, folder, own)]
        text = "\n".join(lines).replace(f"{folder}/{STAND_INS}{os.pathsep}", "")
    return text.replace(str(folder), str(launch.experiment / "launch-1"))


def _job_script(launch: Launch, folder: Path, own: Mapping[str, str]) -> Sequence[str]:
    """The job script as swift-t writes it, with a stand-in for the command that would submit it."""
    try:
        surroundings = host_environment(launch)
        check(launch, surroundings)
    except InputError as error:
        return [f"the job script is written by swift-t, which cannot be called here: {error}"]
    for name in ("sbatch", "qsub"):
        stand_in = folder / STAND_INS / name
        stand_in.parent.mkdir(exist_ok=True)
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
        return [f"swift-t wrote no job script: {_reason(done.stdout + done.stderr)}"]
    return ["the job script:", scripts[0].read_text(encoding="utf-8", errors="surrogateescape")]


def _make_folder(launch: Launch) -> Path:
    number = len(launches(launch.experiment)) + 1
    folder = launch.experiment / f"launch-{number}"
    folder.mkdir()
    write_whole(folder / LAUNCH_FILE, json.loads(json.dumps(launch.description(), default=str)))
    return folder


def _reason(text: str) -> str:
    """The line that most likely tells why: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"(?i)\berror\b", line)]
    return [*telling, *lines[-1:], "no reason was given"][0]
