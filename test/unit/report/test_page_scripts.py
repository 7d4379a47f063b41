"""The JavaScript of the figures: made once, kept whole, and made anew where it cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comparator.report import bundle as made


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(made, "_made", lambda: "drawing" + made.END)
    made.bundle.cache_clear()
    yield tmp_path / "comparator"
    made.bundle.cache_clear()


def test_it_is_made_once_and_kept(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made.bundle() == "drawing" + made.END
    assert [path.suffix for path in fresh.iterdir()] == [".js"]
    made.bundle.cache_clear()
    monkeypatch.setattr(made, "_made", lambda: pytest.fail("it was kept"))
    assert made.bundle() == "drawing" + made.END


def test_a_torn_copy_is_made_anew(fresh: Path) -> None:
    made.bundle()
    kept = next(fresh.iterdir())
    kept.write_text("draw")
    made.bundle.cache_clear()
    assert made.bundle() == kept.read_text() == "drawing" + made.END


def test_where_nothing_can_be_kept_it_is_made_each_time(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.write_text("a file where the folder would be")
    assert made.bundle() == "drawing" + made.END
    assert fresh.read_text() == "a file where the folder would be"
