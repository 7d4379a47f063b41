"""An experiment in one file: what is in it, that it is an RO-Crate, and that it opens elsewhere as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import genetic, make_experiment, make_record, save, with_histories

from comparator.errors import InputError
from comparator.results.experiments import read_experiment
from comparator.results.notes import Notes, read_notes, write_notes
from comparator.results.run_result import RunResult
from comparator.results.run_store import RunStore
from comparator.sharing import opening
from comparator.sharing.archive import Archive
from comparator.sharing.bundle import write_bundle
from comparator.sharing.crate import METADATA, is_safe
from comparator.sharing.opening import is_bundle

FEW = ("--set", "search.evaluations=6", "--set", "confirm.points=0", "--workers", "1")


def open_bundle(path: Path, experiments: Path, identifier: str | None = None) -> opening.Opened:
    return opening.open_bundle(path, experiments, identifier, containers=experiments.parent / "containers")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    assert desk.run("search", "quick.toml", "--id", "one", *FEW).returncode == 0
    return desk


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """An experiment that was never carried out, with a report of its own."""
    experiments = tmp_path / "here"
    folder = save(experiments / "cmp-ga-3", make_experiment(), with_histories(experiments, genetic(4, failed=())))
    (folder / "report.html").write_text("<p>a report</p>")
    return folder


@pytest.fixture
def bundle(recorded: Path, tmp_path: Path) -> Path:
    return write_bundle(recorded, tmp_path / "bundle.zip").path


def metadata_of(bundle: Path) -> dict[str, Any]:
    with zipfile.ZipFile(bundle) as archive:
        return json.loads(archive.read(METADATA))


def changed(bundle: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same bundle with other contents."""
    with zipfile.ZipFile(bundle) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    path = bundle.with_name("changed.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def refused(path: Path, experiments: Path) -> str:
    """What is said of a file that is no bundle; that nothing is left of it is seen too."""
    with pytest.raises(InputError) as error:
        open_bundle(path, experiments)
    assert not [each for each in experiments.rglob("*") if each.is_file()]
    said = str(error.value)
    assert "\n" not in said and str(path) in said and ".unfinished" not in said
    return said


# What is in it


def test_it_is_an_ro_crate_by_the_letter_of_its_specification(recorded: Path, tmp_path: Path) -> None:
    write_notes(recorded, Notes(tags=("paper",)))
    bundle = write_bundle(recorded, tmp_path, licence="CC-BY-4.0").path
    content = metadata_of(bundle)
    assert content["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {each["@id"]: each for each in content["@graph"]}
    assert len(entities) == len(content["@graph"]) and all("@type" in each for each in entities.values())
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork" and descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset" and root["name"] and root["description"]
    assert datetime.fromisoformat(root["datePublished"].replace("Z", "+00:00")).tzinfo is not None
    assert entities[root["license"]["@id"]]["@type"] == "CreativeWork"
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist()) - {METADATA}
        assert {part["@id"] for part in root["hasPart"]} == names
        for name in names:
            file = entities[name]
            assert (file["@type"], file["contentSize"]) == ("File", str(archive.getinfo(name).file_size))
            assert file["sha256"] == hashlib.sha256(archive.read(name)).hexdigest() and "/" in file["encodingFormat"]
    action = entities["#search"]
    assert action["@type"] == "CreateAction" and root["mentions"] == {"@id": "#search"}
    assert entities[action["instrument"]["@id"]]["@type"] == "SoftwareApplication"
    for key in ("object", "result"):
        assert action[key] and all(each["@id"] in entities for each in action[key])
    assert "agent" not in action


@pytest.mark.long
def test_it_has_the_record_the_page_the_inputs_the_runs_and_the_surroundings(searched: Desk, tmp_path: Path) -> None:
    bundle = write_bundle(searched.experiments / "one", tmp_path).path
    assert bundle == tmp_path / "one.zip" and is_bundle(bundle)
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read("environment.json"))["python"]
        assert archive.read("inputs/quick.toml") == (searched.folder / "quick.toml").read_bytes()
        space = json.loads(archive.read("inputs/frozen/space.json"))
    assert [each["name"] for each in space] == ["noise", "size"]
    assert {f"experiment/{name}" for name in ("experiment.json", "evaluations.jsonl", "report.html")} <= names
    runs = {run["run"] for record in searched.records("one") for run in record["runs"]}
    assert {f"runs/{run[:2]}/{run}/{name}" for run in runs for name in ("result.json", "model.log")} <= names
    assert not [name for name in names if name.endswith(("lock", "lease"))]
    entities = {each["@id"]: each for each in metadata_of(bundle)["@graph"]}
    assert entities["#comparator"]["softwareVersion"] and entities["#search"]["endTime"]
    assert entities["#search"]["actionStatus"] == {"@id": "http://schema.org/CompletedActionStatus"}


