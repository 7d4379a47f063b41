"""Searches: which points to evaluate next.

`make_strategy` gives a strategy by name: one of `STRATEGIES`, one that an installed package brings, or the user's own
file. The interface, for one who wants to write another, is `comparator.strategies.strategy`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from comparator.errors import InputError, nearest
from comparator.formats.text import shortened
from comparator.space import ParameterSpace
from comparator.strategies.options import read_options, spelt_here
from comparator.strategies.own import OwnStrategy, find_file, find_installed, installed, is_own_file
from comparator.strategies.resident import AlgorithmError, ResidentStrategy
from comparator.strategies.strategy import Proposal, Strategy

__all__ = [
    "STRATEGIES",
    "AlgorithmError",
    "Proposal",
    "ResidentStrategy",
    "Strategy",
    "find_strategy",
    "make_strategy",
    "points_to_scatter",
]

#: The strategies by name; each class says what it is and which options it takes. They are imported where they are used,
#: so that what makes no search need not wait for SciPy.
STRATEGIES = {
    "bayesian": "comparator.strategies.bayesian:BayesianStrategy",
    "steady_state": "comparator.strategies.steady_state:SteadyStateStrategy",
    "simple": "comparator.strategies.genetic:Simple",
    "mu_plus_lambda": "comparator.strategies.genetic:MuPlusLambda",
    "particle_swarm": "comparator.strategies.particle_swarm:ParticleSwarm",
    "level_set": "comparator.strategies.level_set:LevelSetStrategy",
    "region_and_maximum": "comparator.strategies.region_and_maximum:RegionAndMaximumStrategy",
    "optuna": "comparator.strategies.optuna_sampler:OptunaStrategy",
    "sobol": "comparator.strategies.sampling:SobolSequence",
    "random": "comparator.strategies.sampling:RandomPoints",
    "grid": "comparator.strategies.sampling:Grid",
}

#: What DEAP, CANDLE and others call our strategies.
SPELLINGS = {
    "easimple": "simple",
    "eamupluslambda": "mu_plus_lambda",
    "mupluslambda": "mu_plus_lambda",
    "ga": "simple",
    "async": "steady_state",
    "pso": "particle_swarm",
    "mlrmbo": "bayesian",
    "bo": "bayesian",
}


def find_strategy(name: str) -> type[Strategy]:
    """The class of a strategy: a name of `STRATEGIES`, one of an installed package, or the path of a Python file.

    Raises `InputError` where there is none of that name, or the file has none.
    """
    if is_own_file(name):
        return find_file(name)
    if name in STRATEGIES:
        module, _, attribute = STRATEGIES[name].partition(":")
        found: type[Strategy] = getattr(importlib.import_module(module), attribute)
        return found
    brought = installed()
    if name in brought:
        return find_installed(brought[name])
    known = [*STRATEGIES, *brought]
    suggestion = spelt_here(name, SPELLINGS) or nearest(name, known)
    raise InputError(
        f"unknown strategy '{shortened(name)}'{suggestion}; known: {', '.join(known)}, or a file of your own, NAME.py"
    )


def make_strategy(
    name: str, space: ParameterSpace, *, seed: int, in_flight: int, options: Mapping[str, object]
) -> Strategy:
    """A strategy over `space`, with a generator of its own seeded with `seed`.

    `in_flight` is how many evaluations run at a time; strategies without generations keep so many going. Options
    that are not given, or None, have their defaults. Raises `InputError` for an unknown strategy or option, and
    for a value out of range.
    """
    made, where = find_strategy(name), f"strategy '{name}'"
    chosen = read_options(made.Options, options, where)
    if name not in STRATEGIES:
        return OwnStrategy(made, name, space, seed, max(1, in_flight), chosen)
    make: Callable[..., Strategy] = made
    try:
        return make(space, seed, max(1, in_flight), chosen)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def points_to_scatter(evaluations: int) -> int:
    """Return with how many points spread evenly a search for regions of so many evaluations begins."""
    return max(8, evaluations // 2)
