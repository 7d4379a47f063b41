"""What the Comparator itself costs: CMP evaluations of a model that takes no time.

    python test/bench/overhead.py [EVALUATIONS] [WORKERS]

Prints the wall seconds of a whole experiment per evaluation, without the command's start and its report, beside
those of the same model called in a plain loop.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from comparator import sitting
from comparator.root import project_root

MODEL = "def run(params):\n    return {'val_loss': 1.0 + params['x'] * params['side'] + params['rng_seed']}\n"
SPACE = [{"name": "x", "type": "float", "lower": 0, "upper": 1}]
HYPERPARAMETERS = "[bench]\nmodel_name = 'cmp'\ncmp_model_name = 'model.py'\ncmp_0_side = 1\ncmp_1_side = 2\n"
DESCRIPTION = 'seed = "rng_seed"\n'
EXPERIMENT = "hyperparameters = 'cmp.txt'\nspace = 'space.json'\n[search]\nevaluations = {evaluations}\n"


def main() -> None:
    evaluations, workers = (int(word) for word in (sys.argv[1:] + ["200", "2"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.py").write_text(MODEL)
        (folder / "model.toml").write_text(DESCRIPTION)
        (folder / "space.json").write_text(json.dumps(SPACE))
        (folder / "cmp.txt").write_text(HYPERPARAMETERS)
        (folder / "bench.toml").write_text(EXPERIMENT.format(evaluations=evaluations))
        console = Console(quiet=True)
        host = sitting.open_host(
            project_root(), folder / "experiments", "local", None, workers, warm=True, console=console
        )
        plan = sitting.plan_experiment(host, folder / "bench.toml", [], full=False, command="bench")
        opened = sitting.begin(host, plan, "bench", None)
        began = time.monotonic()
        opened.search()
        through_all = (time.monotonic() - began) / evaluations
        direct = plain_loop(evaluations)
    print(f"{evaluations} evaluations of no length, {workers} workers")
    print(f"through the Comparator  {through_all * 1e3:8.2f} ms of wall an evaluation")
    print(f"called in a plain loop  {direct * 1e3:8.4f} ms of wall an evaluation")


def plain_loop(evaluations: int) -> float:
    names: dict = {}
    exec(MODEL, names)
    began = time.monotonic()
    for number in range(evaluations):
        for side in (1, 2):
            names["run"]({"x": number / evaluations, "side": side, "rng_seed": 1})
    return (time.monotonic() - began) / evaluations


if __name__ == "__main__":
    main()
