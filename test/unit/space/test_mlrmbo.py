"""Parameter sets of mlrMBO, in R, as CANDLE's users have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.formats.upf import read_upf
from comparator.space import Choice, Constant, Number, Ordered, ParameterSpace
from comparator.space.entries import element_type_of

SET = """
# names are those of the benchmark; makeParamSet( has one for each
library(ParamHelpers)
param.set <- makeParamSet(
  makeDiscreteParam("dense", values=c("1000",
                                      '1000 # 1000')),   # "two"
  # makeDiscreteParam("drop", values = c(0.1, 0.2)),
  makeDiscreteParam("rate", c(1e-04, .5, 1)), makeDiscreteParam("landmarks", values = c(TRUE)),
  makeIntegerParam("batch_size", lower=5, upper=7L, trafo = function(x) 2L^x),
  makeNumericParam("decay", lower = -4, upper = -2, trafo = function(x) 10^x),
  makeNumericParam("dropout", 0, upper = 0.9, default = 0.1),
  makeLogicalParam("residual")
)
print(param.set)
"""


def read(folder: Path, text: str) -> ParameterSpace:
    path = folder / "set.R"
    path.write_text(text)
    return ParameterSpace.read(path)


def test_a_parameter_set_is_a_space(tmp_path: Path) -> None:
    space = read(tmp_path, SET)
    assert space.parameters == (
        Choice("dense", ("1000", "1000 # 1000"), "string"),
        Choice("rate", (1e-4, 0.5, 1), "float"),
        Constant("landmarks", True),
        Ordered("batch_size", (32, 64, 128), "int", 0.3),
        Number("decay", 1e-4, 1e-2, 0.2, whole=False, use_log_scale=True),
        Number("dropout", 0.0, 0.9, 0.09, whole=False),
        Choice("residual", (False, True), "logical"),
    )
    assert space.warnings == ()


def test_equal_ends_and_lines_of_windows(tmp_path: Path) -> None:
    text = 'p = makeParamSet (\r\n makeIntegerParam("epochs", lower = 3,\r\n upper = 3)\r\n)\r\n'
    assert read(tmp_path, text).parameters == (Constant("epochs", 3),)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            'makeDiscreteParam("a", values = c(1, 2)',
            "line 1: no parameter set of mlrMBO that can be read: '(' was never",
        ),
        ('makeDiscreteParam("a", values = c(.0.1))', "line 2: no parameter set of mlrMBO that can be read"),
        (
            'makeNumericVectorParam("a", len = 2)',
            "line 2: makeNumericVectorParam('a', len=2) is none of makeNumericParam",
        ),
        ('makeNumericPram("a", 0, 1)', "(did you mean 'makeNumericParam'?)"),
        ('makeNumericParam("a", lower = 0)', "line 2: 'a': 'upper' is missing"),
        ('makeNumericParam("a", 0, 1, 2)', "line 2: 2 is one argument too many"),
        ('makeNumericParam("a", lower = 0, upper = 1, requires = q)', "line 2: 'requires' has no place in a space"),
        (
            'makeNumericParam("a", lower = 0, uper = 1)',
            "line 2: 'uper' has no place in a space (did you mean 'upper'?)",
        ),
        ('makeNumericParam("a", lower = 0, upper = Inf)', "line 2: Inf is no number, text or c(...) of these"),
        ('makeNumericParam("a", 0, 1, trafo = function(x) x / 2)', "of a trafo only function(x) BASE^x has a place"),
        ('makeNumericParam("a", 0, 999, trafo = function(x) 10^x)', "10^999 is not a number that can be computed with"),
        ('makeIntegerParam("a", 0.5, 9, trafo = function(x) 2^x)', "0.5 to 9 are no exponents of a list of values"),
        ('makeNumericParam("a", lower = 2, upper = 1)', "'a': 'lower' = 2.0 is above 'upper' = 1.0"),
        ("makeNumericParam(lower = 0, upper = 1)", "'name' = None is not the name of a hyperparameter"),
        ("", "is empty, so that nothing is varied"),
    ],
)
def test_what_has_no_place_in_a_space_is_said_with_its_line(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, f"param.set <- makeParamSet(\n{lines}\n)\n")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value) and "set.R" in str(raised.value)


NUMBERS = st.floats(-1e6, 1e6) | st.integers(-1000, 1000)
TEXTS = st.text(st.sampled_from("abc (),#'1="), max_size=6)
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
REMARKS = st.sampled_from(["", "\n", "  # a remark, makeLogicalParam('x')\n  ", "\r\n\t"])


@st.composite
def made(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A parameter as R has it, and as a space has it."""
    name, between = draw(NAMES), draw(REMARKS)
    kind = draw(st.sampled_from(["Numeric", "Integer", "Discrete", "Logical"]))
    if kind == "Logical":
        return f'makeLogicalParam({between}"{name}")', {"name": name, "type": "logical"}
    if kind == "Discrete":
        values = draw(st.lists(TEXTS, min_size=1, max_size=4) | st.lists(NUMBERS, min_size=1, max_size=4))
        written = ", ".join(json.dumps(value) if isinstance(value, str) else repr(value) for value in values)
        element_type = element_type_of(values)
        return (
            f'makeDiscreteParam("{name}",{between} values = c({written}))',
            {"name": name, "type": "categorical", "element_type": element_type, "values": values},
        )
    low, high = (
        sorted(draw(st.tuples(NUMBERS, NUMBERS)))
        if kind == "Numeric"
        else sorted(draw(st.tuples(st.integers(-99, 99), st.integers(-99, 99))))
    )
    mark = draw(st.sampled_from(["", "L"])) if kind == "Integer" else ""
    return (
        f"make{kind}Param('{name}', upper = {high}{mark}{between}, lower={low}{mark})",
        {"name": name, "type": "float" if kind == "Numeric" else "int", "lower": low, "upper": high},
    )


@given(st.lists(made(), min_size=1, max_size=4, unique_by=lambda each: each[1]["name"]), REMARKS)
def test_what_r_says_in_any_way_is_the_space_that_json_says(
    tmp_path_factory: pytest.TempPathFactory, parameters: list[tuple[str, dict[str, Any]]], between: str
) -> None:
    text = f"param.set <- makeParamSet({between}" + f",{between}".join(said for said, _ in parameters) + f"{between})\n"
    path = tmp_path_factory.getbasetemp() / "made.R"
    path.write_bytes(text.encode())
    expected = ParameterSpace.from_entries([entry for _, entry in parameters], str(path))
    assert ParameterSpace.read(path) == expected


@given(st.text())
def test_any_text_in_a_set_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "set.R").write_bytes(f"makeParamSet({text})".encode("utf-8", "surrogatepass"))
    try:
        ParameterSpace.read(folder / "set.R")
    except InputError as error:
        assert "\n" not in str(error).replace(text, "")


def test_a_set_in_the_place_of_a_upf_is_told_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "set.R").write_text(SET)
    with pytest.raises(InputError, match="it is a parameter space"):
        read_upf(tmp_path / "set.R")
