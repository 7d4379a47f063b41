"""The table of all evaluations of a page: its columns, its rows, and where their logs are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import quote

from comparator.findings.axes import Axis
from comparator.findings.mean_predictor import SKILL
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.formats.numbers import is_number, show
from comparator.report import numbers
from comparator.report.figures.channels import metric_heading
from comparator.results.record import Run


def evaluations_content(
    summary: Summary, experiments: str = "..", only: Collection[int] | None = None
) -> dict[str, Any]:
    """Return the table of evaluations: its `columns`, those that are `shares`, the `axes` of the space, and its `rows`.

    A row is the evaluation's number, its status, its cells, its logs as pairs of name and address, and why it failed;
    where `only` is given, that of evaluations with these numbers alone. Numbers have four significant digits: what
    reads them rounds no further; shares are fractions, which a page shows in per cent.
    `experiments` is the address of the folder of all experiments.
    """
    shown = [one for one in summary.evaluations if only is None or one.number in only]
    columns, cells = _table(summary, shown)
    return {
        "columns": columns,
        "shares": ["difference"] if summary.kind != "single" and summary.measure.is_share else [],
        "axes": [_axis_content(axis) for axis in summary.axes],
        "rows": [
            [
                one.number,
                one.status,
                values,
                [[name, f"{experiments}/{at}"] for name, at in logs_of(summary, one)],
                one.reason,
            ]
            for one, values in zip(shown, cells, strict=True)
        ],
    }


def _axis_content(axis: Axis) -> dict[str, Any]:
    """Return an axis: its ends and whether they are drawn on a log scale; of few values these, as in the table."""
    content = {"name": axis.name, "low": axis.edges[0], "high": axis.edges[-1], "log": axis.log}
    return {**content, "values": [_cell(value) for value in axis.values]} if axis.discrete else content


def metric_columns(summary: Summary) -> list[tuple[int, str, str]]:
    """Return (submodel, metric, heading) for the metric compared, and for R2 where it is known."""
    reported = {name for one in summary.evaluations for metrics in one.metrics for name in metrics}
    shown = dict.fromkeys([summary.metric, *({SKILL} & reported)])
    return [
        (submodel, metric, metric_heading(metric, model))
        for metric in shown
        for submodel, model in enumerate(summary.models)
    ]


def _table(summary: Summary, shown: Iterable[EvaluationSummary]) -> tuple[list[str], list[list[Any]]]:
    """Return the headings and the cells of the table; stages and generations only where there are any."""
    staged = len({one.stage for one in summary.evaluations}) > 1
    counted = any(one.generation is not None for one in summary.evaluations)
    paired = summary.kind != "single"
    measured = metric_columns(summary)
    headings = [
        "number",
        *["stage"] * staged,
        *["generation"] * counted,
        *(axis.name for axis in summary.axes),
        "status",
        *["difference"] * paired,
        *(heading for _, _, heading in measured),
        "seconds",
        "reused",
    ]
    rows = [
        [
            one.number,
            *[one.stage] * staged,
            *[one.generation] * counted,
            *(_cell(one.point.get(axis.name)) for axis in summary.axes),
            one.status,
            *[_cell(one.difference)] * paired,
            *(_cell(one.metrics[submodel].get(metric)) for submodel, metric, _ in measured),
            _cell(one.seconds),
            f"{one.reused} of {len(one.own_runs)}",
        ]
        for one in shown
    ]
    return headings, rows


def _cell(value: Any) -> int | float | str | None:
    if value is None or isinstance(value, bool) or not is_number(value):
        return None if value is None else show(value)
    return value if isinstance(value, int) else numbers.round_to(value, 4)


def logs_of(summary: Summary, one: EvaluationSummary) -> tuple[tuple[str, str], ...]:
    return tuple((_log_name(summary, run), _log_address(run)) for run in one.runs if run.log)


def _log_name(summary: Summary, run: Run) -> str:
    model = dict(enumerate(summary.models)).get(run.submodel, "log")
    return f"{model} {run.replicate}" if run.replicate else model


def _log_address(run: Run) -> str:
    """Return the log's address relative to the folder of all experiments."""
    return quote(str(run.log).encode("utf-8", "replace"))
