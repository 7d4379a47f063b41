"""What `comparator model check` finds of what a model reads, and whether its identity holds it."""

from __future__ import annotations

import shutil

import pytest
from checked_models import TELLING, assert_found, findings, python_model, shell_model

from comparator.formats.finding import FAILS, HOLDS, UNTESTED
from comparator.model.trace import can_trace

needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not on the PATH, or may not trace here")


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ("return float(open('{numbers}').read())", HOLDS, "the model's files and the data folder, with {numbers}"),
        ("return float(open(os.environ['CANDLE_DATA_DIR'] + '/seen.txt').read())", HOLDS, "and the data folder"),
        (
            "import subprocess; return float(subprocess.check_output(['cat', '{numbers}']))",
            UNTESTED,
            "cat cannot be seen",
        ),
    ],
)
def test_what_a_module_reads_is_told(tmp_path, tiny, body, outcome, words) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("0.5")
    (tiny / "seen.txt").write_text("0.25")
    model = python_model(tmp_path, body.format(numbers=numbers))
    assert_found(model, tmp_path, "what run(params) reads", outcome, words.format(numbers=numbers), data_folder=tiny)


@needs_strace
def test_files_that_a_module_opens_past_python_are_found_and_named_they_count(tmp_path, tiny) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("0.5")
    body = f"import ctypes; ctypes.CDLL(None).fopen(b'{numbers}', b'r'); return 0.5"
    model = python_model(tmp_path, body)
    what = "what run(params) reads"
    words = f"opens past Python are not noticed: {numbers}; name them in code = [...] in {model.with_suffix('.toml')}"
    assert_found(model, tmp_path, what, FAILS, words, data_folder=tiny)
    model.with_suffix(".toml").write_text(f'code = ["{numbers}"]\n')
    shutil.rmtree(tmp_path / "bench")
    assert_found(model, tmp_path, what, HOLDS, "part of a run's identity", data_folder=tiny)


@needs_strace
def test_of_many_files_that_a_script_reads_the_folders_are_proposed(tmp_path, tiny) -> None:
    tables = tmp_path / "tables"
    for number in range(20):
        (tables / str(number % 4)).mkdir(parents=True, exist_ok=True)
        (tables / str(number % 4) / f"{number}.txt").write_text("0.1")
    files = " ".join(str(tables / str(number % 4) / f"{number}.txt") for number in range(20))
    model = shell_model(tmp_path, f"cat {files}\necho 'IMPROVE_RESULT val_loss: 0.1'\n", TELLING)
    words = findings(model, tmp_path, data_folder=tiny)["what train.sh reads"].words
    assert sorted(words.rpartition("code = ")[2].strip("[]").split(", ")) == [f'"{tables / name}"' for name in "0123"]


@pytest.mark.long
@needs_strace
def test_a_script_says_what_it_reads_by_the_lines_that_are_proposed(tmp_path, tiny) -> None:
    numbers, tool, what = tmp_path / "numbers.txt", tmp_path / "tool.sh", "what train.sh reads"
    numbers.write_text("0.5")
    tool.write_text(f'#!/bin/sh\necho "IMPROVE_RESULT val_loss: $(cat {numbers} "$1")"\n')
    tool.chmod(0o755)
    (tiny / "more").mkdir(exist_ok=True)
    (tiny / "more" / "digits.txt").write_text("25")
    model = shell_model(tmp_path, f'{tool} "$CANDLE_DATA_DIR/more/digits.txt"\n', TELLING)
    trial = findings(model, tmp_path, data_folder=tiny)[what]
    assert trial.outcome == UNTESTED
    lines = trial.words.rpartition(" it takes ")[2].removeprefix("the line ").split(" and the line ")
    assert lines == ['reads = ["more"]', f'code = ["{tool}", "{numbers}"]']

    for kept, outcome, words in (
        (lines[:1], FAILS, f"old numbers can pass for new ones: {tool}, {numbers}; name it there in code = [...]"),
        (lines, HOLDS, "nothing that is not part of a run's identity"),
    ):
        (model / "model.toml").write_text("\n".join(kept) + TELLING)
        shutil.rmtree(tmp_path / "bench")
        assert_found(model, tmp_path, what, outcome, words, data_folder=tiny)
