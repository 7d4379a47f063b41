"""Where a model reports a metric, as its `model.toml` describes it: in what it prints, or in a file that it writes.

| key of `[metrics.NAME]` | is |
|---|---|
| `printed` | a regular expression, mostly the words before it: `"test mse: "`, `"Test.* acc="`; its group, if any |
| `file` | a file below the folder of the run, or a pattern, `"**/metrics.csv"`: the one that was written last |
| `key` | what the number is called there, `"test.mse"` for one in a table; else the metric's name |

Of what is printed the last place counts, also with `%` or a comma behind the number; `1,234` and `0,5` are none. With
both `printed` and `file` the words are looked for in that file, or in its name. What else a file may be says
`number_files`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.text import shortened, shown
from comparator.model.described import MetricDescription
from comparator.model.log_lines import BLOCK, FINITE, QUOTE, pieces, plain
from comparator.model.number_files import numbers_in

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
            yield name, _printed(log, each.printed) if each.file is None else _in_text(run, each.file, each.printed)
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
            number = NUMBER.match(plain(_behind(words, piece)))
            found = float(number["number"]) if number is not None else found
    if found is not None:
        return found
    what = "no number follows" if has_words else "is nowhere in what it printed"
    return f"printed = {shown(pattern)}: {what}"


def _behind(words: re.Match[str], text: str) -> str:
    """Where the number is that words stand before, or that is their group."""
    return words[1] or "" if words.re.groups else text[words.end() :]


def _last_written(run: Path, pattern: str) -> Path | None:
    files = sorted((path for path in run.glob(pattern) if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    return files[-1] if files else None


def _in_text(run: Path, pattern: str, words: str) -> float | str:
    """The number behind words in a file; where its name has them, in that: `epoch=3-val_loss=0.12.ckpt`."""
    path = _last_written(run, pattern)
    if path is None:
        return f"file = {shown(pattern)}: it wrote none"
    named = re.compile(words).search(path.name)
    number = NUMBER.match(_behind(named, path.name)) if named else None
    if number is not None:
        return float(number["number"])
    found = _printed(path, words)
    return f"{path.name}: {found}".replace("what it printed", "it") if isinstance(found, str) else found


def _written(run: Path, pattern: str, key: str) -> float | str:
    path = _last_written(run, pattern)
    if path is None:
        return f"file = {shown(pattern)}: it wrote none"
    try:
        numbers = numbers_in(path)
    except (InputError, OSError) as error:
        return str(error)
    if set(numbers) == {""}:  # a number alone
        return numbers[""]
    if key not in numbers:
        # One in a table is often meant by its own name.
        same = [each for each in numbers if re.split(r"[./]", each)[-1] == re.split(r"[./]", key)[-1]]
        meant = f" (did you mean '{shortened(same[0])}'?)" if len(same) == 1 else nearest(key, numbers)
        return f"{path.name} has no number called {shown(key)}{meant or _listed(numbers)}"
    return numbers[key]


def _listed(names: Mapping[str, Any]) -> str:
    return f"; there are {shortened(', '.join(names))}" if names else ""
