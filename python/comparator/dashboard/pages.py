"""The pages of the dashboard as HTML: its own, and an experiment's report with what runs now above it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader

from comparator.report.bundle import bundle
from comparator.report.page import environment as report_environment
from comparator.report.page import packed_bundle, page_script, specifications, style

if TYPE_CHECKING:
    from comparator.dashboard.compare import Comparison

#: What a report's page allows its scripts; served, the answer's header does.
META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n?')
HASH = re.compile(r"'sha256-[A-Za-z0-9+/=]+'")
#: Where the static files are, as pages of an experiment and the others have it.
FROM_EXPERIMENT, FROM_TOP = "../../static", "static"
STATIC = {"all.js", "live.js", "dashboard.css"}
KINDS = {"js": "text/javascript", "css": "text/css"}


def live_page(report: str, panel: Mapping[str, Any]) -> tuple[str, list[str]]:
    """A report's page with the panel of what runs now; and the hashes of its scripts."""
    found = META.search(report)
    hashes = HASH.findall(found[1]) if found else []
    page = META.sub("", report, count=1)
    # The large script is fetched once, and kept by the browser.
    large = f'<script type="text/plain" data-packed="figures">{packed_bundle()}</script>'
    page = page.replace(large, f'<script src="{FROM_EXPERIMENT}/figures.js"></script>', 1)
    head = f'<link rel="stylesheet" href="{FROM_EXPERIMENT}/dashboard.css">\n</head>'
    page = page.replace("</head>", head, 1)
    page = page.replace("<main>", "<main>\n" + _rendered("panel.html", **panel), 1)
    foot = f'<script src="{FROM_EXPERIMENT}/live.js"></script>\n</body>'
    before, _, after = page.rpartition("</body>")
    return before + foot + after, hashes


def waiting_page(panel: Mapping[str, Any]) -> str:
    """The page of an experiment whose report is not made yet."""
    return _rendered("waiting.html", static=FROM_EXPERIMENT, **panel)


def all_page() -> str:
    """The page of all experiments."""
    return _rendered("all.html", static=FROM_TOP)


def compare_page(comparison: Comparison) -> str:
    """The page of several experiments beside each other."""
    figures = [each for row in comparison.rows for each in row.figures]
    return _rendered(
        "compare.html",
        static=FROM_TOP,
        comparison=comparison,
        **specifications(figures),
    )


def compare_waiting_page(words: str = "") -> str:
    """The same while it is made; or why it cannot be."""
    return _rendered("compare-waiting.html", static=FROM_TOP, words=words)


def static_file(name: str) -> tuple[str, str] | None:
    """The text of a static file, and its kind; None where there is none of this name."""
    if name == "figures.js":
        return bundle(), KINDS["js"]
    if name == "page.js":
        return page_script(), KINDS["js"]
    if name == "elements.js":
        return _text("comparator.report", name), KINDS["js"]
    if name == "page.css":
        return str(style()), KINDS["css"]
    if name not in STATIC:
        return None
    return _text("comparator.dashboard", name), KINDS[name.rpartition(".")[2]]


@cache
def _text(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    """The report's environment, which escapes, with the dashboard's own templates."""
    loaders = ChoiceLoader([PackageLoader("comparator.dashboard", ""), PackageLoader("comparator.report", "")])
    return report_environment().overlay(loader=loaders)


def _rendered(template: str, **given: Any) -> str:
    return _environment().get_template(template).render(**given)
