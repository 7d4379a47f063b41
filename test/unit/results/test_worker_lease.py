"""A worker holds folders by links to its one lease: one at a time, beside whoever takes the longer way."""

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from comparator.results import lease
from comparator.results.holder import Holder
from comparator.results.lease import LEASE, Attempt, Lease, hold, holder_of
from comparator.results.worker_lease import WorkerLease

WITHOUT_LOCKS = "import fcntl, errno\ndef none(*_): raise OSError(errno.ENOLCK, 'no locks')\nfcntl.flock = none\n"
HOLDS = """
from comparator.results.worker_lease import WorkerLease
from pathlib import Path
import sys
folder = Path(sys.argv[1])
with WorkerLease(folder.parent / "own" / "other.lease", "a test").claim(folder, lambda *_: False) as held:
    print(type(held).__name__, flush=True)
    sys.stdin.read()
"""
#: Each of several processes counts in a file, in a way that loses counts where two do it at a time.
COUNTS = """
from comparator.results.lease import claim
from comparator.results.worker_lease import WorkerLease
from pathlib import Path
import sys, time
folder = Path(sys.argv[1])
own = WorkerLease(folder.parent / "own" / f"{sys.argv[2]}.lease", "a test")
def patient(holder, seconds):
    time.sleep(0.001)
    return True
for turn in range(40):
    with own.claim(folder, patient) if turn % 4 or sys.argv[2] == "0" else claim(folder, "a test", patient):
        count = folder / "count"
        number = int(count.read_text())
        time.sleep(0.0005)
        count.write_text(str(number + 1))
"""


def started(code: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def never(holder: Holder, seconds: float) -> bool:
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
def own(tmp_path: Path):
    made = WorkerLease(tmp_path / "own" / "node1-0.lease", "a test")
    yield made
    made.close()
    assert list((tmp_path / "own").iterdir()) == []


def test_a_folder_is_held_by_a_link_and_free_when_it_is_let_go(own: WorkerLease, folder: Path) -> None:
    for _ in range(2):
        with own.claim(folder, never) as held:
            assert held is not None and not held.is_lost
            assert (folder / LEASE).stat().st_nlink == 2
            other = hold(folder)
            assert isinstance(other, Holder) and "(a test)" in other.words
            assert holder_of(folder) == other
            another = WorkerLease(folder.parent / "own" / "node1-1.lease", "another")
            with another.claim(folder, never) as second:
                assert second is None
            another.close()
        assert holder_of(folder) is None and [path.name for path in folder.iterdir()] in ([], ["lock"])
    held_the_longer_way = hold(folder)
    assert isinstance(held_the_longer_way, Lease)
    with own.claim(folder, never) as third:
        assert third is None
    held_the_longer_way.release()


def test_a_worker_holds_a_folder_once_at_a_time(own: WorkerLease, folder: Path) -> None:
    with own.claim(folder, never) as held, own.claim(folder, never) as again:
        assert held is not None and again is None


def test_what_a_killed_worker_held_is_free_at_once_and_what_a_stopped_one_holds_is_not(
    own: WorkerLease, folder: Path
) -> None:
    other = started(HOLDS, folder)
    assert other.stdout is not None and other.stdout.readline() == "_Linked\n"
    other.send_signal(signal.SIGSTOP)
    with own.claim(folder, never) as held:
        assert held is None
    other.kill()
    other.wait()
    with own.claim(folder, never) as held:
        assert held is not None and not held.is_lost
    (folder.parent / "own" / "other.lease").unlink()


def test_who_was_believed_dead_learns_it_though_its_successor_is_done(own: WorkerLease, folder: Path) -> None:
    with own.claim(folder, never) as held:
        assert held is not None
        (folder / LEASE).unlink()
        assert held.is_lost
        with own.claim(folder, never) as again:  # by the longer way: of two links none would be lost
            assert isinstance(again, Lease) and held.is_lost
        successor = hold(folder)
    assert isinstance(successor, Lease) and not successor.is_lost
    successor.release()


def test_a_holder_elsewhere_is_alive_as_long_as_its_lease_is_locked(
    own: WorkerLease, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 0.0)
    with own.claim(folder, never):
        holder = Holder.model_validate_json((folder / LEASE).read_bytes())
        (folder / LEASE).unlink()
    path = folder / LEASE
    path.write_text(holder.model_copy(update={"token": "x", "machine": "another"}).model_dump_json())
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert isinstance(Attempt(folder).now(), Holder)
        assert holder_of(folder) is not None
    taken = Attempt(folder).now()
    assert isinstance(taken, Lease)
    taken.release()


@pytest.mark.parametrize("hindrance", ["no links", "its own is gone", "another of its name"])
def test_a_worker_that_cannot_link_takes_the_longer_way(
    hindrance: str, own: WorkerLease, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own.claim(folder, never):
        pass
    file = folder.parent / "own" / "node1-0.lease"
    if hindrance == "no links":

        def none(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "no links")

        monkeypatch.setattr(os, "link", none)
    elif hindrance == "its own is gone":
        file.unlink()
    else:
        namesake = WorkerLease(file, "its name")
        with namesake.claim(folder, never):
            pass
    with own.claim(folder, never) as held:
        assert isinstance(held, Lease)
    assert holder_of(folder) is None


def test_a_link_that_was_made_though_the_file_system_says_it_was_there_is_held(
    own: WorkerLease, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def answered_twice(*given: object, **named: object) -> None:
        link(*given, **named)  # type: ignore[arg-type]
        raise FileExistsError(errno.EEXIST, "there")

    monkeypatch.setattr(os, "link", answered_twice)
    with own.claim(folder, never) as held:
        assert held is not None and not held.is_lost
    assert list(folder.iterdir()) == []


def test_who_is_about_to_make_a_lease_in_a_folder_that_its_holder_clears_waits_for_it(
    own: WorkerLease, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def after_another(source: Path, path: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        held.enter_context(own.claim(folder, never))
        source.unlink()
        link(source, path)

    monkeypatch.setattr(os, "link", after_another)
    with contextlib.ExitStack() as held:
        other = hold(folder)
        assert isinstance(other, Holder) and "(a test)" in other.words


@pytest.mark.long
@pytest.mark.parametrize(
    "before", ["", "import fcntl, errno\ndef none(*_): raise OSError(errno.ENOLCK, '')\nfcntl.flock = none\n"]
)
def test_many_workers_never_hold_a_folder_at_a_time(before: str, folder: Path) -> None:
    (folder / "count").write_text("0")
    several = [started(before + COUNTS, folder, number) for number in range(4)]
    assert [each.wait(300) for each in several] == [0, 0, 0, 0]
    assert (folder / "count").read_text() == "160"
    assert {path.name for path in folder.iterdir()} <= {"count", "lock"}


def test_a_worker_whose_folder_may_not_be_written_takes_the_longer_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = WorkerLease(folder.parent / "not" / "there" / "x.lease", "a test")
    with elsewhere.claim(folder, never) as held:
        assert isinstance(held, Lease)
    elsewhere.close()


def test_a_link_is_made_by_one_call(own: WorkerLease, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own.claim(folder, never):
        pass
    called: list[str] = []

    def counted(name: str) -> Callable[..., object]:
        whole = getattr(os, name)

        def call(*given: object, **named: object) -> object:
            called.append(name)
            return whole(*given, **named)

        return call

    for name in ("open", "link", "unlink", "stat", "replace", "write"):
        monkeypatch.setattr(os, name, counted(name))
    with own.claim(folder, never):
        pass
    assert called == ["link", "stat", "unlink"]
