"""Evaluations side by side in one worker, whose trainings are carried out together where a model takes several.

Each evaluation is a thread. One of them at a time goes on; the others wait: for a training, for a run that another of
them trains, for something outside. Trainings that were asked for are held until every thread waits or has ended. Then
those of one submodel are carried out by one call; so no clock decides which trainings come together.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from comparator.model.training import Outcome, Training

#: Carries out trainings of one submodel; gives the outcome of each, in their order, as it comes.
CarryOut = Callable[[Sequence[Training]], Iterable[Outcome]]


@dataclass
class _Asked:
    """A training that a thread waits for, of a submodel in a slot; `place` is its place among those of a batch."""

    slot: int
    submodel: int
    place: tuple[int, int]
    training: Training
    batch: list[_Asked] | None = None  # with which it is carried out, by the thread of the last of them
    outcome: Outcome | None = None
    error: BaseException | None = None


class Gathering:
    """The threads of one worker, of which one at a time goes on. All its methods but `expect` are for such a thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._going_on = 0  # threads that wait for nothing but their turn, and those whose training is carried out
        self._asked: list[_Asked] = []
        self._held: dict[str, deque[_Turn]] = {}  # runs that a thread has, and who waits for each

    def expect(self, threads: int) -> None:
        """Say that so many threads are about to take part, for which the others wait."""
        with self._changed:
            self._going_on += threads

    @contextmanager
    def taking_part(self) -> Iterator[None]:
        """Be one of those that were expected, while the context lasts."""
        with self._changed:
            try:
                yield
            finally:
                self._rest()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Wait for something outside while the context lasts; the others do not wait for this thread."""
        self._rest()
        self._changed.release()
        try:
            yield
        finally:
            self._changed.acquire()
            self._going_on += 1

    @contextmanager
    def alone(self, run: str) -> Iterator[None]:
        """Have a run for this thread alone while the context lasts, once whoever has it is done with it."""
        if run in self._held:
            turn = _Turn()
            self._held[run].append(turn)
            self._rest()
            self._changed.wait_for(lambda: turn.has_come)
        else:
            self._held[run] = deque()
        try:
            yield
        finally:
            if self._held[run]:
                self._held[run].popleft().has_come = True
                self._going_on += 1  # before this thread rests, lest a training is carried out without that one's
                self._changed.notify_all()
            else:
                del self._held[run]

    def train(
        self, slot: int, submodel: int, place: tuple[int, int], training: Training, carry_out: CarryOut
    ) -> Outcome:
        """The outcome of a training of a submodel in a slot, carried out with those that others ask for meanwhile.

        They are in the order of their `place`, so that equal tasks are equal calls of a model.
        Raises what `carry_out` raises, in each thread whose training it was to carry out.
        """
        asked = _Asked(slot, submodel, place, training)
        self._asked.append(asked)
        self._rest()
        self._changed.wait_for(lambda: asked.batch is not None)
        assert asked.batch is not None
        if asked.batch[-1] is asked:  # which is to have its outcome last, so that none waits for this thread
            self._carry_out(asked.batch, carry_out)
        self._changed.wait_for(lambda: asked.outcome is not None or asked.error is not None)
        asked.batch = None  # which holds what has it: such circles wait for Python's collector
        if asked.error is not None:
            raise asked.error
        assert asked.outcome is not None
        return asked.outcome

    def _carry_out(self, batch: list[_Asked], carry_out: CarryOut) -> None:
        waiting = deque(batch)
        self._changed.release()
        try:
            for outcome in carry_out([each.training for each in batch]):
                with self._changed:
                    waiting.popleft().outcome = outcome
                    self._changed.notify_all()
        except BaseException as raised:
            for each in waiting:
                each.error = raised
        finally:
            self._changed.acquire()
            self._changed.notify_all()

    def _rest(self) -> None:
        """Note that this thread waits, or ends; where all do, in each slot those of the first submodel are trained."""
        self._going_on -= 1
        if self._going_on:
            return
        for slot in {each.slot for each in self._asked}:
            in_slot = [each for each in self._asked if each.slot == slot]
            first = min(each.submodel for each in in_slot)
            batch = sorted((each for each in in_slot if each.submodel == first), key=lambda each: each.place)
            for each in batch:
                each.batch = batch
        self._going_on = sum(each.batch is not None for each in self._asked)
        self._asked = [each for each in self._asked if each.batch is None]
        self._changed.notify_all()


@dataclass
class _Turn:
    """Whether a run has come to a thread that waits for it."""

    has_come: bool = False
