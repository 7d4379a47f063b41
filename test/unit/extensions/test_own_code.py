"""Files of the user's own: imported as they stand, with what lies beside them; what they raise is theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.extensions.own_code import import_own
from comparator.objective.differences import NoValue, distance, find_difference
from comparator.space import ParameterSpace
from comparator.strategies import AlgorithmError, make_strategy

SPACE = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "space")
STRATEGY = """
import sys
from comparator.strategies.strategy import Strategy

{at_import}
class Ends(Strategy):
    def __init__(self, space, seed, in_flight, options):
        {at_making}
    def start(self):
        {at_start}
    def tell(self, number, value):
        return []
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


def test_a_helper_that_was_edited_is_seen(folder: Path) -> None:
    (folder / "mine.py").write_text("from helping import SIZE\nfrom parts.inner import DEPTH\n")
    (folder / "helping.py").write_text("SIZE = 1\n")
    (folder / "parts").mkdir()
    (folder / "parts" / "inner.py").write_text("DEPTH = 1\n")
    first = import_own(folder, "mine")
    assert (first.SIZE, first.DEPTH) == (1, 1) and import_own(folder, "mine") is first
    (folder / "helping.py").write_text("SIZE = 2\n")
    assert import_own(folder, "mine").SIZE == 2
    (folder / "parts" / "inner.py").write_text("DEPTH = 2\n")
    assert (import_own(folder, "mine").SIZE, import_own(folder, "mine").DEPTH) == (2, 2)


def test_a_helper_that_was_mended_is_seen(folder: Path) -> None:
    (folder / "ours.py").write_text("from aiding import SIZE\n")
    (folder / "aiding.py").write_text("SIZ = 1\n")
    with pytest.raises(ImportError, match="SIZE"):
        import_own(folder, "ours")
    (folder / "aiding.py").write_text("SIZE = 1\n")
    assert import_own(folder, "ours").SIZE == 1


def test_what_others_have_imported_stays_theirs(folder: Path) -> None:
    (folder / "json.py").write_text("VALUE = 3\n")
    import json

    assert import_own(folder, "json").VALUE == 3 and sys.modules["json"] is json


@pytest.mark.parametrize("where", ["at_import", "at_making", "at_start"])
def test_an_exit_in_a_strategy_is_a_failure_of_it(folder: Path, where: str) -> None:
    file = folder / f"{where}_search.py"
    places = dict.fromkeys(("at_import", "at_making", "at_start"), "pass") | {where: "sys.exit(3)"}
    file.write_text(STRATEGY.format(**places))
    with pytest.raises((InputError, AlgorithmError), match=r"SystemExit: 3$") as error:
        make_strategy(str(file), SPACE, seed=1, in_flight=1, options={}).start()
    assert "\n" not in str(error.value)


def test_an_exit_in_a_difference_is_a_failure_of_it(folder: Path) -> None:
    (folder / "ending.py").write_text("import sys\ndef difference(a, b):\n    sys.exit('enough')\n")
    (folder / "ended.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(NoValue, match=r"raised SystemExit: enough$"):
        distance(find_difference("ending:difference", folder, "here"), 1.0, 2.0)
    with pytest.raises(InputError, match=r"'ended:difference': SystemExit: 3$"):
        find_difference("ended:difference", folder, "here")


def test_ctrl_c_in_a_difference_is_none_of_its_failures(folder: Path) -> None:
    (folder / "stopped.py").write_text("def difference(a, b):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        distance(find_difference("stopped:difference", folder, "here"), 1.0, 2.0)
