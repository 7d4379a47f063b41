"""That a result costs the process that hosts a search the same, whatever is in flight and whatever is done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType

import pytest
from growth import result_of
from no_time import begin

#: Of the larger size against the smaller one; what grew with it would come near to eight.
MOST_MORE = 1.25


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called, C's included."""
    counted = count()

    def note(_: FrameType, event: str, __: object) -> None:
        if event in ("call", "c_call"):
            next(counted)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return next(counted)


def calls_of_a_result(folder: Path, monkeypatch: pytest.MonkeyPatch, in_flight: int, recorded: int) -> tuple[int, int]:
    """The least of what a few results cost to be told, and to be shown, behind so many."""
    folder.mkdir()
    monkeypatch.setenv("SITE_CORES", str(2 * in_flight))
    opened = begin(folder, "local", in_flight, in_flight + recorded + 50, "random", in_flight)
    requests, told, shown = opened.start(), [], []
    with opened.progress() as show:
        for number in range(recorded + 8):
            result = result_of(requests.pop(0))
            calls = calls_of(lambda result=result: requests.extend(opened.tell_all([result])))
            if number >= recorded:
                told.append(calls)
                shown.append(calls_of(show))
    return min(told), min(shown)


@pytest.mark.long
@pytest.mark.parametrize(
    ("small", "large"), [((100, 120), (800, 120)), ((10, 120), (10, 960))], ids=["in flight", "recorded"]
)
def test_a_result_costs_the_same_whatever_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: tuple[int, int], large: tuple[int, int]
) -> None:
    of_few = calls_of_a_result(tmp_path / "few", monkeypatch, *small)
    of_many = calls_of_a_result(tmp_path / "many", monkeypatch, *large)
    assert of_many[0] <= MOST_MORE * of_few[0], f"told: {of_few[0]} calls, then {of_many[0]}"
    assert of_many[1] <= MOST_MORE * of_few[1], f"shown: {of_few[1]} calls, then {of_many[1]}"
