"""Where a model reports a metric, as its `model.toml` describes it: in what it prints, or in a file that it writes.

| key of `[metrics.NAME]` | is |
|---|---|
| `printed` | a regular expression, mostly the words before it: `"test mse: "`, `"Test.* acc="`; its group, if any |
| `file` | a file below the folder of the run, or a pattern, `"**/metrics.csv"`: the one that was written last |
| `key` | what the number is called there, `"test.mse"` for one in a table; else the metric's name |

Of what is printed the last place counts, also with `%` or a comma behind the number; `1,234` and `0,5` are none. Files
are JSON and YAML by names, tables (`.csv`, `.tsv`, else with commas) by columns, of which the last number counts, or a
text that is a number alone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.text import read_text, shortened, shown
from comparator.model.described import MetricDescription
from comparator.model.log_lines import BLOCK, FINITE, QUOTE, pieces, plain
from comparator.model.own_files.settings_file import is_settings_file, named_settings, read_settings_file

#: A number behind the words that stand before it, with or without a sign between, or as NumPy and PyTorch print it.
NUMBER = re.compile(
    rf"(?:{QUOTE} ?[:=])? ?(?:(?:\w+\.)*\w+\()?[\[({{]?{QUOTE}"
    rf"(?P<number>(?![+-]?\d+,\d){FINITE}|[+-]?(?:nan|inf(?:inity)?))(?![\w]|\.\d)",
    re.IGNORECASE,
)


def described_results(
    log: Path, run: Path, metrics: Mapping[str, MetricDescription]
) -> Iterator[tuple[str, float | str]]:
    """The metrics that a description says a place of, each with its number, or why there is none."""
    for name, each in metrics.items():
        if each.printed is not None:
            yield name, _printed(log, each.printed)
        elif each.file is not None:
            yield name, _written(run, each.file, each.key or name)


def _printed(log: Path, pattern: str) -> float | str:
    sought, found = re.compile(pattern, re.MULTILINE), None
    if not log.is_file():
        return "its log is gone"
    has_words = False
    with log.open("rb") as file:
        for piece in pieces(file, sought, "", BLOCK):
            words = sought.match(piece)
            if words is None:
                continue
            has_words = True
            number = NUMBER.match(plain(words[1] or "" if sought.groups else piece[words.end() :]))
            found = float(number["number"]) if number is not None else found
    if found is not None:
        return found
    what = "no number follows" if has_words else "is nowhere in what it printed"
    return f"printed = {shown(pattern)}: {what}"


def _written(run: Path, pattern: str, key: str) -> float | str:
    files = sorted((path for path in run.glob(pattern) if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    if not files:
        return f"file = {shown(pattern)}: it wrote none"
    path = files[-1]
    try:
        numbers = _numbers(path)
    except (InputError, csv.Error) as error:
        return str(error)
    if set(numbers) == {""}:  # a number alone
        return numbers[""]
    if key not in numbers:
        return f"{path.name} has no number called {shown(key)}{nearest(key, numbers) or _listed(numbers)}"
    return numbers[key]


def _listed(names: Mapping[str, Any]) -> str:
    return f"; there are {shortened(', '.join(names))}" if names else ""


def _numbers(path: Path) -> dict[str, float]:
    """The numbers in a file by name; of one that is a number alone by the empty one."""
    if is_settings_file(path):
        settings = dict(named_settings(read_settings_file(path)))
        numbers = {name: _as_number(value) for name, value in settings.items() if isinstance(value, int | float)}
        return {name: number for name, number in numbers.items() if number is not None}
    text = read_text(path)
    if (alone := _as_number(text)) is not None:
        return {"": alone}
    table = csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    found: dict[str, float] = {}
    for row in table:
        cells = {str(name).strip(): _as_number(text) for name, text in row.items() if isinstance(text, str)}
        found |= {name: number for name, number in cells.items() if number is not None}
    return found


def _as_number(given: str | float) -> float | None:
    try:
        return float(given)
    except (ValueError, OverflowError):  # an integer of hundreds of digits
        return None
