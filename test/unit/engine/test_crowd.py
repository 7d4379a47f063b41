"""The resident rank's own code, played by as many workers as one likes: each has something to do, from the begin on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "crowd.py"


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["random", "level_set"])
def test_all_workers_are_served_from_the_begin_on(strategy: str, tmp_path: Path) -> None:
    words = [sys.executable, str(BENCH), "--workers", "40", "--rounds", "1", "--strategy", strategy]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found = re.search(r"^(\d+) requests for 40 workers$", done.stdout, re.MULTILINE)
    assert found is not None and int(found[1]) >= 40, done.stdout
    assert "one by one" in done.stdout
