"""Which groups of rows carry a difference: exact parts, influences, and names that are right."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.evidence.contributions import FEWEST_BLOCKS, Contributions, contributions, influences
from comparator.evidence.row_scores import Block, Measure, score_of_rows
from comparator.evidence.rows_in_common import rows_in_common
from comparator.objective.differences import absolute, signed
from comparator.tables.predictions import PredictedRows, predictions_of

SCORES = ("mse", "mae", "rmse", "r2", "pcc", "scc")


def rows_of(rng: np.random.Generator, errors: dict[str, float], count: int = 300) -> PredictedRows:
    """Rows of drugs, each of whose errors has its own deviation."""
    names = list(errors)
    drugs = [names[each] for each in rng.integers(len(names), size=count)]
    true = rng.uniform(0, 1, count)
    error = rng.normal(size=count) * [errors[each] for each in drugs]
    return PredictedRows(true, true - error, {"drug": drugs, "row": [str(each) for each in range(count)]})


def blocks_of(first: dict[str, float], second: dict[str, float], count: int = 16, seed: int = 1) -> list[Block]:
    rng = np.random.default_rng(seed)
    return [Block(number, (rows_of(rng, first), rows_of(rng, second))) for number in range(count)]


def told(
    blocks: list[Block], score: str = "mse", direction: int = 1, elsewhere: list[Block] | None = None
) -> Contributions:
    found = influences("drug", blocks, Measure(score, signed, direction))
    assert found is not None
    return contributions(found, len(found.chosen), elsewhere or [])


ALIKE = {f"drug {number}": 0.1 * (1 + number / 10) for number in range(10)}
WORSE = {name: 1.4 * deviation for name, deviation in ALIKE.items()}
ONE_WRONG = {**WORSE, "drug 3": 0.5}


@given(st.integers(0, 10**6), st.sampled_from(SCORES))
def test_a_score_from_sums_is_that_of_the_rows(seed: int, name: str) -> None:
    rows = rows_of(np.random.default_rng(seed), ALIKE, 40)
    expected = predictions_of(rows.true, rows.predicted).scores[name]
    assert expected is not None
    assert math.isclose(score_of_rows(name, rows), expected, rel_tol=1e-9, abs_tol=1e-9)


@given(st.integers(0, 10**6), st.sampled_from(("mse", "mae")))
def test_the_exact_parts_of_all_groups_are_the_whole_difference(seed: int, score: str) -> None:
    rng = np.random.default_rng(seed)
    only_in_one = {**WORSE, "drug 10": 0.3}  # the models may have predicted other rows, and other drugs
    blocks = [Block(each, (rows_of(rng, ALIKE, 50), rows_of(rng, only_in_one, 70))) for each in range(6)]
    found = influences("drug", blocks, Measure(score, lambda one, other: other - one))
    assert found is not None
    shares = [group.share for group in contributions(found, 1).groups]
    assert math.isclose(math.fsum(share for share in shares if share is not None), 1, rel_tol=1e-9)


@pytest.mark.parametrize("score", ["mse", "mae", "rmse", "r2", "pcc"])
def test_an_influence_is_the_difference_less_that_of_the_other_rows(score: str) -> None:
    blocks = blocks_of(ALIKE, WORSE, 6)
    found = influences("drug", blocks, Measure(score, lambda one, other: other - one))
    assert found is not None
    for block, row, whole in zip(found.blocks, found.influence, found.whole, strict=True):
        left = [
            predictions_of(each.true[kept], each.predicted[kept]).scores[score]
            for each in block.predicted
            for kept in [np.array(each.columns["drug"]) != "drug 4"]
        ]
        first, second = (each for each in left if each is not None)
        assert math.isclose(row[found.names.index("drug 4")], whole - (second - first), rel_tol=1e-9, abs_tol=1e-12)


def test_a_drug_that_one_model_gets_wrong_is_named_with_what_is_left_without_it() -> None:
    elsewhere = blocks_of(ALIKE, WORSE, 8, seed=9)
    found = told(blocks_of(ALIKE, ONE_WRONG), elsewhere=elsewhere)
    (group,) = found.named
    assert group.name == "drug 3" == found.groups[0].name
    assert group.influence > 0 and group.interval[0] > 0 and group.p is not None and group.p <= 0.05
    assert group.share is not None and group.share > 0.5 > group.rows
    assert (found.choosing, found.measuring) == (6, 10)
    left = 1 - 1 / 1.4**2  # what all other drugs have
    assert found.without is not None and found.without.without_interval[0] < left < found.without.without_interval[1]
    assert found.without.difference == found.difference > found.without.without
    assert found.elsewhere is not None and abs(found.elsewhere.without - found.elsewhere.difference) < 0.05


def test_a_drug_that_works_against_the_difference_is_named_with_its_sign() -> None:
    first = dict.fromkeys(ALIKE, 0.1) | {"drug 3": 0.2}
    second = dict.fromkeys(ALIKE, 0.2) | {"drug 3": 0.1}
    assert {group.name: group.influence < 0 for group in told(blocks_of(first, second)).named} == {"drug 3": True}
    turned = told(blocks_of(first, second), direction=-1)
    assert {group.name: group.influence > 0 for group in turned.named} == {"drug 3": True}


def test_where_all_drugs_are_alike_hardly_any_experiment_names_one() -> None:
    named = sum(bool(told(blocks_of(ALIKE, WORSE, 8, seed)).named) for seed in range(60))
    assert named <= 7  # of 60, one in twenty: more than 7 has a chance of 2 in 100


def test_what_is_too_small_to_matter_has_no_name_however_sure_it_is() -> None:
    found = told(blocks_of(ALIKE, WORSE | {"drug 3": 1.45 * ALIKE["drug 3"]}, 60))
    assert found.named == () and found.without is None and found.elsewhere is None


def test_blocks_that_tell_nothing_are_left_out_and_too_few_are_none() -> None:
    blocks = blocks_of(ALIKE, ONE_WRONG, FEWEST_BLOCKS)
    same = rows_of(np.random.default_rng(1), ALIKE)
    broken = Block(99, (PredictedRows(same.true, same.true * math.nan, same.columns), same))
    assert told([*blocks, broken]).groups == told(blocks).groups
    assert influences("drug", blocks[1:], Measure("mse", signed)) is None
    assert influences("drug", [*blocks[1:], broken], Measure("mse", signed)) is None


def test_a_difference_that_has_no_value_without_a_group_takes_nothing_from_it() -> None:
    # Without the one drug that is not predicted exactly both errors are 0: no relative difference is lost.
    exact = dict.fromkeys(ALIKE, 0.0)
    blocks = blocks_of(exact | {"drug 3": 0.1}, exact | {"drug 3": 0.2}, 8)
    found = influences("drug", blocks, Measure("mse", absolute))
    assert found is not None and found.influence[:, found.names.index("drug 3")] == pytest.approx(found.whole)


def test_rows_are_the_same_by_their_ids_and_labels_of_both_are_compared() -> None:
    rng = np.random.default_rng(3)
    blocks = []
    for number in range(6):
        first = rows_of(rng, ALIKE)
        noise = np.where(np.array(first.columns["drug"]) == "drug 2", 0.5, 0.02) * rng.normal(size=300)
        blocks.append(Block(number, (first, PredictedRows(first.true + noise, first.predicted, first.columns))))
    assert rows_in_common(blocks).share == 1
    agreement = {group.name: group.agreement for group in told(blocks).groups}
    assert all(each is not None for each in agreement.values())
    assert min(agreement, key=lambda name: agreement[name] or 0) == "drug 2"
    others = blocks_of(ALIKE, WORSE, 6)
    fewer = [Block(0, (others[0].predicted[0], rows_of(rng, ALIKE, 100)))]
    assert 0 <= rows_in_common(fewer).share < 1 and all(
        group.agreement is None for group in told([*others[1:], *fewer]).groups
    )


def test_both_models_own_metric_and_label_variance_in_a_group_are_over_all_its_rows() -> None:
    blocks = blocks_of(ALIKE, WORSE, 6)
    group = next(each for each in told(blocks).groups if each.name == "drug 5")
    for submodel in (0, 1):
        of = [block.predicted[submodel] for block in blocks]
        kept = [np.array(each.columns["drug"]) == "drug 5" for each in of]
        true = np.concatenate([each.true[here] for each, here in zip(of, kept, strict=True)])
        predicted = np.concatenate([each.predicted[here] for each, here in zip(of, kept, strict=True)])
        assert group.metrics[submodel] == pytest.approx(fmean((true - predicted) ** 2))
        assert group.variances[submodel] == pytest.approx(float(np.var(true)))


def test_rows_of_the_same_ids_with_other_labels_or_twice_are_noticed() -> None:
    def rows(ids: str, labels: list[float]) -> PredictedRows:
        return PredictedRows(np.array(labels), np.zeros(len(labels)), {"id": list(ids)})

    def common(first: PredictedRows, second: PredictedRows) -> tuple[float, float, float]:
        found = rows_in_common([Block(0, (first, second))])
        return found.share, found.other_labels, found.repeated

    assert common(rows("abcd", [1, 2, 3, 4]), rows("dcba", [4, 3, 2, 1 + 1e-7])) == (1, 0, 0)
    assert common(rows("abcd", [1, 2, 3, 4]), rows("abcd", [1, 2, 3, 5])) == (1, 0.25, 0)
    nanomolar = [each * 1e-9 for each in (1, 2, 3, 4)]
    assert common(rows("abcd", nanomolar), rows("abcd", [*nanomolar[:3], 5e-9])) == (1, 0.25, 0)
    assert common(rows("abc", [-1, 1e-17, 1]), rows("abc", [-1, -1e-17, 1])) == (1, 0, 0)
    assert common(rows("aabc", [1, 2, 3, 4]), rows("abca", [2, 3, 4, 1])) == (1, 0, 0.5)
    assert common(rows("aabc", [1, 2, 3, 4]), rows("abc", [1, 3, 4])) == (0.75, 0, 2 / 7)
    assert not rows_in_common([Block(0, (rows("aab", [1, 2, 3]), rows("aab", [1, 2, 3])))]).are_all
