"""The live strategy of a frozen one: by name, a UPF's points, or the user's own algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.errors import InputError
from comparator.experiment.settings import (
    is_own_algorithm,
)
from comparator.results.record import (
    FrozenStrategy,
    Point,
)
from comparator.space import ParameterSpace
from comparator.strategies import Strategy, make_strategy
from comparator.strategies.resident import ResidentStrategy
from comparator.strategies.sampling import SamplingStrategy


def make_strategy_of(
    made: FrozenStrategy, upf: Sequence[tuple[str | None, Point]] | None, space: ParameterSpace | None
) -> Strategy:
    if space is None:
        names, points = zip(*(upf or ()), strict=True)
        return SamplingStrategy(iter(points), made.in_flight, names)
    if is_own_algorithm(made.name):
        return _own_algorithm(made)
    try:
        strategy = make_strategy(made.name, space, seed=made.seed, in_flight=made.in_flight, options=made.options)
    except InputError as error:
        raise InputError(f"{made.where}: {error}") from None
    if made.past and strategy.inform(made.past) == 0:
        raise InputError(f"{made.where}: strategy '{made.name}' cannot be told past results")
    return strategy


def _own_algorithm(made: FrozenStrategy) -> Strategy:
    """The user's own EQ/Py module as a strategy; it may import what lies beside it."""
    path, options = Path(made.name), made.options
    unknown = sorted(set(options) - {"parameters"})
    if unknown:
        raise InputError(f"{made.where}: {path.name} takes 'parameters' (a text), not '{unknown[0]}'")
    if not path.is_file():
        raise InputError(f"{made.where}: strategy: {path}: no such file")
    try:
        return ResidentStrategy(path, str(options.get("parameters", "")))
    except InputError as error:
        raise InputError(f"{made.where}: {error}") from None
