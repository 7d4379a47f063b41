"""A server's reply belongs to its request and its process, or it is none."""

import ast
import json
import select
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.drafting.definitions import find_definitions
from comparator.model.catalogue import files_with_run
from comparator.model.model import Model
from comparator.model.probe import with_read_seed
from comparator.model.process import SERVER
from comparator.model.references import find_model
from comparator.model.runners import warm as warm_module
from comparator.model.runners.together import offers_many, together_of
from comparator.model.runners.warm import WarmRunner
from comparator.model.training import Outcome, Training
from comparator.site.profile import Slot

UNRULY = Model("unruly", Path(__file__).parents[1] / "models" / "unruly.py")


@pytest.fixture
def served(tmp_path: Path):
    runner = WarmRunner(UNRULY, Slot(0), tmp_path)
    number = iter(range(100))

    def run(timeout: float = 30.0, **hyperparameters: object) -> Outcome:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        return runner.run(Training(hyperparameters, folder, folder / "model.log", "val_loss", timeout))

    run.runner = runner
    yield run
    runner.close()


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        ("garbage", "the model's process sent what is no reply: \N{REPLACEMENT CHARACTER}\\x00garbage"),
        ("half a line", "the model's process sent what is no reply: half a li{"),
        ("not a dictionary", "the model's process sent what is no reply: [1, 2]"),
        ("forged", 'the model\'s process sent what is no reply: {"status": "ok", "metrics": {"val_loss": 123.0}'),
        ("half a line, then dead", "the model's process ended with exit status 3; it had begun to say: {"),
        ("twice", "the model's process sent more than its reply: {"),
    ],
)
def test_what_is_no_reply_fails_the_run_with_its_words_and_the_next_runs_are_right(served, behave, reason) -> None:
    assert served(loss=2.0).metrics == {"val_loss": 2.0}
    failed = served(behave=behave, loss=3.0)
    assert (failed.status, failed.metrics) == ("failed", {})
    assert failed.reason.startswith(reason)
    assert [served(loss=loss).metrics for loss in (4.0, 5.0)] == [{"val_loss": 4.0}, {"val_loss": 5.0}]


def test_more_than_any_reply_is_cut_off_in_bounded_memory(served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_module, "LONGEST_REPLY", 4 << 20)
    failed = served(behave="much")
    assert failed.status == "failed"
    assert "bytes without a reply: xxx" in failed.reason
    assert len(failed.reason) < 200
    assert served(loss=4.0).metrics == {"val_loss": 4.0}


def test_what_is_said_after_a_reply_is_not_the_next_reply(served, tmp_path: Path) -> None:
    assert served(behave="a line later", when=str(tmp_path / "now"), loss=2.0).metrics == {"val_loss": 2.0}
    (tmp_path / "now").touch()
    assert select.select([served.runner._server.replies], [], [], 30)[0]
    assert [served(loss=loss).metrics for loss in (3.0, 4.0)] == [{"val_loss": 3.0}, {"val_loss": 4.0}]
    assert 'the last one said unasked: {"status": "ok"}' in (tmp_path / "1" / "model.log").read_text()


def test_a_reply_after_the_time_limit_is_nobodys(tmp_path: Path, served) -> None:
    slow = Path(tmp_path / "slow.py")
    waiting = "while p['wait'] and not os.path.exists(p['wait']): pass"
    slow.write_text(f"import os\ndef run(p):\n    {waiting}\n    return p['loss']\n")
    runner = WarmRunner(Model("slow", slow), Slot(0), tmp_path)
    try:
        folders = [tmp_path / name for name in ("late", "next")]
        for folder in folders:
            folder.mkdir()
        late, next_one = (
            Training(given, folder, folder / "model.log", "val_loss", 0.3)
            for given, folder in zip(
                ({"wait": str(tmp_path / "never"), "loss": 1.0}, {"wait": "", "loss": 2.0}), folders, strict=True
            )
        )
        assert runner.run(late).status == "timeout"
        (tmp_path / "never").touch()
        assert runner.run(next_one).metrics == {"val_loss": 2.0}
    finally:
        runner.close()


