"""A run's identity holds what is said of it: hyperparameters and files that they name, descriptions, data, code."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cases import long_but
from identities import ROOT, Store

from comparator.engine.run_identity import telling_hyperparameters
from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.experiment_file import read_settings
from comparator.experiment.freezing import make_plan
from comparator.experiment.reopening import reopen_plan
from comparator.model.data import data_of, has_changed
from comparator.model.fingerprint import Recent, content_of, tree_of
from comparator.model.image import image_state
from comparator.model.inputs import source_change
from comparator.model.references import find_model
from comparator.results.form import of_form
from comparator.results.frozen import Submodel, WholeExperiment
from comparator.site.profile import read_site

READS_DATA = 'import os\ndef run(p): return float(open(os.environ["CANDLE_DATA_DIR"] + "/loss.txt").read())\n'


@pytest.mark.parametrize(
    ("name", "value", "counts"),
    [
        *[(name, value, True) for name, value in (("timeout", 2), ("output", "linear/tanh"), ("output", "softmax.v2"))],
        *[("save", value, value is True) for value in (True, "./runs/1", "/scratch/me", "~/me", "weights.h5")],
        *[(name, "me/1", False) for name in ("save_path", "output_dir", "logfile", "verbose")],
    ],
)
def test_a_hyperparameter_is_where_a_run_writes_only_where_it_can_be_nothing_else(name, value, counts) -> None:
    told = telling_hyperparameters(Submodel(), {name: value})
    assert told == ({name: value} if counts else {})


@pytest.mark.long
@pytest.mark.parametrize("text", ["pre={}", "{}:/another", "pre={},post=/none"])
def test_paths_between_signs_count(store: Store, text: str) -> None:
    store.write("model/model.toml", "reads = []\n")
    store.write("model/train.sh", '#!/bin/sh\necho "IMPROVE_RESULT val_loss: $(cat "$(dirname "$0")/../it")"\n', 0o755)
    store.write("it", "1")
    weights = text.format(store.folder / "it")
    assert (
        store.loss("model", reused=False, weights=weights) == store.loss("model", reused=True, weights=weights) == 1.0
    )
    store.write("it", "2")
    assert store.loss("model", reused=False, weights=weights) == 2.0


@pytest.mark.parametrize("name", long_but(("log",), ("output", "log", "save", "timeout")))
def test_a_varied_hyperparameter_counts_whatever_its_name(store: Store, name: str) -> None:
    store.write("a.py", f"def run(p): return float(len(str(p['{name}'])))\n")
    assert [store.loss("a.py", reused=False, **{name: value}) for value in ("a", "bb")] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('reads = ["los.txt"]', "reads: 'los.txt': there is none in"),
        ('code = ["../no"]', "code: '../no': there is no"),
        ('data_manifest = "m.json"', "data_manifest: 'm.json': there is none in"),
    ],
)
def test_what_a_description_names_has_to_be_there(store: Store, line: str, words: str) -> None:
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", line + "\n")
    with pytest.raises(InputError, match=words):
        store.plan("model")


@pytest.mark.long
def test_paths_within_texts_below_the_home_and_by_patterns_count(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(store.folder))
    monkeypatch.setenv("MINE", str(store.folder))
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", "reads = []\n")
    for number, value in enumerate(["~/loss", "$MINE/loss", f"x,{store.folder}/loss", f"{store.folder}/lo*"]):
        store.write("loss", f"{number}")
        store.loss("model", reused=False, value=value)
        store.loss("model", reused=True, value=value)
        store.write("loss", f"{number} other")
        store.loss("model", reused=False, value=value)
    store.loss("model", reused=False, value="/")


@pytest.mark.parametrize("kind", long_but(("script",), ("script", "module")))
def test_a_number_without_a_name_is_that_of_whatever_is_asked_for(store: Store, kind: str) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", "reads = []\n")
    name = "model" if kind == "script" else "a.py"
    assert store.loss(name, reused=False) == 1.0
    store.metric = "rmse"
    assert store.loss(name, reused=True) == 1.0


def test_where_the_whole_cannot_be_told_nothing_is_reused_and_it_is_said(store: Store) -> None:
    store.write("a.py", "import subprocess\ndef run(p): return float(subprocess.check_output(['cat', p['file']]))\n")
    outside = str(store.write("loss", "1"))
    store.write("model.toml", "")
    assert store.loss("a.py", reused=False, file=outside) == 1.0
    again = store.train("a.py", file=outside)
    assert not again["reused"]
    assert again["no_reuse"].startswith("what it read by cat cannot be seen; reads = [...] in ")
    assert again["no_reuse"].endswith("a.toml says it")


@pytest.mark.long
def test_a_script_serves_its_own_experiment_until_its_author_says_what_it_reads(store: Store) -> None:
    store.write("model/train.sh", f"#!/bin/sh\necho IMPROVE_RESULT $(cat {store.folder}/loss)\n", 0o755)
    store.write("loss", "1")
    assert any("are not re-used by other experiments" in notice for notice in store.plan("model").frozen.notices)
    assert store.loss("model", reused=False) == 1.0
    store.write("loss", "2")
    assert store.loss("model", reused=False) == 2.0
    store.write("model/model.toml", 'reads = []\ncode = ["../loss"]\n')
    assert not store.plan("model").frozen.notices[1:]
    assert store.loss("model", reused=False) == 2.0
    assert store.loss("model", reused=True) == 2.0
    store.write("loss", "3")
    assert store.loss("model", reused=False) == 3.0


@pytest.mark.parametrize("kind", ["script", "module"])
def test_the_data_folder_counts_where_nothing_is_said_of_it(store: Store, kind: str) -> None:
    """Also with a file of the same size and time; and what CANDLE's library writes there does not."""
    name = "model" if kind == "script" else "a.py"
    store.write("a.py", READS_DATA)
    store.write("model/train.sh", '#!/bin/sh\necho IMPROVE_RESULT $(cat "$2/loss.txt")\n', 0o755)
    store.write("data/loss.txt", "1")
    os.utime(store.data / "loss.txt", (1, 1))
    assert store.loss(name, reused=False) == 1.0
    store.write("data/Uno/Output/EXP000/RUN000/model.log", "x")
    assert store.loss(name, reused=kind == "module") == 1.0
    store.write("data/loss.txt", "2")
    os.utime(store.data / "loss.txt", (1, 1))
    assert store.loss(name, reused=False) == 2.0


