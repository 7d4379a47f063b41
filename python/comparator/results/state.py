"""What a process that runs an experiment says of itself: `state.json`, which is advice and never truth."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from comparator.results.files import now, read_form, write_whole
from comparator.results.form import Count, Form, Number, Point, ProcessId
from comparator.results.record import SEARCH
from comparator.results.requests import Numbered

STATE = "state.json"


LaunchName = Annotated[str, Field(pattern=r"^launch-[0-9]+$")]


class Running(Form):
    """An evaluation that waits for a result, for people."""

    evaluation: Numbered
    stage: str = SEARCH
    point: Point = {}
    started: str | None = None


#: The states of an experiment that runs, or is to.
ALIVE = ("queued", "running")


class State(Form):
    """What the process that runs, or ran, an experiment last said of it: advice, never truth.

    `running` lists what runs, the first of it where that is much; `unlisted` says how many run beside. `reporting` is
    the share of the report that is done, while it is written.
    """

    state: str = "new"
    pid: ProcessId | None = None
    host: str | None = None
    launch: LaunchName | None = None
    updated: str | None = None
    running: list[Running] = []
    unlisted: Count = 0
    reason: str | None = None
    job: str | None = None
    reporting: Number | None = None

    @property
    def in_flight(self) -> int:
        """How many evaluations run."""
        return len(self.running) + self.unlisted


def say(
    path: Path,
    state: str,
    running: Sequence[Running],
    reason: str | None,
    launch: str | None,
    *,
    unlisted: int = 0,
) -> None:
    """Note for watchers what an experiment is doing; a failure to write it is of no consequence."""
    said = State(
        state=state,
        pid=os.getpid(),
        host=os.uname().nodename,
        launch=launch,
        updated=now(),
        running=list(running),
        unlisted=unlisted,
        reason=reason,
    )
    with contextlib.suppress(OSError):
        write_whole(path / STATE, said.as_json(), sync=False)


def say_ended(path: Path, said: State, state: str, reason: str, launch: str | None) -> None:
    """Note that an experiment that last `said` what it was doing has ended; what ran then is kept."""
    say(path, state, said.running, reason, launch, unlisted=said.unlisted)


def say_reporting(path: Path, share: float | None) -> None:
    """Note for watchers how much of a finished experiment's report is written, None once all is; as `say` does."""
    said = last_word(path)
    if said.state == "finished":
        with contextlib.suppress(OSError):
            told = said.model_copy(update={"reporting": share, "updated": now()})
            write_whole(path / STATE, told.as_json(), sync=False)


def last_word(path: Path) -> State:
    """What the process that runs, or ran, an experiment last said of it. It may be gone since: `engine.jobs` asks."""
    return read_form(State, path / STATE) or State()