def test_of_a_long_log_the_end_is_taken_and_none_where_none_is_asked_for(searched: Desk, tmp_path: Path) -> None:
    log = next(searched.experiments.glob("runs/*/*/model.log"))
    name = log.relative_to(searched.experiments).as_posix()
    with zipfile.ZipFile(write_bundle(searched.experiments / "one", tmp_path, log_bytes=100).path) as archive:
        assert archive.read(name) == log.read_bytes()[-100:]
        described = {each["@id"]: each for each in json.loads(archive.read(METADATA))["@graph"]}[name]
        assert f"{log.stat().st_size - 100} before them are left out" in described["description"]
    with zipfile.ZipFile(write_bundle(searched.experiments / "one", tmp_path, log_bytes=0).path) as archive:
        assert not [each for each in archive.namelist() if each.endswith(".log")]


def test_a_torn_last_line_is_left_out(recorded: Path, tmp_path: Path) -> None:
    with (recorded / "evaluations.jsonl").open("a") as file:
        file.write('{"evaluation": 4, "poi')
    (recorded / "report.html").write_text("<p>a report</p>")
    opened = open_bundle(write_bundle(recorded, tmp_path).path, tmp_path / "there")
    assert len((opened.folder / "evaluations.jsonl").read_text().splitlines()) == 4


def test_a_damaged_record_is_named_where_it_lies(recorded: Path, tmp_path: Path) -> None:
    record = recorded / "evaluations.jsonl"
    record.write_text(record.read_text().replace('"runs"', '"run"', 1))
    with pytest.raises(InputError) as raised:
        write_bundle(recorded, tmp_path)
    assert str(raised.value).startswith(f"{record}: line 1: runs is missing")


