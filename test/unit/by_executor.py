"""The experiment of a desk, searched by an executor; as a program, by one of this process's own or by that of MPI.

python by_executor.py processes FOLDER ID [KEY=VALUE ...]
mpiexec -n 3 python -m mpi4py.futures by_executor.py mpi FOLDER ID [KEY=VALUE ...]
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

from rich.console import Console

from comparator.engine.interface import EngineOptions
from comparator.errors import ComparatorError
from comparator.experiment.host import open_host
from comparator.experiment.opening import begin
from comparator.experiment.planning import plan_experiment
from comparator.results.record import Evaluation

ROOT = Path(__file__).resolve().parents[2]


def search(
    engine: Executor | str,
    folder: Path,
    identifier: str,
    settings: Sequence[str] = (),
    experiments: str = "experiments",
) -> list[Evaluation]:
    """Search with two evaluations at a time."""
    asked = EngineOptions(engine=engine, workers=2)
    console = Console(quiet=True)
    host = open_host(ROOT, folder / experiments, "local", asked, warm=True, console=console, reports=False)
    plan = plan_experiment(host, folder / "quick.toml", list(settings), full=False, command="a test")
    return begin(host, plan, "quick", identifier).search()


def processes(number: int) -> ProcessPoolExecutor:
    """Processes that begin with nothing of this one."""
    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))


def main(kind: str, folder: str, identifier: str, *settings: str) -> None:
    if kind == "mpi":
        from mpi4py.futures import MPIPoolExecutor as make
    else:
        make = processes
    with make(2) as executor:
        search(executor, Path(folder), identifier, settings)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ComparatorError as error:
        sys.exit(str(error))
