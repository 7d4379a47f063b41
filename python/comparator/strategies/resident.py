"""Algorithms that block, as strategies: the adapter between EQ/Py and `start` and `tell`.

The custom of EQ/Py algorithms, as EMEWS and CANDLE workflows have them:

1. The algorithm may first get its parameters, or put a text that is no point, such as `Params`, and then get them.
2. It puts a batch: points as JSON objects joined by `;` (or a JSON list of them). It gets one text: the
   results of that batch in the order of its points, joined by `;`. And so on.
3. It puts `DONE`, then any final texts, and returns.

An algorithm that asks for results without having put points would wait for ever: it has failed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from comparator.errors import ComparatorError, InputError
from comparator.formats.text import each_key_once
from comparator.space import Point
from comparator.strategies.strategy import Proposal, Strategy
from eqpy import EQPY_ABORT, WAITING, Conversation


class AlgorithmError(ComparatorError):
    """The algorithm raised, or broke the custom; `details` is its traceback, or what it put."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


class ResidentStrategy(Strategy):
    """Runs an EQ/Py algorithm in a thread, and each batch of it as one generation.

    `run` is the algorithm, a function without arguments. `parameters` is the text that it gets where it asks for one.
    A failed evaluation is told to it as `inf`. What the algorithm raises comes out of the call that waited for it as an
    `AlgorithmError`.
    """

    def __init__(self, run: Callable[[], object], parameters: str = "") -> None:
        self._run = run
        self._parameters = parameters
        self._conversation = Conversation(tells_waiting=True)
        self._batch: list[int] = []
        self._results: dict[int, str] = {}
        self._generation = 0
        self._done = False
        #: What the algorithm put after `DONE`.
        self.final_texts: list[str] = []

    def start(self) -> list[Proposal]:
        self._conversation.start(self._run)
        first = self._conversation.get()
        if first is WAITING:
            self._conversation.put(self._parameters)
            return self._proposals(self._next_text())
        text = self._text(first)
        if text != "DONE" and not _looks_like_points(text):
            self._conversation.put(self._parameters)
            text = self._next_text()
        return self._proposals(text)

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if self._done or number not in self._batch:
            return []
        self._results[number] = repr(math.inf if value is None or math.isnan(value) else float(value))
        if len(self._results) < len(self._batch):
            return []
        self._conversation.put(";".join(self._results[each] for each in self._batch))
        return self._proposals(self._next_text())

    def close(self) -> None:
        self._done = True
        self._conversation.stop()

    def _proposals(self, text: str) -> list[Proposal]:
        """The proposals of a batch; none at the end, where the final texts are gathered."""
        while text != "DONE":
            points = split_points(text)
            if points:
                proposals = [self._propose(point, self._generation) for point in points]
                self._batch, self._results = [proposal.number for proposal in proposals], {}
                self._generation += 1
                return proposals
            self._conversation.put("")
            text = self._next_text()
        self._done = True
        self._conversation.close_input()
        self._gather_final_texts()
        return []

    def _gather_final_texts(self) -> None:
        while (text := str(self._conversation.get())) != EQPY_ABORT:
            self.final_texts.append(text)
        self._raise_failure(str(self._conversation.get()))

    def _next_text(self) -> str:
        return self._text(self._conversation.get())

    def _text(self, got: object) -> str:
        if got is WAITING:
            self._done = True
            raise AlgorithmError(
                "the search algorithm asks for results (IN_get) and has put no points (OUT_put) since the last ones",
                f"it has put {self._proposed} points so far, and was answered for all of them",
            )
        text = str(got)
        if text == EQPY_ABORT:
            self._done = True
            ending = str(self._conversation.get())
            self._raise_failure(ending)
            raise AlgorithmError("the search algorithm returned without 'DONE'", ending)
        return text

    def _raise_failure(self, ending: str) -> None:
        if ending != "Exited normally":
            # Behind the last line of the stack, which is indented, stands the exception, of one line or more.
            lines = ending.strip().splitlines()
            last = max((n for n, line in enumerate(lines) if line.startswith(" ")), default=-1)
            raise AlgorithmError(f"the search algorithm failed: {' '.join(lines[last + 1 :]) or lines[-1]}", ending)


def split_points(text: str) -> list[Point]:
    """The points of a batch: JSON objects joined by `;`, or JSON lists of them. A `;` inside a text is data.

    Raises `AlgorithmError` for anything else.
    """
    decoder = json.JSONDecoder(
        parse_constant=_refuse_constant, object_pairs_hook=each_key_once("the search algorithm put a point")
    )
    points: list[Point] = []
    position = 0
    try:
        while position < len(text):
            if text[position].isspace() or text[position] == ";":
                position += 1
                continue
            value, position = decoder.raw_decode(text, position)
            points += value if isinstance(value, list) else [value]
    except InputError as error:
        raise AlgorithmError(str(error), text) from None
    except (ValueError, RecursionError) as error:
        raise AlgorithmError(f"the search algorithm put neither points nor 'DONE': {error}", text) from None
    if not all(isinstance(point, dict) for point in points):
        raise AlgorithmError("the search algorithm put a point that is no JSON object", text)
    return points


def _looks_like_points(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
