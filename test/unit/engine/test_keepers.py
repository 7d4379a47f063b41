"""The keepers of ranks, around commands that are no ranks: what is lost ends the launch, and is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from comparator.engine.keeper import ADDRESS_FILE
from comparator.results.state import last_word, say

PACKAGE = Path(__file__).resolve().parents[3] / "python"
WORKER, RESIDENT, SERVER = range(3)
SECONDS = 120.0  # they take a second or two, and more on a busy machine


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


class Launch:
    """Three keepers, of a worker, the resident rank and a server, each on a node of its own name."""

    def __init__(self, folder: Path) -> None:
        self.experiment, self.folder = folder / "mine", folder / "mine" / "launch-1"
        self.folder.mkdir(parents=True)
        say(self.experiment, "running", [], None, "launch-1")
        self.keepers: list[subprocess.Popen[str]] = []

    def start(self, *commands: Sequence[str], tells_rank: bool = True) -> None:
        for rank, command in enumerate(commands):
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith(("PMI", "SLURM"))},
                "PYTHONPATH": os.pathsep.join([str(PACKAGE), *filter(None, sys.path)]),
                "COMPARATOR_LAUNCH": str(self.folder / "launch.json"),
                "RESIDENT_WORK_RANKS": str(RESIDENT),
                "SLURMD_NODENAME": f"n{rank}",
                **({"PMI_RANK": str(rank)} if tells_rank else {}),
            }
            keeper = [sys.executable, "-S", "-m", "comparator.engine.keeper", *command]
            self.keepers.append(subprocess.Popen(keeper, env=environment, stderr=subprocess.PIPE, text=True))

    def wait_until_connected(self) -> None:
        wait_for((self.folder / ADDRESS_FILE).exists)
        port = json.loads((self.folder / ADDRESS_FILE).read_text())["port"]
        wait_for(lambda: _connections_to(port) == len(self.keepers) - 1)

    def rank(self, number: int) -> int:
        """The process id of a rank, once its keeper has started it."""
        path = Path(f"/proc/{self.keepers[number].pid}/task/{self.keepers[number].pid}/children")
        wait_for(lambda: path.read_text().split())
        return int(path.read_text().split()[0])

    def wait(self) -> list[int]:
        """The exit statuses of all keepers; where one has none in time, what each has said."""
        try:
            return [keeper.wait(SECONDS) for keeper in self.keepers]
        except subprocess.TimeoutExpired:
            statuses = [keeper.poll() for keeper in self.keepers]
            for keeper in self.keepers:
                keeper.kill()
            said = [keeper.communicate()[1] for keeper in self.keepers]
            raise AssertionError(f"keepers that do not end: {statuses}, {said}, {last_word(self.experiment)}") from None


def _connections_to(port: int) -> int:
    established = f":{port:04X} ", " 01 "
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return sum(established[0] in line.split(maxsplit=2)[1] + " " and established[1] in line for line in lines)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    made = Launch(tmp_path)
    yield made
    for keeper in made.keepers:
        keeper.kill()
        keeper.communicate()


WAITING = ("sleep", "1000")


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "is_rank", "sent", "said"),
    [
        (WORKER, True, signal.SIGKILL, "rank 0 (a worker on n0) was killed by SIGKILL"),
        (RESIDENT, True, signal.SIGKILL, "rank 1 (the resident rank on n1) was killed by SIGKILL"),
        (SERVER, True, signal.SIGSEGV, "rank 2 (a server on n2) was killed by SIGSEGV"),
        (RESIDENT, True, signal.SIGSTOP, "rank 1 (the resident rank on n1) was stopped"),
        (WORKER, True, signal.SIGSTOP, "rank 0 (a worker on n0) was stopped"),
        (SERVER, False, signal.SIGKILL, "rank 2 (a server on n2) is gone, or its node"),
        (RESIDENT, False, signal.SIGKILL, "rank 1 (the resident rank) is gone, or its node"),
    ],
)
def test_what_is_lost_ends_all_ranks_and_is_named(
    launch: Launch, number: int, is_rank: bool, sent: signal.Signals, said: str
) -> None:
    launch.start(WAITING, WAITING, WAITING)
    launch.wait_until_connected()
    ranks = [launch.rank(each) for each in (WORKER, RESIDENT, SERVER)]
    os.kill(ranks[number] if is_rank else launch.keepers[number].pid, sent)
    assert 0 not in launch.wait()
    wait_for(lambda: not any(Path(f"/proc/{rank}").exists() for rank in ranks))
    state = last_word(launch.experiment)
    assert (state.state, state.launch) == ("interrupted", "launch-1")
    assert state.reason is not None and state.reason.startswith(said)


def test_ranks_that_end_well_one_after_another_are_no_loss(launch: Launch) -> None:
    launch.start(WAITING, ("true",), WAITING)
    assert launch.keepers[RESIDENT].wait(SECONDS) == 0
    for each in (WORKER, SERVER):
        os.kill(launch.rank(each), signal.SIGTERM)
    assert launch.wait() == [128 + signal.SIGTERM, 0, 128 + signal.SIGTERM]


def test_a_search_that_has_said_how_it_ended_is_believed(launch: Launch) -> None:
    launch.start(WAITING, WAITING, WAITING)
    launch.wait_until_connected()
    say(launch.experiment, "failed", [], "the search algorithm failed: it's over", "launch-1")
    os.kill(launch.rank(RESIDENT), signal.SIGKILL)
    assert 0 not in launch.wait()
    assert last_word(launch.experiment).reason == "the search algorithm failed: it's over"


def test_a_stop_of_a_moment_is_no_loss(launch: Launch) -> None:
    launch.start(WAITING, WAITING, WAITING)
    launch.wait_until_connected()
    rank = launch.rank(WORKER)
    stat = Path(f"/proc/{rank}/stat")
    os.kill(rank, signal.SIGSTOP)
    wait_for(lambda: " T " in stat.read_text())
    os.kill(rank, signal.SIGCONT)
    wait_for(lambda: " T " not in stat.read_text())
    os.kill(launch.rank(SERVER), signal.SIGKILL)
    launch.wait()
    assert last_word(launch.experiment).reason.startswith("rank 2 (a server on n2)")


def test_a_rank_whose_launcher_does_not_number_it_runs_alone(launch: Launch) -> None:
    launch.start(("sh", "-c", "exit 3"), tells_rank=False)
    assert launch.wait() == [3]
