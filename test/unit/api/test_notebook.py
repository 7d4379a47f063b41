"""The example notebook runs, from the first cell to the last, and shows what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: scripts/setup.sh test")
import nbformat  # noqa: E402  (comes with nbclient)

NOTEBOOK = Path(__file__).parents[3] / "cfg" / "example.ipynb"


def shown(cell: Any) -> str:
    """All that a cell shows as text."""
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


@pytest.mark.long
def test_the_example_runs_and_shows_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPARATOR_EXPERIMENTS", str(tmp_path / "experiments"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = {cell.source.split("\n")[0]: cell for cell in notebook.cells if cell.cell_type == "code"}
    progress = next(cell for source, cell in code.items() if source.startswith("space = "))
    lines = [output.data["text/plain"] for output in progress.outputs if output.output_type == "display_data"]
    assert len(lines) == 1 and re.match(r"\d+/40 █", lines[0])  # the last state of one line
    assert "\x1b" not in shown(progress) and "experiment compare-1: " in shown(progress)
    answer = code["found"].outputs[0].data
    assert "<svg" in answer["text/html"] and answer["text/plain"].startswith("compare-1: ")
    assert "image/png" in code['found.figure("regions")'].outputs[0].data


@pytest.mark.long
def test_a_mistake_is_one_line_in_a_notebook_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPARATOR_EXPERIMENTS", str(tmp_path))
    source = "import comparator as cmp\ncmp.Space(noise=cmp.Float(2, 1))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbclient.NotebookClient(notebook, timeout=600, allow_errors=True).execute()
    error = notebook.cells[0].outputs[-1]
    assert error.traceback == ["InputError: Space: 'noise': 'lower' = 2.0 is above 'upper' = 1.0"]
