"""What images cost: seconds of a CMP evaluation in containers and in folders, warm and cold, side by side in one run.

    python test/bench/images.py IMAGE FOLDER [EVALUATIONS] [WORKERS]

IMAGE and FOLDER hold the same model of `containers/`, as images/uno.sif and containers/uno. The same points and seeds
of `cfg/cmp-ga.toml` in each row, every one with an empty store.
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from comparator.engine.interface import EngineOptions
from comparator.experiment import opening, planning
from comparator.experiment.host import open_host
from comparator.site.folders import project_root

WAYS = (("image", True), ("image", False), ("folder", True), ("folder", False))


def main() -> None:
    image, folder = (str(Path(word).resolve()) for word in sys.argv[1:3])
    evaluations, workers = map(int, [*sys.argv[3:], *["8", "2"][len(sys.argv) - 3 :]])
    print(f"{image}: {Path(image).stat().st_size / 1e6:.0f} MB")
    seconds: dict[tuple[str, bool], float] = {}
    values = set()
    for kind, warm in WAYS:
        model = image if kind == "image" else folder
        seconds[kind, warm], found = measure(model, evaluations, workers, warm=warm)
        values.add(tuple(found))
        words = "warm servers" if warm else "a process per run"
        print(f"{kind:7} {words:18} {seconds[kind, warm]:7.2f} s an evaluation, {workers} workers")
    print(f"image, process per run / warm   {seconds['image', False] / seconds['image', True]:7.2f}")
    print(f"warm, image / folder            {seconds['image', True] / seconds['folder', True]:7.2f}")
    print("all four gave the same values" if len(values) == 1 else f"the values differ: {values}")


def measure(model: str, evaluations: int, workers: int, *, warm: bool) -> tuple[float, list[float]]:
    """Wall seconds an evaluation, start of the servers included, and the values in the order of the points."""
    console = Console(quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        host = open_host(
            project_root(), Path(folder), "local", EngineOptions(workers=workers), warm=warm, console=console
        )
        overrides = [
            f"search.evaluations={evaluations}",
            "search.strategy=random",
            "search.pilot=0",
            "confirm.points=0",
        ]
        overrides.append(f"hyperparameters.cmp_model_name={model}")
        plan = planning.plan_experiment(host, project_root() / "cfg" / "cmp-ga.toml", overrides, full=False, command="")
        opened = opening.begin(host, plan, "bench", None)
        began = time.monotonic()
        records = sorted(opened.search(), key=lambda line: line.evaluation)
        return (time.monotonic() - began) / evaluations, [line.value or 0.0 for line in records]


if __name__ == "__main__":
    main()
