"""Arguments that a cache tells apart by their content: spaces and points are made anew from the same record."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Keyed(Generic[Value]):
    """A value of which two are the same where their keys are."""

    key: Hashable
    value: Value = field(compare=False)
