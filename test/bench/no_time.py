"""An experiment of a model that takes no time, or sleeps, for the benches of what lies around a training."""

import json
from pathlib import Path

from rich.console import Console

from comparator.engine.interface import EngineOptions
from comparator.engine.leaf import Leaf
from comparator.experiment import opening, planning
from comparator.experiment.host import Host, open_host
from comparator.experiment.reopening import reopen_plan
from comparator.experiment.session import Session
from comparator.results.experiments import read_whole_experiment
from comparator.site.folders import project_root
from comparator.site.profile import read_site

MODEL = """
import random, time
def run(params):
    point = (params["x"], params["y"])
    time.sleep(params["sleep"] * random.Random(repr(point)).uniform(1, 3))
    return {"val_loss": 1.0 + point[0] * params["side"] + point[1] + params["rng_seed"]}
"""
SPACE = [{"name": name, "type": "float", "lower": 0, "upper": 1} for name in "xy"]
HYPERPARAMETERS = """
[bench]
model_name = 'cmp'
cmp_model_name = 'model.py'
cmp_0_side = 1
cmp_1_side = 2
sleep = {sleep}
"""
DESCRIPTION = 'seed = "rng_seed"\n'
EXPERIMENT = """
hyperparameters = 'cmp.txt'
space = 'space.json'
[search]
strategy = '{strategy}'
population = {population}
evaluations = {evaluations}
"""


def begin(
    folder: Path,
    engine: str,
    workers: int,
    evaluations: int,
    strategy: str = "simple",
    population: int = 8,
    sleep: float = 0.0,
) -> Session:
    """Plan and open the experiment in `folder`; a run takes once to three times `sleep` seconds, by its point."""
    (folder / "model.py").write_text(MODEL)
    (folder / "model.toml").write_text(DESCRIPTION)
    (folder / "space.json").write_text(json.dumps(SPACE))
    (folder / "cmp.txt").write_text(HYPERPARAMETERS.format(sleep=sleep))
    settings = EXPERIMENT.format(strategy=strategy, population=population, evaluations=evaluations)
    (folder / "bench.toml").write_text(settings)
    host = host_of(folder, engine, workers)
    plan = planning.plan_experiment(host, folder / "bench.toml", [], full=False, command="bench")
    return opening.begin(host, plan, "bench", None)


def host_of(folder: Path, engine: str, workers: int) -> Host:
    asked = EngineOptions(engine=engine, workers=workers)
    console = Console(quiet=True)
    return open_host(project_root(), folder / "experiments", "local", asked, warm=True, console=console)


def leaf(opened: Session, slots: int = 2) -> Leaf:
    """A worker of the experiment, in this process, with up to so many slots."""
    site = read_site("local", project_root())
    plan = reopen_plan(read_whole_experiment(opened.path), root=project_root(), site=site)
    return Leaf(
        plan.frozen,
        plan.models,
        plan.objective,
        experiments=opened.path.parent,
        data_folder=site.data_folder,
        slots=site.slots()[:slots],
        name="bench",
        warm=True,
    )
