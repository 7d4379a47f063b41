"""`comparator recheck`: what an experiment claimed, tried again after something has changed."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from desk import QUICK, SPACE, Desk
from recorded import make_experiment, make_record, save

from comparator.api.experiment import Experiment
from comparator.cli import carry_out
from comparator.cli import main as carried_out
from comparator.engine.jobs import state_of
from comparator.experiment import again
from comparator.experiment.listing import experiment_rows
from comparator.experiment.progress import describe
from comparator.findings.recheck import recheck
from comparator.report import write_report
from comparator.report.next_step import after_recheck
from comparator.results.form import of_form
from comparator.results.frozen import Claim, FrozenExperiment
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.tally import Tally

BLOCKS = 8


def tried(inside: float, outside: float, deviation: float, seed: int) -> tuple[FrozenExperiment, list[Evaluation]]:
    """An experiment whose region and what lies outside differ by so much on average, over blocks."""
    luck = random.Random(seed)
    names = {"region 1": inside, "elsewhere": outside}
    claims = [
        Claim(
            name=name,
            kind="elsewhere" if name == "elsewhere" else "region",
            direction=1,
            points=[{"noise": 1.0}] * BLOCKS,
        )
        for name in names
    ]
    records = []
    for name, mean in names.items():
        for block in range(BLOCKS):
            line = make_record(len(records), {"noise": 1.0}, ({"val_loss": 1.0}, {"val_loss": 2.0}))
            signed = [mean + luck.gauss(0, deviation)]
            line |= {"stage": "confirm", "claim": name, "signed": signed, "blocks": [1000 + block]}
            line |= {"asked": [{"replicate": 1000 + block}]}
            records.append(of_form(Evaluation, line, "test"))
    experiment = make_experiment(claims=[claim.as_json() for claim in claims])
    return of_form(FrozenExperiment, experiment, "test"), records


def verdicts(was: Any, now: Any) -> dict[str, str]:
    return {each.what: each.verdict for each in recheck(was, now)}


def test_what_is_as_it_was_is_reproduced_and_what_is_less_is_weaker_or_gone() -> None:
    was = tried(0.5, 0.2, 0.02, 1)
    assert verdicts(was, was) == {"difference": "reproduced", "more than elsewhere": "reproduced"}
    assert verdicts(was, tried(0.5, 0.2, 0.02, 2)) == {"difference": "reproduced", "more than elsewhere": "reproduced"}
    assert verdicts(was, tried(0.4, 0.2, 0.02, 3)) == {"difference": "weaker", "more than elsewhere": "weaker"}
    assert verdicts(was, tried(0.2, 0.2, 0.02, 4)) == {"difference": "weaker", "more than elsewhere": "gone"}
    assert verdicts(was, tried(0.7, 0.1, 0.02, 5)) == {"difference": "reproduced", "more than elsewhere": "reproduced"}


def test_where_trainings_scatter_too_much_nothing_is_settled() -> None:
    assert verdicts(tried(0.5, 0.2, 0.02, 1), tried(0.5, 0.2, 1.0, 4))["more than elsewhere"] == "not settled"


def test_to_look_closer_at_a_region_that_holds_again_it_goes_by_its_number() -> None:
    was, records = tried(0.5, 0.2, 0.02, 1)
    second = {"region 1": "region 2"}  # of two that were claimed the first gave nothing
    claims = [each.model_copy(update={"name": second.get(each.name, each.name)}) for each in was.claims or ()]
    records = [each.model_copy(update={"claim": second.get(str(each.claim), each.claim)}) for each in records]
    typed = was.provenance.model_copy(update={"command": "comparator search a.toml"})
    was = was.model_copy(update={"claims": claims, "provenance": typed})
    step = after_recheck(was, was, recheck((was, records), (was, records)))
    assert step.words.startswith("It holds. Look closer") and step.command.endswith(f" --focus {was.id}:2")


def test_what_was_never_shown_cannot_be_lost() -> None:
    assert verdicts(tried(0.2, 0.2, 0.1, 1), tried(0.0, 0.3, 0.01, 2)).keys() == {"difference"}


def test_a_recheck_is_listed_and_followed_by_the_pairs_that_it_has_tried(tmp_path: Path) -> None:
    experiment, records = tried(0.5, 0.2, 0.02, 1)
    again = {**experiment.as_json(), "id": "again", "rechecks": "found", "budget": {"evaluations": 0}}
    save(tmp_path / "again", again, [line.as_json() for line in records[:5]])
    (row,) = experiment_rows(tmp_path)
    assert (row["evaluations"], row["of"]) == (5, 2 * BLOCKS)
    assert row["verdict"] == "" and row["best"] == ""
    words = describe(of_form(FrozenExperiment, again, "test"), Tally().take(records[:5]), 1, None, 2 * BLOCKS)
    assert words == "1 running"  # after their count


def test_what_became_of_what_was_tried_again_stands_in_the_list(tmp_path: Path) -> None:
    experiment, records = tried(0.5, 0.2, 0.02, 1)
    save(tmp_path / "found", experiment.as_json(), [line.as_json() for line in records])
    for name, inside, said in (("same", 0.5, "reproduced"), ("less", 0.2, "1 gone, 1 weaker")):
        again, lines = tried(inside, 0.2, 0.02, 4)
        own = {**again.as_json(), "id": name, "rechecks": "found", "budget": {"evaluations": 0}}
        save(tmp_path / name, own, [line.as_json() for line in lines])
        assert {row["id"]: row for row in experiment_rows(tmp_path)}[name]["verdict"] == said
        in_python = Experiment(tmp_path / name)
        assert in_python.verdict == said and f"{2 * BLOCKS}/{2 * BLOCKS} pairs of trainings)" in repr(in_python)
        answer = json.loads(write_report(tmp_path / name).with_suffix(".json").read_text())
        assert {each["verdict"] for each in answer["rechecked"]} == set(re.findall("[a-z]+", said))
        told = [line for line in answer["answer"] if line.startswith("Region 1, ")]
        assert len(told) == len(answer["rechecked"]) == 2
        assert all(each["verdict"] in line for each, line in zip(answer["rechecked"], told, strict=True))
    page = write_report(tmp_path / "same")  # nothing was searched, so that nothing is mapped
    assert "Region 1, difference: reproduced: " in page.read_text()
    assert "Where the search looked" not in page.read_text() and "no evaluation has succeeded" not in page.read_text()
    shutil.rmtree(tmp_path / "found")
    (tmp_path / "less" / ".listed.json").unlink()
    assert {row["id"]: row for row in experiment_rows(tmp_path)}["less"]["verdict"] == ""
    gone = json.loads(write_report(tmp_path / "less").with_suffix(".json").read_text())
    assert gone["rechecked"] is None and len(gone["answer"]) == 1


def test_a_recheck_whose_process_was_killed_is_finished_only_when_it_has_tried_all(tmp_path: Path) -> None:
    experiment, records = tried(0.5, 0.2, 0.02, 1)
    again = {**experiment.as_json(), "id": "again", "rechecks": "found", "budget": {"evaluations": 0}}
    said = {"state": "running", "pid": 2**22 + 1, "host": os.uname().nodename}
    for done, state in ((5, "interrupted"), (len(records), "finished")):
        folder = save(tmp_path / "again", again, [line.as_json() for line in records[:done]])
        (folder / "state.json").write_text(json.dumps(said))
        assert state_of(folder).state == state
        assert experiment_rows(tmp_path)[0]["state"] == state
    assert len(records) == 2 * BLOCKS


def test_what_has_not_changed_is_hardly_ever_called_less() -> None:
    lost = sum(
        bool(
            {"weaker", "gone"} & set(verdicts(tried(0.5, 0.2, 0.05, seed), tried(0.5, 0.2, 0.05, 1000 + seed)).values())
        )
        for seed in range(200)
    )
    assert lost <= 18  # 5 % of 200; more than 18 has a chance of 1 in 100


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    settings = ["--set", "hyperparameters.jitter=0.002", "--set", "search.find=regions"]
    settings += ["--set", "search.strategy=sobol", "--set", "search.evaluations=24"]
    done = desk.search("quick.toml", "--id", "found", *settings)
    assert done.returncode == 0, done.stderr
    return desk


@pytest.mark.long
def test_nothing_is_trained_again_of_which_nothing_has_changed(desk: Desk) -> None:
    done = desk.run("recheck", "found")
    assert done.returncode == 0, done.stderr
    assert "reproduced" in done.stdout and "weaker" not in done.stdout and "gone" not in done.stdout
    assert "trainings were found in the store: nothing that they rest on is new" in done.stdout
    assert re.search(r"report: .*found-recheck-1/report\.html\n", done.stdout)
    answer = json.loads((desk.experiments / "found-recheck-1" / "report.json").read_text())
    assert answer["question"] == "Does what 'found' found hold?"
    assert answer["next"]["words"].startswith("It holds.") and answer["next"]["command"].endswith("--focus found:1")
    assert "next: It holds." in done.stdout and "means of the fresh trainings as they are" in done.stdout
    again = desk.run("recheck", "--resume", "found-recheck-1")
    assert (again.returncode, "reproduced" in again.stdout) == (0, True)


@pytest.mark.long
def test_a_model_that_has_changed_loses_the_finding_and_says_so_by_its_exit_status(desk: Desk) -> None:
    lost = desk.run("recheck", "found", "--id", "lost", "--json", "--set", "hyperparameters.cmp_1_side=left")
    assert lost.returncode == 1, lost.stderr
    found = json.loads(lost.stdout)
    assert {each["verdict"] for each in found} == {"gone"}
    assert all(each["change_interval"][1] < 0 for each in found)
    by_search = desk.run("search", "--resume", "lost", "--json")
    assert (by_search.returncode, json.loads(by_search.stdout)) == (1, found)
    by_sweep = desk.run("sweep", "--resume", "lost")
    assert by_sweep.returncode == 1 and "gone" in by_sweep.stdout
    refused = desk.run("selftest", "quick.toml", "--resume", "lost")
    assert refused.returncode == 2 and "comparator recheck --resume lost" in refused.stderr


@pytest.mark.long
def test_a_model_that_takes_less_than_it_did_is_tried_again_and_it_is_said_once(tmp_path: Path) -> None:
    desk = made(tmp_path, SPLITS, 'module = "splits"\nseed = "rng_seed"\nsplit = "split_seed"\n')
    description = desk.folder / "splits" / "model.toml"
    description.write_text(description.read_text() + '[hyperparameters.noise]\ntype = "float"\nmaximum = 20\n')
    new = desk.run("search", "quick.toml", "--dry-run")
    assert new.returncode == 2 and "noise = 50.0: splits says that it must be at most 20" in new.stderr
    done = desk.run("recheck", "found")
    assert done.returncode in (0, 1, 3) and not done.stderr, done.stderr
    said = "noise = 50.0: splits says that it must be at most 20; it may have been otherwise when these points were"
    assert " ".join(done.stdout.split()).count(said) == 1


@pytest.mark.long
def test_a_recheck_that_is_stopped_says_how_many_pairs_it_keeps(desk: Desk) -> None:
    process = desk.start("recheck", "found", "--id", "cut", "--set", "hyperparameters.sleep=0.3")
    record = desk.experiments / "cut" / "evaluations.jsonl"
    while process.poll() is None and (not record.exists() or record.read_text().count("\n") < 3):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()
    assert process.returncode == 130
    kept = len(desk.records("cut"))
    assert re.search(rf"stopped: {kept} of \d\d pairs of trainings kept; go on with them by:", said), said


@pytest.mark.long
def test_a_recheck_reads_what_the_other_experiment_recorded_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.run("recheck", "found", "--id", "again").returncode == 0
    read: list[str] = []

    def noted(path: Path) -> list[Evaluation]:
        read.append(path.parent.name)
        return read_records(path)

    for module in (carry_out, again):
        monkeypatch.setattr(module, "read_records", noted)
    monkeypatch.chdir(desk.folder)
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["comparator", "recheck", "--resume", "again"])
    with pytest.raises(SystemExit) as ended:
        carried_out()
    assert (ended.value.code, sorted(read)) == (0, ["found"])


@pytest.mark.long
def test_what_cannot_be_checked_again_is_refused_in_a_line(desk: Desk) -> None:
    unconfirmed = desk.search("quick.toml", "--id", "bare", "--set", "confirm.points=0")
    assert unconfirmed.returncode == 0
    for words, said in (
        (["bare"], "has trained nothing anew that it claims"),
        (["fond"], "no experiment 'fond'"),
        ([], "give the id of an experiment"),
        (["found", "--set", "hyperparameters.jiter=1"], "jitter"),
    ):
        refused = desk.run("recheck", *words)
        assert refused.returncode == 2 and said in refused.stderr and "Traceback" not in refused.stderr


#: Two models of which a split makes most of the difference.
SPLITS = """
import random

