"""Which columns a training sees: genes and drug features, standardised on the training rows.

A feature table has one row for every cell line or drug; models look rows up in it by number, so that a
feature is stored once however many responses it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparator.errors import nearest
from drug_response.errors import DataError
from drug_response.tables import Source

#: Columns below this fraction of the largest absolute value are taken as constant.
_CONSTANT = 1e-7


@dataclass(frozen=True)
class FeatureTable:
    """A feature type ready for a model: `values` is float32 [cell lines or drugs, columns].

    `columns` are the positions in the source's table, `names` their names; `values` is
    (source value - mean) * scale.
    """

    kind: str
    names: NDArray[np.str_]
    columns: NDArray[np.intp]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    values: NDArray[np.float32]


def choose_genes(source: Source, gene_count: int | None, listed: Sequence[str] | None) -> NDArray[np.intp]:
    """Return column numbers of `source.expression`.

    `listed` genes, those of them that the source has, in the source's order; else the `gene_count` genes of
    largest variance; else (None) all. Raises `DataError` where no listed gene is there.
    """
    if listed is not None:
        chosen = np.flatnonzero(np.isin(source.genes, list(listed)))
        if not len(chosen):
            raise DataError(f"none of the {len(listed)} listed genes is in the '{source.name}' data")
        return chosen
    return np.arange(min(gene_count or len(source.genes), len(source.genes)))


def choose_drug_features(
    source: Source, kind: str, listed: Sequence[str] | None
) -> tuple[NDArray[np.str_], NDArray[Any], NDArray[np.intp]]:
    """Return names, values and chosen columns of one kind of drug features.

    Raises `DataError` with the kinds that there are, where the source lacks this one.
    """
    if kind not in source.drug_features:
        there = sorted(source.drug_features)
        raise DataError(
            f"drug_features = '{kind}': the '{source.name}' data have {', '.join(there)}{nearest(kind, there)}"
        )
    features = source.drug_features[kind]
    columns = np.arange(len(features.names))
    if listed is not None:
        columns = np.flatnonzero(np.isin(features.names, list(listed)))
        if not len(columns):
            raise DataError(f"none of the {len(listed)} listed drug features is among the {kind}")
    return features.names, features.values, columns


def sample_columns(columns: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    """Return `count` random columns, rising; all where there are no more, or `count` is 0."""
    if count <= 0 or count >= len(columns):
        return columns
    return np.sort(np.random.default_rng([seed, 3]).permutation(columns)[:count])


def build_table(
    kind: str,
    names: NDArray[np.str_],
    values: NDArray[Any],
    columns: NDArray[np.intp],
    training_rows: NDArray[Any],
    standardise: bool = True,
) -> FeatureTable:
    """Make a feature table from the chosen columns, standardised on the distinct training rows.

    `training_rows` are the numbers of the cell lines or drugs that stand in the training data, in any order and
    number. Columns that do not vary among them are left out: nothing can be learned from them. With
    `standardise` False (fingerprints) values stay as they are.
    """
    chosen = np.asarray(values[:, columns], dtype=np.float32)
    seen = chosen[np.unique(training_rows)]
    mean, deviation = seen.mean(axis=0, dtype=np.float64), seen.std(axis=0, dtype=np.float64)
    varies = deviation > _CONSTANT * np.maximum(np.abs(seen).max(axis=0), 1e-30)
    columns, chosen = columns[varies], chosen[:, varies]
    mean, deviation = mean[varies], deviation[varies]
    if not standardise:
        mean, deviation = np.zeros_like(mean), np.ones_like(deviation)
    scale = (1.0 / deviation).astype(np.float32)
    table = (chosen - mean.astype(np.float32)) * scale
    return FeatureTable(kind, np.asarray(names)[columns], columns, mean.astype(np.float32), scale, table)


def read_names(path: Path, key: str, prefixes: Sequence[str]) -> list[str]:
    """Read names separated by blanks or line ends, without the prefix (`rnaseq.`, `dragon7.`) that they may have.

    Raises `DataError` that names `key` where the file cannot be read or is empty.
    """
    try:
        words = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{key} = '{path}': cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not words:
        raise DataError(f"{key} = '{path}': names no feature")
    for prefix in prefixes:
        words = [word.removeprefix(prefix) for word in words]
    return words
