"""Parameter spaces: the file format and the operators."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.space import Choice, Constant, Number, Ordered, ParameterSpace

DATA = Path(__file__).parents[1] / "data"


def space_of(*entries: dict[str, Any]) -> ParameterSpace:
    return ParameterSpace.from_entries(list(entries), "space")


NOISE = {"name": "noise", "type": "float", "lower": 0, "upper": 50, "sigma": 10}
LAYER = {"name": "layer_force", "type": "int", "lower": 500, "upper": 1000}
BATCH = {"name": "batch_size", "type": "ordered", "element_type": "int", "values": [16, 32, 64]}
KIND = {"name": "activation", "type": "categorical", "element_type": "string", "values": ["relu", "elu", "tanh"]}
FLAG = {"name": "residual", "type": "logical"}


def test_oddities_are_read_as_their_authors_meant() -> None:
    space = ParameterSpace.read(DATA / "space-oddities.json")
    by_name = {parameter.name: parameter for parameter in space.parameters}
    assert by_name["learning_rate"] == Number("learning_rate", 1e-5, 0.1, 0.000495, whole=False)
    assert by_name["epochs"] == Constant("epochs", 200)
    assert by_name["decay"] == Number("decay", 1e-6, 1e-2, 0.4, whole=False, use_log_scale=True)
    assert by_name["units"] == Number("units", 1, 1000, 0.5, whole=True, use_log_scale=True)
    assert by_name["batch_size"] == Ordered("batch_size", (16, 32, 64), "int", 0.3)
    assert by_name["epsilon"] == Ordered("epsilon", (1e-6, 1e-8, 1e-10), "float", 1.0)
    assert by_name["alone"] == Constant("alone", "relu")
    assert by_name["train_data_dir"] == Constant("train_data_dir", "/candle_data_dir/CCLE")
    file = DATA / "space-oddities.json"
    assert [warning.removeprefix(f"{file}: ") for warning in space.warnings] == [
        "'learning_rate': 1e-05 to 0.1 is searched linearly; 'use_log_scale' would suit it",
        "'epochs': 'lower' and 'upper' are equal; taken as the constant 200",
        "'tiny': 1e-08 to 1e-05 is searched linearly; 'use_log_scale' would suit it",
        "'tiny': 'sigma' = 0.01 exceeds the range 9.99e-06: most mutations end on a bound",
        "'decay': searched on a log scale, sigma 0.4 decades; CANDLE's own search ran it linear",
        "'units': searched on a log scale, sigma 0.5 decades; CANDLE's own search ran it linear",
        "'batch_size': 64 stands twice among 'values'; taken once",
        "'train_data_dir': the key 'sigam' is unknown; ignored",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lower": 60}, "'noise': 'lower' = 60.0 is above 'upper' = 50.0"),
        ({"use_log_scale": True}, "'use_log_scale' needs a 'lower' above zero"),
        ({"use_log_scale": "perhaps"}, "neither true nor false"),
        ({"type": "flaot"}, "type 'flaot' is unknown (did you mean 'float'?); types: int, float"),
        ({"upper": "many"}, "'upper' = 'many' is not a number"),
        ({"upper": True}, "'upper' = True is not a number"),
        ({"upper": math.inf}, "not a finite number"),
        ({"sigma": -1}, "'sigma' = -1.0 is below zero"),
        ({"sigma": "nan"}, "not a finite number"),
        ({"name": "--noise"}, "is not the name of a hyperparameter"),
        ({"name": None}, "is not the name of a hyperparameter"),
        ({"type": "int", "upper": 1.5}, "'upper' = 1.5 is not a whole number"),
        ({"type": "categorical"}, "'element_type' is missing"),
        ({"type": "categorical", "values": []}, "'values' must not be empty"),
        ({"type": "categorical", "values": [1, "x"]}, "'element_type' is missing"),
        (
            {"type": "categorical", "values": [1, 2], "elment_type": "int"},
            "'element_type' is missing; 'elment_type' is unknown (did you mean 'element_type'?)",
        ),
        ({"type": "categorical", "element_type": "text"}, "'element_type' = 'text' is unknown"),
        ({"type": "categorical", "element_type": "int"}, "'values' is missing"),
        ({"type": "categorical", "element_type": "int", "values": []}, "'values' must not be empty"),
        ({"type": "categorical", "element_type": "int", "values": [1, "x"]}, "'x' among 'values'"),
        ({"type": "ordered", "element_type": "float", "values": [True]}, "True among 'values'"),
        ({"type": "constant"}, "'value' is missing"),
        ({"type": "constant", "value": math.nan}, "not a value that JSON text can hold"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        space_of({**NOISE, **changes})
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def read_text(folder: Path, text: str) -> ParameterSpace:
    path = folder / "settings.json"
    path.write_text(text)
    return ParameterSpace.read(path)


def test_the_settings_of_a_grid_are_a_space(tmp_path: Path) -> None:
    space = read_text(
        tmp_path, '{"parameters": {"epochs": [4, 6], "lr": [1e-3, 1], "N1": [15], "act": ["relu", "elu"]}}'
    )
    assert space.parameters == (
        Ordered("epochs", (4, 6), "int", 0.2),
        Ordered("lr", (1e-3, 1), "float", 0.2),
        Constant("N1", 15),
        Choice("act", ("relu", "elu"), "string"),
    )
    assert space.warnings == ()
    assert len(space.all_points()) == 8


def test_the_settings_of_random_points_are_a_space(tmp_path: Path) -> None:
    space = read_text(
        tmp_path,
        '{"parameters": {"epochs": [1, 2, 8], "lr": [0.1, 0.5], "N1": [15, 15]}, "samples": {"num": [120]}, "x": 1}',
    )
    assert space.parameters == (
        Number("epochs", 1, 2, 0.1, whole=True),
        Number("lr", 0.1, 0.5, 0.04, whole=False),
        Constant("N1", 15),
    )
    assert [warning.partition("settings.json: ")[2] for warning in space.warnings] == [
        "'samples' = {'num': [120]} is the budget, which evaluations in [search] says",
        "the key 'x' is unknown; ignored",
        "'epochs': the ends are the first two of [1, 2, 8], as in CANDLE",
        "'N1': 'lower' and 'upper' are equal; taken as the constant 15",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"parameters": {}}', "is empty, so that nothing is varied"),
        ('{"parameters": {"epochs": 3}}', "'epochs' = 3 is not a list of values"),
        ('{"parameters": {"epochs": []}}', "'epochs' = [] has no value"),
        ('{"parameters": {"1": [2, 4]}}', "'name' = '1' is not the name of a hyperparameter"),
        ('{"parameters": {"x": [2]}, "samples": {"num": [2]}}', "'x' = [2]: with 'samples' two numbers are needed"),
        ('{"parameters": {"x": ["a", "b"]}, "samples": {}}', "'x' = ['a', 'b']: with 'samples' two numbers are needed"),
        ('{"parameters": {"x": [4, 2]}, "samples": {}}', "'x': 'lower' = 4 is above 'upper' = 2"),
        ('{"parameters": {"x": [1, 1e999]}}', "'x' = 1e999: is not a number that can be computed with"),
        ('{"parameters": [1]}', "a parameter space is a list of objects"),
    ],
)
def test_settings_that_are_no_space_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        read_text(tmp_path, text)
    assert words in str(raised.value) and "it is" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "element_type"),
    [
        (["relu", "elu"], "string"),
        ([32, 64], "int"),
        ([0.1, 1], "float"),
        ([True, False], "logical"),
        (["1000", "1000 1000"], "string"),
    ],
)
def test_the_element_type_is_that_of_the_values_where_it_is_missing(values: list[Any], element_type: str) -> None:
    space = space_of({"name": "x", "type": "ordered", "values": values})
    assert space.parameters == (Ordered("x", tuple(values), element_type, 0.2),)
    assert space.warnings == (f"space: 'x': 'element_type' is missing; the values are taken as {element_type}",)


def test_a_missing_key_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'upper' is missing; 'uper' is unknown \(did you mean 'upper'\?\)"):
        space_of({"name": "noise", "type": "float", "lower": 0, "uper": 1})


@pytest.mark.parametrize("content", ["", "{}", "[]", '[{"a": 1}]', "[3]", '{"a": 1}\n{"b": 2}', "changequote(`[`)"])
def test_what_is_no_space_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "space.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"space\.json"):
        ParameterSpace.read(path)


def test_a_name_may_stand_once() -> None:
    with pytest.raises(InputError, match="'noise' stands twice"):
        space_of(NOISE, NOISE)
    with pytest.raises(InputError, match="'noise' and 'Noise' differ in case alone, and are one hyperparameter"):
        space_of(NOISE, {**NOISE, "name": "Noise"})


def test_a_key_of_an_entry_may_stand_once(tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text('[{"name": "noise", "type": "float", "lower": 0, "lower": 1, "upper": 2}]')
    with pytest.raises(InputError) as refusal:
        ParameterSpace.read(path)
    entry = '{"name": "noise", "type": "float", "lower": 0, "lower": 1, "upper": 2}'
    assert str(refusal.value) == f"{path}: 'lower' stands twice in {entry}"


def test_names_keep_their_case_but_for_prefixes_and_those_of_the_workflow() -> None:
    names = ["LR", "CMP_0_LR", "Cmp_N", "RNG_SEED", "Config"]
    space = space_of(*({**NOISE, "name": name} for name in names))
    assert space.names == ["LR", "cmp_0_LR", "cmp_N", "rng_seed", "config"]


def test_a_grid_may_name_parameters_in_any_case() -> None:
    space = space_of({**NOISE, "name": "Noise"})
    assert len(space.grid({"noise": 3})) == 3
    with pytest.raises(InputError, match="grid: 'noise' and 'NOISE' differ in case alone"):
        space.grid({"noise": 3, "NOISE": 4})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["name", "type", "lower", "upper", "sigma", "use_log_scale", "values", "element_type", "value", "comment"]
)
LIKELY = JSON | st.sampled_from(["x", "int", "float", "ordered", "categorical", "constant", "string", "logical"])


@given(st.lists(st.dictionaries(KEYS, LIKELY), max_size=3) | JSON)
def test_any_content_is_read_or_refused(content: Any) -> None:
    try:
        space = ParameterSpace.from_entries(content, "space")
    except InputError as refusal:
        assert "\n" not in str(refusal)
    else:
        space.check(space.initial(random.Random(1)))


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError):
        ParameterSpace.read(path)


@st.composite
def numbers(draw: st.DrawFn, name: str) -> dict[str, Any]:
    whole = draw(st.booleans())
    use_log_scale = draw(st.booleans())
    value = st.integers(-(10**12), 10**12) if whole else st.floats(-1e300, 1e300)
    if use_log_scale:
        value = st.integers(1, 10**12) if whole else st.floats(1e-300, 1e300)
    lower, upper = sorted([draw(value), draw(value)])
    entry = {"name": name, "type": "int" if whole else "float", "lower": lower, "upper": upper}
    if draw(st.booleans()):
        entry["sigma"] = draw(st.floats(0, 1e6))
    return {**entry, "use_log_scale": True} if use_log_scale else entry


@st.composite
def lists(draw: st.DrawFn, name: str) -> dict[str, Any]:
    element_type, elements = draw(
        st.sampled_from(
            [
                ("int", st.integers()),
                ("float", st.floats(allow_nan=False, allow_infinity=False)),
                ("string", st.text()),
                ("logical", st.booleans()),
            ]
        )
    )
    kind = draw(st.sampled_from(["categorical", "ordered"]))
    return {
        "name": name,
        "type": kind,
        "element_type": element_type,
        "values": draw(st.lists(elements, min_size=1, max_size=6)),
    }


@st.composite
def spaces(draw: st.DrawFn) -> ParameterSpace:
    entries: list[Any] = []
    for position in range(draw(st.integers(1, 5))):
        name = f"x{position}"
        simple = st.sampled_from([{"name": name, "type": "logical"}, {"name": name, "type": "constant", "value": [1]}])
        entries.append(draw(numbers(name) | lists(name) | simple))
    return ParameterSpace.from_entries(entries, "space")


@given(spaces(), st.integers())
def test_operators_keep_bounds_and_types(space: ParameterSpace, seed: int) -> None:
    rng = random.Random(seed)
    one, other = space.initial(rng), space.initial(rng)
    for _ in range(10):
        one, other = space.crossover(space.mutate(one, 0.7, rng), other, 0.5, rng)
        for point in (one, other):
            space.check(point)
            assert json.loads(json.dumps(point)) == point
            assert list(point) == space.names


@given(spaces(), st.integers())
def test_the_file_format_goes_round(space: ParameterSpace, seed: int) -> None:
    again = ParameterSpace.from_entries(json.loads(json.dumps(space.entries())), "space")
    assert again.entries() == space.entries()
    assert again.initial(random.Random(seed)) == space.initial(random.Random(seed))


@given(spaces(), st.integers(0, 2**32))
def test_crossover_swaps_and_mutation_leaves_its_argument(space: ParameterSpace, seed: int) -> None:
    rng = random.Random(seed)
    one, other = space.initial(rng), space.initial(rng)
    before = json.dumps([one, other])
    first, second = space.crossover(one, other, 0.5, rng)
    space.mutate(one, 1.0, rng)
    assert json.dumps([one, other]) == before
    for name in space.names:
        pairs = [(one[name], other[name]), (other[name], one[name])]
        assert (first[name], second[name]) in pairs


@given(spaces(), st.integers(1, 60))
def test_a_grid_within_a_total(space: ParameterSpace, total: int) -> None:
    points = space.grid(space.counts_within(total))
    assert 1 <= len(points) <= total
    for point in points:
        space.check(point)
    assert len({json.dumps(point) for point in points}) == len(points)


def test_int_draws_reach_both_ends_and_steps_follow_sigma() -> None:
    space = space_of({"name": "n", "type": "int", "lower": 1, "upper": 4})
    rng = random.Random(1)
    assert {space.initial(rng)["n"] for _ in range(200)} == {1, 2, 3, 4}
    narrow = space_of({"name": "n", "type": "float", "lower": -1e6, "upper": 1e6, "sigma": 2})
    steps = [narrow.mutate({"n": 0.0}, 1.0, rng)["n"] for _ in range(4000)]
    assert math.sqrt(sum(step**2 for step in steps) / len(steps)) == pytest.approx(2, rel=0.05)


def test_a_log_scale_draws_and_steps_in_decades() -> None:
    space = space_of({"name": "rate", "type": "float", "lower": 1e-6, "upper": 1e-2, "use_log_scale": True})
    rng = random.Random(1)
    draws = [math.log10(space.initial(rng)["rate"]) for _ in range(4000)]
    assert sum(draws) / len(draws) == pytest.approx(-4, abs=0.1)
    steps = [math.log10(space.mutate({"rate": 1e-4}, 1.0, rng)["rate"]) + 4 for _ in range(4000)]
    assert math.sqrt(sum(step**2 for step in steps) / len(steps)) == pytest.approx(0.4, rel=0.05)


def test_categorical_mutation_always_changes_and_ordered_steps_to_neighbours() -> None:
    space = space_of(KIND, FLAG, {**BATCH, "values": list(range(100)), "sigma": 1})
    rng = random.Random(1)
    point = {"activation": "relu", "residual": True, "batch_size": 50}
    mutants = [space.mutate(point, 1.0, rng) for _ in range(500)]
    assert {mutant["activation"] for mutant in mutants} == {"elu", "tanh"}
    assert {mutant["residual"] for mutant in mutants} == {False}
    assert all(abs(mutant["batch_size"] - 50) <= 5 for mutant in mutants)


def test_size_counts_points() -> None:
    assert space_of(LAYER, KIND, FLAG).size() == 501 * 3 * 2
    assert space_of(NOISE, KIND).size() is None
    assert space_of({**LAYER, "upper": 500}).size() == 1
    assert len(space_of(KIND, FLAG, BATCH).all_points()) == 18


def test_grid() -> None:
    space = space_of(NOISE, LAYER, KIND)
    points = space.grid({"noise": 3, "layer_force": 2})
    assert len(points) == 18
    assert points[0] == {"noise": 0.0, "layer_force": 500, "activation": "relu"}
    assert points[-1] == {"noise": 50.0, "layer_force": 1000, "activation": "tanh"}
    assert {point["noise"] for point in points} == {0.0, 25.0, 50.0}
    assert len(space.grid({"noise": 1, "layer_force": 10_000})) == 501 * 3
    assert space_of(NOISE, LAYER).counts_within(56) == {"noise": 8, "layer_force": 7}
    with pytest.raises(InputError, match="number of values of 'layer_force' is missing"):
        space.grid({"noise": 3})
    with pytest.raises(InputError, match=r"no 'layer'.*did you mean 'layer_force'"):
        space_of(NOISE, LAYER).grid({"layer": 3})
    with pytest.raises(InputError, match="whole number from 1"):
        space.grid({"noise": 0})


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"noise": 1.0}, "'layer_force' is missing"),
        ({"noise": 1, "layer_force": 600}, "'noise': 1 is not a float from 0.0 to 50.0"),
        ({"noise": 1.0, "layer_force": 600.0}, "'layer_force': 600.0 is not an int"),
        ({"noise": 51.0, "layer_force": 600}, "'noise': 51.0 is not between 0.0 and 50.0"),
        ({"noise": math.nan, "layer_force": 600}, "'noise': nan is not between"),
        ({"noise": 1.0, "layer_force": 600, "nois": 1}, "no 'nois' (did you mean 'noise'?)"),
    ],
)
def test_a_point_that_does_not_fit_is_refused(point: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        space_of(NOISE, LAYER).check(point)
    assert words in str(refusal.value)


def test_a_point_that_says_the_same_in_another_way_is_fitted() -> None:
    space = space_of(NOISE, LAYER, KIND, FLAG, {"name": "epochs", "type": "constant", "value": 3})
    point = {"layer_force": 600.0, "noise": "1e1", "activation": "elu", "residual": "False"}
    fitted = space.fit(point)
    assert json.dumps(fitted) == json.dumps(
        {"noise": 10.0, "layer_force": 600, "activation": "elu", "residual": False, "epochs": 3}
    )
    assert json.dumps(space.fit(fitted)) == json.dumps(fitted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"noise": "warm"}, "here: 'noise': 'warm' is not a float from 0.0 to 50.0"),
        ({"noise": True}, "'noise': True is not a float"),
        ({"noise": "51"}, "'noise': 51.0 is not between 0.0 and 50.0"),
        ({"noise": None}, "'noise': None is not a float"),
        ({"layer_force": 600.5}, "'layer_force': 600.5 is not an int from 500 to 1000"),
        ({"activation": "gelu"}, "'activation': 'gelu' is not one of 'relu', 'elu', 'tanh'"),
        ({"epochs": 4}, "'epochs': 4 is not the constant 3"),
        ({"nois": 1}, "no 'nois' (did you mean 'noise'?)"),
    ],
)
def test_a_point_that_cannot_be_fitted_is_refused(change: dict[str, Any], words: str) -> None:
    space = space_of(NOISE, LAYER, KIND, {"name": "epochs", "type": "constant", "value": 3})
    with pytest.raises(InputError) as refusal:
        space.fit({"noise": 1.0, "layer_force": 600, "activation": "elu", **change}, "here")
    assert words in str(refusal.value)


def test_a_point_is_read_from_the_text_of_a_table() -> None:
    space = space_of(NOISE, LAYER, KIND, FLAG, {"name": "epochs", "type": "constant", "value": 3})
    row = {"noise": "10", "layer_force": "500.0", "activation": "elu", "residual": "true", "value": "0.3"}
    assert space.parse(row, "row") == {
        "noise": 10.0,
        "layer_force": 500,
        "activation": "elu",
        "residual": True,
        "epochs": 3,
    }
    for name, text in [("noise", "x"), ("layer_force", "1e999"), ("activation", "sigmoid"), ("residual", "yes")]:
        with pytest.raises(InputError, match=f"row: '{name}'"):
            space.parse({**row, name: text}, "row")
    with pytest.raises(InputError, match="constant 3"):
        space.parse({**row, "epochs": "4"}, "row")
