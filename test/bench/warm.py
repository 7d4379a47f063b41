"""Evaluations a minute with warm servers and with a process per run, side by side in one run.

    python test/bench/warm.py [EXPERIMENT_FILE] [EVALUATIONS] [WORKERS]

The same points, the same seeds, two empty stores: only the way that a run takes differs.
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

DEFAULTS = [str(project_root() / "cfg" / "cmp-ga.toml"), "12", "2"]


def main() -> None:
    given = sys.argv[1:]
    file, evaluations, workers = given + DEFAULTS[len(given) :]
    rates = {}
    for way in ("a process per run", "warm servers"):
        warm = way == "warm servers"
        rates[way], values = measure(Path(file), int(evaluations), int(workers), warm=warm)
        print(f"{way:20} {rates[way]:7.1f} evaluations a minute   best {min(values)!r}")
    print(f"{'ratio':20} {rates['warm servers'] / rates['a process per run']:7.1f}")


def measure(file: Path, evaluations: int, workers: int, *, warm: bool) -> tuple[float, list[float]]:
    """Evaluations a minute, start of the servers included, and the values found."""
    console = Console(quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        asked = EngineOptions(workers=workers)
        host = open_host(project_root(), Path(folder), "local", asked, warm=warm, console=console)
        overrides = [f"search.evaluations={evaluations}", "search.strategy=random"]
        plan = planning.plan_experiment(host, file, overrides, full=False, command="bench")
        opened = opening.begin(host, plan, "bench", None)
        began = time.monotonic()
        records = opened.search()
        seconds = time.monotonic() - began
        return 60 * evaluations / seconds, [line.value or 0.0 for line in records if line.status == "ok"]


if __name__ == "__main__":
    main()
