"""What the command line sets of an experiment file."""

from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.experiment.experiment_file import read_settings
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
