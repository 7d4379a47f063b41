"""Libraries that take seconds to load. Each worker of the suite reads every test, few come to those that need them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest


def needs(*packages: str) -> None:
    """Leave the tests of a file out where one of these packages is not installed; none is loaded here."""
    for package in packages:
        if find_spec(package) is None:
            pytest.skip(f"there is no package {package}", allow_module_level=True)


class Late:
    """A module that is loaded once something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith(("_", "pytest")):  # asked of whatever stands in a file, by pytest as it looks for tests
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)
