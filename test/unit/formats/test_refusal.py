"""Every check of a form that a person fills in refuses in the project's words, whatever is written there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from comparator.api.arguments import Arguments, check_arguments
from comparator.errors import InputError
from comparator.experiment.experiment_file import check_settings, read_settings
from comparator.experiment.settings import (
    ComparisonSettings,
    ConfirmationSettings,
    ExperimentSettings,
    SearchSettings,
    SubmodelSettings,
)
from comparator.formats.refusal import refusal
from comparator.model.description import ModelDescription, parse_description
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.strategies import STRATEGIES, find_strategy
from comparator.strategies.options import read_options
from comparator.studies import STUDIES, study_called

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 3), st.floats(-2, 2), st.just(10**30), st.just(float("nan")),
        st.sampled_from(["", "x", "1", "best", "regins", "off", "none", "a/b.txt", "cmp"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "seed", "1"]), inner, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip
FORMS: dict[str, type[BaseModel]] = {
    each.__name__: each
    for each in (
        ExperimentSettings, SearchSettings, ComparisonSettings, ConfirmationSettings, SubmodelSettings,
        ModelDescription, Arguments, Evaluation, FrozenExperiment,
        *(study_called(name).table for name in STUDIES),
    )
}  # fmt: skip
#: What pydantic says, and what is said of a finding that has no words of its own.
FOREIGN = (
    "nput should",
    "unable to parse",
    "valid ",
    "Value error",
    "is not allowed (",
    "instance of",
    "pydantic",
    "[type=",
)


def check_words(line: str) -> None:
    assert not [words for words in FOREIGN if words in line], line
    assert "\n" not in line


@settings(max_examples=400)
@given(st.sampled_from(sorted(FORMS)), st.data())
def test_no_form_refuses_in_words_of_another_project(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    keys = sorted(each.alias or key for key, each in form.model_fields.items())
    content = data.draw(st.dictionaries(st.sampled_from(keys), VALUES, min_size=1, max_size=3))
    try:
        form.model_validate(content)
    except ValidationError as error:
        line = refusal(error, "a.toml", keys)
        check_words(line)
        assert line.startswith("a.toml: ")
        for tag in (".int'", ".str'", ".float'", ".constrained"):
            assert tag not in line


@given(st.sampled_from(sorted(Arguments.model_fields)), VALUES)
def test_no_call_refuses_its_arguments_in_them(name: str, value: Any) -> None:
    try:
        check_arguments("search()", **{name: value})
    except InputError as error:
        check_words(str(error))
        assert str(error).startswith(f"search(): {name} = ")


@given(st.sampled_from(sorted(STRATEGIES)), st.data())
def test_no_strategy_refuses_its_options_in_them(name: str, data: st.DataObject) -> None:
    options = find_strategy(name).Options
    if not options.model_fields:
        return
    given_options = data.draw(st.dictionaries(st.sampled_from(sorted(options.model_fields)), VALUES, min_size=1))
    try:
        read_options(options, given_options, "[search]")
    except InputError as error:
        check_words(str(error))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"search": {"evaluations": "ten"}}, "'search.evaluations' = 'ten': must be a whole number"),
        ({"search": {"evaluations": 1.5}}, "'search.evaluations' = 1.5: must be a whole number"),
        ({"search": {"smallest": 0}}, "'search.smallest' = 0: must be above 0"),
        ({"search": {"find": "regins"}}, "(did you mean 'regions'?)"),
        ({"search": 5}, "'search' = 5: must be a table of keys and values"),
        ({"run_timeout": "soon"}, "'run_timeout' = 'soon': must be a number"),
        ({"title": 5}, "'title' = 5: must be text"),
        ({"cmp": {"metric": ""}}, "'cmp.metric' = '': must not be empty"),
        ({"model": "m", "python": ""}, "'python' = '': must not be empty"),
        ({"cmp": {"0": {"environment": {"path": 3}}}}, "'cmp.0.environment.path' = 3: must be text"),
        ({"confirm": {"splits": "perhaps"}}, "'confirm.splits' = 'perhaps': must be true or false"),
    ],
)
def test_what_is_allowed_is_said_in_words(content: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        check_settings(content, "a.toml")
    assert said in str(refused.value) and str(refused.value).startswith("a.toml: ")


def test_true_and_false_are_typed_as_a_file_has_them(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('model = "x.py"\nupf = "points.txt"\n[confirm]\nsplits = true\n')
    typed = ["confirm.splits=false", "confirm.regions=true", "hyperparameters.amp=true", "hyperparameters.bias=True"]
    settings = read_settings(file, typed)
    assert (settings.confirm.splits, settings.confirm.regions) == (False, True)
    assert settings.set == {"amp": True, "bias": True}, "a hyperparameter is what a hyperparameter file would have"


def test_a_description_and_a_record_are_refused_likewise() -> None:
    with pytest.raises(
        InputError, match=r"^m: 'metrics.val_loss.kind' = 'eror': must be .*\(did you mean 'error'\?\)$"
    ):
        parse_description('[metrics.val_loss]\nkind = "eror"\n', "m")
    with pytest.raises(InputError, match=r"^r: line 1: status: must be 'ok', 'failed' or 'timeout'; the file was"):
        of_form(Evaluation, {"evaluation": 1, "point": {}, "status": "?", "value": 1, "runs": []}, "r: line 1")