def test_a_model_can_say_which_part_of_the_data_folder_it_reads(store: Store) -> None:
    store.write("model/model.toml", 'module = "m"\nreads = ["loss.txt"]\n')
    store.write("model/m.py", READS_DATA)
    store.write("data/loss.txt", "1")
    assert store.loss("model", reused=False) == 1.0
    store.write("data/other.txt", "1")
    assert store.loss("model", reused=True) == 1.0
    store.write("data/loss.txt", "2")
    assert store.loss("model", reused=False) == 2.0


@pytest.mark.long
def test_a_model_that_reads_more_than_it_says_is_found_out(store: Store) -> None:
    store.write("model/model.toml", 'module = "m"\nreads = []\n')
    store.write("model/m.py", READS_DATA)
    store.write("data/loss.txt", "1")
    assert store.loss("model", reused=False) == 1.0
    store.write("data/loss.txt", "2")
    assert store.loss("model", reused=False) == 2.0


def test_files_and_folders_that_hyperparameters_name_count_but_not_where_a_run_writes(store: Store) -> None:
    adds = "def run(p): return sum(float(open(each).read()) for each in glob.glob(p['parts'] + '/*'))\n"
    store.write("a.py", f"import glob\n{adds}")
    store.write("parts/one", "1")
    names = {"parts": str(store.folder / "parts"), "logfile": str(store.folder / "log")}
    assert store.loss("a.py", reused=False, **names) == 1.0
    store.write("log", "grows")
    assert store.loss("a.py", reused=True, **names) == 1.0
    store.write("parts/two", "1")
    assert store.loss("a.py", reused=False, **names) == 2.0


def test_the_file_that_changed_is_named_wherever_a_models_code_is(store: Store) -> None:
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", 'code = ["../elsewhere"]\nreads = []\n')
    store.write("elsewhere/helper.py", "1")
    plan = store.plan("model")
    helper = store.write("elsewhere/helper.py", "2")
    os.utime(helper, ns=(time.time_ns() + 10**9,) * 2)
    model = find_model("model", store.folder, store.folder, "test")
    words = source_change(model, plan.frozen.models[0])
    assert words == f"{model.path}: the model has changed (last: {helper})"
    helper.write_text("1")  # as a checkout does: later, and the same
    os.utime(helper, ns=(time.time_ns() + 2 * 10**9,) * 2)
    assert source_change(model, plan.frozen.models[0]) is None


def test_code_that_our_models_import_from_us_counts() -> None:
    for name in ("uno", "lgbm", "graphdrp"):
        description = find_model(name, ROOT, ROOT / "containers", "test").description
        imported = [ROOT / "containers" / name / path for path in description.code]
        assert all(path.is_file() for path in imported)
        formats, tables = {"expressions", "hyperparameters", "python_source", "spelling", "text"}, {"joins", "reading"}
        assert {path.stem for path in imported} == {"__init__", "errors", *formats, *tables}


