"""Runs in three steps for real: preprocessed data are made once, failures are results, and nothing half is used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from desk import Desk
from three_steps import PREPROCESS, write_model, write_raw_data

from comparator.errors import InputError
from comparator.model.ml_data import MLData, training_rows
from comparator.model.named_paths import NamedPaths
from comparator.model.references import find_model
from comparator.model.runners.runner import make_runner
from comparator.model.runners.staged import StagedRunner
from comparator.model.training import Outcome, Training
from comparator.site.profile import Slot

ONE = """
model = "toy"
[space]
learning_rate = {{ type = "float", lower = 0.1, upper = 1.0 }}
[search]
strategy = "random"
evaluations = 2
[set]
{given}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_model(tmp_path / "toy")
    write_raw_data(tmp_path / "data")
    return tmp_path


def runner_in(place: Path, basis: str = "basis") -> StagedRunner:
    model = find_model(str(place / "toy"), place, place, "test")
    named = NamedPaths([place / "data", place / "toy"])
    runner = make_runner(model, Slot(0), place / "data", ml_data=MLData(place / "ml_data", [basis], named))
    assert isinstance(runner, StagedRunner)
    return runner


def run(place: Path, name: str, *, basis: str = "basis", timeout: float | None = 60.0, **given: object) -> Outcome:
    folder = place / name
    folder.mkdir()
    runner = runner_in(place, basis)
    try:
        return runner.run(Training(given, folder, folder / "model.log", "val_loss", timeout))
    finally:
        runner.close()


def times_preprocessed(place: Path) -> int:
    path = place / "data" / "preprocessed.txt"
    return len(path.read_text().split()) if path.exists() else 0


@pytest.mark.long
def test_every_step_finds_the_links_of_its_model_where_it_works(place: Path) -> None:
    (place / "clone").mkdir()
    (place / "clone" / "words.txt").write_text("a b")
    (place / "toy" / "model.toml").write_text('links = ["../clone/words.txt"]\n')
    for name in ("preprocess", "train", "infer"):
        script = place / "toy" / f"toy_{name}_improve.py"
        script.write_text(script.read_text().replace("import", "assert open('words.txt').read() == 'a b'\nimport", 1))
    outcome = run(place, "a", infer=True)
    assert outcome.status == "ok", outcome.reason
    assert not list(place.rglob("[!c]*/words.txt"))


def test_equal_preprocessing_is_done_once_and_other_anew(place: Path) -> None:
    first = run(place, "a", epochs=1, learning_rate=0.5, noise=3, experiment_id="e", run_id="r")
    assert first.status == "ok", first.reason
    assert first.metrics == {"val_loss": pytest.approx(0.51), "val_r2": pytest.approx(0.49)}
    assert json.loads((place / "a" / "model.json").read_text())[1] == 1
    assert run(place, "b", learning_rate=0.25).metrics["val_loss"] == pytest.approx(0.26)
    assert times_preprocessed(place) == 1
    assert run(place, "c", learning_rate=0.5, study="gCSI").metrics["val_loss"] == pytest.approx(0.52)
    assert run(place, "d", learning_rate=0.5, training_size=4).metrics["val_loss"] == pytest.approx(0.504)
    assert times_preprocessed(place) == 3
    assert run(place, "e", basis="other data").status == "ok"
    assert times_preprocessed(place) == 4
    assert "preprocessed data: " in (place / "b" / "model.log").read_text()


def test_a_file_of_the_model_that_a_parameter_names_is_found_wherever_a_step_works(place: Path) -> None:
    tested = run(place, "a", infer=True)
    assert tested.metrics["test_loss"] == pytest.approx(2 * (tested.metrics["val_loss"] or 0))
    (made,) = (place / "ml_data").glob("*/data/data.json")
    assert json.loads(made.read_text())["genes"] == str(place / "toy" / "genes.txt")
    told = json.loads((made.parents[1] / "made.json").read_text())
    assert "toy_preprocess_improve.py" in told["command"]


def test_a_preprocessing_that_fails_is_a_result_with_its_last_words_and_leaves_nothing_to_use(place: Path) -> None:
    failed = run(place, "a", scaling="broken")
    assert failed.status == "failed"
    assert failed.reason == "toy_preprocess_improve.py: scaling = broken: there is no such scaler"
    assert "there is no such scaler" in (place / "a" / "model.log").read_text()
    assert not list((place / "ml_data").glob("*/made.json"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"training_size": 11}, "training_size = 11: CCLE_split_0_train.txt names 10 training rows"),
        ({"training_size": "few"}, "training_size = few: must be a whole number from 1"),
        ({"study": "ccle", "training_size": 1}, "study = 'ccle': {splits} has CCLE, gCSI (did you mean 'CCLE'?)"),
        ({"study": "Absent"}, "study = 'Absent': {splits} has CCLE, gCSI"),
        ({"split": 7}, "split = 7: of CCLE, {splits} has the splits 0"),
        ({"infer": "maybe"}, "infer = maybe: must be True or False"),
        ({"input_dir": "~/nowhere"}, f"input_dir = '~/nowhere': there is no folder {Path.home()}/nowhere"),
    ],
)
def test_what_cannot_be_had_fails_in_one_line(place: Path, given: dict[str, object], reason: str) -> None:
    failed = run(place, "a", **given)
    assert failed.status == "failed"
    assert (failed.reason or "").startswith(reason.replace("{splits}", str(place / "data" / "splits")))


