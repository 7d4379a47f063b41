"""A study: how any of them is planned, carried out and gone on with. What tells one from another is its own data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from comparator.experiment import opening
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.results.experiments import experiment_path, read_experiment
from comparator.studies import sweep
from comparator.studies.sweep import StudiesSession


@dataclass(frozen=True)
class Planned:
    """What a file comes to: the plan, in words what would be trained, and files of which it keeps copies, by name."""

    plan: Plan
    words: Sequence[str]
    kept: Mapping[str, Path] = field(default_factory=dict)


def begin(host: Host, planned: Planned, stem: str, identifier: str | None) -> StudiesSession:
    """Make the experiment's folder, freeze the plan there, and keep copies of files."""
    opened = StudiesSession(opening.begin(host, planned.plan, stem, identifier))
    for name, file in planned.kept.items():
        shutil.copyfile(file, opened.folder / name)
    return opened


def reopen(host: Host, identifier: str) -> StudiesSession:
    """Open an experiment where it was left."""
    return StudiesSession(opening.resume(host, identifier))


AnyPlanned = TypeVar("AnyPlanned", bound=Planned)
Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Study(Generic[AnyPlanned, Opened]):
    """A kind of study: its `name` is that of its `table` of an experiment file, and with dashes its command's.

    `plan` checks a file with what the command line sets, and the command, and raises `InputError`. `begin` makes the
    experiment's folder, `reopen` opens one where it was left, and `finish` trains what is not in the store and writes
    the report; it returns the folder.
    """

    name: str
    table: type[BaseModel]
    plan: Callable[[Host, Path, Sequence[str], str], AnyPlanned]
    begin: Callable[[Host, AnyPlanned, str, str | None], Opened]
    reopen: Callable[[Host, str], Opened]
    finish: Callable[[Host, Opened], Path]

    @property
    def verb(self) -> str:
        """The command that carries it out."""
        return self.name.replace("_", "-")

    def run(
        self,
        host: Host,
        file: Path,
        overrides: Sequence[str],
        *,
        command: str,
        identifier: str | None = None,
        dry_run: bool = False,
    ) -> Path | None:
        """Carry out the study of an experiment file; returns the experiment's folder, None for a dry run.

        Raises `InputError` before anything has started, `ComparatorError` where nothing was trained, and
        `KeyboardInterrupt` where it was stopped; whatever is finished is kept and not done again.
        """
        planned = self.plan(host, file, overrides, command)
        if dry_run:
            sweep.describe(host, planned.plan, planned.words)
            return None
        return self.finish(host, self.begin(host, planned, file.stem, identifier))

    def resume(self, host: Host, identifier: str) -> Path:
        """Go on with one where it was left; raises `InputError` where it is none of this kind."""
        sweep.check_kind(read_experiment(experiment_path(host.experiments, identifier)), self.name, identifier)
        return self.finish(host, self.reopen(host, identifier))

    def read_table(self, path: Path, overrides: Sequence[str]) -> BaseModel:
        """The table of an experiment file, with what the command line sets; raises `InputError`."""
        return sweep.read_file(path, overrides, self.name, self.table, "")[1]
