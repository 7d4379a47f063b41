"""DEAP's genetic algorithms as EQ/Py algorithms: they put a generation, and wait for its results.

DEAP's own loops and operators draw from Python's global generator, which anything else in the process may draw from or
seed. Here they are written out over DEAP's toolbox, each a page as in DEAP's manual, with the generator of the search:
draw for draw what DEAP's are.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Sequence
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

Population = list[Any]  # of DEAP's individuals


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
    """DEAP's `eaSimple`: a generation is drawn from the one before by tournaments, then crossed and mutated.

    1. The first population is evaluated.
    2. Tournaments choose as many parents as there are members; a child begins as a copy of its parent.
    3. Two neighbours at a time are crossed with `crossover_probability`, then each child is mutated with
       `mutation_probability`.
    4. The children that were crossed or mutated are evaluated, and all are the next population. Then from 2 again.
    """

    Options = SimpleOptions

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: SimpleOptions) -> None:
        rng = random.Random(seed)

        def loop(toolbox: Any, population: Population) -> None:
            _evaluate(toolbox, population)
            for _ in range(options.further_generations):
                children = [toolbox.clone(parent) for parent in toolbox.select(population, len(population))]
                for one, other in zip(children[::2], children[1::2], strict=False):
                    if rng.random() < options.crossover_probability:
                        toolbox.mate(one, other)
                for child in children:
                    if rng.random() < options.mutation_probability:
                        toolbox.mutate(child)
                _evaluate(toolbox, children)
                population = children

        super().__init__(_algorithm(loop, space, rng, options))


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
    """DEAP's `eaMuPlusLambda`: crossed or mutated children compete with their parents in tournaments.

    1. The first population is evaluated.
    2. A child is the first of two members that are crossed, with `crossover_probability`; or one member mutated, with
       `mutation_probability`; else a member as it is.
    3. The children that were crossed or mutated are evaluated.
    4. Tournaments among parents and children choose the next population. Then from 2 again.
    """

    Options = MuPlusLambdaOptions

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: MuPlusLambdaOptions) -> None:
        rng = random.Random(seed)
        children_each = max(1, round(options.offspring_proportion * options.population))

        def child_of(toolbox: Any, population: Population) -> Any:
            way = rng.random()
            if way < options.crossover_probability:
                child, other = (toolbox.clone(parent) for parent in rng.sample(population, 2))
                toolbox.mate(child, other)
            elif way < options.crossover_probability + options.mutation_probability:
                child = toolbox.clone(rng.choice(population))
                toolbox.mutate(child)
            else:
                child = rng.choice(population)
            return child

        def loop(toolbox: Any, population: Population) -> None:
            _evaluate(toolbox, population)
            for _ in range(options.further_generations):
                children = [child_of(toolbox, population) for _ in range(children_each)]
                _evaluate(toolbox, children)
                population = toolbox.select(population + children, options.population)

        super().__init__(_algorithm(loop, space, rng, options))


def _algorithm(
    loop: Callable[[Any, Population], None], space: ParameterSpace, rng: random.Random, options: GeneticOptions
) -> Callable[[], None]:
    """A loop as an EQ/Py algorithm."""
    points = first_population(space, options.population, options.initial_population, rng)

    def run() -> None:
        toolbox = _toolbox(space, rng, options)
        loop(toolbox, toolbox.population(points))
        eqpy.OUT_put("DONE")

    return run


def _toolbox(space: ParameterSpace, rng: random.Random, options: GeneticOptions) -> Any:
    """DEAP's toolbox with what the loops need; an individual that is changed has no fitness until it is evaluated."""
    from deap import base, tools

    fitness_class = least_is_best()

    class Individual(list[Any]):
        """The values of a point, in the order of the space."""

        def __init__(self, point: Point) -> None:
            super().__init__(point.values())
            self.fitness = fitness_class()

        def point(self) -> Point:
            return dict(zip(space.names, self, strict=True))

        def become(self, point: Point) -> None:
            self[:] = point.values()
            del self.fitness.values

    def population(points: Iterable[Point]) -> list[Individual]:
        return [Individual(point) for point in points]

    def select(individuals: Sequence[Individual], count: int) -> list[Individual]:
        tournaments = ([rng.choice(individuals) for _ in range(options.tournament_size)] for _ in range(count))
        return [winner for entrants in tournaments for winner in tools.selBest(entrants, k=1)]

    def mate(one: Individual, other: Individual) -> None:
        children = space.crossover(one.point(), other.point(), options.gene_crossover_probability, rng)
        for parent, child in zip((one, other), children, strict=True):
            parent.become(child)

    def mutate(individual: Individual) -> None:
        individual.become(space.mutate(individual.point(), options.gene_mutation_probability, rng))

    toolbox = base.Toolbox()
    toolbox.register("population", population)
    toolbox.register("map", lambda _, individuals: evaluated(individual.point() for individual in individuals))
    toolbox.register("evaluate", lambda individual: None)
    toolbox.register("select", select)
    toolbox.register("mate", mate)
    toolbox.register("mutate", mutate)
    return toolbox


def _evaluate(toolbox: Any, individuals: Population) -> None:
    """Give a fitness to the individuals that have none."""
    changed = [individual for individual in individuals if not individual.fitness.valid]
    for individual, fitness in zip(changed, toolbox.map(toolbox.evaluate, changed), strict=True):
        individual.fitness.values = fitness
