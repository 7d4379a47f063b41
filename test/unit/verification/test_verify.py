"""A record that is right, and every way of its being wrong; trainings that do and do not come out again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import long_but
from desk import Desk

from comparator.results.run_store import RunStore

FEW = ("--set", "search.evaluations=2", "--workers", "1")
SEARCH = ("--set", "search.evaluations=6", "--set", "confirm.points=1", "--set", "confirm.seeds=2")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    # The model asks whether somebody has left a word for it: what that is, its runs cannot know.
    desk.write("moody.py", MOODY)
    desk.write("quick.txt", HYPERPARAMETERS)
    for name in ("first", "second"):
        assert desk.search("quick.toml", "--id", name, *SEARCH).returncode == 0
    return desk


HYPERPARAMETERS = """
[Global_Params]
cmp_model_name = 'moody.py'
cmp_0_side = 'left'
cmp_1_side = 'right'
"""
MOODY = """
import ctypes, os, random, time
HERE = os.path.dirname(os.path.abspath(__file__))
def initialize_parameters(): return {"rng_seed": 1, "noise": 0.0, "size": 1, "side": "left"}
def mood():
    # Past Python, and outside the folder that is watched: a training that does not come out again for its own reasons.
    libc, text = ctypes.CDLL(None), ctypes.create_string_buffer(20)
    descriptor = libc.open(os.path.join(HERE, "..", "mood").encode(), 0)
    if descriptor < 0: return "steady"
    libc.read(descriptor, text, 19)
    libc.close(descriptor)
    return text.value.decode().strip()
def run(params):
    loss = 1 + params["noise"] / 100 + params["size"] / 1000 + (params["side"] == "right") / 10
    loss += random.Random(params["rng_seed"]).random() / 10
    changes = {"steady": 0, "other": 0.5, "slight": 1e-6, "unsteady": random.SystemRandom().random() / 100}
    loss += changes[mood()] * loss
    return {"val_loss": [loss + 1, loss], "val_r2": 1 / loss, "clock": time.perf_counter()}
