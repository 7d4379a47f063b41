"""Sentences of a report that stand by themselves."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from comparator.evidence.variance import Part
from comparator.report.numbers import in_points, with_interval
from comparator.report.variance import share_words
from comparator.report.words import components
from comparator.strategies.blocks import ORDER


def test_whose_the_variance_is_is_said_without_a_word_that_another_page_explains() -> None:
    evidence = SimpleNamespace(components=SimpleNamespace(block=0.95, block_by_place=0.03, noise=0.02))
    assert components(cast(Any, evidence)) == (
        "Trained again with another data split and other seeds, the difference at a place comes out otherwise: of that"
        " variance 95 % is shared by all places that have the same split and seeds, 3 % is what these do at that place"
        " alone and 2 % is left to each single training. A model of the search's evaluations says so."
    )
    assert components(cast(Any, SimpleNamespace(components=None))) == ""


@pytest.mark.parametrize(
    ("share", "interval", "words"),
    [
        (0.82, (0.32, 0.98), "82 % [32 %, 98 %]"),
        (0.001, (0.0005, 0.002), "under 1 %"),
        (0.001, (0.0005, 0.12), "under 1 % [under 1 %, 12 %]"),
    ],
)
def test_a_share_that_is_small_throughout_has_no_interval(
    share: float, interval: tuple[float, float], words: str
) -> None:
    assert share_words(Part(ORDER, 0.1, share, interval)) == words


def test_zero_has_no_sign() -> None:
    assert in_points(-0.0) == "0 percentage points"
    assert with_interval(-0.0, None) == "0"
