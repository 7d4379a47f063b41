"""What a look through a data folder has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from comparator.formats.finding import FAILS, Finding
from comparator.tables.joins import LeftOut

#: The outcome of what is as it may be, and good to know.
NOTE = "note"


@dataclass(frozen=True)
class TableIds:
    """A table: its file, its rows, how many different ids of each kind it has.

    `repeated` rows have an id that an earlier one has; `without` have none.
    """

    file: str
    rows: int
    ids: Mapping[str, int]
    repeated: int = 0
    without: int = 0


@dataclass(frozen=True)
class StudyRows:
    """The responses of a study: its rows, those that each join leaves out, and those that are left.

    `repeated` of the rows that are left have a pair of cell line and drug that an earlier one has (of long tables: and
    its measure); `measured` counts the values of each measure among them, `splits` the numbers of its split files.
    """

    study: str
    file: str
    rows: int
    left_out: Sequence[LeftOut]
    kept: int
    cell_lines: int
    drugs: int
    repeated: int
    measured: Mapping[str, int]
    splits: int


@dataclass
class DataFound:
    """All that was found in a folder of a layout; `findings` say what fails and what is good to know."""

    layout: str
    folder: str
    tables: list[TableIds] = field(default_factory=list)
    studies: list[StudyRows] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def fails(self) -> bool:
        return any(each.outcome == FAILS for each in self.findings)

    def say(self, what: str, outcome: str, words: str) -> None:
        self.findings.append(Finding(what, outcome, words))
