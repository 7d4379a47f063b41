"""What a model reads is looked at again while an experiment goes on, as often as that can be afforded."""

from __future__ import annotations

import json
import math
import os

import pytest
from identities import Store

from comparator.results.requests import Request
from comparator.results.run_store import RunStore


def test_data_that_arrive_while_an_experiment_goes_on_are_no_data_of_it(store: Store) -> None:
    store.write("a.py", "import os\ndef run(p): return float(len(os.listdir(os.environ['CANDLE_DATA_DIR'])))\n")
    store.write("data/one", "")
    os.utime(store.data / "one", (1, 1))
    plan = store.plan("a.py", x=1)
    store.write("data/two", "")
    late = store.train("a.py", plan=plan, x=1)
    assert late["metrics"]["val_loss"] == 2.0
    (store.data / "two").unlink()
    assert store.loss("a.py", reused=False, x=1) == 1.0


def test_code_that_is_edited_stops_the_search_and_what_is_written_beside_it_does_not(store: Store) -> None:
    store.write("model/train.sh", "#!/bin/sh\ncd $(dirname $0); echo x >> log.txt; echo IMPROVE_RESULT 1\n", 0o755)
    store.write("model/log.txt", "")
    store.write("model/model.toml", "reads = []\n")
    plan = store.plan("model")
    run = store.train("model", plan=plan)
    assert run["metrics"]["val_loss"] == 1.0
    assert "log.txt) since the experiment began" in run["no_reuse"]
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 2\n", 0o755)
    with pytest.raises(AssertionError, match=r"the model has changed \(last: .*train.sh\) since the experiment began"):
        store.train("model", plan=plan, x=1)


def test_a_look_that_is_too_dear_for_every_training_is_taken_before_a_result_serves_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comparator.model.fingerprint.NO_TIME_SECONDS", -1.0)
    monkeypatch.setattr("comparator.model.fingerprint.SPARING", 1e9)
    store.write("model/train.sh", '#!/bin/sh\necho IMPROVE_RESULT $(cat "$2/loss.txt")\n', 0o755)
    store.write("model/model.toml", 'reads = ["loss.txt"]\n')
    store.write("data/loss.txt", "1")
    runs = RunStore(store.folder / "experiments")

    def why_not(run: dict) -> str | None:
        return json.loads((runs.folder_of(run["run"]) / "result.json").read_text())["no_reuse"]

    leaf = store.leaf(store.plan("model"))
    run = store.ask(leaf)
    assert "not been looked at" in str(why_not(run))
    leaf.close()
    assert why_not(run) is None
    leaf = store.leaf(store.plan("model", x=2))
    store.ask(leaf, x=1)
    store.write("data/loss.txt", "2")
    wrong = store.ask(leaf, x=2)
    leaf.close()
    assert "not been looked at" in str(why_not(wrong))


@pytest.mark.long
def test_a_repeat_that_waits_for_a_dear_look_does_not_take_the_place_of_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comparator.model.fingerprint.NO_TIME_SECONDS", -1.0)
    monkeypatch.setattr("comparator.model.fingerprint.SPARING", 1e9)
    store.write("a.py", "import time\ndef run(p): return {'val_loss': 1.0, 'epoch_time': [time.perf_counter()]}\n")
    leaf = store.leaf(store.plan("a.py"))
    request = Request(evaluation=0, name="a", point={}, replicate=0)
    run, first = leaf.repeat(request, 0)
    result = RunStore(store.folder / "experiments").folder_of(str(run.run)) / "result.json"
    result.unlink()
    monkeypatch.setattr("comparator.model.inputs.Inputs.looked_at", lambda self: math.inf)  # what waits, need not now
    _, second = leaf.repeat(request, 0)
    assert first.history["epoch_time"] != second.history["epoch_time"]
    assert json.loads(result.read_text())["history"] == second.history
