"""Where the tables of a data folder lie, and their ids stand: layouts of IMPROVE, coderdata, drevalpy and DepMap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.tables.reading import Column, TableError, find_table, header_rows, read_header

CELL_LINES, DRUGS = "cell lines", "drugs"
#: How names of tables end; any of them may be compressed.
ENDINGS = (".tsv", ".csv", ".txt", ".tsv.gz", ".csv.gz", ".txt.gz")
#: Where, under a data folder, the benchmark's tables may stand.
BENCHMARK_PLACES = (".", "raw_data", "csa_data/raw_data")


@dataclass(frozen=True)
class Features:
    """A table with what is known of cell lines, or of drugs.

    `column` has their ids; None where the ids are the names of the columns. Responses of an id that a table lacks are
    left out where it is the `deciding` one of its kind. An id may stand in several rows where it `repeats`, which have
    to agree in the columns `alike`, None for all. Where `needs` names a column, an id without a value there is lacking.
    """

    kind: str
    path: Path
    column: Column | None
    header_rows: int = 1
    deciding: bool = False
    repeats: bool = False
    alike: tuple[str, ...] | None = None
    needs: str | None = None


@dataclass(frozen=True)
class Responses:
    """A table of responses, and the features that go with it.

    `study` names the column of studies; without one the file is one study, of its own name. Measures stand in the
    columns `measures`, or, one a row, their names in the first and their values in the second column of `long`.
    """

    path: Path
    cell_line: str
    drug: str
    study: str | None = None
    measures: tuple[str, ...] = ()
    long: tuple[str, str] | None = None
    features: tuple[Features, ...] = ()
    #: Files that are missing, and what they would hold.
    missing: tuple[str, ...] = ()
    #: The folder of IMPROVE's split files.
    splits: Path | None = None


@dataclass(frozen=True)
class Layout:
    """The tables of a folder, and by whose layout they were found; `features` go with no responses."""

    name: str
    folder: Path
    responses: tuple[Responses, ...]
    features: tuple[Features, ...] = field(default=())


def find_layout(folder: Path) -> Layout:
    """Return the layout of a folder. Raises `InputError` where it is none that is known."""
    for find in (_improve, _coderdata, _drevalpy, _depmap):
        layout = find(folder)
        if layout is not None:
            return layout
    raise InputError(
        f"{folder}: no layout that is known: IMPROVE has x_data/ and y_data/ (in the folder or in raw_data/), "
        "coderdata NAME_experiments.tsv, drevalpy NAME/NAME.csv, DepMap Model.csv and Omics...csv"
    )


def _tables(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file() and path.name.endswith(ENDINGS))


def _stem(path: Path) -> str:
    return re.sub(r"\.(tsv|csv|txt)(\.gz)?$", "", path.name)


def _header(path: Path) -> list[str]:
    """The names of a table's columns; none where it cannot be read, of which the check says why."""
    try:
        return read_header(path)
    except TableError:
        return []


# IMPROVE -----------------------------------------------------------------------------------------------------------

IMPROVE_MEASURES = ("auc", "ic50", "ec50", "ec50se", "r2fit", "einf", "hs", "aac1", "auc1", "dss1")
_EXPRESSION, _STRUCTURES = "cancer_gene_expression.tsv", "drug_SMILES.tsv"
#: The tables of features that models of this project read.
_READ = (_EXPRESSION, _STRUCTURES, "drug_mordred.tsv", "drug_ecfp4_nbits512.tsv", "cell_info.tsv")
#: How names of tables with ids of cell lines or drugs begin.
_BEGINNINGS = ("cancer_", "cell_", "drug_")


def _improve(folder: Path) -> Layout | None:
    for place in BENCHMARK_PLACES:
        root = folder / place
        if (root / "x_data").is_dir() and (root / "y_data").is_dir():
            return Layout("IMPROVE", root, (_improve_responses(root),))
    return None


