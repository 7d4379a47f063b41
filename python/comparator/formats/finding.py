"""What a check (of a site, of a model) has to say: one finding for each thing that was tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

HOLDS, FAILS, UNTESTED = "holds", "FAILS", "untested"
SHOWN = 6  # names of a list; of further ones their number


@dataclass(frozen=True)
class Finding:
    """One thing that was tried: what, whether it holds, and what was seen or is to be mended."""

    what: str
    outcome: str
    words: str

    def __str__(self) -> str:
        return f"{self.outcome:9}{self.what}: {self.words}"


Findings: TypeAlias = Iterator[Finding]


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
