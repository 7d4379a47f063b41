"""Prepare the data folder once; afterwards only check it. Standard library only, until there is work to do.

    DATA/prepared/manifest.json        what was prepared: contents and hashes; part of every run's identity
    DATA/prepared/inputs.json          where it came from on this machine: paths, sizes, times; for the check
    DATA/prepared/SOURCE/              arrays of each source (`drug_response.sources`) that there is

The manifest says nothing of this machine, so that equal data give equal hashes everywhere.

    python -m drug_response.preparation DATA       prepares DATA, prints its studies
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from drug_response.errors import DataError
from drug_response.sources import SOURCES

#: To be raised when prepared files change their form or meaning: data prepared before are then prepared again.
FORMAT = 3

#: Files directly in the data folder that models take without being told: defaults and lists of genes.
TEXTS = (
    *("uno_auc_model.txt", "lgbm_params.txt", "graphdrp_params.txt", "drevalpy_params.txt"),
    *("landmark_genes.txt", "filtered_genes.txt"),
)
PREPARED = "prepared"
MANIFEST = "manifest.json"
INPUTS = "inputs.json"
_LOCK = ".lock"


def find_inputs(data_folder: Path) -> dict[str, Path]:
    """Return the sources that there are, each with its folder."""
    found = {name: source.find(data_folder) for name, source in SOURCES.items()}
    return {name: folder for name, folder in found.items() if folder is not None}


def _describe_inputs(inputs: dict[str, Path]) -> dict[str, Any]:
    """Return each input file's size and time by its path: what tells that it has changed."""
    described = {}
    for source, folder in inputs.items():
        for path in SOURCES[source].files(folder):
            status = path.stat()
            described[str(path.resolve())] = [source, status.st_size, status.st_mtime_ns]
    return described


