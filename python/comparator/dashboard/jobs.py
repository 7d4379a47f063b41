"""What the process that makes pages is asked: everything here takes seconds, and reads the store alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from comparator.findings.summary import Summary
from comparator.findings.verdict import Findings
from comparator.report.figures.maps import Ground
from comparator.results.frozen import FrozenExperiment


@dataclass(frozen=True)
class Page:
    """The page of an experiment as of so many `evaluations`, and what the dots of its maps lie on.

    `done` of them count for the budget, `confirming` stand beside it.
    """

    evaluations: int
    done: int
    confirming: int
    html: str
    ground: Ground | None


def make_page(folder: Path, metric: str | None, experiments: str) -> Page:
    """Make the report's page, read in another metric where one is given; raises `InputError`.

    `experiments` is the address of the folder of all experiments, as the page has it.
    """
    from comparator.report import gallery_of, page_of
    from comparator.report.figures.maps import ground_of
    from comparator.report.material import Files
    from comparator.report.reading import read_in

    read = read_in(folder, metric)
    material = read.material
    html = page_of(read, gallery_of(material), Files(experiments=experiments))
    ground = ground_of(material) if read.summary.evaluations else None
    number = read.summary.number
    return Page(len(read.records), number.done, number.confirming, html, ground)


def first_page(experiment: FrozenExperiment, summary: Summary, state: str, experiments: str) -> Page:
    """Make a page of an experiment's dots and table alone, which takes no time: what they say together comes later."""
    from comparator.report.answer import answer_of
    from comparator.report.figures.maps import ground_of, maps_on
    from comparator.report.material import Files, Material
    from comparator.report.next_step import BEING_READ
    from comparator.report.page import Gallery, render

    findings = Findings(None, BEING_READ)
    ground = ground_of(Material(summary, findings)) if summary.evaluations else None
    gallery = Gallery.of(maps_on(summary, ground) if ground is not None else [])
    said = answer_of(experiment, summary, findings, state)
    html = render(experiment, summary, findings, [], gallery, Files(experiments=experiments), said)
    number = summary.number
    return Page(len(summary.evaluations), number.done, number.confirming, html, ground)


def table_of(folder: Path, metric: str | None) -> str:
    """The table of an experiment's evaluations, as CSV; raises `InputError`."""
    from comparator.report.evaluations_csv import evaluations_csv
    from comparator.report.reading import read_in

    read = read_in(folder, metric)
    return evaluations_csv(read.summary, read.records)
