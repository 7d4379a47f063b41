"""The report of an experiment: one page, figures, a table and a file for programs.

Made from `experiment.json` and `evaluations.jsonl` in the experiment's folder, and, where they are there, from
the histories of its runs and a grid over the same space beside it; it can be made while the experiment runs,
and again later. Each file is written whole, then renamed. `reading` has what they are made of, `evaluations_csv` the
columns of the table.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from comparator.findings.recheck import as_json as rechecked_json
from comparator.findings.summary import as_json as summary_json
from comparator.findings.verdict import as_json as findings_json
from comparator.formats.names import check_name
from comparator.report.evaluations_csv import evaluations_csv
from comparator.report.material import Files, Material
from comparator.report.reading import Reading, read_in
from comparator.results.run_store import withdrawals
from comparator.results.tally import doubled_in

if TYPE_CHECKING:
    from comparator.report.page import Gallery

__all__ = ["write_report"]


def write_report(
    folder: Path,
    metric: str | None = None,
    output: Path | None = None,
    *,
    png: bool = False,
    told: Callable[[float], None] = lambda share: None,
) -> Path:
    """Write the report of the experiment in `folder` and return the path of its page.

    Writes `report.html` (self-contained; it gives each of its figures as PNG and SVG), `report.json` and
    `evaluations.csv` into `output`, `folder` if not given; with `png` each figure into `figures/` too, as PNG and SVG,
    which takes longer than all the rest. With another `metric` than the
    experiment's own, the experiment is read again in it, and `report-METRIC.html` and so on are written beside these.
    `told` is called with the share that is done, as it grows.
    Raises InputError where `folder` holds no readable experiment, or where no run reports `metric`.
    """
    from comparator.evidence.threads import one_thread

    with one_thread(loads_scipy=True), _without_collecting():
        return _write_report(folder, metric, output or folder, png=png, told=told)


#: The shares of a report, by the time they take, that are done once a part is.
READ, FOUND, COMPARED, DRAWN = 0.05, 0.45, 0.7, 0.9


def _write_report(folder: Path, metric: str | None, output: Path, *, png: bool, told: Callable[[float], None]) -> Path:
    told(0.0)
    read = read_in(folder, metric)
    summary = read.summary
    told(READ)
    _ = read.findings  # worked out here, so that the share that is done can be told
    told(FOUND)
    _ = read.compared
    told(COMPARED)
    suffix = "" if metric in (None, read.own_metric) else f"-{check_name(summary.metric, '--metric')}"
    figures = output / f"figures{suffix}"
    gallery = gallery_of(read.material)
    if png:
        _write_figures(figures, gallery)
    else:
        _remove_figures(figures)
    told(DRAWN)
    table = output / f"evaluations{suffix}.csv"
    _write(table, evaluations_csv(summary, read.records).encode("utf-8", "replace"))
    _write(output / f"report{suffix}.json", json.dumps(_for_programs(read), indent=2, allow_nan=False).encode())

    page = output / f"report{suffix}.html"
    experiments = quote(os.path.relpath(folder.parent, output).encode("utf-8", "replace"))
    files = Files(figures.name if png else "", table.name, experiments)
    _write(page, page_of(read, gallery, files).encode("utf-8", "replace"))
    return page


def _for_programs(read: Reading) -> dict[str, Any]:
    """Return what `report.json` holds."""
    from comparator.report.explanation import SHOWN

    return {
        "id": read.summary.id,
        "title": read.summary.title,
        "metric": read.summary.metric,
        **read.answer.as_json(),
        **findings_json(read.findings),
        **summary_json(read.summary),
        "yardsticks": [asdict(each) for each in read.compared],
        "claims_in_metrics": [asdict(each) for each in read.in_metrics],
        "like_for_like": None
        if read.likeness is None
        else {**asdict(read.likeness), "is_alike": read.likeness.is_alike},
        "controls": read.controls and read.controls.as_json(),
        "rechecked": None if read.rechecked is None else rechecked_json(read.rechecked),
        "explained": read.explanation.as_json(most=SHOWN),
        "withdrawn": [note.as_json() for note in withdrawals(read.folder)],
        "doubled": doubled_in(read.records),
    }


def page_of(read: Reading, gallery: Gallery, files: Files) -> str:
    """Return the report's page as HTML."""
    from comparator.report.page import render  # jinja2, only where a page is made

    shown = read.experiment, read.summary, read.findings, read.compared, gallery, files, read.answer, read.notices
    return render(*shown, read.likeness, read.explanation, read.in_metrics, read.controls)


def gallery_of(material: Material) -> Gallery:
    """Return the figures of a page."""
    from comparator.report import figures, page

    drawn = figures.draw(material)
    return page.Gallery.of(drawn, figures.left_out(material, drawn))


def _write_figures(folder: Path, gallery: Gallery) -> None:
    """Write each figure as PNG and SVG; those of an earlier report go."""
    from comparator.report.figures.files import figure_file

    folder.mkdir(exist_ok=True)
    files = {f"{one.name}.{form}": (one, form) for one in gallery.figures for form in ("png", "svg")}
    for name, (one, form) in files.items():
        _write(folder / name, figure_file(one, form))
    _remove_figures(folder, but=files)


def _remove_figures(folder: Path, but: Collection[str] = ()) -> None:
    """Remove the figures of an earlier report, and their folder where it is empty then."""
    for path in [*folder.glob("*.svg"), *folder.glob("*.png")]:
        if path.name not in but:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Leave cycles of garbage for later: looking through all that is imported again and again takes a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _write(path: Path, content: bytes) -> None:
    """Write the whole file beside `path`, then rename it: a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
