"""Boxes of a space, and the spaces inside and around them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.evidence.coordinates import dense_sample
from comparator.space import Constant, ParameterSpace
from comparator.space.boxes import Box, avoid, focus, read_box, written_box

ENTRIES: list[dict[str, Any]] = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50, "sigma": 10},
    {"name": "layer", "type": "int", "lower": 25, "upper": 200},
    {"name": "rate", "type": "float", "lower": 1e-5, "upper": 1e-1, "use_log_scale": True},
    {"name": "batch", "type": "ordered", "element_type": "int", "values": [16, 32, 64, 128]},
    {"name": "activation", "type": "categorical", "element_type": "string", "values": ["relu", "elu", "tanh"]},
    {"name": "residual", "type": "logical"},
    {"name": "epochs", "type": "constant", "value": 10},
]
WHOLE = ParameterSpace.from_entries(ENTRIES, "test")


def ends(low: float, high: float, whole: bool = False) -> st.SearchStrategy[list[Any]]:
    numbers = st.integers(int(low), int(high)) if whole else st.floats(low, high)
    return st.lists(numbers, min_size=2, max_size=2).map(sorted)


def some(values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(values), min_size=1, unique=True).map(lambda held: {"values": held})


BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "noise": ends(0, 50),
        "layer": ends(25, 200, whole=True),
        "rate": ends(1e-5, 1e-1),
        "batch": some([16, 32, 64, 128]),
        "activation": some(["relu", "elu", "tanh"]),
        "residual": some([True, False]),
    },
).filter(bool)


@given(BOUNDS)
def test_a_box_becomes_json_and_back(bounds: dict[str, Any]) -> None:
    box = Box.from_bounds(WHOLE, bounds, "test")
    read = Box.from_bounds(WHOLE, json.loads(json.dumps(box.bounds)), "test")
    assert read == box and set(box.bounds) == set(WHOLE.names) - {"epochs"}
    for name in set(box.bounds) - set(bounds):
        assert name not in [parameter.name for parameter in box.closed]


@settings(max_examples=30)
@given(BOUNDS, st.integers(0, 99))
def test_every_point_of_the_focus_lies_in_the_box_and_the_space(bounds: dict[str, Any], seed: int) -> None:
    box = Box.from_bounds(WHOLE, bounds, "test")
    inner = focus(WHOLE, box)
    assert inner.names == WHOLE.names
    rng = random.Random(seed)
    points = [inner.initial(rng) for _ in range(5)]
    points += [inner.mutate(point, 1.0, rng) for point in points] + dense_sample(inner, 8, seed)
    assert all(box.contains(points))
    for point in points:
        WHOLE.check(point)
    assert ParameterSpace.from_entries(inner.entries(), "again").entries() == inner.entries()


@pytest.mark.long
@settings(max_examples=30)
@given(BOUNDS, st.integers(0, 99))
def test_every_point_around_a_box_lies_outside_it_and_in_the_space(bounds: dict[str, Any], seed: int) -> None:
    box = Box.from_bounds(WHOLE, bounds, "test")
    assume(box.closed)
    around = avoid(WHOLE, box)
    rng = random.Random(seed)
    points = [around.initial(rng) for _ in range(8)]
    points += [around.mutate(point, 0.5, rng) for point in points]
    pairs = zip(points[::2], points[1::2], strict=True)
    points += [child for pair in pairs for child in around.crossover(*pair, 0.5, rng)]
    points += dense_sample(around, 16, seed) + [around.at([end] * len(WHOLE.names)) for end in (0.0, 1 - 1e-12)]
    points += around.grid({"noise": 3, "layer": 3, "rate": 2})
    assert not any(box.contains(points))
    for point in points:
        WHOLE.check(point)


def test_a_space_without_a_box_is_sampled_anew() -> None:
    plane = ParameterSpace.from_entries(ENTRIES[:2], "test")
    whole = dense_sample(plane, 64)
    for low, high in ((0, 25), (25, 50)):
        box = Box.from_bounds(plane, {"noise": [low, high]}, "test")
        assert not any(box.contains(dense_sample(avoid(plane, box), 64))) and any(box.contains(whole))


def test_what_is_left_is_searched_evenly() -> None:
    plane = ParameterSpace.from_entries(ENTRIES[:2], "test")
    around = avoid(plane, Box.from_bounds(plane, {"noise": [25, 50], "layer": [113, 200]}, "test"))
    points = dense_sample(around, 600)
    quarters = [
        np.mean([(point["noise"] > 25) is right and (point["layer"] > 112) is up for point in points])
        for right, up in ((False, False), (False, True), (True, False))
    ]
    assert quarters == pytest.approx([1 / 3] * 3, abs=0.02)


def test_spaces_that_can_be_counted() -> None:
    listed = ParameterSpace.from_entries(
        [{"name": "layer", "type": "int", "lower": 1, "upper": 10}, *ENTRIES[3:6]], "test"
    )
    box = Box.from_bounds(listed, {"layer": [3, 5], "activation": {"values": ["elu", "tanh"]}}, "test")
    around, inner = avoid(listed, box), focus(listed, box)
    assert listed.size() == 240 and inner.size() == 3 * 2 * 4 * 2 and around.size() == 240 - 48
    assert len(around.all_points()) == 192 and not any(box.contains(around.all_points()))


def test_a_side_of_one_value_is_a_constant() -> None:
    box = Box.from_bounds(WHOLE, {"layer": [50, 50], "activation": {"values": ["elu"]}, "noise": [0, 25]}, "test")
    inner = focus(WHOLE, box)
    assert [each.name for each in inner.parameters if isinstance(each, Constant)] == ["layer", "activation", "epochs"]
    assert inner.entries()[0]["sigma"] == 5  # half the range, half the step


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({}, "noise above 10"),
        ({"noise": [0, 10]}, "noise below 10"),
        ({"noise": [10, 50], "layer": [100, 200]}, "noise above 10 and layer from 100"),
        ({"layer": [25, 99], "rate": [3.16e-4, 1e-2]}, "layer up to 99 and rate 0.00032 to 0.01"),
        ({"noise": [12.3456, 34.5678], "layer": [60, 60]}, "noise 12.3 to 34.6 and layer 60"),
        ({"batch": {"values": [16, 32, 64]}, "residual": {"values": [True]}}, "batch 16, 32 or 64 and residual true"),
    ],
)
def test_a_box_in_words(bounds: dict[str, Any], said: str) -> None:
    if not bounds:
        assert Box.whole(WHOLE).words() == "everywhere"
    else:
        assert Box.from_bounds(WHOLE, bounds, "test").words() == said


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({}, "a box is an object"),
        ([1], "a box is an object"),
        ({"nois": [1, 2]}, "the space has no 'nois' (did you mean 'noise'?)"),
        ({"noise": 3}, "'noise': 3 is not [low, high]"),
        ({"noise": [True, 3]}, "is not [low, high]"),
        ({"noise": [60, 70]}, "'noise': [60, 70] holds no value of the space, 0 to 50"),
        ({"layer": [30.2, 30.8]}, "holds no value"),
        (written_box("noise=90:"), "'noise': [90, 50.0] holds no value of the space, 0 to 50"),
        ({"noise": [10, 20], "Noise": [10, 30]}, "'noise' and 'Noise' differ in case alone"),
        ({"activation": ["elu"]}, 'is not {"values": [...]}'),
        ({"activation": {"values": ["gelu"]}}, 'the space has none of ["gelu"], but ["relu", "elu", "tanh"]'),
    ],
)
def test_what_is_no_box_is_said_in_one_line(bounds: Any, words: str) -> None:
    with pytest.raises(InputError) as raised:
        Box.from_bounds(WHOLE, bounds, "b.json")
    assert words in str(raised.value) and str(raised.value).startswith("b.json: ")


def test_a_box_may_name_parameters_in_any_case() -> None:
    assert Box.from_bounds(WHOLE, {"NOISE": [10, 50]}, "test") == Box.from_bounds(WHOLE, {"noise": [10, 50]}, "test")


def test_the_whole_space_cannot_be_avoided() -> None:
    with pytest.raises(InputError, match="nothing is left"):
        avoid(WHOLE, Box.from_bounds(WHOLE, {"noise": [-5, 60], "epochs": {"values": [10]}}, "test"))


def test_boxes_in_files(tmp_path: Path) -> None:
    bounds = {"noise": [10, 50]}
    box, region, report = tmp_path / "box.json", tmp_path / "region.json", tmp_path / "report.json"
    box.write_text(json.dumps(bounds))
    region.write_text(json.dumps({"bounds": bounds, "mean": 0.3}))
    report.write_text(json.dumps({"regions": [{"bounds": {"noise": [0, 1]}}, {"bounds": bounds}]}))
    assert read_box(str(box)) == read_box(str(region)) == read_box(f"{report}:2") == read_box(f"{report}:02") == bounds
    kept = tmp_path / "kept.json"  # the first claim of which was rejected
    kept.write_text(json.dumps({"regions": [{"bounds": bounds, "number": 2}]}))
    assert read_box(f"{kept}:2") == bounds
    with pytest.raises(InputError, match="has the region 2, not number 1"):
        read_box(f"{kept}:1")
    for given_, words in (
        (f"{report}:3", "has the regions 1, 2, not number 3"),
        (f"{box}:1", "has no regions, not number 1"),
        (f"{report}:{'9' * 5000}", r"has the regions 1, 2, not number 9+\.\.\.9+"),
    ):
        with pytest.raises(InputError, match=words):
            read_box(given_)
    box.write_text('{"noise": [10, 50], "noise": [20, 50]}')
    with pytest.raises(InputError, match="'noise' stands twice in"):
        read_box(str(box))
    (tmp_path / "broken.json").write_text("{")
    for name, words in (("broken.json", "not JSON"), ("absent.json", "no such file"), ("report.json", "the space has")):
        with pytest.raises(InputError, match=words):
            Box.from_bounds(WHOLE, read_box(str(tmp_path / name)), name)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["regions", "number", "bounds", "noise", "values"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(ANY_JSON, ANY_JSON)
@example([None], None)
@example([{"number": [1]}], None)
@example(0.5, None)
@example([{"bounds": {"noise": [0, 20]}}, {"number": "3"}], None)
def test_any_json_is_a_box_or_refused(tmp_path_factory: pytest.TempPathFactory, regions: Any, whole: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    for content in ({"regions": regions}, whole):
        path.write_text(json.dumps(content))
        for given_ in (f"{path}", f"{path}:1"):
            try:
                Box.from_bounds(WHOLE, read_box(given_), "box")
            except InputError as error:
                assert "\n" not in str(error)


@given(
    low=st.floats(0, 24, allow_nan=False),
    high=st.floats(25, 50, allow_nan=False),
    values=st.sets(st.sampled_from("abc"), min_size=1),
)
def test_a_box_in_short_form_is_the_box_in_json(low: float, high: float, values: set[str]) -> None:
    listed = sorted(values)
    short = written_box(f"noise={low!r}:{high!r},letter={','.join(listed)}")
    assert short == {"noise": [low, high], "letter": {"values": listed}}
    assert written_box(json.dumps(short)) == short


def test_an_end_that_is_left_out_is_the_space_s_own() -> None:
    space = ParameterSpace.from_entries([{"name": "noise", "type": "float", "lower": 0, "upper": 50}], "space")
    assert Box.from_bounds(space, written_box("noise=:20"), "box").bounds == {"noise": [0, 20]}
    assert Box.from_bounds(space, written_box("noise=20:"), "box").bounds == {"noise": [20, 50]}


@pytest.mark.parametrize("text", ["box.json", "first:1", "noise", "noise=", "=3", ""])
def test_what_is_no_written_box_is_read_otherwise(text: str) -> None:
    assert written_box(text) is None


def test_a_written_box_that_is_no_json_is_said() -> None:
    with pytest.raises(InputError, match="not JSON"):
        written_box('{"noise": [0, 20}')
