"""Optimisers of other packages as strategies, each by its own `ask` and `tell` and its own defaults.

None of the packages is needed by the Comparator; each is imported where its optimiser is made. A number goes to an
optimiser as such, on a logarithmic scale where the space says so; a `categorical` or `logical` value as its place in
the list, unordered; an `ordered` one as the whole number of its place.
"""

from __future__ import annotations

import importlib.metadata
import math
import tempfile
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from comparator.space import Choice, Number, Ordered, ParameterSpace, Point
from comparator.strategies import Proposal, Strategy


@dataclass(frozen=True)
class Axis:
    """One parameter as every optimiser knows it: `kind` is "float", "int" or "category", both ends are included."""

    name: str
    kind: str
    lower: float
    upper: float
    log: bool = False
    values: tuple[Any, ...] = ()  # of a list

    @property
    def places(self) -> range:
        return range(int(self.lower), int(self.upper) + 1)

    def value(self, asked: Any) -> Any:
        """The value of the space for what an optimiser asked."""
        if self.kind == "float":
            return min(max(float(asked), self.lower), self.upper)
        place = min(max(round(float(asked)), int(self.lower)), int(self.upper))
        return self.values[place] if self.values else place


def axes(space: ParameterSpace) -> list[Axis]:
    found = []
    for each in space.parameters:
        if isinstance(each, Number):
            kind = "int" if each.whole else "float"
            ends = (int(each.lower), int(each.upper)) if each.whole else (each.lower, each.upper)
            found.append(Axis(each.name, kind, *ends, each.use_log_scale))
        elif isinstance(each, Choice):
            kind = "int" if isinstance(each, Ordered) else "category"
            found.append(Axis(each.name, kind, 0, len(each.values) - 1, values=each.values))
    return found


class Optimiser(Strategy):
    """Asks another package's optimiser for a point in answer to each result, `in_flight` at the start."""

    package: ClassVar[str]

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, budget: int) -> None:
        self._axes, self._seed, self._in_flight = axes(space), seed, in_flight
        self._open: dict[int, Any] = {}
        self._make(budget)

    def start(self) -> list[Proposal]:
        return [self._proposal() for _ in range(self._in_flight)]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        assert value is not None
        self._take(self._open.pop(number), value)
        return [self._proposal()]

    @abstractmethod
    def _make(self, budget: int) -> None:
        """Make the optimiser for so many evaluations."""

    @abstractmethod
    def _ask(self) -> tuple[Mapping[str, Any], Any]:
        """A value for each axis, and what the optimiser wants to be told with the result."""

    @abstractmethod
    def _take(self, asked: Any, value: float) -> None:
        """Tell the optimiser a result."""

    @abstractmethod
    def _best(self) -> Mapping[str, Any]:
        """The optimiser's own recommendation, a value for each axis."""

    def recommended(self) -> Point:
        return self._point(self._best())

    def _proposal(self) -> Proposal:
        values, asked = self._ask()
        proposal = self._propose(self._point(values))
        self._open[proposal.number] = asked
        return proposal

    def _point(self, values: Mapping[str, Any]) -> Point:
        return {axis.name: axis.value(values[axis.name]) for axis in self._axes}


class Ax(Optimiser):
    """Ax with BoTorch: the centre of the space, four scattered points, then noisy expected improvement (qLogNEI).

    A search of a function whose best point is the centre says nothing of it, therefore.
    """

    package = "ax-platform"

    def _make(self, budget: int) -> None:
        import logging

        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        logging.disable(logging.WARNING)
        self._client = Client(random_seed=self._seed)
        self._client.configure_experiment(
            parameters=[
                ChoiceParameterConfig(name=axis.name, values=list(axis.places), parameter_type="int", is_ordered=False)
                if axis.kind == "category"
                else RangeParameterConfig(
                    name=axis.name,
                    bounds=(axis.lower, axis.upper),
                    parameter_type=axis.kind,
                    scaling="log" if axis.log else None,
                )
                for axis in self._axes
            ]
        )
        self._client.configure_optimization(objective="-loss")
        self._client.configure_generation_strategy(initialization_random_seed=self._seed)

    def _ask(self) -> tuple[Mapping[str, Any], Any]:
        ((trial, values),) = self._client.get_next_trials(max_trials=1).items()
        return values, trial

    def _take(self, asked: Any, value: float) -> None:
        self._client.complete_trial(trial_index=asked, raw_data={"loss": value})

    def _best(self) -> Mapping[str, Any]:
        return self._client.get_best_parameterization()[0]


