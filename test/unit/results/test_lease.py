"""One process at a time holds a folder: with locks and without, here and elsewhere, whatever dies or stands still."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from comparator.errors import ComparatorError
from comparator.results import lease
from comparator.results.holder import Holder, this_machine
from comparator.results.lease import LEASE, Attempt, Lease, hold, holder_of

WITHOUT_LOCKS = "import errno, fcntl\ndef none(*_): raise OSError(errno.ENOLCK, 'no locks')\nfcntl.flock = none\n"
HOLDS = (
    "from comparator.results.lease import hold\nfrom pathlib import Path\nimport sys\nheld = hold(Path(sys.argv[1]))\n"
)
WAITS = "print(type(held).__name__, flush=True)\nsys.stdin.read()\n"
#: Each of several processes counts in a file, in a way that loses counts where two do it at a time.
COUNTS = """
from comparator.results.lease import Attempt, Lease
from pathlib import Path
import sys, time
folder = Path(sys.argv[1])
for _ in range(40):
    attempt = Attempt(folder)
    while not isinstance(held := attempt.now(), Lease):
        time.sleep(0.001)
    count = folder / "count"
    number = int(count.read_text())
    time.sleep(0.0005)
    count.write_text(str(number + 1))
    held.release()
"""


@pytest.fixture(params=["locks", "no locks"])
def locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a process begins with that runs on a file system with locks, or without; this one does too."""
    if request.param == "locks":
        return ""

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", none)
    return WITHOUT_LOCKS


