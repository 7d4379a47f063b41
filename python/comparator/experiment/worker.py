"""Workers of an experiment in any process that sees its folder: made from what is frozen there."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from comparator.engine.interface import Task, share_slots
from comparator.engine.keeper import local_rank, node_name
from comparator.engine.leaf import Leaf
from comparator.engine.waiting import address_of
from comparator.errors import ComparatorError
from comparator.experiment.plan import Plan
from comparator.experiment.reopening import reopen_plan
from comparator.model.runners.together import together_of
from comparator.results.experiments import read_whole_experiment
from comparator.results.lease import Attempt
from comparator.site.profile import Slot

LOOK_SECONDS = 1.0


def make_leaf(
    plan: Plan,
    task: Task,
    slots: Sequence[Slot],
    name: str,
    deadline: float | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> Leaf:
    """A worker called `name`, in this process, of an experiment that is opened here."""
    return Leaf(
        plan.frozen,
        [model.placed(task.site.image_folder) for model in plan.models],
        plan.objective,
        experiments=task.experiment.parent,
        data_folder=task.site.data_folder,
        slots=slots,
        name=name,
        warm=task.warm,
        together=together_of(plan.models, task.site.together, warm=task.warm),
        deadline=deadline,
        say=say,
    )


class WorkerPlace:
    """One of the `places` for workers of a launch on this node, which no other process has until `leave`.

    `launch` tells one launch from others. The place is a name in the kernel (an abstract socket address, unix(7)),
    which goes when its holder does, however that ends. Raises `ComparatorError` where all are taken.
    """

    def __init__(self, launch: str, places: int) -> None:
        # Launchers bind ranks to cores in their order, and sites name devices in that of the cores beside them.
        first = local_rank() or 0
        for number in sorted(range(places), key=lambda number: number != first):
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(address_of(launch, number))
            except OSError:
                claim.close()
                continue
            self.number, self._claim = number, claim
            return
        raise ComparatorError(
            f"{node_name()}: more workers than the {places} places there are for them (--workers-per-node)"
        )

    def leave(self) -> None:
        self._claim.close()


@dataclass(frozen=True)
class Worker:
    """Makes results of a task in whatever process it is called; what it takes for that is kept there.

    It can be pickled. `places` workers share a node's slots; `session` is the token of the lease by which a session
    holds the experiment. When it holds it no longer, be it dead, what runs here is ended.
    """

    task: Task
    places: int
    deadline: float | None
    session: str

    def __call__(self, task: str) -> str:
        with _changes:
            if self not in _kept:
                _kept[self] = _Leaves(self)
            leaves = _kept[self]
        return leaves.carry_out(task)

    def open(self, place: WorkerPlace, plan: Plan) -> Leaf:
        """A worker at a place of this node."""
        slots = share_slots(self.task.site.slots(), self.places)[place.number]
        return make_leaf(plan, self.task, slots, f"{node_name()}/{place.number}", self.deadline, _say)


class _Leaves:
    """The workers of one session in this process, as many as are busy at a time; they stay until it is over."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._plan = reopen(worker.task)
        self._leaves: list[tuple[WorkerPlace, Leaf]] = []
        self._idle: list[Leaf] = []
        self._change = threading.Condition()
        threading.Thread(target=self._watch, name="session", daemon=True).start()

    def carry_out(self, task: str) -> str:
        leaf = self._take()
        try:
            return leaf.carry_out(task)
        finally:
            with self._change:
                self._idle.append(leaf)
                self._change.notify()

    def _take(self) -> Leaf:
        with self._change:
            if self._idle:
                return self._idle.pop()
            place = WorkerPlace(self._worker.session, self._worker.places)
            leaf = self._worker.open(place, self._plan)
            self._leaves.append((place, leaf))
            return leaf

    def _watch(self) -> None:
        """Wait for the end of the session, and end what it has left here."""
        session = Attempt(self._worker.task.experiment)
        while self._goes_on(session):
            time.sleep(LOOK_SECONDS)
        with _changes:
            del _kept[self._worker]
        with self._change:
            for _, leaf in self._leaves:
                leaf.cancel()
            self._change.wait_for(lambda: len(self._idle) == len(self._leaves))
            for place, leaf in self._leaves:
                leaf.close()
                place.leave()

    def _goes_on(self, session: Attempt) -> bool:
        try:
            return session.is_held_by(self._worker.session)
        except OSError:  # a file system that does not answer says nothing
            return True


_kept: dict[Worker, _Leaves] = {}
_changes = threading.Lock()


def reopen(task: Task) -> Plan:
    """The plan of an experiment, made again from its folder; raises `InputError`."""
    return reopen_plan(read_whole_experiment(task.experiment), root=task.root, site=task.site, say=_say)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
