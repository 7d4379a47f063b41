"""What checks of models begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparator.checks.tiny_benchmark import write_tiny_benchmark


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny data set for models that do not look at it."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_benchmark(folder)
    return folder
