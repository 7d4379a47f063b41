"""A page of many evaluations: its marks and its size are bounded, and nothing that it says of an evaluation is lost."""

from __future__ import annotations

import json
import random
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from pages import Page, unpacked
from recorded import LAYERS, NOISE, make_experiment, sampled, save, summary_of

from comparator.findings.verdict import Findings
from comparator.report import figures, page
from comparator.report.figures.crowd import ACROSS, MANY, UP, gathered
from comparator.report.material import Files, Material
from comparator.report.packing import PLACES, compressed, packed

Row = dict[str, Any]

SPACE = [{**NOISE}, {**LAYERS}]
LINEAR: Row = {"scale": {}}
LOG: Row = {"scale": {"type": "log"}}


def rows_of(count: int) -> list[Row]:
    luck = random.Random(3)
    return [
        {
            "x": luck.uniform(0, 50),
            "y": 10 ** luck.uniform(-4, -1),
            "v": luck.gauss(0.3, 0.1),
            "series": ("one", "other")[number % 2],
            "evaluations": [number],
            "tip": f"evaluation {number}",
        }
        for number in range(count)
    ]


def test_few_marks_stay_as_they_are() -> None:
    rows = rows_of(MANY)
    assert gathered(rows, LINEAR, LOG) == rows


@pytest.mark.parametrize("count", [MANY + 1, 4 * MANY])
def test_neighbours_of_many_are_one_mark_at_their_mean(count: int) -> None:
    rows = rows_of(count)
    marks = gathered(rows, LINEAR, LOG)
    assert len(marks) <= 2 * ACROSS * UP, "for each series as many as there are parts"
    assert sorted(chain.from_iterable(mark["evaluations"] for mark in marks)) == list(range(count))
    for mark in marks:
        own = [rows[number] for number in mark["evaluations"]]
        assert {row["series"] for row in own} == {mark["series"]}
        assert max(row["x"] for row in own) - min(row["x"] for row in own) <= 50 / ACROSS
        assert max(row["y"] for row in own) / min(row["y"] for row in own) <= 10 ** (3 / UP) * (1 + 1e-9)
        assert mark["v"] == pytest.approx(sum(row["v"] for row in own) / len(own))
        assert mark["tip"] == own[0]["tip"] if len(own) == 1 else mark["tip"].startswith(f"{len(own)} evaluations\n")


def test_what_lies_on_top_stays_there_and_what_has_no_place_is_kept() -> None:
    rows = sorted(rows_of(MANY + 2), key=lambda row: row["v"])
    rows[0]["x"] = None
    marks = gathered(rows, LINEAR, LOG)
    assert rows[-1]["evaluations"][0] in marks[-1]["evaluations"]
    assert marks[0] == rows[0]


def material_of(count: int) -> Material:
    records = [{**record, "generation": None} for record in sampled(SPACE, count)]
    return Material(summary_of(records, space=SPACE), Findings(None, "made up"))


@pytest.mark.long
def test_figures_have_no_more_marks_for_more_evaluations() -> None:
    def marks(count: int) -> dict[str, int]:
        drawn = figures.draw(material_of(count))
        return {each.name: sum(len(part["data"]["values"]) for part in each.chart["layer"]) for each in drawn}

    few, many = marks(2 * MANY), marks(4 * MANY)
    assert few.keys() == many.keys()
    assert all(many[name] <= 1.3 * few[name] for name in few), (few, many)


@pytest.mark.long
def test_what_is_packed_is_found_again(tmp_path: Path) -> None:
    """Numbers of the table are the same; places of marks are so to less than what is seen."""
    made = material_of(2 * MANY)
    drawn = {each.name: each.chart for each in figures.draw(made)}
    table = page.evaluations_content(made.summary)
    html = f'<script type="text/plain" id="packed">{packed(drawn, table)}</script>'
    charts, again = unpacked(Page(html).data["packed"])
    assert again == json.loads(json.dumps(table))
    for name, chart in drawn.items():
        for before, now in zip(chart["layer"], charts[name]["layer"], strict=True):
            assert {**before, "data": None} == {**now, "data": None}
            check_rows(before["data"]["values"], now["data"]["values"])


def check_rows(before: list[Row], now: list[Row]) -> None:
    assert len(before) == len(now)
    for name in before[0] if before else ():
        values = [[row.get(name) for row in rows] for rows in (before, now)]
        if name in PLACES and all(isinstance(each, (int, float)) for each in values[0]):
            width = max(values[0]) - min(values[0])
            pairs = zip(*values, strict=True)
            assert all(abs(one - other) <= max(3e-4 * width, 6e-4 * abs(one)) for one, other in pairs)
        else:
            assert values[0] == values[1], name


def size_of(count: int) -> int:
    made = material_of(count)
    gallery = page.Gallery.of(figures.draw(made))
    charts = {each.name: each.chart for each in gallery.figures}
    return len(packed(charts, page.evaluations_content(made.summary, Files().experiments)))


@pytest.mark.long
def test_an_evaluation_more_costs_a_page_little() -> None:
    assert (size_of(4 * MANY) - size_of(2 * MANY)) / (2 * MANY) < 150  # bytes, of which two logs take the most


def test_what_is_compressed_is_the_same_each_time() -> None:
    assert compressed("a page") == compressed("a page")


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome to look at the page with")
@pytest.mark.usefixtures("quick_reports")
def test_a_browser_unpacks_what_was_packed(tmp_path: Path) -> None:
    from comparator.report import write_report

    folder = save(tmp_path / "many-1", make_experiment(id="many-1", space=SPACE), sampled(SPACE, MANY + 100))
    report = write_report(folder)
    known = Page(report.read_text(encoding="utf-8"))
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(report, 1280)
        assert browser.ask("comparatorContent.charts") == known.charts
        assert browser.ask("comparatorContent.evaluations") == known.data["evaluations"]
        browser.wait("[...document.querySelectorAll('[data-figure]')].every((one) => one.dataset.drawn !== undefined)")
        assert browser.ask("document.getElementById('shown').textContent") == f"{MANY + 100} of {MANY + 100}"
        browser.ask("comparatorPage.set([5, 6, 7], true)")
        browser.wait("document.getElementById('shown').textContent.startsWith('3 of')")
        assert browser.complaints() == []
    finally:
        browser.close()
