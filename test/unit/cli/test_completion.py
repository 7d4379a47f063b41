"""What a shell offers when Tab is typed, asked by the shells' own protocol."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from desk import Desk

COMPLETE = [sys.executable, "-c", "import sys; sys.argv[0] = 'comparator'; from comparator.cli import main; main()"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    assert desk.search("quick.toml", "--id", "first").returncode == 0
    return desk


def offered(desk: Desk, *words: str) -> list[str]:
    """What bash is offered for the last of the words."""
    environment = {
        **desk.environment,
        "_COMPARATOR_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["comparator", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(COMPLETE, env=environment, cwd=desk.folder, capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "known"),
    [
        (["sea"], "search"),
        (["watch", ""], "first"),
        (["search", "--resume", "fi"], "first"),
        (["search", "--site", "lo"], "local"),
        (["site", "show", "lo"], "local"),
        (["search", "--engine", "swift"], "swift-t"),
        (["search", "--set", "search.eval"], "search.evaluations="),
        (["predict", "first", "--at", ""], "noise="),
        (["model", "check", "containers/u"], "containers/uno"),
    ],
)
def test_what_is_known_is_offered(desk: Desk, words: list[str], known: str) -> None:
    assert known in offered(desk, *words)


@pytest.mark.long
def test_metrics_are_those_of_the_experiment_on_the_line(desk: Desk) -> None:
    frozen = (desk.experiments / "first" / "experiment.json").read_text()
    described = frozen.replace(
        '"metrics": {}', '"metrics": {"val_loss": {"kind": "error"}, "val_r2": {"kind": "score"}}'
    )
    (desk.experiments / "first" / "experiment.json").write_text(described)
    assert offered(desk, "report", "first", "--metric", "val_") == ["val_loss", "val_r2"]
    assert offered(desk, "report", "first", "--experiments", str(desk.experiments), "--metric", "val_r") == ["val_r2"]


@pytest.mark.long
def test_where_there_is_nothing_nothing_is_offered_and_nothing_said(desk: Desk, tmp_path: Path) -> None:
    empty = Desk(tmp_path)
    assert offered(empty, "watch", "") == []
    assert offered(empty, "report", "none", "--metric", "") == []


def test_the_script_for_a_shell_is_shown() -> None:
    shown = subprocess.run(
        [*COMPLETE, "--show-completion", "bash"],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_comparator_completion" in shown.stdout
