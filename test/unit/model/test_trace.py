"""What a traced command has read: not what it wrote, nor what lies in a folder that it made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from comparator.model.trace import can_trace, files_read, traced_by

PROGRAM = """
import os, sys, tempfile
from pathlib import Path
there = Path(sys.argv[1])
(there / "table.tsv").read_text()
with tempfile.TemporaryDirectory(dir=there) as made:
    os.mkdir(os.path.join(made, "inner"))
    Path(made, "inner", "own.txt").write_text("x")
    Path(made, "inner", "own.txt").read_text()
    os.listdir(made)
(there / "log.txt").write_text("x")
(there / "log.txt").read_text()
(there / "kept").mkdir(exist_ok=True)
os.listdir(there / "kept")
"""


def test_what_lies_in_a_folder_that_a_command_made_is_no_read(tmp_path: Path) -> None:
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    there, traces = tmp_path / "there", tmp_path / "traces"
    for folder in (there, traces, there / "kept"):
        folder.mkdir()
    (there / "table.tsv").write_text("x")
    subprocess.run([*traced_by(traces), sys.executable, "-I", "-c", PROGRAM, str(there)], check=True)
    read = [path for path in files_read(traces) if path.startswith(f"{there}/")]
    assert sorted(read) == [f"{there}/kept", f"{there}/table.tsv"]
