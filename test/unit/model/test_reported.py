"""What is read of a run's log and files: in any line, in any encoding, as a stream; and what is no number."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from comparator.model import reported
from comparator.model.description import ModelDescription
from comparator.model.log_lines import our_line
from comparator.model.model import Model
from comparator.model.reported import last_words, mentions, read_scores, reported_results, reports_in
from comparator.model.runners.cold import ColdRunner
from comparator.model.training import Outcome, Training
from comparator.site.profile import Slot

TRACED = b'Traceback (most recent call last):\n  File "train.py", line 2, in <module>\n    fit()\n'
GREEN, PLAIN = "\x1b[32m", "\x1b[0m"
NONE = "reports no number"
NOTHING = "train.sh ended well but reported no result (no line such as IMPROVE_RESULT val_loss: 0.0123)"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")


def outcome(folder: Path, log: str | bytes, files: dict[str, str | bytes] | None = None) -> Outcome:
    """What a run with this log and these files in its folder has reported; asked for val_loss."""
    folder.mkdir(exist_ok=True)
    for name, content in {"model.log": log, **(files or {})}.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return reported_results(Training({}, folder, folder / "model.log", "val_loss"), folder / "data")


def read(log: str | bytes, block: int = reported.BLOCK) -> list[tuple[str | None, float | None]]:
    """Names and numbers of a log's result lines; what is not finite as text, which equals itself."""
    found = reports_in(io.BytesIO(log if isinstance(log, bytes) else log.encode()), block)
    return [
        (each.name, each.number if each.number is None or math.isfinite(each.number) else str(each.number))  # type: ignore[misc]
        for each in found
    ]


# Spellings


@pytest.mark.parametrize(
    ("line", "name", "number"),
    [
        ("IMPROVE_RESULT 0.1", None, 0.1),
        ("IMPROVE_RESULT: 0.1", None, 0.1),
        ("IMPROVE_RESULT:\t0.1", None, 0.1),
        ("IMPROVE_RESULT=0.1", None, 0.1),
        ("IMPROVE_RESULT = -.1", None, -0.1),
        ("IMPROVE_RESULT 1.2e-05", None, 1.2e-05),
        ("IMPROVE_RESULT +3E2", None, 300.0),
        ("IMPROVE_RESULT val_loss:\t0.012345", "val_loss", 0.012345),
        ("IMPROVE_RESULT val_loss=0.1", "val_loss", 0.1),
        ("IMPROVE_RESULT val_loss 0.1", "val_loss", 0.1),
        ("IMPROVE_RESULT: val/loss.mean-1 : 0.1", "val/loss.mean-1", 0.1),
        ("IMPROVE_RESULT hits@10: 0.1", "hits@10", 0.1),
        ("CANDLE_RESULT val_r2: 0.85", "val_r2", 0.85),
        # Behind and between what others print.
        ("2026-11-25 12:00:00,123 INFO train: IMPROVE_RESULT val_loss: 0.5", "val_loss", 0.5),
        ("\rEpoch 3: 90%|###   | 3/3IMPROVE_RESULT val_loss: 0.5", "val_loss", 0.5),
        (f"{GREEN}IMPROVE_RESULT{PLAIN} val_loss: {GREEN}0.5{PLAIN}", "val_loss", 0.5),
        ("\x1b]0;training\x07\x1b(BIMPROVE_RESULT val_loss: 0.5\x1b[K", "val_loss", 0.5),
        (json.dumps({"msg": "IMPROVE_RESULT val_loss:\t0.5\n"}), "val_loss", 0.5),
        (json.dumps({"msg": json.dumps({"msg": "IMPROVE_RESULT val_loss:\t0.5"})}), "val_loss", 0.5),
        (json.dumps({"msg": f"{GREEN}IMPROVE_RESULT val_loss: {GREEN}0.5{PLAIN}"}), "val_loss", 0.5),
        ('{"IMPROVE_RESULT": 0.5}', None, 0.5),
        (repr(b"IMPROVE_RESULT val_loss: 0.5\r\n"), "val_loss", 0.5),
        ("IMPROVE_RESULT: '0.5'", None, 0.5),
        ("IMPROVE_RESULT val_loss: 0.5, after 3 epochs (0.7 before)", "val_loss", 0.5),
        ("This gives IMPROVE_RESULT 0.5.", None, 0.5),
        # As NumPy 2, PyTorch and TensorFlow print a number.
        ("IMPROVE_RESULT val_loss: np.float64(0.5)", "val_loss", 0.5),
        ("IMPROVE_RESULT val_loss: numpy.float32(1e-05)", "val_loss", 1e-05),
        ("IMPROVE_RESULT val_loss: np.longdouble('0.5')", "val_loss", 0.5),
        ("IMPROVE_RESULT training_rows: np.int64(361)", "training_rows", 361.0),
        ("IMPROVE_RESULT tensor(0.5000)", None, 0.5),
        ("IMPROVE_RESULT val_loss: tensor(0.5, device='cuda:0')", "val_loss", 0.5),
        ("IMPROVE_RESULT val_loss: tensor(0.5, device='cuda:0', grad_fn=<MeanBackward0>)", "val_loss", 0.5),
        ("IMPROVE_RESULT val_loss: tf.Tensor(0.5, shape=(), dtype=float32)", "val_loss", 0.5),
        # Not finite.
        ("IMPROVE_RESULT nan", None, "nan"),
        ("IMPROVE_RESULT val_loss: NaN", "val_loss", "nan"),
        ("IMPROVE_RESULT val_loss: -Infinity", "val_loss", "-inf"),
        ("IMPROVE_RESULT val_loss: 1e999", "val_loss", "inf"),
        ("IMPROVE_RESULT val_loss: tensor(nan, device='cuda:0')", "val_loss", "nan"),
    ],
)
def test_a_result_is_found_in_every_spelling(line: str, name: str | None, number: float | str) -> None:
    assert read(f"before\n{line}\nafter\n") == [(name, number)]