@pytest.mark.parametrize("behave", ["exit", "return", "fail", "say", "read"])
def test_a_forked_process_neither_answers_nor_asks(served, behave: str) -> None:
    losses = [float(number) for number in range(4)]
    outcomes = [served(behave=f"fork and {behave}", loss=loss) for loss in losses]
    assert [outcome.metrics for outcome in outcomes] == [{"val_loss": loss} for loss in losses]


def test_what_python_or_a_shell_says_before_the_server_is_ready_goes_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text('import os; os.write(1, b"welcome\\n{}\\n")')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    runner = WarmRunner(UNRULY, Slot(0), tmp_path)
    folder = tmp_path / "run"
    folder.mkdir()
    try:
        outcome = runner.run(Training({"loss": 2.0}, folder, folder / "model.log", "val_loss", 30.0))
    finally:
        runner.close()
    assert outcome.metrics == {"val_loss": 2.0}
    assert "welcome" in (folder / "model.log").read_text()


def test_a_module_is_not_taken_for_one_of_the_servers_own(tmp_path: Path) -> None:
    optional = "try:\n    import image\nexcept ImportError:\n    image = None\n"
    (tmp_path / "mine.py").write_text(f"{optional}def run(p): return float(image is None)\n")
    folder = tmp_path / "run"
    folder.mkdir()
    runner = WarmRunner(Model("mine", tmp_path / "mine.py"), Slot(0), tmp_path)
    try:
        assert runner.run(Training({}, folder, folder / "model.log", "val_loss", 30.0)).metrics == {"val_loss": 1.0}
    finally:
        runner.close()


RETURNS = """
import json, sys
class Odd:
    def __float__(self): raise RuntimeError("no scalar")
    def __repr__(self): return "odd"
def run(params):
    values = {"odd": Odd(), "array": __import__("numpy").ones((2, 2)), "scalar": __import__("numpy").float32(0.5)}
    return {key: values.get(value, value) if isinstance(value, str) else value for key, value in params.items()}
"""


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory):
    """What becomes of a dictionary that a model returns, and its log."""
    folder = tmp_path_factory.mktemp("returned")
    (folder / "returns.py").write_text(RETURNS)
    (folder / "run").mkdir()
    log = folder / "run" / "model.log"
    runner = WarmRunner(Model("returns", folder / "returns.py"), Slot(0), folder)

    def returned(values: dict) -> tuple[Outcome, str]:
        log.unlink(missing_ok=True)
        return runner.run(Training(values, folder / "run", log, "val_loss", 60.0)), log.read_text()

    yield returned
    runner.close()


LISTS = st.lists(st.lists(st.integers(), min_size=1), min_size=1) | st.lists(st.text(), min_size=1)
BESIDE = st.text() | st.none() | st.sampled_from(["odd", "array"]) | st.dictionaries(st.text(), st.text()) | LISTS


@pytest.mark.long
@given(st.dictionaries(st.text(min_size=1), BESIDE), st.floats(allow_nan=False, allow_infinity=False))
def test_a_dictionary_may_hold_anything_beside_the_metric_asked_for(returned, beside: dict, loss: float) -> None:
    outcome, _ = returned({**beside, "val_loss": loss})
    assert outcome.status == "ok", outcome.reason
    assert outcome.metrics["val_loss"] == loss


def test_what_is_left_out_is_in_the_log_and_the_metric_has_to_be_a_number(returned) -> None:
    outcome, log = returned({"val_loss": "scalar", "checkpoint": "/scratch/model.h5", "confusion": [[5, 1], [2, 4]]})
    assert outcome.metrics == {"val_loss": 0.5}
    assert "left out of the metrics, because they are no numbers: checkpoint = '/scratch/model.h5'; confusion" in log
    outcome, _ = returned({"val_loss": "0.5"})
    assert (outcome.status, outcome.reason) == (
        "failed",
        "TypeError: run() returned 'val_loss' = '0.5': expected a number or a list of numbers",
    )
    assert returned({"val_loss": [0.5, None, 0.25]})[0].history == {"val_loss": [0.5, None, 0.25]}


