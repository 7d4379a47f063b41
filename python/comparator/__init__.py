"""Finds where two deep-learning models differ: `import comparator as cmp`, then `cmp.compare(first, second, space)`.

What `__all__` and `BY_NAME` name is the public interface, described in `docs/api.md`; what they do not name may change.
It is loaded when it is first asked for: models import parts of this package, and need nothing of the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comparator.api import (
        Choice,
        ComparatorError,
        Constant,
        Experiment,
        Flag,
        Float,
        InputError,
        Int,
        Ordered,
        Space,
        compare,
        predict,
        resume,
        search,
    )
    from comparator.api import (
        list as list,
    )
    from comparator.api import (
        open as open,
    )

__all__ = [
    "Choice",
    "ComparatorError",
    "Constant",
    "Experiment",
    "Flag",
    "Float",
    "InputError",
    "Int",
    "Ordered",
    "Space",
    "compare",
    "predict",
    "resume",
    "search",
]
#: The rest of the interface, which `from comparator import *` leaves out: they would take the place of Python's own.
BY_NAME = ("list", "open")


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata  # takes as long to load as all that a command says of itself

        return metadata.version("comparator")
    if name in __all__ or name in BY_NAME:
        return getattr(import_module("comparator.api"), name)
    raise AttributeError(f"module 'comparator' has no attribute '{name}'")


def __dir__() -> list[str]:  # type: ignore[valid-type]
    return sorted([*__all__, *BY_NAME, "__version__"])
