"""Finds where two deep-learning models differ: `import comparator as cmp`, then `cmp.compare(first, second, space)`.

What `__all__` names is the public interface, described in `docs/api.md`; what it does not name may change. It is loaded
when it is first asked for: models import parts of this package, and need nothing of the rest.
"""

from __future__ import annotations

from importlib import import_module, metadata
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
        list,
        open,
        predict,
        resume,
        search,
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
    "list",
    "open",
    "predict",
    "resume",
    "search",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("comparator")
    if name in __all__:
        return getattr(import_module("comparator.api"), name)
    raise AttributeError(f"module 'comparator' has no attribute '{name}'")


def __dir__() -> list[str]:  # type: ignore[valid-type]
    return sorted([*__all__, "__version__"])
