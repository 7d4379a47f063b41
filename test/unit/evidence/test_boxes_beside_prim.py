"""The boxes that are read beside those of EMA workbench's PRIM, on the same points with a known truth.

The workbench is in no extra, for it pulls in ten packages more: `pip install ema_workbench`. How the two compare over
many repeats is in `test/bench/README.md`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import pytest
from prim_boxes import inside_prim

from comparator.evidence.coordinates import Coordinates, dense_sample
from comparator.evidence.cover import Lattice
from comparator.evidence.paired import Paired
from comparator.evidence.reading import overlap, read_regions
from comparator.space import ParameterSpace, Point

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ema_workbench") is None, reason="it takes EMA workbench: pip install ema_workbench"
)

SPACE = ParameterSpace.from_entries(
    [
        {"name": "noise", "type": "float", "lower": 0, "upper": 50},
        {"name": "layer", "type": "int", "lower": 25, "upper": 200},
        {"name": "activation", "type": "categorical", "element_type": "string", "values": ["elu", "relu", "tanh"]},
    ],
    "test",
)
TRUTHS: dict[str, Callable[[Point], bool]] = {
    "a corner": lambda point: point["noise"] > 30 and point["layer"] > 95,
    "a box inside": lambda point: 12 <= point["noise"] <= 34 and 60 <= point["layer"] <= 150,
    "a category in half": lambda point: point["activation"] == "tanh" and point["noise"] < 25,
}
SAMPLE = dense_sample(SPACE, 1024, seed=3)
EVERY_TRUTH = pytest.mark.parametrize("is_inside", TRUTHS.values(), ids=TRUTHS.keys())


@EVERY_TRUTH
def test_where_all_is_known_both_find_the_box(is_inside: Callable[[Point], bool]) -> None:
    coordinates, points = Coordinates(SPACE), dense_sample(SPACE, 1024)
    is_beyond, truth = (np.array([is_inside(point) for point in each]) for each in (points, SAMPLE))
    lattice = Lattice(coordinates, points)
    (box,) = lattice.cover(np.where(is_beyond, 1.0, -1.0))
    ours = np.array(lattice.box(box).contains(SAMPLE))
    prim = inside_prim(coordinates, points, is_beyond, SAMPLE, chosen=True)
    assert overlap(ours, truth) > 0.95
    assert overlap(prim, truth) > 0.85 and overlap(ours, prim) > 0.85


@EVERY_TRUTH
def test_from_few_noisy_evaluations_no_less_is_found_than_by_prim(is_inside: Callable[[Point], bool]) -> None:
    """PRIM knows the level, which is ours to find. Over three draws of the noise."""
    truth = np.array([is_inside(point) for point in SAMPLE])
    found: dict[str, list[float]] = {"ours": [], "last": [], "best": []}
    for seed in range(3):
        points = dense_sample(SPACE, 64, seed)
        values = np.array([0.2 + 0.25 * is_inside(p) for p in points]) + np.random.default_rng(seed).normal(0, 0.08, 64)
        read = read_regions(SPACE, Paired.of([(p, [v]) for p, v in zip(points, values.tolist(), strict=True)]))
        ours = np.any([part.box.contains(SAMPLE) for part in read.parts], axis=0)
        found["ours"].append(overlap(ours, truth))
        for way in ("last", "best"):
            prim = inside_prim(read.surrogate.coordinates, points, values > 0.325, SAMPLE, chosen=way == "best")
            found[way].append(overlap(prim, truth))
    means = {way: float(np.mean(overlaps)) for way, overlaps in found.items()}
    assert means["ours"] > 0.6 and means["ours"] > max(means["last"], means["best"]), means
