"""Which line of a description has what a training missed at the path where it looked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparator.checks.model.trainings import MISSING, _where_it_is
from comparator.model.references import find_model


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("tables/drugs.csv", "links = ['tables']"),
        ("helpers.R", "start_in = 'code', and links = ['code/helpers.R'],"),
        ("results/log.txt", "folders = ['results']"),
        ("results/", "folders = ['results']"),
        ("nowhere.csv", ""),
        ("/elsewhere/drugs.csv", ""),
        ("../beside.csv", ""),
    ],
)
def test_the_key_that_has_it_there_is_named(tmp_path: Path, path: str, key: str) -> None:
    for name in ("code/train.R", "code/helpers.R", "tables/drugs.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "model.toml").write_text('command = ["Rscript", "code/train.R"]\n')
    model = find_model(str(tmp_path), tmp_path, tmp_path, "test")
    assert _where_it_is(model, path) == key
    assert _where_it_is(model, path, is_read=True) == ("" if "folders" in key else key)


@pytest.mark.parametrize(
    "said",
    [
        "FileNotFoundError: [Errno 2] No such file or directory: 'a b/c.csv'",
        "Error in file(file) : cannot open the connection cannot open file 'a b/c.csv': No such file or directory",
        "FileNotFoundError: a b/c.csv not found.",
        "cannot open compressed file 'a b/c.csv', probable reason 'No such file or directory'",
    ],
)
def test_the_path_that_was_missed_is_read_in_what_python_and_r_say(said: str) -> None:
    found = MISSING.search(said)
    assert found is not None and "a b/c.csv" in found.groups()
