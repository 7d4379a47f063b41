"""How long a worker waits for a run that another process trains."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from comparator.engine.machine_faults import MENDED
from comparator.errors import Fault
from comparator.results.holder import Holder

#: After so long a wait for another's run is said; so long after its time limit it is given up.
SAID_SECONDS, GRACE_SECONDS = 5.0, 10.0


class Patience:
    """How long a worker waits for a run that another process trains: as long as that may take, and it says so.

    `limit` is how long it may take in seconds, None where there is none; `deadline` a time as
    `time.monotonic()` has it, None where there is none.
    """

    def __init__(
        self,
        run: str,
        *,
        limit: float | None,
        deadline: float | None = None,
        stopped: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self._run, self._limit, self._deadline, self._stopped, self._say = run, limit, deadline, stopped, say
        self._holder: str | None = None  # by its token, which is empty of one that has not said which it is
        self._since = 0.0
        self._is_said = False

    def wait(self, holder: Holder, seconds: float) -> bool:
        """Wait so long; False where there is no more time, or the experiment is stopped.

        Raises `Fault` where one holder has had the run for longer.
        """
        now = time.monotonic()
        if holder.token != self._holder:
            self._holder, self._since = holder.token, now
        waited = now - self._since
        if self._limit is not None and waited > self._limit + GRACE_SECONDS:
            raise Fault(
                f"run {self._run} is held by {holder.words}, for longer than the {self._limit:g} s that it may take;"
                f" end that process{MENDED}"
            )
        if waited > SAID_SECONDS and not self._is_said:
            self._is_said = True
            self._say(f"waiting for run {self._run}, which is being trained by {holder.words}")
        return not self._stopped.wait(seconds) and (self._deadline is None or now < self._deadline)
