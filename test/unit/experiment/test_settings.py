"""What the command line sets of an experiment file."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.experiment.experiment_file import overridden, read_settings
from comparator.space import ParameterSpace

FILE = 'model = "cmp"\nspace = "s.json"\n[search]\nevaluations = 8\n[confirm]\nseeds = 4\n[cmp]\nmodels = ["a", "b"]\n'


def test_what_is_true_or_false_may_be_typed_as_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(FILE)
    set_ = ["search.pilot=true", "confirm.regions=false", "confirm.splits=True", "hyperparameters.kind=true"]
    read = read_settings(file, set_)
    assert read.search is not None and read.search.pilot is True
    assert read.confirm is not None and (read.confirm.regions, read.confirm.splits) == (False, True)
    assert read.set == {"kind": True}, "a hyperparameter is read as a file of hyperparameters has it"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("3", "type = 'float', lower = 0, upper = 1"),
        ("[]", "type = 'categorical', values = [1, 2]"),
        ("['a', 'b']", "type = 'categorical', values = ['a', 'b']"),
    ],
)
def test_what_is_varied_is_a_table_and_which_is_said(given: str, meant: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f"model = 'uno'\n[space]\nw = {given}\n")
    with pytest.raises(InputError) as refused:
        read_settings(file, [])
    assert str(refused.value).endswith(f"'w' = {given} is no table; write w = {{ {meant} }}")


def test_a_space_of_nothing_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "space.json").write_text("[]")
    with pytest.raises(InputError, match=r"space\.json: is empty, so that nothing is varied"):
        ParameterSpace.read(tmp_path / "space.json")


KEYS = [
    "search.seed",
    "search.evaluations",
    "search.focus.noise",
    "cmp.0",
    "cmp.0.names",
    "cmp.0.names.a",
    "cmp.metric",
]
KEYS += ["cmp.1.environment.PATH", "confirm.points", "title", "hyperparameters.epochs", "cmp..", "set.x", "metricx"]
TEXTS = ["1", "x", "None", "[1]", "{'a': 1}", "{}", "\udcff"]  # the last: a byte that is no UTF-8
ASSIGNMENTS = st.lists(st.builds("{}={}".format, st.sampled_from(KEYS), st.sampled_from(TEXTS)), min_size=1, max_size=3)
IN_THE_FILE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(["search", "cmp", "confirm"], st.sampled_from([None, 5, [1], {}, {"0": 5}]))
)


@given(IN_THE_FILE, ASSIGNMENTS)
@example({"search": 5}, ["search.evaluations=1"])
@example({"confirm": None}, ["confirm.points=1"])
@example({}, ["cmp.0=x", "cmp.0.names.a=x"])
@example({}, ["cmp.1.environment.PATH=\udcff"])
def test_any_key_is_set_or_refused(content: dict[str, object], assignments: list[str]) -> None:
    try:
        overridden({"model": "cmp", "space": "s.json", **content}, assignments, "x.toml", "x.toml")
    except InputError as error:
        assert "\n" not in str(error)


def test_a_table_that_is_none_is_said_to_be_none_whatever_is_set_in_it(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('model = "cmp"\nspace = "s.json"\nsearch = 5\n')
    with pytest.raises(InputError, match=r"x\.toml: 'search' = 5: must be a table of keys and values"):
        read_settings(file, ["search.seed=2"])
    frozen = {"model": "cmp", "space": "s.json", "search": {"evaluations": 4}, "confirm": None}
    read = overridden(frozen, ["confirm.points=2"], "x.toml", "x.toml")
    assert read.confirm is not None and read.confirm.points == 2, "a table that was left out is begun"


@pytest.mark.parametrize("key", ["hyperparameters", "search.past", "cmp.models", "set.act"])
def test_a_text_with_a_nul_is_refused_with_its_key(tmp_path: Path, key: str) -> None:
    file = tmp_path / "x.toml"
    file.write_text(f'{key} = ["a\\u0000b"]\n')
    with pytest.raises(InputError, match=rf"x\.toml: '{key}': 'a\\x00b' has a NUL, as no file's name has"):
        read_settings(file, [])


def test_the_keys_of_a_submodel_are_named_as_the_file_has_them(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(FILE + "metricx = 'mse'\n")
    with pytest.raises(
        InputError, match=r"'cmp\.metricx' \(did you mean 'metric'\?\); known: 0, 1, difference, labels"
    ):
        read_settings(file, [])
