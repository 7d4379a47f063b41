"""Optuna's samplers as strategies, by Optuna's own `ask` and `tell`.

Optuna is imported where it is used, which takes seconds.
"""

from __future__ import annotations

import importlib.util
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from comparator.errors import InputError
from comparator.space import Choice, Constant, Number, Ordered, Parameter, ParameterSpace, Point
from comparator.strategies.options import StrategyOptions
from comparator.strategies.strategy import Proposal, Strategy

SamplerName = Literal["tpe", "gp", "cmaes", "nsga2", "qmc", "random"]
#: Of each of them Optuna's class, what it is made with, the package that it needs.
SAMPLERS: dict[SamplerName, tuple[str, dict[str, Any], str | None]] = {
    "tpe": ("TPESampler", {"constant_liar": True}, None),
    "gp": ("GPSampler", {}, "torch"),
    "cmaes": ("CmaEsSampler", {"warn_independent_sampling": False}, "cmaes"),
    "nsga2": ("NSGAIISampler", {}, None),
    "qmc": (
        "QMCSampler",
        {"scramble": True, "warn_asynchronous_seeding": False, "warn_independent_sampling": False},
        None,
    ),
    "random": ("RandomSampler", {}, None),
}


class SamplerStrategy(Strategy):
    """Asks an Optuna sampler for a point in answer to each result, `in_flight` at the start.

    Failures are told to Optuna as failed trials, which its samplers leave out. A `categorical` value goes to Optuna as
    its place in the list, unordered; an `ordered` one as a whole number.
    """

    fits_a_model = True

    @classmethod
    def begins_uninformed(cls, options: Mapping[str, Any], in_flight: int) -> bool:
        return True

    def __init__(self, space: ParameterSpace, in_flight: int, sampler: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._in_flight = in_flight
        self._study = optuna.create_study(sampler=sampler)
        self._distributions = {
            parameter.name: _distribution(parameter)
            for parameter in space.parameters
            if not isinstance(parameter, Constant)
        }
        self._open: dict[int, Any] = {}
        self._closed = False

    def inform(self, past: Sequence[tuple[Point, float | None]]) -> int:
        from optuna.trial import create_trial

        done = [(point, value) for point, value in past if value is not None and math.isfinite(value)]
        for point, value in done:
            inside = {
                parameter.name: _to_optuna(parameter, point[parameter.name])
                for parameter in self._space.parameters
                if parameter.name in self._distributions
            }
            self._study.add_trial(create_trial(params=inside, distributions=self._distributions, value=value))
        return len(done)

    def start(self) -> list[Proposal]:
        return [self._ask() for _ in range(self._in_flight)]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        from optuna.trial import TrialState

        if self._closed or number not in self._open:
            return []
        trial = self._open.pop(number)
        if value is None or not math.isfinite(value):
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, value)
        return [self._ask()]

    def close(self) -> None:
        self._closed = True

    def _ask(self) -> Proposal:
        trial = self._study.ask(self._distributions)
        proposal = self._propose(_point(self._space, trial.params))
        self._open[proposal.number] = trial
        return proposal


class OptunaOptions(StrategyOptions):
    """Which of Optuna's samplers."""

    sampler: SamplerName = Field("tpe", description="Optuna's sampler")


class OptunaStrategy(SamplerStrategy):
    """One of Optuna's samplers; raises `InputError` where a package that it needs is missing."""

    Options = OptunaOptions

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: OptunaOptions) -> None:
        super().__init__(space, in_flight, _sampler(options.sampler, seed))


def optuna_seed(seed: int) -> int:
    """The seed of a search as Optuna's samplers take it."""
    return seed % 2**32


def _sampler(sampler: SamplerName, seed: int) -> Any:
    name, settings, needed = SAMPLERS[sampler]
    for package in ("optuna", needed):
        if package is not None and importlib.util.find_spec(package) is None:
            raise InputError(f"sampler '{sampler}' needs the package '{package}': pip install {package}")
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return getattr(optuna.samplers, name)(seed=optuna_seed(seed), **settings)


def _distribution(parameter: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(parameter, Number):
        if parameter.whole:
            return IntDistribution(int(parameter.lower), int(parameter.upper), log=parameter.use_log_scale)
        return FloatDistribution(parameter.lower, parameter.upper, log=parameter.use_log_scale)
    assert isinstance(parameter, Choice)
    if isinstance(parameter, Ordered):
        return IntDistribution(0, len(parameter.values) - 1)
    return CategoricalDistribution(tuple(range(len(parameter.values))))


def _to_optuna(parameter: Parameter, value: Any) -> Any:
    """A value as its distribution has it; lists by place, since Optuna takes `1` and `True` for one value."""
    if not isinstance(parameter, Choice):
        return value
    return [json.dumps(each) for each in parameter.values].index(json.dumps(value))


def _point(space: ParameterSpace, asked: Mapping[str, Any]) -> Point:
    point: Point = {}
    for parameter in space.parameters:
        if isinstance(parameter, Constant):
            point[parameter.name] = parameter.value
        elif isinstance(parameter, Choice):
            point[parameter.name] = parameter.values[asked[parameter.name]]
        else:
            point[parameter.name] = asked[parameter.name]
    return point
