"""The page in a real browser, at desktop and phone width: nothing sticks out, nothing fails, what is promised works."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from planted_records import experiment_of, in_region, records_of, tried_anew
from recorded import genetic, make_experiment, sampled, save, with_histories

from comparator.report import write_report
from comparator.report.page import _asset

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome to look at the page with"),
    pytest.mark.usefixtures("quick_reports"),
    pytest.mark.long,
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
    made = {"search": search, "wide": wide, "planted": planted}
    alone = {"kind": "single", "objective": {"name": "val_loss", "maximise": False}}
    models = make_experiment()["models"][:1]
    made["single"] = save(
        folder / "single-1",
        make_experiment(id="single-1", models=models, **alone),
        [{**one, "value": -one["value"], "runs": one["runs"][:1]} for one in genetic(30, ())],
    )
    made["failed"] = save(folder / "failed-1", make_experiment(id="failed-1"), genetic(3, (0, 1, 2)))
    made["many"] = save(folder / "many-1", make_experiment(id="many-1"), genetic(300, ()))
    long = [f"{name}, a network with a long name" for name in ("Left", "Right")]
    named = [{**one, "label": name} for one, name in zip(make_experiment()["models"], long, strict=True)]
    four = [{"name": name, "type": "float", "lower": 0, "upper": 50} for name in ("noise", "a", "b", "c")]
    made["image"] = save(
        folder / "image-1", make_experiment(id="image-1", space=four, models=named), sampled(four, 400)
    )
    bad = "</script><img src=x onerror=alert(1)>"
    named = [
        {"name": bad, "type": "float", "lower": 0, "upper": 50},
        {"name": "b", "type": "categorical", "values": [bad, "c"]},
    ]
    made["hostile"] = save(
        folder / "hostile-1", make_experiment(id="hostile-1", space=named, title=bad), sampled(named)
    )
    return {name: write_report(each) for name, each in made.items()}


DRAWN = "[...document.querySelectorAll('[data-figure]')].every((one) => one.dataset.drawn !== undefined)"
SHOWN = (
    "[...document.querySelectorAll('#table tbody tr[data-evaluation]')].map((row) => Number(row.dataset.evaluation))"
)
MARKS = "#figure-search svg .mark-symbol path"


#: Text of the page outside its figures whose contrast to its ground is below 4.5 (WCAG 2, AA), or that is below 12 px.
HARD_TO_READ = """(() => {
  const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => numbers(colour).slice(0, 3).map((each) => channel(each / 255))
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return (numbers(colour)[3] ?? 1) > 0.99 ? colour : ground(one.parentElement);
  };
  const isText = (one) => !one.closest("svg, script, noscript") && one.getClientRects().length
    && [...one.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
  return [...document.querySelectorAll("body *")].filter(isText).filter((one) => {
    const [low, high] = [getComputedStyle(one).color, ground(one)].map(light).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05) < 4.5 || parseFloat(getComputedStyle(one).fontSize) < 12;
  }).map((one) => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`);
})()"""
NAMELESS = (
    "[...document.querySelectorAll('a[href], button, input, select, [tabindex=\"0\"], [role=img]')]"
    ".filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length)).map((one) => one.outerHTML)"
)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_and_all_that_can_be_reached_has_a_name(
    browser: Browser, pages: dict[str, Path], scheme: str, width: int
) -> None:
    for page in ("planted", "failed"):
        browser.open(pages[page], width, scheme=scheme)
        browser.ask("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert browser.ask(HARD_TO_READ) == [] and browser.ask(NAMELESS) == [], page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", ["search", "wide", "planted", "single", "failed"])
def test_the_page_fits_its_window_and_does_not_complain(
    browser: Browser, pages: dict[str, Path], page: str, width: int
) -> None:
    browser.open(pages[page], width)
    browser.wait(DRAWN)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    sticking_out = browser.ask(
        "[...document.querySelectorAll('main > section, figure, .chart svg, .scroll, h1, p')]"
        ".filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > innerWidth + 0.5)"
        ".map((one) => one.tagName + '.' + one.className)"
    )
    assert sticking_out == [] and browser.complaints() == []
    assert browser.ask("parseFloat(getComputedStyle(document.querySelector('.lead')).fontSize)") >= 16


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_question_map_answer_and_next_step_are_on_the_first_screen(
    browser: Browser, pages: dict[str, Path], width: int, height: int
) -> None:
    browser.open(pages["planted"], width, height)
    browser.wait("document.querySelector('.first [data-drawn]')")
    for part in ("h1", "#figure-search svg", "#answer .lead", "#answer a.sure", "#answer .next"):
        low = browser.ask(f"document.querySelector({json.dumps(part)}).getBoundingClientRect().bottom")
        assert 0 < low <= height, part
    cautions = browser.ask("document.querySelector('#answer .but').innerText")
    assert cautions == "But see: the metrics disagree, not like for like, notices", "what speaks against stands with it"
    regions = browser.ask("[...document.querySelectorAll('#figure-search svg text')].map((one) => one.textContent)")
    assert "1" in regions, "the region is on the map with its number"


@pytest.mark.parametrize("width", WIDTHS)
def test_headings_are_in_order_and_links_lead_somewhere(browser: Browser, pages: dict[str, Path], width: int) -> None:
    browser.open(pages["planted"], width)
    levels = browser.ask("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    sections = browser.ask("[...document.querySelectorAll('section > h2')].map((one) => one.textContent)")
    expected = ["Answer", "How sure", "What was not seen", "Which hyperparameters matter", "The same in other metrics"]
    expected += ["Each model by itself", "All evaluations", "How it was run", "How to repeat it"]
    assert [one for one in sections if one in expected] == expected
    labelled = browser.ask(
        "[...document.querySelectorAll('section')]"
        ".every((one) => document.getElementById(one.getAttribute('aria-labelledby')))"
    )
    described = browser.ask(
        "[...document.querySelectorAll('[role=img]')]"
        ".every((one) => one.ariaLabel && document.getElementById(one.getAttribute('aria-describedby')))"
    )
    lost = browser.ask(
        "[...document.querySelectorAll('a[href^=\"#\"]')]"
        ".filter((one) => !document.getElementById(decodeURIComponent(one.hash.slice(1)))).map((one) => one.hash)"
    )
    assert labelled and described and lost == []
    files = browser.ask("[...document.querySelectorAll('.note a')].map((one) => one.getAttribute('href'))")
    assert files and all((pages["planted"].parent / name).exists() for name in files if not name.startswith("#"))


def test_figures_are_drawn_where_no_frame_is_shown(browser: Browser, pages: dict[str, Path]) -> None:
    """As when a page is made into a picture: the maps, whose parts wait for frames, would be missing."""
    none = "window.requestAnimationFrame = () => 0"
    script = browser.call("Page.addScriptToEvaluateOnNewDocument", source=none)["identifier"]
    try:
        browser.open(pages["many"], 1280)
        browser.wait("'drawn' in document.querySelector('[data-figure^=search]').dataset")
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_what_went_wrong_is_next_to_the_answer_where_nothing_came_out_and_sureness_before_all_else(
    browser: Browser, pages: dict[str, Path]
) -> None:
    sections = "[...document.querySelectorAll('section > h2')].map((one) => one.id)"
    browser.open(pages["failed"], 1280)
    assert browser.ask(sections)[:2] == ["answer-heading", "wrong"]
    browser.open(pages["search"], 1280)
    found = browser.ask(sections)
    assert found[:4] == ["answer-heading", "sure", "notices", "alike"] and found[-3:] == ["wrong", "how", "repeat"]


@pytest.mark.parametrize("width", WIDTHS)
def test_lines_break_between_the_words_of_a_command_and_around_amounts(
    browser: Browser, pages: dict[str, Path], width: int
) -> None:
    browser.open(pages["planted"], width)
    commands = browser.ask("[...document.querySelectorAll('.command code')].map((one) => one.textContent)")
    assert len(commands) > 4 and all(re.match(r"comparator [a-z]+ \S", each) for each in commands)
    broken = browser.ask(
        "[...document.querySelectorAll('.command code > span')]"
        ".filter((one) => one.scrollWidth < one.closest('code').clientWidth && one.offsetHeight > 22)"
        ".map((one) => one.textContent)"
    )
    assert broken == []
    intervals = browser.ask("[...document.querySelectorAll('.whole')].map((one) => one.getClientRects().length)")
    assert intervals and set(intervals) <= {0, 1}
    assert browser.ask("document.querySelector('main').innerText.match(/[0-9] %/g)") is None


def test_on_a_narrow_screen_every_cell_of_a_wide_table_stands_in_view_behind_its_heading(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["planted"], 390)
    cells = "[...document.querySelectorAll('.regions td')].filter((one) => one.textContent.trim())"
    assert "difference there" in browser.ask(f"{cells}.map((one) => one.dataset.label)")
    assert browser.ask(f"{cells}[0].dataset.label") == "region", "though its heading is for those who hear it alone"
    assert browser.ask(f"{cells}.every((one) => one.getBoundingClientRect().right <= innerWidth)")
    said = browser.ask(f"{cells}.map((one) => getComputedStyle(one, '::before').content)")
    assert '"how sure"' in said
    browser.open(pages["planted"], 1280)
    assert browser.ask("getComputedStyle(document.querySelector('.regions td')).display") == "table-cell"


def test_a_word_of_sureness_leads_to_what_it_rests_on(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["planted"], 1280)
    target = browser.ask("document.querySelector('a.sure').hash.slice(1)")
    browser.click(*browser.place_of("a.sure"))
    browser.wait(f"document.getElementById({json.dumps(target)}).matches(':target')")
    said = browser.ask(f"document.getElementById({json.dumps(target)}).innerText")
    assert "8 fresh blocks" in said and "t-test" in said and "1\u00a0%" in said


@pytest.mark.parametrize("width", WIDTHS)
def test_a_mark_says_its_values_and_its_click_chooses_rows(
    browser: Browser, pages: dict[str, Path], width: int
) -> None:
    browser.open(pages["search"], width)
    browser.wait(DRAWN)
    place = browser.place_of(MARKS, 20)
    browser.mouse("mouseMoved", *place)
    browser.wait("!document.getElementById('tip').hidden")
    said = browser.ask("document.getElementById('tip').textContent")
    assert said.startswith("evaluation ") and "noise " in said
    box = browser.ask(
        "(({left, right, top}) => [left, right, top])(document.getElementById('tip').getBoundingClientRect())"
    )
    assert box[0] >= 0 and box[1] <= width and box[2] >= 0
    browser.click(*place)
    browser.wait(f"comparatorPage.chosen().length && ({SHOWN}).length === 1")
    assert browser.ask(SHOWN) == browser.ask("comparatorPage.chosen()") == [int(said.split(":")[0].split()[1])]
    assert browser.ask("document.getElementById('shown').textContent") == "1 of 56"
    assert browser.ask("location.hash").startswith("#view?chosen=")
    browser.click(*browser.place_of("#clear"))
    assert browser.ask("document.getElementById('shown').textContent") == "56 of 56"
    assert browser.ask("location.hash") == "" and browser.complaints() == []


def test_a_row_finds_its_marks_and_the_table_sorts(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    browser.wait(DRAWN)
    faded = (
        f"[...document.querySelectorAll('{MARKS}')].filter((one) => Number(getComputedStyle(one).fillOpacity) < 0.5)"
    )
    assert browser.ask(f"{faded}.length") == 0
    browser.click(*browser.place_of("#table tbody tr[data-evaluation] td", 0))
    browser.wait(f"{faded}.length > 10")
    assert browser.ask("document.querySelector('#table tr.chosen').dataset.evaluation") == "0"
    browser.click(*browser.place_of("#table thead button", 2))
    cells = (
        "[...document.querySelectorAll('#table tr[data-evaluation]')].map((row) => Number(row.cells[2].textContent))"
    )
    browser.wait(f"(({cells})[0] < 3)")
    order = browser.ask(cells)
    assert order == sorted(order) and len(order) > 5
    assert browser.ask("document.querySelectorAll('#table thead th')[2].ariaSort") == "ascending"


TIP = "(document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent)"


def test_marks_and_rows_are_reached_and_picked_by_keys(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    browser.wait(DRAWN)
    assert browser.ask("document.querySelectorAll('.chart[tabindex]').length") > 6
    browser.ask("document.querySelector('[data-figure=search] .chart').focus()")
    said = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        browser.key(key)
        said.append(browser.ask(TIP))
    assert all(each.startswith("evaluation ") for each in said)
    assert said[0] == said[2] and len(set(said)) == 3, "right and left go from mark to mark, End to the last"
    noise = [float(re.search(r"noise ([0-9.]+)", each)[1]) for each in said]  # type: ignore[index]
    assert noise[0] <= noise[1] <= noise[3]
    browser.key("Enter")
    number = int(said[-1].split(":")[0].split()[1])
    browser.wait(f"comparatorPage.chosen().includes({number})")
    browser.key("Escape")
    assert browser.ask(TIP) == "" and browser.ask("comparatorPage.chosen()") == []

    browser.ask("document.getElementById('box').focus()")
    rows = "Number(document.activeElement.dataset.evaluation)"
    for expected in range(30):
        browser.key("ArrowDown")
        assert browser.ask(rows) == expected, "also beyond those that were in view"
    browser.key("Enter")
    browser.wait("comparatorPage.chosen().length === 1 && document.querySelector('#table tr.chosen')")
    browser.wait(f"{rows} === 29")
    browser.key("ArrowUp")
    assert browser.ask(rows) == 28, "the row that was picked keeps the focus"
    browser.key("Escape")
    assert browser.ask("comparatorPage.chosen()") == [] and browser.complaints() == []


def test_a_key_that_comes_before_the_table_shows_all_again_goes_through_all(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["search"], 1280)
    browser.wait(DRAWN)
    browser.ask("document.querySelector('[data-figure=search] .chart').focus()")
    browser.key("End")
    browser.key("Enter")
    browser.wait("document.querySelectorAll('#table tr[data-evaluation]').length === 1")
    in_one_frame = """(() => {
        const press = (on, key) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        const box = document.getElementById("box");
        press(document.body, "Escape");
        box.focus();
        press(box, "ArrowDown");
        return document.activeElement.dataset.evaluation;
    })()"""
    assert browser.ask(in_one_frame) == "0"


def test_a_frame_on_the_map_chooses_what_lies_in_it(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    browser.wait(DRAWN)
    left, top, right, bottom = browser.ask(
        f"(() => {{ const all = [...document.querySelectorAll('{MARKS}')].map((one) => one.getBoundingClientRect());"
        " const of = (side) => all.map((one) => one[side]); return [Math.min(...of('left')), Math.min(...of('top')),"
        " Math.max(...of('right')), Math.max(...of('bottom'))]; })()"
    )
    browser.mouse("mousePressed", left + 4, top + 4)
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=left + 50, y=top + 50, button="left", buttons=1)
    x, y = (left + right) / 2, (top + bottom) / 2
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, button="left", buttons=1)
    browser.mouse("mouseReleased", x, y)
    browser.wait("comparatorPage.chosen().length > 1 && !document.getElementById('conditions').hidden")
    inside = browser.ask("comparatorPage.chosen()")
    browser.wait(f"document.getElementById('shown').textContent === '{len(inside)} of 56'")
    browser.wait(f"({SHOWN}).every((number) => comparatorPage.chosen().includes(number))")
    address = browser.ask("location.hash")
    assert "in.noise=" in address and "in.layer_force=" in address
    browser.open(pages["search"], 1280, view=address)
    browser.wait("document.querySelector('#figure-search .frame')")
    assert browser.ask("comparatorPage.chosen()") == inside, "the address has the frame"


def test_frames_on_several_axes_hold_together_in_all_figures(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["wide"], 1280)
    browser.wait(DRAWN)
    counts = [browser.ask("comparatorPage.chosen().length")]
    left, top, width, height = browser.ask(
        "(() => { const one = document.querySelector('[data-figure=parallel] .chart');"
        " one.scrollIntoView({block: 'center', behavior: 'instant'});"
        " const box = one.querySelector('svg, canvas').getBoundingClientRect();"
        " return [box.x, box.y, box.width, box.height]; })()"
    )
    across = (0.1, 0.35)  # shares of the figure: near the first axis and the second
    for share in across:
        x = left + share * width
        browser.mouse("mousePressed", x, top + 0.2 * height)
        for y in (top + 0.3 * height, top + 0.5 * height):
            browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, button="left", buttons=1)
        browser.mouse("mouseReleased", x, top + 0.5 * height)
        browser.wait(f"comparatorPage.chosen().length !== {counts[-1]}")
        counts.append(browser.ask("comparatorPage.chosen().length"))
    assert browser.ask("comparatorPage.conditions().size") == 2 and counts[2] < counts[1]
    browser.wait("document.querySelectorAll('[data-figure=parallel] .frame').length === 2")
    assert browser.ask("document.querySelectorAll('[data-figure^=search] .frame').length") > 1, "the maps show them too"
    browser.ask("document.querySelector('#conditions span button').click()")
    browser.wait("comparatorPage.conditions().size === 1")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")
    browser.wait("comparatorPage.conditions().size === 0")
    assert browser.complaints() == []


def test_a_condition_is_typed_as_well(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    browser.ask("document.querySelector('#adding select').value = 'noise'")
    for words, holds in (("far away", 0), ("3 to 10", 1)):
        browser.ask(
            f"(() => {{ const adding = document.getElementById('adding'), side = adding.querySelector('input');"
            f" side.value = {json.dumps(words)}; side.setCustomValidity('');"
            " adding.querySelector('button').click(); })()"
        )
        assert browser.ask("comparatorPage.conditions().size") == holds
    assert browser.ask("location.hash") == "#view?in.noise=3%3A10"


def test_a_relative_difference_is_read_and_asked_for_in_per_cent(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280, view="#view?sort=-difference")
    column = browser.ask(
        "[...document.querySelectorAll('#table th')].findIndex((head) => head.innerText === 'difference')"
    )
    cells = f"[...document.querySelectorAll('#table tr[data-evaluation]')].map((row) => row.cells[{column}].innerText)"
    shown = [each for each in browser.ask(cells) if each]
    assert shown and all(each.endswith("\u00a0%") for each in shown)
    numbers = [float(each.removesuffix("\u00a0%")) for each in shown]
    assert max(numbers) > 1 and numbers == sorted(numbers, reverse=True)
    low, high = numbers[2], numbers[0]
    browser.ask("document.querySelector('#adding select').value = 'difference'")
    browser.ask(
        f"(() => {{ document.querySelector('#adding input').value = '{low} % to {high} %';"
        " document.querySelector('#adding button').click(); })()"
    )
    assert browser.ask("document.querySelector('#conditions span button').innerText").startswith(
        f"difference {low}\u00a0% to {high}\u00a0%"
    )
    assert browser.ask("document.getElementById('shown').textContent").startswith("3 of")


def test_a_view_can_be_sent_by_its_address(browser: Browser, pages: dict[str, Path]) -> None:
    view = "#view?chosen=3.5&filter=search&sort=-noise&show.scale=each+its+own+scale"
    browser.open(pages["search"], 1280, view=view)
    browser.wait(DRAWN)
    assert browser.ask("comparatorPage.chosen()") == [3, 5]
    assert browser.ask("document.getElementById('filter').value") == "search"
    assert browser.ask("[...document.querySelectorAll('#table tr.chosen')].length") <= 2
    assert browser.ask("document.querySelector('[aria-sort=descending]').innerText").strip().startswith("noise")
    assert browser.ask("document.querySelector('[data-choose=\"each its own scale\"]').ariaPressed") == "true"
    browser.open(pages["search"], 1280, view="#view?chosen=999&sort=nothing&show.scale=none")
    assert browser.ask("comparatorPage.chosen()") == [] and browser.complaints() == []


def test_a_choice_holds_for_all_figures_that_offer_it(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    browser.wait(DRAWN)  # what is drawn above moves what is below
    browser.click(*browser.place_of("[data-choose='each its own scale']"))
    chosen = browser.ask(
        "[...document.querySelectorAll('.picture[data-of=scale]:not([hidden])')].map((one) => one.dataset.choice)"
    )
    assert chosen == ["each its own scale"] * 2
    browser.click(*browser.place_of("[data-choose='second point']"))
    pressed = browser.ask("[...document.querySelectorAll('[aria-pressed=true]')].map((one) => one.dataset.choose)")
    assert sorted(pressed) == ["each its own scale", "each its own scale", "layer_force", "second point"]


def test_figures_take_the_colours_of_the_page_and_are_readable_on_paper(
    browser: Browser, pages: dict[str, Path]
) -> None:
    text = "#figure-search svg text"
    colour = f"getComputedStyle(document.querySelector('{text}')).fill"
    browser.open(pages["search"], 1280)
    browser.wait(DRAWN)
    light = browser.ask(colour)
    browser.open(pages["search"], 1280, scheme="dark")
    browser.wait(DRAWN)
    assert browser.ask(colour) != light
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    browser.ask("dispatchEvent(new Event('beforeprint'))")
    assert browser.ask(colour) == light
    hidden = browser.ask(
        "[...document.querySelectorAll('.picture')].filter((one) => !one.getClientRects().length).length"
    )
    assert hidden == 0 and browser.ask("document.querySelectorAll('#table tr[data-evaluation]').length") == 56
    assert browser.ask("document.querySelectorAll('details:not([open])').length") == 0
    browser.ask("dispatchEvent(new Event('afterprint'))")
    assert browser.ask("document.querySelectorAll('details:not([open])').length") > 0


#: Words and numbers in cells of tables of up to twelve columns that stand on two lines.
BROKEN = """[...document.querySelectorAll('table:not(#table) :is(th, td)')]
  .filter((one) => one.parentElement.cells.length < 13 && !one.matches('.code')).flatMap((cell) => {
    const range = document.createRange();
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    const broken = [];
    for (let text; (text = walker.nextNode());) for (const {0: word, index} of text.data.matchAll(/[^\\s-]+/g)) {
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      if (range.getClientRects().length > 1) broken.push(word);
    }
    return broken;
  })"""


def test_tables_that_stand_in_the_page_sort_by_a_click_on_a_heading(browser: Browser, tmp_path: Path) -> None:
    cells = [("17-AAG", "20 % [1, 2]"), ("AZD6244", "-3 %"), ("697", "1,200 %"), ("DEL", "")]
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in each)}</tr>" for each in cells)
    scripts = "".join(f"<script>{_asset(name)}</script>" for name in ("elements.js", "sorting.js"))
    head = "<thead><tr><th>name</th><th>share</th></tr></thead>"
    page = tmp_path / "page.html"
    page.write_text(f"<meta charset=utf-8><table data-sorts>{head}<tbody>{rows}</tbody></table>{scripts}")
    browser.open(page, 800)
    shown = "[...document.querySelectorAll('tbody tr')].map((one) => one.cells[0].textContent)"
    for column, expected in (
        (1, ["AZD6244", "17-AAG", "697", "DEL"]),
        (1, ["697", "17-AAG", "AZD6244", "DEL"]),
        (0, ["17-AAG", "697", "AZD6244", "DEL"]),
    ):
        browser.click(*browser.place_of("th button", column))
        assert browser.ask(shown) == expected
    states = browser.ask("[...document.querySelectorAll('th')].map((one) => one.getAttribute('aria-sort'))")
    assert states == ["ascending", "none"] and browser.complaints() == []


def test_on_paper_no_table_is_cut_and_no_name_is_broken(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["planted"], 718)  # A4 within its margins
    browser.ask("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.call("Emulation.setEmulatedMedia", media="print")
    tables = "[...document.querySelectorAll('table')]"
    assert browser.ask(f"{tables}.filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5).length") == 0
    names = "[...document.querySelectorAll('.alike td:first-child, table:not(#table) td:first-child')]"
    assert browser.ask(f"{names}.every((one) => one.scrollWidth <= one.clientWidth + 1)")
    assert browser.ask(BROKEN.replace(":not(#table)", "").replace("< 13", "< 20").replace("\\s-", "\\s_-")) == []
    within = (
        "[...document.querySelectorAll('details .scroll')].filter((one) => one.scrollHeight > one.clientHeight + 1)"
    )
    assert browser.ask("document.querySelector('details .scroll') !== null") and browser.ask(f"{within}.length") == 0
    headings = "[...document.querySelectorAll('th button')].map((one) => getComputedStyle(one).display)"
    assert set(browser.ask(headings)) == {"contents"}, "what is a box of its own is not repeated on later pages"
    browser.call("Emulation.setEmulatedMedia", media="")


def test_new_results_take_the_place_of_the_old_ones(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["search"], 1280)
    browser.wait(DRAWN)
    left = browser.ask(
        "(() => { const chart = comparatorContent.charts.search;"
        " return comparatorPage.update({answer: '<p class=lead>New.</p>', figures: {search: {...chart, height: 123},"
        " another: chart}, evaluations: {columns: ['number', 'noise'], rows: [[0, 'ok', [0, 2.5], [], null]]}}); })()"
    )
    assert left == ["another"], "a figure that the page has no place for"
    assert browser.ask("document.getElementById('answer').innerText").strip() == "New."
    assert browser.ask("document.getElementById('shown').textContent") == "1 of 1"
    browser.wait("document.querySelector('#figure-search svg').getBoundingClientRect().height < 250")
    assert browser.complaints() == []


def test_thousands_of_evaluations_are_no_burden(browser: Browser, pages: dict[str, Path]) -> None:
    """The rows in view alone are in the page."""
    browser.open(pages["many"], 1280)
    browser.wait(DRAWN)
    rows = "document.querySelectorAll('#table tr[data-evaluation]').length"
    assert browser.ask(rows) < 120 and browser.ask("document.getElementById('shown').textContent") == "300 of 300"
    browser.ask("document.getElementById('box').scrollTop = 1e6")
    browser.wait("document.querySelector('#table tr[data-evaluation=\"299\"]')")
    assert browser.ask(rows) < 120 and browser.complaints() == []


INK = (
    "(() => {{ const one = document.querySelector('[data-figure=parallel] canvas{0}');"
    " const bytes = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;"
    " return bytes.reduce((sum, byte, place) => sum + (place % 4 === 3 && byte > 0), 0); }})()"
)
LAYER = "document.querySelector('[data-figure=parallel] canvas.{0}')"


def test_of_a_figure_that_is_an_image_what_is_picked_has_a_layer_of_its_own(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["image"], 1280)
    browser.wait(DRAWN)
    whole = browser.ask(INK.format(""))
    browser.place_of("[data-figure=parallel]")
    browser.ask("comparatorPage.set([1, 2, 3, 4, 5, 6], true)")
    browser.wait(f"{LAYER.format('whole')}?.classList.contains('faint')")
    few, ground = browser.ask(INK.format(".picked")), browser.ask(INK.format(""))
    assert 0 < few < whole and ground < whole, "six lines lie above a figure that has none"
    browser.ask("comparatorPage.set([1, 2, 3, 4, 5, 6].concat([...Array(300).keys()]), true)")
    browser.wait(f"{INK.format('.picked')} > {3 * few}")
    assert browser.ask(INK.format("")) == ground, "what lies below is not drawn again"
    browser.ask("comparatorPage.set([], false)")
    browser.wait(f"{LAYER.format('picked')}.hidden && !{LAYER.format('whole')}.classList.contains('faint')")
    assert browser.ask(INK.format(".whole")) == whole
    assert [each for each in browser.complaints() if "readback" not in each] == []  # these are this test's own looks


def test_long_names_stand_whole_in_headings_and_every_log_can_be_reached(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["image"], 1280)
    browser.wait(DRAWN)
    cut = browser.ask(
        "[...document.querySelectorAll('#table th, #table td.long, h3')]"
        ".filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"
    )
    assert cut == []
    headings = browser.ask("[...document.querySelectorAll('h3')].map((one) => one.textContent)")
    assert "val_loss of Left, a network with a long name" in headings


def test_hostile_text_stays_text(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"], 1280)
    browser.wait(DRAWN)
    assert browser.ask("document.querySelectorAll('img').length") == 0 and browser.complaints() == []
    assert "<img" in browser.ask("document.querySelector('#table').innerText")
