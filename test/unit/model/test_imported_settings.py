"""Settings that a script imports: what finds those of the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from comparator.model.own_files.imported_settings import STARTER, write_starter


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_a_script_starts_anew_import_the_settings_of_the_run(tmp_path: Path, method: str) -> None:
    (tmp_path / "settings.py").write_text("RATE = 1\n")
    (tmp_path / "of_run.py").write_text("RATE = 7\n")
    (tmp_path / "train.py").write_text(
        "import multiprocessing\nimport settings\ndef rate(_):\n    return settings.RATE\n"
        f"if __name__ == '__main__':\n    with multiprocessing.get_context('{method}').Pool(1) as pool:\n"
        "        print(settings.RATE, *pool.map(rate, [0]))\n"
    )
    write_starter(tmp_path, str(tmp_path.resolve() / "settings.py"), tmp_path / "of_run.py")
    done = subprocess.run(
        [sys.executable, tmp_path / STARTER, tmp_path / "train.py"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "7 7\n", done.stderr