class SMAC(Optimiser):
    """SMAC3's facade for hyperparameters: scattered points for a quarter, then a random forest.

    It takes results for certain (`deterministic`), and so spends no evaluation on a point that it has tried.
    """

    package = "smac"

    def _make(self, budget: int) -> None:
        from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer
        from smac import HyperparameterOptimizationFacade, Scenario

        known = ConfigurationSpace(seed=self._seed)
        for axis in self._axes:
            ends = (axis.lower, axis.upper)
            if axis.kind == "category":
                known.add(Categorical(axis.name, list(axis.places)))
            elif axis.kind == "int":
                known.add(Integer(axis.name, ends, log=axis.log))
            else:
                known.add(Float(axis.name, ends, log=axis.log))
        self._folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            known, deterministic=True, n_trials=budget, seed=self._seed, output_directory=self._folder.name
        )
        self._facade = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
        )

    def _ask(self) -> tuple[Mapping[str, Any], Any]:
        trial = self._facade.ask()
        return dict(trial.config), trial

    def _take(self, asked: Any, value: float) -> None:
        from smac.runhistory.dataclasses import TrialValue

        self._facade.tell(asked, TrialValue(cost=value), save=False)

    def _best(self) -> Mapping[str, Any]:
        return dict(self._facade.intensifier.get_incumbents()[0])

    def close(self) -> None:
        self._folder.cleanup()


class Hyperopt(Optimiser):
    """hyperopt's TPE; what is in flight it leaves out."""

    package = "hyperopt"

    def _make(self, budget: int) -> None:
        import numpy as np
        from hyperopt import Trials, hp
        from hyperopt.base import Domain

        def expression(axis: Axis) -> Any:
            if axis.kind == "category":
                return hp.choice(axis.name, list(axis.places))
            if axis.kind == "float":
                ends = (math.log(axis.lower), math.log(axis.upper)) if axis.log else (axis.lower, axis.upper)
                return (hp.loguniform if axis.log else hp.uniform)(axis.name, *ends)
            # Whole numbers are rounded; so that both ends have their share, half a step more on either side.
            low, high = axis.lower - 0.49, axis.upper + 0.49
            if axis.log:
                return hp.qloguniform(axis.name, math.log(low), math.log(high), 1)
            return hp.quniform(axis.name, low, high, 1)

        self._rng = np.random.default_rng(self._seed)
        self._domain = Domain(lambda values: 0.0, {axis.name: expression(axis) for axis in self._axes})
        self._trials = Trials()

    def _ask(self) -> tuple[Mapping[str, Any], Any]:
        from hyperopt import tpe

        (made,) = tpe.suggest(
            self._trials.new_trial_ids(1), self._domain, self._trials, int(self._rng.integers(2**31 - 1))
        )
        self._trials.insert_trial_docs([made])
        self._trials.refresh()
        return {name: value for name, (value,) in made["misc"]["vals"].items()}, made["tid"]

    def _take(self, asked: Any, value: float) -> None:
        from hyperopt import JOB_STATE_DONE, STATUS_OK

        known = next(each for each in self._trials._dynamic_trials if each["tid"] == asked)
        known["state"], known["result"] = JOB_STATE_DONE, {"status": STATUS_OK, "loss": value}
        self._trials.refresh()

    def _best(self) -> Mapping[str, Any]:
        return self._trials.argmin


class ScikitOptimize(Optimiser):
    """scikit-optimize's Gaussian process: ten points at random, then expected improvement.

    What is in flight it takes to have the least value so far ("cl_min").
    """

    package = "scikit-optimize"

    def _make(self, budget: int) -> None:
        self._told: list[tuple[list[Any], float]] = []
        self._asked = 0

    def _optimizer(self, told: Sequence[tuple[list[Any], float]]) -> Any:
        from skopt import Optimizer
        from skopt.space import Categorical, Integer, Real

        def dimension(axis: Axis) -> Any:
            if axis.kind == "category":
                return Categorical(list(axis.places), name=axis.name)
            prior = "log-uniform" if axis.log else "uniform"
            return (Integer if axis.kind == "int" else Real)(axis.lower, axis.upper, prior=prior, name=axis.name)

        random_state = (self._seed * 1000 + self._asked) % 2**31
        made = Optimizer([dimension(axis) for axis in self._axes], acq_func="EI", random_state=random_state)
        if told:
            made.tell([row for row, _ in told], [value for _, value in told])
        return made

    def _ask(self) -> tuple[Mapping[str, Any], Any]:
        least = min((value for _, value in self._told), default=0.0)
        row = self._optimizer([*self._told, *((row, least) for row in self._open.values())]).ask()
        self._asked += 1
        return {axis.name: value for axis, value in zip(self._axes, row, strict=True)}, row

    def _take(self, asked: Any, value: float) -> None:
        self._told.append((asked, value))

    def _best(self) -> Mapping[str, Any]:
        """The point with a result of which the process's mean is least, as the package's `expected_minimum` means."""
        made = self._optimizer(self._told)
        rows = [row for row, _ in self._told]
        heights = made.models[-1].predict(made.space.transform(rows)) if made.models else [y for _, y in self._told]
        best = rows[min(range(len(rows)), key=lambda place: heights[place])]
        return {axis.name: value for axis, value in zip(self._axes, best, strict=True)}


OPTIMISERS: dict[str, type[Optimiser]] = {
    "ax": Ax,
    "smac": SMAC,
    "hyperopt": Hyperopt,
    "scikit-optimize": ScikitOptimize,
}


def missing(names: Sequence[str]) -> list[str]:
    """The packages that these optimisers need and that are not installed."""
    packages = {OPTIMISERS[name].package for name in names if name in OPTIMISERS}
    return sorted(package for package in packages if version(package) is None)


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
