"""The forms of files, told by their content, read as far as that goes without a parameter space: values stay text."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.spelling import as_kept, check_once, spelling
from comparator.formats.text import each_key_once, read_text, shortened
from comparator.objective.metrics import kind_by_name
from comparator.results.form import in_range

#: What a folder is searched for, in this order.
NAMES = ("hpo.csv", "output.csv", "hpo_results.csv", "population-*.txt", "results.csv")
LINES_NAMED = 5
#: A whole number that counts something; one of thousands of digits no program reads.
COUNT = re.compile(r"\d{1,18}")
_RUN_ID = re.compile(rf"(?:.*_)?({COUNT.pattern})_({COUNT.pattern})_({COUNT.pattern})")
#: What lies beside the population of a search by DEAP, and has no points with values of its own.
_BESIDE_POPULATION = re.compile(r"(?:deap-(.+)\.log|fitness(?:es)?-(.+)\.txt|best-(.+)\.json)")
#: What a data frame of Optuna's trials calls its own.
_PARAMETER, _ATTRIBUTE, _COMPLETE = "params_", "user_attrs_", "COMPLETE"
_DURATION = re.compile(r"(\d+) days (\d+):(\d+):(\d+(?:\.\d+)?)")
_SQLITE = b"SQLite format 3\0"
#: Words of R for what is not there.
_NOTHING = ("", "NA")


@dataclass(frozen=True)
class Row:
    """One evaluation as it stands in a file; `texts` has its hyperparameters, and may have more."""

    line: int
    restart: int
    iteration: int | None
    sample: int
    texts: Mapping[str, str]
    result: str
    seconds: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    #: Why there is no result, where the file says it.
    reason: str = ""


@dataclass(frozen=True)
class PastFile:
    """A file of past work: its rows, the names of its hyperparameters, and what to say about it."""

    path: Path
    form: str
    metric: str
    maximise: bool
    names: list[str]
    rows: list[Row]
    findings: list[str]

    def spelt_by(self, names: Sequence[str]) -> PastFile:
        """The same with its hyperparameters' names as `names` has them; raises `InputError` where two are one."""
        check_once(self.names, str(self.path))
        spelt = {name: as_kept(spelling(name, names)) for name in self.names}
        rows = [
            replace(row, texts={spelt.get(name, name): text for name, text in row.texts.items()}) for row in self.rows
        ]
        return replace(self, names=list(spelt.values()), rows=rows)


@dataclass(frozen=True)
class _Table:
    """A table of comma-separated values; `rows` are pairs of line and cells by column."""

    path: Path
    header: list[str]
    rows: list[tuple[int, dict[str, str]]]
    findings: list[str]

    def file(self, form: str, metric: str, names: list[str], rows: list[Row]) -> PastFile:
        maximise = _is_score(metric, self.findings)
        return PastFile(self.path, form, metric, maximise, names, rows, self.findings)


def read_file(path: Path, metric: str | None) -> PastFile:
    """Read the file at `path`, or the one in that folder, in the form that its content shows."""
    path = _find(path)
    if _is_database(path):
        raise InputError(
            f"{path}: is an SQLite database; of a study of Optuna's its table of trials can be imported:"
            " study.trials_dataframe().to_csv('trials.csv')"
        )
    text = read_text(path)
    if text.lstrip().startswith("{"):
        return _read_population(path, text.strip(), metric)
    table = _read_table(path, text)
    columns = set(table.header)
    if {"iteration", "sample", "metric", "result"} <= columns:
        return _read_hpo(table, metric)
    if "run_id" in columns:
        return _read_output(table, metric)
    if "objective" in columns and any(name.startswith("p:") for name in columns):
        return _read_deephyper(table, metric)
    if {"number", "value", "state"} <= columns:
        return _read_optuna(table, metric)
    if "y" in columns:
        return _read_mlrmbo(table, metric)
    raise InputError(
        f"{path}: none of the forms that can be imported: no columns iteration, sample, metric and result"
        " (hpo.csv), no run_id (output.csv), no p:NAME and objective (DeepHyper), no number, value and state (Optuna),"
        " no y (mlrMBO); nor a generation as DEAP writes it (population-N.txt), which begins with {"
    )


def finite(text: str) -> float | None:
    """The number that `text` spells, None where it is not finite or out of range."""
    try:
        value = float(text)
    except ValueError:
        return None
    return in_range(value) if math.isfinite(value) else None


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:  # which reading its text tells
        return False


def _find(path: Path) -> Path:
    if path.is_dir():
        found = [file for name in NAMES for file in sorted(path.glob(name))]
        if not found:
            raise InputError(f"{path}: has none of {', '.join(NAMES)}")
        return found[0]
    beside = _BESIDE_POPULATION.fullmatch(path.name)
    if beside and path.is_file():
        population = path.with_name(f"population-{beside[beside.lastindex or 0]}.txt")
        if population.is_file():
            return population
        tables = [name for name in NAMES if path.with_name(name).is_file()]
        instead = f"give {tables[0]}, which lies beside it" if tables else f"{population.name} does not lie beside it"
        what = "statistics of generations" if beside[1] is not None else "a part of what DEAP ended with"
        raise InputError(f"{path}: has {what} and no evaluations; {instead}")
    return path


