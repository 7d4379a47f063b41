"""Parameter sets of mlrMBO, in R, as CANDLE's users have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.formats.upf import read_upf
from comparator.space import Choice, Constant, Number, Ordered, ParameterSpace

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
        ("", "a parameter space is a list of objects"),
    ],
)
def test_what_has_no_place_in_a_space_is_said_with_its_line(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, f"param.set <- makeParamSet(\n{lines}\n)\n")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value) and "set.R" in str(raised.value)


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
