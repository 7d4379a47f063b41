"""`comparator data`: look at the tables that models learn from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comparator.cli.app import JsonOption, data_app, out
from comparator.errors import InputError
from comparator.experiment.terminal import tell

if TYPE_CHECKING:
    from comparator.checks.data import DataFound


@data_app.command("check")
def check_data(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="In the layout of IMPROVE, coderdata, drevalpy or DepMap.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Look through a folder of tables: ids, and the rows that joins leave; exit status 1 where something is wrong."""
    from comparator.checks import data

    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = data.check_data(folder)
    if as_json:
        print(json.dumps(asdict(found), indent=1))
    else:
        _show(found)
    if found.fails:
        raise typer.Exit(1)


def _show(found: DataFound) -> None:
    """Print the tables and the studies, a line each, then what is to be said of them."""
    tell(out, f"{found.layout}'s layout: {found.folder}")
    kinds = ("cell lines", "drugs")
    _print_columns(
        ("table", "rows", *kinds, "without id", "repeated"),
        [
            (each.file, each.rows, *(each.ids.get(kind, "") for kind in kinds), each.without or "", each.repeated or "")
            for each in found.tables
        ],
    )
    if found.studies:
        _print_columns(
            ("study", "rows", "left out", "left", *kinds, "repeated", "splits"),
            [
                (
                    *(each.study, each.rows, each.rows - each.kept or "", each.kept, each.cell_lines, each.drugs),
                    *(each.repeated or "", each.splits or ""),
                )
                for each in found.studies
            ],
        )
    for study in found.studies:
        for step in study.left_out:
            more = f" and {len(step.ids) - 1} more" if len(step.ids) > 1 else ""
            ids = f" ('{step.ids[0]}'{more})" if step.ids else ""
            tell(out, f"{study.study}: {step.rows} of {study.rows} rows left out: {step.reason}{ids}")
    for study in found.studies:
        values = ", ".join(f"{name} {count}" for name, count in study.measured.items())
        tell(out, f"{study.study}: values of {values}" if values else f"{study.study}: no measure")
    for finding in found.findings:
        tell(out, str(finding))
    if not found.fails:
        tell(out, "nothing is wrong")


def _print_columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table under its head, without the columns that are empty in every row."""
    from rich.table import Table

    shown = [place for place in range(len(head)) if place == 0 or any(row[place] != "" for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place in shown:
        table.add_column(head[place], justify="left" if place == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(f"{row[place]:,}" if isinstance(row[place], int) else str(row[place]) for place in shown))
    out.print(table)
