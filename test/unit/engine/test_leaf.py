"""The leaf: JSON in, JSON out, never an exception; identities; slots."""

import json
import sys
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.engine.interface import share_slots
from comparator.engine.leaf import Leaf
from comparator.engine.run_identity import NOT_PART_OF_AN_IDENTITY, run_identity
from comparator.engine.runs import NOT_LOOKED_AT
from comparator.errors import FAULT, InputError
from comparator.model import fingerprint
from comparator.model.model import Model, outside_container
from comparator.model.named_paths import NamedPaths
from comparator.model.references import find_model
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES
from comparator.results.frozen import FrozenExperiment, Submodel
from comparator.results.run_store import RunStore
from comparator.site.profile import Slot, read_site

QUICK = Model("quick", Path(__file__).parents[1] / "models" / "quick.py")


def submodel(number: Literal[0, 1], **fields) -> Submodel:
    return Submodel(submodel=number, **{"identity": "m", "seed": "rng_seed", **fields})


EXPERIMENT = FrozenExperiment(
    id="try-1",
    metric="val_loss",
    run_timeout=20.0,
    hyperparameters={"cmp_0_side": "left", "cmp_1_side": "right", "jitter": 0.01, "cmp_0_run_id": "M0"},
    models=[submodel(0), submodel(1)],
)


@pytest.fixture
def leaf(tmp_path: Path):
    (tmp_path / "try-1").mkdir()
    objective = Objective("val_loss", DIFFERENCES["relative"])
    made = Leaf(
        EXPERIMENT,
        [QUICK, QUICK],
        objective,
        experiments=tmp_path,
        data_folder=tmp_path,
        slots=[Slot(0)],
        name="local/0",
    )
    yield made
    made.close()


def ask(leaf: Leaf, **fields) -> dict:
    request = {"evaluation": 17, "name": None, "point": {"noise": 10.0, "size": 50}, "replicate": 0, **fields}
    return json.loads(leaf.evaluate(json.dumps(request)))


def test_a_pair_shares_its_seed_and_its_runs_are_kept(leaf: Leaf, tmp_path: Path) -> None:
    first, again, fresh = ask(leaf), ask(leaf, evaluation=18), ask(leaf, replicate=1, block=1, seed=1)
    assert [run["seed"] for run in first["runs"]] == [1, 1]
    assert [run["seed"] for run in fresh["runs"]] == [2, 2]
    assert [run["reused"] for run in again["runs"]] == [True, True]
    assert first["value"] == again["value"] != fresh["value"]
    result = json.loads((RunStore(tmp_path).folder_of(first["runs"][0]["run"]) / "result.json").read_text())
    assert result["history"]["val_loss"][-1] == result["metrics"]["val_loss"]
    log = (tmp_path / first["runs"][0]["log"]).read_text()
    assert '"run_id": "M0-00017-0-0"' in log
    assert '"experiment_id": "try-1"' in log


