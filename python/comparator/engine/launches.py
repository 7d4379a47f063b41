"""The launches of an experiment by an engine that has other processes host its search: a folder for each.

EXPERIMENTS/ID/launch-N/launch.json     the engine, the site, and what the processes need to know
                       /jobid.txt       the id of the job that carries it out, where one does
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from comparator.engine.interface import Task
from comparator.results.files import read_form, write_whole
from comparator.results.form import Form, ProcessId

LAUNCH_FILE, JOB_FILE = "launch.json", "jobid.txt"
LAUNCH = re.compile(r"launch-([0-9]+)")


class LaunchedSite(Form):
    """The site of a launch, all of `comparator.site.profile.Site`; what commands look at."""

    scheduler: str
    leaf: str = "python"


class Launched(Form):
    """`launch.json` of a launch, as far as commands look at it; `pid` is the command's that made it.

    A launch of an earlier version does not name its engine.
    """

    engine: str = "swift-t"
    site: LaunchedSite
    pid: ProcessId


class LaunchForRanks(Launched):
    """The same of a Swift/T launch, with what its ranks need to know."""

    experiment: str
    root: str
    workers_per_node: int
    workers: int
    warm: bool
    reports: bool
    sweep: bool
    python: str
    python_path: str | None


def launches(experiment: Path) -> list[Path]:
    """The folders of an experiment's launches, in their order."""
    folders = experiment.glob("launch-*")
    numbered = [(int(match[1]), folder) for folder in folders if (match := LAUNCH.fullmatch(folder.name))]
    return [folder for _, folder in sorted(numbered)]


def next_launch(experiment: Path) -> str:
    """The name of the folder of an experiment's next launch."""
    return f"launch-{len(launches(experiment)) + 1}"


def make_launch(engine: str, task: Task, more: Mapping[str, Any]) -> Path:
    """Make the folder of an experiment's next launch, whose file has `more` besides engine, task and this process."""
    folder = task.experiment / next_launch(task.experiment)
    folder.mkdir()
    said = {**describe_launch(engine, task), **more}
    write_whole(folder / LAUNCH_FILE, json.loads(json.dumps(said, default=str)))
    return folder


def describe_launch(engine: str, task: Task) -> dict[str, Any]:
    """What every launch's file has."""
    return {
        "engine": engine,
        "experiment": task.experiment,
        "root": task.root,
        "site": asdict(task.site),
        "warm": task.warm,
        "reports": task.reports,
        "sweep": task.is_sweep,
        "pid": os.getpid(),
    }


def read_launch(folder: Path) -> Launched | None:
    """What commands look at of a launch's file; None where there is none, or it is damaged."""
    return read_form(Launched, folder / LAUNCH_FILE)


def job_id(folder: Path) -> str | None:
    """The id of the job that carries out the launch in `folder`; None before it has one."""
    try:
        return (folder / JOB_FILE).read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None
