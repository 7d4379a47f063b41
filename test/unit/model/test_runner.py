"""Runs for real: warm servers and processes of their own, how they fail, and that they end."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from comparator.model.description import ModelDescription
from comparator.model.model import Model
from comparator.model.process import GUARD, exit_words
from comparator.model.runners.cold import ColdRunner
from comparator.model.runners.warm import WarmRunner
from comparator.model.training import Outcome, Runner, Training
from comparator.site.profile import Slot

QUICK = Model("quick", Path(__file__).parents[1] / "models" / "quick.py")
SLOT = Slot(0, "3", {"CUDA_VISIBLE_DEVICES": "3"})


def training(folder: Path, timeout: float | None = 30.0, **hyperparameters: object) -> Training:
    folder.mkdir(exist_ok=True)
    return Training(hyperparameters, folder, folder / "model.log", "val_loss", timeout)


def shell_model(folder: Path, script: str) -> Model:
    folder.mkdir()
    train = folder / "train.sh"
    train.write_text("#!/bin/sh\n" + script)
    train.chmod(0o755)
    return Model("shell", folder, ModelDescription())


@pytest.fixture
def warm(tmp_path):
    runner = WarmRunner(QUICK, SLOT, tmp_path)
    yield runner
    runner.close()


def test_a_warm_server_serves_run_after_run(warm: Runner, tmp_path: Path) -> None:
    first = warm.run(training(tmp_path / "a", noise=10, size=50))
    second = warm.run(training(tmp_path / "b", noise=0, size=50))
    assert first.status == second.status == "ok"
    assert first.metrics["val_loss"] == pytest.approx(0.1 + 0.04 + 0.02)
    assert first.history["val_loss"][0] == pytest.approx(2 * first.metrics["val_loss"])
    assert second.metrics["val_loss"] < first.metrics["val_loss"]
    log = (tmp_path / "b" / "model.log").read_text()
    assert "warm server, run 2 of it, device 3" in log
    assert "side left noise 0 size 50" in log


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        ("raise", "RuntimeError: the model broke"),
        ("nonsense", "expected a number, a dict or a history"),
        ("die", "killed by SIGKILL"),
    ],
)
def test_a_failed_run_is_a_result_and_the_next_one_runs(warm, tmp_path, behave, reason) -> None:
    failed = warm.run(training(tmp_path / "a", behave=behave))
    assert failed.status == "failed"
    assert reason in failed.reason
    assert warm.run(training(tmp_path / "b")).status == "ok"


def test_a_server_that_is_ended_with_its_guard_is_said_to_be_killed() -> None:
    assert exit_words(-15, "the model's process") == "the model's process was killed by SIGTERM"
    assert exit_words(128 + 9, "train.sh") == "train.sh was killed by SIGKILL"
    assert exit_words(3, "train.sh") == "train.sh ended with exit status 3"


def test_the_traceback_is_in_the_log(warm, tmp_path) -> None:
    warm.run(training(tmp_path / "a", behave="raise"))
    assert "Traceback" in (tmp_path / "a" / "model.log").read_text()


def test_nan_is_no_number(warm, tmp_path) -> None:
    assert warm.run(training(tmp_path / "a", behave="nan")).metrics == {"val_loss": None}


def test_a_run_that_hangs_is_killed(warm, tmp_path) -> None:
    assert warm.run(training(tmp_path / "0")).status == "ok"
    hung = warm.run(training(tmp_path / "a", timeout=0.2, behave="hang"))
    assert (hung.status, hung.reason) == ("timeout", "the run exceeded its limit of 0.2 seconds")
    assert warm.run(training(tmp_path / "b")).status == "ok"


def test_cancel_ends_a_run_at_once_and_every_later_one(warm, tmp_path) -> None:
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(warm.run(training(tmp_path / "a", behave="hang"))))
    thread.start()
    wait_for(lambda: "side" in read(tmp_path / "a" / "model.log"))
    warm.cancel()
    thread.join(60)
    assert outcomes[0].status == "cancelled"
    assert warm.run(training(tmp_path / "b")).status == "cancelled"


def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # which would be named
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_package\n")
    runner = WarmRunner(Model("broken", broken), SLOT, tmp_path)
    outcome = runner.run(training(tmp_path / "a"))
    assert outcome.status == "failed"
    assert outcome.reason == "ModuleNotFoundError: No module named 'no_such_package'"


def test_a_process_of_its_own_gets_device_data_and_flags(tmp_path) -> None:
    script = 'echo "$@"; echo "device $CUDA_VISIBLE_DEVICES"; echo "IMPROVE_RESULT val_loss: 1.2e-05"\n'
    model = shell_model(tmp_path / "model", script)
    outcome = ColdRunner(model, SLOT, tmp_path).run(training(tmp_path / "a", layers=[10, 20], loss="mse"))
    assert outcome == Outcome("ok", {"val_loss": 1.2e-05})
    log = (tmp_path / "a" / "model.log").read_text()
    assert f"3 {tmp_path} --layers 10 20 --loss mse" in log
    assert "device 3" in log


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("echo 'no such data' >&2; exit 3\n", "failed", "no such data"),
        ("exit 3\n", "failed", "train.sh ended with exit status 3"),
        ("kill -9 $$\n", "failed", "train.sh was killed by SIGKILL"),
        ("true\n", "failed", "reported no result"),
        ("echo IMPROVE_RESULT fine\n", "failed", "reports no number"),
        ("sleep 60\n", "timeout", "exceeded its limit"),
    ],
)
def test_how_a_process_of_its_own_fails(tmp_path, script, status, reason) -> None:
    runner = ColdRunner(shell_model(tmp_path / "model", script), SLOT, tmp_path)
    outcome = runner.run(training(tmp_path / "a", timeout=0.5 if status == "timeout" else 30))
    assert outcome.status == status
    assert reason in outcome.reason


KEEPER = """
import sys, threading
from pathlib import Path
from comparator.model.model import Model
from comparator.model.runners.runner import make_runner
from comparator.model.training import Training
from comparator.model.description import ModelDescription
from comparator.site.profile import Slot
model, folder, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
description = ModelDescription()
runner = make_runner(Model("m", model, description), Slot(0), folder)
runner.run(Training({"behave": "hang"}, folder, folder / "model.log", "val_loss"))
"""


@pytest.mark.parametrize("guard_too", [False, True])
@pytest.mark.parametrize("kind", ["warm", "cold"])
def test_nothing_is_left_when_the_keeper_is_killed(tmp_path: Path, kind: str, guard_too: bool) -> None:
    """SIGKILL of the process that holds the runner: server, guard and the model's own children all end.

    With the guard killed as well, which no signal foretells, the server still ends.
    """
    if kind == "warm":
        model = Path(__file__).parents[1] / "models" / "quick.py"
    else:
        model = shell_model(tmp_path / "model", f"echo side; sleep 3600 & sleep 3600; echo {tmp_path}\n").path
    folder = tmp_path / "run"
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # a guard that is killed leaves its folder
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER, str(model), str(folder), kind], env=environment)
    wait_for(lambda: "side" in read(folder / "model.log").replace("{", ""))
    descendants = descendants_of(keeper.pid)
    assert descendants
    guard, server, *children = descendants
    keeper.send_signal(signal.SIGKILL)
    if guard_too:
        os.kill(guard, signal.SIGKILL)
    keeper.wait()
    left = [guard, server] if guard_too else [guard, server, *children]
    wait_for(lambda: not any(is_alive(pid) for pid in left), seconds=1.0)
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("end", ["ends well", "is cancelled"])
def test_children_in_a_session_of_their_own_end_with_the_run(tmp_path: Path, end: str) -> None:
    wait = "" if end == "ends well" else "sleep 3600\n"
    script = f"setsid sleep 3600 &\necho $! > child\necho IMPROVE_RESULT 0.1\n{wait}"
    runner = ColdRunner(shell_model(tmp_path / "model", script), SLOT, tmp_path)
    child = tmp_path / "a" / "child"
    run_to_its_end(runner, tmp_path, end, child)
    wait_for(lambda: not is_alive(int(child.read_text())), seconds=1.0)


def test_the_folder_of_a_guard_that_was_killed_goes_when_the_next_begins(tmp_path: Path) -> None:
    def guarded(*command: str) -> subprocess.Popen[bytes]:
        life, _ = os.pipe()
        os.set_inheritable(life, True)
        words = [sys.executable, "-I", "-S", str(GUARD), str(life), *command]
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        return subprocess.Popen(words, env=environment, close_fds=False, start_new_session=True)

    def folder_of(guard: subprocess.Popen[bytes]) -> Path:
        return tmp_path / f"comparator-run-{guard.pid}"

    killed, alive = guarded("sh", "-c", "touch $TMPDIR/left; exec sleep 3600"), guarded("sleep", "3600")
    wait_for(lambda: (folder_of(killed) / "left").exists() and folder_of(alive).exists())
    killed.kill()
    killed.wait()
    elsewhere = tmp_path / f"comparator-run-{2**22 + 1}"  # as of another container: no number of a process here
    elsewhere.mkdir()
    held = os.open(elsewhere, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    others = [tmp_path / f"comparator-run-{name}" for name in ("mine", "²", "9" * 30)]  # no guard's
    for other in others:
        other.mkdir()
    assert guarded("true").wait() == 0
    assert sorted(tmp_path.iterdir()) == sorted([folder_of(alive), elsewhere, *others])
    os.close(held)
    assert guarded("true").wait() == 0
    assert sorted(tmp_path.iterdir()) == sorted([folder_of(alive), *others])
    os.killpg(alive.pid, signal.SIGKILL)
    alive.wait()


@pytest.mark.parametrize("end", ["ends well", "is cancelled"])
def test_temporary_files_go_with_the_process_that_left_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """TensorFlow leaves some of each process that is ended before it can remove them."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    wait = "" if end == "ends well" else "sleep 3600\n"
    script = f"mkdir $TMPDIR/deep\nmktemp $TMPDIR/deep/XXXXXX > left\necho IMPROVE_RESULT 0.1\n{wait}"
    runner = ColdRunner(shell_model(tmp_path / "model", script), SLOT, tmp_path)
    left = tmp_path / "a" / "left"
    run_to_its_end(runner, tmp_path, end, left)
    assert Path(left.read_text().strip()).parents[2] == temporary
    assert not list(temporary.iterdir())


def run_to_its_end(runner: ColdRunner, folder: Path, end: str, written: Path) -> None:
    """Run once, to where it "ends well", or "is cancelled" as soon as its script has `written` a file."""
    if end == "is cancelled":
        thread = threading.Thread(target=lambda: runner.run(training(folder / "a")))
        thread.start()
        wait_for(lambda: read(written).strip() != "")
        runner.cancel()
        thread.join(60)
    else:
        assert runner.run(training(folder / "a")).status == "ok"


def descendants_of(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listing.splitlines())}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def wait_for(condition, seconds: float = 120.0) -> None:
    """Wait until `condition()`; a deadline, not a pause, decides."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("did not come true in time")


def test_a_server_killed_between_two_runs_is_replaced(warm, tmp_path) -> None:
    others = descendants_of(os.getpid())
    warm.run(training(tmp_path / "a"))
    doomed = [pid for pid in descendants_of(os.getpid()) if pid not in others]
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(is_alive(pid) for pid in doomed))
    assert warm.run(training(tmp_path / "b")).status == "ok"
