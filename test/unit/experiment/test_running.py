"""What is being trained now, read off a search that runs and off what models print."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import QUICK, Desk
from hypothesis import given
from hypothesis import strategies as st

from comparator.experiment.running import Progress, progress_in, progress_of, running
from comparator.results.in_flight import trainings_in_flight

#: Prints an epoch, and waits in the second until the file `go` is there.
MODEL = """
import time
from pathlib import Path

def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1, "epochs": 3}

def run(params):
    for epoch in range(params["epochs"]):
        print(f"Epoch {epoch + 1}/{params['epochs']} - loss: {1 / (epoch + 1):.3f} - val_loss: 0.5")
        while epoch == 1 and not Path("GO").exists():
            time.sleep(0.01)
    return {"val_loss": 0.1 + params["noise"] * (params["side"] == "left")}
"""


def until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write("slow.py", MODEL.replace("GO", str(tmp_path / "go")))
    desk.write("quick.txt", (tmp_path / "quick.txt").read_text().replace(str(QUICK), str(tmp_path / "slow.py")))
    return desk


@pytest.mark.long
def test_a_search_tells_what_it_trains_and_how_far_it_is(desk: Desk) -> None:
    path = desk.experiments / "slow"
    process = desk.start("search", "quick.toml", "--id", "slow", "--workers", "1", "--no-report")
    until(lambda: path.exists() and bool(running(path)) and all(each.epoch == 2 for each in running(path)))
    training = running(path)[0]
    assert (training.evaluation, training.replicate, training.epoch, training.epochs) == (0, 0, 2, 3)
    assert training.losses == {"loss": 0.5, "val_loss": 0.5}
    assert training.model == "left" and set(training.point) == {"noise", "size"}
    assert training.log is not None and "Epoch 2/3" in training.log.read_text()
    desk.write("go", "")
    assert process.wait(300) == 0
    assert running(path) == [] and list((path / "running").iterdir()) == []


@pytest.mark.long
def test_what_a_dead_worker_has_left_does_not_run(desk: Desk) -> None:
    path = desk.experiments / "slow"
    process = desk.start("search", "quick.toml", "--id", "slow", "--workers", "1", "--no-report")
    until(lambda: path.exists() and any(each.epoch == 2 for each in running(path)))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list((path / "running").glob("*.json"))
    assert trainings_in_flight(path) == [] and running(path) == []


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", Progress()),
        ('comparator: hyperparameters {"epochs": 15, "loss": 3}\n2465 rows\n', Progress()),
        (
            "Epoch 1/15 - 0.2 s - loss: 0.075062 - val_loss: 0.042060 - val_r2: 0.054808\n"
            "Epoch 2/15 - 0.4 s - loss: 0.037859 - val_loss: 0.035499 - val_r2: -1.2e-05\n",
            Progress(2, 15, {"loss": 0.037859, "val_loss": 0.035499, "val_r2": -1.2e-05}),
        ),
        (  # Keras 2, with its bar drawn anew by backspaces
            "Epoch 1/2\n 1/78 [....] - ETA: 9s - loss: 0.9" + "\b" * 34 + "78/78 [====] - 1s 5ms/step - loss: 0.3214"
            " - mse: 0.4 - val_loss: 0.2986 - val_mse: 0.5 - lr: 0.0010\nEpoch 2/2\n 3/78 [>...] - ETA: 5s - loss: .25",
            Progress(2, 2, {"loss": 0.25, "mse": 0.4, "val_loss": 0.2986, "val_mse": 0.5}),
        ),
        (  # Keras 3, with colours
            "Epoch 3/15\n\x1b[1m78/78\x1b[0m \x1b[32m━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m0s\x1b[0m 2ms/step"
            " - loss: 0.0302 - val_loss: 0.0299\nEpoch 3: val_loss improved from 0.03100 to 0.02990, saving model\n",
            Progress(3, 15, {"loss": 0.0302, "val_loss": 0.0299}),
        ),
        (
            "2026-11-26 20:00:00,001 [Epoch: 2] loss: 0.021000, val_loss: 0.035000\n",
            Progress(2, None, {"loss": 0.021, "val_loss": 0.035}),
        ),
        ("Epoch [3/15], Loss: 0.1234, lr: 0.1\n", Progress(3, 15, {"Loss": 0.1234})),
        ("epoch 3 loss 0.5 val_loss nan\n", Progress(3, None, {"loss": 0.5})),
        ("Train Epoch: 4 [640/60000 (1%)]\tLoss: 2.1\n", Progress(4, None, {"Loss": 2.1})),
        ("Epoch 5:  45%|####5     | 9/20 [00:01<00:01, loss=0.3]\r", Progress(5, None, {"loss": 0.3})),
        ("Tree 10/100 - 0.5 s - val_loss: 0.02\n", Progress(10, 100, {"val_loss": 0.02})),
        ("[10]\tvalid_0's l2: 0.0306\n", Progress(10, None, {"valid_0's l2": 0.0306})),
        ("[7]\ttrain-rmse:0.5\teval-rmse:0.6\n", Progress(7, None, {"train-rmse": 0.5, "eval-rmse": 0.6})),
        ("{'epoch': 6, 'train_loss': 0.25}\n", Progress(6, None, {"train_loss": 0.25})),
        ("Training for epochs 15, at epoch_size 10, version 1.2.3\n[2026] note: nothing\n", Progress()),
    ],
)
def test_epochs_and_losses_are_read_as_models_print_them(log: str, expected: Progress) -> None:
    assert progress_in(log) == expected


@given(st.text(alphabet=st.sampled_from("epoch Tree[]/:=-.'0123456789\r\n\b\x1b\tlosvab")))
def test_any_log_is_read(log: str) -> None:
    progress = progress_in(log)
    assert progress.epoch is None or progress.epoch >= 0


def test_a_log_that_tells_nothing_leaves_it_to_the_history_that_is_written_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "model.log").write_text("training\n")
    assert progress_of(tmp_path) == Progress()
    (tmp_path / "metrics.csv").write_text(
        "epoch,step,train_loss,val_loss,lr\n0,9,0.9,,0.1\n0,9,,0.8,\n1,19,0.7,,0.1\n1,19,,0"
    )
    assert progress_of(tmp_path) == Progress(2, None, {"train_loss": 0.7, "val_loss": 0.8})
    (tmp_path / "history.json").write_text(json.dumps({"val_loss": [0.5, 0.4, 0.3], "note": "x"}))
    assert progress_of(tmp_path) == Progress(3, None, {"val_loss": 0.3})
    (tmp_path / "history.json").write_text('{"val_loss": [0.5, 0.')
    assert progress_of(tmp_path).losses["val_loss"] == 0.8
