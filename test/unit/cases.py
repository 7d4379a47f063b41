"""The cases of a test that is alike for all of them and takes a while for each: the ordinary suite has some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def long_but(ordinary: Collection[Any], cases: Iterable[Any]) -> list[Any]:
    """The cases, a tuple for several arguments, each of which is marked `long` if it is none of the `ordinary` ones."""
    cases = list(cases)
    assert all(case in cases for case in ordinary), ordinary
    return [case if case in ordinary else _long(*(case if isinstance(case, tuple) else (case,))) for case in cases]


def _long(*arguments: Any) -> Any:
    return pytest.param(*arguments, marks=pytest.mark.long)