def _improve_responses(root: Path) -> Responses:
    missing = [f"x_data/{name}" for name in (_EXPRESSION, _STRUCTURES) if find_table(root / "x_data", name) is None]
    if not (root / "splits").is_dir():
        missing.append("splits/ (it may be empty)")
    return Responses(
        path=find_table(root / "y_data", "response.tsv") or root / "y_data" / "response.tsv",
        study="source",
        cell_line="improve_sample_id",
        drug="improve_chem_id",
        measures=IMPROVE_MEASURES,
        features=tuple(
            _improve_features(path) for path in _tables(root / "x_data") if path.name.startswith(_BEGINNINGS)
        ),
        missing=tuple(missing),
        splits=root / "splits",
    )


def _improve_features(path: Path) -> Features:
    name = path.name.removesuffix(".gz")
    # Of tables that nothing here reads, an id may stand in several rows.
    how: dict[str, Any] = {} if name in _READ else {"repeats": True, "alike": ()}
    if not name.startswith("drug_"):
        return Features(CELL_LINES, path, 0, _header_rows(path), deciding=name == _EXPRESSION, **how)
    if name != _STRUCTURES:
        return Features(DRUGS, path, 0, **how)
    column = next((each for each in ("canSMILES", "improve_smiles") if each in _header(path)), "canSMILES")
    return Features(DRUGS, path, "improve_chem_id", deciding=True, alike=(column,), needs=column)


def _header_rows(path: Path) -> int:
    try:
        return header_rows(path)
    except TableError:
        return 1


# coderdata ---------------------------------------------------------------------------------------------------------

#: Kinds of tables with ids of samples, the one that decides first.
_OMICS = ("transcriptomics", "samples", "proteomics", "mutations", "copy_number", "methylation", "mirna")


def _coderdata(folder: Path) -> Layout | None:
    by_name = {_stem(path): path for path in _tables(folder)}
    found = [name for name in by_name if re.fullmatch(r"(\w+_)?experiments", name)]
    responses = tuple(_coderdata_responses(by_name, name.removesuffix("experiments")) for name in found)
    return Layout("coderdata", folder, responses) if found else None


def _coderdata_responses(by_name: dict[str, Path], prefix: str) -> Responses:
    def path_of(kind: str) -> Path | None:
        others = [path for name, path in by_name.items() if name.endswith(f"_{kind}")]
        return by_name.get(prefix + kind) or (others[0] if len(others) == 1 else None)

    features, missing = [], []
    for kind in _OMICS:
        path = path_of(kind)
        if path is not None:
            # A row for each gene, or for each other name of a sample.
            decides = kind == "transcriptomics"
            features.append(Features(CELL_LINES, path, "improve_sample_id", deciding=decides, repeats=True, alike=()))
        elif kind == "transcriptomics":
            missing.append(f"{prefix}{kind}.csv")
    drugs, descriptors = path_of("drugs"), path_of("drug_descriptors")
    if drugs is not None:
        # A row for each name of a drug.
        same = ("canSMILES",)
        features.append(
            Features(DRUGS, drugs, "improve_drug_id", deciding=True, repeats=True, alike=same, needs="canSMILES")
        )
    else:
        missing.append(f"{prefix}drugs.tsv")
    if descriptors is not None:
        features.append(Features(DRUGS, descriptors, "improve_drug_id", repeats=True, alike=()))
    return Responses(
        path=by_name[f"{prefix}experiments"],
        study="study",
        cell_line="improve_sample_id",
        drug="improve_drug_id",
        long=("dose_response_metric", "dose_response_value"),
        features=tuple(features),
        missing=tuple(missing),
    )


# drevalpy ----------------------------------------------------------------------------------------------------------

_DREVALPY_CELL_LINE, _DREVALPY_DRUG = "cell_line_name", "pubchem_id"
_DREVALPY_MEASURES = ("LN_IC50", "EC50", "IC50", "pEC50", "AUC", "response")
_DREVALPY_STRUCTURES, _DREVALPY_EXPRESSION = "drug_smiles", "gene_expression"


def _drevalpy(folder: Path) -> Layout | None:
    places = [folder, *(path for path in sorted(folder.iterdir()) if path.is_dir())]
    tables = [
        path for place in places for path in [find_table(place, f"{place.resolve().name}.csv")] if path is not None
    ]
    found = [path for path in tables if {_DREVALPY_CELL_LINE, _DREVALPY_DRUG} <= set(_header(path))]
    return Layout("drevalpy", folder, tuple(map(_drevalpy_responses, found))) if found else None


