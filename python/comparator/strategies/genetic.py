"""DEAP's genetic algorithms as EQ/Py algorithms: they put a generation, and wait for its results.

DEAP draws from Python's global generator. Here its modules are loaded once more, for each search, with a
generator of the search's own in the place of `random`: nothing else in the process changes the points, and DEAP
used elsewhere in the process does not notice.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import eqpy
from comparator.space import ParameterSpace, Point
from comparator.strategies.generation import evaluated, least_is_best
from comparator.strategies.population import first_population
from comparator.strategies.resident import ResidentStrategy


@dataclass(frozen=True)
class GeneticSettings:
    """The settings of a generational search. Probabilities are per child, those of genes per value of one."""

    population: int
    generations: int | None  # counting the first population; None for as many as asked for
    crossover_probability: float
    mutation_probability: float
    gene_crossover_probability: float
    gene_mutation_probability: float
    tournament_size: int
    initial_population: str | None = None
    offspring_proportion: float = 1.0  # children of a generation per member of the population

    @property
    def further_generations(self) -> int:
        return sys.maxsize - 1 if self.generations is None else self.generations - 1


def simple(space: ParameterSpace, seed: int, settings: GeneticSettings) -> ResidentStrategy:
    """DEAP's `eaSimple`: a generation is drawn from the one before by tournaments, then crossed and mutated."""

    def loop(search: _Search) -> None:
        search.algorithms.eaSimple(
            search.population,
            search.toolbox,
            cxpb=settings.crossover_probability,
            mutpb=settings.mutation_probability,
            ngen=settings.further_generations,
            verbose=False,
        )

    return _strategy(loop, space, seed, settings)


def mu_plus_lambda(space: ParameterSpace, seed: int, settings: GeneticSettings) -> ResidentStrategy:
    """DEAP's `eaMuPlusLambda`: crossed or mutated children compete with their parents in tournaments."""

    def loop(search: _Search) -> None:
        search.algorithms.eaMuPlusLambda(
            search.population,
            search.toolbox,
            mu=settings.population,
            lambda_=max(1, round(settings.offspring_proportion * settings.population)),
            cxpb=settings.crossover_probability,
            mutpb=settings.mutation_probability,
            ngen=settings.further_generations,
            verbose=False,
        )

    return _strategy(loop, space, seed, settings)


@dataclass
class _Search:
    algorithms: Any
    toolbox: Any
    population: list[Any]


def _strategy(
    loop: Callable[[_Search], None], space: ParameterSpace, seed: int, settings: GeneticSettings
) -> ResidentStrategy:
    rng = random.Random(seed)
    points = first_population(space, settings.population, settings.initial_population, rng)

    def run() -> None:
        loop(_search(space, points, rng, settings))
        eqpy.OUT_put("DONE")

    return ResidentStrategy(run)


def _search(space: ParameterSpace, points: Iterable[Point], rng: random.Random, settings: GeneticSettings) -> _Search:
    """DEAP's modules, toolbox and population for one search."""
    from deap import base

    algorithms = _drawing_from(rng, "deap.algorithms")
    crossover = _drawing_from(rng, "deap.tools.crossover")
    selection = _drawing_from(rng, "deap.tools.selection")

    fitness_class = least_is_best()

    class Individual(list[Any]):
        """The values of a point, in the order of the space."""

        def __init__(self, point: Point) -> None:
            super().__init__(point.values())
            self.fitness = fitness_class()

        def point(self) -> Point:
            return dict(zip(space.names, self, strict=True))

    def mutate(individual: Individual) -> tuple[Individual]:
        individual[:] = space.mutate(individual.point(), settings.gene_mutation_probability, rng).values()
        return (individual,)

    toolbox = base.Toolbox()
    toolbox.register("map", lambda _, individuals: evaluated(individual.point() for individual in individuals))
    toolbox.register("evaluate", lambda individual: None)
    toolbox.register("select", selection.selTournament, tournsize=settings.tournament_size)
    toolbox.register("mate", crossover.cxUniform, indpb=settings.gene_crossover_probability)
    toolbox.register("mutate", mutate)
    return _Search(algorithms, toolbox, [Individual(point) for point in points])


def _drawing_from(rng: random.Random, name: str) -> ModuleType:
    """A private copy of the module `name` whose `random` is `rng`."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.random = rng  # type: ignore[attr-defined]
    return module