def test_the_server_serves_alone_as_in_an_image(tmp_path: Path) -> None:
    """One file of the standard library, without what lies beside it here; what is read is then not said."""
    (tmp_path / "served.py").write_text(SERVER.read_text())
    (tmp_path / "m.py").write_text("def run(params): return params['x']\n")
    asked = {"token": "token", "module": "m", "folders": [str(tmp_path)], "covered": []}
    where = {"folder": str(tmp_path), "log": str(tmp_path / "log")}
    request = {"request": "r", "hyperparameters": {"x": 2.0}, "metric": "m", **where}
    process = subprocess.run(
        [sys.executable, str(tmp_path / "served.py"), json.dumps(asked)],
        input=json.dumps(request) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    ready, reply = map(json.loads, process.stdout.splitlines())
    assert (ready["token"], ready["ready"], ready["read"]) == ("token", True, None)
    assert (reply["request"], reply["value"], reply["read"]) == ("r", 2.0, None)
    assert reply["process"] == ready["process"]


def test_the_server_is_written_in_what_python_3_6_reads() -> None:
    ast.parse(SERVER.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("source", "described", "offers"),
    [
        ("def run(p): return 1.0\n", "", False),
        ("def run(p): return 1.0\ndef run_many(ps): return list(map(run, ps))\n", "", True),
        ("from inside import run, run_many\n", "", True),
        ("import inside\nrun, many = inside.run, 8\nrun_many = inside.run_many\n", "", True),
        ("def run(p): return 1.0\ndef run_many(ps): return list(map(run, ps))\n", "run_many = false\n", False),
        ("class Many:\n    def run_many(self): pass\n", "", False),
        ("from inside import *\n", "run_many = true\n", True),
        ("def run(p: return 1.0\n", "", False),
    ],
)
@pytest.mark.parametrize("form", ["file", "folder"])
def test_whether_a_model_takes_several_together_is_seen_before_it_is_imported(
    tmp_path: Path, form: str, source: str, described: str, offers: bool
) -> None:
    if form == "file":
        (tmp_path / "mine.py").write_text(source)
        (tmp_path / "mine.toml").write_text(f'name = "Mine"\n{described}')
        model = find_model("mine.py", tmp_path, tmp_path, "here")
    else:
        (tmp_path / "model" / "code" / "mine").mkdir(parents=True)
        (tmp_path / "model" / "code" / "mine" / "__init__.py").write_text(source)
        (tmp_path / "model" / "model.toml").write_text(f'module = "mine"\npython_path = ["code"]\n{described}')
        model = find_model("model", tmp_path, tmp_path, "here")
    assert offers_many(model) is offers
    assert together_of([UNRULY, model], 8, warm=True) == (8 if offers else 1)


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfdef run(p): return p['rng_seed']\ndef run_many(ps): return []\n",
        b"# -*- coding: latin-1 -*-\n# caf\xe9\ndef run(p): return p['rng_seed']\ndef run_many(ps): return []\n",
    ],
    ids=["byte order mark", "latin-1"],
)
def test_a_source_is_read_in_the_encoding_in_which_python_reads_it(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "mine.py").write_bytes(source)
    model = find_model("mine.py", tmp_path, tmp_path, "here")
    assert offers_many(model) and with_read_seed(model).description.seed == "rng_seed"
    assert "rng_seed" in find_definitions(model, Slot(0), tmp_path)
    assert files_with_run(tmp_path) == ["mine.py"]


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("def run(params): return train(**params)\n", True),
        ("def run(params, folder=None): return params['lr']\n", True),
        ("def run(times, is_test=False): return [train() for _ in range(times)]\n", False),
        ("def run(): pass\n", False),
    ],
)
def test_a_run_of_another_kind_makes_no_model_of_a_file(tmp_path: Path, source: str, is_one: bool) -> None:
    (tmp_path / "main.py").write_text(source)
    assert files_with_run(tmp_path) == (["main.py"] if is_one else [])


def test_a_model_that_says_it_takes_several_together_and_does_not_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def run(p): return 1.0\n")
    (tmp_path / "mine.toml").write_text('name = "Mine"\nrun_many = true\n')
    folder = tmp_path / "run"
    folder.mkdir()
    runner = WarmRunner(find_model("mine.py", tmp_path, tmp_path, "here"), Slot(0), tmp_path)
    try:
        outcome = runner.run(Training({}, folder, folder / "model.log", "val_loss", 30.0))
    finally:
        runner.close()
    said = f"but run_many = true in {tmp_path / 'mine.toml'}"
    assert outcome.reason == f"the model has no function run_many(params_list), {said}"
