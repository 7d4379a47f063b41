"""What predictions of the same rows say: how far they moved, and the difference over the rows of others."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from comparator.evidence.row_scores import Measure
from comparator.objective.differences import DIFFERENCES, signed_difference
from comparator.studies.left_out_predictions import elsewhere, moved, rows_of
from comparator.tables.predictions import PredictedRows

DRUGS = ["A-1", "A-1", "big one", "C"]
RELATIVE = Measure("mse", partial(signed_difference, DIFFERENCES["relative"]))


def predicted(*errors: float, drugs: list[str] | None = None) -> PredictedRows:
    true = np.zeros(len(errors))
    return PredictedRows(true, true + np.array(errors), {"drug": drugs or DRUGS})


def test_rows_are_told_by_name_whatever_its_case_and_marks() -> None:
    assert rows_of(predicted(0, 0, 0, 0), ["a1", "Big_one"]).tolist() == [True, True, True, False]
    assert not rows_of(predicted(0, 0, 0, 0), ["D"]).any()


def test_how_far_predictions_moved_is_told_of_own_rows_and_others() -> None:
    before = {0: (predicted(0, 0, 0, 0), predicted(0, 0, 0, 0))}
    after = {0: (predicted(3, 3, 1, 1), predicted(0, 0, 0, 2)), 5: before[0]}
    found = moved(before, after, 0, ["A-1"])
    assert found is not None and found.own == pytest.approx(3) and found.others == pytest.approx(1)
    assert found.everywhere.value == pytest.approx(np.sqrt(5)) and found.everywhere.blocks == 1
    by_type = moved(before, after, 1, ["lung"])
    assert by_type is not None and by_type.own is None and by_type.everywhere.value == pytest.approx(1)
    other_rows = {0: (predicted(3, drugs=["C"]), predicted(3, drugs=["C"]))}
    assert moved(before, other_rows, 0, ["A-1"]) is None


def test_the_difference_over_the_rows_of_others_is_without_what_was_left_out() -> None:
    before = {block: (predicted(9, 9, 1, 1), predicted(1, 1, 2, 2)) for block in range(3)}
    after = {block: (predicted(90, 90, 1, 1), predicted(5, 5, 1, 1)) for block in range(3)}
    found = elsewhere(before, after, ["A-1"], RELATIVE)
    assert found is not None and found.whole == pytest.approx(0.75)
    assert found.change.value == pytest.approx(-0.75) and found.change.blocks == 3
    assert elsewhere(before, after, ["lung"], RELATIVE) is None
    assert elsewhere(before, after, DRUGS, RELATIVE) is None
    turned = elsewhere(before, after, ["A-1"], Measure("mse", RELATIVE.signed, -1))
    assert turned is not None and turned.whole == pytest.approx(-0.75)
