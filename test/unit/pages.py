"""Reading a page of a report, and what must hold of every one."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

DATA = ("colours", "packed")  # script elements that hold data


class Page(HTMLParser):
    """Collects tags, addresses, identifiers, text, scripts, and the JSON in script elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.data: dict[str, Any] = {}
        self.charts: dict[str, Any] = {}  # the figures' specifications by name
        self._inside = ""
        self.feed(text)
        if "packed" in self.data:
            self.charts, self.data["evaluations"] = unpacked(self.data["packed"])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside != "script":
            self.words.append(data)
            return
        attributes = self.tags[-1][1]
        if attributes.get("type") == "application/json":
            chart = attributes.get("data-chart")
            held = self.data if chart is None else self.charts
            held[str(attributes["id"] if chart is None else chart)] = json.loads(data)
        elif attributes.get("type") == "text/plain":
            content = gzip.decompress(base64.b64decode(data)).decode()
            if attributes.get("id") == "packed":
                self.data["packed"] = json.loads(content)
            else:
                self.scripts.append(content)
        else:
            self.scripts.append(data)

    def values(self, name: str, tag: str | None = None) -> list[str]:
        return [str(attrs[name]) for each, attrs in self.tags if name in attrs and tag in (None, each)]

    @property
    def text(self) -> str:
        """What it says, beside its figures and the table of evaluations."""
        return " ".join(" ".join(self.words).split())

    @property
    def rows(self) -> list[list[Any]]:
        """The rows of the table of evaluations: number, status, cells, logs, reason."""
        found: list[list[Any]] = self.data["evaluations"]["rows"]
        return found

    def marks(self, name: str) -> list[dict[str, Any]]:
        """What stands in a figure for evaluations or says something."""
        return [row for row in _rows(self.charts[name]) if "tip" in row]

    @property
    def logs(self) -> list[str]:
        """The addresses of logs in the table."""
        return [address for *_, logs, _ in self.rows for _, address in logs]


def unpacked(content: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The specifications by name and the table of evaluations, as `begin.js` has them again."""
    lists = [list(zip(accumulate(each["numbers"]), each["rows"], strict=True)) for each in content["lists"]]

    def column(packed: Any, count: int) -> list[Any]:
        if isinstance(packed, list):
            return packed
        ((form, held),) = packed.items()
        if form == "all":
            return [held] * count
        if form == "steps":
            return list(accumulate(held))
        if form == "texts":
            return [content["texts"][place] for place in held]
        return [[number for number, row in lists[held] if row == place] for place in range(count)]

    def chart(packed: dict[str, Any]) -> dict[str, Any]:
        found = {**packed, **({"layer": [chart(each) for each in packed["layer"]]} if "layer" in packed else {})}
        if "columns" in packed.get("data", {}):
            count = packed["data"]["count"]
            columns = {name: column(each, count) for name, each in packed["data"]["columns"].items()}
            found["data"] = {
                "values": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            }
        return found

    table, logs = content["table"], content["table"]["logs"]
    addresses = iter(logs["addresses"].split("\n"))
    named = [each.split("\n") if each else [] for each in column(logs["names"], table["count"])]
    cells = zip(*(column(each, table["count"]) for each in table["cells"]), strict=True)
    rows = zip(
        accumulate(table["number"]),
        column(table["status"], table["count"]),
        map(list, cells),
        [[[name, logs["head"] + next(addresses) + logs["tail"]] for name in names] for names in named],
        [each or None for each in column(table["reason"], table["count"])],
        strict=True,
    )
    charts = {name: chart(each) for name, each in content["charts"].items()}
    held = {"columns": table["names"], "shares": table["shares"], "axes": table["axes"]}
    return charts, {**held, "rows": list(map(list, rows))}


def _rows(chart: Any) -> Iterator[dict[str, Any]]:
    yield from chart.get("data", {}).get("values", ())
    for part in chart.get("layer", ()):
        yield from _rows(part)


def read_page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def check_files(folder: Path) -> None:
    """Check what every report must be: a page that fetches nothing and runs its own scripts alone, SVG that is XML."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = read_page(folder)
    for path in (folder / "figures").glob("*.svg"):
        ElementTree.fromstring(path.read_bytes())
    assert all(address.startswith("data:image/") for address in page.values("href", "link"))
    assert not {"img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert page.values("src") == [] and len(page.scripts) == 3 and set(page.data) == {*DATA, "evaluations"}
    assert set(page.values("data-figure")) == set(page.charts)
    policy = next(str(attrs["content"]) for tag, attrs in page.tags if attrs.get("http-equiv"))
    for script in page.scripts:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';") and "unsafe-eval" not in policy
    assert not [address for address in page.values("href", "a") if re.match(r"\s*([A-Za-z]+:|//)", address)]
    assert not re.search(r"url\((?!#)|@import", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    identifiers = page.values("id")
    assert len(identifiers) == len(set(identifiers))
    targets = {address[1:] for address in page.values("href", "a") if address.startswith("#")}
    assert targets <= set(identifiers)
    json.loads((folder / "report.json").read_text())
    assert not list(folder.rglob("*.tmp"))
