"""Noise where it is asked for: on labels, on features, and in the names of whole groups of rows.

| hyperparameter | what is disturbed |
|---|---|
| `noise` | every label, by itself |
| `cell_feature_noise`, `drug_feature_noise` | features of cell lines, of drugs, by an error of measuring them |
| `feature_noise_share`, `feature_noise_columns` | which columns that error is on |
| `dropped_genes` | genes that have their mean everywhere, as if nobody had measured them |
| `wrong_groups` | the drugs or cell lines that stand under each other's names, or whose labels are shifted |

Training alone meets it, but for what `noise_validation`, `feature_noise_validation` and `wrong_groups_validation` ask.
Rows of tests, and `infer.sh`, have none ever: they are the data as they are.

All is drawn with the run's seed, from a stream of its own each. Draws are of the source's cell lines, drugs and
columns, not of the rows: so two models on one source have the same, whichever study they learn. A larger strength is
the same draws, scaled; a larger share takes what the smaller one took, and more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparator.errors import nearest
from drug_response import selection
from drug_response.dataset import Dataset, Part
from drug_response.errors import DataError
from drug_response.features import FeatureTable
from drug_response.tables import Source
from drug_response.wrong_groups import draw_wrong_groups

#: Streams of NumPy's random numbers, besides the run's seed; `training.ORDER` is 1, `wrong_groups` has 7 and 8.
TRAINING_NOISE, VALIDATION_NOISE, FEATURE_NOISE, NOISY_COLUMNS, DROPPED_GENES = range(2, 7)


@dataclass(frozen=True)
class Labels:
    """Training and validation labels, noise included, and the training labels' mean and variance without it."""

    training: NDArray[np.float32]
    validation: NDArray[np.float32]
    training_mean: float
    training_variance: float


@dataclass(frozen=True)
class Tables:
    """The tables that training rows look their features up in, and those of validation rows; see `Dataset.tables`.

    Where nothing is disturbed they are the dataset's own list.
    """

    training: list[NDArray[np.float32]]
    validation: list[NDArray[np.float32]]


@dataclass(frozen=True)
class Disturbed:
    """What a training is given of a dataset; `notes` says in words what was disturbed beside single labels."""

    training: Part
    validation: Part
    labels: Labels
    tables: Tables
    notes: tuple[str, ...]


def disturb(hyperparameters: Mapping[str, Any], dataset: Dataset) -> Disturbed:
    """Return a dataset's rows, labels and tables with the noise that is asked for.

    Raises `DataError`, one line, where it is asked for on what the data do not have.
    """
    training, validation = dataset.training, dataset.validation
    labels = noisy_labels(hyperparameters, training, validation)
    tables, feature_notes = noisy_tables(hyperparameters, dataset)
    wrong = draw_wrong_groups(hyperparameters, dataset)
    if wrong is None:
        return Disturbed(training, validation, labels, tables, feature_notes)
    labels = replace(labels, training=wrong.shift(training, labels.training))
    training = wrong.rename(dataset, training)
    if hyperparameters["wrong_groups_validation"]:
        labels = replace(labels, validation=wrong.shift(validation, labels.validation))
        validation = wrong.rename(dataset, validation)
    return Disturbed(training, validation, labels, tables, (*feature_notes, wrong.note))


def add_noise(
    labels: NDArray[np.float32], mean_label: float, percent: float, seed: int, stream: int
) -> NDArray[np.float32]:
    """Add Gaussian noise with a standard deviation of `percent` of the mean label.

    The same seed gives the same draws whatever the percentage, scaled.
    """
    draws = np.random.default_rng([seed, stream]).standard_normal(len(labels))
    return (labels + abs(mean_label) * percent / 100.0 * draws).astype(np.float32)


def noisy_labels(hyperparameters: Mapping[str, Any], training: Part, validation: Part) -> Labels:
    """Add the noise that is asked for: to the training labels, and with `noise_validation` to the others too."""
    mean, variance = (float(of(training.labels, dtype=np.float64)) for of in (np.mean, np.var))
    percent, seed = label_noise(hyperparameters), hyperparameters["rng_seed"]

    def noisy(part: Part, stream: int) -> NDArray[np.float32]:
        return add_noise(part.labels, mean, percent, seed, stream) if percent else part.labels

    return Labels(
        noisy(training, TRAINING_NOISE),
        noisy(validation, VALIDATION_NOISE) if hyperparameters["noise_validation"] else validation.labels,
        mean,
        variance,
    )


def label_noise(hyperparameters: Mapping[str, Any]) -> float:
    """Return the standard deviation of the noise on single labels, in percent of their mean."""
    return float(hyperparameters["noise"]) if hyperparameters["noise_add"] else 0.0


