"""How sure a finding is: in the words that people use, and in the numbers beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from planted_records import answer_to, frozen_of, in_region, record_of, records_of, tried_anew
from recorded import as_read, make_experiment, make_record, summary_of

from comparator.evidence.confirmation import Confirmation
from comparator.evidence.regions import Evidence, Reason, Region
from comparator.findings import sureness
from comparator.findings.summary import summarise
from comparator.findings.verdict import find
from comparator.report.answer import Answer, _came_to, _more_regions, answer_of
from comparator.report.claims import _of_difference, _of_point
from comparator.report.words import remarks

pytestmark = pytest.mark.usefixtures("quick_reports")


def words_of(answer: Answer) -> dict[str, str]:
    """Return the word of sureness of each claim."""
    return {each.about: each.word for each in answer.claims}


def test_a_search_without_fresh_blocks_never_says_very_likely() -> None:
    for truth in (in_region, lambda point: 0.3):
        records = records_of(truth, noise=0.001)
        words = words_of(answer_to(records))
        assert set(words.values()) == {"likely"}, "however clear it is"
        said = answer_to(records).lines
        assert "nothing was trained anew" in said[1], "so that no place is told of once, in the first sentence"
        assert " ".join(said).count("place") == (truth is not in_region)


@pytest.mark.long
def test_what_fresh_blocks_show_at_one_percent_is_very_likely_and_what_they_do_not_show_is_not_shown() -> None:
    records = records_of(in_region)
    shown = answer_to(records, **tried_anew(records, in_region))
    words = words_of(shown)
    assert words["difference"] == words["region 1"] == "very likely"
    assert "very likely" in shown.lines[1] and "8 fresh blocks" in next(
        each.basis for each in shown.claims if each.about == "region 1"
    )
    records = records_of(in_region)  # the search saw a region where fresh trainings see none
    words = words_of(answer_to(records, **tried_anew(records, lambda point: 0.3)))
    assert words["rejected 1"] == "not shown" and "region 1" not in words and words["difference"] == "very likely"


def region_of(p: float | None) -> Region:
    return Region({}, 0.5, (0.4, 0.6), 0.3, (0.2, 0.4), 0.2, (-0.01, 0.4), p, 8, 10, 1, 0.3, 0.8)


@pytest.mark.parametrize(
    ("chance", "regions", "word"),
    [
        (0.004, 1, sureness.VERY_LIKELY),
        (0.009, 1, sureness.VERY_LIKELY),
        (0.009, 2, sureness.LIKELY),  # of two that were tried one has to be the clearer
        (0.011, 1, sureness.LIKELY),
        (0.049, 1, sureness.LIKELY),
        (None, 1, sureness.LIKELY),  # nothing was trained anew
    ],
)
def test_a_region_is_as_sure_as_its_test_says(chance: float | None, regions: int, word: str) -> None:
    first = region_of(chance)
    others = tuple(replace(region_of(0.001), mean=0.1 * number) for number in range(regions - 1))
    evidence = Evidence(
        "regions",
        Reason("somewhere more"),
        0.0,
        chance,
        0.3,
        (first, *others),
        0.3,
        (0.2, 0.4),
        0.1,
        30,
        fresh_blocks=8,
    )
    assert sureness.of_region(first, evidence) == word
    rejected = replace(evidence, regions=(), rejected=(first,))
    assert sureness.of_region(first, rejected) in (sureness.NOT_SHOWN, sureness.NOT_TESTED)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, sureness.VERY_LIKELY),
        ({"p_differ": 0.02}, sureness.LIKELY),
        ({"overall_interval": (-0.1, 0.4)}, sureness.LIKELY),  # the search's luck alone may have shown it
        ({"fresh_blocks": 0}, sureness.LIKELY),
        ({"verdict": "none"}, sureness.NOT_SHOWN),
        ({"p_differ": None}, sureness.NOT_SHOWN),
    ],
)
def test_a_difference_is_as_sure_as_its_test_says(changes: dict[str, Any], word: str) -> None:
    evidence = Evidence(
        "everywhere", Reason("no place"), 0.001, None, None, (), 0.3, (0.2, 0.4), 0.1, 30, fresh_blocks=8
    )
    assert sureness.of_difference(replace(evidence, **changes)) == word


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"p_differ": 0.02}, " Very likely takes 1 % at most, likely 5 %."),
        ({"overall_interval": (-0.1, 0.4)}, " Very likely takes an interval of the mean that lies clear of 0 as well"),
        (
            {"fresh_blocks": 0},
            " However small the chance, nothing is called more than likely where nothing was trained",
        ),
        ({"verdict": "none", "p_differ": 0.3}, " Very likely takes 1 % at most, likely 5 %."),
    ],
)
def test_a_word_says_how_it_and_the_chance_beside_it_hang_together(changes: dict[str, Any], said: str) -> None:
    evidence = Evidence(
        "everywhere", Reason("no place"), 0.001, None, None, (), 0.3, (0.2, 0.4), 0.1, 30, fresh_blocks=8
    )
    summary = summary_of([make_record(0, {"noise": 1.0}, ({"val_loss": 0.1}, {"val_loss": 0.2}))])
    basis = _of_difference(summary, replace(evidence, **changes)).basis
    assert said in basis and (said or basis.endswith("both taken together."))


def test_a_mean_over_the_space_says_where_trainings_failed() -> None:
    evidence = Evidence(
        "everywhere", Reason("no place"), 0.001, None, None, (), 0.3, (0.2, 0.4), 0.1, 30, fresh_blocks=4
    )
    assert sureness.over_the_space(evidence) == "over the space"
    assert sureness.over_the_space(replace(evidence, some_failed=True)) == "over the space where both gave a result"


@pytest.mark.parametrize(
    ("verdict", "chance", "word"),
    [
        ("confirmed", 0.01, sureness.VERY_LIKELY),
        ("confirmed", 0.03, sureness.LIKELY),
        ("not confirmed", 0.06, sureness.NOT_SHOWN),
        ("untested", None, sureness.NOT_TESTED),
        (None, None, None),  # of a single model there is no elsewhere
    ],
)
def test_a_best_point_is_as_sure_as_its_test_says(verdict: str | None, chance: float | None, word: str | None) -> None:
    one = Confirmation({}, 0.6, 0.5, (0.4, 0.6), 0.1, (0.0, 0.2), 8, verdict, False, 0.1, chance)
    assert sureness.of_point(one) == word


@pytest.mark.parametrize(("promised", "is_luck"), [(0.1, True), (-0.04, False)])
def test_a_search_that_promised_too_little_is_not_told_to_be_lucky(promised: float, is_luck: bool) -> None:
    one = Confirmation({}, 0.6, 0.6 - promised, (0.4, 0.7), 0.1, (0.0, 0.2), 8, "confirmed", False, promised, 0.01)
    summary = summarise(frozen_of(), as_read(records_of(in_region, 3)))
    assert (": the best of many is partly luck" in _of_point("point", "likely", summary, one).basis) == is_luck


def test_what_a_stronger_word_takes_is_said_where_there_is_one() -> None:
    one = Confirmation({}, 0.6, 0.5, (0.4, 0.6), 0.1, (0.0, 0.2), 8, "confirmed", False, 0.1, 0.01)
    summary = summarise(frozen_of(), as_read(records_of(in_region, 3)))
    levels = "very likely takes 1 % at most, likely 5 %"
    assert levels in _of_point("point", sureness.LIKELY, summary, one).basis
    assert levels not in _of_point("point", sureness.VERY_LIKELY, summary, one).basis


def test_a_best_point_is_rounded_as_it_is_beside_its_interval() -> None:
    one = Confirmation({}, 0.19, 0.0958, (0.07, 0.122), None, None, 8, "not confirmed", False, 0.09, 0.8)
    summary = summarise(frozen_of(), as_read(records_of(in_region, 3)))
    assert summary.measure.amounts(one.confirmed, one.interval).startswith("10 % [")
    assert _came_to(summary, one) == "10 %"


def test_models_without_a_seed_have_no_luck() -> None:
    models = [{**model, "seed": None} for model in make_experiment()["models"]]
    records = [record_of(n, one["point"], [in_region(one["point"])]) for n, one in enumerate(records_of(in_region))]
    experiment, read = frozen_of(models=models), as_read(records)
    summary = summarise(experiment, read)
    found = find(experiment, read, summary)
    assert summary.is_exact and not summarise(frozen_of(), read).is_exact
    said = answer_of(experiment, summary, found)
    text = " ".join([*said.lines, *(each.basis for each in said.claims), *remarks(summary, found)])
    assert "the same number" in text and "rng_seed" in text
    assert not any(word in text for word in ("luck", "fresh", "one seed", "splits"))
    assert "fresh" not in said.next.words and "confirm" not in said.next.command, "it would give what is known"


@pytest.mark.parametrize(("anew", "is_exact"), [(0.3, True), (0.31, False)])
def test_a_training_anew_tells_whether_seeds_change_anything(anew: float, is_exact: bool) -> None:
    point = {"noise": 10.0, "activation": "relu"}
    records = as_read([record_of(0, point, [0.3]), record_of(1, point, [anew], stage="confirm")])
    assert summarise(frozen_of(), records).is_exact == is_exact


@pytest.mark.parametrize(
    ("same_way", "words"),
    [
        ([], ""),
        ([True], " (1 more such region in the report)"),
        ([False], " (1 more region in the report, where it is the other way round)"),
        ([True, False], " (2 more regions in the report, in 1 of them the other way round)"),
    ],
)
def test_a_further_region_where_the_other_model_is_ahead_is_not_one_more_such_region(
    same_way: list[bool], words: str
) -> None:
    assert _more_regions(same_way) == words
