"""A site: one shell file in `sites/` that says what a machine offers (see `sites/README.md`).

The file is plain variables. It is run once by `bash`, as the site's admin wrote it, with COMPARATOR_ROOT set,
and the variables below are read from what it leaves behind. Variables that the user has set already win where
the file says so (`NAME=${NAME:-default}`).
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comparator.errors import InputError, nearest
from comparator.names import check_name

VARIABLES = {
    "SITE_DESCRIPTION": "",
    "SITE_ENGINES": "local",
    "CANDLE_DATA_DIR": "",
    "SITE_DEVICES": "0",
    "SITE_MODELS_PER_DEVICE": "1",
    "SITE_DEVICE_VARIABLE": "CUDA_VISIBLE_DEVICES",
    "SITE_DEVICE_ORDER": "ascending",
    "SITE_CORES": "",
}
ENGINES = ("local",)


@dataclass(frozen=True)
class Slot:
    """A place for one training: a share of a device, or a core (`device` is None)."""

    number: int
    device: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """A machine profile: where the data are, which devices a node has, and how many models share one."""

    name: str
    description: str
    engines: tuple[str, ...]
    data_folder: Path
    devices: int
    models_per_device: int
    device_variable: str
    device_order: str
    cores: int

    def slots(self) -> list[Slot]:
        """Places for one training each: devices times models per device, without devices the cores."""
        if self.devices == 0:
            hidden = {self.device_variable: ""}
            return [Slot(number, None, hidden) for number in range(self.cores)]
        order = range(self.devices) if self.device_order == "ascending" else range(self.devices - 1, -1, -1)
        devices = [str(device) for _ in range(self.models_per_device) for device in order]
        return [Slot(number, device, {self.device_variable: device}) for number, device in enumerate(devices)]


def site_names(sites: Path) -> list[str]:
    """The sites there are; the files are listed, not run."""
    return sorted(path.stem for path in sites.glob("*.sh") if path.stem != "template")


def site_description(sites: Path, name: str) -> str:
    """What the site says of itself; the file is read, not run."""
    found = re.search(r"^SITE_DESCRIPTION=(['\"]?)(.*)\1$", (sites / f"{name}.sh").read_text(), re.MULTILINE)
    return found[2] if found else ""


def read_site(name: str, root: Path) -> Site:
    """Read `sites/NAME.sh` under `root`; raises `InputError` for what a person can mend."""
    sites = root / "sites"
    known = site_names(sites)
    check_name(name, "site")
    if name not in known:
        raise InputError(f"no site '{name}'{nearest(name, known)}; there are: {', '.join(known)} (in {sites})")
    values = _run(sites / f"{name}.sh", root)
    where = f"{sites / name}.sh"
    return Site(
        name=name,
        description=values["SITE_DESCRIPTION"],
        engines=_engines(values["SITE_ENGINES"], where),
        data_folder=Path(values["CANDLE_DATA_DIR"] or root / "data").expanduser().absolute(),
        devices=_count(values, "SITE_DEVICES", where, smallest=0),
        models_per_device=_count(values, "SITE_MODELS_PER_DEVICE", where, smallest=1),
        device_variable=values["SITE_DEVICE_VARIABLE"],
        device_order=_choice(values, "SITE_DEVICE_ORDER", ("ascending", "descending"), where),
        cores=_count(values, "SITE_CORES", where, smallest=1) if values["SITE_CORES"] else usable_cores(),
    )


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run(path: Path, root: Path) -> dict[str, str]:
    names = " ".join(VARIABLES)
    script = f'set -eu; . "$1"; for name in {names}; do printf "%s\\0" "${{!name-}}"; done'
    result = subprocess.run(
        ["bash", "-c", script, "bash", str(path)],
        env={**os.environ, "COMPARATOR_ROOT": str(root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    values = result.stdout.split("\0")[:-1]
    if result.returncode != 0 or len(values) < len(VARIABLES):
        reason = result.stderr.strip().splitlines()
        raise InputError(f"{path}: cannot be run by bash: {reason[-1] if reason else result.returncode}")
    given = values[-len(VARIABLES) :]
    return {name: value or VARIABLES[name] for name, value in zip(VARIABLES, given, strict=True)}


def _engines(text: str, where: str) -> tuple[str, ...]:
    engines = tuple(text.split())
    for engine in engines:
        if engine not in ENGINES:
            raise InputError(f"{where}: SITE_ENGINES names '{engine}'; this version has: {', '.join(ENGINES)}")
    return engines


def _choice(values: dict[str, str], name: str, allowed: tuple[str, ...], where: str) -> str:
    if values[name] not in allowed:
        raise InputError(f"{where}: {name}='{values[name]}': must be one of {', '.join(allowed)}")
    return values[name]


def _count(values: dict[str, str], name: str, where: str, *, smallest: int) -> int:
    text = values[name]
    if not text.isdigit() or int(text) < smallest:
        raise InputError(f"{where}: {name}='{text}': must be a whole number from {smallest}")
    return int(text)