def _read_table(path: Path, text: str) -> _Table:
    reader = csv.reader(io.StringIO(text), skipinitialspace=True)
    rows: list[tuple[int, dict[str, str]]] = []
    wrong: dict[int, int] = {}
    findings = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for cells in reader:
            if len(cells) == len(header):
                rows.append((reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}))
            elif any(cell.strip() for cell in cells):
                wrong[reader.line_num] = len(cells)
    except csv.Error as error:
        raise InputError(f"{path}: not a table of comma-separated values: {error}") from None
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path}: the column '{shortened(name)}' stands twice")
    if wrong and not rows:
        line, count = next(iter(wrong.items()))
        raise InputError(
            f"{path}, line {line}: has {count} values, and the header names {len(header)} columns; no line has as many"
        )
    if wrong:
        findings.append(f"{_lines(list(wrong))} left out: not as many values as the {len(header)} columns")
    return _Table(path, header, rows, findings)


def _read_hpo(table: _Table, metric: str | None) -> PastFile:
    good = [
        (line, row) for line, row in table.rows if COUNT.fullmatch(row["iteration"]) and COUNT.fullmatch(row["sample"])
    ]
    wrong = sorted({line for line, _ in table.rows} - {line for line, _ in good})
    if wrong:
        table.findings.append(f"{_lines(wrong)} left out: iteration or sample is no whole number")
    chosen = _choose(table.path, metric, list(dict.fromkeys(row["metric"] for _, row in good)))
    names = [name for name in table.header if name not in ("iteration", "sample", "metric", "result", "walltime")]
    rows = [
        Row(line, 0, int(row["iteration"]), int(row["sample"]), row, row["result"], row.get("walltime", ""))
        for line, row in good
        if row["metric"] == chosen
    ]
    return table.file("hpo.csv", chosen, names, rows)


def _read_output(table: _Table, metric: str | None) -> PastFile:
    place = table.header.index("run_id")
    chosen = _choose(table.path, metric, table.header[place + 1 :])
    rows, wrong = [], []
    for line, row in table.rows:
        numbers = _RUN_ID.fullmatch(row["run_id"])
        if numbers is None:
            wrong.append(line)
        else:
            restart, iteration, sample = map(int, numbers.groups())
            rows.append(Row(line, restart, iteration, sample, row, row[chosen]))
    if wrong:
        table.findings.append(f"{_lines(wrong)} left out: run_id does not end with restart, iteration and sample")
    return table.file("output.csv", chosen, table.header[:place], rows)


def _read_deephyper(table: _Table, metric: str | None) -> PastFile:
    """DeepHyper maximises its objective, and writes a text that begins with F where a job failed."""
    measured = {name[2:]: name for name in table.header if name.startswith("m:") and not name.startswith("m:timestamp")}
    chosen = _choose(table.path, metric or "objective", ["objective", *measured])
    rows = []
    for number, (line, row) in enumerate(table.rows):
        failed = row["objective"].startswith("F")
        rows.append(
            Row(
                line,
                restart=0,
                iteration=None,
                sample=number,
                texts={name[2:]: text for name, text in row.items() if name.startswith("p:")},
                result=row["objective"] if failed else row[measured.get(chosen, "objective")],
                seconds=_deephyper_seconds(row),
                metrics=_metrics_in(row, measured),
            )
        )
    return table.file("DeepHyper", chosen, [name[2:] for name in table.header if name.startswith("p:")], rows)


def _deephyper_seconds(row: Mapping[str, str]) -> str:
    for first, last in (("m:timestamp_start", "m:timestamp_end"), ("m:timestamp_submit", "m:timestamp_gather")):
        start, end = finite(row.get(first, "")), finite(row.get(last, ""))
        if start is not None and end is not None:
            return repr(end - start)
    return ""


def _read_optuna(table: _Table, metric: str | None) -> PastFile:
    """A data frame of trials; what was pruned has the value of a part of its training, and counts as none."""
    attributes = {
        name.removeprefix(_ATTRIBUTE): name
        for name in table.header
        if name.startswith(_ATTRIBUTE) and name != _ATTRIBUTE
    }
    chosen = metric or _unnamed(table.findings)
    names = [name for name in table.header if name.startswith(_PARAMETER)]
    rows = []
    for number, (line, row) in enumerate(table.rows):
        state = row["state"].rpartition(".")[2]
        is_complete = state == _COMPLETE
        rows.append(
            Row(
                line,
                restart=0,
                iteration=None,
                sample=number,
                texts={name.removeprefix(_PARAMETER): row[name] for name in names},
                result=row[attributes.get(chosen, "value")] if is_complete else "",
                seconds=_optuna_seconds(row.get("duration", "")),
                metrics=_metrics_in(row, attributes),
                reason="" if is_complete else f"its state in Optuna is {state}",
            )
        )
    return table.file("Optuna", chosen, [name.removeprefix(_PARAMETER) for name in names], rows)


