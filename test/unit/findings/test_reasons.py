"""Why a verdict is what it is, in words."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from comparator.evidence.regions import Reason, Why
from comparator.findings.reasons import reason_words
from comparator.objective.amounts import PLAIN, Measure


@pytest.mark.parametrize("why", get_args(Why))
def test_every_reason_has_words_in_which_all_its_numbers_stand(why: Why) -> None:
    numbers = {"few blocks": [3, 7], "few pairs": [4], "few points": [5, 8], "no condition": [0.9, 5]}.get(why, [])
    words = reason_words(Reason(why, *numbers), PLAIN)
    assert sorted(float(each) for each in re.findall(r"(?<!blocks = )\b\d[\d.]*", words)) == sorted(numbers)


def test_numbers_of_a_reason_agree_with_their_words_and_a_level_is_read_as_differences_are() -> None:
    assert reason_words(Reason("few pairs", 1), PLAIN) == "1 pair of trainings cannot show a difference"
    assert reason_words(Reason("few points", 1, 8), PLAIN).startswith("they differ; 1 point is too few to say where")
    assert reason_words(Reason("few points", 7, 8), PLAIN).startswith("they differ; 7 points are too few to say where")
    assert "exceeds 42.0 %, and" in reason_words(Reason("no condition", 0.42, 5), Measure(is_share=True))
    assert reason_words(Reason("few blocks", 3, 7), PLAIN) == (
        "a difference cannot be tested on 3 blocks of seeds: it takes 7 or more, or all trainings in a single block"
        " ([search] blocks = 1)"
    )
