"""No group on both sides, whatever the rows; and the benchmark's own layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from drug_response import metrics, selection, splits
from drug_response.errors import DataError

groups_of_rows = st_numpy.arrays(np.int64, st.integers(2, 200), elements=st.integers(0, 12)).filter(
    lambda groups: len(np.unique(groups)) > 1
)


@given(groups_of_rows, st.integers(0, 1000), st.floats(0.05, 0.6))
def test_no_group_stands_on_both_sides(groups: np.ndarray, seed: int, fraction: float) -> None:
    try:
        split = splits.split_by_group(groups, seed, fraction)
    except DataError:
        assert round(fraction * len(np.unique(groups))) >= len(np.unique(groups))
        return
    assert not set(groups[split.training]) & set(groups[split.validation])
    assert sorted([*split.training, *split.validation]) == list(range(len(groups)))
    again = splits.split_by_group(groups, seed, fraction)
    np.testing.assert_array_equal(split.training, again.training)


@given(groups_of_rows, st.integers(2, 5), st.integers(0, 100))
def test_folds_validate_every_row_once(groups: np.ndarray, folds: int, seed: int) -> None:
    if len(np.unique(groups)) < folds:
        return
    validated = [splits.split_by_group(groups, seed, 0.2, folds, fold).validation for fold in range(folds)]
    assert sorted(np.concatenate(validated)) == list(range(len(groups)))


def test_the_kind_says_what_stays_together() -> None:
    cell_line, drug = np.array([0, 0, 1]), np.array([5, 6, 5])
    assert splits.group_of_rows("cell", cell_line, drug).tolist() == [0, 0, 1]
    assert splits.group_of_rows("drug", cell_line, drug).tolist() == [5, 6, 5]
    assert splits.group_of_rows("row", cell_line, drug).tolist() == [0, 1, 2]


def test_a_smaller_row_limit_keeps_a_subset() -> None:
    rows = np.arange(0, 1000, 3)
    small, large = splits.limit_rows(rows, 20, seed=1), splits.limit_rows(rows, 100, seed=1)
    assert len(small) == 20 and set(small) < set(large) <= set(rows)
    assert splits.limit_rows(rows, None, seed=1) is rows


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(DataError, match="1 group"):
        splits.split_by_group(np.zeros(10, dtype=np.int64), 1, 0.2)


def test_metrics_by_hand() -> None:
    true = np.array([1.0, 2.0, 3.0, 4.0])
    scores = metrics.scores(true, np.array([1.0, 3.0, 2.0, 4.0]))
    assert scores == pytest.approx({"loss": 0.5, "mae": 0.5, "r2": 0.6, "corr": 0.8, "spearman": 0.8})
    tied = metrics.scores(true, np.array([1.0, 1.0, 2.0, 2.0]))
    assert tied["spearman"] == pytest.approx(0.8944, abs=1e-4)
    assert np.isnan(metrics.scores(true, np.ones(4))["corr"])
    assert np.isnan(metrics.scores(true, np.array([1.0, np.nan, 0, 0]))["loss"])
    assert metrics.scores(true, np.full(4, 2.5))["r2"] == 0.0


def test_the_true_values_of_a_training_are_ranked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ranked: list[int] = []
    ranks = metrics._ranks
    monkeypatch.setattr(metrics, "_ranks", lambda values: (ranked.append(len(values)), ranks(values))[1])
    draw = np.random.default_rng(3)
    validation, test = draw.normal(size=40).astype(np.float32), draw.integers(0, 5, 30)
    for true in (validation, test, validation):
        for _ in range(5):
            predicted = draw.normal(size=len(true))
            found = metrics.scores(true, predicted)["spearman"]
            assert found == metrics.pearson(ranks(true), ranks(predicted))
    assert len(ranked) == 15 + 3


def test_the_benchmark_layout_is_read(benchmark_folder: Path) -> None:
    source = selection.open_prepared(benchmark_folder, "improve")
    assert {study: len(rows) for study, rows in source.responses.items()} == {
        "CCLE": 8478,
        "GDSCv2": 18906,
        "gCSI": 5142,
    }
    assert "AUC" in source.measures("gCSI") and "AAC1" in source.measures("gCSI")
    assert source.expression.shape[1] == len(source.genes) and "SPR" in source.genes
    assert set(source.drug_features) == {"descriptors", "fingerprints", "mordred"}
    assert source.cell_types is not None and "stomach" in source.cell_types


def test_the_benchmarks_split_files_are_kept(benchmark_folder: Path) -> None:
    source = selection.open_prepared(benchmark_folder, "improve")
    assert len(source.splits["gCSI"]) == 10
    split = splits.split_by_file(source.splits["CCLE"][0])
    assert (len(split.training), len(split.validation), len(split.test)) == (6782, 848, 848)
    raw = benchmark_folder / "raw_data"
    named = {int(line) for line in (raw / "splits" / "CCLE_split_0_val.txt").read_text().split()}
    rows = (raw / "y_data" / "response.tsv").read_text().splitlines()[1:]
    wanted = sorted(round(float(rows[number].split("\t")[4]), 4) for number in named)
    assert np.sort(source.responses["CCLE"]["AUC"][split.validation]) == pytest.approx(wanted, abs=1e-4)
