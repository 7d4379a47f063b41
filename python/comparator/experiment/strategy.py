"""The live strategy of a frozen one: by name, a UPF's points, or the user's own."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.errors import InputError
from comparator.results.form import Point
from comparator.results.frozen import FrozenStrategy
from comparator.space import ParameterSpace
from comparator.strategies import Strategy, find_strategy, make_strategy
from comparator.strategies.ahead import Ahead
from comparator.strategies.sampling import SamplingStrategy
from comparator.strategies.tuning import TUNING, Tuning, TuningStrategy


def make_strategy_of(
    made: FrozenStrategy, upf: Sequence[tuple[str | None, Point]] | None, space: ParameterSpace | None
) -> Strategy:
    if made.name == TUNING:
        return TuningStrategy(Tuning.model_validate(made.options))
    if space is None:
        names, points = zip(*upf, strict=True) if upf else ((), ())
        return SamplingStrategy(iter(points), made.in_flight, names)
    try:
        in_flight = made.in_flight + made.ahead
        options = {**find_strategy(made.name).came_later, **made.options}
        strategy = make_strategy(made.name, space, seed=made.seed, in_flight=in_flight, options=options)
    except InputError as error:
        raise InputError(f"{made.where}: {error}") from None
    if made.ahead:
        strategy = Ahead(strategy, made.in_flight, made.ahead)
    if made.past and strategy.inform(made.past) == 0:
        raise InputError(f"{made.where}: strategy '{made.name}' cannot be told past results")
    return strategy
