"""Strategies that are not the Comparator's: in a file of the user's own, or brought by an installed package.

A Python file, or the module that an entry point names, is a strategy by what it has:

| it has | it is |
|---|---|
| a subclass of `Strategy` | that strategy |
| `run()` | an EQ/Py algorithm (`comparator.strategies.resident`) |
| `sampler(seed=...)` | an Optuna sampler, which that function, or class, gives |

A package brings one as `NAME = "package.module:Class"`, or `NAME = "package.module"`, in its entry points of the group
`comparator.strategies`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from comparator.errors import ComparatorError, InputError, nearest_path
from comparator.extensions.own_code import FAILURES, import_own
from comparator.formats.text import message
from comparator.space import ParameterSpace, Point
from comparator.strategies.options import StrategyOptions
from comparator.strategies.resident import AlgorithmError, ResidentStrategy
from comparator.strategies.strategy import Proposal, Strategy

Answer = TypeVar("Answer")


def is_own_file(name: str) -> bool:
    """Whether the name of a strategy is the path of a Python file."""
    return name.endswith(".py")


def find_file(name: str) -> type[Strategy]:
    """The strategy in the user's own file, which may import what lies beside it; raises `InputError`."""
    file = Path(name)
    if not file.is_file():
        raise InputError(f"strategy: {file}: no such file{nearest_path(file)}")
    try:
        module = import_own(file.parent, file.stem)
    except FAILURES as error:
        raise InputError(message(f"strategy {name}: cannot be imported: {type(error).__name__}: {error}")) from None
    return _in_module(module, name)


def strategy_in(found: object, where: str) -> type[Strategy]:
    """The strategy that an entry point names, or that is in the module that it names; raises `InputError`."""
    if isinstance(found, ModuleType):
        return _in_module(found, where)
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        called = getattr(found, "__name__", type(found).__name__)
        raise InputError(f"strategy {where}: {called} is neither a subclass of Strategy nor a module")
    return _whole(found, where)


def _in_module(module: ModuleType, where: str) -> type[Strategy]:
    classes = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Strategy)]
    defined = [each for each in classes if each.__module__ == module.__name__]
    strategies = [each for each in defined if not any(each in other.__bases__ for other in defined)]
    if len(strategies) > 1:
        names = " and ".join(each.__name__ for each in strategies)
        raise InputError(f"strategy {where}: has {len(strategies)} subclasses of Strategy, {names}; a file has one")
    if strategies:
        return _whole(strategies[0], where)
    for name, made in (("run", _of_algorithm), ("sampler", _of_sampler)):
        found = getattr(module, name, None)
        if callable(found):
            return made(found)
    raise InputError(f"strategy {where}: has no subclass of Strategy, no function 'run' and no function 'sampler'")


def _whole(strategy: type[Strategy], where: str) -> type[Strategy]:
    missing = sorted(getattr(strategy, "__abstractmethods__", ()))
    if missing:
        raise InputError(f"strategy {where}: {strategy.__name__} has no '{missing[0]}'")
    if not (isinstance(strategy.Options, type) and issubclass(strategy.Options, StrategyOptions)):
        raise InputError(f"strategy {where}: {strategy.__name__}.Options is no subclass of StrategyOptions")
    return strategy


class AlgorithmOptions(StrategyOptions):
    """What an EQ/Py algorithm is given."""

    parameters: Annotated[str, BeforeValidator(str)] = Field(
        "", description="the text that it gets where it asks for one"
    )
    separator: Literal[";", ","] = Field(";", description="what stands between the results that it gets")


def _of_algorithm(run: Callable[[], object]) -> type[Strategy]:
    class OwnAlgorithm(ResidentStrategy):
        """An EQ/Py algorithm in a module."""

        Options = AlgorithmOptions
        ends_by_itself = True

        def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: AlgorithmOptions) -> None:
            super().__init__(run, options.parameters, space=space, separator=options.separator)

    return OwnAlgorithm


def _of_sampler(sampler: Callable[..., Any]) -> type[Strategy]:
    # Optuna is imported where it is used, which takes seconds.
    from optuna.samplers import BaseSampler

    from comparator.strategies.optuna_sampler import SamplerStrategy, optuna_seed

    class OwnSampler(SamplerStrategy):
        """An Optuna sampler that a function in a module gives."""

        def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: StrategyOptions) -> None:
            made = sampler(seed=optuna_seed(seed))
            if not isinstance(made, BaseSampler):
                raise InputError(f"'sampler' gives a {type(made).__name__}, not an Optuna sampler")
            super().__init__(space, in_flight, made)

    return OwnSampler


class OwnStrategy(Strategy):
    """A strategy of the user's own under the eyes of its host.

    What it raises comes out as an `AlgorithmError`, when it is made as an `InputError`; so does an answer that is no
    list of proposals in the order of their numbers.
    """

    def __init__(
        self,
        strategy: type[Strategy],
        name: str,
        space: ParameterSpace,
        seed: int,
        in_flight: int,
        options: StrategyOptions,
    ) -> None:
        self._name, self.by_generations = f"strategy '{name}'", strategy.by_generations
        make: Callable[..., Strategy] = strategy
        try:
            self._own = make(space, seed, in_flight, options)
        except InputError as error:
            raise InputError(f"{self._name}: {error}") from None
        except FAILURES as error:
            raise InputError(message(f"{self._name}: cannot be made: {type(error).__name__}: {error}")) from None
        self.listens = self._own.listens
        self._recalled: list[Proposal] = []

    def check(self) -> None:
        self._asked(self._own.check)

    def inform(self, past: Sequence[tuple[Point, float | None]]) -> int:
        return self._asked(lambda: self._own.inform(past))

    def recall(self, recorded: Sequence[Proposal]) -> None:
        self._asked(lambda: self._own.recall(recorded))
        self._recalled = list(recorded)

    def start(self) -> list[Proposal]:
        answer = self._asked(self._own.start)
        if self._recalled and answer == self._recalled:
            super().recall(answer)
            return answer
        return self._noted(answer)

    def listen(self) -> list[Proposal] | None:
        answer = self._asked(self._own.listen)
        return None if answer is None else self._noted(answer)

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        return self._noted(self._asked(lambda: self._own.tell(number, value)))

    def close(self) -> None:
        self._asked(self._own.close)

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        try:
            answer = ask()
        except ComparatorError:
            raise
        except FAILURES as error:
            words = message(f"{self._name} failed: {type(error).__name__}: {error}")
            raise AlgorithmError(words, traceback.format_exc()) from error
        self.ended = self._own.ended
        return answer

    def _noted(self, answer: list[Proposal]) -> list[Proposal]:
        expected = range(self._proposed, self._proposed + len(answer)) if isinstance(answer, list) else None
        if expected is None or [getattr(each, "number", None) for each in answer] != list(expected):
            raise AlgorithmError(
                f"{self._name} answered with something else than a list of what its '_propose' gave", repr(answer)
            )
        self._proposed += len(answer)
        return answer
