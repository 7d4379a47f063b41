"""What tests of several rooms begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk at which nothing was typed yet; a test file that needs more there has one of its own."""
    return Desk(tmp_path)
