"""Searches: which points to evaluate next.

`make_strategy` gives a strategy by name: one of `STRATEGIES`, one that an installed package brings, or the user's own
file. The interface, for one who wants to write another, is `comparator.strategies.strategy`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import cast

from comparator.errors import InputError, nearest
from comparator.extensions.registry import Registry
from comparator.formats.text import shortened
from comparator.model.fingerprint import content_of
from comparator.space import ParameterSpace
from comparator.strategies.options import read_options, spelt_here
from comparator.strategies.own import OwnStrategy, find_file, is_own_file, strategy_in
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
    "strategy_code",
]

#: The strategies by name; each class says what it is and which options it takes. They are imported where they are used,
#: so that what makes no search need not wait for SciPy. Of another package it may be a module, as `own` has it.
STRATEGIES: Registry[type[Strategy] | ModuleType] = Registry(
    "comparator.strategies",
    {
        "bayesian": "comparator.strategies.bayesian:BayesianStrategy",
        "steady_state": "comparator.strategies.steady_state:SteadyStateStrategy",
        "simple": "comparator.strategies.genetic:Simple",
        "mu_plus_lambda": "comparator.strategies.genetic:MuPlusLambda",
        "particle_swarm": "comparator.strategies.particle_swarm:ParticleSwarm",
        "level_set": "comparator.strategies.level_set:LevelSetStrategy",
        "region_and_maximum": "comparator.strategies.region_and_maximum:RegionAndMaximumStrategy",
        "eqsql": "comparator.strategies.eqsql:EQSQLStrategy",
        "optuna": "comparator.strategies.optuna_sampler:OptunaStrategy",
        "sobol": "comparator.strategies.sampling:SobolSequence",
        "random": "comparator.strategies.sampling:RandomPoints",
        "grid": "comparator.strategies.sampling:Grid",
    },
)

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
    if name not in STRATEGIES:
        suggestion = spelt_here(name, SPELLINGS) or nearest(name, STRATEGIES)
        known = ", ".join(STRATEGIES)
        raise InputError(
            f"unknown strategy '{shortened(name)}'{suggestion}; known: {known}, or a file of your own, NAME.py"
        )
    found = STRATEGIES[name]
    if STRATEGIES.is_own(name):
        return cast("type[Strategy]", found)
    return strategy_in(found, name)


def strategy_code(name: str) -> str | None:
    """SHA-256 of the file that a strategy is in; None where it is the Comparator's own, or not there."""
    if is_own_file(name):
        return content_of(name)
    module = STRATEGIES.module_of(name)
    try:
        found = None if module is None else find_spec(module)
    except ImportError:
        return None
    return None if found is None or found.origin is None else content_of(found.origin)


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
    if not STRATEGIES.is_own(name):
        return OwnStrategy(made, name, space, seed, max(1, in_flight), chosen)
    make: Callable[..., Strategy] = made
    try:
        return make(space, seed, max(1, in_flight), chosen)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