@pytest.mark.long
def test_the_length_of_an_experiment_does_not_matter(tmp_path: Path) -> None:
    folder = save(tmp_path / "here" / "large", make_experiment(), [])
    metrics = {"val_loss": 0.1}
    line = json.dumps(make_record(0, {"noise": 1.0}, (metrics, metrics))) + "\n"
    with (folder / "evaluations.jsonl").open("w") as file:
        file.writelines(line for _ in range(20_000))
    (folder / "report.html").write_text("<p>a report</p>")
    tracemalloc.start()
    write_bundle(folder, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000 < (folder / "evaluations.jsonl").stat().st_size


def test_where_it_cannot_be_put_is_said_in_a_line(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        write_bundle(recorded, tmp_path / "nowhere" / "a.zip")
    with pytest.raises(InputError, match="give its SPDX name"):
        write_bundle(recorded, tmp_path, licence="all mine")
    assert not list(tmp_path.glob("*.zip")) and not list(tmp_path.glob(".*.tmp"))


# Opening it


@pytest.mark.long
def test_elsewhere_it_is_the_same_experiment_whose_trainings_are_found(searched: Desk, tmp_path: Path) -> None:
    searched.run("note", "one", "as sent", "--tag", "paper")
    bundle = write_bundle(searched.experiments / "one", tmp_path).path
    there = Desk(tmp_path)
    done = there.run("import", str(bundle))
    assert "experiment one; trainings: 12 came, 0 were here; report: " in done.stdout, done.stderr
    mine, theirs = searched.experiments / "one", there.experiments / "one"
    for name in ("evaluations.jsonl", "evaluations.csv"):
        assert (theirs / name).read_bytes() == (mine / name).read_bytes(), name
    frozen = json.loads((theirs / "experiment.json").read_text())
    assert frozen["provenance"].pop("opened") == f"comparator import {bundle}"
    assert frozen == json.loads((mine / "experiment.json").read_text())
    # What was typed elsewhere names files and folders that are not here.
    page = (theirs / "report.html").read_text()
    assert "comparator search" not in page and "comparator report one" in page
    assert f"the files that it was made from are in {bundle}, in inputs/" in " ".join(
        (done.stdout + done.stderr).split()
    )
    assert read_notes(theirs) == Notes(tags=("paper",), text="as sent")
    verified = there.run("verify", "one", "--sample", "2")
    assert verified.returncode == 0 and "as it should be" in verified.stdout, verified.stdout
    again = there.run("search", str(searched.folder / "quick.toml"), "--id", "again", "--no-report", *FEW)
    assert "trainings: 0 done, 12 found in the store" in again.stdout


@pytest.mark.long
def test_one_that_was_stopped_goes_on_where_it_was_left(searched: Desk, tmp_path: Path) -> None:
    stopped = tmp_path / "here" / "one"
    shutil.copytree(searched.experiments, stopped.parent)
    lines = (stopped / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (stopped / "evaluations.jsonl").write_text("".join(lines[:4]))
    (stopped / "state.json").write_text('{"state": "stopped"}')
    there = Desk(tmp_path)
    assert there.run("import", str(write_bundle(stopped, tmp_path).path)).returncode == 0
    assert json.loads(there.run("list", "--json").stdout)[0]["state"] == "stopped"
    gone_on = there.search("--resume", "one")
    assert gone_on.returncode == 0, gone_on.stderr
    records = there.records("one")
    assert [json.dumps(record) + "\n" for record in records[:4]] == lines[:4] and len(records) == 6
    # The other two were not of the bundle, and are trained now.
    assert "trainings: 12 done" in gone_on.stdout


def test_one_that_is_here_stays_and_another_of_its_name_is_refused(bundle: Path, recorded: Path) -> None:
    experiments = recorded.parent
    assert not open_bundle(bundle, experiments).is_new
    with (recorded / "evaluations.jsonl").open("a") as file:
        file.write(json.dumps(genetic(5, failed=())[4]) + "\n")
    with pytest.raises(InputError, match=r"this very experiment at another stage, as 'cmp-ga-3' .* '--as NAME'"):
        open_bundle(bundle, experiments)
    save(recorded, make_experiment(created="2026-11-24T00:00:00.000Z"), [])
    with pytest.raises(InputError, match=r"there is another experiment 'cmp-ga-3' .* '--as NAME'"):
        open_bundle(bundle, experiments)
    opened = open_bundle(bundle, experiments, "theirs")
    assert opened.is_new and read_experiment(opened.folder).id == opened.folder.name == "theirs"
    assert (opened.came, opened.here) == (0, 8)
    with pytest.raises(InputError, match="may hold letters"):
        open_bundle(bundle, experiments, "../theirs")


def test_trainings_beside_the_evaluations_are_told_apart(recorded: Path, tmp_path: Path) -> None:
    experiment = json.loads((recorded / "experiment.json").read_text())
    runs = [
        {"submodel": each, "replicate": 0, "status": "ok", "metrics": {"val_loss": 1.0}, "run": f"beside{each}"}
        for each in (0, 1)
    ]
    experiment["probes"] = [{"evaluation": -2, "status": "ok", "runs": runs}]
    (recorded / "experiment.json").write_text(json.dumps(experiment))
    (tmp_path / "there").mkdir()
    assert open_bundle(write_bundle(recorded, tmp_path).path, tmp_path / "there").beside == 2


def test_a_run_that_is_here_with_other_numbers_stays_and_is_named(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    store = RunStore(tmp_path / "there")
    with store.claim("3f9c00", "a test", lambda holder, seconds: False):
        store.save("3f9c00", RunResult(status="ok", metrics={"val_loss": 7.0}))
    opened = open_bundle(bundle, tmp_path / "there")
    assert (opened.came, opened.here) == (7, 1) and "run 3f9c00 is here with other numbers" in opened.remarks[0]
    result = store.finished("3f9c00")
    assert result is not None and result.metrics == {"val_loss": 7.0}


def test_models_are_found_in_the_containers_of_another_checkout(recorded: Path, tmp_path: Path) -> None:
    models = [{**each, "path": "/elsewhere/containers/uno"} for each in make_experiment()["models"]]
    save(recorded, make_experiment(models=models), genetic(4, failed=()))
    (recorded / "report.html").write_text("<p>a report</p>")
    bundle = write_bundle(recorded, tmp_path).path
    missing = open_bundle(bundle, tmp_path / "there")
    (remark,) = missing.remarks  # once, though both submodels are of it
    assert "the model /elsewhere/containers/uno is not here" in remark
    (tmp_path / "other" / "containers" / "uno").mkdir(parents=True)
    found = open_bundle(bundle, tmp_path / "other" / "experiments")
    assert not found.remarks
    assert {each.path for each in read_experiment(found.folder).models} == {str(tmp_path / "other/containers/uno")}
    assert not open_bundle(bundle, tmp_path / "other" / "experiments").is_new


# Files that are no bundle, or not one any more


def test_what_is_no_bundle_is_a_line(tmp_path: Path) -> None:
    there = tmp_path / "there"
    (tmp_path / "none.zip").write_bytes(b"PK\x03\x04 and no more")
    assert "damaged" in refused(tmp_path / "none.zip", there)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    assert "is no bundle of an experiment" in refused(tmp_path / "other.zip", there)
    assert "no such file" in refused(tmp_path / "missing.zip", there)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("experiment/evaluations.jsonl", "is not as it was when the bundle was made"),
        ("runs/3f9c00/result.json", "is not as it was when the bundle was made"),
        (METADATA, "is no RO-Crate's"),
    ],
)
def test_what_was_changed_is_named(bundle: Path, tmp_path: Path, name: str, words: str) -> None:
    path = changed(bundle, lambda contents: contents.update({name: contents[name][:-9] + b" "}))
    said = refused(path, tmp_path / "there")
    assert name in said and words in said


def test_what_is_missing_is_named(bundle: Path, tmp_path: Path) -> None:
    for name in ("experiment/experiment.json", "experiment/evaluations.jsonl", METADATA):
        assert name in refused(changed(bundle, lambda contents: contents.pop(name)), tmp_path / "there")  # noqa: B023


def test_a_record_that_is_none_is_refused_by_its_own_words(bundle: Path, tmp_path: Path) -> None:
    def rewrite(contents: dict[str, bytes]) -> None:
        name, content = "experiment/evaluations.jsonl", b'{"evaluation": -1}\n'
        old = hashlib.sha256(contents[name]).hexdigest().encode()
        contents[METADATA] = contents[METADATA].replace(old, hashlib.sha256(content).hexdigest().encode())
        contents[name] = content

    said = refused(changed(bundle, rewrite), tmp_path / "there")
    assert "experiment/evaluations.jsonl: line 1: evaluation" in said


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../outside", "runs/../../outside", "runs//x", "C:/x", "a\\..\\b", "./x", "", "a\nb", "a\0b"),
        *("experiment/../../x", "runs/..", "~\u202etxt"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(bundle, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"x")
    written = name.split("\0")[0]  # what a reader makes of it
    if not is_safe(written):
        assert "nothing was read" in refused(bundle, tmp_path / "there")


def test_links_encrypted_files_and_files_that_stand_twice_are_refused(bundle: Path, tmp_path: Path) -> None:
    for number, (name, mode, words) in enumerate(
        [
            ("inputs/link", stat.S_IFLNK | 0o777, "is a link"),
            ("inputs/pipe", stat.S_IFIFO | 0o644, "is a link, or no file"),
            ("experiment/experiment.json", stat.S_IFREG | 0o644, "twice"),
        ]
    ):
        path = tmp_path / f"{number}.zip"
        shutil.copy(bundle, path)
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        with zipfile.ZipFile(path, "a") as archive, pytest.warns() if words == "twice" else _nothing():
            archive.writestr(info, "/etc/passwd")
        assert words in refused(path, tmp_path / "there")


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def test_what_unpacks_to_no_end_is_refused(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inputs/zeros", bytes(1 << 27))
    assert "no bundle is" in refused(bundle, tmp_path / "there")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_file_damaged_anywhere_is_refused_in_a_line_or_opens_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, damaged_source: bytes, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    content = bytearray(damaged_source)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(content), len(content) // 2, 25]))
    path = folder / "damaged.zip"
    path.write_bytes(bytes(content[:cut]))
    try:
        opened = open_bundle(path, folder / "there")
    except InputError as error:
        assert "\n" not in str(error)
        assert not [each for each in (folder / "there").rglob("*") if each.is_file()]
    else:
        assert read_experiment(opened.folder).title == make_experiment()["title"]
    assert {each.name for each in folder.iterdir()} <= {"damaged.zip", "there"}


@pytest.fixture(scope="module")
def damaged_source(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    experiments = tmp_path_factory.mktemp("source")
    folder = save(experiments / "cmp-ga-3", make_experiment(), with_histories(experiments, genetic(1, failed=())))
    (folder / "report.html").write_text("<p>a report</p>")
    return write_bundle(folder, experiments).path.read_bytes()


@given(names=st.lists(st.text(st.sampled_from("ab/.\\:~ \n\0é"), min_size=1, max_size=8), max_size=4, unique=True))
@settings(max_examples=200, deadline=None)
def test_no_name_in_an_archive_leads_out_of_a_folder(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("named")
    with zipfile.ZipFile(folder / "named.zip", "w") as archive:
        archive.writestr(METADATA, '{"@graph": []}')
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = name
            if name not in archive.namelist():
                archive.writestr(info, b"x")
    try:
        with Archive(folder / "named.zip") as opened:
            for name in opened.names:
                assert (folder / "there" / name).resolve().is_relative_to(folder / "there")
    except InputError as error:
        assert "nothing was read" in str(error)
