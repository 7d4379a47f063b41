"""What a worker works with: an experiment and its models, slots, folders, and the threads that go on in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from comparator.engine.gathering import Gathering
from comparator.engine.given import slot_of
from comparator.model.model import Model
from comparator.results.frozen import FrozenExperiment
from comparator.site.profile import Slot


@dataclass(frozen=True)
class Workplace:
    """`experiments` is the folder of all experiments; `deadline` is a time as `time.monotonic()` has it, or None.

    So many evaluations as `together` go on at once, in threads of `gathering`; `cancelled` ends them. `say` is called
    with what a person may want to know.
    """

    experiment: FrozenExperiment
    models: Sequence[Model]
    experiments: Path
    data_folder: Path
    slots: Sequence[Slot]
    name: str
    warm: bool
    together: int
    deadline: float | None
    say: Callable[[str], None]
    gathering: Gathering = field(default_factory=Gathering)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def folder(self) -> Path:
        """The experiment's."""
        return self.experiments / self.experiment.id

    def slot_of(self, number: int, slot: Slot) -> Slot:
        """A slot as submodel `number` uses it."""
        return slot_of(self.experiment.models[number], slot)
