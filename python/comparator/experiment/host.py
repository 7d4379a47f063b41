"""The machine and the folders that experiments run with, as the command line gave them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from comparator.engine import swift_t
from comparator.engine.swift_t import Job, Launch, Layout
from comparator.errors import InputError, nearest
from comparator.experiment.context import Context, Say
from comparator.formats.text import message, shortened
from comparator.site.profile import ENGINES, Site, Slot, job_word, read_site, seconds_of


@dataclass(frozen=True)
class Host:
    """The machine and the folders that experiments run with, as the command line gave them."""

    root: Path
    experiments: Path
    site: Site
    slots: list[Slot]
    workers: int
    warm: bool
    console: Console
    #: A time as `time.time()` has it, before which every evaluation has to end.
    deadline: float | None = None
    #: What Swift/T is asked for; None where the local engine runs the experiments.
    job: Job | None = None
    #: Whether a report is made when an experiment is over.
    reports: bool = True

    @property
    def engine(self) -> str:
        return "local" if self.job is None else "swift-t"

    def context(self, file: Path, command: str, say: Say) -> Context:
        """Where an experiment of `file` is planned."""
        return Context(file.resolve(), self.root, self.site, self.engine, self.workers, command, say, self.serves_warm)

    @property
    def serves_warm(self) -> bool:
        """Whether a model's process stays from one run to the next."""
        return self.warm and (self.job is None or self.site.leaf == "python")

    def launch(self, experiment: Path, *, is_sweep: bool) -> Launch:
        """The launch of an experiment's folder by Swift/T."""
        assert self.job is not None
        return Launch(experiment, self.root, self.site, self.job, self.warm, self.reports, is_sweep)

    def say(self, words: str) -> None:
        self.console.print(message(words), markup=False, soft_wrap=True)


@dataclass(frozen=True)
class EngineOptions:
    """What the command line says of engine, workers and job; None where it says nothing."""

    engine: str | None = None
    workers: int | None = None
    nodes: int | None = None
    workers_per_node: int | None = None
    walltime: str | None = None
    queue: str | None = None
    project: str | None = None
    resume_jobs: int = 0


def open_host(
    root: Path,
    experiments: Path,
    site: str,
    asked: EngineOptions,
    *,
    warm: bool,
    console: Console,
    reports: bool = True,
) -> Host:
    """Read the site and check what is asked of it; raises `InputError`."""
    read = read_site(site, root)
    engine = asked.engine or read.engines[0]
    if engine not in read.engines:
        has = ", ".join(read.engines)
        raise InputError(f"--engine {shortened(engine)}: site '{read.name}' has {has}{nearest(engine, ENGINES)}")
    slots = read.slots()
    walltime = None if asked.walltime is None else seconds_of(asked.walltime, "--walltime")
    if engine == "swift-t":
        job = _job(asked, read, len(slots), walltime)
        return Host(root, experiments, read, slots, job.layout.workers, warm, console, job=job, reports=reports)
    for option, value in (("nodes", asked.nodes), ("queue", asked.queue), ("project", asked.project)):
        if value is not None:
            raise InputError(f"--{option}: the local engine runs on this machine alone; --engine swift-t takes it")
    if asked.resume_jobs:
        raise InputError("--resume-jobs: the local engine submits no jobs; --engine swift-t does")
    workers = asked.workers or asked.workers_per_node
    if workers is not None and workers > len(slots):
        raise InputError(
            f"--workers {workers}: site '{read.name}' has {len(slots)} slots;"
            " SITE_CORES=N in the environment makes it N"
        )
    deadline = None if walltime is None else time.time() + swift_t.usable_seconds(walltime)
    workers = workers or len(slots)
    return Host(root, experiments, read, slots, workers, warm, console, deadline=deadline, reports=reports)


def _job(asked: EngineOptions, site: Site, slots: int, walltime: int | None) -> Job:
    nodes = asked.nodes or site.nodes
    if nodes > 1 and site.scheduler == "none":
        raise InputError(f"--nodes {nodes}: site '{site.name}' has no scheduler, so it is one node")
    if asked.workers is not None and nodes > 1:
        raise InputError("--workers: on several nodes give --workers-per-node")
    workers = asked.workers_per_node or asked.workers or site.workers_per_node or slots
    if workers > slots:
        raise InputError(f"--workers-per-node {workers}: a node of site '{site.name}' has {slots} slots")
    layout = Layout(nodes, workers)
    if layout.workers < 1:
        raise InputError(f"--nodes {nodes} --workers-per-node {workers}: leaves no worker beside the resident rank")
    if asked.resume_jobs and site.scheduler == "none":
        raise InputError(f"--resume-jobs: site '{site.name}' has no scheduler")
    if walltime is None and site.scheduler != "none":
        walltime = site.walltime
    queue = site.queue if asked.queue is None else job_word(asked.queue, "--queue")
    project = site.project if asked.project is None else job_word(asked.project, "--project")
    return Job(layout, walltime, queue, project, 1 + asked.resume_jobs)