def read_manifest(data_folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a prepared data folder, or None where there is none in this format."""
    manifest = _read_json(data_folder / PREPARED / MANIFEST)
    return manifest if manifest is not None and manifest.get("format") == FORMAT else None


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _outdated(data_folder: Path, inputs: dict[str, Path], manifest: dict[str, Any]) -> set[str]:
    """Return the sources that have to be prepared: new ones, changed ones, those whose arrays are not whole."""
    prepared = data_folder / PREPARED
    outdated = {source for source in inputs if source not in manifest["sources"]}
    for name, file in manifest["files"].items():
        path = prepared / name
        if not path.is_file() or path.stat().st_size != file["bytes"]:
            outdated.add(name.split("/")[0])
    known, described = _read_json(prepared / INPUTS) or {}, _describe_inputs(inputs)
    unknown = {path for path, description in described.items() if known.get(path) != description}
    for source in {described[path][0] for path in unknown} - outdated:
        if _hash_inputs(source, inputs[source]) != manifest["sources"][source]["inputs"]:
            outdated.add(source)
    if unknown and not outdated:
        # The same contents at another place or time, as inside and outside a container: remember them too.
        with contextlib.suppress(OSError):
            _write_json(prepared / INPUTS, {**known, **described})
    return outdated


def _gone(inputs: dict[str, Path], manifest: dict[str, Any]) -> set[str]:
    """Return the prepared sources whose inputs are gone, and that do not outlive them."""
    gone = set(manifest["sources"]) - set(inputs)
    return {name for name in gone if name not in SOURCES or not SOURCES[name].outlives_its_files}


def prepare(data_folder: Path, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Prepare the data folder unless it is prepared already; returns the manifest.

    A second call only compares sizes and times. Several processes may call it at once: one prepares, the
    others wait for it. `tell` is given a line where there is work to do. Raises `DataError` where no data are
    found, or the folder cannot be written.
    """
    inputs = find_inputs(data_folder)
    manifest = read_manifest(data_folder) or _empty_manifest()
    if not inputs and not manifest["sources"]:
        raise DataError(
            f"no data in {data_folder}, and none installed: bring "
            + " or ".join(source.bring for source in SOURCES.values())
        )
    is_current = not _outdated(data_folder, inputs, manifest) and not _gone(inputs, manifest)
    if is_current and manifest["texts"] == _hash_texts(data_folder):
        return manifest
    try:
        with _locked(data_folder / PREPARED):
            # Another process may have done some of it while this one waited for the lock.
            manifest = read_manifest(data_folder) or _empty_manifest()
            return _prepare(data_folder, inputs, manifest, tell)
    except OSError as error:
        raise DataError(f"data folder {data_folder}: cannot be prepared: {error.strerror or error}") from None


def _empty_manifest() -> dict[str, Any]:
    return {"format": FORMAT, "sources": {}, "files": {}, "texts": {}}


@contextlib.contextmanager
def _locked(prepared: Path) -> Iterator[None]:
    """Hold the folder's lock; it is freed by the system when the process ends, however it ends."""
    prepared.mkdir(parents=True, exist_ok=True)
    with (prepared / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(
    data_folder: Path, inputs: dict[str, Path], manifest: dict[str, Any], tell: Callable[[str], None]
) -> dict[str, Any]:
    prepared = data_folder / PREPARED
    described = _describe_inputs(inputs)
    outdated = _outdated(data_folder, inputs, manifest)
    for source in outdated | _gone(inputs, manifest):
        _forget(source, manifest)
    for source in sorted(outdated):
        if source not in inputs:
            raise DataError(f"prepared data of '{source}' are not whole, and its files are not there any more")
        tell(f"Preparing data from {inputs[source]} (once; about ten seconds)")
        manifest["sources"][source] = _prepare_source(source, inputs[source], prepared)
        for path in sorted((prepared / source).iterdir()):
            manifest["files"][f"{source}/{path.name}"] = {"sha256": _hash(path), "bytes": path.stat().st_size}
    manifest["texts"] = _hash_texts(data_folder)
    _write_json(prepared / INPUTS, described)
    _write_json(prepared / MANIFEST, manifest)
    _remove_leftovers(prepared, keep=set(manifest["sources"]))
    return manifest


def _forget(source: str, manifest: dict[str, Any]) -> None:
    manifest["sources"].pop(source, None)
    for name in [name for name in manifest["files"] if name.startswith(f"{source}/")]:
        del manifest["files"][name]


def _prepare_source(source: str, folder: Path, prepared: Path) -> dict[str, Any]:
    """Build a source's arrays in a folder of its own and put it in its place; returns its manifest entry."""
    from drug_response.tables import write_source

    table = importlib.import_module(SOURCES[source].reader).read(folder)
    building, former = prepared / f".building-{source}", prepared / f".former-{source}"
    for leftover in (building, former):
        shutil.rmtree(leftover, ignore_errors=True)
    building.mkdir()
    write_source(table, building)
    if (prepared / source).exists():
        (prepared / source).rename(former)
    building.rename(prepared / source)
    shutil.rmtree(former, ignore_errors=True)
    return {
        "studies": {
            study: {
                "rows": len(records),
                "left_out": table.left_out.get(study, {}),
                "measures": table.measures(study),
                "measured": table.measured(study),
                "splits": len(table.splits.get(study, ())),
            }
            for study, records in sorted(table.responses.items())
        },
        "cell_lines": len(table.cell_lines),
        "genes": len(table.genes),
        "drugs": len(table.drugs),
        "drug_features": {kind: len(features.names) for kind, features in table.drug_features.items()},
        "tables": table.counts,
        "inputs": _hash_inputs(source, folder),
    }


def _remove_leftovers(prepared: Path, keep: set[str]) -> None:
    """Remove the folders of sources that are no longer there."""
    for path in prepared.iterdir():
        if path.is_dir() and path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


def _hash_inputs(source: str, folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _hash(path) for path in SOURCES[source].files(folder)}


def _hash_texts(data_folder: Path) -> dict[str, str]:
    """Hash the texts that models take from the data folder by themselves, and that change their results."""
    return {name: _hash(data_folder / name) for name in TEXTS if (data_folder / name).is_file()}


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole, then put it in its place, so that no reader sees half of it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)


def summarise(manifest: dict[str, Any]) -> list[str]:
    """Return one line a study: source, name, rows, measures, and the given rows that are left out."""
    return [
        f"{source}: {study}, {entry['rows']} rows ({', '.join(entry['measures'])}){_left_out(entry)}"
        for source, content in sorted(manifest["sources"].items())
        for study, entry in content["studies"].items()
    ]


def _left_out(entry: dict[str, Any]) -> str:
    counts = entry["left_out"]
    given = entry["rows"] + sum(counts.values())
    reasons = "; ".join(f"{rows} {reason}" for reason, rows in counts.items())
    return f", of {given} given: {reasons}" if counts else ""


def main(arguments: list[str]) -> int:
    """Prepare the folder named on the command line; returns 0, or 2 with one line on standard error."""
    if len(arguments) != 1:
        print("usage: python -m drug_response.preparation DATA_FOLDER", file=sys.stderr)
        return 2
    try:
        manifest = prepare(Path(arguments[0]))
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    print(*summarise(manifest), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
