"""Executors as engines: processes, Dask, MPI; what they evaluate, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import by_executor
import pytest
from by_executor import processes, search
from desk import Desk
from rich.console import Console

from comparator.engine.interface import EngineOptions
from comparator.engine.jobs import state_of
from comparator.errors import ComparatorError, InputError
from comparator.experiment import worker
from comparator.experiment.host import open_host
from comparator.results.experiments import read_experiment
from comparator.results.lease import holder_of
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.run_store import RunStore
from comparator.results.state import last_word

#: Whole generations: more requests at a time than there are workers, and the same points in whatever order they end.
GENERATIONS = [
    *("search.strategy=simple", "search.population=6", "search.evaluations=18", "search.replicates=2"),
    *("search.pilot=0", "confirm.points=0", "hyperparameters.jitter=0.01"),
]
LONG = ["hyperparameters.sleep=30", "search.pilot=0"]
ENDED_SECONDS = 120.0


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("SITE_CORES", "2")
    monkeypatch.setenv("CANDLE_DATA_DIR", str(tmp_path / "data"))
    return Desk(tmp_path)


@pytest.fixture
def expected(desk: Desk) -> set[tuple[str, float | None]]:
    """What the local engine finds, with a store of its own."""
    return values(search("local", desk.folder, "quick", GENERATIONS, "of-local"))


def values(records: list[Evaluation]) -> set[tuple[str, float | None]]:
    return {(repr(sorted(record.point.items())), record.value) for record in records}


def workers_of(records: list[Evaluation]) -> set[str]:
    """Who carried out any replicate: two that take turns may have the first of each point with the same one."""
    return {part.worker for record in records for part in record.asked or (record,) if part.worker}


def wait_for(what: Callable[[], Any], seconds: float = ENDED_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def meet(executor: Executor, pipe: Path) -> None:
    """See both workers at work: either end of a pipe waits for the other. A late one would get nothing to do."""
    os.mkfifo(pipe)
    ends = [executor.submit(Path.write_text, pipe, "here"), executor.submit(Path.read_text, pipe)]
    assert ends[1].result(ENDED_SECONDS) == "here" and ends[0].result(ENDED_SECONDS) == 4


@contextmanager
def dask(*, in_processes: bool) -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed", reason="there is no package distributed, which is Dask's")
    number, threads = (2, 1) if in_processes else (1, 2)
    with (
        distributed.LocalCluster(
            n_workers=number, threads_per_worker=threads, processes=in_processes, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


EXECUTORS: dict[str, Callable[[], Any]] = {
    "threads": lambda: ThreadPoolExecutor(2),
    "processes": lambda: processes(2),
    "Dask's threads": lambda: dask(in_processes=False),
    "Dask's processes": lambda: dask(in_processes=True),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", EXECUTORS)
def test_an_executor_finds_what_the_local_engine_finds(
    desk: Desk, expected: set[tuple[str, float | None]], kind: str
) -> None:
    with EXECUTORS[kind]() as executor:
        meet(executor, desk.folder / "meeting")
        records = search(executor, desk.folder, "quick", GENERATIONS)
        assert values(records) == expected and len(expected) > 5
        assert len(workers_of(records)) == 2
        experiment = desk.experiments / "quick"
        assert last_word(experiment).state == "finished"
        provenance = read_experiment(experiment).provenance
        assert provenance is not None and provenance.engine == type(executor).__name__
        assert executor.submit(len, "open").result() == 4


def test_ranks_of_mpi_find_what_the_local_engine_finds(desk: Desk, expected: set[tuple[str, float | None]]) -> None:
    pytest.importorskip("mpi4py.futures", reason="there is no package mpi4py, or no MPI for it", exc_type=ImportError)
    if shutil.which("mpiexec") is None:
        pytest.skip("there is no mpiexec on the PATH")
    program = [sys.executable, "-m", "mpi4py.futures", by_executor.__file__, "mpi", str(desk.folder), "quick"]
    done = subprocess.run(["mpiexec", "-n", "3", *program, *GENERATIONS], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    records = read_records(desk.experiments / "quick" / "evaluations.jsonl")
    assert values(records) == expected
    assert len(workers_of(records)) == 2


@contextmanager
def searching(desk: Desk, *settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that searches by two processes, each of which trains, and its group of processes."""
    process = subprocess.Popen(
        [sys.executable, by_executor.__file__, "processes", str(desk.folder), "long", *settings],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Where the suite itself runs in the background a shell has it ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_for(lambda: len(trainings(desk)) == 2)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def trainings(desk: Desk) -> list[Path]:
    """The runs that somebody trains now."""
    return [run for run in RunStore(desk.experiments).folders() if holder_of(run) is not None]


@pytest.mark.long
@pytest.mark.parametrize("whom", ["the process", "its whole group"])
def test_ctrl_c_ends_what_runs_and_keeps_what_is_finished(desk: Desk, whom: str) -> None:
    with searching(desk, *LONG) as process:
        (os.kill if whom == "the process" else os.killpg)(process.pid, signal.SIGINT)
        assert process.wait(ENDED_SECONDS) != 0
        state = last_word(desk.experiments / "long")
        assert (state.state, state.reason, len(state.running)) == ("stopped", "by hand", 2)
        wait_for(lambda: not trainings(desk))


@pytest.mark.long
def test_what_runs_ends_with_the_process_that_asked_for_it(desk: Desk) -> None:
    with searching(desk, *LONG) as process:
        process.kill()
        wait_for(lambda: state_of(desk.experiments / "long").state == "interrupted")
        wait_for(lambda: not trainings(desk))


@pytest.mark.long
def test_an_executor_that_loses_a_process_is_told_in_one_line_and_a_resume_goes_on(desk: Desk) -> None:
    few = ["search.evaluations=4", "search.pilot=0", "confirm.points=0"]
    with processes(2) as executor:
        search(executor, desk.folder, "whole", few)
        for process in list(executor._processes.values()):
            process.kill()
        with pytest.raises(ComparatorError, match=r"^ProcessPoolExecutor: A .*process.*terminated"):
            search(executor, desk.folder, "broken", few)
    assert last_word(desk.experiments / "broken").state == "failed"
    assert desk.search("--resume", "broken").returncode == 0
    assert len(desk.records("broken")) == 4


def test_more_processes_than_places_are_told(desk: Desk) -> None:
    asked = worker.WorkerPlace("a session", 1)
    with pytest.raises(ComparatorError, match="more workers than the 1 places"):
        worker.WorkerPlace("a session", 1)
    asked.leave()
    worker.WorkerPlace("a session", 1).leave()


class Counting(ThreadPoolExecutor):
    """Threads without number, that count how many evaluate at a time."""

    def __init__(self) -> None:
        super().__init__(64)
        self.running = self.most = 0

    def submit(self, *given: Any, **named: Any) -> Future[Any]:  # type: ignore[override]
        self.running += 1
        self.most = max(self.most, self.running)
        asked = super().submit(*given, **named)
        asked.add_done_callback(self._ended)
        return asked

    def _ended(self, _: Future[Any]) -> None:
        self.running -= 1


@pytest.mark.long
def test_no_more_is_evaluated_at_a_time_than_was_asked_for_and_the_workers_end_with_the_session(desk: Desk) -> None:
    with Counting() as executor:
        search(executor, desk.folder, "quick", GENERATIONS)
        assert executor.most == 2
    wait_for(lambda: not worker._kept)


def test_what_an_executor_does_not_take_is_refused(desk: Desk) -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(InputError, match="--nodes: the ThreadPoolExecutor engine"):
        asked = EngineOptions(engine=executor, nodes=2)
        open_host(by_executor.ROOT, desk.experiments, "local", asked, warm=True, console=Console(quiet=True))
