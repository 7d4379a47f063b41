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

from pydantic import Field, model_validator

import eqpy
from comparator.space import ParameterSpace, Point
from comparator.strategies.generation import evaluated, least_is_best
from comparator.strategies.options import FromOne, Positive
from comparator.strategies.population import (
    CrossoverProbability,
    EvolutionOptions,
    MutationProbability,
    first_population,
)
from comparator.strategies.resident import ResidentStrategy


class GeneticOptions(EvolutionOptions):
    """The options of an evolutionary search in generations."""

    generations: FromOne | None = Field(None, description="generations, the first population included; none: no end")

    @property
    def further_generations(self) -> int:
        return sys.maxsize - 1 if self.generations is None else self.generations - 1


class SimpleOptions(GeneticOptions):
    """The options of DEAP's `eaSimple`."""

    crossover_probability: CrossoverProbability = 0.5
    mutation_probability: MutationProbability = 0.2


class Simple(ResidentStrategy):
    """DEAP's `eaSimple`: a generation is drawn from the one before by tournaments, then crossed and mutated."""

    Options = SimpleOptions

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: SimpleOptions) -> None:
        def loop(search: _Search) -> None:
            search.algorithms.eaSimple(
                search.population,
                search.toolbox,
                cxpb=options.crossover_probability,
                mutpb=options.mutation_probability,
                ngen=options.further_generations,
                verbose=False,
            )

        super().__init__(_algorithm(loop, space, seed, options))


class MuPlusLambdaOptions(GeneticOptions):
    """The options of DEAP's `eaMuPlusLambda`."""

    crossover_probability: CrossoverProbability = 0.2
    mutation_probability: MutationProbability = 0.8
    offspring_proportion: Positive = Field(0.5, description="children of a generation per point of the population")

    @model_validator(mode="after")
    def _crossed_or_mutated_or_copied(self) -> MuPlusLambdaOptions:
        total = self.crossover_probability + self.mutation_probability
        if total > 1 + 1e-9:
            raise ValueError(
                f"'crossover_probability' + 'mutation_probability' = {total:g} exceeds 1; a child is crossed, or"
                " mutated, or copied"
            )
        return self


class MuPlusLambda(ResidentStrategy):
    """DEAP's `eaMuPlusLambda`: crossed or mutated children compete with their parents in tournaments."""

    Options = MuPlusLambdaOptions

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: MuPlusLambdaOptions) -> None:
        def loop(search: _Search) -> None:
            search.algorithms.eaMuPlusLambda(
                search.population,
                search.toolbox,
                mu=options.population,
                lambda_=max(1, round(options.offspring_proportion * options.population)),
                cxpb=options.crossover_probability,
                mutpb=options.mutation_probability,
                ngen=options.further_generations,
                verbose=False,
            )

        super().__init__(_algorithm(loop, space, seed, options))


@dataclass
class _Search:
    algorithms: Any
    toolbox: Any
    population: list[Any]


def _algorithm(
    loop: Callable[[_Search], None], space: ParameterSpace, seed: int, options: GeneticOptions
) -> Callable[[], None]:
    """One of DEAP's loops as an EQ/Py algorithm."""
    rng = random.Random(seed)
    points = first_population(space, options.population, options.initial_population, rng)

    def run() -> None:
        loop(_search(space, points, rng, options))
        eqpy.OUT_put("DONE")

    return run


def _search(space: ParameterSpace, points: Iterable[Point], rng: random.Random, options: GeneticOptions) -> _Search:
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
        individual[:] = space.mutate(individual.point(), options.gene_mutation_probability, rng).values()
        return (individual,)

    toolbox = base.Toolbox()
    toolbox.register("map", lambda _, individuals: evaluated(individual.point() for individual in individuals))
    toolbox.register("evaluate", lambda individual: None)
    toolbox.register("select", selection.selTournament, tournsize=options.tournament_size)
    toolbox.register("mate", crossover.cxUniform, indpb=options.gene_crossover_probability)
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
