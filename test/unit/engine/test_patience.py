"""How long a worker waits for a run that another process trains."""

from __future__ import annotations

import threading

from comparator.engine.patience import Patience
from comparator.results.lease import UNKNOWN


def test_a_holder_that_has_not_said_which_it_is_is_waited_for_as_any_other() -> None:
    said: list[str] = []
    patience = Patience("5e1f", limit=-10.0, stopped=threading.Event(), say=said.append)  # with the grace 0 seconds
    assert patience.wait(UNKNOWN, 0.0)
    assert not said
