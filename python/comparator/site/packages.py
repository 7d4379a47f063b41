"""Which Python packages are installed here. Of what each says of itself the beginning alone is read: reading all of it,
descriptions of thousands of lines among them, takes as long as all else before a search starts.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions

NAME, VERSION = (re.compile(rf"^{key}:[ \t]*(.*?)\r?$", re.MULTILINE | re.IGNORECASE) for key in ("Name", "Version"))


def version(package: str) -> str:
    """The version of an installed package; raises `importlib.metadata.PackageNotFoundError`."""
    return version_of(Distribution.from_name(package))


def version_of(found: Distribution) -> str:
    return _said(found, VERSION) or found.version


def names() -> list[str]:
    """The names of all installed packages, sorted, each once."""
    return sorted({_said(found, NAME) or str(found.metadata["Name"]) for found in distributions()})


def _said(found: Distribution, key: re.Pattern[str]) -> str | None:
    """What a package's head says; None where it has none that can be told so."""
    text = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
    said = key.search(re.split(r"\r?\n\r?\n", text, maxsplit=1)[0])
    return said[1] if said else None
