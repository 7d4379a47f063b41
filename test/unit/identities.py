"""Models whose runs are stored, and found again or not."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

from rich.console import Console

from comparator.engine.leaf import Leaf
from comparator.engine.local import Local
from comparator.experiment.context import Context
from comparator.experiment.experiment_file import read_settings
from comparator.experiment.freezing import make_plan
from comparator.experiment.host import Host
from comparator.site.profile import Site, read_site

ROOT = Path(__file__).parents[2]


@cache
def local_site() -> Site:
    return read_site("local", ROOT)


class Store:
    """A store of runs, and a data folder, in which one point of a model is trained at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir()
        (folder / "experiments").mkdir()
        self.trained = 0

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    metric = "val_loss"

    def plan(self, model: str, warm: bool = True, **hyperparameters: object):
        asked = f'model = "{model}"\nupf = "upf.txt"\nmetric = "{self.metric}"\n'
        settings = self.write(f"{time.monotonic_ns()}.toml", asked)
        self.write("upf.txt", json.dumps({"id": "a", **hyperparameters}) + "\n")
        return make_plan(read_settings(settings, []), Context(settings, self.host(warm), "test"))

    def host(self, warm: bool = True) -> Host:
        site = replace(local_site(), data_folder=self.data)
        slots = site.slots()[:1]
        return Host(ROOT, self.folder / "experiments", site, slots, Local(slots, 1), warm, Console())

    def leaf(self, plan, warm: bool = True) -> Leaf:
        """The leaf of an experiment of its own."""
        self.trained += 1
        return Leaf(
            plan.noting(id=f"test-{self.trained}").frozen,
            plan.models,
            plan.objective,
            experiments=self.folder / "experiments",
            data_folder=self.data,
            slots=local_site().slots()[:1],
            name="test",
            warm=warm,
        )

    def ask(self, leaf: Leaf, **hyperparameters: object) -> dict:
        request = {"evaluation": 0, "name": "a", "point": hyperparameters, "replicate": 0}
        result = json.loads(leaf.evaluate(json.dumps(request)))
        assert result["runs"], result["reason"]
        return result["runs"][0]

    def train(self, model: str, warm: bool = True, plan=None, **hyperparameters: object) -> dict:
        """The run of an experiment of its own."""
        leaf = self.leaf(plan or self.plan(model, warm, **hyperparameters), warm)
        try:
            return self.ask(leaf, **hyperparameters)
        finally:
            leaf.close()

    def loss(self, model: str, *, reused: bool, warm: bool = True, **hyperparameters: object) -> float:
        run = self.train(model, warm, **hyperparameters)
        assert run["reused"] is reused, run
        return run["metrics"][self.metric]
