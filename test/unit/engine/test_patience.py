"""How long a worker waits for a run that another process trains."""

from __future__ import annotations

import threading
import time

import pytest

from comparator.engine.patience import Patience
from comparator.errors import Fault
from comparator.results.holder import UNKNOWN, Holder


def test_a_holder_that_has_not_said_which_it_is_is_waited_for_as_any_other() -> None:
    said: list[str] = []
    patience = Patience("5e1f", limit=-10.0, stopped=threading.Event(), say=said.append)  # with the grace 0 seconds
    assert patience.wait(UNKNOWN, 0.0)
    assert not said


def holder(**changes: str) -> Holder:
    of = {"token": "one", "host": "node7", "machine": "another", "user": "alice", "since": "noon"}
    return Holder(**{**of, **changes}, pid=4711, began=None)


def test_a_wait_for_another_is_said_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: list[float] = [0.0]
    said: list[str] = []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    patience = Patience("abc", limit=60.0, stopped=threading.Event(), say=said.append)
    for clock[0] in (0.0, 4.0, 6.0, 8.0):
        assert patience.wait(holder(), 0.0)
    assert said == ["waiting for run abc, which is being trained by process 4711 of alice on node7, since noon"]
    clock[0] = 71.0
    assert patience.wait(holder(token="two"), 0.0)  # whoever has it now has a time of its own
    clock[0] = 142.0
    with pytest.raises(
        Fault, match=r"run abc is held by process 4711 of alice on node7.*longer than the 60 s.*--resume"
    ):
        patience.wait(holder(token="two"), 0.0)


def test_nobody_waits_beyond_the_walltime() -> None:
    stopped = threading.Event()
    patience = Patience("abc", limit=None, deadline=time.monotonic() - 1, stopped=stopped, say=lambda words: None)
    assert not patience.wait(holder(), 0.0)
