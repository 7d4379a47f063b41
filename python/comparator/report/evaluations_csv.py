"""The table of evaluations for programs.

`evaluations.csv` has one row an evaluation, in the order in which they finished, UTF-8, empty where there is
no value:

| column | meaning |
|---|---|
| evaluation | number of the proposal, from 0 |
| stage | pilot, search, full, confirm or imported |
| generation | from 0; empty in a sweep |
| point.NAME | the value of hyperparameter NAME; a list or None as JSON |
| status | ok, failed or timeout |
| value | what the search minimises |
| difference | the value as people read it: with its sign turned where the objective is maximised |
| replicates | seeds that value is the mean of |
| signed | mean of the signed differences, one a seed (of a single model: of its metric) |
| deviation | their standard deviation; empty for one seed |
| low, high | the 95 % t-interval of their mean; empty for one seed |
| metrics.S.NAME | metric NAME of submodel S (0, 1): the mean over the replicates that succeeded |
| seconds | wall time of the evaluation, of its seeds together |
| reused | of the runs that this evaluation asked for, those that were found in the store and not trained |
| started | UTC, ISO 8601 |
| worker | who did it |
| log.S | submodel S's logs of replicates that the point did not have before, with blanks between |
| reason | why it failed |
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from comparator.findings.summary import EvaluationSummary, Summary
from comparator.results.record import Evaluation
from comparator.results.table import table_cell


def evaluation_rows(summary: Summary, records: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return the table of evaluations, a row each by the names of its columns; None where there is no value."""
    columns = _columns(summary)
    return [
        {name: cell(one, record) for name, cell in columns}
        for one, record in zip(summary.evaluations, records, strict=True)
    ]


def evaluations_csv(summary: Summary, records: Sequence[Evaluation]) -> str:
    """Return the table of evaluations as CSV; the module's docstring has its columns."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(table_cell(name) for name, _ in _columns(summary))
    for row in evaluation_rows(summary, records):
        table.writerow(map(table_cell, row.values()))
    return text.getvalue()


def _columns(summary: Summary) -> list[tuple[str, Callable[[EvaluationSummary, Evaluation], Any]]]:
    """Return the name of each column, and what gives its cell from an evaluation and its record."""
    submodels = range(len(summary.models))
    points = dict.fromkeys(name for one in summary.evaluations for name in one.point)
    metrics = [
        (submodel, name)
        for submodel in submodels
        for name in dict.fromkeys(name for one in summary.evaluations for name in one.metrics[submodel])
    ]
    return [
        ("evaluation", lambda one, _: one.number),
        ("stage", lambda one, _: one.stage),
        ("generation", lambda one, _: one.generation),
        *((f"point.{name}", partial(_point_cell, name)) for name in points),
        ("status", lambda one, _: one.status),
        ("value", lambda one, _: one.value),
        ("difference", lambda one, _: one.difference),
        ("replicates", lambda one, _: one.replicates),
        ("signed", lambda one, _: one.mean),
        ("deviation", lambda one, _: one.deviation),
        ("low", lambda one, _: one.interval and one.interval[0]),
        ("high", lambda one, _: one.interval and one.interval[1]),
        *((f"metrics.{submodel}.{name}", partial(_metric_cell, submodel, name)) for submodel, name in metrics),
        ("seconds", lambda one, _: one.seconds),
        ("reused", lambda one, _: one.reused),
        ("started", lambda _, record: record.started),
        ("worker", lambda _, record: record.worker),
        *((f"log.{submodel}", partial(_log_cell, submodel)) for submodel in submodels),
        ("reason", lambda one, _: one.reason),
    ]


def _point_cell(name: str, one: EvaluationSummary, _: object) -> Any:
    value = one.point.get(name)
    return value if isinstance(value, (str, int, float)) or name not in one.point else json.dumps(value)


def _metric_cell(submodel: int, name: str, one: EvaluationSummary, _: object) -> Any:
    return one.metrics[submodel].get(name)


def _log_cell(submodel: int, one: EvaluationSummary, _: object) -> str:
    return " ".join(run.log or "" for run in one.runs if run.submodel == submodel)
