"""What a training costs of a model that takes several by one call, by how many a worker gives it at once.

    python test/bench/together.py [POINTS]

The model computes 50 ms a call, whatever it has to train, and nothing besides; CPU time of its process, with its start,
and of the worker. The same points, an empty store for each.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from comparator.engine.leaf import Leaf
from comparator.engine.tasks import BETWEEN
from comparator.model.model import Model
from comparator.objective.comparison import Objective
from comparator.results.frozen import FrozenExperiment, Submodel
from comparator.site.profile import Slot

MODEL = """
import time
def run_many(params_list):
    began = time.process_time()
    while time.process_time() - began < 0.05:
        pass
    return [{"val_loss": 0.1 + 0.001 * params["x"], "so_far": time.process_time()} for params in params_list]
def run(params):
    return run_many([params])[0]
"""


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    found = []
    for together in (1, 2, 4, 8):
        model, worker, values = measure(points, together)
        found.append(values)
        print(f"{together} at once: {model / points:7.2f} CPU-ms a training, the worker {worker / points:5.2f}")
    print("equal values" if all(values == found[0] for values in found) else "OTHER VALUES")


def measure(points: int, together: int) -> tuple[float, float, list[float]]:
    """CPU milliseconds of the model's process and of the worker, and the values."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "bench").mkdir()
        (folder / "fixed.py").write_text(MODEL)
        experiment = FrozenExperiment(
            id="bench", kind="single", metric="val_loss", models=[Submodel(submodel=0, identity="m")]
        )
        leaf = Leaf(
            experiment,
            [Model("fixed", folder / "fixed.py")],
            Objective("val_loss", None, maximise=False),
            experiments=folder,
            data_folder=folder / "data",
            slots=[Slot(0)],
            name="bench/0",
            together=together,
        )
        requests = [json.dumps({"evaluation": x, "point": {"x": x}, "replicate": 0}) for x in range(points)]
        began = time.process_time()
        results = list(map(json.loads, leaf.carry_out(BETWEEN.join(requests)).split(BETWEEN)))
        leaf.close()
        worker = time.process_time() - began
        model = max(result["runs"][0]["metrics"]["so_far"] for result in results)
        return 1e3 * model, 1e3 * worker, [result["value"] for result in results]


if __name__ == "__main__":
    main()
