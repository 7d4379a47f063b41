"""`scripts/constraints.txt` names a version of everything that set-up installs, and that is what is installed."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from comparator.model.description import read_toml

ROOT = Path(__file__).resolve().parents[3]


def requirements(lines: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""})


def needed() -> dict[str, str]:
    """What the package needs with its extras, what that needs, and so on: the versions installed, by name."""
    project = read_toml(ROOT / "pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    waiting = requirements([*project["dependencies"], *extras["models"], *extras["test"]])
    seen: set[tuple[str, frozenset[str]]] = set()
    versions = {}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if not applies(requirement, set()) or (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        versions[name] = importlib.metadata.version(name)
        further = requirements(importlib.metadata.requires(name) or [])
        chosen = [each for each in further if applies(each, set(requirement.extras))]
        for each in chosen:
            each.marker = None
        waiting += chosen
    return versions


def test_what_set_up_installs_is_what_the_constraints_say() -> None:
    lines = (ROOT / "scripts" / "constraints.txt").read_text().splitlines()
    said = {canonicalize_name(each.name): str(each.specifier) for each in requirements(lines) if applies(each, set())}
    assert {name: f"=={version}" for name, version in needed().items()} == said
