"""The rows and features of a training, from the hyperparameters that choose them.

What was read stays in memory for the next run of the process: the rows, tables and splits depend on a few
hyperparameters only, which a search seldom changes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response import exclusion, features, selection, splits
from drug_response import studies as study_names
from drug_response.errors import DataError
from drug_response.features import FeatureTable
from drug_response.hyperparameters import named_studies
from drug_response.preparation import prepare
from drug_response.selection import ResponseRows
from drug_response.splits import Split
from drug_response.tables import Source

#: The hyperparameters that choose rows and features; nothing else does.
DATA_KEYS = (
    *("train_sources", "test_sources", "match_studies", "match_by", "data_source", "agg_dose", "split"),
    "split_number",
    *(
        "test_seen",
        "split_over",
        "split_seed",
        "val_split",
        "cv",
        "row_limit",
        "val_row_limit",
        "cell_types",
        "by_cell",
    ),
    *("by_drug", "cell_features", *exclusion.KEYS),
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


@dataclass(frozen=True)
class Dataset:
    """Everything a training needs.

    `features` are the tables of features; `studies` the columns that tell a row's study, empty where there are none;
    `trained` names the training studies, and `held_out` are their rows for a test: those of the split file, else
    all validation rows. `test` holds the test rows of each test study; `notes` says in words what was chosen,
    `test_notes` which rows of another study and of the own ones are for a test.
    """

    source: Source
    features: tuple[FeatureTable, ...]
    studies: tuple[str, ...]
    training: Part
    validation: Part
    test: dict[str, Part]
    notes: tuple[str, ...]
    trained: tuple[str, ...]
    held_out: Part
    test_notes: tuple[str, str]

    @functools.cached_property
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
    identity = json.dumps([manifest["files"], manifest["texts"]], sort_keys=True)
    return _read_dataset(json.dumps(chosen, sort_keys=True), str(data_folder), source, identity, fold)


@functools.lru_cache(maxsize=4)
def _read_dataset(chosen: str, data_folder: str, source_name: str, identity: str, fold: int) -> Dataset:
    settings = json.loads(chosen)
    source = selection.open_prepared(Path(data_folder), source_name)
    rows = _read_rows(settings, source)
    train_studies, test_studies = _studies(settings, source)
    joined = _join([rows[study] for study in train_studies])
    split = _split(settings, source, train_studies, joined, fold)
    known_rows = splits.limit_rows(split.training, settings["row_limit"], settings["split_seed"])
    training_rows, left_out = exclusion.leave_out(settings, source, joined, known_rows)
    tables, feature_notes = _feature_tables(settings, source, joined, training_rows, Path(data_folder))
    studies = () if settings["no_response_source"] else tuple(dict.fromkeys([*train_studies, *test_studies]))
    numbers = _numbers(tables, studies, joined, _study_of_rows(rows, train_studies))
    full = Part(numbers, joined.labels, joined.cell_line, joined.drug)
    validation_rows = splits.limit_rows(split.validation, settings["val_row_limit"], settings["split_seed"])
    training, validation = _take(full, training_rows), _take(full, validation_rows)
    is_seen = _seen(settings, source, _take(full, known_rows), fold)  # tests are the same, whatever is left out
    test = {study: _test_part(settings, rows[study], is_seen, train_studies, tables, studies) for study in test_studies}
    held_out = _take(full, split.test if len(split.test) else split.validation)
    if settings["split"] == "file" and "train" in settings["test_sources"] and len(split.test):
        test["+".join(train_studies)] = held_out
    notes = (*_row_notes(settings, source, train_studies, joined), *left_out, *feature_notes)
    return Dataset(
        *(source, tables, studies, training, validation, test, notes),
        trained=tuple(train_studies),
        held_out=held_out,
        test_notes=_test_notes(settings, is_file_test=len(split.test) > 0),
    )


def count_rows(hyperparameters: Mapping[str, Any], data_folder: Path) -> tuple[int, int]:
    """Return how many rows a training has, and how many validate it; features are not looked at."""
    source, train_studies, joined = _known_rows(hyperparameters, data_folder)
    split = _split(hyperparameters, source, train_studies, joined, 0)
    sides = ((split.training, "row_limit"), (split.validation, "val_row_limit"))
    training, validation = (
        splits.limit_rows(side, hyperparameters[limit], hyperparameters["split_seed"]) for side, limit in sides
    )
    return len(exclusion.leave_out(hyperparameters, source, joined, training)[0]), len(validation)


def rows_by_name(hyperparameters: Mapping[str, Any], data_folder: Path, kind: str) -> dict[str, int]:
    """Return how many rows of the training studies, validation included, each drug, cell line or tumour type has."""
    source, _, joined = _known_rows(hyperparameters, data_folder)
    return exclusion.rows_by_name(source, joined, kind, hyperparameters[f"exclude_{kind}"] or ())


def _known_rows(hyperparameters: Mapping[str, Any], data_folder: Path) -> tuple[Source, list[str], ResponseRows]:
    """Return the source, the studies that are trained on, and all rows of these."""
    manifest = prepare(data_folder)
    named = named_studies(hyperparameters)
    source = selection.open_prepared(
        data_folder, study_names.choose_source(manifest, hyperparameters["data_source"], named, data_folder)
    )
    rows = _read_rows(hyperparameters, source)
    train_studies, _ = _studies(hyperparameters, source)
    return source, train_studies, _join([rows[study] for study in train_studies])


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
        by, of_matched = settings["match_by"], {study: rows[study] for study in matched}
        pairs = by == "pair"
        rows.update(selection.match(source, of_matched) if pairs else selection.keep_shared(source, of_matched, by))
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
    drawn_from = _groups_of_source(settings, source) if settings["split_over"] == "data" else None
    # Drugs of one structure are one drug, whatever the studies call them.
    drug = selection.first_drug_of_structure(source.structures)[rows.drug]
    groups = splits.group_of_rows(settings["split"], rows.cell_line, drug)
    seed, fraction, folds = (settings[key] for key in ("split_seed", "val_split", "cv"))
    try:
        return splits.split_by_group(groups, seed, fraction, folds, fold, drawn_from)
    except DataError as error:
        raise DataError(f"split = '{settings['split']}': {rows.study} {error}") from None


def _groups_of_source(settings: Mapping[str, Any], source: Source) -> NDArray[np.int64]:
    """Return all groups that the data have, whichever studies measured them."""
    if settings["split"] == "cell":
        return np.arange(len(source.cell_lines), dtype=np.int64)
    if settings["split"] == "drug":
        return np.unique(selection.first_drug_of_structure(source.structures)).astype(np.int64)
    raise DataError(f"split_over = 'data': goes with split = 'cell' or 'drug', not '{settings['split']}'")


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


def _seen(
    settings: Mapping[str, Any], source: Source, training: Part, fold: int
) -> Callable[[ResponseRows], NDArray[np.bool_]]:
    """Return what tells the rows of another study that are no test: their group was, or might have been, trained on.

    A split over all the data holds out the same groups in every study, and these alone are for tests: so every
    model is tested on the same rows of a study, whichever study it was trained on. Otherwise each row whose group
    no training row has is a test; with `test_seen` each row is.
    """
    if settings["test_seen"]:
        return lambda rows: np.zeros(len(rows), dtype=bool)
    kind = settings["split"]
    if settings["split_over"] == "data":
        seed, fraction, folds = (settings[key] for key in ("split_seed", "val_split", "cv"))
        chosen = splits.held_out(_groups_of_source(settings, source), seed, fraction, folds, fold)
        return lambda rows: ~np.isin(_groups(kind, rows, source), chosen)
    trained = _groups(kind, training, source)
    return lambda rows: np.isin(_groups(kind, rows, source), trained)


def _test_part(
    settings: Mapping[str, Any],
    rows: ResponseRows,
    is_seen: Callable[[ResponseRows], NDArray[np.bool_]],
    train_studies: list[str],
    tables: tuple[FeatureTable, ...],
    studies: tuple[str, ...],
) -> Part:
    """Return the rows of a further study that are for a test."""
    kept = rows.take(~is_seen(rows))
    if not len(kept):
        raise DataError(
            f"test_sources: every row of {rows.study} has a {_GROUP_WORDS[settings['split']]} of the training "
            f"rows of {', '.join(train_studies)}"
        )
    return Part(_numbers(tables, studies, kept, [rows.study] * len(kept)), kept.labels, kept.cell_line, kept.drug)


_GROUP_WORDS = {"cell": "cell line", "drug": "drug", "row": "pair of cell line and drug", "file": "pair"}


def _groups(kind: str, rows: ResponseRows | Part, source: Source) -> NDArray[np.int64]:
    """Return what a test row may not share with the training rows, as one number.

    Drugs of one structure are one drug, whatever the studies call them.
    """
    if kind == "cell":
        return rows.cell_line.astype(np.int64)
    drug = selection.first_drug_of_structure(source.structures)[rows.drug].astype(np.int64)
    return drug if kind == "drug" else rows.cell_line.astype(np.int64) << 32 | drug


def _test_notes(settings: Mapping[str, Any], *, is_file_test: bool) -> tuple[str, str]:
    """Say which rows of another study are for a test, and which of the training studies."""
    group = _GROUP_WORDS[settings["split"]]
    others = f"all rows but those with a {group} that training has seen"
    own = f"validation rows of the split by {settings['split']} (seed {settings['split_seed']})"
    if settings["split_over"] == "data":
        own = others = f"rows of the {group}s that the split (seed {settings['split_seed']}) holds out in every study"
    if is_file_test:
        own = f"test rows of the split file {settings['split_number']}"
    return "all rows" if settings["test_seen"] else others, own


def _row_notes(settings: Mapping[str, Any], source: Source, studies: list[str], rows: ResponseRows) -> list[str]:
    cell_lines, drugs = len(np.unique(rows.cell_line)), len(np.unique(rows.drug))
    matched = settings["match_studies"]
    those = {"pair": "those", "drug": "of the drugs", "cell": "of the cell lines"}[settings["match_by"]]
    number = f", number {settings['split_number']}" if settings["split"] == "file" else ""
    seed = "" if settings["split"] == "file" else f", seed {settings['split_seed']}"
    over_all = settings["split_over"] == "data"
    return [
        f"{' and '.join(studies)} from '{source.name}' data: {len(rows)} rows, {cell_lines} cell lines, {drugs} drugs"
        + (f", {those} that {', '.join(matched)} share" if matched else ""),
        f"split by {settings['split']}{seed}{number}" + (", over all the data" if over_all else ""),
    ]
