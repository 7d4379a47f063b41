"""The one error that a user can mend."""

from __future__ import annotations


class DataError(ValueError):
    """The data or a setting are wrong; the message is one line that names the word at fault."""
