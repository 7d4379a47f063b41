"""What a file of past work holds, as plain values, and in words what a reader of it should know."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.numbers import how_many
from comparator.formats.text import shortened
from comparator.importers.files import COUNT, PastFile, Row, finite, read_file
from comparator.space import Constant, Number, ParameterSpace, Point
from comparator.space.parameters import Parameter

#: As many points with one and the same result are worth a word; as many values on a bound, too.
WORTH_A_WORD = 3


@dataclass(frozen=True)
class PastResult:
    """One evaluation of past work. `result` is None for a failed one, and `reason` says why."""

    restart: int
    iteration: int | None
    sample: int
    point: Point
    result: float | None
    seconds: float | None
    reason: str | None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PastRecords:
    """What a file of past work holds.

    `space` has the hyperparameters that vary and stand in the file; `missing` those that the search varied though the
    file does not have their values, so that equal points need not be equal; `constants` all the others. `maximise`
    says that larger results of `metric` are better. `iteration` counts from 0. `duplicates` counts the records left
    out because they stood there before. `findings` is what a reader should know, a sentence each.
    """

    path: Path
    form: str
    metric: str
    maximise: bool
    space: ParameterSpace
    missing: tuple[str, ...]
    constants: Point
    results: tuple[PastResult, ...]
    duplicates: int
    findings: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        return sum(one.result is None for one in self.results)

    @property
    def best(self) -> PastResult | None:
        """The single best result, None where all failed."""
        worth = [(value, place) for place, one in enumerate(self.results) if (value := self.value(one)) is not None]
        return self.results[min(worth)[1]] if worth else None

    def value(self, one: PastResult) -> float | None:
        """What a search minimises: the result, with its sign turned where larger is better."""
        return -one.result if self.maximise and one.result is not None else one.result


def read_past(path: Path, space: Path | None = None, metric: str | None = None) -> PastRecords:
    """Read a file of past work, or the one in a folder; raises `InputError`.

    `space` is the file of the parameter space that was searched; without it, the one beside the file is taken. It may
    write names in another case than the file; the records then have the space's.
    `metric` chooses where the file has several, and names it where the file does not.
    """
    file = read_file(path, metric)
    findings = list(file.findings)
    searched = _space_beside(file.path, findings) if space is None else _read_space(space, findings)
    file = file.spelt_by(searched.names if searched is not None else ())
    parameters, missing, constants = _dimensions(file, searched, findings)
    results = []
    for row in file.rows:
        try:
            results.append(_result(row, parameters, file.metric))
        except ValueError as error:
            findings.append(f"line {row.line} is left out: {error}")
    if not results:
        raise InputError(
            f"{file.path}: has no evaluation that can be read" + "".join(f"; {one}" for one in findings[:1])
        )
    kept = list({json.dumps(asdict(one), sort_keys=True): one for one in results}.values())
    records = PastRecords(
        path=file.path,
        form=file.form,
        metric=file.metric,
        maximise=file.maximise,
        space=ParameterSpace(tuple(parameters)),
        missing=missing,
        constants=constants,
        results=tuple(_from_zero(kept)),
        duplicates=len(results) - len(kept),
    )
    words = (_words_on_duplicates, _words_on_results, _words_on_repeats, _words_on_values, _words_on_generations)
    return replace(records, findings=(*findings, *(word for words_on in words for word in words_on(records))))


def _result(row: Row, parameters: Sequence[Parameter], metric: str) -> PastResult:
    """The evaluation in `row`; raises `ValueError` where the value of a hyperparameter cannot be read."""
    point = {}
    for parameter in parameters:
        text = row.texts.get(parameter.name, "")
        try:
            point[parameter.name] = parameter.parse(text)
            is_value = not isinstance(parameter, Number) or math.isfinite(point[parameter.name])
        except (ValueError, OverflowError):
            is_value = False
        if not is_value:
            raise ValueError(f"'{parameter.name}': '{shortened(text)}' is not {parameter.kind}")
    result = finite(row.result)
    metrics = dict(row.metrics) if result is None else {**row.metrics, metric: result}
    reason = None
    if result is None:
        reason = f"the recorded result is '{row.result}'" if row.result else row.reason or "no result is recorded"
    return PastResult(row.restart, row.iteration, row.sample, point, result, finite(row.seconds), reason, metrics)


def _from_zero(results: Sequence[PastResult]) -> Iterator[PastResult]:
    """Number iterations from 0, as generations are; CANDLE numbers them from 1."""
    first = min((one.iteration for one in results if one.iteration is not None), default=0)
    for one in results:
        yield one if one.iteration is None else replace(one, iteration=one.iteration - min(first, 1))


# Hyperparameters


def _read_space(path: Path, findings: list[str]) -> ParameterSpace:
    space = ParameterSpace.read(path)
    findings += [f"{path.name}: {warning.removeprefix(f'{path}: ')}" for warning in space.warnings]
    return space


def _space_beside(path: Path, findings: list[str]) -> ParameterSpace | None:
    """The one JSON file beside `path` that is a parameter space, whatever its name."""
    found = []
    for file in sorted(path.parent.glob("*.json")):
        try:
            ParameterSpace.read(file)
        except InputError:
            continue
        found.append(file)
    if len(found) == 1:
        findings.append(f"parameter space: {found[0].name}, which lies beside it")
        return _read_space(found[0], findings)
    several = f"several lie beside it ({', '.join(file.name for file in found)}), name one" if found else "none"
    findings.append(f"parameter space: {several}; what varied, and between which bounds, is read off the values")
    return None


def _dimensions(
    file: PastFile, space: ParameterSpace | None, findings: list[str]
) -> tuple[list[Parameter], tuple[str, ...], Point]:
    """The hyperparameters that vary, those that do and whose values are missing, and the constants."""
    searched = {one.name: one for one in space.parameters} if space is not None else {}
    parameters = [one for one in searched.values() if not isinstance(one, Constant) and one.name in file.names]
    missing = tuple(
        one.name for one in searched.values() if not isinstance(one, Constant) and one.name not in file.names
    )
    constants = {one.name: one.value for one in searched.values() if isinstance(one, Constant)}
    for name in missing:
        findings.append(
            f"'{name}' was varied and is not in the file: evaluations that look like repeats may be none,"
            " and are kept apart"
        )
    for name in file.names:
        texts = list(dict.fromkeys(row.texts.get(name, "") for row in file.rows))
        if any(one.name == name for one in parameters):
            continue
        if len(texts) > 1:
            constants.pop(name, None)
            parameters.append(_guess(name, texts))
            if space is not None:
                findings.append(f"'{name}' varies in the file and not in the parameter space")
        elif texts:
            constants.setdefault(name, _literal(texts[0]))
    return parameters, missing, constants


def _guess(name: str, texts: Iterable[str]) -> Parameter:
    """A parameter with these values, for a hyperparameter that no space describes."""
    values = [_literal(text) for text in texts if text]
    if len(values) > 1 and not any(isinstance(value, str) for value in values):
        low, high = min(values), max(values)
        return Number(name, low, high, (high - low) / 10, all(isinstance(value, int) for value in values))
    entry = {"name": name, "type": "categorical", "element_type": "string", "values": [str(value) for value in values]}
    return ParameterSpace.from_entries([entry], "the file").parameters[0]


def _literal(text: str) -> Any:
    """A number where `text` spells a finite one, else the text."""
    value = finite(text)
    if value is None:
        return text
    try:
        return int(text)
    except ValueError:
        return value


# Findings


def _words_on_duplicates(records: PastRecords) -> Iterator[str]:
    if records.duplicates:
        yield f"{_count(records.duplicates, 'record')} left out: already there, alike in everything"
    places = {(one.restart, one.iteration, one.sample) for one in records.results}
    again = len(records.results) - len(places)
    if again:
        yield (
            f"{_count(again, 'record')} of an iteration and sample that stands there before with other values:"
            " the file holds more than one search"
        )


def _words_on_results(records: PastRecords) -> Iterator[str]:
    if records.failed:
        yield f"{records.failed} of {len(records.results)} evaluations failed"
    points: dict[float, set[str]] = {}
    for one in records.results:
        if one.result is not None:
            points.setdefault(one.result, set()).add(json.dumps(one.point))
    result = max(points, key=lambda result: len(points[result]), default=math.nan)
    if points and len(points[result]) >= WORTH_A_WORD:
        yield f"the result {result} stands at {len(points[result])} different points: see whether they learnt at all"


def _words_on_repeats(records: PastRecords) -> Iterator[str]:
    groups: dict[str, list[float | None]] = {}
    for one in records.results:
        groups.setdefault(json.dumps(one.point), []).append(one.result)
    total = len(records.results)
    repeats = total - len(groups)
    if not repeats:
        return
    share = f"{repeats} of {total} evaluations ({repeats / total:.0%})"
    known = [[result for result in results if result is not None] for results in groups.values()]
    several = [results for results in known if len(results) > 1]
    if records.missing:
        yield f"{share} repeat an earlier point in all that the file tells"
    elif not several:
        yield f"{share} repeat an earlier point exactly, but no point has two results to compare"
    elif all(len(set(results)) == 1 for results in several):
        yield f"{share} repeat an earlier point exactly, and gave its result again: the model is deterministic"
    else:
        yield f"{share} repeat an earlier point exactly: its value is the mean of its results"


def _words_on_values(records: PastRecords) -> Iterator[str]:
    total = len(records.results)
    for parameter in records.space.parameters:
        values = [one.point[parameter.name] for one in records.results]
        outside = sum(parameter.fault(value) is not None for value in values)
        if outside:
            yield f"{outside} of {total} values of '{parameter.name}' lie outside of the parameter space"
        if isinstance(parameter, Number) and not parameter.whole:
            on_bound = sum(value in (parameter.lower, parameter.upper) for value in values)
            if on_bound >= WORTH_A_WORD:
                yield f"{on_bound} of {total} values of '{parameter.name}' lie exactly on a bound"


def _words_on_generations(records: PastRecords) -> Iterator[str]:
    """Compare the file with the one DEAP log beside it, which counts the evaluations of each generation."""
    logs = sorted(records.path.parent.glob("deap-*.log"))
    has = Counter(one.iteration for one in records.results)
    if len(logs) != 1 or None in has:
        return
    lines = [line.split() for line in logs[0].read_text(encoding="utf-8", errors="replace").splitlines()]
    counted = {
        int(cells[0]): int(cells[1]) for cells in lines if len(cells) > 2 and all(map(COUNT.fullmatch, cells[:2]))
    }
    total = sum(counted.values())
    if counted and total != len(records.results):
        generations = how_many(len(counted), "generation")
        yield f"{logs[0].name} counts {total} evaluations in {generations}; the file has {len(records.results)}"
    elif counted and counted != has:
        yield f"{logs[0].name} has the {total} evaluations in other generations than the file"


def _count(number: int, what: str) -> str:
    return f"{how_many(number, what)} {'is' if number == 1 else 'are'}"
