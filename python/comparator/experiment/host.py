"""The machine and the folders that experiments run with, as they were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from comparator.engine.engines import open_engine
from comparator.engine.interface import Engine, EngineOptions, Task
from comparator.experiment.terminal import copyable, tell
from comparator.model.model import Model
from comparator.model.runners.together import together_of
from comparator.site.profile import Site, Slot, read_site


@dataclass(frozen=True)
class Host:
    """The machine and the folders that experiments run with, as they were asked for."""

    root: Path
    experiments: Path
    site: Site
    slots: list[Slot]
    engine: Engine
    warm: bool
    console: Console
    #: Whether a report is made when an experiment is over.
    reports: bool = True
    #: Whether what a model's environment is to be is made where it is not there; a dry run only says so.
    makes_environments: bool = True

    @property
    def workers(self) -> int:
        """How many workers carry out evaluations at a time, each one, or so many as `together` says."""
        return self.engine.workers

    def together(self, models: Sequence[Model]) -> int:
        """How many evaluations a worker holds at once: several where one of the models takes trainings together."""
        most = self.site.together if "together" in self.engine.takes else 1
        return together_of(models, most, warm=self.serves_warm)

    @property
    def serves_warm(self) -> bool:
        """Whether a model's process stays from one run to the next."""
        return self.warm and self.engine.serves_warm

    def task(self, experiment: Path, *, is_sweep: bool) -> Task:
        """The experiment in a folder, as whoever carries it out knows it."""
        return Task(experiment, self.root, self.site, self.serves_warm, self.reports, is_sweep)

    def say(self, words: str) -> None:
        """Print a message for people."""
        tell(self.console, words)

    def show(self, line: str) -> None:
        """Print a path or a command, which may be copied."""
        copyable(self.console, line)


def open_host(
    root: Path,
    experiments: Path,
    site: str,
    asked: EngineOptions,
    *,
    warm: bool,
    console: Console,
    reports: bool = True,
    makes_environments: bool = True,
) -> Host:
    """Read the site and open the engine that is asked for; raises `InputError`."""
    read = read_site(site, root)
    if asked.together is not None:
        read = replace(read, together=asked.together)
    slots = read.slots()
    engine = open_engine(asked, read, slots, root)
    return Host(root, experiments, read, slots, engine, warm, console, reports, makes_environments)
