"""Where an experiment is planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from comparator.site.profile import Site

Say = Callable[[str], None]


@dataclass(frozen=True)
class Context:
    """Where an experiment is planned: its file, the project, the machine, and how words reach the user."""

    file: Path  # absolute
    root: Path
    site: Site
    engine: str
    workers: int
    command: str
    say: Say
    #: Whether models are served warm, by a process that stays.
    warm: bool = True

    @property
    def folder(self) -> Path:
        """What paths in the experiment file are relative to."""
        return self.file.parent
