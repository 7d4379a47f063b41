"""What a check (of a site, of a model) has to say: one finding for each thing that was tried."""

from __future__ import annotations

from dataclasses import dataclass

HOLDS, FAILS, UNTESTED = "holds", "FAILS", "untested"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried: what, whether it holds, and what was seen or is to be mended."""

    what: str
    outcome: str
    words: str

    def __str__(self) -> str:
        return f"{self.outcome:9}{self.what}: {self.words}"
