"""Planted truth: pairs of models whose difference is known at every point, as a model file that CMP can run.

Each case is a space and the part of it where the two models differ by 0.45 instead of 0.20, with normal noise of
`deviation` on the signed difference of each replicate. Standard library only, and one file, so that its identity as
a model is all there is to it:

    [Global_Params]
    cmp_model_name = 'test/bench/planted_model.py'
    cmp_0_side = 0
    cmp_1_side = 1
    case = 'box'
    deviation = 0.042

with a space of `python test/bench/planted_model.py box`. `(V1 - V0) / max(V1, V0)` of its `val_loss` is the
difference exactly.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

INSIDE, OUTSIDE = 0.45, 0.20

Point = dict[str, Any]

PLANE: list[dict[str, Any]] = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "layer_force", "type": "int", "lower": 25, "upper": 200},
]
SWITCHED: list[dict[str, Any]] = [
    *PLANE,
    {"name": "activation", "type": "categorical", "element_type": "string", "values": ["elu", "relu", "tanh"]},
]
MIXED: list[dict[str, Any]] = [
    *PLANE,
    {"name": "learning_rate", "type": "float", "lower": 1e-5, "upper": 1e-1, "use_log_scale": True},
    {"name": "batch_size", "type": "ordered", "element_type": "int", "values": [16, 32, 64, 128, 256]},
    {"name": "activation", "type": "categorical", "element_type": "string", "values": ["elu", "relu", "tanh"]},
    {"name": "residual", "type": "logical"},
]
SIX: list[dict[str, Any]] = [{"name": f"x{number}", "type": "float", "lower": 0, "upper": 1} for number in range(1, 7)]


@dataclass(frozen=True)
class Case:
    """A space, and whether a point lies where the models differ more.

    `held_out` cases are for reporting; what a search does by default is chosen on the others.
    """

    space: list[dict[str, Any]]
    is_inside: Callable[[Point], bool]
    held_out: bool = False


def plane(point: Point) -> tuple[float, float]:
    """The point's place in the plane, in fractions of the ranges."""
    return point["noise"] / 50, (point["layer_force"] - 25) / 175


def box(left: float, right: float, low: float, high: float) -> Callable[[Point], bool]:
    """A box in the plane, in fractions of the ranges."""

    def is_inside(point: Point) -> bool:
        x, y = plane(point)
        return left <= x <= right and low <= y <= high

    return is_inside


def either(*parts: Callable[[Point], bool]) -> Callable[[Point], bool]:
    return lambda point: any(part(point) for part in parts)


def ridge(height: float, slope: float, width: float) -> Callable[[Point], bool]:
    """A band along a line through the plane; `width` is measured along the second parameter."""

    def is_inside(point: Point) -> bool:
        x, y = plane(point)
        return abs(y - height - slope * x) <= width / 2

    return is_inside


def low_rate_in_small_batches(point: Point) -> bool:
    return -4.6 <= math.log10(point["learning_rate"]) <= -2.8 and point["batch_size"] <= 32


CASES: dict[str, Case] = {
    "box": Case(PLANE, box(0.3, 0.65, 0.4, 0.75)),
    "corner": Case(PLANE, box(0.0, 0.36, 0.66, 1.0), held_out=True),
    "two boxes": Case(PLANE, either(box(0.1, 0.35, 0.6, 0.9), box(0.65, 0.95, 0.1, 0.35))),
    "two far boxes": Case(PLANE, either(box(0.0, 0.25, 0.0, 0.3), box(0.6, 0.9, 0.55, 0.8)), held_out=True),
    "L": Case(PLANE, either(box(0.1, 0.35, 0.15, 0.9), box(0.1, 0.85, 0.15, 0.4)), held_out=True),
    "ridge": Case(PLANE, ridge(0.0, 1.0, 0.25)),
    "flat ridge": Case(PLANE, ridge(0.75, -0.6, 0.2), held_out=True),
    "switch": Case(SWITCHED, lambda point: point["activation"] == "tanh"),
    "switch in half": Case(
        SWITCHED, lambda point: point["activation"] in ("elu", "tanh") and point["noise"] <= 25, held_out=True
    ),
    "six": Case(SIX, lambda point: point["x2"] > 0.6 and point["x5"] < 0.4),
    "six mixed": Case(MIXED, low_rate_in_small_batches, held_out=True),
}


def difference(case: str, point: Point, deviation: float, seed: object) -> float:
    """The signed difference of one replicate: the planted one, and noise that the point and the seed determine."""
    planted = INSIDE if CASES[case].is_inside(point) else OUTSIDE
    noise = random.Random(json.dumps([case, point, str(seed)], sort_keys=True)).gauss(0, deviation)
    return planted + noise


def initialize_parameters() -> dict[str, Any]:
    defaults: dict[str, Any] = {"case": "box", "side": 0, "deviation": 0.084, "rng_seed": 1}
    for case in CASES.values():
        for entry in case.space:
            defaults.setdefault(entry["name"], entry.get("lower", entry.get("values", [False])[0]))
    return defaults


def run(params: dict[str, Any]) -> dict[str, float]:
    """Both sides know the difference; the smaller loss is below 1 by it."""
    names = [entry["name"] for entry in CASES[params["case"]].space]
    point = {name: params[name] for name in names}
    signed = difference(params["case"], point, params["deviation"], params["rng_seed"])
    return {"val_loss": min(1.0, 1.0 + signed) if params["side"] else min(1.0, 1.0 - signed)}


if __name__ == "__main__":
    print(json.dumps(CASES[sys.argv[1]].space, indent=1))
