"""What goes between a search and its workers: requests, and their results."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from comparator.errors import FAULT
from comparator.results.form import Count, Form, Number, Point
from comparator.results.record import Run

#: The numbers of what is trained beside a search, and is no line of its record: a single model at its settings as
#: given, and, from the second number downwards, what tells which hyperparameter changes which model.
BASELINE, FIRST_PROBE, MOST_PROBES = -1, -2, 3
#: The number of what is no training: a worker that has nothing to do waits, and the search is asked for more then.
LISTEN = FIRST_PROBE - MOST_PROBES
#: The number of an evaluation, or of what is asked of workers beside them.
Numbered = Annotated[int, Field(ge=LISTEN)]


class Request(Form):
    """What a worker is asked: one replicate of an evaluation.

    `evaluation` is negative for what is trained beside the search: `BASELINE`, `FIRST_PROBE`; `LISTEN` asks for no
    training, but to wait for `expected_seconds`. `seed` is added to the
    seed of every model, `split`, where it is not None, to the seed of the data split of every model that has one
    (`comparator.strategies.blocks`). `seeds` is added likewise to what seeds a part, of every model that has such a
    hyperparameter; None: each part has the seed of its model.
    `epochs` takes the place of the number of epochs of every model; None: the full one.
    """

    evaluation: Numbered
    name: str | None = None
    point: Point
    replicate: Count
    expected_seconds: Number | None = None
    block: Count = 0
    seed: Count = 0
    split: int | None = None
    seeds: dict[str, Count] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None


class Result(Form):
    """What a worker answers. `status` may be `cancelled`, which is not recorded, or `fault`, which ends the search."""

    evaluation: Numbered
    replicate: Count = 0
    status: Literal["ok", "failed", "timeout", "cancelled", "fault"]
    value: Number | None = None
    started: str = ""
    seconds: Number = 0.0
    worker: str | None = None
    runs: list[Run]
    reason: str | None = None

    @property
    def is_fault(self) -> bool:
        return self.status == FAULT
