"""What the tests of all models in `containers/` share: how a script of one is called, and what its metrics end at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def last(metrics: dict[str, Any]) -> dict[str, float]:
    """Each metric's last value."""
    return {name: value[-1] if isinstance(value, list) else value for name, value in metrics.items()}


def call_script(script: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a model's script with this interpreter as `python3`."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([str(script), *map(str, words)], capture_output=True, text=True, env=environment, check=False)
