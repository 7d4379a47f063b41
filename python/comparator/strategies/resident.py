"""Algorithms that block, as strategies: the adapter between EQ/Py and `start` and `tell`.

The custom of EQ/Py algorithms, as EMEWS and CANDLE workflows have them:

1. The algorithm may first get its parameters, or put a text that is no point, such as `Params`, and then get them.
2. It puts a batch: points as JSON objects joined by `;` (or a JSON list of them), or their values alone, in the order
   of the space without its constants: `0.1,20;0.2,40`, or lists of them. It gets one text: the results of that batch in
   the order of its points, joined by `;`. And so on.
3. It puts `DONE`, or `FINAL`, then any final texts, and returns.

An algorithm that asks for results without having put points would wait for ever: it has failed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from comparator.errors import ComparatorError, InputError
from comparator.formats.text import each_key_once
from comparator.space import Constant, ParameterSpace, Point
from comparator.strategies.strategy import Proposal, Strategy
from eqpy import EQPY_ABORT, WAITING, Conversation

ENDINGS = ("DONE", "FINAL")


class AlgorithmError(ComparatorError):
    """The algorithm raised, or broke the custom; `details` is its traceback, or what it put."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


class ResidentStrategy(Strategy):
    """Runs an EQ/Py algorithm in a thread, and each batch of it as one generation.

    `run` is the algorithm, a function without arguments. `parameters` is the text that it gets where it asks for one,
    `separator` what stands between its results. Points that are put as values alone are points of `space`.
    A failed evaluation is told to it as `inf`. What the algorithm raises comes out of the call that waited for it as an
    `AlgorithmError`.
    """

    by_generations = True

    def __init__(
        self,
        run: Callable[[], object],
        parameters: str = "",
        *,
        space: ParameterSpace | None = None,
        separator: str = ";",
    ) -> None:
        self._run = run
        self._parameters = parameters
        self._space, self._separator = space, separator
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
        if text not in ENDINGS and not _looks_like_points(text, self._space):
            self._conversation.put(self._parameters)
            text = self._next_text()
        return self._proposals(text)

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if self._done or number not in self._batch:
            return []
        self._results[number] = repr(math.inf if value is None or math.isnan(value) else float(value))
        if len(self._results) < len(self._batch):
            return []
        self._conversation.put(self._separator.join(self._results[each] for each in self._batch))
        return self._proposals(self._next_text())

    def close(self) -> None:
        self._done = True
        self._conversation.stop()

    def _proposals(self, text: str) -> list[Proposal]:
        """The proposals of a batch; none at the end, where the final texts are gathered."""
        while text not in ENDINGS:
            points = split_points(text, self._space)
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
        text = str(got).strip()
        if text == EQPY_ABORT:
            self._done = True
            ending = str(self._conversation.get())
            self._raise_failure(ending)
            raise AlgorithmError("the search algorithm returned without 'DONE' or 'FINAL'", ending)
        return text

    def _raise_failure(self, ending: str) -> None:
        if ending != "Exited normally":
            # Behind the last line of the stack, which is indented, stands the exception, of one line or more.
            lines = ending.strip().splitlines()
            last = max((n for n, line in enumerate(lines) if line.startswith(" ")), default=-1)
            raise AlgorithmError(f"the search algorithm failed: {' '.join(lines[last + 1 :]) or lines[-1]}", ending)


def split_points(text: str, space: ParameterSpace | None = None) -> list[Point]:
    """The points of a batch: JSON objects joined by `;`, or JSON lists of them. A `;` inside a text is data.

    With a `space` they may be values alone, as `0.1,20;0.2,40` or as lists. Raises `AlgorithmError` for anything else.
    """
    if space is not None and not _looks_like_json(text):
        return _points_of_values(text, space)
    decoder = json.JSONDecoder(
        parse_constant=_refuse_constant, object_pairs_hook=each_key_once("the search algorithm put a point")
    )
    found: list[Any] = []
    position = 0
    try:
        while position < len(text):
            if text[position].isspace() or text[position] == ";":
                position += 1
                continue
            value, position = decoder.raw_decode(text, position)
            found += value if isinstance(value, list) and not _is_of_values(value) else [value]
    except InputError as error:
        raise AlgorithmError(str(error), text) from None
    except (ValueError, RecursionError) as error:
        raise AlgorithmError(f"the search algorithm put neither points nor 'DONE': {error}", text) from None
    points = [_named(each, space, text) if space is not None and isinstance(each, list) else each for each in found]
    if not all(isinstance(point, dict) for point in points):
        raise AlgorithmError("the search algorithm put a point that is no JSON object", text)
    return points


def _looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def _looks_like_points(text: str, space: ParameterSpace | None) -> bool:
    """Whether a first text is a batch, and no word for which its parameters are given."""
    if _looks_like_json(text):
        return True
    try:
        return bool(space is not None and split_points(text, space))
    except AlgorithmError:
        return False


def _is_of_values(value: list[Any]) -> bool:
    return bool(value) and not any(isinstance(each, (dict, list)) for each in value)


def _points_of_values(text: str, space: ParameterSpace) -> list[Point]:
    """The points of `0.1,20;0.2,40`; a text value that has a `,` or `;` in it cannot be put so."""
    points = []
    for piece in filter(str.strip, text.split(";")):
        named = _named([value.strip() for value in piece.split(",")], space, text)
        try:
            points.append(space.parse(named, "the search algorithm put a point"))
        except InputError as error:
            raise AlgorithmError(str(error), text) from None
    return points


def _named(values: list[Any], space: ParameterSpace, text: str) -> dict[str, Any]:
    """Values in the order of the space, which gives them their names; the constants are left out."""
    names = [each.name for each in space.parameters if not isinstance(each, Constant)]
    if len(values) != len(names):
        raise AlgorithmError(
            f"the search algorithm put neither points nor 'DONE': {len(values)} values for {len(names)} parameters"
            f" ({', '.join(names)})",
            text,
        )
    return dict(zip(names, values, strict=True))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
