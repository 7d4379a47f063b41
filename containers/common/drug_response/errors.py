"""The one error that a user can mend, and the nearest valid name for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DataError(ValueError):
    """The data or a setting are wrong; the message is one line that names the word at fault."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the known word nearest to `word` in any case, or an empty string."""
    by_lower_case = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower(), list(by_lower_case), n=1, cutoff=0.6)
    return f" (did you mean '{by_lower_case[matches[0]]}'?)" if matches else ""
