"""What a run is asked and how it ends, whichever way it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from comparator.model.reads import Reads

Status = Literal["ok", "failed", "timeout", "cancelled"]


@dataclass(frozen=True)
class Training:
    """One run to carry out: `folder` exists and is empty but for `log`."""

    hyperparameters: dict[str, object]
    folder: Path
    log: Path
    metric: str
    timeout: float | None = None  # seconds


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `metrics` are final values (None: not finite), `history` one number an epoch.

    `reads` is what the run was seen to read, None where that is not seen; `untold` says in a line why more may have
    gone into its numbers than is known, None where nothing has. `unnamed` is the metric that was asked for, where the
    run gave its number without a name. `seconds` is how long it took; of `together` runs that one call carried out each
    has its share of that call. `ended` is when, as `time.monotonic()` has it.
    """

    status: Status
    metrics: dict[str, float | None] = field(default_factory=dict)
    history: dict[str, list[float | None]] = field(default_factory=dict)
    reason: str | None = None
    reads: Reads | None = None
    untold: str | None = None
    unnamed: str | None = None
    seconds: float = 0.0
    together: int = 1
    ended: float = 0.0


class Runner(Protocol):
    """Carries out trainings of one model in one slot, one at a time."""

    def run(self, training: Training) -> Outcome: ...

    def cancel(self) -> None:
        """End the run in progress at once, from another thread; every later run is cancelled too."""

    def close(self) -> None:
        """Free what is kept between runs."""