"""


@pytest.fixture
def mood(searched: Desk):
    file = searched.folder.parent / "mood"

    def set_mood(mood: str) -> None:
        file.write_text(mood)

    yield set_mood
    file.unlink(missing_ok=True)


@pytest.fixture
def lines(searched: Desk):
    """Changes the record of `first`; it is as it was afterwards."""
    path = searched.experiments / "first" / "evaluations.jsonl"
    before = path.read_text()

    def change(edit: Callable[[list[dict]], None]) -> None:
        records = sorted(map(json.loads, before.splitlines()), key=lambda record: record["evaluation"])
        edit(records)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))

    yield change
    path.write_text(before)


def verify(desk: Desk, *words: str) -> tuple[int, str]:
    done = desk.run("verify", *words)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_a_record_that_is_right_and_trainings_that_come_out_again(searched: Desk) -> None:
    code, said = verify(searched, "first", "--sample", "all")
    assert code == 0, said
    assert "record of first: 6 pairs, 4 more that confirm, 20 trainings: as it should be" in said
    assert "repeated 20 of 20 trainings, each by a process of its own: 20 gave the same numbers" in said
    told = json.loads(searched.run("verify", "first", "--json", "--sample", "2").stdout)
    assert (told["right"], [each["outcome"] for each in told["repeats"]]) == (True, ["equal", "equal"])


def first_ok(records: list[dict]) -> dict:
    return next(record for record in records if record["status"] == "ok")


def _set(key: str, value: object) -> Callable[[list[dict]], None]:
    return lambda records: first_ok(records).update({key: value})


def _set_run(key: str, value: object) -> Callable[[list[dict]], None]:
    return lambda records: first_ok(records)["runs"][0].update({key: value})


def _move_point(records: list[dict]) -> None:
    first_ok(records)["point"]["noise"] += 1


def _failed(records: list[dict]) -> None:
    record = first_ok(records)
    record["runs"][0].update(status="failed", metrics={}, reason="boom")
    record.update(status="failed", value=None, replicates=[], signed=[], blocks=[], reason="boom")


def _without_a_replicate(records: list[dict]) -> None:
    record = next(record for record in records if len(record["asked"]) > 1)
    record["runs"] = [run for run in record["runs"] if run["replicate"] != record["asked"][0]["replicate"]]


def _of_another_seed(records: list[dict]) -> None:
    runs = next(record for record in records if len(record["asked"]) > 1)["runs"]
    other = next(run for run in runs if run["replicate"] != runs[0]["replicate"] and not run["submodel"])
    runs[0].update(run=other["run"], metrics=other["metrics"])


EDITS = {
    "value is -0.5, but its runs give": _set("value", -0.5),
    "signed is [0.5], but its runs give": _set("signed", [0.5]),
    "status 'failed' with value": _set("status", "failed"),
    "status: must be 'ok', 'failed' or 'timeout'": _set("status", "fine"),
    "val_loss is 9.0, but run": _set_run("metrics", {"val_loss": 9.0}),
    "seed is 99, but its replicate has": _set_run("seed", 99),
    "the result of run 000000000000 is missing": _set_run("run", "0" * 64),
    "noise is": _move_point,
    "evaluation 3: is missing": lambda records: records.pop(3),
    "evaluation 2: stands 2 times": lambda records: records.insert(2, records[2]),
    "which evaluation 0 has asked for already": lambda records: records[1].update(
        point=records[0]["point"], asked=records[0]["asked"]
    ),
    "pairs were asked for, of 6": lambda records: records[0]["asked"].extend(
        {**records[0]["asked"][0], "replicate": number} for number in range(50, 60)
    ),
    "does not say which run of the store it is": _set_run("run", None),
    "is said to have failed, but run": _failed,
    "has 0 of its 2 runs": _without_a_replicate,
    "submodel 0 stands twice": lambda records: records[0]["runs"].append(records[0]["runs"][0]),
    "rng_seed is": _of_another_seed,
    "submodel 5: the experiment has 2": _set_run("submodel", 5),
    "line 1: runs.0.metrics: must be a table of keys and values": _set_run("metrics", None),
    "line 1: value is missing": lambda records: records[0].pop("value"),
    "line 1: it is no object": lambda records: records.__setitem__(0, 7),
    "the search: evaluation 0 was": lambda records: records[0].update(point={"noise": 1.0, "size": 10}),
}


@pytest.mark.parametrize("words", EDITS)
def test_a_line_that_is_wrong_is_named(searched: Desk, lines, words: str) -> None:
    lines(EDITS[words])
    code, said = verify(searched, "first", "--sample", "0")
    assert code == 1
    assert words in said


def test_a_relative_difference_across_zero_of_an_earlier_version_is_named(searched: Desk, lines) -> None:
    """Such a pair had a value once: it is read on, and `verify` says that its runs give none."""

    def edit(records: list[dict]) -> None:
        for record in records:
            for run in record["runs"]:
                run["metrics"]["val_loss"] = (0.3, -0.01)[run["submodel"]]
            record.update(value=-0.31 / 0.3, signed=[-0.31 / 0.3] * len(record["signed"]))

    lines(edit)
    code, said = verify(searched, "first", "--sample", "0")
    assert code == 1
    assert "but its runs give none: 0.3 and -0.01: a relative difference needs metrics that are not negative" in said
    assert "6/6   103 %" in searched.run("list").stdout


@pytest.fixture
def results(searched: Desk):
    """Changes the results of all runs, and the record of `first` alike; they are as they were afterwards."""
    files = [searched.experiments / "first" / "evaluations.jsonl", *searched.experiments.glob("runs/*/*/result.json")]
    before = {file: file.read_text() for file in files}

    def change(edit: Callable[[dict], None]) -> None:
        records = [json.loads(line) for line in before[files[0]].splitlines()]
        for run in (run for record in records for run in record["runs"]):
            edit(run)
        files[0].write_text("".join(json.dumps(record) + "\n" for record in records))
        for file in files[1:]:
            result = json.loads(before[file])
            edit(result)
            file.write_text(json.dumps(result))

    yield change
    for file, text in before.items():
        file.write_text(text)
    for file in [*searched.experiments.glob("*/withdrawn*"), *searched.experiments.glob("runs/*/*/withdrawn*")]:
        file.unlink()


@pytest.mark.parametrize("number", long_but(("an epoch",), ("a metric beside", "an epoch")))
def test_every_number_of_a_training_has_to_come_out_again_but_times(searched: Desk, results, number: str) -> None:
    def edit(run: dict) -> None:
        if number == "a metric beside":
            run["metrics"]["val_r2"] = 0.99
        elif "history" in run:
            run["history"]["val_loss"][0] = 9.0

    results(edit)
    code, said = verify(searched, "first", "--sample", "2")
    name = "val_r2 was 0.99" if number == "a metric beside" else "val_loss of epoch 1 was 9.0"
    assert (code, said.count(f"{name}, but comes out as")) == (1, 2)
    assert said.count("was withdrawn from the store") == 2


@pytest.mark.long
def test_a_line_with_the_run_of_another_has_none_withdrawn(searched: Desk, lines) -> None:
    lines(_of_another_seed)
    code, said = verify(searched, "first", "--sample", "all")
    assert code == 1
    assert "rng_seed is" in said and "gave other numbers" not in said and "withdrawn" not in said


DAMAGES = ('{"status": "ok", "metrics": 5}', '{"status": "ok", "reads": {"more": {}}}', "{")


@pytest.mark.parametrize("damage", long_but(DAMAGES[:1], DAMAGES))
def test_a_damaged_result_is_missing_and_trained_anew(searched: Desk, results, damage: str) -> None:
    results(lambda run: None)
    run = searched.records("first")[0]["runs"][0]["run"]
    (RunStore(searched.experiments).folder_of(run) / "result.json").write_text(damage)
    code, said = verify(searched, "first", "--sample", "0")
    assert (code, f"the result of run {run[:12]} is missing" in said) == (1, True)
    name = f"third-{len(damage)}"
    assert searched.search("quick.toml", "--id", name, *SEARCH).returncode == 0
    trained = [each["run"] for record in searched.records(name) for each in record["runs"] if not each["reused"]]
    assert run in trained


def test_a_record_that_cannot_be_read_and_an_id_that_is_none(searched: Desk) -> None:
    path = searched.experiments / "first" / "evaluations.jsonl"
    before = path.read_text()
    path.write_text("nonsense\n" + before)
    code, said = verify(searched, "first")
    path.write_text(before)
    assert (code, "line 1 is not a record" in said) == (1, True)
    assert verify(searched, "frist")[0] == 2
    refused = "comparator: --sample many: give a number of trainings, or all\n"
    assert verify(searched, "first", "--sample", "many") == (2, refused)


@pytest.mark.long
def test_a_training_that_gives_other_numbers_is_withdrawn_and_named_wherever_it_was_used(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    desk = Desk(tmp_path / "in")
    desk.write("moody.py", MOODY)
    desk.write("quick.txt", HYPERPARAMETERS)
    for name in ("one", "two"):
        assert desk.search("quick.toml", "--id", name, *FEW).returncode == 0
    (tmp_path / "mood").write_text("other")
    code, said = verify(desk, "one", "--sample", "1")
    assert code == 1
    assert "1 gave other numbers" in said
    assert "was withdrawn from the store; used by one, two" in said
    (tmp_path / "mood").unlink()
    code, said = verify(desk, "two", "--sample", "0")
    assert code == 1
    assert "was withdrawn: val_loss was" in said
    assert "withdrawn" in desk.run("list").stdout
    # It is trained again by whoever needs it, and only that one.
    assert desk.search("quick.toml", "--id", "three", *FEW).returncode == 0
    reused = [run["reused"] for record in desk.records("three") for run in record["runs"]]
    assert reused.count(False) == 1


@pytest.mark.long
def test_numbers_of_another_processor_and_of_a_model_without_rest_are_told_apart(searched: Desk, mood) -> None:
    mood("unsteady")
    assert "1 differ as much as the model's own repeats do" in verify(searched, "first", "--sample", "1")[1]
    results = list(searched.experiments.glob("runs/*/*/result.json"))
    here = json.loads(results[0].read_text())["computed_on"]
    words = {
        ("slight", "Another 3000"): "1 differ no more than another seed, as another processor's arithmetic may",
        ("other", "Another 3000"): "1 gave other numbers on another processor, which cannot be judged here",
        ("slight", here): "1 gave other numbers",  # there is no reason to differ
    }
    for (change, processor), said in words.items():
        mood(change)
        for result in results:
            result.write_text(json.dumps({**json.loads(result.read_text()), "computed_on": processor}))
        code, told = verify(searched, "first", "--sample", "1")
        assert said in told
        assert code == (0 if said.startswith("1 differ no more") else 1)
        assert ("was withdrawn" in told) == (processor == here)


@pytest.mark.long
def test_what_has_changed_since_is_not_repeated_and_nothing_is_withdrawn(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write("helper.py", "FACTOR = 1.0\n")
    desk.write("moody.py", "from helper import FACTOR\n" + MOODY.replace("loss = 1 +", "loss = FACTOR +"))
    desk.write("quick.txt", HYPERPARAMETERS)
    assert desk.search("quick.toml", "--id", "one", *FEW).returncode == 0
    desk.write("helper.py", "FACTOR = 2.0\n")
    code, said = verify(desk, "one", "--sample", "2")
    assert code == 1
    assert "2 cannot be repeated" in said
    assert "helper.py has changed since" in said
    assert "withdrawn" not in said
    desk.write("helper.py", "FACTOR = 1.0\n")
    assert verify(desk, "one", "--sample", "2")[0] == 0


@pytest.mark.long
def test_a_withdrawn_run_that_comes_out_again_is_in_use_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    desk = Desk(tmp_path / "in")
    desk.write("moody.py", MOODY)
    desk.write("quick.txt", HYPERPARAMETERS)
    assert desk.search("quick.toml", "--id", "one", *FEW).returncode == 0
    (tmp_path / "mood").write_text("other")
    assert "2 gave other numbers" in verify(desk, "one", "--sample", "2")[1]
    (tmp_path / "mood").unlink()
    said = verify(desk, "one", "--sample", "all")[1]
    assert said.count("comes out as it was recorded, and is in the store again") == 2
    assert verify(desk, "one", "--sample", "0") == (
        0,
        "record of one: 2 pairs, 16 more that confirm, 36 trainings: as it should be\n",
    )


@pytest.mark.parametrize("left", ["", "half", "all but one"])
def test_a_record_that_has_lost_its_end_is_not_as_it_should_be(searched: Desk, lines, left: str) -> None:
    lines(lambda records: records.__delitem__(slice({"": 0, "half": 3, "all but one": -1}[left], None)))
    code, said = verify(searched, "first", "--sample", "0")
    assert code == 1
    # With several workers the line at the end need not be the last evaluation's.
    assert "the record: has no result of" in said or "the record, the space or the package has changed since" in said


@pytest.mark.long
def test_what_cannot_be_repeated_is_not_said_to_be_right(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write("moody.py", MOODY)
    desk.write("quick.txt", HYPERPARAMETERS)
    assert desk.search("quick.toml", "--id", "one", *FEW).returncode == 0
    desk.write("moody.py", MOODY + "\n")
    code, said = verify(desk, "one")
    assert code == 1
    assert "as it should be" in said
    assert "no training was repeated: " in said
    assert "the model has changed since 'one' began" in said


@pytest.mark.long
def test_a_search_that_did_not_wait_for_its_pilot_is_done_again_so(tmp_path: Path) -> None:
    """A line of the search, which all were proposed before any result, may stand before those of the pilot."""
    desk = Desk(tmp_path)
    given = ("pilot=3", "evaluations=22", "population=16")
    settings = [word for each in given for word in ("--set", f"search.{each}")]
    done = desk.search("quick.toml", "--id", "wide", "--workers", "16", *settings, SITE_CORES="16")
    assert done.returncode == 0, done.stderr
    path = desk.experiments / "wide" / "evaluations.jsonl"
    records = path.read_text().splitlines()
    first = next(line for line in records if json.loads(line)["stage"] == "search")
    path.write_text("".join(f"{line}\n" for line in [first, *(line for line in records if line != first)]))
    code, said = verify(desk, "wide", "--sample", "0")
    assert (code, "as it should be" in said) == (0, True), said