def started(code: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def another_holds(locks: str, folder: Path) -> subprocess.Popen[str]:
    other = started(locks + HOLDS + WAITS, folder)
    assert other.stdout is not None
    assert other.stdout.readline() == "Lease\n"
    return other


def lease_of(folder: Path, **changes: object) -> Path:
    """A lease as a process of another machine would leave it, with `changes`."""
    held = hold(folder)
    assert isinstance(held, Lease)
    holder = Holder.model_validate_json((folder / LEASE).read_bytes())
    held.release()
    changed = holder.model_copy(update={"token": "another", "machine": "another", "host": "node7", **changes})
    (folder / LEASE).write_text(changed.model_dump_json())
    return folder / LEASE


def test_a_folder_is_held_by_one_and_free_when_it_lets_go(locks: str, tmp_path: Path) -> None:
    held = hold(tmp_path, "a test")
    assert isinstance(held, Lease)
    second = hold(tmp_path)
    assert isinstance(second, Holder)
    assert second.pid == os.getpid()
    assert "(a test)" in second.words
    assert holder_of(tmp_path) == second
    held.release()
    held.release()
    assert holder_of(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_held_is_free_at_once_and_what_a_stopped_one_holds_is_not(
    locks: str, tmp_path: Path
) -> None:
    other = another_holds(locks, tmp_path)
    other.send_signal(signal.SIGSTOP)
    assert isinstance(hold(tmp_path), Holder)
    other.kill()
    other.wait()
    assert holder_of(tmp_path) is None
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    held.release()


@pytest.mark.long
def test_many_processes_never_hold_a_folder_at_a_time(locks: str, tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    several = [started(locks + COUNTS, tmp_path) for _ in range(4)]
    assert [each.wait(300) for each in several] == [0, 0, 0, 0]
    assert (tmp_path / "count").read_text() == "160"
    assert [path.name for path in tmp_path.iterdir() if path.name != "lock"] == ["count"]


@pytest.mark.long
def test_many_processes_take_over_what_one_elsewhere_left(
    locks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "count").write_text("0")
    lease_of(tmp_path)
    soon = "import comparator.results.lease as lease\nlease.EXPIRES_SECONDS = 0.2\n"
    several = [started(locks + soon + COUNTS, tmp_path) for _ in range(4)]
    assert [each.wait(300) for each in several] == [0, 0, 0, 0]
    assert (tmp_path / "count").read_text() == "160"


def test_a_later_process_with_the_number_of_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    lease_of(tmp_path, machine=this_machine(), pid=os.getpid(), began="1")
    assert holder_of(tmp_path) is None
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    held.release()


@pytest.mark.parametrize("years", [-30, 30])
def test_of_a_holder_elsewhere_only_renewals_count_and_no_clock(
    years: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 0.5)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.05)
    path = lease_of(tmp_path)
    then = time.time() + years * 365 * 86400
    os.utime(path, (then, then))
    attempt = Attempt(tmp_path)
    assert isinstance(attempt.now(), Holder)
    assert attempt.is_doubtful
    doubted: list[str] = []
    held = hold(tmp_path, on_doubt=lambda holder: doubted.append(holder.host))
    assert isinstance(held, Lease)
    assert doubted == ["node7"]
    held.release()


def test_a_holder_elsewhere_that_renews_its_lease_is_alive(tmp_path: Path) -> None:
    path = lease_of(tmp_path)
    attempt = Attempt(tmp_path)
    assert isinstance(attempt.now(), Holder)
    os.utime(path, (1, 1))
    assert isinstance(attempt.now(), Holder)
    assert not attempt.is_doubtful


def test_who_was_believed_dead_writes_no_more(tmp_path: Path) -> None:
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    held.check()
    path = tmp_path / LEASE
    path.unlink()
    with pytest.raises(ComparatorError, match="was taken over by another process, which has ended"):
        held.check()
    lease_of(tmp_path.parent)
    (tmp_path.parent / LEASE).rename(path)
    with pytest.raises(ComparatorError, match=r"was taken over by process .* on node7"):
        held.check()
    held.release()
    assert path.exists()  # it is another's
    assert held.is_lost


def test_a_lease_that_cannot_be_read_is_somebodys_until_it_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 0.3)
    (tmp_path / LEASE).write_text("{")
    attempt = Attempt(tmp_path)
    assert isinstance(attempt.now(), Holder)
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    held.release()


def test_who_stood_still_learns_that_it_has_lost_a_folder_though_its_successor_is_done(
    locks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    monkeypatch.setattr(Holder, "is_alive_here", False)
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)  # its lock is another machine's
    successor = hold(tmp_path)
    assert isinstance(successor, Lease) and held.is_lost
    successor.release()
    assert held.is_lost and not list(tmp_path.iterdir())
    third = hold(tmp_path)
    assert isinstance(third, Lease) and held.is_lost
    held.release()
    assert held.is_lost and {path.name for path in tmp_path.iterdir()} == {"lock", "lease"}
    third.check()
    third.release()
    assert not third.is_lost and not list(tmp_path.iterdir())


def test_a_lock_that_goes_while_it_is_waited_for_holds_nothing(
    locks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hold(tmp_path)
    assert isinstance(first, Lease)
    third: list[Lease | Holder] = []
    take = Attempt._take

    def slowly(attempt: Attempt) -> int | Holder:
        """Between its look at the lock and its look at the lease one holder goes, and another comes."""
        if not third:
            third.append(first)
            first.release()
            taken = take(attempt)
            third[0] = hold(tmp_path)
            return taken
        return take(attempt)

    monkeypatch.setattr(lease, "try_lock", lambda *_: True)
    monkeypatch.setattr(Attempt, "_take", slowly)
    second = Attempt(tmp_path).now()
    holders = [each for each in (second, *third) if isinstance(each, Lease)]
    assert len(holders) == 1
    holders[0].check()
    holders[0].release()
    assert not list(tmp_path.iterdir())


def test_a_lease_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            hold(tmp_path)
    assert not (tmp_path / LEASE).exists()
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    held.release()


def test_a_file_system_without_links_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", none)
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    assert isinstance(hold(tmp_path), Holder)
    held.release()


def test_whoever_is_killed_as_it_makes_a_lease_leaves_none(tmp_path: Path) -> None:
    killed = "import os, signal\nos.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    other = started(killed + HOLDS, tmp_path)
    assert other.wait(60) == -signal.SIGKILL
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    held.release()
    assert not (tmp_path / LEASE).exists()


def test_a_lease_is_renewed_while_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEWED_SECONDS", 0.02)
    monkeypatch.setattr(lease, "renewal", lease._Renewal())
    held = hold(tmp_path)
    assert isinstance(held, Lease)
    os.utime(tmp_path / LEASE, (1, 1))
    deadline = time.monotonic() + 30
    while (tmp_path / LEASE).stat().st_mtime == 1:
        assert time.monotonic() < deadline
    held.release()
