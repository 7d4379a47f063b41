"""The dashboard in a real browser, behind a proxy's path, while a search of a small model runs."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from subprocess import Popen
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from desk import QUICK, Desk
from recorded import genetic, make_experiment, save

from comparator.results.record_file import read_records
from comparator.results.state import last_word

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome to look at the page with")

BASE = "/node/here/1"
MODEL = """
import time

def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1, "epochs": 4}

def run(params):
    loss = 0.1 + 0.004 * params["noise"] * (params["side"] == "left")
    for epoch in range(params["epochs"]):
        print(f"Epoch {epoch + 1}/{params['epochs']} - loss: {loss:.4f} - val_loss: {loss:.4f}")
        time.sleep(0.1)
    return {"val_loss": loss, "val_r2": 1 - loss}
"""
#: Whether a caption that was written over is that of a newer report; written over again where the page was loaded anew.
IS_RENEWED = """(() => {
  const caption = document.querySelector("#figure-search .caption p");
  if (!caption || window.isMarked) return Boolean(caption) && caption.textContent !== "As it was.";
  window.isMarked = true;
  caption.textContent = "As it was.";
  return false;
})()"""
DOTS = "document.querySelectorAll('[data-figure=search] .chart .mark-symbol path').length"


def until(holds: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    desk = Desk(folder)
    model = desk.write("slow.py", MODEL)
    desk.write("quick.txt", (folder / "quick.txt").read_text().replace(str(QUICK), str(model)))
    return desk


@pytest.fixture(scope="module")
def search(desk: Desk) -> Iterator[Popen[str]]:
    words = ["search", "quick.toml", "--id", "live", "--workers", "1", "--set", "search.evaluations=900", "--no-report"]
    process = desk.start(*words)
    yield process
    process.kill()
    process.wait()
    desk.run("stop", "live")  # what goes on with it is nobody's child


@pytest.fixture(scope="module")
def server(desk: Desk) -> Iterator[tuple[Popen[str], str]]:
    desk.experiments.mkdir(exist_ok=True)  # which the search may not have made yet
    process = desk.start("open", "--no-browser", "--base-path", BASE)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    yield process, address
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Browser]]:
    both = Browser(tmp_path_factory.mktemp("one")), Browser(tmp_path_factory.mktemp("other"))
    yield both
    for browser in both:
        browser.close()


def text(browser: Browser, selector: str) -> str:
    return str(browser.ask(f"document.querySelector({json.dumps(selector)})?.textContent || ''"))


def press(browser: Browser, selector: str) -> None:
    browser.click(*browser.place_of(selector))


@pytest.mark.long
def test_a_search_is_watched_stopped_and_gone_on_with(
    desk: Desk, search: Popen[str], server: tuple[Popen[str], str], browsers: tuple[Browser, Browser]
) -> None:
    one, other = browsers
    process, address = server
    first, _, token = address.partition("?")
    path = desk.experiments / "live"
    until(lambda: (path / "experiment.json").exists(), "the search begins")

    one.open(f"{first}?token=wrong", 1280)
    until(lambda: "403" in one.ask("document.body?.innerText || ''"), "a wrong token is refused")
    assert "xperiment" not in one.ask("document.body?.innerText || ''")

    other.open(address, 390)
    until(lambda: other.ask("location.pathname + location.search") == f"{BASE}/", "the token leaves the address")
    until(lambda: text(other, "tr[data-id=live] .state") == "running", "the list shows that it runs")
    assert text(other, "tr[data-id=live] a") == "live", "it goes by its id: many have the same title"

    one.open(f"{first}experiments/live/?{token}", 1280)
    assert "being made" not in text(one, "main"), "what there is is shown at once"
    until(lambda: one.ask("location.pathname + location.search") == f"{BASE}/experiments/live/", "so here")
    until(lambda: "epoch" in text(one, "#live-running"), "what is trained is shown with its epoch")
    until(lambda: "val_loss 0." in text(one, "#live-running"), "and with its losses")
    assert re.fullmatch(r"\d+ % live: Where do .*", one.ask("document.title")), "its tab says how far it is"
    one.ask("document.querySelector('#live-running').replaceChildren()")
    assert one.ask("document.querySelector('#live-running').offsetHeight") > 20, "nothing moves where a training ends"
    until(lambda: one.ask(DOTS) > 0, "the map begins")
    begun = one.ask(DOTS)
    until(lambda: one.ask(DOTS) > begun, "the map fills")
    until(lambda: one.ask("Number(document.querySelector('#live')?.dataset.page || 0)") > 0, "what is found comes")
    until(lambda: ", as of " in text(one, "#answer-heading"), "an answer that is older than the counts says so")
    assert "It goes on by itself" in text(one, "#answer .next")
    until(lambda: one.ask(IS_RENEWED), "what stands around a figure follows it, without the page being loaded again")

    opens = "document.querySelector('#live-log')?.hidden && document.querySelector('#live-running button')?.click()"
    until(lambda: one.ask(f"({opens}, true)") and "Epoch 1/4" in text(one, "#live-log pre"), "the log is shown")

    press(one, "#live-stop")
    press(one, "#live-stop")
    until(lambda: text(one, "#live-state") == "stopped", "the page shows that it is stopped")
    until(lambda: text(other, "tr[data-id=live] .state") == "stopped", "so does the other")
    assert search.wait(300) != 0 and last_word(path).state == "stopped"
    done = len(read_records(path / "evaluations.jsonl"))
    assert done > 0

    until(lambda: one.ask("!document.querySelector('#live-resume').hidden"), "it can be gone on with")
    press(one, "#live-resume")
    until(lambda: text(one, "#live-state") == "running", "it goes on")
    until(lambda: len(read_records(path / "evaluations.jsonl")) > done, "with more evaluations")
    until(lambda: text(other, "tr[data-id=live] .state") == "running", "the other shows that too")
    assert [each for each in one.complaints() + other.complaints() if '"error"' in each] == []
    assert other.ask("document.documentElement.scrollWidth") <= 390

    process.send_signal(signal.SIGINT)
    assert process.wait(300) == 0
    assert process.stderr is not None and process.stderr.read() == ""
    until(lambda: "does not answer any more" in text(one, "#live-words"), "the page says that the server is gone")
    assert desk.run("stop", "live").returncode == 0
    until(lambda: last_word(path).state == "stopped", "what was gone on with ends")


@pytest.mark.long
def test_a_page_that_is_open_shows_the_experiment_that_takes_the_place_of_another(
    desk: Desk, browsers: tuple[Browser, Browser]
) -> None:
    path, (browser, _) = desk.experiments / "kept", browsers
    save(path, make_experiment(id="kept"), genetic(100))
    server = desk.start("open", "kept", "--no-browser")
    words = ["search", "quick.toml", "--id", "kept", "--workers", "1", "--set", "search.evaluations=900", "--no-report"]
    words += ["--set", "search.seed=2"]  # what a search of the same seed has trained would be found, all at once
    try:
        assert server.stdout is not None
        browser.open(server.stdout.readline().strip(), 1280)
        until(lambda: browser.ask("Number(document.querySelector('#live')?.dataset.page || 0)") > 0, "it is read")
        until(lambda: browser.ask(DOTS) > 90, "its dots are drawn")
        shutil.rmtree(path)
        search = desk.start(*words)
        try:
            until(lambda: text(browser, "#live-state") == "running", "the other runs")
            until(lambda: 0 < browser.ask(DOTS) < 50, "the dots are those of the other")
            assert len(read_records(path / "evaluations.jsonl")) < 90
        finally:
            search.send_signal(signal.SIGINT)
            search.wait(300)
    finally:
        server.kill()
        server.wait()


@pytest.mark.long
def test_open_of_a_search_shows_it_and_ends_with_it(desk: Desk, browsers: tuple[Browser, Browser]) -> None:
    browser, _ = browsers
    process = desk.start(
        "search", "quick.toml", "--id", "shown", "--set", "search.evaluations=6", "--no-report", "--open"
    )
    assert process.stderr is not None
    address = process.stderr.readline().removeprefix("page: ").strip()
    browser.open(address, 1280)
    until(lambda: browser.ask("location.pathname") == "/experiments/shown/", "its page is led to")
    until(lambda: text(browser, "#live-state") in ("running", "finished"), "it is shown")
    assert process.wait(300) == 0
    until(lambda: "does not answer any more" in text(browser, "#live-words"), "the page has ended with it")
