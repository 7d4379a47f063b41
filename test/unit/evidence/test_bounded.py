"""What evidence costs does not grow with the square or the cube of the evaluations: counted, not timed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from counted_sizes import watch

from comparator.evidence import by_fresh_blocks, by_search, chance, reading, surrogate
from comparator.evidence.confirmation import Fresh
from comparator.evidence.coordinates import dense_sample
from comparator.evidence.paired import Observation
from comparator.evidence.regions import Evidence
from comparator.evidence.verdict import find_evidence
from comparator.results.frozen import Claim
from comparator.space import ParameterSpace, Point

SPACE = ParameterSpace.from_entries(
    [{"name": name, "type": "float", "lower": 0, "upper": 1} for name in ("x", "y")], "space"
)
FEW = 90  # what a surrogate rests on at the most, here


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[int]]]:
    """How many observations lie on a side of the matrices that are made: of surrogates, of neighbours, of the net."""
    found: dict[str, list[int]] = {"surrogate": [], "pairs": [], "net": []}

    for module in (reading, by_search, by_fresh_blocks):
        monkeypatch.setattr(module, "MOST", FEW)
    monkeypatch.setattr(surrogate, "ENOUGH", FEW)
    watch(monkeypatch, found["surrogate"], surrogate, "_conditioned", lambda *given: len(given[2]))
    watch(monkeypatch, found["pairs"], chance, "square_distances", lambda *given: len(given[1]))
    watch(monkeypatch, found["net"], by_search, "net", lambda *given: len(given[1]))
    for kept in (surrogate._fit_differences, surrogate._fit_success):
        kept.cache_clear()
    yield found
    for kept in (surrogate._fit_differences, surrogate._fit_success):
        kept.cache_clear()


def difference(point: Point, rng: np.random.Generator) -> float:
    return (0.45 if point["x"] > 0.6 else 0.2) + rng.normal(0, 0.08)


def evidence_of(count: int, *, anew: bool) -> Evidence:
    """Of `count` evaluations, and a fifth as many that failed."""
    rng = np.random.default_rng(2)
    points = dense_sample(SPACE, count)
    observations = [Observation(point, [difference(point, rng)], [number % 8]) for number, point in enumerate(points)]
    failed = [point for point in dense_sample(SPACE, count, 1) if point["y"] < 0.2]
    return find_evidence(
        SPACE, observations, fresh=tried(rng) if anew else [], failed=failed, resamples=2, is_spread=True
    )


def tried(rng: np.random.Generator) -> list[Fresh]:
    points = [point for point in dense_sample(SPACE, 64, 5) if point["y"] > 0.2]
    inside = [point for point in points if point["x"] > 0.6][:8]
    outside = [point for point in points if point["x"] <= 0.6][:8]
    claims = [
        Claim(name="region 1", kind="region", bounds={"x": [0.6, 1]}, points=inside, direction=1),
        Claim(name="elsewhere", kind="elsewhere", points=outside, direction=1),
    ]
    blocks = range(8, 16)
    return [
        Fresh(claim, tuple(claim.points), tuple(difference(each, rng) for each in claim.points), tuple(blocks))
        for claim in claims
    ]


@pytest.mark.long
@pytest.mark.parametrize("anew", [True, False], ids=["trained anew", "of the search alone"])
def test_no_matrix_grows_with_the_evaluations(sizes: dict[str, list[int]], anew: bool) -> None:
    found = evidence_of(4 * FEW, anew=anew)
    assert found.verdict == "regions" and found.points == 4 * FEW
    assert sizes["surrogate"] and max(sizes["surrogate"]) <= FEW
    assert all(each <= FEW for each in sizes["pairs"] + sizes["net"]) and bool(sizes["net"]) is not anew


def test_the_mean_is_tested_by_all_evaluations(sizes: dict[str, list[int]]) -> None:
    """Only what scans the space rests on some: a small difference all over is shown by many."""
    rng = np.random.default_rng(3)
    points = dense_sample(SPACE, 20 * FEW)
    found = find_evidence(SPACE, [(point, [0.005 + rng.normal(0, 0.05)]) for point in points], resamples=0)
    assert found.verdict == "everywhere" and found.p_differ is not None and found.p_differ < 0.01
    assert max(sizes["net"]) <= FEW
