"""An evolutionary search without generations: each result is answered with a new child."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.space import ParameterSpace, Point
from comparator.strategies.population import (
    CrossoverProbability,
    EvolutionOptions,
    MutationProbability,
    first_population,
)
from comparator.strategies.strategy import Proposal, Strategy

#: How often a child that repeats a known point is made anew before the repeat is accepted.
TRIES = 8


class SteadyStateOptions(EvolutionOptions):
    """The options of an evolutionary search without generations."""

    crossover_probability: CrossoverProbability = 0.9
    mutation_probability: MutationProbability = 0.8


class SteadyStateStrategy(Strategy):
    """Keeps the best `population` results, and answers each new one with a child of two winners.

    1. The first population is handed out, `in_flight` points at once, then one for each result.
    2. From then on each result is answered with one child. Its parents are the winners of two tournaments among
       the present population; they are crossed with `crossover_probability`, and the child is mutated with
       `mutation_probability`. A child that repeats a known point is made anew, up to `TRIES` times.
    3. Every result enters the population; the worst leaves when there are more than `population`.

    The generation of a proposal counts one for every `population` proposals, so that the first population is
    generation 0 and a generation is complete when `population` more results are in.

    Results of past work (`inform`) are members of the population from the start, and each takes the place of a random
    point of the first one; where they fill it, the first proposals are children already. A table of first points is
    handed out whole.

    The worst leaves, not the oldest, and most children are crossed as well as mutated, because that found better
    points within 56 evaluations on noisy functions (`test/bench/strategies.py`).
    """

    Options = SteadyStateOptions

    @classmethod
    def begins_uninformed(cls, options: Mapping[str, Any], in_flight: int) -> bool:
        """Where the first population keeps all workers busy: more children need members that they are of."""
        return in_flight <= int(options.get("population") or EvolutionOptions.model_fields["population"].default)

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: SteadyStateOptions) -> None:
        self._space = space
        self._rng = random.Random(seed)
        self._in_flight = in_flight
        self._options = options
        self._first = first_population(space, options.population, options.initial_population, self._rng)
        self._first.reverse()
        self._open: dict[int, Point] = {}
        self._population: list[tuple[float, int, Point]] = []
        self._known: set[str] = set()
        self._closed = False

    def inform(self, past: Sequence[tuple[Point, float | None]]) -> int:
        self._known.update(json.dumps(point) for point, _ in past)
        done = [(value, point) for point, value in past if value is not None and math.isfinite(value)]
        for place, (value, point) in enumerate(done):
            self._enter(value, place - len(done), point)
        if self._options.initial_population is None:
            del self._first[: len(done)]
        return len(done)

    def start(self) -> list[Proposal]:
        first = self._in_flight if self._population else min(self._in_flight, len(self._first))
        return [self._next() for _ in range(first)]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if self._closed or number not in self._open:
            return []
        worth = math.inf if value is None or math.isnan(value) else value
        self._enter(worth, number, self._open.pop(number))
        return [self._next()]

    def close(self) -> None:
        self._closed = True

    def _enter(self, worth: float, number: int, point: Point) -> None:
        self._population.append((worth, number, point))
        if len(self._population) > self._options.population:
            self._population.remove(max(self._population, key=lambda member: member[:2]))

    def _next(self) -> Proposal:
        return self._proposal(self._first.pop() if self._first else self._new_child())

    def _proposal(self, point: Point) -> Proposal:
        proposal = self._propose(point, self._proposed // self._options.population)
        self._open[proposal.number] = point
        self._known.add(json.dumps(point))
        return proposal

    def _new_child(self) -> Point:
        child = self._child()
        for _ in range(TRIES):
            if json.dumps(child) not in self._known:
                break
            child = self._child()
        return child

    def _child(self) -> Point:
        options, rng = self._options, self._rng
        child = self._winner()
        if rng.random() < options.crossover_probability:
            child, _ = self._space.crossover(child, self._winner(), options.gene_crossover_probability, rng)
        if rng.random() < options.mutation_probability:
            child = self._space.mutate(child, options.gene_mutation_probability, rng)
        return child

    def _winner(self) -> Point:
        entrants = [self._rng.choice(self._population) for _ in range(self._options.tournament_size)]
        return min(entrants, key=lambda member: member[:2])[2]
