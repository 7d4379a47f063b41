"""Values as Python and JSON have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(given: Any) -> Any:
    """What is given, where numbers of numpy's and pandas' are Python's, in tables and lists too."""
    if isinstance(given, np.generic):
        return given.item()
    if isinstance(given, Mapping):
        return {name: plain(value) for name, value in given.items()}
    if type(given) in (list, tuple):
        return type(given)(map(plain, given))
    return given
