"""Where an experiment is planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from comparator.experiment.host import Host

Say = Callable[[str], None]


@dataclass(frozen=True)
class Context:
    """Where an experiment is planned: its file, the machine, what was typed, and how words reach the user."""

    file: Path  # absolute
    host: Host
    command: str
    say: Say = lambda words: None
    #: Called once all is checked that needs no model: what is to be a model, and is none yet, is made then.
    make_models: Callable[[], None] = lambda: None
    #: Whether points of the space are to come; else those that were tried once are tried again, as they were.
    searches: bool = True

    @property
    def folder(self) -> Path:
        """What paths in the experiment file are relative to."""
        return self.file.parent