def test_other_raw_data_are_named_from_the_data_folder_on(place: Path) -> None:
    write_raw_data(place / "data" / "of others")
    assert run(place, "a", input_dir="of others").status == "ok"
    assert (place / "data" / "of others" / "preprocessed.txt").is_file() and times_preprocessed(place) == 0


def test_a_data_folder_without_the_benchmark_is_named(place: Path) -> None:
    (place / "data" / "splits").rename(place / "data" / "other")
    reason = run(place, "a").reason or ""
    assert f"{place / 'data'}: has no data to preprocess: x_data, y_data and splits" in reason


@pytest.mark.long
def test_two_workers_that_want_the_same_data_make_them_once(place: Path) -> None:
    with ThreadPoolExecutor(2) as workers:
        outcomes = list(workers.map(lambda name: run(place, name), ["a", "b"]))
    assert [each.status for each in outcomes] == ["ok", "ok"]
    assert times_preprocessed(place) == 1


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_staged import run
run(Path(sys.argv[1]), "killed")
"""


@pytest.mark.long
def test_what_a_killed_worker_has_left_half_is_made_anew(place: Path) -> None:
    gate = place / "gate"
    os.mkfifo(gate)
    script = place / "toy" / "toy_preprocess_improve.py"
    stuck = f"\nimport os\nif os.path.exists({str(gate)!r}):\n    open({str(gate)!r}).read()\n"
    script.write_text(PREPROCESS.replace('(made / "half").touch()\n', f'(made / "half").touch(){stuck}'))
    worker = subprocess.Popen([sys.executable, "-c", KILLED, str(place), str(Path(__file__).parent), *sys.path])
    with gate.open("w"):  # once the step stands there, half done
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    gate.unlink()
    (half,) = (place / "ml_data").glob("*/data/half")
    (half.parent / "left over").touch()
    assert run(place, "next").status == "ok"
    assert not (half.parent / "left over").exists()


def test_a_run_that_is_cancelled_waits_for_nobody(place: Path) -> None:
    runner = runner_in(place)
    (place / "a").mkdir()
    training = Training({}, place / "a", place / "a" / "model.log", "val_loss")
    made = runner._ml_data.of(runner._stages.given(runner._stages.preprocess, {}))
    outcomes: list[Outcome] = []
    with runner._ml_data.claimed(made, lambda holder, seconds: False) as held:
        assert held
        waiting = threading.Thread(target=lambda: outcomes.append(runner.run(training)))
        waiting.start()
        runner.cancel()
        waiting.join(60)
    assert outcomes[0].status == "cancelled"
    assert times_preprocessed(place) == 0


def test_fewer_training_rows_are_part_of_more(tmp_path: Path) -> None:
    rows = tmp_path / "rows.txt"
    rows.write_text("".join(f"{n}\n" for n in range(50)))
    chosen = []
    for number in (10, 30, 50):
        chosen.append(training_rows(rows, number))
        assert len(set(chosen[-1])) == number
    assert chosen[1][:10] == chosen[0] and chosen[2][:30] == chosen[1]
    with pytest.raises(InputError, match="names 50 training rows"):
        training_rows(rows, 51)
    (tmp_path / "latin").write_bytes(b"\xff\n")
    with pytest.raises(InputError, match=r"^training_size = 1: .*/latin: not a text file in UTF-8"):
        training_rows(tmp_path / "latin", 1)
    with pytest.raises(InputError, match=r"^training_size = 1: .*/nowhere: "):
        training_rows(tmp_path / "nowhere", 1)


def test_what_the_raw_data_do_not_have_is_refused_before_anything_starts(place: Path) -> None:
    desk = Desk(place)
    desk.write("one.toml", ONE.format(given='study = "ccle"'))
    refused = desk.search("one.toml", CANDLE_DATA_DIR=str(place / "data"))
    assert refused.returncode == 2 and not list(desk.experiments.glob("one-*"))
    assert "study = 'ccle': " in refused.stderr and "has CCLE, gCSI (did you mean 'CCLE'?)" in refused.stderr


def test_a_list_that_no_step_would_read_is_refused_before_anything_starts(place: Path) -> None:
    script = place / "toy" / "toy_train_improve.py"
    script.write_text(script.read_text().replace('type=int, nargs="+"', "type=list"))
    desk = Desk(place)
    layers = "layers = { type = 'categorical', element_type = 'string', values = ['8 8', '16'] }"
    desk.write("one.toml", ONE.format(given="").replace("[space]", f"[space]\n{layers}"))
    refused = desk.search("one.toml", "--dry-run", CANDLE_DATA_DIR=str(place / "data"))
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert "one.toml: toy: layers cannot be varied: toy_train_improve.py makes a list of its letters" in refused.stderr
