"""Searches: which points to evaluate next.

`make_strategy` gives a strategy by name; `STRATEGIES` says which there are and which options they take. The
interface, for one who wants to write another, is `comparator.strategies.strategy`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.text import shortened, shown
from comparator.space import MOST_POINTS, ParameterSpace, Point
from comparator.strategies.genetic import GeneticSettings, mu_plus_lambda, simple
from comparator.strategies.optuna_sampler import SAMPLERS, OptunaStrategy
from comparator.strategies.particle_swarm import SwarmSettings, particle_swarm
from comparator.strategies.resident import AlgorithmError, ResidentStrategy
from comparator.strategies.sampling import SamplingStrategy, random_points, sobol_points
from comparator.strategies.steady_state import SteadyStateSettings, SteadyStateStrategy
from comparator.strategies.strategy import Proposal, Strategy

__all__ = [
    "STRATEGIES",
    "AlgorithmError",
    "Option",
    "Proposal",
    "ResidentStrategy",
    "Strategy",
    "StrategyKind",
    "grid_points",
    "make_strategy",
    "points_to_scatter",
]


@dataclass(frozen=True)
class Option:
    """A setting of a strategy: what it takes, and what it is where it is not given."""

    default: Any
    description: str
    allowed: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True)
class StrategyKind:
    """A strategy by name: one line for people, its options, and how it is made of them."""

    description: str
    options: Mapping[str, Option]
    make: Callable[[ParameterSpace, int, int, Mapping[str, Any]], Strategy]


def make_strategy(
    name: str, space: ParameterSpace, *, seed: int, in_flight: int, options: Mapping[str, object]
) -> Strategy:
    """A strategy over `space`, with a generator of its own seeded with `seed`.

    `in_flight` is how many evaluations run at a time; strategies without generations keep so many going. Options
    that are not given, or None, have their defaults. Raises `InputError` for an unknown strategy or option, and
    for a value out of range.
    """
    kind = STRATEGIES.get(name)
    if kind is None:
        suggestion = _spelt_here(name, _STRATEGY_SPELLINGS) or nearest(name, STRATEGIES)
        raise InputError(f"unknown strategy '{shortened(name)}'{suggestion}; known: {', '.join(STRATEGIES)}")
    values = {key: option.default for key, option in kind.options.items()}
    for key, value in options.items():
        option = kind.options.get(key)
        if option is None:
            suggestion = _spelt_here(key, _OPTION_SPELLINGS) or nearest(key, kind.options)
            known = ", ".join(kind.options) or "none"
            raise InputError(f"strategy '{name}': unknown option '{shortened(key)}'{suggestion}; options: {known}")
        if value is None:
            continue
        if not option.fits(value):
            raise InputError(f"strategy '{name}': '{key}' = {shown(value)} is not {option.allowed}")
        values[key] = value
    return kind.make(space, seed, max(1, in_flight), values)


def _spelt_here(word: str, spellings: Mapping[str, str]) -> str:
    """The hint for a name that DEAP or CANDLE have for something of ours, or an empty string."""
    here = spellings.get(word.lower())
    return f" (here it is '{here}')" if here else ""


def _is_whole(value: Any, lowest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= MOST_POINTS


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _probability(default: float, description: str) -> Option:
    return Option(default, description, "a probability, 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)


def _whole(default: int | None, description: str, lowest: int) -> Option:
    allowed = f"a whole number from {lowest} to {MOST_POINTS:,}"
    return Option(default, description, allowed, lambda value: _is_whole(value, lowest))


def _evolution(crossover: float, mutation: float, tournament: int) -> dict[str, Option]:
    """The options of every evolutionary search, with the defaults in which they differ."""
    return {
        "population": _whole(16, "points of the first population, and survivors", 2),
        "crossover_probability": _probability(crossover, "of a child: that it is crossed with another"),
        "mutation_probability": _probability(mutation, "of a child: that it is mutated"),
        "gene_crossover_probability": _probability(0.5, "of each value of a crossed child: that it is swapped"),
        "gene_mutation_probability": _probability(0.5, "of each value of a mutated child: that it changes"),
        "tournament_size": _whole(tournament, "points that compete to be selected", 1),
        "initial_population": Option(
            None, "a CSV table of first points", "the path of a table", lambda value: isinstance(value, str)
        ),
    }


def _weight(default: float, description: str) -> Option:
    return Option(default, description, "a number, not below zero", lambda value: _is_number(value) and value >= 0)


def _positive(default: float, description: str) -> Option:
    return Option(default, description, "a number above zero", lambda value: _is_number(value) and value > 0)


_GENERATIONS = {"generations": _whole(None, "generations, the first population included; none: no end", 1)}
_OFFSPRING = {
    "offspring_proportion": _positive(0.5, "children of a generation per point of the population"),
}


def _make_simple(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    _require_variation("simple", options)
    return simple(space, seed, GeneticSettings(**options))


def _make_mu_plus_lambda(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    _require_variation("mu_plus_lambda", options)
    total = options["crossover_probability"] + options["mutation_probability"]
    if total > 1 + 1e-9:
        raise InputError(
            "strategy 'mu_plus_lambda': 'crossover_probability' + 'mutation_probability' "
            f"= {total:g} exceeds 1; a child is crossed, or mutated, or copied"
        )
    return mu_plus_lambda(space, seed, GeneticSettings(**options))


def _make_steady_state(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    _require_variation("steady_state", options)
    return SteadyStateStrategy(space, seed, in_flight, SteadyStateSettings(**options))


def _make_particle_swarm(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    return particle_swarm(space, seed, SwarmSettings(**options))


def _require_variation(name: str, options: Mapping[str, Any]) -> None:
    """Without any variation, the genetic loops would turn for ever without proposing anything."""
    if options["crossover_probability"] == options["mutation_probability"] == 0:
        raise InputError(
            f"strategy '{name}': 'crossover_probability' and 'mutation_probability' are both 0; no new points"
        )


def _make_random(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    return SamplingStrategy(random_points(space, seed), in_flight)


def _make_sobol(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    return SamplingStrategy(sobol_points(space, seed), in_flight)


def _make_bayesian(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    # Here, so that commands that make no such search need not wait for SciPy.
    from comparator.strategies.bayesian import BayesianSettings, BayesianStrategy

    return BayesianStrategy(space, seed, in_flight, BayesianSettings(**options))


def _make_level_set(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    from comparator.strategies.level_set import LevelSetSettings, LevelSetStrategy

    return LevelSetStrategy(space, seed, in_flight, LevelSetSettings(**options))


def _make_optuna(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    try:
        return OptunaStrategy(space, seed, in_flight, options["sampler"])
    except InputError as error:
        raise InputError(f"strategy 'optuna': {error}") from None


def _make_grid(space: ParameterSpace, seed: int, in_flight: int, options: Mapping[str, Any]) -> Strategy:
    points = grid_points(space, options["points"], options["total"])
    return SamplingStrategy(iter(points), in_flight)


def points_to_scatter(evaluations: int) -> int:
    """Return with how many points spread evenly a search for regions of so many evaluations begins."""
    return max(8, evaluations // 2)


def grid_points(space: ParameterSpace, points: Any, total: int) -> list[Point]:
    """The points of strategy `grid`, from its options."""
    if points is None:
        return space.grid(space.counts_within(total))
    numbers = [entry["name"] for entry in space.entries() if entry["type"] in ("int", "float")]
    return space.grid(points if isinstance(points, Mapping) else dict.fromkeys(numbers, points))


#: The strategies by name.
STRATEGIES: dict[str, StrategyKind] = {
    "bayesian": StrategyKind(
        "Bayesian optimisation: where the largest improvement is expected, by a Gaussian process of all results",
        {
            "scattered": _whole(
                None, "first points, spread evenly; none: 8, or two more than twice the number of parameters", 2
            )
        },
        _make_bayesian,
    ),
    "steady_state": StrategyKind(
        "evolutionary without generations: a new point for each result, so that no worker waits",
        _evolution(crossover=0.9, mutation=0.8, tournament=4),
        _make_steady_state,
    ),
    "simple": StrategyKind(
        "DEAP's eaSimple: each generation replaces the one before",
        {**_GENERATIONS, **_evolution(crossover=0.5, mutation=0.2, tournament=4)},
        _make_simple,
    ),
    "mu_plus_lambda": StrategyKind(
        "DEAP's eaMuPlusLambda: the best of parents and children go on",
        {**_GENERATIONS, **_evolution(crossover=0.2, mutation=0.8, tournament=4), **_OFFSPRING},
        _make_mu_plus_lambda,
    ),
    "particle_swarm": StrategyKind(
        "particle swarm optimisation: a generation of particles moves on, drawn to the best places that it saw",
        {
            **_GENERATIONS,
            "population": _whole(10, "particles", 2),
            "inertia": _weight(0.73, "share of its speed that a particle keeps"),
            "cognitive": _weight(1.5, "most that the way to a particle's own best place counts"),
            "social": _weight(1.5, "most that the way to the best place of all counts"),
            "maximal_speed": _positive(0.25, "fraction of a parameter's range that a generation moves at the most"),
        },
        _make_particle_swarm,
    ),
    "level_set": StrategyKind(
        "level-set estimation: evaluates what is expected to leave the fewest places on the wrong side of a level",
        {
            "level": Option(
                None,
                "the difference that separates; none: the cut whose two sides differ most",
                "a number",
                _is_number,
            ),
            "scattered": _whole(None, "first points, spread evenly; none: half of the budget", 2),
            "patience": _whole(3, "looks at the region in a row that must agree to end the search", 1),
        },
        _make_level_set,
    ),
    "optuna": StrategyKind(
        "one of Optuna's samplers, asked for a new point for each result",
        {
            "sampler": Option(
                "tpe", "Optuna's sampler", f"one of {', '.join(SAMPLERS)}", lambda value: value in tuple(SAMPLERS)
            )
        },
        _make_optuna,
    ),
    "sobol": StrategyKind("points of a Sobol sequence: scattered as random ones, but evenly", {}, _make_sobol),
    "random": StrategyKind("random points, none twice where they can be counted", {}, _make_random),
    "grid": StrategyKind(
        "all combinations of evenly spread values",
        {
            "points": Option(
                None,
                "values of each int and float, or a table of numbers by name; lists have all of theirs",
                "a whole number from 1, or a table of such",
                lambda value: _is_whole(value, 1) or isinstance(value, Mapping),
            ),
            "total": _whole(64, "the most points of the grid where 'points' is not given", 1),
        },
        _make_grid,
    ),
}

_STRATEGY_SPELLINGS = {
    "easimple": "simple",
    "eamupluslambda": "mu_plus_lambda",
    "mupluslambda": "mu_plus_lambda",
    "ga": "simple",
    "async": "steady_state",
    "pso": "particle_swarm",
    "mlrmbo": "bayesian",
    "bo": "bayesian",
}
#: What DEAP, and CANDLE's scripts around it, call our options.
_OPTION_SPELLINGS = {
    "mutpb": "mutation_probability",
    "mut_prob": "mutation_probability",
    "cxpb": "crossover_probability",
    "cx_prob": "crossover_probability",
    "mut_indpb": "gene_mutation_probability",
    "cx_indpb": "gene_crossover_probability",
    "tournsize": "tournament_size",
    "off_prop": "offspring_proportion",
    "offspring_prop": "offspring_proportion",
    "lambda_": "offspring_proportion",
    "ngen": "generations",
    "num_iter": "generations",
    "num_iterations": "generations",
    "mu": "population",
    "num_pop": "population",
    "pop": "population",
    "population_size": "population",
    "w": "inertia",
    "phi1": "cognitive",
    "phi2": "social",
    "c1": "cognitive",
    "c2": "social",
    "smax": "maximal_speed",
    "vmax": "maximal_speed",
    "init_params": "initial_population",
    "init_params_file": "initial_population",
    "param_file": "initial_population",
}
