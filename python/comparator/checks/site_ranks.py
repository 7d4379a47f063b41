"""What the ranks of a job find where they are, and what is made of it; `swift/check.swift` has each of them tell.

The folder of a check, on the file system of the experiments, has

    plan.json       what the ranks need to know
    rank-N.json     what rank N found: there if that node can write there, and this host sees what it writes
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from comparator.engine.interface import share_slots
from comparator.engine.keeper import node_name, own_rank
from comparator.experiment.worker import WorkerPlace
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding
from comparator.site.folders import PACKAGE
from comparator.site.packages import names, version
from comparator.site.profile import Site

FOLDER_VARIABLE = "COMPARATOR_CHECK"
PLAN = "plan.json"
SAYS = "rank says: "


def tell() -> str:
    """What this rank finds, as JSON without the character '; never raises, since that would end all ranks."""
    found: dict[str, Any] = {"rank": own_rank(), "node": node_name()}
    try:
        folder = Path(os.environ[FOLDER_VARIABLE])
        plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        found |= {"token": plan["token"], "software": software(), "interpreter": Path(plan["python"]).exists()}
        found |= _place(Site.again(plan["site"]), plan["workers_per_node"], plan["token"])
        (folder / f"rank-{found['rank']}.json").write_text(json.dumps(found), encoding="utf-8")
    except Exception as error:
        found["error"] = f"{type(error).__name__}: {error}"
    return json.dumps(found).replace("'", "\\u0027")


_places: list[WorkerPlace] = []  # kept as long as the rank lives, so that no other has the same


def _place(site: Site, workers: int, token: str) -> dict[str, Any]:
    """The place of a worker on this node, and the devices that come with it."""
    place = WorkerPlace(token, workers)
    _places.append(place)
    own = share_slots(site.slots(), workers)[place.number]
    return {"place": place.number, "devices": [slot.device for slot in own if slot.device is not None]}


def software() -> dict[str, str]:
    """What a rank computes with: its Python, this package as it lies there, and all that is installed beside it."""
    code = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        code.update(file.read_bytes())
    installed = {name: version(name) for name in names()}
    return {
        "Python": sys.version.split()[0],
        "comparator": f"{installed.get('comparator', 'of a checkout')} ({code.hexdigest()[:8]})",
        "packages": hashlib.sha256(json.dumps(installed, sort_keys=True).encode()).hexdigest()[:8],
    }


def said_in(output: str) -> list[dict[str, Any]]:
    """What the ranks said, from what a job printed; what is broken off counts as not said."""
    told = (line.partition(SAYS)[2] for line in output.splitlines() if SAYS in line)
    return [said for each in told if (said := _parsed(each)) is not None]


def _parsed(text: str) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        said = json.loads(text)
        return said if isinstance(said, dict) else None
    return None


def compared(said: Sequence[dict[str, Any]], site: Site, *, ranks: int, nodes: int, folder: Path) -> Iterator[Finding]:
    """What to make of what `ranks` ranks on `nodes` nodes said, as this host sees it."""
    on_node = Counter(each["node"] for each in said)
    words = f"{len(said)} of {ranks} ranks said where they are: " + _per_node(
        {node: str(count) for node, count in on_node.items()}
    )
    yield Finding("ranks", HOLDS if len(said) == ranks and len(on_node) == nodes else FAILS, words)
    errors = {f"{each['node']}: {each['error']}" for each in said if "error" in each}
    if errors:
        yield Finding("what a rank finds", FAILS, "; ".join(sorted(errors)))
    if well := [each for each in said if "error" not in each]:
        yield _devices(well, site)
        yield _store(said, folder)
        yield _software(well)


def _devices(said: Sequence[dict[str, Any]], site: Site) -> Finding:
    """Whether the workers of a node have devices of their own, as many to one as the site lets share it."""
    if site.devices == 0:
        return Finding("devices", UNTESTED, "the site has none: every core is a place for one training")
    of_node: dict[str, list[str]] = defaultdict(list)
    for each in sorted(said, key=lambda each: each["place"]):
        of_node[each["node"]] += each["devices"]
    shared = [
        f"{node}: device {device} is with {count} workers, not {site.models_per_device}"
        for node, devices in of_node.items()
        for device, count in Counter(devices).items()
        if count > site.models_per_device
    ]
    words = "; ".join(shared) or "each worker its own: " + _per_node(
        {node: " ".join(devices) for node, devices in of_node.items()}
    )
    return Finding("devices", FAILS if shared else HOLDS, f"{site.device_variable}, {words}")


def _store(said: Sequence[dict[str, Any]], folder: Path) -> Finding:
    """Whether what every node writes into the folder of experiments is seen on this host."""
    unseen = sorted({each["node"] for each in said if not (folder / f"rank-{each['rank']}.json").exists()})
    if unseen:
        return Finding(
            "store", FAILS, f"what {', '.join(unseen)} wrote into {folder} is not seen here: no shared folder"
        )
    return Finding("store", HOLDS, f"all nodes write into {folder.parent.parent}, and this host sees it")


def _software(said: Sequence[dict[str, Any]]) -> Finding:
    """Whether all nodes compute with the same."""
    for what in said[0]["software"]:
        found = {each["node"]: each["software"][what] for each in said}
        if len({*found.values()}) > 1:
            return Finding("software", FAILS, f"{what} is not the same on all nodes: {_per_node(found)}")
    without = sorted({each["node"] for each in said if not each["interpreter"]})
    if without:
        return Finding("software", FAILS, f"the Python that starts models is not there on {', '.join(without)}")
    words = ", ".join(f"{what} {value}" for what, value in said[0]["software"].items())
    return Finding("software", HOLDS, f"the same on all nodes: {words}")


def _per_node(values: dict[str, str]) -> str:
    return ", ".join(f"{node}: {value}" for node, value in sorted(values.items()))
