"""Where the project is, and which of two sites of one name counts."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.site import folders
from comparator.site.folders import (
    command_line,
    experiments_to_read,
    no_such_folder,
    project_root,
    shipped_folder,
    typed_here,
)
from comparator.site.profile import read_site, site_files


def test_the_project_is_what_the_environment_names_else_the_checkout_else_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPARATOR_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"COMPARATOR_ROOT=.*nowhere: no such folder"):
        project_root()
    monkeypatch.setenv("COMPARATOR_ROOT", str(tmp_path))
    assert project_root() == tmp_path
    monkeypatch.delenv("COMPARATOR_ROOT")
    assert project_root() == Path(__file__).resolve().parents[3]
    monkeypatch.setattr(folders, "SHIPPED", tmp_path)  # as in a wheel
    monkeypatch.chdir(tmp_path)
    assert project_root() == tmp_path


def test_a_site_of_the_project_takes_the_place_of_one_that_the_package_brings(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "local.sh").write_text("SITE_CORES=7\n")
    assert read_site("local", tmp_path).cores == 7
    assert site_files(tmp_path)["slurm"].parent == shipped_folder("sites")
    with pytest.raises(InputError, match=r"no site 'slrm' \(did you mean 'slurm'\?\)"):
        read_site("slrm", tmp_path)


def test_a_command_is_written_as_it_can_be_typed_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "checkout" / "bin" / "comparator"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("sys.argv", [str(program), "list"])
    monkeypatch.setenv("COMPARATOR_EXPERIMENTS", str(tmp_path))
    monkeypatch.setenv("PATH", str(elsewhere))
    for folder, written in ((tmp_path / "checkout", "bin/comparator"), (elsewhere, str(program))):
        monkeypatch.chdir(folder)
        assert command_line(tmp_path, tmp_path, "report", "one") == f"{written} report one"
        assert typed_here("comparator export comparator") == f"{written} export comparator"
    other = elsewhere / "comparator"
    other.touch(mode=0o755)
    assert typed_here("comparator list") == f"{program} list"
    monkeypatch.setenv("PATH", str(program.parent))
    assert typed_here("comparator list") == "comparator list"


def test_a_command_names_its_file_as_it_can_be_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine" / "own.toml"
    file.parent.mkdir()
    file.touch()
    command = "comparator search own.toml --set 'search.seed=1'"
    for folder, named in ((file.parent, "own.toml"), (tmp_path, str(file))):
        monkeypatch.chdir(folder)
        words = shlex.split(typed_here(command, str(file)))
        assert words[1:] == ["search", named, "--set", "search.seed=1"]
    file.unlink()
    assert shlex.split(typed_here(command, str(file)))[2] == "own.toml"


def test_a_folder_of_experiments_that_is_named_is_there_where_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMPARATOR_EXPERIMENTS", raising=False)
    assert experiments_to_read(None, tmp_path) == tmp_path / "experiments"  # the project's own: nothing was tried yet
    (tmp_path / "shared").mkdir()
    with pytest.raises(InputError, match=r"--experiments .*/shard: no such folder \(did you mean 'shared'\?\)"):
        experiments_to_read(tmp_path / "shard", tmp_path)
    monkeypatch.setenv("COMPARATOR_EXPERIMENTS", str(tmp_path / "new"))
    with pytest.raises(InputError, match=r"COMPARATOR_EXPERIMENTS=.*/new: no such folder; a search makes it"):
        experiments_to_read(None, tmp_path)
    assert experiments_to_read(tmp_path / "shared", tmp_path) == tmp_path / "shared"


def test_no_name_is_near_the_projects_own_folder_which_may_be_made_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPARATOR_ROOT", str(tmp_path))
    (tmp_path / "experiment").mkdir()
    assert no_such_folder(tmp_path / "experiments") == "no such folder; a search makes it"
    assert no_such_folder(tmp_path / "experimens") == "no such folder (did you mean 'experiment'?)"
