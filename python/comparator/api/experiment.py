"""An experiment of the store, as a notebook looks at it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from comparator.api.plain import plain
from comparator.engine.jobs import state_of
from comparator.errors import InputError, nearest
from comparator.evidence.threads import one_thread
from comparator.experiment.listing import experiment_row, found_in_short
from comparator.experiment.progress import best_words
from comparator.experiment.terminal import in_notebook
from comparator.findings.explanation import called
from comparator.findings.summary import as_json as summary_json
from comparator.findings.verdict import as_json as findings_json
from comparator.formats.text import shortened
from comparator.objective.amounts import Measure, measure_of
from comparator.report import prediction, write_report
from comparator.report.evaluations_csv import evaluation_rows
from comparator.report.numbers import percent
from comparator.report.reading import Reading, reading_of
from comparator.report.words import verdict as verdict_lines
from comparator.results.experiments import read_experiment
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.reported import read_reported
from comparator.results.run_store import RunStore
from comparator.results.table import Columns

if TYPE_CHECKING:
    from altair import Chart

    from comparator.report.figures.figure import Figure


class Experiment:
    """An experiment of the store: finished, stopped, or running in this or another process or job.

    What it says is read from the store when it is asked for, so that of one that runs it is always the latest. In words
    a relative difference is in per cent; in tables and values it is a fraction, 0.45 for 45 %.
    """

    def __init__(self, path: Path) -> None:
        read_experiment(path)  # raises where it is none
        self.path = path
        self._last: Reading | None = None

    @property
    def id(self) -> str:
        """Its name in the store."""
        return self.path.name

    @property
    def title(self) -> str:
        """The question that it asks."""
        return read_experiment(self.path).title

    @property
    def state(self) -> str:
        """`new`, `queued`, `running`, `finished`, `stopped`, `failed` or `interrupted`."""
        return state_of(self.path).state

    @property
    def verdict(self) -> str:
        """What was found, in a line or a few: as the command line closes; of what is no search, as it lists it."""
        experiment = read_experiment(self.path)
        if not experiment.is_search:
            return found_in_short(self.path, experiment, self._records) or "no result yet"
        words = "\n".join(verdict_lines(self._content))
        return words or self._best_words() or "no result yet"

    @property
    def regions(self) -> pd.DataFrame:
        """Where the two differ more than elsewhere, as fresh trainings show: a row each, empty where there is none.

        Where nothing was trained anew (`confirm=False`) they are what the search alone lets expect; `blocks` is 0 then.

        Columns: number (the report's), where (in words), NAME.low and NAME.high or NAME.values of each hyperparameter
        that bounds it, mean (of the signed difference, fresh trainings), low, high (its 95 % interval), elsewhere,
        more (the contrast with elsewhere), more_low, more_high, share (of the space), blocks (fresh ones).
        """
        return _region_table(self._content.get("regions") or ())

    @property
    def not_shown(self) -> pd.DataFrame:
        """Regions that the search claimed and fresh trainings did not show; columns as of `regions`."""
        return _region_table(self._content.get("rejected") or ())

    @property
    def best(self) -> pd.Series | None:
        """The point with the largest difference (of one model: with the best metric), as the search saw it.

        Hyperparameters by name, then `difference` (or the metric's name). None before the first result.
        """
        best = self._content.get("best")
        if best is None:
            return None
        experiment = read_experiment(self.path)
        what = experiment.metric if experiment.kind == "single" else "difference"
        return pd.Series({**best["point"], what: best["difference"]}, name=best["evaluation"], dtype=object)

    @property
    def confirmed(self) -> pd.DataFrame:
        """The best points on fresh seeds and splits: a row each, empty where none was trained anew.

        Columns: the hyperparameters, searched (what the search saw), mean (on fresh trainings), low, high (95 %),
        more, more_low, more_high (than elsewhere), seeds, verdict (`confirmed` or why not).
        """
        rows = []
        for each in self._content.get("confirmed") or ():
            low, high = _ends(each.get("interval"))
            more_low, more_high = _ends(each.get("contrast_interval"))
            said = {"searched": each["searched"], "mean": each["confirmed"], "low": low, "high": high}
            more = {"more": each.get("contrast"), "more_low": more_low, "more_high": more_high}
            rows.append({**each["point"], **said, **more, "seeds": each["seeds"], "verdict": each["verdict"]})
        return pd.DataFrame(rows, columns=None if rows else list(CONFIRMED_COLUMNS))

    @property
    def contributions(self) -> pd.DataFrame:
        """Who carries the difference: a row for each drug, cell line or other group that the predictions name.

        Columns: place (the region), kind (drug, cell line), group, rows (share of them), share (of the difference, NaN
        where the metric is no mean over rows), influence (by how much less the models differ without it) with low and
        high (95 %, of this group alone), named (whether it is shown to carry more or less than its share). Empty where
        nothing can be told; `explain` in the terminal says why.
        """
        rows = [
            {
                "place": place.claim.name,
                "kind": called(column.column),
                "group": group.name,
                "rows": group.rows,
                "share": group.share,
                "influence": group.influence,
                "low": group.interval[0],
                "high": group.interval[1],
                "named": group.name in {each.name for each in column.named},
            }
            for place in self._read.explanation.places
            for column in place.columns
            for group in column.groups
        ]
        return pd.DataFrame(rows, columns=list(CONTRIBUTION_COLUMNS))

    @property
    def evaluations(self) -> pd.DataFrame:
        """One row an evaluation, in the order in which they finished; columns as of `evaluations.csv` (docs)."""
        read = self._read
        return pd.DataFrame(evaluation_rows(read.summary, read.records))

    @property
    def runs(self) -> pd.DataFrame:
        """One row a training; columns as of `comparator export` (docs), and `history`.

        `history` is a DataFrame with a row an epoch and a column a metric, None where the model reports none.
        """
        read = self._read
        columns = Columns.of(read.records)
        table = pd.DataFrame(columns.of_all(read.experiment, read.records), columns=columns.names)
        store = RunStore(self.path.parent)
        table["history"] = [_history(store, run) for run in table["run"]]
        return table

    @property
    def figures(self) -> dict[str, str]:
        """The names of the figures that there are, each with its title."""
        return {figure.name: figure.title for figure in self._figures()}

    def figure(self, name: str = "regions") -> Chart:
        """A figure of the report as Altair's chart, by a name of `figures`; `regions` is the first, the map.

        Save it with `.save("map.pdf")`, or `.png`, `.svg`. Raises `InputError` where there is no such figure.
        """
        from altair import Chart

        from comparator.report.figures.files import standing

        if in_notebook():
            _show_pictures()
        figures = {figure.name: figure for figure in self._figures()}
        if name == "regions" and name not in figures and figures:
            name = next(iter(figures))
        if name not in figures:
            known = ", ".join(["regions", *figures]) if figures else "none before the first result"
            raise InputError(f"'{self.id}' has no figure '{shortened(name)}'{nearest(name, figures)}; figures: {known}")
        return Chart.from_dict(standing(figures[name]))

    def predict(self, /, **point: Any) -> dict[str, Any]:
        """What the results let expect at a point that was not tried: mean, 95 % intervals, the nearest point tried.

        Raises `InputError` where it is no point of the space, `ComparatorError` where there are too few results.
        """
        read = self._read
        with one_thread():
            predicted = prediction.predict_point(read.experiment, read.records, plain(point))
        return prediction.as_json(read.experiment, predicted)

    def report(self) -> Path:
        """Write the report again, and return the path of its page."""
        return write_report(self.path)

    def __repr__(self) -> str:
        return "\n".join([self._head(), *self._lines()])

    def _repr_html_(self) -> str:
        """The answer, the regions and the map, for a notebook."""
        lines = [f"<b>{html.escape(self._head())}</b>", *map(html.escape, self._lines())]
        regions = self._content.get("regions")
        table = _regions_in_words(regions, measure_of(read_experiment(self.path))) if regions else ""
        return f"<div>{'<br>'.join(lines)}{table}{self._map()}</div>"

    def _lines(self) -> list[str]:
        """The verdict, and the best point where the verdict is not that."""
        best = self._best_words()
        return list(dict.fromkeys([*self.verdict.split("\n"), *([] if best is None else [best])]))

    def _head(self) -> str:
        experiment = read_experiment(self.path)
        row = experiment_row(self.path, experiment, self._records)
        done = f"{row['evaluations']}/{row['of']}" if row["of"] else f"{row['evaluations']}"
        what = "evaluations" if experiment.rechecks is None else "pairs of trainings"
        failed = f", {row['failed']} failed" if row["failed"] else ""
        return f"{self.id}: {experiment.title or 'no title'} ({self.state}, {done} {what}{failed})"

    def _best_words(self) -> str | None:
        records = self._records
        return (best_words(read_experiment(self.path), records) or None) if records else None

    @property
    def _records(self) -> list[Evaluation]:
        return read_records(self.path / "evaluations.jsonl")

    def _map(self) -> str:
        """The first figure as SVG, whose size is the box's."""
        from comparator.report import figures
        from comparator.report.figures.files import figure_file, inline_svg

        drawn = figures.leading(self._read.material)
        if not drawn:
            return ""
        picture = inline_svg(figure_file(drawn[0], "svg").decode("utf-8"), self.id)
        return f'<div style="max-width: 40em">{picture}</div>'

    def _figures(self) -> list[Figure]:
        from comparator.report import figures

        return figures.draw(self._read.material)

    @property
    def _content(self) -> Mapping[str, Any]:
        """What `report.json` holds, from there where it is of this very record."""
        reported = read_reported(self.path, self._records)
        if reported is not None:
            return reported
        read = self._read
        return {**read.answer.as_json(), **findings_json(read.findings), **summary_json(read.summary)}

    @property
    def _read(self) -> Reading:
        """The record as it is; what was worked out of it is kept until there is more."""
        experiment, records = read_experiment(self.path), self._records
        if self._last is None or (self._last.experiment, len(self._last.records)) != (experiment, len(records)):
            self._last = reading_of(self.path, experiment, records)
        return self._last


def _show_pictures() -> None:
    """Have a notebook show charts as pictures, unless it was told otherwise: Altair's default fetches JavaScript."""
    from altair import renderers

    if renderers.active == "default":
        renderers.enable("png", scale_factor=2)


REGION_COLUMNS = (
    *("number", "where", "mean", "low", "high", "elsewhere", "more", "more_low", "more_high", "share", "blocks"),
)
CONFIRMED_COLUMNS = ("searched", "mean", "low", "high", "more", "more_low", "more_high", "seeds", "verdict")


CONTRIBUTION_COLUMNS = ("place", "kind", "group", "rows", "share", "influence", "low", "high", "named")


def _region_table(regions: Any) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for each in regions:
        low, high = _ends(each.get("interval"))
        more_low, more_high = _ends(each.get("contrast_interval"))
        row: dict[str, Any] = {"number": each.get("number", len(rows) + 1), "where": each["words"].split(":")[0]}
        for name, bounds in each["bounds"].items():
            row |= _bounds_columns(name, bounds)
        row |= {"mean": each["mean"], "low": low, "high": high, "elsewhere": each.get("outside")}
        row |= {"more": each.get("contrast"), "more_low": more_low, "more_high": more_high}
        rows.append({**row, "share": each.get("share"), "blocks": each.get("blocks")})
    return pd.DataFrame(rows, columns=None if rows else list(REGION_COLUMNS))


def _regions_in_words(regions: Sequence[Mapping[str, Any]], measure: Measure) -> str:
    """The regions as people read them, as a table in HTML."""
    more = f"more by{measure.in_units}"
    rows = [
        {
            "": each.get("number", place),
            "where": each["words"].split(":")[0],
            "difference there": measure.amounts(each["mean"], each.get("interval")),
            "elsewhere": measure.amounts(each.get("outside"), each.get("outside_interval")),
            more: measure.apart(each.get("contrast"), each.get("contrast_interval"), unit=False),
            "share of the space": percent(each["share"]),
            "fresh blocks": each["blocks"],
        }
        for place, each in enumerate(regions, start=1)
    ]
    return str(pd.DataFrame(rows).to_html(index=False, border=0))


def _bounds_columns(name: str, bounds: Any) -> dict[str, Any]:
    """The bounds of one hyperparameter as `Box.bounds` has them: two numbers, or the values of a list."""
    if isinstance(bounds, Mapping):
        return {f"{name}.values": tuple(bounds["values"])}
    return {f"{name}.low": bounds[0], f"{name}.high": bounds[1]}


def _ends(interval: Any) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval[0], interval[1])


def _history(store: RunStore, run: Any) -> pd.DataFrame | None:
    result = store.result(run) if isinstance(run, str) and run else None
    if result is None or not result.history:
        return None
    return pd.DataFrame({name: pd.Series(values, dtype=float) for name, values in result.history.items()})
