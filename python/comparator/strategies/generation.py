"""What searches by DEAP share: a fitness that is to be small, and a generation that EQ/Py has evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import eqpy
from comparator.space import Point


def least_is_best() -> type[Any]:
    """DEAP's fitness of one value, the smaller the better; DEAP is imported where it is used."""
    from deap import base

    class Fitness(base.Fitness):
        weights = (-1.0,)

    return Fitness


def evaluated(points: Iterable[Point]) -> list[tuple[float]]:
    """The fitness of each point: the batch is put, and its results are waited for. None of none."""
    texts = [json.dumps(point) for point in points]
    if not texts:
        return []
    eqpy.OUT_put(";".join(texts))
    return [(float(result),) for result in eqpy.IN_get().split(";")]