def noisy_tables(hyperparameters: Mapping[str, Any], dataset: Dataset) -> tuple[Tables, tuple[str, ...]]:
    """Return the tables with the noise that is asked for, and in words what was done.

    Every cell line and every drug has one error, in all its rows: it was measured once.
    """
    noisy = {place: _noise_on(hyperparameters, table) for place, table in enumerate(dataset.features)}
    _check_features(hyperparameters, [dataset.features[place] for place, percent in noisy.items() if percent])
    tables, notes = list(dataset.tables), []
    for place, percent in noisy.items():
        table = dataset.features[place]
        if percent:
            columns = _noisy_columns(hyperparameters, table)
            spread = table.values[np.unique(dataset.training.numbers[:, place])].std(axis=0)
            errors = _errors(hyperparameters["rng_seed"], table, dataset.source)
            tables[place] = table.values.copy()
            tables[place][:, columns] += (percent / 100.0 * spread * errors)[:, columns]
            notes.append(f"noise of {percent:g} % on {len(columns)} of {len(table.names)} {_in_words(table)}")
        if table.kind == "rnaseq" and hyperparameters["dropped_genes"]:
            columns = _first(_order(hyperparameters, DROPPED_GENES, table), hyperparameters["dropped_genes"])
            tables[place] = tables[place].copy()
            # They are standardised, so this is their mean over the training cell lines.
            tables[place][:, columns] = 0.0
            notes.append(f"{len(columns)} of {len(table.names)} genes dropped")
    if not notes:
        return Tables(dataset.tables, dataset.tables), ()
    is_for_all = hyperparameters["feature_noise_validation"]
    placed = "training and validation" if is_for_all else "training alone"
    return Tables(tables, tables if is_for_all else dataset.tables), (f"features, in {placed}: {'; '.join(notes)}",)


def _noise_on(hyperparameters: Mapping[str, Any], table: FeatureTable) -> float:
    """Return the noise on a table's features, in percent of their deviation."""
    return float(hyperparameters["cell_feature_noise" if table.kind == "rnaseq" else "drug_feature_noise"])


def check_names(hyperparameters: Mapping[str, Any], source: Source) -> None:
    """Raise `DataError` for noise on features that are not taken, and on columns that no features of the source have.

    Which of these columns a training has depends on its rows; what it has not, it refuses itself.
    """
    _check_kinds(hyperparameters)
    named = hyperparameters.get("feature_noise_columns") or ()
    taken = [source.drug_features[kind] for kind in hyperparameters["drug_features"] if kind in source.drug_features]
    known = [*source.genes.tolist(), *(name for features in taken for name in features.names.tolist())] if named else []
    _check_columns(named, known, f"the {len(known)} genes and drug features that are taken")


def _check_kinds(hyperparameters: Mapping[str, Any]) -> None:
    """Refuse noise on features that are not taken."""
    places = (("cell_feature_noise", "cell_features"), ("dropped_genes", "cell_features"))
    for key, features in (*places, ("drug_feature_noise", "drug_features")):
        if hyperparameters.get(key) and not set(hyperparameters[features]) - {"none"}:
            raise DataError(f"{key} = {hyperparameters[key]:g}: {features} = {hyperparameters[features]} has none")


def _check_columns(named: Iterable[str], known: Sequence[str], there: str) -> None:
    for name in named:
        if name not in known:
            raise DataError(f"feature_noise_columns: '{name}' is not among {there}{nearest(name, known)}")


def _check_features(hyperparameters: Mapping[str, Any], noisy: Sequence[FeatureTable]) -> None:
    """Refuse noise on features that there are not, and names that are none of those that get noise."""
    _check_kinds(hyperparameters)
    known = [name for table in noisy for name in table.names.tolist()]
    named = hyperparameters["feature_noise_columns"] or () if noisy else ()
    _check_columns(named, known, f"the {len(known)} features that get noise")


def _in_words(table: FeatureTable) -> str:
    return "genes" if table.kind == "rnaseq" else table.kind


def _errors(seed: int, table: FeatureTable, source: Source) -> NDArray[np.float32]:
    """Return standard normal numbers, float32 [cell lines or drugs, columns]; drugs of one structure have the same.

    A column's are drawn by its place in the source, so that they are those of any other choice of columns.
    """
    generator = np.random.default_rng([seed, FEATURE_NOISE, *table.kind.encode()])
    draws = generator.standard_normal((int(table.columns.max()) + 1, len(table.values)), dtype=np.float32)
    errors = draws[table.columns].T
    return errors if table.kind == "rnaseq" else errors[selection.first_drug_of_structure(source.structures)]


def _noisy_columns(hyperparameters: Mapping[str, Any], table: FeatureTable) -> NDArray[np.intp]:
    """Return which of a table's columns get the noise: a share of those that are named, of all where none is."""
    order = _order(hyperparameters, NOISY_COLUMNS, table)
    named, share = hyperparameters["feature_noise_columns"], hyperparameters["feature_noise_share"]
    if named:
        order = order[np.isin(table.names[order], named)]
    return order if share is None else _first(order, share)


def _order(hyperparameters: Mapping[str, Any], stream: int, table: FeatureTable) -> NDArray[np.intp]:
    """Return a table's columns in an order that is drawn once for all columns that the source has, up to the last."""
    generator = np.random.default_rng([hyperparameters["rng_seed"], stream, *table.kind.encode()])
    return np.argsort(generator.random(int(table.columns.max()) + 1)[table.columns], kind="stable")


def _first(order: NDArray[Any], percent: float) -> NDArray[Any]:
    return order[: round(percent / 100.0 * len(order))]