def _drevalpy_responses(path: Path) -> Responses:
    others = [each for each in _tables(path.parent) if each != path]
    features = [found for each in others if (found := _drevalpy_features(each)) is not None]
    for fingerprints in sorted((path.parent / "drug_fingerprints").glob("pubchem_id_to_demorgan_*_map.csv*")):
        features.append(Features(DRUGS, fingerprints, None))
    there = {_stem(each) for each in others}
    wanted = (_DREVALPY_EXPRESSION, _DREVALPY_STRUCTURES)
    names = _header(path)
    return Responses(
        path=path,
        cell_line=_DREVALPY_CELL_LINE,
        drug=_DREVALPY_DRUG,
        measures=tuple(name for name in names if name.removesuffix("_curvecurator") in _DREVALPY_MEASURES),
        features=tuple(features),
        missing=tuple(f"{path.parent.name}/{name}.csv" for name in wanted if name not in there),
    )


def _drevalpy_features(path: Path) -> Features | None:
    names = _header(path)
    if _DREVALPY_CELL_LINE in names:
        # Several rows of a cell line are averaged there.
        decides = _stem(path) == _DREVALPY_EXPRESSION
        return Features(CELL_LINES, path, _DREVALPY_CELL_LINE, deciding=decides, repeats=True, alike=())
    if _DREVALPY_DRUG in names:
        needs = "canonical_smiles" if _stem(path) == _DREVALPY_STRUCTURES else None
        alike = () if needs is None else (needs,)
        return Features(DRUGS, path, _DREVALPY_DRUG, deciding=needs is not None, repeats=True, alike=alike, needs=needs)
    return None


# DepMap ------------------------------------------------------------------------------------------------------------

_PRISM = re.compile(r".*dose-response-curve-parameters")
_DEPMAP_EXPRESSION = re.compile(r"(OmicsExpression.*TPMLogp1.*|CCLE_expression(_full)?)")
_DEPMAP_MODELS = {"Model": "ModelID", "sample_info": "DepMap_ID", "secondary-screen-cell-line-info": "depmap_id"}
_DEPMAP_OMICS = re.compile(r"(Omics.*Matrix.*|OmicsCN.*|CCLE_gene_cn)")


def _depmap(folder: Path) -> Layout | None:
    tables = {_stem(path): path for path in _tables(folder)}
    features = tuple(found for name, path in tables.items() if (found := _depmap_features(name, path)) is not None)
    screens = [path for name, path in tables.items() if _PRISM.fullmatch(name)]
    if not features and not screens:
        return None
    has_expression = any(each.deciding for each in features)
    missing = () if has_expression else ("OmicsExpressionProteinCodingGenesTPMLogp1.csv",)
    responses = tuple(_prism(path, features, missing) for path in screens)
    return Layout("DepMap", folder, responses, () if responses else features)


def _depmap_features(name: str, path: Path) -> Features | None:
    if name in _DEPMAP_MODELS:
        return Features(CELL_LINES, path, _DEPMAP_MODELS[name])
    if not (_DEPMAP_EXPRESSION.fullmatch(name) or _DEPMAP_OMICS.fullmatch(name)):
        return None
    # Newer releases have a row for each profile, several of one model.
    has_profiles = "ModelID" in _header(path)
    decides = _DEPMAP_EXPRESSION.fullmatch(name) is not None
    column: Column = "ModelID" if has_profiles else 0
    alike = () if has_profiles else None
    return Features(CELL_LINES, path, column, deciding=decides, repeats=has_profiles, alike=alike)


def _prism(path: Path, features: tuple[Features, ...], missing: tuple[str, ...]) -> Responses:
    structures = Features(
        DRUGS, path, "broad_id", deciding=True, repeats=True, alike=("smiles",), needs="smiles"
    )  # fmt: skip
    names = _header(path)
    return Responses(
        path=path,
        study="screen_id" if "screen_id" in names else None,
        cell_line="depmap_id",
        drug="broad_id",
        measures=tuple(name for name in ("auc", "ic50", "ec50") if name in names),
        features=(*features, structures),
        missing=missing,
    )
