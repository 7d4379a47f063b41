"""What the pages say of the project's own files is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comparator.model.description import read_toml

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.md")
    if not {"images", "data", "experiments", "skeleton"}.intersection(path.relative_to(ROOT).parts)
    and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
LONGEST = 128  # of a line that is no row of a table
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
ROOM = re.compile(r"^\| `(\w+)/` \| (.+) \|$", re.MULTILINE)


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Where links can lead in a page: its headings, as GitHub writes them."""
    headings = HEADING.findall(without_code(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(without_code((ROOT / page).read_text(encoding="utf-8"))):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page.parent / path) if path else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.parts[0] in ("docs", "README.md", "test")], ids=str)
def test_no_line_of_a_page_is_too_long_to_be_read_in_an_editor(page: Path) -> None:
    lines = enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), start=1)
    assert [number for number, line in lines if len(line) > LONGEST and not line.startswith("|")] == []


def test_every_room_has_a_line_that_says_what_it_answers() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("\n## Rooms\n")[1].split("\n## ")[0]
    lines = ROOM.findall(table)
    rooms = {path.parent.name for path in (ROOT / "python" / "comparator").glob("*/__init__.py")}
    assert sorted(name for name, _ in lines) == sorted(rooms)
    assert all("?" in answer for _, answer in lines)


def test_decisions_that_the_code_cites_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    numbers = set(re.findall(r"^(\d+)\. ", text.split("\n## Decisions\n")[1], re.MULTILINE))
    files = [path for folder in ("python", "containers", "swift", "sites") for path in (ROOT / folder).rglob("*.*")]
    sources = {
        path: path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".swift", ".sh", ".md")
    }
    cited = {number: path for path, source in sources.items() for number in re.findall(r"\bdecision (\d+)", source)}
    assert set(cited) <= numbers, cited


def test_the_version_to_cite_is_that_of_the_package() -> None:
    version = read_toml(ROOT / "pyproject.toml")["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
