"""A file that was given where another kind is expected is told for what it is."""

import json
from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.experiment.experiment_file import read_settings
from comparator.formats.upf import read_upf
from comparator.space import ParameterSpace

SPACE = json.dumps([{"name": "noise", "type": "float", "lower": 0, "upper": 50}], indent=1)
UPF = '# points\n{"id": "one", "noise": 3}\n{"id": "two", "noise": 5}\n'
EXPERIMENT = 'space = "space.json"\n[search]\nevaluations = 8\n'
HYPERPARAMETERS = "[Global_Params]\nepochs = 3\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"noise": 3}\n{"noise": 5}\n',
            "it is an unrolled parameter file: an experiment file names it by upf = 'given'",
        ),
        (UPF, "it is an unrolled parameter file: an experiment file names it by upf = 'given'"),
        (EXPERIMENT, "it is an experiment file, which is carried out by: comparator search"),
        (HYPERPARAMETERS, "it is a file of hyperparameters: an experiment file names it by hyperparameters = 'given'"),
        (
            "#!/bin/bash\nexport PROCS=${PROCS:-4}\n",
            "it is a settings file of CANDLE's workflows: what it sets stands in",
        ),
    ],
)
def test_in_the_place_of_a_space(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "given"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        ParameterSpace.read(path)
    assert words in str(raised.value)


def test_a_space_in_the_place_of_a_upf_and_of_an_experiment_file(tmp_path: Path) -> None:
    path = tmp_path / "given.toml"
    path.write_text(SPACE)
    with pytest.raises(InputError, match=r"it is a parameter space: .*space = 'given.toml'"):
        read_upf(path)
    with pytest.raises(InputError, match="comparator unroll --space"):
        read_settings(path, [])


def test_what_is_of_the_right_kind_but_wrong_is_not_called_another(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_text('{"id": "one"}\n{"id": "one"}\n')
    with pytest.raises(InputError) as raised:
        read_upf(path)
    assert "it is" not in str(raised.value)
    path.write_text("{")
    with pytest.raises(InputError) as raised:
        ParameterSpace.read(path)
    assert "it is" not in str(raised.value)
