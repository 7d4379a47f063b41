"""Look through the tables of a data folder: what they hold, which ids are missing, double or unmatched, what is left.

`layouts` knows where tables lie and where their ids stand; how they are read and joined is that of the preparation,
`comparator.tables`. A table that cannot be read is one finding, and the others are looked at all the same.
"""

from __future__ import annotations

from comparator.checks.data.check import check_data
from comparator.checks.data.found import NOTE, DataFound, StudyRows, TableIds

__all__ = ["NOTE", "DataFound", "StudyRows", "TableIds", "check_data"]
