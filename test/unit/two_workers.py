"""A host of two local workers, what it has said, and how many trainings are in its store."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from comparator.engine.local import Local
from comparator.experiment.host import Host
from comparator.site.profile import Site, Slot

ROOT = Path(__file__).parents[2]


def host_in(folder: Path) -> Host:
    """A host whose experiments and data lie in a folder."""
    slots = [Slot(0), Slot(1)]
    site = Site("here", "", ("local",), folder / "data", 0, 1, "CUDA_VISIBLE_DEVICES", "ascending", 2)
    console = Console(file=io.StringIO(), width=200)
    return Host(ROOT, folder / "experiments", site, slots, Local(slots, 2), True, console)


def said(host: Host) -> str:
    return host.console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def trained(host: Host) -> int:
    """How many trainings have left a result."""
    return len(list((host.experiments / "runs").glob("*/*/result.json")))
