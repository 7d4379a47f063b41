"""Reading a page of a report, and what must hold of every one."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree


class Page(HTMLParser):
    """Collects what the tests ask about: tags, addresses, identifiers and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, name: str, tag: str | None = None) -> list[str]:
        return [str(attrs[name]) for each, attrs in self.tags if name in attrs and tag in (None, each)]


def read_page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def check_files(folder: Path) -> None:
    """Check what every report must be: SVG that is XML, a page that fetches nothing and runs one script."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = read_page(folder)
    for path in (folder / "figures").glob("*.svg"):
        ElementTree.fromstring(path.read_bytes())
    for inline in re.findall(r"<svg .*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(inline)
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert page.values("src") == [] and [tag for tag, _ in page.tags].count("script") == 1
    assert not [address for address in page.values("href") if re.match(r"\s*([A-Za-z]+:|//)", address)]
    assert all(address.startswith(("#", "data:image/png;")) for address in page.values("xlink:href"))
    assert not re.search(r"url\((?!#)|@import", text)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    identifiers = page.values("id")
    assert len(identifiers) == len(set(identifiers))
    json.loads((folder / "report.json").read_text())
    assert not list(folder.rglob("*.tmp"))
