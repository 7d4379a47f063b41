"""The Swift/T engine: an experiment's ranks over MPI, on this machine or in a job."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from comparator.engine.interface import Engine, EngineOptions, Job, Search, Task
from comparator.engine.launches import JOB_FILE, job_id, make_launch, next_launch, read_launch
from comparator.engine.machine_faults import fault_of_folder
from comparator.engine.swift_t_check import check_swift_t
from comparator.engine.swift_t_job import PROGRAM, compile_program
from comparator.engine.swift_t_launch import (
    JOB_SCRIPT,
    OUTPUT_FILE,
    WORKER_FILE,
    Launch,
    Layout,
    Resources,
    check,
    host_environment,
    rehearse,
)
from comparator.errors import ComparatorError, InputError, Submitted
from comparator.formats.finding import Finding
from comparator.model.process import GuardedProcess
from comparator.results.state import last_word, say, say_ended
from comparator.site.folders import command_line
from comparator.site.profile import Site, Slot, clock, job_word, seconds_of
from comparator.site.programs import reason_in, try_command
from comparator.site.schedulers import SCHEDULERS, Scheduler

LOOK_SECONDS = 0.5


class SwiftT(Engine):
    """Has ranks of Swift/T host and evaluate: on this machine, or where the site has a scheduler in jobs of it."""

    name = "swift-t"
    takes = frozenset({*Engine.takes, "together", "nodes", "queue", "project", "resume_jobs"})

    def __init__(self, site: Site, resources: Resources) -> None:
        self._site, self._resources = site, resources
        self.workers = resources.layout.workers

    @classmethod
    def open(cls, asked: EngineOptions, site: Site, slots: Sequence[Slot]) -> SwiftT:
        nodes = asked.nodes or site.nodes
        if nodes > 1 and not site.has_nodes:
            raise InputError(f"--nodes {nodes}: site '{site.name}' has no scheduler, so it is one node")
        if asked.workers is not None and nodes > 1:
            raise InputError(f"--workers {asked.workers}: on several nodes, {nodes} here, give --workers-per-node")
        workers, said = _on_a_node(asked, site, len(slots))
        if workers > len(slots):
            raise InputError(f"{said}: a node of site '{site.name}' has {len(slots)} slots")
        layout = Layout(nodes, workers)
        if layout.workers < 1:
            raise InputError(f"{nodes} nodes, {said}: leaves no worker beside the resident rank")
        if asked.resume_jobs and not site.has_nodes:
            raise InputError(f"--resume-jobs: site '{site.name}' has no scheduler")
        walltime = None if asked.walltime is None else seconds_of(asked.walltime, "--walltime")
        if walltime is None and site.has_nodes:
            walltime = site.walltime
        queue = site.queue if asked.queue is None else job_word(asked.queue, "--queue")
        project = site.project if asked.project is None else job_word(asked.project, "--project")
        return cls(site, Resources(layout, walltime, queue, project, 1 + asked.resume_jobs))

    @property
    def serves_warm(self) -> bool:
        return self._site.leaf == "python"

    def words(self) -> list[str]:
        asked, layout = self._resources, self._resources.layout
        words = [f"{layout.nodes} nodes, {layout.processes} ranks, {layout.processes_per_node} on a node"]
        words += [] if asked.walltime is None else [f"walltime {clock(asked.walltime)}"]
        words += [f"queue {asked.queue}"] if asked.queue else []
        words += [f"project {asked.project}"] if asked.project else []
        return [f"scheduler {self._site.scheduler}: {', '.join(words)}"]

    def rehearsal(self, task: Task) -> list[str]:
        return ["swift-t would be called so:", "", *rehearse(Launch(task, self._resources)).split("\n"), ""]

    def run(self, search: Search) -> None:
        launch = Launch(search.task, self._resources)
        search.hand_over(next_launch(search.task.experiment))
        if launch.by_scheduler:
            _submit(launch)
        else:
            _follow(launch, search)

    @classmethod
    def job(cls, launch: Path) -> Job | None:
        launched = read_launch(launch)
        kind = None if launched is None else SCHEDULERS.get(launched.site.scheduler)
        return None if kind is None or not kind.takes_jobs else SchedulersJob(job_id(launch), kind())

    @classmethod
    def check(cls, surroundings: Mapping[str, str]) -> Iterator[Finding]:
        return check_swift_t(surroundings)


def _on_a_node(asked: EngineOptions, site: Site, slots: int) -> tuple[int, str]:
    """How many workers a node has, and the words by which that was said."""
    if asked.workers_per_node is not None:
        return asked.workers_per_node, f"--workers-per-node {asked.workers_per_node}"
    if asked.workers is not None:
        return asked.workers, f"--workers {asked.workers}"
    if site.workers_per_node is not None:
        return site.workers_per_node, f"SITE_WORKERS_PER_NODE={site.workers_per_node}"
    return slots, f"slots of a node: {slots}"


class SchedulersJob(Job):
    """A job of a scheduler."""

    def __init__(self, job: str | None, scheduler: Scheduler) -> None:
        self.id, self.of, self._scheduler = job, scheduler.name, scheduler

    def state(self) -> str | None:
        return None if self.id is None else self._scheduler.state_of(self.id)

    def cancel(self) -> None:
        if self.id is not None:
            self._scheduler.cancel_job(self.id)


def _follow(launch: Launch, search: Search) -> None:
    """Run the ranks on this machine, and follow the record that they write."""
    experiment = launch.task.experiment
    name = next_launch(experiment)
    try:
        with search.progress() as show:
            code = _run(launch, show)
    except KeyboardInterrupt:
        said = last_word(experiment)
        say_ended(experiment, said, "stopped", "by hand", said.launch)
        raise
    said = last_word(experiment)
    if said.state in ("finished", "stopped"):
        return
    if said.state == "failed":
        raise ComparatorError(said.reason or "the search failed")
    reason = said.reason or ""
    if said.state != "interrupted":  # else a rank's keeper has said which one is gone
        # A disk that is full, say, takes no word of theirs either.
        reason = fault_of_folder(experiment / name, experiment.parent) or (
            f"the ranks ended with exit status {code}; see {experiment / name / OUTPUT_FILE}"
        )
        say_ended(experiment, said, "interrupted", reason, said.launch)
    raise ComparatorError(reason)


def _run(launch: Launch, on_look: Callable[[], None]) -> int:
    """Run an experiment's ranks on this machine until they end; returns the exit status of swift-t.

    `on_look` is called twice a second. An exception, Ctrl-C among them, ends all ranks before it goes on its way.
    """
    surroundings = host_environment(launch)
    check(launch, surroundings)
    folder = make_launch(SwiftT.name, launch.task, launch.description())
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


def _submit(launch: Launch) -> None:
    """Hand the job, and those that are to go on with what it leaves, to the site's scheduler; raises `Submitted`.

    Raises `InputError` where the launch cannot be made, `ComparatorError` where the scheduler refuses.
    """
    task = launch.task
    try:
        jobs = _submit_jobs(launch)
    except BaseException as error:
        say(task.experiment, "failed", [], str(error), None)
        raise
    watch = command_line(task.experiment.parent, task.root, "watch", task.experiment.name)
    raise Submitted(f"submitted as job {', '.join(jobs)}; watch it by: {watch}")


def _submit_jobs(launch: Launch) -> list[str]:
    """The ids of the jobs, in the order in which they are to run."""
    surroundings = host_environment(launch)
    check(launch, surroundings)
    jobs: list[str] = []
    for _ in range(launch.resources.jobs):
        folder = make_launch(SwiftT.name, launch.task, launch.description())
        (folder / WORKER_FILE).write_text(launch.worker_script(), encoding="utf-8", errors="surrogateescape")
        hand_in = _hand_in_own_script if launch.has_own_script else _have_swift_t_hand_in
        jobs.append(hand_in(launch, folder, surroundings, jobs[-1] if jobs else None))
    return jobs


def _hand_in_own_script(launch: Launch, folder: Path, surroundings: Mapping[str, str], after: str | None) -> str:
    """Compile the program, write the job's script and submit it; returns the job's id."""
    compile_program(PROGRAM, folder, surroundings)
    job_script = folder / JOB_SCRIPT
    text = launch.job_script(folder, surroundings, after)
    job_script.write_text(text, encoding="utf-8", errors="surrogateescape")
    job = launch.task.site.batch.hand_in(job_script, surroundings)
    (folder / JOB_FILE).write_text(f"{job}\n", encoding="utf-8")
    return job


def _have_swift_t_hand_in(launch: Launch, folder: Path, surroundings: Mapping[str, str], after: str | None) -> str:
    """Have Swift/T write the job's script from its own template and submit it; returns the job's id."""
    environment = {**surroundings, **launch.environment(folder, after)}
    done = try_command(launch.command(folder), environment, folder=folder, seconds=None)
    said = done.stdout + done.stderr
    (folder / "submission.txt").write_text(said, encoding="utf-8", errors="replace")
    job = job_id(folder)
    if done.returncode != 0 or job is None:
        raise ComparatorError(f"the job was not taken: {reason_in(said)} (see {folder}/submission.txt)")
    return job
