"""Names and what they stand for: this package's own, and those that other packages add."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.extensions.registry import Registry
from comparator.site.schedulers import SCHEDULERS

ENTRIES = """
[comparator.things]
theirs = theirs:Thing
own = theirs:Thing
gone = no_such_module:Thing
"""


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    """Things of this package, beside another package that adds some."""
    installed = tmp_path / "theirs-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "theirs.py").write_text("class Thing: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Registry("comparator.things", {"own": 7, "late": "math:pi"})


def test_what_another_package_adds_is_there_and_takes_the_place_of_none(things: Registry[object]) -> None:
    assert list(things) == ["own", "late", "gone", "theirs"] and len(things) == 4
    assert things["own"] == 7 and things["late"] == pytest.approx(3.1416, abs=1e-4)
    assert things["theirs"].__name__ == "Thing"  # type: ignore[attr-defined]
    assert "theirs" in things and "nothing" not in things and things.get("nothing") is None


def test_what_cannot_be_imported_is_named_with_its_package_and_hinders_no_other(things: Registry[object]) -> None:
    assert "gone" in things
    words = "theirs: its entry point gone = 'no_such_module:Thing' of comparator.things cannot be imported: ModuleNot"
    with pytest.raises(InputError, match=words):
        things["gone"]


def test_every_scheduler_has_all_that_there_is_to_know() -> None:
    facts = [name for kind in SCHEDULERS["slurm"].__mro__[1:2] for name in kind.__annotations__]
    for name in ("slurm", "pbs"):
        assert [fact for fact in facts if not hasattr(SCHEDULERS[name], fact)] == []