@pytest.mark.parametrize(
    "words",
    [
        *("0,5", "1,000.5", "0.5.3", "12abc", "0.5abc", "1.2e-05x", "1.2e", "1_000", "0.5%", "0.5€", "0.5-0.7", "0x1f"),
        *("2026-11-25", "12:30", "12: 0.5", "nano", "infinite", "None", "true", "n/a", "", "-", "[0.5, 0.7]", "(0.5)"),
        *("tensor([0.5, 0.7])", "tensor(0.5, 0.7)", "tensor(0.5", "max(0.5, 0.7)", "follows", "is written below"),
        *("best 0.5 of 3", "0.5" + "0" * reported.PIECE, "\n0.5", "\r0.5"),
    ],
)
def test_a_part_of_a_number_and_prose_are_no_number(words: str) -> None:
    assert read(f"IMPROVE_RESULT {words}\n") == [(None, None)]
    if ":" not in words:
        assert read(f"IMPROVE_RESULT val_loss: {words}\n") == [("val_loss", None)]


def test_names_that_only_begin_like_the_tag_are_others() -> None:
    assert read("IMPROVE_RESULTS 0.5\nIMPROVE_RESULT_FILE=5\nIMPROVE_RESULT0.5\nimprove_result 0.5\n") == []


def test_each_report_of_a_line_counts() -> None:
    line = "IMPROVE_RESULT val_loss: 0.5 CANDLE_RESULT val_r2: 0.4IMPROVE_RESULT: IMPROVE_RESULT: 3"
    assert read(line) == [("val_loss", 0.5), ("val_r2", 0.4), (None, None), (None, 3.0)]


# Streams and encodings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(TEXT, NUMBERS, st.sampled_from(["", "val_loss: ", "r2="]), TEXT, st.sampled_from(ENCODINGS), st.booleans())
@example("Ċ", 0.5, "", "Ĺ", "utf-16-le", True)
@example("x" * (2 * reported.PIECE), 0.5, "", "", "utf-8", False)
def test_any_words_around_a_number_and_any_encoding_leave_it(
    before: str, number: float, name: str, after: str, encoding: str, with_header: bool
) -> None:
    assume("_RESULT" not in before + after and "comparator:" not in before)
    header = our_line("train.sh 3 IMPROVE_RESULT 7") if with_header else b""
    line = f"{before}IMPROVE_RESULT {name}{number!r} {after}\n"
    expected = [(name[:-2] if name.endswith(" ") else name[:-1] or None, number)]
    assert read(header + line.encode(encoding)) == expected


