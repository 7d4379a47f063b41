"""Particle swarm optimisation by DEAP's toolbox, as an EQ/Py algorithm: it puts a generation, and waits for results.

Kennedy and Eberhart 1995, with the inertia of Shi and Eberhart 1998. DEAP has no swarm among its algorithms: its
users register how a particle is made and moved, and write the loop themselves. So it is here.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

from pydantic import Field

import eqpy
from comparator.space import ParameterSpace
from comparator.strategies.generation import evaluated, least_is_best
from comparator.strategies.options import FromOne, FromTwo, NotNegative, Positive, StrategyOptions
from comparator.strategies.resident import ResidentStrategy


class SwarmOptions(StrategyOptions):
    """The options of a swarm."""

    generations: FromOne | None = Field(None, description="generations, the first included; none: no end")
    population: FromTwo = Field(10, description="particles")
    inertia: NotNegative = Field(0.73, description="share of its speed that a particle keeps")
    cognitive: NotNegative = Field(1.5, description="most that the way to a particle's own best place counts")
    social: NotNegative = Field(1.5, description="most that the way to the best place of all counts")
    maximal_speed: Positive = Field(
        0.25, description="fraction of a parameter's range, or of a list, that a generation moves at the most"
    )


class ParticleSwarm(ResidentStrategy):
    """Every generation moves each particle, which is drawn to the best place that it saw and that all saw.

    1. Particles are made at random places, with random speeds.
    2. All are evaluated. Each keeps in mind the best place where it was.
    3. Of its speed each keeps the share `inertia`. To that comes the way to its own best place, times a random number
       up to `cognitive`, and the way to the best of all, times one up to `social`, drawn anew for each parameter.
    4. Then from 2 again, with all particles moved on by their speeds.

    A place is a fraction, 0 to 1, of each parameter's range or list, so that all types of parameters take part. A
    particle that would leave the space stops at its border.
    """

    Options = SwarmOptions

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: SwarmOptions) -> None:
        rng = random.Random(seed)

        def run() -> None:
            toolbox = _toolbox(space, rng, options)
            swarm = toolbox.swarm(n=options.population)
            for _ in itertools.count() if options.generations is None else range(options.generations):
                for particle, fitness in zip(swarm, toolbox.map(toolbox.evaluate, swarm), strict=True):
                    particle.fitness.values = fitness
                    particle.remember()
                (best,) = toolbox.select([particle.best for particle in swarm], k=1)
                for particle in swarm:
                    toolbox.update(particle, best)
            eqpy.OUT_put("DONE")

        super().__init__(run)


def _toolbox(space: ParameterSpace, rng: random.Random, options: SwarmOptions) -> Any:
    """DEAP's toolbox with what a swarm needs."""
    from deap import base, tools

    fitness_class = least_is_best()
    fastest = options.maximal_speed

    class Particle(list[float]):
        """A place in the space, and the best one that this particle saw."""

        def __init__(self) -> None:
            super().__init__(rng.random() for _ in space.names)
            self.speed = [rng.uniform(-fastest, fastest) for _ in space.names]
            self.fitness = fitness_class()
            self.best: Any = None

        def remember(self) -> None:
            if self.best is None or self.best.fitness < self.fitness:
                self.best = None  # so that the clone remembers none that came before
                self.best = toolbox.clone(self)

    def update(particle: Particle, best: Particle) -> None:
        for each, place in enumerate(particle):
            pull = rng.uniform(0, options.cognitive) * (particle.best[each] - place)
            pull += rng.uniform(0, options.social) * (best[each] - place)
            speed = _within(options.inertia * particle.speed[each] + pull, -fastest, fastest)
            particle[each] = _within(place + speed, 0.0, 1.0)
            particle.speed[each] = particle[each] - place

    toolbox = base.Toolbox()
    toolbox.register("swarm", tools.initRepeat, list, Particle)
    toolbox.register("map", lambda _, swarm: evaluated(space.at(particle) for particle in swarm))
    toolbox.register("evaluate", lambda particle: None)
    toolbox.register("select", tools.selBest)
    toolbox.register("update", update)
    return toolbox


def _within(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
