"""What tests of run identities begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from identities import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)