WORDS = [
    "IMPROVE_RESULT",
    "CANDLE_RESULT",
    " ",
    "val_loss: ",
    "0.5",
    "\n",
    "\r",
    "comparator:",
    "é",
    GREEN,
    ",",
    "x" * 40,
]


@given(st.lists(st.sampled_from(WORDS), max_size=40), st.integers(1, 70), st.sampled_from(ENCODINGS))
def test_a_log_read_in_small_pieces_says_what_it_says_as_a_whole(words: list[str], block: int, encoding: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reported, "PIECE", 50)
        log = "".join(words).encode(encoding)
        assert read(log, block) == read(log)


def test_lines_of_ours_never_count(tmp_path: Path) -> None:
    ours = our_line("train.sh --note 'one\nIMPROVE_RESULT val_loss: 1\rIMPROVE_RESULT 2'")
    assert ours.count(b"\n") == 1
    assert read(ours + b"x" * 3000 + b"IMPROVE_RESULT 3\n" + b"comparator:" + b"y" * 3000 + b" IMPROVE_RESULT 4") == [
        (None, 3.0)
    ]
    assert our_line("caf\udce9") == b"comparator: caf\\udce9\n"


def test_a_log_of_one_long_line_is_read_in_little_memory(tmp_path: Path) -> None:
    """80 MB in a process that may have 40 MB more than it begins with."""
    log = tmp_path / "model.log"
    with log.open("wb") as file:
        file.write(b"IMPROVE_RESULT val_r2: 0.4 ")
        for _ in range(20):
            file.write(b"|# " * (1 << 20) + b"\b" * (1 << 20))
        file.write(b"IMPROVE_RESULT val_loss: 0.5")
    program = f"""
import resource, sys
from pathlib import Path
from comparator.model.reported import last_words, mentions, reported_results
from comparator.model.training import Training
has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (has + 40 * 2**20,) * 2)
folder = Path({str(tmp_path)!r})
print(reported_results(Training({{}}, folder, folder / "model.log", "val_loss"), folder).metrics)
print(len(last_words(folder / "model.log")), mentions(folder / "model.log", "no_such_name"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["{'val_r2': 0.4, 'val_loss': 0.5}", "28 False"], done.stderr


# What becomes of them


@pytest.mark.parametrize(
    ("log", "metrics"),
    [
        ("IMPROVE_RESULT val_loss: 0.1\nIMPROVE_RESULT val_loss: 0.2\n", {"val_loss": 0.2}),
        ("IMPROVE_RESULT val_loss: 0.1\nIMPROVE_RESULT 0.2\nIMPROVE_RESULT val_r2: 1", {"val_loss": 0.2, "val_r2": 1}),
        ("IMPROVE_RESULT nan\n", {"val_loss": None}),
        ("IMPROVE_RESULT 0.1\nIMPROVE_RESULT is written to result.txt\n", {"val_loss": 0.1}),
        ("IMPROVE_RESULT val_loss: n/a\nIMPROVE_RESULT val_loss: 0.2\n", {"val_loss": 0.2}),
        (
            "IMPROVE_RESULT 0.1\nIMPROVE_RESULT val_r2: 0.4\nIMPROVE_RESULT val_r2: n/a",
            {"val_loss": 0.1, "val_r2": None},
        ),
    ],
)
def test_the_last_report_of_each_metric_counts(tmp_path: Path, log: str, metrics: dict[str, float | None]) -> None:
    found = outcome(tmp_path, log)
    assert (found.status, found.metrics) == ("ok", metrics)


@pytest.mark.parametrize(
    ("log", "files", "reason"),
    [
        ("done\n", {}, NOTHING),
        ("IMPROVE_RESULT 0,5\n", {}, f"'IMPROVE_RESULT 0,5' {NONE}"),
        (f"INFO: IMPROVE_RESULT\tis {GREEN}late{PLAIN} {'x' * 99}", {}, f"'IMPROVE_RESULT is late {57 * 'x'}' {NONE}"),
        ("IMPROVE_RESULT val_loss: 0.5\nIMPROVE_RESULT val_loss: --\n", {}, f"'IMPROVE_RESULT val_loss: --' {NONE}"),
        ("IMPROVE_RESULT val_r2: 0.5\nIMPROVE_RESULT val_loss: --", {}, f"'IMPROVE_RESULT val_loss: --' {NONE}"),
        ("IMPROVE_RESULT val_r2: --\n", {}, f"'IMPROVE_RESULT val_r2: --' {NONE}"),
        ("IMPROVE_RESULT val_loss: --\n", {"result.txt": "0.5"}, f"'IMPROVE_RESULT val_loss: --' {NONE}"),
        ("done\n", {"result.txt": "0,5\n"}, "'0,5' in result.txt is no number"),
        ("done\n", {"val_scores.json": '{"mse": "0.5", "r2": 0.1}'}, 'mse = "0.5" in val_scores.json is no number'),
        ("done\n", {"val_scores.json": '{"r2": true}'}, NOTHING),
        ("done\n", {"val_scores.json": "[0.5]", "result.txt": "\n"}, NOTHING),
    ],
)  # fmt: skip
def test_what_is_no_number_is_quoted(tmp_path: Path, log: str, files: dict[str, str | bytes], reason: str) -> None:
    found = outcome(tmp_path, log, files)
    assert (found.status, found.reason) == ("failed", reason)


def test_files_add_what_no_line_gave(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"result.txt": "0.9\n", "val_scores.json": '{"mse": 0.5, "pcc": 0.7}'}
    assert outcome(tmp_path, "IMPROVE_RESULT val_loss: 0.1\n", files).metrics == {"val_loss": 0.1, "val_corr": 0.7}
    assert outcome(tmp_path, "IMPROVE_RESULT is in result.txt\n", files).metrics == {"val_loss": 0.9, "val_corr": 0.7}
    files["result.txt"] = "n/a"
    assert outcome(tmp_path, "", files).metrics == {"val_loss": 0.5, "val_corr": 0.7}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_files_may_have_any_encoding(tmp_path: Path, encoding: str) -> None:
    scores = '{"r2": 0.25, "titel": "Größe ∢"}'
    files: dict[str, str | bytes] = {"result.txt": "0.5\n".encode(encoding), "val_scores.json": scores.encode(encoding)}
    assert outcome(tmp_path, "", files).metrics == {"val_loss": 0.5, "val_r2": 0.25}


def test_what_is_no_number_among_the_scores_is_left_out_with_a_word(tmp_path: Path) -> None:
    scores = b"""{"mse": 1, "r2": NaN, "rmse": 1e999, "big": 1%s, "done": true, "study": "K\xf6ln", "none": null,
    "folds": [0.1, 0.2], "nested": {"mse": 3}}""" % (b"0" * 5000)
    found = outcome(tmp_path, "trained\x00".encode("utf-16") + b" no line end", {"val_scores.json": scores})
    assert found == Outcome("ok", {"val_loss": 1.0, "val_r2": None, "val_rmse": None, "big": None})
    last = (tmp_path / "model.log").read_bytes().splitlines()[-1]
    assert last == b"comparator: left out of val_scores.json, no numbers: done, study, none, folds, nested"
    assert read_scores(tmp_path / "val_scores.json") is not None and read_scores(tmp_path / "none.json") is None


def test_scores_that_are_no_json_are_none(tmp_path: Path) -> None:
    for content in ("", "{", "[1]", "0.5", "[" * 100_000, '{"mse": 1} and more'):
        (tmp_path / "val_scores.json").write_text(content)
        assert read_scores(tmp_path / "val_scores.json") is None


# Last words


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (b"", ""),
        (b"comparator: train.sh\n", ""),
        (b"trained\nValueError: no such data\n\n", "ValueError: no such data"),
        (b"ValueError: no data\r   \r", "ValueError: no data"),
        (b"\r 90%|###  |\rValueError: no data", "ValueError: no data"),
        (b"\x1b[31mError:\x1b[0m no\tdata\x07\x1b[K\n", "Error: no data"),
        (our_line("train.sh") + "Fehler: größer\r\n".encode("utf-16"), None),
        (b"first\n" + b"x" * 1_000_000 + b"\nthe end\n" + b" " * 5000, "the end"),
        (b"Error " + b"x" * 1000, "Error " + "x" * 294),
        (TRACED + b"AttributeError: no 'int'\nIt was.\n    https://example.org\n", "AttributeError: no 'int'"),
        (TRACED + b"RuntimeError: of keys:\n\tsize mismatch\n\tmore", "RuntimeError: of keys: size mismatch"),
        (TRACED + b"KeyError: 'a'\n" + b"a row was left out\n" * 30 + b"no rows are left\n", "no rows are left"),
        (TRACED + b"KeyError: 'a'\n\n" + TRACED + b"KeyError\n", "KeyError"),
        (TRACED + b"comparator: ended\n", ""),
        (
            b"usage: it\nit: error: bad --lr:\n  no number\n    given: 'x'\n",
            "it: error: bad --lr: no number given: 'x'",
        ),
        (b"it: error: bad --lr\n", "it: error: bad --lr"),
        (
            "Usage: it\n╭─ Error ───╮\n│ bad --lr: │\n│ ───────── │\n│ no number │\n╰───────────╯\n".encode(),
            "bad --lr: no number",
        ),
        ("╭─ Error ───╮\n│ odd       │\n╰───────────╯\nended\n".encode(), "ended"),
        ("no box\n╰───────────╯\n".encode(), "╰───────────╯"),
    ],
)
def test_the_last_words_of_a_log(tmp_path: Path, log: bytes, words: str | None) -> None:
    path = tmp_path / "model.log"
    path.write_bytes(log)
    assert last_words(path) == (
        "Fehler: gr\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}er" if words is None else words
    )


def test_a_log_that_is_gone_has_no_last_words(tmp_path: Path) -> None:
    assert last_words(tmp_path / "model.log") == ""


def test_a_name_is_mentioned_outside_of_quotes_and_lines_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "model.log"
    for said, is_said in (
        ('comparator: --odd 1\n{"odd": 1}\n', False),
        ("warning: odd is unknown\n", True),
        ("{'odd': 1}\r{\"odd\": 1}", True),
    ):
        path.write_text(said)
        assert mentions(path, "odd") is is_said


# Runs


def run(tmp_path: Path, script: str) -> Outcome:
    model = tmp_path / "model"
    model.mkdir()
    (model / "train.sh").write_text("#!/bin/bash\n" + script)
    (model / "train.sh").chmod(0o755)
    folder = tmp_path / "run"
    folder.mkdir()
    training = Training({"note": "a\nIMPROVE_RESULT val_loss: 7"}, folder, folder / "model.log", "val_loss", 30.0)
    return ColdRunner(Model("shell", model, ModelDescription()), Slot(0), tmp_path / "data").run(training)


@pytest.mark.parametrize(
    "script",
    [
        # A bar on standard error, redrawn with carriage returns and closed without a newline; then the result.
        "for i in 1 2 3; do printf '\\rEpoch %d: %d0%%|###   | %d/3' $i $((i*3)) $i >&2; done\n"
        'echo "IMPROVE_RESULT val_loss: 0.5"',
        # Through a logger, as in many scripts.
        'echo "2026-11-25 12:00:00,123 INFO train: IMPROVE_RESULT val_loss: 0.5"',
        'echo "IMPROVE_RESULT val_loss: 0.5" | iconv -t UTF-16',
        "rm -f model.log; echo 0.5 > result.txt",
    ],
    ids=["a progress bar", "a logger", "UTF-16", "an emptied folder"],
)
def test_a_finished_training_is_not_thrown_away(tmp_path: Path, script: str) -> None:
    found = run(tmp_path, script)
    assert (found.status, found.metrics) == ("ok", {"val_loss": 0.5})


def test_a_hyperparameter_is_no_result(tmp_path: Path) -> None:
    assert "reported no result" in (run(tmp_path, "true").reason or "")
