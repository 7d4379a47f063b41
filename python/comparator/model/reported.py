"""What a process of a model's own reported: result lines of its log, files of scores, predictions; its last words.

A result line has `IMPROVE_RESULT` or `CANDLE_RESULT`, then `:` or `=` or a blank, then perhaps the metric's name with
`:` or `=`, then a number:

    IMPROVE_RESULT val_loss: 0.0123        2026-11-25 12:00:00,123 INFO train: IMPROVE_RESULT val_loss: 0.0123
    CANDLE_RESULT = 1.2e-05                {"level": "info", "msg": "IMPROVE_RESULT val_loss:\\t0.0123"}
    IMPROVE_RESULT: np.float64(0.5)        Epoch 3: 90%|###   | 9/10IMPROVE_RESULT tensor(0.5, device='cuda:0')

It may stand anywhere in a line, behind a logger's prefix or a progress bar that was closed without a newline, with
words behind it; a carriage return ends a line as a newline does. The workflow manager that the convention comes from
reads it so too: ECP-CANDLE's Supervisor (workflows/common/sh/model.sh) takes what follows `IMPROVE_RESULT` in the last
line of `model.log` that has it, wherever in the line that is. It then keeps every run of digits in it, so that
`1.2e-05` gives it two numbers and `r2: 0.85` too; here a number counts whole or not at all: `0,5`, `0.5.3` and `12abc`
are none.
"""

from __future__ import annotations

import glob
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from comparator.model.described import MetricDescription
from comparator.model.described_results import described_results
from comparator.model.log_lines import BLOCK, FINITE, OURS, PIECE, QUOTE, our_line, pieces, plain
from comparator.model.training import Outcome, Training
from comparator.tables.predictions import FILE, read_predictions

#: `val_scores.json` of the IMPROVE interface, in CANDLE's names.
IMPROVE_SCORES = {
    "mse": "val_loss",
    "rmse": "val_rmse",
    "mae": "val_mae",
    "r2": "val_r2",
    "pcc": "val_corr",
    "scc": "val_spearman",
}
#: The same of the rows of the test, which an inference writes.
TEST_SCORES = {name: metric.replace("val_", "test_", 1) for name, metric in IMPROVE_SCORES.items()}
RESULT_FILE, SCORES_FILE, TEST_SCORES_FILE = "result.txt", "val_scores.json", "test_scores.json"

TAIL = 1 << 16  # bytes at the end of a log in which its last words are looked for
QUOTED = 80  # characters of a line that are quoted
LAST_WORDS = 300  # characters
#: What is at the ends of a line and is none of its words.
BEYOND = " \N{REPLACEMENT CHARACTER}"
TRACEBACK = re.compile(r"(Original )?Traceback \(most recent call last\):")
EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(:|$)")
#: What a box is drawn with.
DRAWN = BEYOND + "│─"
REFUSAL = re.compile(r"(\S+: )?error: ")
LONGEST_MESSAGE = 20  # lines of an exception's message: behind a traceback that is further up, other things were said

