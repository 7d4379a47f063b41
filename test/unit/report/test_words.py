"""Sentences of a report that stand by themselves."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from comparator.evidence.variance import Part
from comparator.findings.summary import drawn_anew
from comparator.formats.numbers import with_interval
from comparator.objective.amounts import SHARES, Measure, in_percent
from comparator.report.variance import share_words
from comparator.report.words import _from_seed_to_seed, components
from comparator.strategies.blocks import ORDER


def test_whose_the_variance_is_is_said_without_a_word_that_another_page_explains() -> None:
    evidence = SimpleNamespace(components=SimpleNamespace(block=0.95, block_by_place=0.03, noise=0.02))
    for drawn in ("splits and seeds", "seeds"):
        assert components(cast(Any, evidence), drawn) == (
            f"Trained again with other {drawn}, the difference at a place comes out otherwise: of that variance 95 % is"
            f" shared by all places that have the same {drawn}, 3 % is what these do at that place alone and 2 % is"
            " left to each single training. A model of the search's evaluations says so."
        )
    assert components(cast(Any, SimpleNamespace(components=None)), "seeds") == ""


def test_how_much_seeds_change_is_said_of_the_points_that_have_several() -> None:
    points = tuple(SimpleNamespace(replicates=number) for number in (1, 2, 2))
    summary = cast(Any, SimpleNamespace(points=points, measure=SHARES))
    assert _from_seed_to_seed(summary, 0.011).startswith(
        "At the 2 points that the search trained on several seeds the difference changed from training to training by"
        " 1.1 percentage points (standard deviation): "
    )


def test_no_split_is_told_of_models_that_take_none() -> None:
    without = SimpleNamespace(runs=(SimpleNamespace(split=None),))
    with_one = SimpleNamespace(runs=(SimpleNamespace(split=7),))
    assert drawn_anew(cast(Any, [without])) == "seeds"
    assert drawn_anew(cast(Any, [without, with_one])) == "splits and seeds"


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


def test_what_has_too_many_digits_to_be_read_has_an_exponent() -> None:
    assert with_interval(1.5e30, (1e30, 2e30)) == "1.5e+30 [1e+30, 2e+30]"
    assert with_interval(1.5e-9, (-1e-10, 2e-9)) == "1.5e-09 [-1e-10, 2e-09]"
    assert in_percent(1.5e-11, (0.0, 2e-11)) == "1.5e-09 % [0 %, 2e-09 %]"
    assert with_interval(123456.0, (120000.0, 130000.0)) == "123456 [120000, 130000]"


def test_zero_has_no_sign() -> None:
    assert Measure(is_share=True).apart(-0.0) == "0 percentage points"
    assert with_interval(-0.0, None) == "0"
