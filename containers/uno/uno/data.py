"""The rows and features of a training, from the hyperparameters that choose them.

What was read stays in memory for the next run of the process: the rows, tables and splits depend on a few
hyperparameters only, which a search seldom changes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response import features, selection, splits
from drug_response import studies as study_names
from drug_response.errors import DataError
from drug_response.features import FeatureTable
from drug_response.preparation import prepare
from drug_response.selection import ResponseRows
from drug_response.splits import Split
from drug_response.tables import Source
from uno.hyperparameters import named_studies

#: The hyperparameters that choose rows and features; nothing else does.
DATA_KEYS = (
    *("train_sources", "test_sources", "match_studies", "data_source", "agg_dose", "split", "split_number"),
    *("split_seed", "val_split", "cv", "row_limit", "cell_types", "by_cell", "by_drug", "cell_features"),
    *("drug_features", "gene_count", "use_landmark_genes", "use_filtered_genes", "feature_subset_path"),
    *("cell_feature_subset_path", "drug_feature_subset_path", "feature_subsample", "no_response_source"),
)
#: Files in the data folder that list genes, by the hyperparameter that asks for them.
GENE_LISTS = {"use_landmark_genes": "landmark_genes.txt", "use_filtered_genes": "filtered_genes.txt"}


@dataclass(frozen=True)
class Part:
    """Rows of one side: `numbers` int32 [rows, inputs] points into the dataset's tables; labels float32 [rows].

    `cell_line` and `drug` are the numbers in the source's own tables.
    """

    numbers: NDArray[np.int32]
    labels: NDArray[np.float32]
    cell_line: NDArray[np.int32]
    drug: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.labels)

    def whole_batches(self, batch_size: int, name: str) -> Part:
        """Leave out the last incomplete batch. Raises `DataError` where nothing would be left."""
        rows = len(self) // batch_size * batch_size
        if rows == 0:
            raise DataError(f"batch_size = {batch_size}: there are only {len(self)} {name} rows")
        return Part(self.numbers[:rows], self.labels[:rows], self.cell_line[:rows], self.drug[:rows])


@dataclass(frozen=True)
class Dataset:
    """Everything a training needs.

    `features` are the encoded inputs; `studies` the columns of the raw input, empty where there is none;
    `test` holds the test rows of each test study; `notes` says in words what was chosen.
    """

    source: Source
    features: tuple[FeatureTable, ...]
    studies: tuple[str, ...]
    training: Part
    validation: Part
    test: dict[str, Part]
    notes: tuple[str, ...]

    @property
    def tables(self) -> list[NDArray[np.float32]]:
        """The input tables in the order of the columns of `Part.numbers`."""
        tables = [table.values for table in self.features]
        return [*tables, np.eye(len(self.studies), dtype=np.float32)] if self.studies else tables


def read_dataset(hyperparameters: Mapping[str, Any], data_folder: Path, fold: int = 0) -> Dataset:
    """Return the data of a run; prepares the data folder first where it has to.

    Raises `DataError`, one line, where a study, measure or feature is not in the data.
    """
    manifest = prepare(data_folder)
    chosen = {key: hyperparameters[key] for key in DATA_KEYS}
    if hyperparameters["feature_subsample"]:
        chosen["rng_seed"] = hyperparameters["rng_seed"]
    source = study_names.choose_source(manifest, chosen["data_source"], named_studies(chosen), data_folder)
    identity = json.dumps(manifest["files"], sort_keys=True)
    return _read_dataset(json.dumps(chosen, sort_keys=True), str(data_folder), source, identity, fold)


@functools.lru_cache(maxsize=4)
def _read_dataset(chosen: str, data_folder: str, source_name: str, identity: str, fold: int) -> Dataset:
    settings = json.loads(chosen)
    source = selection.open_prepared(Path(data_folder), source_name)
    rows = _read_rows(settings, source)
    train_studies, test_studies = _studies(settings, source)
    joined = _join([rows[study] for study in train_studies])
    split = _split(settings, source, train_studies, joined, fold)
    training_rows = splits.limit_rows(split.training, settings["row_limit"], settings["split_seed"])
    tables, feature_notes = _feature_tables(settings, source, joined, training_rows, Path(data_folder))
    studies = () if settings["no_response_source"] else tuple(dict.fromkeys([*train_studies, *test_studies]))
    numbers = _numbers(tables, studies, joined, _study_of_rows(rows, train_studies))
    full = Part(numbers, joined.labels, joined.cell_line, joined.drug)
    training, validation = _take(full, training_rows), _take(full, split.validation)
    test = _test_parts(settings, rows, test_studies, train_studies, training, tables, studies)
    if settings["split"] == "file" and "train" in settings["test_sources"] and len(split.test):
        test["+".join(train_studies)] = _take(full, split.test)
    notes = (*_row_notes(settings, source, train_studies, joined), *feature_notes)
    return Dataset(source, tables, studies, training, validation, test, notes)


def _studies(settings: Mapping[str, Any], source: Source) -> tuple[list[str], list[str]]:
    """Return the studies to train on and the further ones to test on."""
    named = named_studies(settings)
    train, _ = study_names.match_names(named["train_sources"], source.studies)
    test, _ = study_names.match_names(named["test_sources"], source.studies)
    matched, _ = study_names.match_names(named["match_studies"], source.studies)
    for study in train if matched else []:
        if study not in matched:
            raise DataError(
                f"train_sources: {study} is not among match_studies = {settings['match_studies']}; "
                f"add it there or set match_studies = None"
            )
    return train, [study for study in test if study not in train]


def _read_rows(settings: Mapping[str, Any], source: Source) -> dict[str, ResponseRows]:
    """Return the rows of every study that is used, matched where they are to be, filtered."""
    train, test = _studies(settings, source)
    matched, _ = study_names.match_names(settings["match_studies"] or [], source.studies)
    rows = {
        study: selection.study_rows(source, study, settings["agg_dose"])
        for study in dict.fromkeys([*train, *test, *matched])
    }
    if matched:
        if settings["split"] == "file":
            raise DataError("split = 'file': split files count the rows of one study; set match_studies = None")
        rows.update(selection.match(source, {study: rows[study] for study in matched}))
    return {study: _filter_rows(settings, source, part) for study, part in rows.items()}


def _filter_rows(settings: Mapping[str, Any], source: Source, rows: ResponseRows) -> ResponseRows:
    rows = selection.keep_cell_types(source, rows, settings["cell_types"])
    rows = selection.keep_one("by_cell", settings["by_cell"], source.cell_lines, rows.cell_line, rows)
    return selection.keep_one("by_drug", settings["by_drug"], source.drugs, rows.drug, rows)


def _join(parts: list[ResponseRows]) -> ResponseRows:
    if len(parts) == 1:
        return parts[0]
    columns = [
        np.concatenate([getattr(part, name) for part in parts]) for name in ("cell_line", "drug", "labels", "record")
    ]
    return ResponseRows("+".join(part.study for part in parts), *columns)


def _study_of_rows(rows: Mapping[str, ResponseRows], studies: list[str]) -> list[str]:
    return [study for study in studies for _ in range(len(rows[study]))]


def _split(settings: Mapping[str, Any], source: Source, studies: list[str], rows: ResponseRows, fold: int) -> Split:
    if settings["split"] == "file":
        return _split_by_file(settings, source, studies, rows)
    groups = splits.group_of_rows(settings["split"], rows.cell_line, rows.drug)
    try:
        return splits.split_by_group(groups, settings["split_seed"], settings["val_split"], settings["cv"], fold)
    except DataError as error:
        raise DataError(f"split = '{settings['split']}': {rows.study} {error}") from None


def _split_by_file(settings: Mapping[str, Any], source: Source, studies: list[str], rows: ResponseRows) -> Split:
    if len(studies) != 1 or settings["cv"] > 1:
        raise DataError("split = 'file': takes one training study, and cv = 1")
    known = source.splits.get(studies[0], np.empty((0, 0), dtype=np.int8))
    number = settings["split_number"]
    if number >= len(known):
        raise DataError(
            f"split = 'file': {studies[0]} in the '{source.name}' data has {len(known)} splits, "
            f"split_number = {number} is not among them"
        )
    return splits.split_by_file(known[number][rows.record])


def _feature_tables(
    settings: Mapping[str, Any], source: Source, rows: ResponseRows, training_rows: NDArray[Any], folder: Path
) -> tuple[tuple[FeatureTable, ...], list[str]]:
    tables, notes = [], []
    subsample = functools.partial(
        features.sample_columns, count=settings["feature_subsample"], seed=settings.get("rng_seed", 0)
    )
    if "rnaseq" in settings["cell_features"]:
        listed, note = _listed_genes(settings, folder)
        columns = subsample(features.choose_genes(source, settings["gene_count"], listed))
        cells = rows.cell_line[training_rows]
        tables.append(features.build_table("rnaseq", source.genes, source.expression, columns, cells))
        notes.append(f"{len(tables[-1].names)} genes: {note}")
    listed = _listed(settings, ("drug_feature_subset_path", "feature_subset_path"), folder, ("dragon7.",))
    for kind in (kind for kind in settings["drug_features"] if kind != "none"):
        names, values, columns = features.choose_drug_features(source, kind, listed)
        drugs, standardise = rows.drug[training_rows], kind != "fingerprints"
        tables.append(features.build_table(kind, names, values, subsample(columns), drugs, standardise))
        notes.append(f"{len(tables[-1].names)} {kind} that vary among the training drugs")
    if not tables:
        raise DataError("cell_features and drug_features: both are none, nothing is left to learn from")
    for table in tables:
        if not len(table.names):
            raise DataError(f"no {table.kind} feature varies among the training rows")
    return tuple(tables), notes


def _listed_genes(settings: Mapping[str, Any], folder: Path) -> tuple[list[str] | None, str]:
    """Return the listed genes, or None for the most variable ones, and in words which they are."""
    paths = ("cell_feature_subset_path", "feature_subset_path")
    listed = _listed(settings, paths, folder, ("rnaseq.",))
    if listed is not None:
        return listed, "those that the feature file lists"
    if settings["use_filtered_genes"]:
        path = folder / GENE_LISTS["use_filtered_genes"]
        return features.read_names(path, "use_filtered_genes", ("rnaseq.",)), f"those that {path.name} lists"
    landmark = folder / GENE_LISTS["use_landmark_genes"]
    if settings["use_landmark_genes"] and landmark.is_file():
        return features.read_names(landmark, "use_landmark_genes", ("rnaseq.",)), f"those that {landmark.name} lists"
    without = " (use_landmark_genes: the data have no landmark_genes.txt)" if settings["use_landmark_genes"] else ""
    return None, ("largest variance" if settings["gene_count"] else "all that vary") + without


def _listed(
    settings: Mapping[str, Any], keys: tuple[str, ...], folder: Path, prefixes: tuple[str, ...]
) -> list[str] | None:
    for key in keys:
        if settings[key]:
            return features.read_names(folder / settings[key], key, prefixes)
    return None


def _numbers(
    tables: tuple[FeatureTable, ...], studies: tuple[str, ...], rows: ResponseRows, study_of_rows: list[str]
) -> NDArray[np.int32]:
    columns = [rows.cell_line if table.kind == "rnaseq" else rows.drug for table in tables]
    if studies:
        columns.append(np.array([studies.index(study) for study in study_of_rows], dtype=np.int32))
    return np.stack(columns, axis=1).astype(np.int32)


def _take(part: Part, rows: NDArray[Any]) -> Part:
    return Part(part.numbers[rows], part.labels[rows], part.cell_line[rows], part.drug[rows])


def _test_parts(
    settings: Mapping[str, Any],
    rows: Mapping[str, ResponseRows],
    test_studies: list[str],
    train_studies: list[str],
    training: Part,
    tables: tuple[FeatureTable, ...],
    studies: tuple[str, ...],
) -> dict[str, Part]:
    """Return the rows of each further test study whose group no training row has."""
    parts = {}
    for study in test_studies:
        tested = rows[study]
        unseen = ~np.isin(_groups(settings["split"], tested), _groups(settings["split"], training))
        if not np.any(unseen):
            raise DataError(
                f"test_sources: every row of {study} has a {_GROUP_WORDS[settings['split']]} of the training "
                f"rows of {', '.join(train_studies)}"
            )
        kept = tested.take(unseen)
        numbers = _numbers(tables, studies, kept, [study] * len(kept))
        parts[study] = Part(numbers, kept.labels, kept.cell_line, kept.drug)
    return parts


_GROUP_WORDS = {"cell": "cell line", "drug": "drug", "row": "pair of cell line and drug", "file": "pair"}


def _groups(kind: str, rows: ResponseRows | Part) -> NDArray[np.int64]:
    """Return what a test row may not share with the training rows, as one number."""
    if kind in ("cell", "drug"):
        return splits.group_of_rows(kind, rows.cell_line, rows.drug)
    return rows.cell_line.astype(np.int64) << 32 | rows.drug


def _row_notes(settings: Mapping[str, Any], source: Source, studies: list[str], rows: ResponseRows) -> list[str]:
    cell_lines, drugs = len(np.unique(rows.cell_line)), len(np.unique(rows.drug))
    matched = settings["match_studies"]
    number = f", number {settings['split_number']}" if settings["split"] == "file" else ""
    seed = "" if settings["split"] == "file" else f", seed {settings['split_seed']}"
    return [
        f"{' and '.join(studies)} from '{source.name}' data: {len(rows)} rows, {cell_lines} cell lines, {drugs} drugs"
        + (f", those that {', '.join(matched)} share" if matched else ""),
        f"split by {settings['split']}{seed}{number}",
    ]