def _optuna_seconds(duration: str) -> str:
    parts = _DURATION.fullmatch(duration)
    if parts is None:
        return ""
    days, hours, minutes, seconds = map(float, parts.groups())
    return repr(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _read_mlrmbo(table: _Table, metric: str | None) -> PastFile:
    """The table that mlrMBO restarts from, or its path of optimisation, in which `dob` counts the iterations."""
    is_path = "dob" in table.header
    names = [name for name in table.header[: table.header.index("y")] if name] if is_path else []
    names = names or [name for name in table.header if name not in ("", "y")]
    chosen = metric or _unnamed(table.findings)
    rows = []
    for number, (line, row) in enumerate(table.rows):
        is_failed = row.get("error.message", "") not in _NOTHING
        iteration = row.get("dob", "")
        rows.append(
            Row(
                line,
                restart=0,
                iteration=int(iteration) if COUNT.fullmatch(iteration) else None,
                sample=number,
                texts=row,
                result="" if is_failed or row["y"] in _NOTHING else row["y"],
                seconds=row.get("exec.time", ""),
            )
        )
    return table.file("mlrMBO", chosen, names, rows)


def _metrics_in(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, float]:
    """The metrics of a row, each by the column that has it; without those that are no number there."""
    return {name: value for name, column in columns.items() if (value := finite(row[column])) is not None}


def _read_population(path: Path, text: str, metric: str | None) -> PastFile:
    """The points that DEAP ended with; copies among them are no evaluations of their own."""
    points = list(_objects(path, text))
    beside = path.with_name(path.name.replace("population", "fitnesses", 1))
    if beside == path:
        raise InputError(f"{path}: a population is called population-N.txt, and fitnesses-N.txt has its values")
    values = [value.strip() for value in read_text(beside).strip().split(";")]
    if len(values) != len(points):
        raise InputError(f"{beside}: has {len(values)} values for the {len(points)} points of {path.name}")
    different = {(json.dumps(point), value): None for point, value in zip(points, values, strict=True)}
    findings = [
        f"only the {len(points)} points that the search ended with are recorded, {len(different)} of them different"
    ]
    chosen = metric or _unnamed(findings)
    rows = [Row(1, 0, None, number, json.loads(point), value) for number, (point, value) in enumerate(different)]
    names = list(dict.fromkeys(name for row in rows for name in row.texts))
    return PastFile(path, "population", chosen, _is_score(chosen, findings), names, rows, findings)


def _objects(path: Path, text: str) -> list[dict[str, str]]:
    """JSON objects with `;` between, which may stand within their strings too; the values as text."""
    decoder = json.JSONDecoder(object_pairs_hook=each_key_once(str(path)))
    objects: list[dict[str, str]] = []
    while text:
        try:
            found, end = decoder.raw_decode(text)
        except ValueError:
            found, end = None, 0
        if not isinstance(found, dict):
            raise InputError(f"{path}: point {len(objects) + 1} is not a JSON object")
        objects.append({name: value if isinstance(value, str) else _json(value) for name, value in found.items()})
        text = text[end:].lstrip("; \r\n")
    return objects


def _json(value: Any) -> str:
    return json.dumps(value)


def _choose(path: Path, metric: str | None, there: Sequence[str]) -> str:
    """The metric asked for, or the only one there is."""
    if metric is not None and metric not in there:
        has = ", ".join(there) or "none"
        raise InputError(f"{path}: has no results of metric '{metric}'{nearest(metric, there)}; it has {has}")
    if metric is None and len(there) != 1:
        raise InputError(f"{path}: has results of {', '.join(there) or 'no metric'}; say which metric to take")
    return metric or there[0]


def _unnamed(findings: list[str]) -> str:
    """What is taken for the metric of a file that does not say it."""
    findings.append(
        "the file does not name its metric; taken as val_loss, the smaller the better (--metric names it: of val_r2,"
        " accuracy or objective, say, the larger is the better)"
    )
    return "val_loss"


def _is_score(metric: str, findings: list[str]) -> bool:
    """Whether larger is better; where the name does not tell, the metric is taken as an error."""
    kind = kind_by_name(metric)
    if kind is None:
        findings.append(f"metric '{metric}' is not known; taken as an error, smaller is better")
    return kind == "score"


def _lines(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers[:LINES_NAMED]))
    more = f" and {len(numbers) - LINES_NAMED} more" if len(numbers) > LINES_NAMED else ""
    return f"line {named} is" if len(numbers) == 1 else f"lines {named}{more} are"
