"""Particle swarm optimisation by DEAP's toolbox, as an EQ/Py algorithm: it puts a generation, and waits for results.

Kennedy and Eberhart 1995, with the inertia of Shi and Eberhart 1998. DEAP has no swarm among its algorithms: its
users register how a particle is made and moved, and write the loop themselves. So it is here.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

import eqpy
from comparator.space import ParameterSpace
from comparator.strategies.generation import evaluated, least_is_best
from comparator.strategies.resident import ResidentStrategy


@dataclass(frozen=True)
class SwarmSettings:
    """The settings of a swarm; `maximal_speed` is in fractions of a parameter's range, or of a list, a generation."""

    population: int
    generations: int | None  # None for as many as asked for
    inertia: float
    cognitive: float
    social: float
    maximal_speed: float


def particle_swarm(space: ParameterSpace, seed: int, settings: SwarmSettings) -> ResidentStrategy:
    """Every generation moves each particle, which is drawn to the best place that it saw and that all saw.

    1. Particles are made at random places, with random speeds.
    2. All are evaluated. Each keeps in mind the best place where it was.
    3. Of its speed each keeps the share `inertia`. To that comes the way to its own best place, times a random number
       up to `cognitive`, and the way to the best of all, times one up to `social`, drawn anew for each parameter.
    4. Then from 2 again, with all particles moved on by their speeds.

    A place is a fraction, 0 to 1, of each parameter's range or list, so that all types of parameters take part. A
    particle that would leave the space stops at its border.
    """
    rng = random.Random(seed)

    def run() -> None:
        toolbox = _toolbox(space, rng, settings)
        swarm = toolbox.swarm(n=settings.population)
        for _ in itertools.count() if settings.generations is None else range(settings.generations):
            for particle, fitness in zip(swarm, toolbox.map(toolbox.evaluate, swarm), strict=True):
                particle.fitness.values = fitness
                particle.remember()
            (best,) = toolbox.select([particle.best for particle in swarm], k=1)
            for particle in swarm:
                toolbox.update(particle, best)
        eqpy.OUT_put("DONE")

    return ResidentStrategy(run)


def _toolbox(space: ParameterSpace, rng: random.Random, settings: SwarmSettings) -> Any:
    """DEAP's toolbox with what a swarm needs."""
    from deap import base, tools

    fitness_class = least_is_best()
    fastest = settings.maximal_speed

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
            pull = rng.uniform(0, settings.cognitive) * (particle.best[each] - place)
            pull += rng.uniform(0, settings.social) * (best[each] - place)
            speed = _within(settings.inertia * particle.speed[each] + pull, -fastest, fastest)
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
