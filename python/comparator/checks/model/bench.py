"""Where a model is tried, and with what."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comparator.model.python_environment import PythonChoice
from comparator.site.profile import Slot

RUNS = "runs"


@dataclass(frozen=True)
class Bench:
    """Where a model is tried, and with what."""

    containers: Path
    slot: Slot
    folder: Path  # exists and is empty; runs, logs and the tiny data set go there
    data_folder: Path | None = None  # None: the tiny data set
    settings: Mapping[str, object] = field(default_factory=dict)
    metric: str | None = None  # None: val_loss, or the first that model.toml describes
    limit: float = 600.0  # seconds that one run may take
    python: PythonChoice | None = None  # what takes the place of the description's
    working_folder: Path = field(default_factory=Path.cwd)  # what the model's path is relative to


@dataclass
class BenchFolder:
    """The folder of a bench; it goes afterwards, unless `keep` is set and there are runs in it."""

    path: Path
    keep: bool = False

    @property
    def is_kept(self) -> bool:
        return self.keep and (self.path / RUNS).is_dir()


@contextlib.contextmanager
def bench_folder() -> Iterator[BenchFolder]:
    """A new folder for a bench, among the temporary ones."""
    folder = BenchFolder(Path(tempfile.mkdtemp(prefix="comparator-check-")))
    try:
        yield folder
    finally:
        if not folder.is_kept:
            shutil.rmtree(folder.path, ignore_errors=True)