def initialize_parameters():
    return {"noise": 0.0, "side": "left", "rng_seed": 1, "split_seed": 1}

def run(params):
    split, seed = params["split_seed"], params["rng_seed"]
    luck = random.Random(f"split {split}").gauss(0, 0.1) + random.Random(f"{split} {seed}").gauss(0, 0.02)
    return {"val_loss": 0.5 + (params["side"] == "right") * (0.5 + luck)}
"""


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return made(
        tmp_path_factory.mktemp("divided"), SPLITS, 'module = "splits"\nseed = "rng_seed"\nsplit = "split_seed"\n'
    )


def made(folder: Path, code: str, description: str) -> Desk:
    """A desk with a search of the model that `code` is."""
    desk = Desk(folder)
    model = desk.folder / "splits"
    model.mkdir()
    (model / "splits.py").write_text(code)
    (model / "model.toml").write_text(description)
    script = model / "train.sh"
    script.write_text("#!/usr/bin/env bash\nexit 1\n")
    script.chmod(0o755)
    desk.write("quick.txt", (desk.folder / "quick.txt").read_text().replace(str(QUICK), str(model)))
    desk.write("space.json", json.dumps([SPACE[0]]))
    done = desk.search("quick.toml", "--id", "found", "--set", "cmp.difference=absolute")
    assert done.returncode == 0, done.stderr
    return desk


@pytest.mark.long
def test_the_variance_of_a_point_is_split_and_goes_on_after_a_stop(divided: Desk) -> None:
    done = divided.run("variance", "found", "--splits", "6", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {part["name"]: part["share"] > 0.5 for part in found["parts"]} == {
        "split": True,
        "seed": False,
        "rest": False,
    }
    assert (found["splits"], found["seeds"]) == (6, 4)
    again = divided.run("variance", "--resume", "found-variance-1")
    assert again.returncode == 0 and "the data split" in again.stdout
    by_search = divided.run("search", "--resume", "found-variance-1", "--json")
    assert (by_search.returncode, json.loads(by_search.stdout)) == (0, found)
    for words, said in (
        (["recheck", "--resume", "found-variance-1"], "is no recheck; go on with it by: comparator variance --resume"),
        (["variance", "--resume", "found"], "is no variance; go on with it by: comparator search --resume found"),
        (["recheck", "found-variance-1"], "claims nothing"),
    ):
        refused = divided.run(*words)
        assert refused.returncode == 2 and said in refused.stderr and "Traceback" not in refused.stderr
    assert divided.run("report", "found-variance-1").returncode == 0
    answer = json.loads((divided.experiments / "found-variance-1" / "report.json").read_text())
    assert answer["question"] == "What makes trainings of 'found' differ?"
    step = answer["next"]
    assert step["words"].startswith("More blocks, each a split with its seeds")
    assert "--set confirm.seeds=" in step["command"]
    page = (divided.experiments / "found-variance-1" / "report.html").read_text()
    assert "how much is the data split, how much the seeds?" in page and "differ most in" not in page
    assert "24 pairs on fresh blocks: " in page
    assert "take one seed, so that first weights" in again.stdout
    at = divided.run("variance", "found", "--at", "noise=3", "--splits", "5", "--dry-run")
    assert at.returncode == 0, at.stderr
    assert "power:" not in at.stdout and "strategy:" not in at.stdout
    listed = {row["id"]: row for row in json.loads(divided.run("list", "--json").stdout)}
    assert listed["found-variance-1"]["verdict"].endswith(" % is the data split")
    assert "nothing is searched; 20 pairs, 40 trainings" in at.stdout
    planned = divided.run("variance", "found", "--splits", "5", "--dry-run", "--json")
    assert json.loads(planned.stdout)["claims"][0]["crossed"] == [5, 4] and "20 pairs" in planned.stderr
    unexplained = divided.run("explain", "found-variance-1")
    assert unexplained.returncode == 1 and "looks at the variance of a point and claims nothing" in unexplained.stderr


#: Two models of which first weights make most of the difference, beside the split's and what both do together.
WEIGHTS = """
import random