TAG_END = "_RESULT"
TAG = re.compile(rf"(?:IMPROVE|CANDLE){TAG_END}(?!\w)")
ESCAPED_TABS = re.compile(r"(?: |\\+t)+")
#: A name without `:` or `=`, which Supervisor's comments call a label, counts where the number is the line's last word.
BEFORE_NUMBER = re.compile(
    rf"(?:{QUOTE} ?[:=] ?| )(?:{QUOTE}(?P<name>[^\W\d][\w./@%+-]*)(?:(?P<mark>{QUOTE} ?[:=] ?)| (?=[^ ]+ ?$)))?"
)
#: A whole number of something, in words.
COUNTED = re.compile(r"[+-]?[0-9]+ +[^\W\d]")
#: A number by itself, or as NumPy 2 (`np.float64(0.5)`) and PyTorch (`tensor(0.5, device='cuda:0')`) print it.
NUMBER = re.compile(
    rf"""
    {QUOTE}
    (?P<wrapped> (?:\w+\.)* (?:(?:b?float|u?int)\d*|longdouble|tensor|array) \( ["']? )?
    (?P<number> {FINITE} | [+-]?(?:nan|inf(?:inity)?) )
    (?(wrapped) ["']? (?:,\ ?\w+=(?:[^()]|\(\))*)? \) )
    (?= [.,;!?]* (?: [\ "'`)\]}}>|<\\] | $ ) )
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Report:
    """A result line; `name` is None where it names no metric, `number` where it has none; `line` is it, to quote."""

    name: str | None
    number: float | None
    line: str


def reported_results(
    training: Training,
    data_folder: Path,
    described: Mapping[str, MetricDescription] | None = None,
    *,
    who: str = "train.sh",
    is_tested: bool = False,
) -> Outcome:
    """What a script, called `who`, reported that has finished: result lines of the log, what its description says of
    where it reports (`described_results`), then `result.txt`, then files of scores.

    A line with a name gives that metric, one without the metric that was asked for; of several the last counts. One
    without name and number is prose. The files only add metrics that no line gave: `val_scores.json`, where that has no
    number what `val_y_data_predicted.csv` tells, and `test_scores.json` of a run that `is_tested`. They are looked for
    in the run's folder, then where CANDLE's library writes: `DATA/MODEL/Output/EXPERIMENT_ID/RUN_ID`. Failed where the
    metric that was asked for is no number, or nothing is one; what else is none is None, or left out with a word in the
    log.
    """
    results = _Results(training.metric, who)
    # A model may have emptied the folder that it was given.
    has_log = training.log.is_file()
    if has_log:
        with training.log.open("rb") as log:
            for report in reports_in(log):
                results.add_line(report)
    results.add_described(described_results(training.log, training.folder, described or {}))
    results.add_result_file(_output(training, data_folder, RESULT_FILE))
    scores = _output(training, data_folder, SCORES_FILE)
    left_out = results.add_scores(scores, IMPROVE_SCORES)
    if lacks_scores(scores) is not None:
        predictions = read_predictions(_output(training, data_folder, FILE))
        results.add_numbers({} if predictions is None else predictions.scores, IMPROVE_SCORES)
    if is_tested:
        results.add_scores(_output(training, data_folder, TEST_SCORES_FILE), TEST_SCORES)
    if left_out and has_log:
        _append(training.log, our_line(f"left out of {SCORES_FILE}, no numbers: {plain(', '.join(left_out))}"))
    return results.outcome()


class _Results:
    """What was reported so far, the most telling place first."""

    def __init__(self, asked: str, who: str) -> None:
        self._asked, self._who = asked, who
        self._metrics: dict[str, float | None] = {}
        self._faults: dict[str | None, str] = {}  # by metric: what was reported and is no number; prose by None
        self._is_unnamed = False  # the number of the metric that was asked for

    def add_line(self, report: Report) -> None:
        name = report.name if report.number is None else report.name or self._asked
        self._faults.pop(name, None)
        if report.number is None:
            self._faults[name] = f"'{report.line}' reports no number"
        if name is not None:
            self._metrics[name] = _finite(report.number)
        if name == self._asked:
            self._is_unnamed = report.name is None

    def add_described(self, found: Iterable[tuple[str, float | str]]) -> None:
        for name, each in found:
            if self._metrics.get(name) is not None:
                continue
            if not isinstance(each, str):
                self._faults.pop(name, None)
                self._metrics[name] = _finite(each)
            elif name == self._asked:
                self._faults.setdefault(name, f"reported no {name}: {each}")

    def add_result_file(self, path: Path) -> None:
        text = _text_of(path, PIECE)
        if self._asked in self._metrics or text is None or not text.strip():
            return
        words = plain(text).strip()
        number = _number(words)
        if number is None:
            self._faults[None] = f"'{words[:QUOTED]}' in {path.name} is no number"
        else:
            self._metrics[self._asked] = _finite(number)
            self._is_unnamed = True

    def add_numbers(self, numbers: Mapping[str, float | None], called: Mapping[str, str]) -> None:
        for name, value in numbers.items():
            self._metrics.setdefault(called.get(name, name), value)

    def add_scores(self, path: Path, called: Mapping[str, str]) -> list[str]:
        """Add what a file holds, by the names that it is `called`; returns those of what it holds beside numbers."""
        numbers, others = read_scores(path) or ({}, {})
        self.add_numbers(numbers, called)
        for name, value in others.items():
            if called.get(name, name) == self._asked and self._asked not in self._metrics:
                self._faults[self._asked] = f"{name} = {json.dumps(value)[:QUOTED]} in {path.name} is no number"
        return list(others)

    def outcome(self) -> Outcome:
        has_number = bool(self._metrics.keys() - self._faults.keys())
        fault = self._faults.get(self._asked) or next(reversed(self._faults.values()), None)
        if self._asked in self._faults or not has_number:
            none = f"{self._who} ended well but reported no result (no line such as IMPROVE_RESULT val_loss: 0.0123)"
            return Outcome("failed", self._metrics, reason=fault or none)
        return Outcome("ok", self._metrics, unnamed=self._asked if self._is_unnamed else None)


def read_scores(path: Path) -> tuple[dict[str, float | None], dict[str, Any]] | None:
    """The numbers in a JSON file of scores (None: not finite), and what else it holds; None: there is no such file.

    Any encoding of JSON will do. Booleans, texts, null, lists and objects are no numbers.
    """
    text = _text_of(path)
    try:
        # As floating-point numbers whole ones have no limit of digits.
        content = None if text is None else json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    numbers = {name: _finite(value) for name, value in content.items() if isinstance(value, float)}
    return numbers, {name: value for name, value in content.items() if name not in numbers}


def lacks_scores(path: Path) -> str | None:
    """What is to be said of who should have written numbers there, None where that was done."""
    scores = read_scores(path)
    if scores is not None and scores[0]:
        return None
    return f"wrote a {path.name} without a number" if path.is_file() else f"wrote no {path.name}"


def reports_in(log: IO[bytes], block: int = BLOCK) -> Iterator[Report]:
    """The result lines of a log, in their order; it is read `block` bytes at a time."""
    for piece in pieces(log, TAG, TAG_END, block):
        who, tag, behind = piece.partition(TAG_END)
        # What follows the next tag is that one's.
        following = plain(TAG.split(behind, maxsplit=1)[0])
        line = (who + tag + following).strip()[:QUOTED]
        text = ESCAPED_TABS.sub(" ", following)
        before = BEFORE_NUMBER.match(text)
        if before is None:
            yield Report(None, None, line)
            continue
        rest = text[before.end() :]
        number = _number(rest)
        if before["name"] is None and COUNTED.match(rest):  # "3 folds" is no result
            number = None
        is_prose = number is None and before["mark"] is None
        yield Report(None if is_prose else before["name"], number, line)


def mentions(path: Path, word: str) -> bool:
    """Whether a log says `word` on its own account: neither in a line of ours, nor in quotes, as JSON has it."""
    quoted = json.dumps(word)
    with path.open("rb") as log:
        sought = re.compile(f"{re.escape(quoted)}|{re.escape(word)}")
        return any(not piece.startswith(quoted) for piece in pieces(log, sought, word, BLOCK))


def last_words(path: Path) -> str:
    """The last line that a process printed, by custom its error; empty where it printed nothing, or has no log.

    Of an exception of Python whose message has several lines it is the first of them, which has its name; of an error
    in R what stands before `Execution halted`. Looks at the end of the log alone.
    """
    if not path.is_file():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - TAIL))
        text = log.read().replace(b"\0", b"").decode("utf-8", "replace")
    lines = [line for each in re.split(r"[\r\n]", text) if (line := plain(each).rstrip(BEYOND)).strip(BEYOND)]
    if not lines or lines[-1].startswith(OURS):
        return ""
    said = _exception(lines) or _error_of_r(lines) or _refusal(lines) or _boxed(lines) or lines[-1].strip(BEYOND)
    return said[:LAST_WORDS]


def _exception(lines: Sequence[str]) -> str | None:
    """The first line of the exception that the last traceback is of, where its message reaches to the end."""
    start = next((place for place in reversed(range(len(lines))) if TRACEBACK.fullmatch(lines[place])), len(lines))
    behind = [line for line in lines[start + 1 :] if not line.startswith(" ")]
    if not behind or EXCEPTION.match(behind[0]) is None:
        return None
    message = lines[lines.index(behind[0], start) :]
    if len(message) > LONGEST_MESSAGE:
        return None
    return " ".join(line.strip() for line in message[: 2 if message[0].endswith(":") else 1])


def _error_of_r(lines: Sequence[str]) -> str | None:
    """The error that ended a script in R, and which file it missed."""
    start = next((place for place in reversed(range(len(lines))) if lines[place].startswith("Error")), None)
    if start is None or lines[-1].strip(BEYOND) != "Execution halted":
        return None
    error, *behind = (line.strip(BEYOND) for line in lines[start:])
    missed = [line for line in behind if line.startswith("cannot open")]
    return " ".join([error, *(behind[:1] if error.endswith(":") else []), *missed[-1:]])


def _refusal(lines: Sequence[str]) -> str | None:
    """What a command line refused, where its reasons stand below that, further in, as `jsonargparse` writes them."""
    start = next((place for place in reversed(range(len(lines))) if not lines[place].startswith(" ")), len(lines))
    message = lines[start:]
    if len(message) < 2 or len(message) > LONGEST_MESSAGE or REFUSAL.match(message[0]) is None:
        return None
    return " ".join(line.strip(BEYOND) for line in message)


def _boxed(lines: Sequence[str]) -> str | None:
    """What stands in the box that a log ends with, as `typer` and `tyro` draw one around what they refuse."""
    start = next((place for place in reversed(range(len(lines))) if lines[place].startswith("╭")), None)
    if start is None or not lines[-1].startswith("╰"):
        return None
    return " ".join(words for line in lines[start + 1 : -1] if (words := line.strip(DRAWN))) or None


def _number(text: str) -> float | None:
    """The number that a text begins with, where it is a whole one; it need not be finite."""
    found = NUMBER.match(text)
    return None if found is None else float(found["number"])


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _text_of(path: Path, most: int = -1) -> str | None:
    """The first `most` bytes of a file as text, whichever encoding of JSON it has; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(most)
    except OSError:
        return None
    return content.decode(json.detect_encoding(content), "replace")


def _output(training: Training, data_folder: Path, name: str) -> Path:
    """Where a run has written the file called `name`, if it has."""
    names = [str(training.hyperparameters.get(key, "")) for key in ("experiment_id", "run_id")]
    own = training.folder / name
    if own.is_file() or not all(names):
        return own
    return next(iter(sorted(data_folder.glob("/".join(["*", "Output", *map(glob.escape, names), name])))), own)


def _append(log: Path, line: bytes) -> None:
    """Add a line to a log, whose last one may lack its end."""
    with log.open("r+b") as file:
        if file.seek(0, 2):
            file.seek(-1, 2)
            line = line if file.read(1) in b"\0\n" else b"\n" + line
        file.write(line)
