"""The CANDLE text format, the prefixes of submodels, flags and doubtful names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.formats.hyperparameters import (
    as_flags,
    check_names,
    parse_override,
    parse_value,
    read_hyperparameters,
    read_with_warnings,
    set_once,
    split_for_submodels,
)

DATA = Path(__file__).parents[1] / "data"


def test_the_papers_file_gives_two_submodels() -> None:
    first, second = split_for_submodels(read_hyperparameters(DATA / "cmp-figure-3.txt"))
    common = {
        "epochs": 10,
        "model_name": "/images/Uno.sif",
        "config_file": "/candle_data_dir/uno_auc_model.txt",
    }
    assert first == {**common, "train_sources": "CCLE", "run_id": "M0"}
    assert second == {**common, "train_sources": "gCSI", "run_id": "M1"}


def test_oddities_are_read_as_their_authors_meant() -> None:
    values, warnings = read_with_warnings(DATA / "oddities.txt")
    expected = {
        "dropout": 0.1,
        "noise_sigma": 0.0,
        "vocab_size": 30000,
        "lr": 1e-5,
        "experiment_id": "01",
        "layers_text": "2400, 1200, 1200:2400, 1200",
        "dense": [1000, 1000, 500],
        "model_file_format": "",
        "by_cell": None,
        "CBO_Kappa": 2,
        "loss": "mse",
        "rate": "50%",
        "home": "$HOME/data",
        "pair": [1, 2],
        "epochs": 7,
        "cuda_name": "cuda:0",
        "timeout": -1,
        "verbose": False,
    }
    assert values == expected
    assert [type(value) for value in values.values()] == [type(value) for value in expected.values()]
    assert len(warnings) == 3
    assert "line 6: 'lr' = '1e-5' is taken as the number 1e-05" in warnings[0]
    assert "'epochs' stands twice in [Global Hyperparameter Space]; the last value counts, 7, not 5" in warnings[1]
    assert "'cuda_name' stands in two sections; the first value counts, 'cuda:0', not 'cuda:1'" in warnings[2]


def test_a_default_counts_where_no_section_has_the_key(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("[DEFAULT]\nepochs = 1\nlr = 0.5\n[Train]\nepochs = 2\n[Infer]\nepochs = 2\nx = 3\n")
    assert read_with_warnings(path) == ({"epochs": 2, "lr": 0.5, "x": 3}, [])
    path.write_text("[Train]\nepochs = 2\n[DEFAULT]\nepochs = 1\n")
    assert read_with_warnings(path) == ({"epochs": 2}, [])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'AUC'", "AUC"),
        ("['CCLE', 'gCSI']", ["CCLE", "gCSI"]),
        ("[0.1, None, True]", [0.1, None, True]),
        ("'1'", "1"),
        ("'.5'", 0.5),
        ("'1e999'", "1e999"),
        ("01", "01"),
        ("...", "..."),
        ("b'x'", "b'x'"),
        ("{'a': (1,)}", {"a": [1]}),
        ("mse ; a remark", "mse"),
        ("true", True),
        ("FALSE  # a remark", False),
        ("'true'", "true"),
        ("none", "none"),
        ("off", "off"),
        ("[true, null, 'x']", "[true, null, 'x']"),
        ('[true, null, "x"]', [True, None, "x"]),
        ('{"a": [false]}', {"a": [False]}),
        ("10 # a remark", 10),
        ("a#b", "a#b"),
        ("'a # b'", "a # b"),
        (r"C:\data", r"C:\data"),
        ("__import__('os').system('true')", "__import__('os').system('true')"),
        ("b'0' * 10**12", "b'0' * 10**12"),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert parse_value(text) == value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"epochs = 1\n", ["line 1", "'epochs = 1'", "before any [section]"]),
        (b"[a]\nDrugCell\n", ["line 2", "'DrugCell'", "key = value"]),
        (b"[a]\nlearning rate = 1\n", ["line 2", "learning rate"]),
        (b"[a]\n--epochs = 1\n", ["line 2"]),
        (b"[a]\nx = [1,\ny = 2\n", ["line 2", "'x'", "not closed"]),
        (b'{"id": "RUN001", "epochs": 1}\n', ["line 1"]),
        (b"\xff\xfe\x00", ["not a text file"]),
        (b"[a]\nx = \0\n", ["not a text file"]),
    ],
)
def test_what_is_no_hyperparameter_file_is_refused(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read_hyperparameters(path)
    assert "\n" not in str(refusal.value)
    assert all(word in str(refusal.value) for word in [str(path), *words])


def test_names_keep_their_case_but_for_prefixes_and_those_of_the_workflow(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    lines = ["LR = 1", "N_layers = 2", "CMP_0_LR = 3", "Model_Name = 'cmp'", "cmp_CONFIG_FILE = 'x'", "CKPT_Mode = 'y'"]
    path.write_text("[a]\n" + "\n".join(lines))
    names = ["LR", "N_layers", "cmp_0_LR", "model_name", "cmp_config_file", "ckpt_mode"]
    assert list(read_hyperparameters(path)) == names


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[a]\nLR = 0.9\nx = 1\nlr = 0.7\n", "line 4: 'lr' = 0.7 and 'LR' = 0.9 of line 2 differ in case alone"),
        ("[a]\nLR = 0.9\n[b]\nlr = 0.7\n", "line 4: 'lr' = 0.7 and 'LR' = 0.9 of line 2 differ in case alone"),
        ("[a]\nlr = 1\nLR = 1\n[b]\nlr = 2\n", "line 5: 'lr' = 2 and 'LR' = 1 of line 3 differ in case alone"),
        ("[a]\nCMP_0_x = 1\ncmp_0_X = 2\n", "line 3: 'cmp_0_X' = 2 and 'CMP_0_x' = 1 of line 2"),
        ("[a]\nmodel_name = 'a'\nMODEL_NAME = 'b'\n", "line 3: 'MODEL_NAME' = 'b' and 'model_name' = 'a' of line 2"),
    ],
)
def test_names_that_differ_in_case_alone_are_refused_with_both_lines(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "file.txt"
    path.write_text(content)
    with pytest.raises(InputError) as refusal:
        read_hyperparameters(path)
    assert words in str(refusal.value) and str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def test_names_that_differ_in_case_alone_may_have_one_value(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("[a]\nLR = 0.5\nlr = 0.5\n[b]\nLr = .5\n")
    assert read_with_warnings(path) == ({"LR": 0.5}, [])


OWN_NAMES = st.text("abLRN_", min_size=1, max_size=6).filter(lambda name: name.strip("_"))


@given(st.lists(st.tuples(OWN_NAMES, st.integers()), max_size=8, unique_by=lambda pair: pair[0].casefold()))
def test_names_are_read_as_they_are_written(tmp_path_factory: pytest.TempPathFactory, pairs: list) -> None:
    path = tmp_path_factory.getbasetemp() / "names.txt"
    path.write_text("[a]\n" + "".join(f"{name} = {value}\n" for name, value in pairs))
    assert list(read_hyperparameters(path).items()) == pairs


@given(OWN_NAMES, st.integers(), st.integers(), st.booleans())
def test_a_name_in_two_cases_is_one_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, one: int, other: int, apart: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "twice.txt"
    section = "[b]\n" if apart else ""
    path.write_text(f"[a]\n{name} = {one}\n{section}{name.swapcase()} = {other}\n")
    if one == other:
        assert read_hyperparameters(path) == {name: one}
    else:
        with pytest.raises(InputError, match=f"line {3 + apart}: .* of line 2 differ in case alone"):
            read_hyperparameters(path)


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_hyperparameters(tmp_path / "absent.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_hyperparameters(tmp_path)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.text().map(lambda x: f"[a]\n{x}".encode()))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(content)
    try:
        values = read_hyperparameters(path)
    except InputError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert json.loads(json.dumps(values, allow_nan=False)) == values


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(PLAIN | st.lists(PLAIN))
def test_a_python_literal_is_itself(value: Any) -> None:
    read = parse_value(repr(value))
    if isinstance(read, float) and isinstance(value, str):
        assert read == float(value)  # a number in quotes
    else:
        assert read == value


def test_the_more_special_prefix_wins() -> None:
    given_values = {"cmp_0_epochs": 3, "cmp_epochs": 2, "epochs": 1, "compound": 4, "cmpx": 5}
    first, second = split_for_submodels(given_values)
    assert first == {"epochs": 3, "compound": 4, "cmpx": 5}
    assert second == {"epochs": 2, "compound": 4, "cmpx": 5}


def test_prefixes_win_whatever_the_case_of_the_names_behind_them() -> None:
    given_values = {"LR": 1, "cmp_lr": 2, "cmp_1_Lr": 3}
    assert split_for_submodels(given_values) == ({"lr": 2}, {"Lr": 3})


def test_a_command_line_sets_a_hyperparameter_to_one_value() -> None:
    settings: dict[str, Any] = {}
    for name, value in (("LR", 0.5), ("CMP_0_LR", 1), ("lr", 0.5)):
        set_once(settings, name, value, "--set")
    assert settings == {"LR": 0.5, "cmp_0_LR": 1}
    for name in ("lr", "LR"):
        with pytest.raises(InputError, match=f"--set {name}=1: '{name}' is set twice: 'LR' is 0.5 already"):
            set_once(settings, name, 1, f"--set {name}=1")


def test_what_belongs_to_the_comparison_is_not_passed_down() -> None:
    names = ["data_type", "data_dir", "save", "instance_directory", "framework", "model_name"]
    assert split_for_submodels(dict.fromkeys(names, "x")) == ({}, {})
    first, second = split_for_submodels({"cmp_data_dir": "y", "cmp_1_model_name": "z"})
    assert first == {"data_dir": "y"}
    assert second == {"data_dir": "y", "model_name": "z"}


@pytest.mark.parametrize(
    "name", ["cmp_2_epochs", "cmp-epochs", "cmp0_epochs", "cmp_", "cmp_0", "cmp_0_", "cmp_-x", "CMP-epochs", "Cmp_2_LR"]
)
def test_a_misspelt_prefix_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}'"):
        split_for_submodels({name: 1})


def test_flags_are_the_words_that_train_sh_takes() -> None:
    values = {
        "id": "RUN1",
        "candle_image": "Uno.sif",
        "epochs": 3,
        "rate": 1e-5,
        "verbose": True,
        "by_cell": None,
        "dense": [1000, 500],
        "text": "500 500",
        "sources": ["CCLE"],
        "empty": "",
        "none": [],
    }
    words = "--epochs 3 --rate 1e-05 --verbose True --by_cell None --dense 1000 500 --text 500 500 --sources CCLE"
    assert as_flags(values) == [*words.split(" "), "--empty", "", "--none", "[]"]


def test_overrides() -> None:
    assert parse_override("epochs=10") == ("epochs", 10)
    assert parse_override("search.strategy = simple") == ("search.strategy", "simple")
    assert parse_override("hyperparameters.dense=[1, 2]") == ("hyperparameters.dense", [1, 2])
    for wrong in ("epochs", "=1", "a b=1"):
        with pytest.raises(InputError, match="KEY=VALUE"):
            parse_override(wrong)


def test_doubtful_names_are_told_with_the_nearest() -> None:
    class Described:
        effect = "none"

    known = {"learning_rate": {"type": "float"}, "out_act": {"effect": "none"}, "scaling": Described()}
    given_names = ["learning_rate", "LERANING_RATE", "out_act", "scaling", "rng_seed", "ckpt_restart_mode"]
    assert check_names(given_names, known, "file.txt") == [
        "file.txt: the model does not describe 'LERANING_RATE' (did you mean 'learning_rate'?); it is passed on",
        "file.txt: 'out_act' is accepted, without effect",
        "file.txt: 'scaling' is accepted, without effect",
    ]
    assert check_names(["anything"], {}, "file.txt") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2*10", 20),
        ("10/4", 2.5),
        ("-3 * 2  # six", -6),
        ("[1000]*3", [1000, 1000, 1000]),
        ("[2*3, (4, 5)]", [6, [4, 5]]),
        ("'a' + 'b'", "ab"),
        ("2 * %(N)s", 6),
        ("7%%3", 1),
        ("%(n)s", 3),
        ("'%(deep)s.%(n)s%%'", "3x.3%"),
        ("'50%'", "50%"),
        ("mse - 1", "mse - 1"),
        ("10 epochs", "10 epochs"),
    ],
)
def test_a_value_is_computed_as_candle_computes_it(tmp_path: Path, text: str, value: Any) -> None:
    """Its library has `configparser` put in what `%(NAME)s` stands for, and Python compute the rest."""
    path = tmp_path / "model.txt"
    path.write_text(f"[DEFAULT]\ndeep = %(n)sx\nn = 4\n[Global_Params]\nn = 3\nvalue = {text}\n")
    read, warnings = read_with_warnings(path)
    assert read["value"] == value and type(read["value"]) is type(value)
    assert any("is computed" in warning for warning in warnings) == (
        "*" in text or text in ("10/4", "'a' + 'b'", "7%%3")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1/0", "'value' = 1/0: cannot be computed: division by zero"),
        ("10**400", "is not a number that can be computed with"),
        ("9**9**9", "9**9**9: cannot be computed: is too large"),
        ("[0] * 10**9", "cannot be computed: is too long"),
        ("[[0] * 1000] * 1000", "cannot be computed: is too long"),
        ("[[]] * 10**9", "cannot be computed: is too long"),
        ("'%999999999d' % 1", "cannot be computed: is too long"),
        ("'%-*d' % 1", "cannot be computed: is too long"),
        ("'a' * 2.5", "cannot be computed: can't multiply sequence by non-int"),
        ("%(nn)s", "[Global_Params] has no 'nn' (did you mean 'n'?)"),
        ("%(value)s", "'%(NAME)s' stands for what NAME is"),
        ("'%(quoted)s/x'", "quotes in quotes; leave out those of one of the two"),
    ],
)
def test_what_candle_cannot_compute_is_refused_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "model.txt"
    path.write_text(f"[Global_Params]\nn = 3\nquoted = 'q'\nvalue = {text}\n")
    with pytest.raises(InputError) as refused:
        read_with_warnings(path)
    assert words in str(refused.value) and "line 4" in str(refused.value)


def test_texts_of_improve_are_not_computed_and_functions_are_named(tmp_path: Path) -> None:
    path = tmp_path / "params.txt"
    path.write_text("[Preprocess]\nroot = data\nfolder = %(root)s/2\nwindow = 10/20\n")
    assert read_with_warnings(path) == ({"root": "data", "folder": "data/2", "window": "10/20"}, [])
    path.write_text("[Global_Params]\nbatch = int(1e3)\n")
    read, [warning] = read_with_warnings(path)
    assert read == {"batch": "int(1e3)"} and "is taken as a text" in warning


@pytest.mark.parametrize(
    ("text", "is_told"),
    [("1 << 4", True), ("[1, 2][0]", True), ("1 < 2", True), ("[2**i for i in range(3)]", True)]
    + [(text, False) for text in ("max", "id-1", "relu", "a/b", "1:5", "2020-01-01", "...")],
)
def test_what_candle_computes_and_this_does_not_is_told(tmp_path: Path, text: str, is_told: bool) -> None:
    path = tmp_path / "params.txt"
    path.write_text(f"[Global_Params]\nvalue = {text}\n")
    read, warnings = read_with_warnings(path)
    assert read == {"value": text} and ["is taken as a text" in each for each in warnings] == [True] * is_told
