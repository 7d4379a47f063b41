"""What the process that makes pages is asked: everything here takes seconds, and reads the store alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from comparator.report.figures.maps import Ground


@dataclass(frozen=True)
class Page:
    """The page of an experiment as of so many `evaluations`, and what the dots of its maps lie on."""

    evaluations: int
    html: str
    ground: Ground | None


def make_page(folder: Path, metric: str | None, experiments: str) -> Page:
    """Make the report's page, read in another metric where one is given; raises `InputError`.

    `experiments` is the address of the folder of all experiments, as the page has it.
    """
    from scipy import linalg  # noqa: F401  which brings a BLAS of its own

    from comparator.evidence.threads import one_thread
    from comparator.report import gallery_of, page_of, read_in
    from comparator.report.figures.maps import ground_of
    from comparator.report.material import Files

    with one_thread():
        read = read_in(folder, metric)
        html = page_of(read, gallery_of(read.material), Files(experiments=experiments))
        ground = ground_of(read.material) if read.summary.evaluations else None
    return Page(len(read.records), html, ground)


def table_of(folder: Path, metric: str | None) -> str:
    """The table of an experiment's evaluations, as CSV; raises `InputError`."""
    from comparator.report import evaluations_csv, read_in

    read = read_in(folder, metric)
    return evaluations_csv(read.summary, read.records)
