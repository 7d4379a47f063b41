"""What is kept, torn files, names that become folders, and runs that are trained once."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparator.engine.jobs import state_of
from comparator.engine.patience import Patience
from comparator.errors import ComparatorError, InputError
from comparator.formats.names import check_name, check_new_name
from comparator.results import store
from comparator.results.experiments import experiment_path, read_experiment
from comparator.results.form import as_text, of_form
from comparator.results.frozen import FORMAT, FrozenExperiment
from comparator.results.holder import Holder
from comparator.results.lease import Lease
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.run_result import RunResult
from comparator.results.run_store import RunStore
from comparator.results.state import Running, last_word
from comparator.results.store import ExperimentFolder
from comparator.results.tally import pairs_in


@given(st.text(max_size=20))
def test_names_cannot_leave_their_folder(name: str) -> None:
    try:
        accepted = check_name(name, "id")
    except InputError as error:
        assert "id" in str(error)
    else:
        assert accepted == name
        assert Path("experiments", name).parent == Path("experiments")
        assert not name.startswith(".")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../x", "runs", "a b", "a\n", "ä"])
def test_refused_names(name: str) -> None:
    with pytest.raises(InputError, match="may hold letters"):
        check_name(name, "id")


def test_what_a_command_would_take_for_an_option_is_no_name_of_something_new(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="id '-x': must not begin with '-': commands would take it for an option"):
        ExperimentFolder.create(tmp_path, "any", "-x", BARE)
    assert list(tmp_path.iterdir()) == [] and check_name("-x", "id") == "-x", "one that is there is read"


@pytest.mark.parametrize("stem", ["my file", "-x", ".hidden", "änder", "a" * 120, "---", "a-recheck-2-recheck"])
def test_an_experiment_is_called_after_a_file_by_a_name_that_every_command_takes(stem: str, tmp_path: Path) -> None:
    names = []
    for _ in range(2):
        folder = ExperimentFolder.create(tmp_path, stem, None, BARE)
        folder.close()
        names.append(check_new_name(folder.identifier, "id"))
    assert names[0].endswith("-1") and names[1].endswith("-2")


def never(holder: Holder, seconds: float) -> bool:
    raise AssertionError(f"nobody holds it: {holder}")


BARE = FrozenExperiment(id="", models=[])


def record(number: int, **changes: Any) -> Evaluation:
    run = {"submodel": 0, "replicate": 0, "status": "ok", "metrics": {}}
    line = {"evaluation": number, "point": {"x": number}, "runs": [run], "status": "ok", "value": 0.0}
    return Evaluation.model_validate({**line, **changes})


@pytest.fixture
def folder(tmp_path):
    made = ExperimentFolder.create(tmp_path, "try", None, BARE)
    yield made
    made.close()


def test_ids_count_up_and_are_never_taken_twice(tmp_path) -> None:
    names = [ExperimentFolder.create(tmp_path, "try", None, BARE).identifier for _ in range(3)]
    assert names == ["try-1", "try-2", "try-3"]
    ExperimentFolder.create(tmp_path, "try", "mine", BARE)
    with pytest.raises(InputError, match="--resume mine"):
        ExperimentFolder.create(tmp_path, "try", "mine", BARE)


@pytest.mark.parametrize("torn", [b'{"evaluation": 2, "po', b'{"evaluation": 2}', b'"half\n', b"\xff\xfe"])
def test_a_torn_last_line_is_cut_off_on_opening(folder, torn) -> None:
    folder.append(record(0))
    folder.append(record(1))
    folder.close()
    with folder.evaluations.open("ab") as file:
        file.write(torn)
    assert [each.evaluation for each in read_records(folder.evaluations)] == [0, 1]
    again = ExperimentFolder(folder.path)
    again.append(record(2))
    again.close()
    assert [each.evaluation for each in read_records(folder.evaluations)] == [0, 1, 2]
    assert all(json.loads(line) for line in folder.evaluations.read_text().splitlines())


def test_a_damaged_line_in_the_middle_is_said(folder) -> None:
    folder.evaluations.write_text(f"{as_text(record(0))}\nnonsense\n{as_text(record(2))}\n")
    with pytest.raises(ComparatorError, match="line 2"):
        read_records(folder.evaluations)


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000], ids=["lists", "objects"])
def test_what_is_nested_beyond_reason_is_damaged(folder, deep: str) -> None:
    folder.append(record(0))
    for name in ("experiment.json", "state.json"):
        (folder.path / name).write_text(deep)
    with pytest.raises(InputError, match="is not a whole experiment"):
        read_experiment(folder.path)
    assert last_word(folder.path).state == "new"
    with folder.evaluations.open("a") as file:
        file.write(deep + "\n" + folder.evaluations.read_text())
    with pytest.raises(InputError, match="line 2 is not a record; the file was changed or damaged"):
        read_records(folder.evaluations)


@pytest.mark.parametrize("key, value", [("pid", -1), ("pid", 0), ("launch", "../../elsewhere"), ("launch", "a" * 5000)])
def test_a_last_word_that_would_reach_other_processes_or_folders_is_damaged(folder, key: str, value: object) -> None:
    (folder.path / "state.json").write_text(json.dumps({"state": "queued", key: value}))
    assert last_word(folder.path).state == "new"


def test_one_process_runs_an_experiment(folder) -> None:
    with pytest.raises(InputError, match="is being run by process"):
        ExperimentFolder(folder.path)


def test_the_state_of_a_process_that_is_gone_is_corrected(folder) -> None:
    folder.say("running", [Running(evaluation=3)])
    assert state_of(folder.path).state == "running"
    folder.close()
    assert state_of(folder.path).state == "interrupted"


def test_an_unknown_experiment_is_told_the_nearest(folder, tmp_path) -> None:
    folder.freeze(BARE)
    with pytest.raises(InputError, match="did you mean 'try-1'"):
        experiment_path(tmp_path, "tri-1")
    for number in range(2, 13):
        path = tmp_path / f"other-{number}"
        path.mkdir()
        (path / "experiment.json").touch()
    with pytest.raises(InputError, match=r"; there are: try-1, .* and \d more$"):
        experiment_path(tmp_path, "tri-1")


def test_a_folder_that_cannot_be_written(tmp_path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    with pytest.raises(InputError, match="cannot be kept here"):
        ExperimentFolder.create(occupied, "try", None, BARE)


def test_a_full_disk_is_one_line_and_leaves_no_half_line(folder) -> None:
    folder.append(record(0))
    folder._file.close()
    with Path("/dev/full").open("ab", buffering=0) as full:
        folder._file = full
        with pytest.raises(ComparatorError, match="No space left"):
            folder.append(record(1))
    assert len(folder.records) == 1


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
def test_a_record_that_is_no_longer_in_its_place_ends_the_experiment(folder, how: str) -> None:
    folder.append(record(0))
    if how == "moved":
        folder.path.rename(folder.path.with_name("elsewhere"))
    else:
        folder.evaluations.unlink()
    if how == "replaced":
        folder.evaluations.touch()
    with pytest.raises(ComparatorError, match="was removed or moved while it was in use"):
        folder.append(record(1))
    assert how != "moved" or not folder.path.exists()


FROZEN = {
    **{"id": "a", "format": 2, "kind": "cmp", "created": "", "title": "", "models": [{"name": "m"}], "metric": "loss"},
    "settings": {},
}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (FROZEN, None),
        ({**FROZEN, "format": 1}, None),
        ({**FROZEN, "format": FORMAT}, None),
        ({**FROZEN, "format": FORMAT + 1}, f"its format is {FORMAT + 1}, of a later version; this one reads {FORMAT}"),
        ({"id": "a", "models": []}, None),
        ({**FROZEN, "models": 5}, "models: must be a list; the file was changed or damaged"),
        ({}, "id is missing; the file was changed or damaged"),
        ([], "it is no object; the file was changed or damaged"),
    ],
)
def test_a_frozen_experiment_is_read_where_it_is_one(tmp_path, content, words: str | None) -> None:
    (tmp_path / "experiment.json").write_text(json.dumps(content))
    if words is None:
        assert read_experiment(tmp_path).as_json() == content
    else:
        with pytest.raises(InputError) as raised:
            read_experiment(tmp_path)
        assert str(raised.value) == f"{tmp_path}/experiment.json: {words}"


def test_pairs_are_counted_once() -> None:
    first, repeat = record(0), record(1, point={"x": 0})
    runs = [{"submodel": 0, "replicate": number, "status": "ok", "metrics": {}} for number in range(2)]
    more = record(2, point={"x": 0}, runs=runs)
    assert pairs_in([first]) == pairs_in([first, repeat]) == 1
    assert pairs_in([first, repeat, more]) == 2


def test_only_runs_that_ended_well_are_reused(tmp_path) -> None:
    runs = RunStore(tmp_path)
    with runs.claim("abc", "a test", never):
        runs.save("abc", RunResult(status="failed"))
        assert runs.finished("abc") is None
        runs.save("abc", RunResult(status="ok", metrics={}))
    assert runs.finished("abc") == RunResult(status="ok", metrics={})


def test_a_second_claim_waits_and_can_be_cancelled(tmp_path) -> None:
    runs, cancelled = RunStore(tmp_path), threading.Event()
    claimed: list[Lease | None] = []
    patience = Patience("abc", limit=None, stopped=cancelled, say=lambda words: None)

    def claim() -> None:
        with runs.claim("abc", "a test", patience.wait) as held:
            claimed.append(held)

    with runs.claim("abc", "a test", never):
        waiting = threading.Thread(target=claim)
        waiting.start()
        cancelled.set()
        waiting.join(60)
    assert claimed == [None]


def test_an_experiment_is_made_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    def full(path: Path, *_: object) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        ExperimentFolder.create(tmp_path, "try", "mine", BARE)
    assert list(tmp_path.iterdir()) == []


def test_what_an_earlier_start_left_does_not_occupy_an_id(tmp_path) -> None:
    for name in ("mine", "try-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
        (tmp_path / name / "evaluations.jsonl").touch()
    assert ExperimentFolder.create(tmp_path, "try", "mine", BARE).identifier == "mine"
    assert ExperimentFolder.create(tmp_path, "try", None, BARE).identifier == "try-1"


def test_a_folder_of_something_else_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    (tmp_path / "try-1").mkdir()
    (tmp_path / "try-1" / "thesis.txt").touch()
    with pytest.raises(InputError, match="is no experiment; remove it, or give another id"):
        ExperimentFolder.create(tmp_path, "try", "mine", BARE)
    assert ExperimentFolder.create(tmp_path, "try", None, BARE).identifier == "try-2"
    assert (tmp_path / "mine" / "thesis.txt").exists() and (tmp_path / "try-1" / "thesis.txt").exists()


@pytest.mark.long
def test_several_processes_that_begin_at_a_time_get_ids_of_their_own(tmp_path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom comparator.results.store import ExperimentFolder\n"
        "from comparator.results.frozen import FrozenExperiment\n"
        "bare = FrozenExperiment(id='', models=[])\n"
        "print(ExperimentFolder.create(Path(sys.argv[1]), 'try', None, bare).identifier)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert sorted(each.communicate(timeout=300)[0].strip() for each in several) == [f"try-{n}" for n in range(1, 7)]
    assert all(read_experiment(tmp_path / f"try-{n}").id == f"try-{n}" for n in range(1, 7))


def test_who_was_taken_for_dead_records_nothing_more(folder) -> None:
    folder.append(record(0))
    (folder.path / "lease").unlink()
    with pytest.raises(ComparatorError, match="was taken over by another process, which has ended"):
        folder.append(record(1))
    assert [each.evaluation for each in read_records(folder.evaluations)] == [0]
    said = last_word(folder.path)
    folder.say("failed", [], "by whoever was taken for dead")
    folder.close()
    folder.say("failed", [], "closed since")
    assert last_word(folder.path) == said
    assert folder.is_lost


@pytest.mark.parametrize(("mode", "expected"), [(0o2775, 0o775), (0o2770, 0o770), (0o775, 0o700)])
def test_a_group_shares_what_is_made_in_a_folder_with_its_bit_set(tmp_path, mode: int, expected: int) -> None:
    tmp_path.chmod(mode)
    own = os.umask(0o077)
    try:
        made = ExperimentFolder.create(tmp_path, "try", None, BARE)
        made.append(record(0))
    finally:
        os.umask(own)
    made.close()
    assert made.path.stat().st_mode & 0o777 == expected
    assert made.evaluations.stat().st_mode & 0o777 == expected & 0o666


def test_a_line_that_is_ok_has_a_value(folder) -> None:
    line = json.dumps({**record(0).as_json(), "value": None})
    folder.evaluations.write_text(f"{line}\n")
    with pytest.raises(InputError, match=r"line 1: value is null, but status is 'ok'; the file was changed or damaged"):
        read_records(folder.evaluations)


def test_a_folder_in_the_place_of_a_file_is_said(tmp_path) -> None:
    (tmp_path / "experiment.json").mkdir()
    (tmp_path / "evaluations.jsonl").mkdir()
    with pytest.raises(InputError, match=r"experiment.json: cannot be read: Is a directory"):
        read_experiment(tmp_path)
    with pytest.raises(InputError, match=r"evaluations.jsonl: cannot be read: Is a directory"):
        read_records(tmp_path / "evaluations.jsonl")


@pytest.fixture
def syncs(monkeypatch) -> list[int]:
    """The sizes that files had when they were synced."""
    sizes: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return sizes


def test_lines_that_come_together_share_one_sync_before_the_context_ends(folder, syncs) -> None:
    with folder.together():
        with folder.together():
            folder.append(record(0))
        folder.append(record(1))
        assert not syncs
        assert [each.evaluation for each in read_records(folder.evaluations)] == [0, 1]
    assert syncs == [folder.evaluations.stat().st_size]
    with folder.together():
        pass
    assert len(syncs) == 1
    folder.append(record(2))
    assert len(syncs) == 2


def test_lines_are_on_disk_before_what_was_found_by_them(folder, syncs) -> None:
    with folder.together():
        folder.append(record(0))
        folder.freeze(read_experiment(folder.path))
        assert syncs[0] == folder.evaluations.stat().st_size
    assert len(syncs) == 2


def test_what_ends_a_group_by_an_error_leaves_its_lines_on_disk(folder, syncs) -> None:
    with pytest.raises(KeyboardInterrupt), folder.together():
        folder.append(record(0))
        raise KeyboardInterrupt
    assert syncs == [folder.evaluations.stat().st_size]
    assert [each.evaluation for each in read_records(folder.evaluations)] == [0]


def test_a_full_disk_is_one_line_of_what_was_found_too(folder, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "write_whole", full)
    with pytest.raises(ComparatorError, match=r"experiment\.json: cannot be written: No space left"):
        folder.freeze(BARE)


def test_lines_that_cannot_be_synced_are_none(folder, monkeypatch) -> None:
    folder.append(record(0))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ComparatorError, match="No space left"), folder.together():
        folder.append(record(1))
        folder.append(record(2))
    monkeypatch.undo()
    assert folder.records == read_records(folder.evaluations) == [record(0)]
    folder.append(record(3))
    assert folder.records == read_records(folder.evaluations) == [record(0), record(3)]


@given(groups=st.lists(st.lists(st.integers(0, 300), max_size=4), max_size=6), torn=st.binary(max_size=20))
@settings(max_examples=30, deadline=None)
def test_a_record_is_what_was_appended_however_it_was_grouped_and_torn(groups: list[list[int]], torn: bytes) -> None:
    told = [record(n, reason="x" * length) for n, length in enumerate(length for group in groups for length in group)]
    with tempfile.TemporaryDirectory() as name:
        folder = ExperimentFolder.create(Path(name), "try", None, BARE)
        left = iter(told)
        for group in groups:
            with folder.together():
                for _ in group:
                    folder.append(next(left))
        folder.close()
        with folder.evaluations.open("ab") as file:
            file.write(torn.replace(b"\n", b""))
        again = ExperimentFolder(folder.path)
        again.append(record(len(told)))
        again.close()
        assert read_records(folder.evaluations) == again.records == [*told, record(len(told))]


def test_a_process_that_is_killed_in_a_group_loses_no_line(tmp_path) -> None:
    code = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from comparator.results.frozen import FrozenExperiment\n"
        "from comparator.results.record import Evaluation\n"
        "from comparator.results.store import ExperimentFolder\n"
        "folder = ExperimentFolder.create(Path(sys.argv[1]), 'try', 'mine', FrozenExperiment(id='', models=[]))\n"
        "with folder.together():\n"
        "    for number in range(5):\n"
        "        line = {'evaluation': number, 'point': {}, 'status': 'failed', 'value': None, 'runs': []}\n"
        "        folder.append(Evaluation.model_validate(line))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    again = ExperimentFolder(tmp_path / "mine")
    again.close()
    assert [each.evaluation for each in again.records] == list(range(5))


# Where runs lie

ONE, OTHER = "ab12" * 16, "cd34" * 16


def put(folder: Path, status: str = "ok") -> Path:
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(RunResult(status=status).as_json()))
    return folder


def test_a_run_lies_in_the_folder_of_its_first_digits(tmp_path) -> None:
    runs = RunStore(tmp_path)
    with runs.claim(ONE, "a test", never) as held:
        assert held is not None
        assert held.folder == runs.folder_of(ONE) == tmp_path / "runs" / "ab" / ONE
        runs.save(ONE, RunResult(status="ok"))
    assert list(runs.folders()) == [tmp_path / "runs" / "ab" / ONE]
    assert list(RunStore(tmp_path / "nowhere").folders()) == []


def test_a_run_of_an_earlier_version_is_found_where_it_is_and_trained_again_there(tmp_path) -> None:
    runs = RunStore(tmp_path)
    flat = put(tmp_path / "runs" / ONE)
    failed = put(tmp_path / "runs" / OTHER, "failed")
    assert runs.folder_of(ONE) == flat and runs.finished(ONE) is not None
    assert runs.finished(OTHER) is None
    with runs.claim(OTHER, "a test", never) as held:
        assert held is not None and held.folder == failed
        runs.save(OTHER, RunResult(status="ok"))
    assert sorted(runs.folders()) == [flat, failed] and runs.finished(OTHER) is not None


@pytest.mark.parametrize("result", [None, "ok"])
def test_a_run_that_two_versions_have_is_the_one_with_a_result(tmp_path, result: str | None) -> None:
    runs = RunStore(tmp_path)
    flat, place = put(tmp_path / "runs" / ONE), tmp_path / "runs" / "ab" / ONE
    place.mkdir(parents=True) if result is None else put(place, result)
    assert runs.folder_of(ONE) == (flat if result is None else place)
    assert runs.finished(ONE) is not None


def test_what_is_withdrawn_of_an_earlier_version_comes_back_there(tmp_path) -> None:
    runs = RunStore(tmp_path)
    flat = put(tmp_path / "runs" / ONE)
    runs.withdraw(ONE, "a test")
    assert runs.finished(ONE) is None and runs.withdrawn(ONE) is not None
    assert sorted(path.name for path in flat.iterdir()) == ["withdrawn.json"]
    runs.restore(ONE)
    assert runs.finished(ONE) is not None and not (tmp_path / "runs" / "ab").exists()


@given(name=st.text(max_size=12) | st.from_regex(r"[\w.-]{1,8}", fullmatch=True))
def test_names_of_runs_lead_nowhere_else(name: str) -> None:
    folder = RunStore(Path("experiments")).folder_of(name)
    if folder is not None:
        assert folder.name == name and ".." not in folder.parts
        assert folder.parent.parent == Path("experiments", "runs")


def test_a_claim_makes_no_folder_of_all_experiments_that_is_gone(tmp_path) -> None:
    runs = RunStore(tmp_path / "gone")
    with pytest.raises(FileNotFoundError), runs.claim(ONE, "a test", never):
        pass
    assert not (tmp_path / "gone").exists()


def test_the_result_of_a_training_that_took_time_is_synced_and_one_of_no_length_is_not(tmp_path, syncs) -> None:
    runs = RunStore(tmp_path)
    for identity, seconds, synced in ((ONE, 0.01, 0), (OTHER, 1.5, 1)):
        with runs.claim(identity, "a test", never):
            runs.save(identity, RunResult(status="ok", seconds=seconds))
        assert len(syncs) == synced
        assert runs.finished(identity) == RunResult(status="ok", seconds=seconds)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_a_power_failure_may_leave_of_a_result_is_none(data: st.DataObject) -> None:
    """A file system gives the beginning of a file that was not synced, or zeros in the place of parts of it."""
    history = {"val_loss": [0.5 + n / 7 for n in range(600)]}
    whole = json.dumps(RunResult(status="ok", metrics={"val_loss": 0.5}, history=history).as_json()).encode() + b"\n"
    end = data.draw(st.integers(0, len(whole) - 2))
    lost = data.draw(st.integers(0, len(whole) // 512))
    zeros = whole[: 512 * lost] + bytes(len(whole[512 * lost : 512 * lost + 512])) + whole[512 * lost + 512 :]
    with tempfile.TemporaryDirectory() as name:
        runs = RunStore(Path(name))
        with runs.claim(ONE, "a test", never) as held:
            assert held is not None
            for left in (whole[:end], zeros):
                (held.folder / "result.json").write_bytes(left)
                assert runs.finished(ONE) is None
            (held.folder / "result.json").write_bytes(whole)
            assert runs.finished(ONE) is not None


def test_a_process_that_is_killed_loses_no_result(tmp_path) -> None:
    code = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from comparator.results.run_result import RunResult\n"
        "from comparator.results.run_store import RunStore\n"
        "runs = RunStore(Path(sys.argv[1]))\n"
        "for identity in sys.argv[2:]:\n"
        "    with runs.claim(identity, 'a test', lambda *_: False):\n"
        "        runs.save(identity, RunResult(status='ok', seconds=0.01))\n"
        "with runs.claim('ef' * 32, 'a test', lambda *_: False):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), ONE, OTHER], check=False)
    assert done.returncode == -signal.SIGKILL
    runs = RunStore(tmp_path)
    assert runs.finished(ONE) == runs.finished(OTHER) == RunResult(status="ok", seconds=0.01)
    with runs.claim("ef" * 32, "a test", never) as held:
        assert held is not None and runs.finished("ef" * 32) is None


LINE = as_text(record(7, point={"x": [1, "\ud800", None], "y": 1e300}, reason="é", more={"deep": [[1]]})).encode()


@given(
    st.integers(0, len(LINE) - 1),
    st.sampled_from([b"", b"1", b'"', b"}", b"null", b"NaN", b"\xff", b"-1e999", b"\\ud83d"]),
)
@settings(max_examples=200, deadline=None)
def test_a_line_is_read_as_its_json_and_its_form_say(at: int, put_in: bytes) -> None:
    line = LINE[:at] + put_in + LINE[at + 1 :] + b"\n"
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "evaluations.jsonl")
        file.write_bytes(line + LINE + b"\n")
        try:
            expected: Any = of_form(Evaluation, json.loads(line), f"{file}: line 1")
        except InputError as error:
            expected = str(error)
        except ValueError:
            expected = f"{file}: line 1 is not a record; the file was changed or damaged"
        try:
            found: Any = read_records(file)[0]
        except InputError as error:
            found = str(error)
        assert found == expected
        if isinstance(found, Evaluation):
            assert found.as_json() == expected.as_json()
