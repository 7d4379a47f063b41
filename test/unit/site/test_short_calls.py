"""Short calls of a machine's programs: what becomes of one that fails, hangs or is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comparator.errors import ComparatorError, InputError
from comparator.results import provenance
from comparator.site.profile import read_site
from comparator.site.programs import try_command
from comparator.site.schedulers import Slurm


def test_what_a_program_says(tmp_path: Path) -> None:
    done = try_command(["sh", "-c", "pwd; echo $WORD >&2; cat; exit 3"], {**os.environ, "WORD": "so"}, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{tmp_path}\n", "so\n")


def test_bytes_that_are_no_text_are_kept_where_they_are_asked_for() -> None:
    says = ["printf", "\\377"]
    assert try_command(says).stdout == "\ufffd"
    assert os.fsencode(try_command(says, exactly=True).stdout) == b"\xff"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/nowhere/program"], "program: No such file or directory"),
        (["/etc/passwd"], "passwd: Permission denied"),
        (["sleep", "60"], "sleep: no answer in 0.05 seconds"),
    ],
)
def test_one_that_cannot_be_called_or_hangs_has_failed(command: list[str], words: str) -> None:
    done = try_command(command, seconds=0.05)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", words)


@pytest.fixture
def without_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.mark.usefixtures("without_programs")
def test_a_machine_without_a_program_is_told_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "here.sh").write_text("SITE_ENGINES=local\n")
    with pytest.raises(InputError, match=r"here\.sh: cannot be run by bash: bash: No such file or directory$"):
        read_site("here", tmp_path)
    assert Slurm().state_of("12") is None
    with pytest.raises(ComparatorError, match=r"^scancel 12: scancel: No such file or directory$"):
        Slurm().cancel_job("12")
    assert provenance._revision() is None and "device 7 beside" in provenance._accelerator("7")
