"""The page in a real browser, at desktop and phone width: nothing sticks out, nothing fails, what is promised works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from recorded import genetic, make_experiment, sampled, save, with_histories
from test_findings import experiment_of, in_region, records_of, tried_anew

from comparator.report import write_report

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome to look at the page with"),
    pytest.mark.usefixtures("quick_reports"),
]

WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A search with learning curves, one over four names that are too long, one with a region and confirmed points."""
    folder = tmp_path_factory.mktemp("experiments")
    search = save(folder / "cmp-ga-3", make_experiment(), with_histories(folder, genetic()))
    space = [
        {"name": "noise", "type": "float", "lower": 0, "upper": 50},
        {"name": "x" * 90, "type": "float", "lower": 1e-5, "upper": 1, "use_log_scale": True},
        {"name": "activation", "type": "categorical", "values": ["relu", "y" * 70]},
        {"name": "residual", "type": "logical"},
    ]
    wide = save(folder / "wide-1", make_experiment(space=space, title="T" * 200), sampled(space))
    records = records_of(in_region)
    claims = tried_anew(records, in_region)
    planted = save(folder / "planted-1", experiment_of(id="planted-1", **claims), records)
    return {"search": write_report(search), "wide": write_report(wide), "planted": write_report(planted)}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", ["search", "wide", "planted"])
def test_the_page_fits_its_window_and_does_not_complain(
    browser: Browser, pages: dict[str, Path], page: str, width: int
) -> None:
    browser.open(pages[page], width)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    sticking_out = browser.ask(
        "[...document.querySelectorAll('main > section, figure, figure svg, .scroll, h1, p')]"
        ".filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > innerWidth + 0.5)"
        ".map((one) => one.tagName + '.' + one.className)"
    )
    assert sticking_out == [] and browser.complaints() == []
    assert browser.ask("parseFloat(getComputedStyle(document.querySelector('.lead')).fontSize)") >= 16


@pytest.mark.parametrize("width", WIDTHS)
def test_headings_are_in_order_and_links_lead_somewhere(browser: Browser, pages: dict[str, Path], width: int) -> None:
    browser.open(pages["planted"], width)
    levels = browser.ask("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    sections = browser.ask("[...document.querySelectorAll('main > section > h2')].map((one) => one.textContent)")
    expected = ["Answer", "Where they differ", "The best on fresh blocks", "Figures", "Which hyperparameters matter"]
    expected += ["The same in other metrics", "How it was run", "How to repeat it"]
    assert [one for one in sections if one in expected] == expected
    labelled = browser.ask(
        "[...document.querySelectorAll('section')]"
        ".every((one) => document.getElementById(one.getAttribute('aria-labelledby')))"
    )
    lost = browser.ask(
        "[...document.querySelectorAll('a[href^=\"#\"]')]"
        ".filter((one) => !document.getElementById(decodeURIComponent(one.hash.slice(1)))).map((one) => one.hash)"
    )
    assert labelled and lost == []
    files = browser.ask("[...document.querySelectorAll('.files a, .note a')].map((one) => one.getAttribute('href'))")
    assert files and all((pages["planted"].parent / name).exists() for name in files if not name.startswith("#"))


def test_a_region_is_framed_on_the_map_and_said_in_words(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["planted"], 1280)
    words = browser.ask("[...document.querySelectorAll('.regions li')].map((one) => one.innerText)")
    assert words and all("mean difference" in each for each in words)
    numbers = browser.ask(
        "[...document.querySelectorAll('#figure-search svg text')].map((one) => one.textContent.trim())"
    )
    assert "1" in numbers
    beside = browser.ask(
        "document.querySelector('.regions').getBoundingClientRect().right"
        " <= document.querySelector('#figure-search').getBoundingClientRect().left + 1"
    )
    assert beside


@pytest.mark.parametrize("width", WIDTHS)
def test_a_mark_says_its_values_and_its_click_chooses_rows(
    browser: Browser, pages: dict[str, Path], width: int
) -> None:
    browser.open(pages["search"], width)
    cell = "#figure-search [data-evaluations]"
    place = browser.place_of(cell)
    browser.mouse("mouseMoved", *place)
    assert browser.ask("document.getElementById('tip').hidden") is False
    said = browser.ask("document.getElementById('tip').textContent")
    assert said == browser.ask(f"document.querySelector('{cell}').dataset.tip") and said.startswith("noise ")
    box = browser.ask(
        "(({left, right, top}) => [left, right, top])(document.getElementById('tip').getBoundingClientRect())"
    )
    assert box[0] >= 0 and box[1] <= width and box[2] >= 0
    browser.click(*place)
    shown = browser.ask(
        "[...document.querySelectorAll('#table tbody tr:not([hidden])')].map((row) => row.dataset.evaluation)"
    )
    numbers = browser.ask(f"document.querySelector('{cell}').dataset.evaluations").split()
    assert sorted(shown) == sorted(numbers)
    assert browser.ask("document.getElementById('shown').textContent") == f"{len(numbers)} of 56"
    browser.click(*browser.place_of("#clear"))
    assert browser.ask("document.querySelectorAll('#table tbody tr:not([hidden])').length") == 56
    assert browser.complaints() == []


def test_a_row_finds_its_marks_and_the_table_sorts(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    browser.click(*browser.place_of("#table tbody tr td", 0))
    number = browser.ask("document.querySelector('#table tbody tr').dataset.evaluation")
    marked = browser.ask("[...document.querySelectorAll('figure .chosen')].map((mark) => mark.dataset.evaluations)")
    assert marked and all(number in each.split() for each in marked)
    browser.click(*browser.place_of("#table thead button", 2))
    order = browser.ask(
        "[...document.querySelectorAll('#table tbody tr')].map((row) => Number(row.cells[2].dataset.order))"
    )
    assert order == sorted(order)


def test_a_choice_holds_for_all_figures_that_offer_it(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    shown = "[...document.querySelectorAll('.picture:not([hidden]) svg')].map((one) => one.getAttribute('aria-label'))"
    before = browser.ask(shown)
    own = "[data-choose='each its own scale']"
    browser.click(*browser.place_of(own))
    captions = browser.ask(
        "[...document.querySelectorAll('.picture[data-of=scale]:not([hidden])')].map((one) => one.dataset.choice)"
    )
    assert captions == ["each its own scale"] * 2 and browser.ask(shown) == before
    browser.click(*browser.place_of("[data-choose='second point']"))
    assert browser.ask(shown) == [each.replace("best point", "second point") for each in before]
    pressed = browser.ask("[...document.querySelectorAll('[aria-pressed=true]')].map((one) => one.dataset.choose)")
    assert sorted(pressed) == ["each its own scale", "each its own scale", "second point"]


def test_a_line_is_pointed_at_along_its_stroke_alone(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["wide"], 1280)
    line = "#figure-parallel [data-line]"
    browser.place_of(line)
    on, beside = browser.ask(
        f"(() => {{ const all = [...document.querySelectorAll('{line}')], top = all[all.length - 1];"
        " const at = (share) => { const p = top.getPointAtLength(share * top.getTotalLength());"
        " return new DOMPoint(p.x, p.y).matrixTransform(top.getScreenCTM()); };"
        " const hit = (p) => Boolean(document.elementFromPoint(p.x, p.y)?.dataset.line !== undefined);"
        " const box = document.querySelector('#figure-parallel svg').getBoundingClientRect();"
        " return [hit(at(0.01)), hit(new DOMPoint(box.left + 2, box.top + 2))]; })()"
    )
    assert on and not beside
