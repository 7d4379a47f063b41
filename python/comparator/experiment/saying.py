"""Saying what runs, for whoever watches: in a thread, since no worker should wait for a file that is advice alone."""

from __future__ import annotations

import threading
from collections.abc import Callable

#: After a word so long nothing is said: of few evaluations, and of so many that a list of them is dear.
SECONDS_OF_FEW, SECONDS_OF_MANY = 0.1, 1.0


class Saying:
    """Calls `say` soon after `note`, once for all that was noted meanwhile; `close` ends it.

    `say` returns how long not to call it again, in seconds.
    """

    def __init__(self, say: Callable[[], float]) -> None:
        self._say = say
        self._noted, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._carry_out, name="saying", daemon=True)
        self._thread.start()

    def note(self) -> None:
        self._noted.set()

    def close(self) -> None:
        self._closed.set()
        self._noted.set()
        self._thread.join()

    def _carry_out(self) -> None:
        while True:
            self._noted.wait()
            self._noted.clear()
            if self._closed.is_set() or self._closed.wait(self._say()):
                return