def test_a_run_that_was_taken_over_while_it_was_trained_is_what_the_other_has_made_of_it(
    leaf: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = leaf._runs.trainer
    train = trainer.train

    def stands_still(*given):
        result, *more = train(*given)
        for held in tmp_path.glob("runs/*/*/lease"):
            held.unlink()
            RunStore(tmp_path).save(held.parent.name, result.model_copy(update={"metrics": {"val_loss": 0.25}}))
        return result, *more

    monkeypatch.setattr(trainer, "train", stands_still)
    runs = ask(leaf)["runs"]
    assert [(run["metrics"], run["reused"]) for run in runs] == [({"val_loss": 0.25}, True)] * 2
    stored = [json.loads(path.read_text())["metrics"] for path in tmp_path.glob("runs/*/*/result.json")]
    assert stored == [{"val_loss": 0.25}] * 2


def test_a_result_that_was_withdrawn_before_it_could_serve_others_stays_withdrawn(
    leaf: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as busy:
        for inputs in leaf._runs.trainer.inputs:
            busy.setattr(inputs, "looked_at", lambda: 0.0)
        first, second = (run["run"] for run in ask(leaf)["runs"])
    runs = RunStore(tmp_path)
    assert runs.result(second).no_reuse == NOT_LOOKED_AT
    runs.withdraw(first, "it did not come out again")
    leaf.close()
    assert runs.result(first) is None
    assert runs.withdrawn(first) is not None
    assert runs.result(second).no_reuse is None


def test_a_fresh_split_is_one_of_each_models_own_and_another_run(leaf: Leaf) -> None:
    EXPERIMENT.models[1].split = "split_seed"
    try:
        plain, fresh = ask(leaf), ask(leaf, split=1000)
        given = ask(leaf, split=1000, point={"noise": 10.0, "size": 50, "split_seed": 7})
    finally:
        EXPERIMENT.models[1].split = None
    assert "split" not in plain["runs"][1]
    assert [run["split"] for run in fresh["runs"]] == [None, 1001]
    assert [run["split"] for run in given["runs"]] == [None, 1007]
    assert [run["reused"] for run in fresh["runs"]] == [True, False]
    assert fresh["runs"][1]["run"] != plain["runs"][1]["run"]


def test_a_bug_of_ours_is_a_result_with_a_traceback_on_file(leaf: Leaf, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(leaf, "_objective", None)
    result = ask(leaf)
    assert result["status"] == "failed"
    assert "TypeError" in result["reason"]
    assert "Traceback" in (tmp_path / "try-1" / "errors.log").read_text()


def test_the_second_run_is_spared_when_the_first_fails_and_found_when_it_did_not(leaf: Leaf) -> None:
    broken = ask(leaf, point={"cmp_1_behave": "raise"})
    assert [run["status"] for run in broken["runs"]] == ["ok", "failed"]
    assert [run["reused"] for run in ask(leaf, point={})["runs"]] == [True, False]
    assert [run["status"] for run in ask(leaf, point={"cmp_0_behave": "raise"})["runs"]] == ["failed"]


def test_after_cancel_everything_is_cancelled(leaf: Leaf) -> None:
    leaf.cancel()
    assert ask(leaf)["status"] == "cancelled"


names = st.text("abcdefgh_", min_size=1, max_size=8)
values = st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), st.text(max_size=5), st.none())


def identity(hyperparameters: dict, seed: int = 1, **fields) -> str:
    return run_identity(submodel(0, **fields), hyperparameters, seed, NamedPaths([])).digest


@given(st.dictionaries(names, values, max_size=6), st.integers(0, 5))
def test_an_identity_does_not_depend_on_order_or_on_what_cannot_change_a_result(hyperparameters, seed) -> None:
    same = {**dict(reversed(hyperparameters.items())), **dict.fromkeys(NOT_PART_OF_AN_IDENTITY, "x"), "rng_seed": 99}
    plain = identity(hyperparameters, seed)
    assert identity(same, seed) == plain
    assert identity({**hyperparameters, "out_act": 1}, seed, without_effect=["out_act"]) == plain
    assert identity({**hyperparameters, "new": 1}, seed) != plain
    assert identity(hyperparameters, seed + 1) != plain
    assert identity(hyperparameters, seed, data="d") != plain
    assert identity(hyperparameters, seed, identity="other") != plain


def test_an_identity_tells_what_differs_and_not_how_it_is_written() -> None:
    assert identity({"noise": 50}, numbers=["noise"]) == identity({"noise": 50.0}, numbers=["noise"])
    assert identity({"noise": [1, 2.0]}, numbers=["noise"]) == identity({"noise": [1.0, 2]}, numbers=["noise"])
    # A model that does not say that it takes a number may make a text of it.
    assert identity({"noise": 50}) != identity({"noise": 50.0})
    assert identity({"flag": True}) != identity({"flag": 1})
    assert identity({"size": "50"}) != identity({"size": 50})


def test_a_file_counts_with_its_contents(tmp_path: Path) -> None:
    def of_genes(text: str) -> str:
        (tmp_path / "genes.txt").write_text(text)
        return run_identity(submodel(0), {"genes": "genes.txt"}, 1, NamedPaths([tmp_path])).digest

    assert of_genes("TP53") == of_genes("TP53") != of_genes("KRAS")


def test_what_a_failed_attempt_left_is_no_result_of_the_next(leaf: Leaf, tmp_path: Path) -> None:
    failed = ask(leaf, point={"behave": "raise"})
    folder = RunStore(tmp_path).folder_of(failed["runs"][0]["run"])
    (folder / "val_scores.json").write_text('{"mse": 0.1}')
    (folder / "deep").mkdir()
    assert ask(leaf, point={"behave": "raise"})["status"] == "failed"
    assert sorted(path.name for path in folder.iterdir()) == ["model.log", "result.json"]


def test_a_training_that_its_own_timeout_cut_short_is_no_result(leaf: Leaf) -> None:
    for _ in range(2):
        result = ask(leaf, point={"behave": "cut short"})
        assert result["status"] == "timeout"
        assert "by its timeout" in result["reason"]
        assert not result["runs"][0]["reused"]


@pytest.mark.parametrize("hindrance", ["in the way", "gone", "full"])
def test_what_hinders_every_training_is_no_result(leaf: Leaf, tmp_path: Path, hindrance: str) -> None:
    asked = {}
    if hindrance == "in the way":
        (tmp_path / "runs").write_text("")
    elif hindrance == "gone":
        (tmp_path / "runs").mkdir()
        tmp_path.rename(tmp_path.with_name("elsewhere"))
    else:
        asked = {"point": {"behave": "full"}}
    result = ask(leaf, **asked)
    assert (result["status"], result["runs"]) == (FAULT, [])
    words = {"in the way": "File exists", "gone": f"{tmp_path}: is gone", "full": "No space left on device"}
    assert str(tmp_path) in result["reason"] and words[hindrance] in result["reason"]
    kept = "; what is finished is kept, and once that is mended --resume goes on with it"
    assert result["reason"].endswith(kept) == (hindrance != "gone")
    assert tmp_path.exists() == (hindrance != "gone")


@given(st.integers(1, 9), st.integers(1, 9))
def test_slots_are_dealt_out_once(slots: int, workers: int) -> None:
    if workers <= slots:
        shares = share_slots([Slot(number) for number in range(slots)], workers)
        assert sorted(slot.number for share in shares for slot in share) == list(range(slots))
        assert {len(share) for share in shares} <= {slots // workers, -(-slots // workers)}


@pytest.mark.long
def test_a_models_identity_is_its_files(tmp_path: Path) -> None:
    def identity_with(name: str, text: str) -> str:
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return find_model("model", tmp_path, tmp_path, "test").identity

    first = identity_with("train.sh", "#!/bin/sh\n")
    second = identity_with("deep/file", "1")
    assert second != first
    assert identity_with("__pycache__/file.pyc", "x") == second
    assert identity_with("deep/file", "2") not in (first, second)
    assert identity_with("deep/file", "1") == second


@pytest.mark.parametrize(
    ("variables", "devices"),
    [
        ({"SITE_DEVICES": "3"}, ["0", "1", "2"]),
        ({"SITE_DEVICES": "2", "SITE_MODELS_PER_DEVICE": "2"}, ["0", "1", "0", "1"]),
        ({"SITE_CORES": "2"}, [None, None]),
    ],
)
def test_slots_of_a_site(monkeypatch, variables, devices) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    slots = read_site("local", Path(__file__).parents[3]).slots()
    assert [slot.device for slot in slots] == devices
    assert all(slot.environment["CUDA_VISIBLE_DEVICES"] == (slot.device or "") for slot in slots)


def test_a_site_file_that_is_wrong_is_one_line(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    for text, words in [("SITE_DEVICES=many", "SITE_DEVICES='many'"), ("exit 3", "cannot be run"), ("(", "syntax")]:
        (tmp_path / "sites" / "mine.sh").write_text(text)
        with pytest.raises(InputError, match=words):
            read_site("mine", tmp_path)


@pytest.mark.parametrize(
    ("value", "outside"),
    [
        ("/candle_data_dir/uno.txt", "/data/uno.txt"),
        ("/candle_data_dir", "/data"),
        ("/candle_data_directory/x", "/candle_data_directory/x"),
        (["/candle_data_dir/a", 3], ["/data/a", 3]),
        (None, None),
    ],
)
def test_the_data_folder_inside_images_is_the_one_outside(value, outside) -> None:
    assert outside_container(value, Path("/data")) == outside


def test_the_identity_of_a_run_is_that_of_earlier_versions(tmp_path: Path) -> None:
    """The store's names: another one for the same run would have everything trained anew."""
    (tmp_path / "try-1").mkdir()
    experiment = FrozenExperiment(
        id="try-1",
        kind="cmp",
        metric="val_loss",
        run_timeout=20.0,
        hyperparameters={
            "cmp_0_side": "left",
            "cmp_side": "right",
            "jitter": 0.01,
            "SIZE": 10,
            "cmp_1_noise": 3.0,
            "model_name": "cmp",
            "cmp_model_name": "quick",
            "run_id": "R",
            "output_dir": "/nowhere",
        },
        models=[
            submodel(
                0,
                seed="rng_seed",
                split="split_seed",
                numbers=["size", "noise"],
                config={"dense": [100, 50.5], "Epochs": 7, "split_seed": 4},
                hyperparameters={"side": "left", "jitter": 0.01, "SIZE": 10},
                names={"noise": "Rauschen"},
                environment={"THREADS": "1"},
            ),
            submodel(1, seed=None, without_effect=["jitter"]),
        ],
    )
    objective = Objective("val_loss", DIFFERENCES["relative"])
    places = {"experiments": tmp_path, "data_folder": tmp_path, "slots": [Slot(0)], "name": "local/0"}
    leaf = Leaf(experiment, [QUICK, QUICK], objective, **places)
    point = {"noise": 12.0, "size": 50.0, "activation": "relu"}
    plain = ask(leaf, point=point)
    short = ask(leaf, point=point, replicate=1, block=3, seed=3, split=3, epochs=2)
    leaf.close()
    runs = [run for asked in (plain, short) for run in asked["runs"]]
    assert [(run["run"], run["seed"], run.get("split")) for run in runs] == [
        ("d8fe6841ca35b7d124ca7e6377bcbe37337512b30e79ac6ae1d82d0010e07ee4", 1, None),
        ("6f3d1ed286009b43666c7af8dbe330ee669012fc9165a043c1af36ad043e7bc8", 1, None),
        ("22a53af0bba1ef66b245d5b51ce3f0722abd1b79e66673ca987ecda2c2d73c0c", 4, 7),
        ("8418a70a27d5c8e81ca1a3819b93ae190d873cab2e95de91a85eeeeecf2c76e0", 4, None),
    ]
    store = RunStore(tmp_path)
    results = [json.loads((store.folder_of(run["run"]) / "result.json").read_text()) for run in runs]
    of_both = {"jitter": 0.01, "size": 50.0, "run_id": "R", "output_dir": "/nowhere", "activation": "relu"}
    of_one = {**of_both, "dense": [100, 50.5], "Rauschen": 12.0, "side": "left"}
    of_other = {**of_both, "noise": 3.0, "side": "right"}
    assert [result["hyperparameters"] for result in results] == [
        {**of_one, "Epochs": 7, "split_seed": 4, "rng_seed": 1},
        of_other,
        {**of_one, "Epochs": 2, "split_seed": 7, "rng_seed": 4},
        {**of_other, "epochs": 2},
    ]


#: What of a run is done with files, by the names of Python's audit events; what is only asked of them is none of these.
WITH_FILES = ("open", "os.mkdir", "os.link", "os.rename", "os.remove", "os.listdir", "os.scandir", "os.truncate")


def test_a_run_does_no_more_with_files_than_it_must(
    leaf: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system of thousands of workers serves each of these."""
    monkeypatch.setattr(fingerprint, "NO_TIME_SECONDS", 60.0)  # a machine that is busy puts no look off
    for number in range(3):  # the first make what is made once
        ask(leaf, evaluation=number, point={"noise": float(number), "size": 50})
    done: list[str] = []
    counted = [True]

    def count(event: str, given: tuple[object, ...]) -> None:
        if counted and event in WITH_FILES:
            done.append(event)

    sys.addaudithook(count)  # for good
    try:
        for number in range(3, 8):
            ask(leaf, evaluation=number, point={"noise": float(number), "size": 50})
    finally:
        counted.clear()
    a_run = {event: done.count(event) / 10 for event in WITH_FILES}
    # A folder, and where it is the first of its level that too; its log, its result under another name first, a look
    # for an earlier one; a link and its removal; one look into the folder. The note of what is trained is emptied.
    assert a_run["os.mkdir"] <= 4 and a_run["open"] <= 3
    assert a_run["os.link"] == a_run["os.rename"] == a_run["os.remove"] == a_run["os.truncate"] == 1.0
    assert a_run["os.listdir"] <= 1.0
    assert not list(tmp_path.glob("runs/*/*/lease"))