def test_a_copy_with_another_helper_is_another_model_and_an_equal_one_is_refused_where_it_is_one(store: Store) -> None:
    for name, loss in (("one", 1), ("two", 2)):
        store.write(f"{name}/adapter.py", "from helper import LOSS\ndef run(p): return LOSS\n")
        store.write(f"{name}/helper.py", f"LOSS = {loss}.0\n")
    assert [store.loss(f"{name}/adapter.py", reused=False) for name in ("one", "two")] == [1.0, 2.0]
    for name in ("three", "four"):
        store.write(f"{name}/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
        store.write(f"{name}/model.toml", "reads = []\n")
    store.write("pair.txt", "[Global_Params]\ncmp_0_model_name = 'three'\ncmp_1_model_name = 'four'\n")
    file = store.write("pair.toml", 'model = "cmp"\nhyperparameters = "pair.txt"\nupf = "upf.txt"\n')
    store.write("upf.txt", '{"id": "a"}\n')
    with pytest.raises(InputError, match=r"three and .*four are one model"):
        make_plan(read_settings(file, []), Context(file, store.host(), "test"))


def test_data_that_come_later_are_no_change_of_those_that_were_there(store: Store) -> None:
    store.write("a.py", READS_DATA)
    store.write("data/loss.txt", "1")
    model = find_model("a.py", store.folder, ROOT, "test")
    data = data_of(model, store.data)
    store.write("data/cache", "x")
    os.utime(store.data / "cache", ns=(data.until + 10**9, data.until + 10**9))
    assert has_changed(model, store.data, data.digest, data.until) is None
    store.write("data/loss.txt", "2")
    os.utime(store.data / "loss.txt", ns=(data.until + 2 * 10**9, data.until + 2 * 10**9))
    assert str(store.data / "loss.txt") in has_changed(model, store.data, data.digest, data.until)


def test_an_experiment_of_the_first_format_is_reopened_and_refused_where_its_model_changed(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    plan = store.plan("a.py")
    site = replace(read_site("local", ROOT), data_folder=store.data)
    from comparator.experiment import earlier_format

    [submodel] = plan.frozen.models
    identity = earlier_format._identity(plan.models[0])
    old = submodel.model_dump(exclude={"data_until", "untold", "numbers"})
    content = {**plan.frozen.as_json(), "id": "old", "format": 1}
    content["models"] = [{**old, "identity": identity, "data": None}]
    del content["difference_code"]
    frozen = of_form(WholeExperiment, content, "experiment.json")
    assert reopen_plan(frozen, root=ROOT, site=site).frozen.models[0].identity == submodel.identity
    store.write("a.py", "def run(p): return 2.0\n")
    with pytest.raises(InputError, match="the model has changed since 'old' began"):
        reopen_plan(frozen, root=ROOT, site=site)


def test_an_image_in_a_folder_has_changed_where_a_file_deep_in_it_has(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/a").write_text("1")
    before = image_state(tmp_path)
    (tmp_path / "usr/lib/a").write_text("22")
    assert image_state(tmp_path) != before


def test_a_tree_is_told_up_to_a_number_of_files_through_links_and_without_experiments(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("1")
    (tmp_path / "real/loop").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    before = tree_of([("", tmp_path)])
    (tmp_path / "mine-1").mkdir()
    (tmp_path / "mine-1/experiment.json").write_text("{}")
    for run in ("a" * 64, "bb/" + "b" * 64):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "model.log").write_text("x")
    assert tree_of([("", tmp_path)]) == before
    (tmp_path / "real/file").write_text("2")
    assert tree_of([("", tmp_path)]).digest != before.digest
    few = tree_of([("", tmp_path)], limit=1)
    assert (few.digest, few.unknown) == (None, f"{tmp_path} holds more than 1 files")


def test_a_large_file_is_hashed_once_and_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * (3 << 20))
    os.utime(file, (1, 1))
    monkeypatch.setattr("comparator.model.fingerprint.CLOCK_TICK_SECONDS", 0)
    first = content_of(file)
    monkeypatch.setattr("comparator.model.fingerprint.PIECE_BYTES", 0)  # reads nothing any more
    assert content_of(file) == first
    os.utime(file, (2, 2))
    assert content_of(file) != first


def test_a_measurement_is_repeated_as_often_as_it_can_be_afforded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, taken = [0.0], []
    monkeypatch.setattr("comparator.model.fingerprint.time.monotonic", lambda: clock[0])

    def measure() -> int:
        clock[0] += 0.1
        taken.append(clock[0])
        return len(taken)

    recent = Recent(measure)
    assert recent() == recent() == 1
    clock[0] = 2.09
    assert recent() == 1
    clock[0] = 2.11
    assert recent() == 2


def test_an_experiment_whose_settings_are_damaged_is_refused_in_a_line(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    plan = store.plan("a.py")
    content = {**plan.frozen.as_json(), "id": "mine"}
    content["settings"] = {**content["settings"], "search": {**content["settings"]["search"], "evaluations": "many"}}
    frozen = of_form(WholeExperiment, content, "experiment.json")
    words = r"experiment.json of 'mine': settings: search.evaluations: .*; the file was changed or damaged"
    with pytest.raises(InputError, match=words):
        reopen_plan(frozen, root=ROOT, site=replace(read_site("local", ROOT), data_folder=store.data))


def test_what_an_earlier_version_passed_over_in_the_settings_of_a_single_model_keeps_none_closed(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    plan = store.plan("a.py")
    content = {**plan.frozen.as_json(), "id": "mine"}
    content["settings"] = {**content["settings"], "cmp": {"difference": "absolute", "labels": ["A", "B"]}}
    frozen = of_form(WholeExperiment, content, "experiment.json")
    site = replace(read_site("local", ROOT), data_folder=store.data)
    assert reopen_plan(frozen, root=ROOT, site=site).frozen == frozen
