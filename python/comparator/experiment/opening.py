"""Open an experiment: a new one of its plan, or one that is there, where it was left."""

from __future__ import annotations

from dataclasses import replace

from comparator.engine.jobs import state_of
from comparator.errors import InputError
from comparator.experiment.doubts import change_of_reads_of
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.reopening import reopen_plan
from comparator.experiment.session import Session
from comparator.experiment.terminal import LONGEST_TITLE
from comparator.formats.text import shortened
from comparator.results.experiments import experiment_path, read_experiment, read_whole_experiment
from comparator.results.store import ExperimentFolder


def begin(host: Host, plan: Plan, stem: str, identifier: str | None) -> Session:
    """Make the folder of a planned experiment and freeze the plan there."""
    folder = ExperimentFolder.create(host.experiments, stem, identifier, plan.frozen)
    frozen = read_whole_experiment(folder.path)
    host.say(f"experiment {folder.identifier}: {shortened(frozen.title, LONGEST_TITLE)}")
    return Session(host, replace(plan, frozen=frozen), folder)


def resume(host: Host, identifier: str) -> Session:
    """Open an experiment where it was left, and say what was found."""
    path = experiment_path(host.experiments, identifier)
    state = state_of(path)
    if state.state == "queued" or (state.state == "running" and state.job):
        job = f" as job {state.job}" if state.job else ""
        raise InputError(f"experiment '{identifier}' is {state.state}{job}; watch it by: comparator watch {identifier}")
    if read_experiment(path).imported:
        raise InputError(f"experiment '{identifier}' was imported; a new search can be told of it by [search] past")
    session = open_session(host, identifier)
    session.say_what_is_there(state)
    return session


def open_session(host: Host, identifier: str) -> Session:
    """Open an experiment as it was frozen; raises `InputError` where that is not possible any more."""
    path = experiment_path(host.experiments, identifier)
    plan = reopen_plan(read_whole_experiment(path), root=host.root, site=host.site, say=host.say)
    folder = ExperimentFolder(
        path, on_doubt=lambda holder: host.say(f"waiting to see whether it is still run by {holder.words}")
    )
    change = change_of_reads_of(host, plan, folder.records)
    if change is not None:
        folder.close()
        raise InputError(f"{change} has changed since '{identifier}' began; start anew")
    return Session(host, plan, folder)
