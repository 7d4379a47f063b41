"""What the command line sets of an experiment file."""

from pathlib import Path

from comparator.experiment.experiment_file import read_settings

FILE = 'model = "cmp"\nspace = "s.json"\n[search]\nevaluations = 8\n[confirm]\nseeds = 4\n[cmp]\nmodels = ["a", "b"]\n'


def test_what_is_true_or_false_may_be_typed_as_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(FILE)
    set_ = ["search.pilot=true", "confirm.regions=false", "confirm.splits=True", "hyperparameters.kind=true"]
    read = read_settings(file, set_)
    assert read.search is not None and read.search.pilot is True
    assert read.confirm is not None and (read.confirm.regions, read.confirm.splits) == (False, True)
    assert read.set == {"kind": True}, "a hyperparameter is read as a file of hyperparameters has it"
