"""What the tests of all studies begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from two_workers import host_in

from comparator.experiment.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return host_in(tmp_path)