def initialize_parameters():
    return {"noise": 0.0, "side": "left", "rng_seed": 1, "split_seed": 1, "init_seed": None, "order_seed": None}

def run(params):
    def luck(*names, size):
        seeds = [params["rng_seed"] if params[name] is None else params[name] for name in names]
        return random.Random(f"{names} {seeds}").gauss(0, size)
    parts = luck("init_seed", size=0.1) + luck("split_seed", size=0.03) + luck("split_seed", "init_seed", size=0.02)
    return {"val_loss": 0.5 + (params["side"] == "right") * (0.5 + parts)}
"""


@pytest.mark.long
def test_seeds_of_their_own_tell_first_weights_from_the_order_of_rows(tmp_path: Path) -> None:
    desk = made(tmp_path, WEIGHTS, 'module = "splits"\n')
    done = desk.run("variance", "found", "--levels", "7", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    parts = {part["name"]: part["share"] for part in found["parts"]}
    assert list(parts) == ["split", "initialisation", "order", "seed", "rest"]
    assert parts["initialisation"] > 0.5 and parts["order"] + parts["seed"] < 0.1
    of_metric = {part["name"]: part for part in found["metric"]["parts"]}
    assert of_metric["study"]["interval"][0] > 0.5 and found["studies"] is None, "the two differ in more than its study"
    assert desk.run("verify", "found-variance-1", "--sample", "2").returncode == 0
    assert desk.run("report", "found-variance-1").returncode == 0
    page = (desk.experiments / "found-variance-1" / "report.html").read_text()
    assert 'data-figure="variance-difference"' in page and 'data-figure="variance-metric"' in page
    answer = json.loads((desk.experiments / "found-variance-1" / "report.json").read_text())["answer"]
    assert answer[0].startswith("Of the variance of the difference of one pair, ") and "49 pairs" in answer[-1]
    assert answer[0].endswith(" is what these do together.") and "were dealt to 7 splits of their own" in page
    again = desk.run("variance", "--resume", "found-variance-1")
    assert "the first weights" in again.stdout and "which model it is" in again.stdout
    for words, said in (
        (["--levels", "6"], "must be an odd number"),
        (["--levels", "5", "--seeds", "4"], "give the one or the others"),
    ):
        refused = desk.run("variance", "found", *words)
        assert refused.returncode == 2 and said in refused.stderr


def test_a_sweep_over_several_models_compares_nothing() -> None:
    one = FrozenExperiment.model_validate(make_experiment(kind="single", models=make_experiment()["models"][:1]))
    assert one.why_nothing_is_compared == "it searches one model, and compares nothing"
    several = FrozenExperiment.model_validate(make_experiment(kind="single"))
    assert several.why_nothing_is_compared.startswith("it trains each of 2 models by itself")


@pytest.mark.long
def test_what_cannot_vary_is_refused_in_a_line(divided: Desk, desk: Desk) -> None:
    for where, words, said in (
        (desk, ["found"], "takes no split that is known, so that it cannot vary"),
        (divided, ["found", "--at", "nose=3"], "did you mean 'noise'"),
        (divided, ["found", "--splits", "2"], "--splits"),
        (divided, ["found", "--levels", "5"], "names no seeds of first weights and of order"),
        (divided, [], "give the id of an experiment"),
    ):
        refused = where.run("variance", *words)
        assert refused.returncode == 2 and said in refused.stderr and "Traceback" not in refused.stderr
