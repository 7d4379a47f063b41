"""Trainings that go on side by side, each in a thread of its own, and have their steps done all at once.

A training does not know of the others: it is given a network (`stacked.Member`) whose methods wait until every training
that still goes on has asked for something. All that is asked for is done then, by one `stacked.Stack`, and all go on.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TextIO

from drug_response.dataset import DATA_KEYS
from drug_response.model import Model
from drug_response.training import train
from uno import device, stacked
from uno.network import Network, Shape, Structure
from uno.small import serves
from uno.training import fit

#: Trainings that go on at once. With fewer, what is compiled for them the first time costs more than they do alone.
FEWEST, MOST = 8, 64
#: Trainings go together that agree in these, which give the network its shape and its batches.
_SHARED = (
    *DATA_KEYS,
    *("dense", "dense_feature_layers", "dense_cell_feature_layers", "dense_drug_feature_layers", "layer_force"),
    *("activation", "residual", "loss", "optimizer", "batch_size"),
)

#: Metrics by name, or why there are none.
Result = dict[str, Any] | Exception
#: A training: it takes what makes a network, from a structure and a shape, and returns its metrics.
Training = Callable[[Callable[[Structure, Shape], Any]], dict[str, Any]]


class NotTogether(Exception):
    """A training cannot go on together with the others, and is to be done alone."""


def run_many(model: Model, given: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Train as each of `given` says; returns, in their order, what `model.run` returns of each, or raises.

    Small networks of one shape are trained together, all others one after another. Raises `NotImplementedError` where
    JAX is not installed or sees no GPU: nothing would be won.
    """
    if not device.sees_gpu():
        raise NotImplementedError("there is no JAX for a GPU, or it sees none (CUDA_VISIBLE_DEVICES, SITE_DEVICES)")
    results = _together(model, given)
    for number, params in enumerate(given):
        if number not in results:
            try:
                results[number] = model.run(params)
            except Exception as error:
                results[number] = error
    return [results[number] for number in range(len(given))]


def train_together(trainings: Sequence[Training]) -> list[Result]:
    """Train all at once; returns, in their order, what each returns or raises.

    A `NotTogether` stands for a training that is to be done alone. What one prints comes in one piece, at its end.
    """
    meeting, logs = _Meeting(len(trainings)), _Logs(sys.stdout)

    def go_on(place: int, training: Training) -> Result:
        with meeting.turn:
            try:
                with logs.of_this_thread():
                    return training(functools.partial(_network, meeting, place))
            except Exception as error:
                return error
            finally:
                meeting.leave()

    with contextlib.redirect_stdout(logs), ThreadPoolExecutor(len(trainings)) as threads:
        return list(threads.map(go_on, range(len(trainings)), trainings))


def _together(model: Model, given: Sequence[Mapping[str, Any]]) -> dict[int, Result]:
    """Return the results, by number, of those that could be trained together."""
    results = {}
    for group in _groups(model, given):
        done = train_together([functools.partial(_train, hyperparameters) for hyperparameters in group.values()])
        found = zip(group, done, strict=True)
        results.update({number: result for number, result in found if not isinstance(result, NotTogether)})
    return results


def _train(hyperparameters: Mapping[str, Any], network: Callable[[Structure, Shape], Network]) -> dict[str, Any]:
    return train(hyperparameters, functools.partial(fit, network_of=network))


def _groups(model: Model, given: Sequence[Mapping[str, Any]]) -> Iterator[dict[int, dict[str, Any]]]:
    """Give the complete hyperparameters, by number, of trainings that may go together.

    Folds follow each other, and a `timeout` is one of a training that has the processor for itself.
    """
    agreeing: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for number, params in enumerate(given):
        with contextlib.suppress(Exception):  # `run` raises it again
            hyperparameters = model.hyperparameters.complete(model.hyperparameters.given_values(params))
            if hyperparameters["cv"] == 1 and hyperparameters["timeout"] < 0:
                shared = json.dumps([hyperparameters[key] for key in _SHARED])
                agreeing[shared][number] = hyperparameters
    for group in agreeing.values():
        numbers = list(group)
        for begin in range(0, len(numbers), MOST):
            some = numbers[begin : begin + MOST]
            if len(some) >= FEWEST:
                yield {number: group[number] for number in some}


def _network(meeting: _Meeting, place: int, structure: Structure, shape: Shape) -> stacked.Member:
    if not serves(structure, shape):
        raise NotTogether("the network is not small")
    return stacked.Member(shape, functools.partial(meeting.ask, place, shape))


class _Meeting:
    """Where trainings wait until all that go on have asked for something.

    One of them has the turn, and computes; threads that take turns as Python has it spend most of their time on that.
    """

    def __init__(self, count: int) -> None:
        self.turn = threading.Condition()
        self._places = 1 << (count - 1).bit_length()  # what is compiled for one number of places serves many counts
        self._going = count
        self._asked: dict[int, Any] = {}
        self._answers: dict[int, Any] = {}
        self._stack: stacked.Stack | None = None

    def ask(self, place: int, shape: Shape, asked: Any) -> Any:
        """Return the answer of the stack, which is of the shape that comes first; the caller has the turn.

        Raises `NotTogether` for another shape, and where the stack fails.
        """
        if self._stack is None:
            self._stack = stacked.Stack(shape, self._places)
        if shape != self._stack.shape:
            raise NotTogether("the network has another shape")
        self._asked[place] = asked
        self._answer()
        self.turn.wait_for(lambda: place in self._answers)
        answer = self._answers.pop(place)
        if isinstance(answer, Exception):
            raise NotTogether(str(answer))
        return answer

    def leave(self) -> None:
        """Tell that a training has ended, which has the turn."""
        self._going -= 1
        self._answer()

    def _answer(self) -> None:
        """Answer, one kind after the other, where all that go on have asked."""
        if self._stack is None or not self._asked or len(self._asked) < self._going:
            return
        of_kind: dict[Any, dict[int, Any]] = defaultdict(dict)
        for place, asked in self._asked.items():
            of_kind[asked.kind][place] = asked
        self._asked = {}
        for some in of_kind.values():
            try:
                self._answers |= self._stack.answer(some)
            except Exception as error:  # the device's: its memory may be full
                self._answers |= dict.fromkeys(some, error)
        self.turn.notify_all()


class _Logs(io.TextIOBase):
    """Stands for the standard output, and keeps what each thread prints together."""

    def __init__(self, given: TextIO) -> None:
        self._given, self._of_thread = given, threading.local()

    def write(self, text: str) -> int:
        """Write to the thread's own log, or where it has none to the standard output."""
        log: TextIO = getattr(self._of_thread, "log", self._given)
        return log.write(text)

    @contextlib.contextmanager
    def of_this_thread(self) -> Iterator[None]:
        """Keep what this thread prints until the end, and forget it where it is to be done alone."""
        self._of_thread.log = log = io.StringIO()
        try:
            yield
        except NotTogether:
            log.truncate(0)
            raise
        finally:
            self._given.write(log.getvalue())
            self._given.flush()
