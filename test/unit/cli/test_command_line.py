"""The command line as a person meets it: whole experiments with a quick model, mistakes, stops and resumes."""

import contextlib
import json
import os
import re
import signal
import sys
import threading
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen

import pytest
from desk import EXPERIMENT, HYPERPARAMETERS, QUICK, SPACE, Desk
from planted_model import CASES

from comparator.cli import main
from comparator.cli.app import stop_signals_like_ctrl_c
from comparator.cli.words import with_homes_written_out
from comparator.engine.workers import STOPPED_BY
from comparator.results.record_file import read_records

PLANTED_MODEL = Path(__file__).parents[2] / "bench" / "planted_model.py"

PLANTED_HYPERPARAMETERS = f"""
[Global_Params]
cmp_model_name = '{PLANTED_MODEL}'
cmp_0_side = 0
cmp_1_side = 1
case = 'box'
deviation = 0.01
"""
PLANTED = """
model = "cmp"
hyperparameters = "planted.txt"
space = "space.json"
[search]
find = "regions"
evaluations = 14
"""
#: R2 of two models that differ by 0.3 everywhere, on both sides of zero.
GAP = """
def initialize_parameters():
    return {"rng_seed": 1, "noise": 0.0, "size": 0, "side": "left"}

def run(params):
    skill = 0.25 - 0.015 * float(params["noise"]) + 0.3 * (params["side"] == "right")
    return {"val_r2": skill, "val_loss": 1 - skill}
"""
GAP_TOML = 'seed = "rng_seed"\n[metrics.val_r2]\nkind = "score"\n[metrics.val_loss]\nkind = "error"\n'
GAP_TXT = HYPERPARAMETERS.replace(str(QUICK), "gap.py")
OF_SCORE = {"gap.py": GAP, "gap.toml": GAP_TOML, "quick.txt": GAP_TXT}


DESCRIBED = """
def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1}

def run(params):
    return {"val_loss": 0.1}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.long
def test_an_experiment_from_its_file_to_its_report(desk: Desk) -> None:
    done = desk.run("search", "quick.toml", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "experiment quick-1: left against right" in done.stdout
    assert "12/12" in done.stdout
    page = desk.experiments / "quick-1" / "report.html"
    assert f"report: {page}" in done.stdout
    assert page.is_file()
    records = desk.records("quick-1")
    assert len(records) >= 12
    for record in records:
        first, second = (run["metrics"]["val_loss"] for run in record["runs"][-2:])
        assert record["runs"][-1]["seed"] == record["runs"][-2]["seed"]
        single = -abs(second - first) / max(first, second)
        assert record["value"] == pytest.approx(single)  # the quick model is deterministic
        assert (desk.experiments / record["runs"][0]["log"]).is_file()


@pytest.mark.long
def test_the_same_seed_gives_the_same_points_and_costs_no_training(desk: Desk) -> None:
    for _ in range(2):
        assert desk.search("quick.toml", "--seed", "7", "--workers", "1").returncode == 0
    first, second = desk.records("quick-1"), desk.records("quick-2")
    assert [each["point"] for each in first] == [each["point"] for each in second]
    assert [each["value"] for each in first] == [each["value"] for each in second]
    assert all(run["reused"] for record in second for run in record["runs"])


@pytest.mark.long
@pytest.mark.parametrize(
    "strategy", ["bayesian", "simple", "mu_plus_lambda", "particle_swarm", "steady_state", "sobol", "random", "grid"]
)
def test_every_strategy_runs(desk: Desk, strategy: str) -> None:
    done = desk.search("quick.toml", "--set", f"search.strategy={strategy}", "--set", "search.evaluations=9")
    assert done.returncode == 0, done.stderr
    assert len(desk.records("quick-1")) >= 9


@pytest.mark.long
def test_a_search_for_regions_needs_no_strategy_and_two_models(desk: Desk) -> None:
    """On a planted case, whose model gives the planted difference exactly."""
    desk.write("space.json", json.dumps(CASES["box"].space))
    desk.write("planted.txt", PLANTED_HYPERPARAMETERS)
    desk.write("planted.toml", PLANTED)
    done = desk.search("planted.toml", "--workers", "1")
    assert done.returncode == 0, done.stderr
    frozen = json.loads((desk.experiments / "planted-1" / "experiment.json").read_text())
    assert frozen["strategy"]["name"] == "level_set"
    records = desk.records("planted-1")
    assert len(records) >= 14
    for record in records:
        noise_free = 0.45 if CASES["box"].is_inside(record["point"]) else 0.2
        assert record["value"] == pytest.approx(-noise_free, abs=0.05)
    desk.write("planted.toml", PLANTED.replace('model = "cmp"', f'model = "{PLANTED_MODEL}"'))
    refused = desk.search("planted.toml")
    assert refused.returncode == 2
    assert "find = 'regions' asks where two models differ; it needs model = 'cmp'" in refused.stderr


@pytest.mark.long
@pytest.mark.parametrize("description", [GAP_TOML, None])
def test_a_score_that_crosses_zero_is_compared_in_its_own_units(desk: Desk, description: str | None) -> None:
    """By equation 1 the same gap would be a hundred at one point, and no number at others."""
    desk.write("gap.py", GAP)
    desk.write("quick.txt", GAP_TXT)
    if description is not None:
        desk.write("gap.toml", description)
    done = desk.run("search", "quick.toml", "--set", "cmp.metric=val_r2", "--set", "search.strategy=sobol")
    assert done.returncode == 0, done.stderr
    assert "largest: " in done.stdout and "val_r2" in done.stdout
    frozen = json.loads((desk.experiments / "quick-1" / "experiment.json").read_text())
    assert frozen["settings"]["cmp"]["difference"] == "absolute"
    records = desk.records("quick-1")
    assert {record["status"] for record in records} == {"ok"}
    assert [record["value"] for record in records] == pytest.approx([-0.3] * len(records))
    skills = [run["metrics"]["val_r2"] for record in records for run in record["runs"]]
    assert min(skills) < -0.1 and max(skills) > 0.3


@pytest.mark.long
def test_generations_are_a_budget_too(desk: Desk) -> None:
    done = desk.search(
        "quick.toml",
        "--set",
        "search.strategy=simple",
        "--set",
        "search.generations=3",
        "--set",
        "search.population=12",
    )
    assert done.returncode == 0, done.stderr
    searched = [record for record in desk.records("quick-1") if record["stage"] == "search"]
    assert {record["generation"] for record in searched} == {0, 1, 2}


def test_a_single_model_is_searched_by_its_metric(desk: Desk) -> None:
    text = EXPERIMENT.replace("title", f'model = "{QUICK}"\ntitle').replace("[cmp]", "").replace("metric", "#")
    desk.write("single.toml", text)
    desk.write("quick.txt", "[a]\nside = 'left'\n")
    done = desk.run("search", "single.toml")
    assert done.returncode == 0, done.stderr
    assert "smallest: " in done.stdout
    records = desk.records("single-1")
    assert {run["submodel"] for record in records for run in record["runs"]} == {0}
    assert {1, 8} <= {len(record["runs"]) for record in records}  # on its seed, and on those that confirm
    report = json.loads((desk.experiments / "single-1" / "report.json").read_text())
    assert report["verdict"] is None and {each["verdict"] for each in report["confirmed"]} == {None}


@pytest.mark.long
def test_side_by_side_gives_what_one_after_the_other_gives(desk: Desk) -> None:
    environment = {"SITE_CORES": "2"}
    desk.search("quick.toml", "--workers", "1", "--experiments", "side-by-side", **environment)
    desk.search("quick.toml", "--workers", "1", "--experiments", "in-turn", SITE_CORES="1")
    both = [read_records(desk.folder / name / "quick-1/evaluations.jsonl") for name in ("side-by-side", "in-turn")]
    assert [record.value for record in both[0]] == [record.value for record in both[1]]


@pytest.mark.long
def test_a_process_per_run_gives_what_a_warm_server_gives(desk: Desk) -> None:
    model = desk.folder / "model"
    model.mkdir()
    (model / "quick.py").write_text(QUICK.read_text())
    (model / "model.toml").write_text('module = "quick"\nseed = "rng_seed"\n')
    main = (
        "import sys, quick\nwords = sys.argv[3:]\n"
        "given = {key[2:]: value for key, value in zip(words[::2], words[1::2])}\n"
        "given = {**quick.initialize_parameters(), **given}\n"
        "given.update(jitter=float(given['jitter']), sleep=0.0, rng_seed=int(given['rng_seed']))\n"
        "print('IMPROVE_RESULT val_loss:', repr(quick.run(given)['val_loss'][-1]))\n"
    )
    (model / "main.py").write_text(main)
    train = model / "train.sh"
    train.write_text('#!/bin/sh\nexec python3 "$(dirname "$0")/main.py" "$@"\n')
    train.chmod(0o755)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), str(model)) + "jitter = 0.003\n")
    few = ("--set", "search.evaluations=4", "--workers", "1")
    assert desk.search("quick.toml", *few, "--experiments", "warm").returncode == 0
    cold = desk.search("quick.toml", *few, "--experiments", "cold", "--cold")
    assert cold.returncode == 0, cold.stderr
    both = [read_records(desk.folder / name / "quick-1/evaluations.jsonl") for name in ("warm", "cold")]
    assert [record.value for record in both[0]] == [record.value for record in both[1]]
    first = {"warm": both[0][0].runs[0], "cold": both[1][0].runs[0]}
    logs = [(desk.folder / name / str(run.log)).read_text() for name, run in first.items()]
    assert "warm server" in logs[0]
    assert "a process of its own" in logs[1]


MISTAKES = [
    (["search", "nowhere.toml"], {}, "nowhere.toml: no such file"),
    (["search", "quick.toml", "--site", "lambad7"], {}, "no site 'lambad7'"),
    (["search", "quick.toml", "--site", "../local"], {}, "site '../local'"),
    (["search", "quick.toml", "--engine", "swfit-t"], {}, "--engine swfit-t"),
    (["search", "quick.toml", "--workers", "500"], {}, "--workers 500"),
    (["search", "quick.toml", "--id", "a/b"], {}, "id 'a/b'"),
    (["search", "quick.toml", "--id", ".a"], {}, "id '.a'"),
    (["search", "quick.toml", "--id", "runs"], {}, "id 'runs'"),
    (["search", "quick.toml", "--resume", "x"], {}, "no experiment 'x'"),
    (["search", "quick.toml", "--resume"], {}, "no experiment of quick.toml is unfinished"),
    (["search", "quick.toml", "--evalutions", "8"], {}, "--set search.evaluations=..."),
    (["search", "space.json"], {}, "it is a parameter space"),
    (
        ["search", "quick.toml"],
        {"quick.toml": EXPERIMENT + "[left_out]\n"},
        "has a table [left_out]: it is carried out by `comparator left-out quick.toml`",
    ),
    (["left-out"], {}, "give an experiment file, such as cfg/left-out.toml, or --resume ID"),
    (["unroll", "--grid", "noise=0:50"], {}, "such as noise=0:50:6"),
    (["search", "--resume", "quick-7"], {}, "no experiment 'quick-7'"),
    (["search", "quick.toml", "--full"], {}, "has no [full] table"),
    (["search", "quick.toml", "--set", "search.poplation=3"], {}, "'population'"),
    (["search", "quick.toml", "--set", "epochs=3"], {}, "hyperparameters.epochs"),
    (["search", "quick.toml", "--set", "search.strategy=simpel"], {}, "'simple'"),
    (["search", "quick.toml", "--set", "search.evaluations=many"], {}, "search.evaluations"),
    (["search", "quick.toml", "--set", "search.evaluations=0"], {}, "search.evaluations"),
    (["search", "quick.toml", "--set", "cmp.difference=relativ"], {}, "did you mean 'relative'"),
    (
        ["search", "quick.toml", "--set", "cmp.metric=val_r2", "--set", "cmp.difference=relative"],
        OF_SCORE,
        "quick.toml: [cmp] difference = 'relative': val_r2 is a score, which may be negative",
    ),
    (["search", "quick.toml", "--set", "search.replicates=0"], {}, "from 1, or 'adaptive'"),
    (
        ["search", "quick.toml", "--set", "search.smallest=0"],
        {},
        "search.smallest' = 0: must be above 0",
    ),
    (["search", "quick.toml", "--set", "search.pilot=some"], {}, "true, false, or a number"),
    (["search", "quick.toml", "--set", "space.noise.lower=1"], {}, "stands in the file's [space]"),
    (["search", "quick.toml", "--together", "0"], {}, "--together '0': must be 1 or more"),
    (["search", "quick.toml", "--together", "two"], {}, "--together 'two': must be a whole number"),
    (["search", "quick.toml", "--set", "search.pilot=6"], {}, "takes 12 pairs"),
    (["search", "quick.toml", "--set", "confirm.sedes=4"], {}, "did you mean 'seeds'"),
    (["search", "quick.toml", "--set", "confirm.seeds=1"], {}, "confirm.seeds"),
    (["search", "quick.toml", "--set", "cmp.difference=in_deviations"], {}, "replicates = 2 or more"),
    (["selftest", "quick.toml", "--resume", "quick-1"], {}, "no experiment 'quick-1'"),
    (["selftest", "quick.toml"], {"quick.txt": HYPERPARAMETERS + "rng_seed = 'x'\n"}, "rng_seed = 'x'"),
    (["search", "quick.toml", "--set", "hyperparameters.rng_seed=first"], {}, "rng_seed = 'first'"),
    (["search", "quick.toml"], {"quick.toml": EXPERIMENT + "metrik = 1\n"}, "did you mean 'metric'"),
    (["search", "quick.toml"], {"quick.toml": EXPERIMENT.replace("space", "spaec")}, "did you mean 'space'"),
    (["search", "quick.toml"], {"quick.toml": EXPERIMENT + "["}, "not TOML"),
    (["search", "quick.toml"], {"quick.toml": "a = " + "[" * 100_000}, "not TOML that can be read"),
    (["search", "quick.toml"], {"quick.toml": EXPERIMENT.replace("evaluations = 12", "")}, "give a budget"),
    (["search", "quick.toml"], {"quick.txt": HYPERPARAMETERS.replace("quick.py", "quik.py")}, "quik.py"),
    (["search", "quick.toml"], {"quick.txt": "[a]\nmodel_name = 'cmp'\n"}, "cmp_model_name"),
    (["search", "quick.toml"], {"quick.txt": HYPERPARAMETERS + "cmp_0_noise = 3\ncmp_1_noise = 4\n"}, "'noise'"),
    (["search", "quick.toml"], {"quick.txt": HYPERPARAMETERS.replace(str(QUICK), "/tmp/Uno.sif")}, "no such file"),
    (["search", "quick.toml"], {"space.json": '[{"name": "x", "type": "float", "lower": 2, "upper": 1}]'}, "lower"),
    (["search", "quick.toml"], {"space.json": '[{"name": "x", "type": "flaot"}]'}, "flaot"),
    (["search", "quick.toml"], {"space.json": "[" + json.dumps({**SPACE[0], "use_log_scale": True}) + "]"}, "log"),
    (["watch", "quick-1"], {}, "there is none yet"),
    (["stop", "../../etc"], {}, "id '../../etc'"),
    (["report", "x"], {}, "no experiment 'x'"),
]


@pytest.mark.parametrize(("words", "files", "expected"), MISTAKES)
def test_a_mistake_is_one_clear_line_before_anything_starts(
    desk: Desk, monkeypatch, capsys, words, files, expected
) -> None:
    for name, text in files.items():
        desk.write(name, text)
    monkeypatch.chdir(desk.folder)
    for name in (*os.environ, *desk.environment):
        monkeypatch.setenv(name, desk.environment[name]) if name in desk.environment else monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "argv", ["comparator", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    errors = capsys.readouterr().err
    assert ended.value.code == 2
    assert expected in errors
    assert len(errors.strip().splitlines()) == 1
    assert not list(desk.experiments.glob("*/experiment.json"))


@pytest.mark.parametrize("typed", ["quick.toml", "../{0}/quick.toml", "link/quick.toml", "{1}/quick.toml"])
@pytest.mark.parametrize("wrong", ["search.strategy=sobl", "search.pilot=40", "cmp.difference=most"])
def test_a_file_is_named_as_it_was_typed(desk: Desk, typed: str, wrong: str) -> None:
    (desk.folder / "link").symlink_to(desk.folder)
    typed = typed.format(desk.folder.name, desk.folder)
    for verb in ("search", "selftest"):
        refused = desk.run(verb, typed, "--dry-run", "--set", wrong)
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"comparator: {typed}: "), refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "quick.toml", "--focus", "nowhere.json"], "nowhere.json: no such file"),
        (["search", "quick.toml", "--avoid", "../{0}/quick.txt"], "../{0}/quick.txt: not JSON"),
        (["sweep", "points.upf", "--model", "no.py"], "points.upf: model: no model at 'no.py'"),
        (["sweep", "points.upf", "--model", "cmp", "--hyperparameters", "link/no.txt"], "link/no.txt: no such file"),
    ],
)
def test_a_file_of_an_option_is_named_as_it_was_typed(desk: Desk, words: list[str], said: str) -> None:
    (desk.folder / "link").symlink_to(desk.folder)
    desk.write("points.upf", '{"id": "a", "noise": 1}\n')
    refused = desk.run(*(word.format(desk.folder.name) for word in words))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"comparator: {said.format(desk.folder.name)}"), refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "quik.toml"], "quik.toml: no such file (did you mean 'quick.toml'?)"),
        (["search", "quick"], "quick: no experiment file, whose name ends in .toml (did you mean 'quick.toml'?)"),
        (["selftest", "quick.tmol"], "quick.tmol: no such file (did you mean 'quick.toml'?)"),
        (["sweep", "sub/quick.toml"], "sub/quick.toml: no such file (did you mean 'subs'?)"),
        (["cross-study", "other.toml"], "other.toml: no such file"),
        (["search", "--resume", "", "quik.toml"], "quik.toml: no such file (did you mean 'quick.toml'?)"),
        (["import", "quik.zip"], "quik.zip: no such file"),
    ],
)
def test_a_file_that_is_not_there_is_refused_with_the_nearest_name(desk: Desk, words: list[str], said: str) -> None:
    (desk.folder / "subs").mkdir()
    refused = desk.run(*words)
    assert (refused.returncode, refused.stderr) == (2, f"comparator: {said}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "quick.toml", "--id", "--dry-run"], "--id: its value is missing; --dry-run is an option"),
        (["note", "x", "--tag", "--experiments", "e"], "--tag: its value is missing; --experiments is an option"),
        (["export", "x", "-o", "--force"], "-o: its value is missing; --force is an option"),
        (["model", "check", "x", "--set", "--json"], "--set: its value is missing; --json is an option"),
    ],
)
def test_an_option_is_not_the_value_of_another(desk: Desk, words: list[str], said: str) -> None:
    refused = desk.run(*words)
    assert (refused.returncode, refused.stderr) == (2, f"comparator: {said}\n")
    assert not list(desk.experiments.glob("*"))


def test_a_home_that_is_quoted_is_written_out(desk: Desk) -> None:
    words = ("search", "~/quick.toml", "--dry-run", "--experiments=~/elsewhere")
    begun = desk.run(*words, HOME=str(desk.folder))
    assert begun.returncode == 0, begun.stderr
    nobody = desk.run("search", "~nobody-is-called-this/quick.toml")
    assert nobody.stderr == "comparator: ~nobody-is-called-this/quick.toml: no such file\n"
    noted = ["note", "some", "~ and ~/quick.toml", "--experiments", "~/elsewhere"]
    assert with_homes_written_out(noted)[:3] == noted[:3] and with_homes_written_out(noted)[-1][0] == "/"


@pytest.mark.parametrize(
    "words", [["serach"], ["search", "--sed", "3"], ["search", "a", "b"], ["search", "--seed", "x"]]
)
def test_wrong_usage(desk: Desk, words: list[str]) -> None:
    done = desk.run(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["search", "quick.toml", "--seed", "7", "polaris"],
            "'polaris' is a site: --site polaris; a script in test/ has",
        ),
        (
            ["sweep", "quick.toml", "points.upf"],
            "(points.upf); it is an unrolled parameter file: an experiment file names",
        ),
        (["search", "quick.toml", "nothing"], "(nothing); -h tells more"),
        (["sweep", "points.upf"], "or in each line what runs, as 'candle_image'; line 'a' has none"),
        (["sweep", "images.upf"], "images.upf: model: image '/images/a.sif': no such file"),
        (["search", "quick.toml", "--set", "hyperparameters=points.upf"], "points.upf, line 1: '{"),
        (["search", "quick.toml", "--set", "hyperparameters=points.upf"], "]; it is an unrolled parameter file:"),
        (
            ["search", "quick.toml", "--site", "local", "--site", "pbs"],
            "two sites are given, 'local' and 'pbs'; a script",
        ),
        (["search", "quick.toml", "--site=pbs", "--site", "local"], "two sites are given, 'local' and 'pbs'"),
    ],
)
def test_what_is_in_another_place_than_its_own_is_said_with_its_own(desk: Desk, words: list[str], said: str) -> None:
    desk.write("points.upf", '{"id": "a", "noise": 1}\n')
    desk.write(
        "images.upf", '{"id": "a", "candle_image": "/images/a.sif"}\n{"id": "b", "candle_image": "/images/a.sif"}'
    )
    refused = desk.run(*words)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert said in refused.stderr and not desk.experiments.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", ""], "an argument is empty"),
        (["search", "quick.toml", "--engine", ""], "an empty word stands behind --engine"),
        (["search", "quick.toml", "--experiments="], "--experiments: its value is empty"),
        (["search", "quick.toml", "--focus", ""], "an empty word stands behind --focus"),
        (["init", "quick.py", "-o", ""], "an empty word stands behind -o"),
        (["predict", "one"], "Missing option '--at'; -h tells more"),
    ],
)
def test_what_is_left_empty_is_not_taken_for_what_was_not_said(desk: Desk, words: list[str], said: str) -> None:
    refused = desk.run(*words)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert said in refused.stderr and not desk.experiments.exists()


@pytest.mark.parametrize("place", ["nowhere/x.upf", "quick.toml/x.upf"])
def test_a_file_that_cannot_be_written_is_named_as_it_was_typed(desk: Desk, place: str) -> None:
    refused = desk.run("unroll", "--grid", "x=1,2", "--output", place)
    assert refused.returncode == 1 and refused.stderr.startswith(f"comparator: {place}: "), refused.stderr


def test_a_folder_without_write_permission(desk: Desk) -> None:
    desk.experiments.write_text("in the way")
    done = desk.search("quick.toml")
    assert done.returncode == 2
    assert "experiments cannot be kept here" in done.stderr


def test_doubtful_names_are_told_and_kept(desk: Desk) -> None:
    model = desk.folder / "model"
    model.mkdir()
    (model / "quick.py").write_text(QUICK.read_text())
    description = 'module = "quick"\nseed = "rng_seed"\n[hyperparameters.noise]\n[hyperparameters.size]\n'
    description += '[hyperparameters.side]\n[hyperparameters.scaling]\neffect = "none"\n'
    (model / "model.toml").write_text(description)
    text = HYPERPARAMETERS.replace(str(QUICK), "model") + "scaling = 'std'\nsidde = 'left'\n"
    desk.write("quick.txt", text)
    done = desk.search("quick.toml", "--dry-run", "--set", "search.smallest=0.05")
    assert done.returncode == 0, done.stderr
    assert "power: sees, in deviations from training to training, " in done.stdout
    assert "smallest = 0.05 is seen where that deviation is at most " in done.stdout
    assert "did you mean 'side'" in done.stdout
    assert "'scaling' is accepted, without effect" in done.stdout
    assert "nothing was started" in done.stdout
    assert not desk.experiments.exists()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "hyperparameters.nois=3",
            "hyperparameters.nois: the model has no such hyperparameter (did you mean 'noise'?)",
        ),
        pytest.param(
            "hyperparameters.cmp_1_nois=3",
            "hyperparameters.nois: the model has no such hyperparameter",
            marks=pytest.mark.long,
        ),
        ("search.evaluation=8", "unknown option 'evaluation' (did you mean 'evaluations'?)\n"),
    ],
)
def test_a_slip_of_the_hand_is_refused_with_the_nearest_name(desk: Desk, setting: str, said: str) -> None:
    desk.write("slow.py", DESCRIBED)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "slow.py"))
    refused = desk.search("quick.toml", "--dry-run", "--set", setting)
    assert refused.returncode == 2 and said in refused.stderr, refused.stderr
    noted = desk.search("quick.toml", "--dry-run", "--set", "hyperparameters.quite_another=3")
    assert noted.returncode == 0 and "does not describe 'quite_another'" in noted.stdout


def test_a_metric_that_the_model_does_not_report(desk: Desk) -> None:
    done = desk.search("quick.toml", "--set", "cmp.metric=val_corr")
    assert done.returncode == 1
    words = "submodel 0 did not report val_corr; it reported seed, val_loss, val_r2: --set cmp.metric=val_r2 (log: "
    assert words in done.stderr
    assert_names_the_models_log(desk, done)


def assert_names_the_models_log(desk: Desk, done: CompletedProcess[str]) -> None:
    """The last line names the log of the run that failed last, and nothing speaks of a traceback of ours."""
    log = Path(done.stderr.rstrip().removesuffix(")").rpartition("(log: ")[2])
    assert log == desk.experiments / desk.records("quick-1")[-1]["runs"][0]["log"] and log.is_file()
    assert "traceback" not in done.stdout + done.stderr
    assert not (desk.experiments / "quick-1" / "errors.log").exists()


@pytest.mark.long
def test_model_return_names_the_metric_where_the_file_does_not(desk: Desk) -> None:
    stated = desk.search("quick.toml", "--dry-run", MODEL_RETURN="val_r2")
    assert "MODEL_RETURN=val_r2 has no effect: quick.toml states 'val_loss'" in stated.stdout
    desk.write("quick.toml", EXPERIMENT.replace('metric = "val_loss"', ""))
    assert desk.search("quick.toml", MODEL_RETURN="val_r2").returncode == 0
    assert "difference of val_r2" in (desk.experiments / "quick-1" / "experiment.json").read_text()


@pytest.mark.long
@pytest.mark.parametrize("behave", ["raise", "die", "nan", "nonsense", "nothing"])
def test_an_experiment_that_only_fails_stops_and_says_so(desk: Desk, behave: str) -> None:
    done = desk.search("quick.toml", "--set", f"hyperparameters.behave='{behave}'")
    assert done.returncode == 1
    assert "evaluations all failed" in done.stderr
    assert_names_the_models_log(desk, done)
    records = desk.records("quick-1")
    assert 5 <= len(records) <= 7
    assert all(record["status"] == "failed" and record["reason"] for record in records)
    assert all((desk.experiments / record["runs"][0]["log"]).is_file() for record in records)


@pytest.mark.long
def test_a_model_that_hangs_is_a_time_out(desk: Desk) -> None:
    desk.write("quick.toml", EXPERIMENT.replace("run_timeout = 20", "run_timeout = 0.3"))
    done = desk.search("quick.toml", "--set", "hyperparameters.cmp_1_behave=hang", "--set", "search.evaluations=2")
    assert done.returncode == 1
    words = "comparator: no evaluation of 2 gave a result; the last one: submodel 1: the run exceeded its limit of 0.3"
    assert done.stderr.startswith(words)
    log = desk.experiments / desk.records("quick-1")[-1]["runs"][1]["log"]
    assert done.stderr.endswith(f"(log: {log})\n")
    assert {record["status"] for record in desk.records("quick-1")} == {"timeout"}


@pytest.mark.long
def test_some_failures_do_not_stop_a_search(desk: Desk) -> None:
    space = [*SPACE, {"name": "behave", "type": "categorical", "element_type": "string", "values": ["well", "raise"]}]
    desk.write("space.json", json.dumps(space))
    done = desk.search("quick.toml", "--set", "search.strategy=random", "--set", "search.evaluations=16")
    assert done.returncode == 0, done.stderr
    assert {record["status"] for record in desk.records("quick-1")} == {"ok", "failed"}


@pytest.mark.long
@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_and_resumed_is_the_experiment_that_was_never_stopped(desk: Desk, stopped_by) -> None:
    slow = ("--set", "hyperparameters.sleep=0.05", "--workers", "1")
    assert desk.search("quick.toml", *slow, "--experiments", "whole").returncode == 0
    process = desk.start("search", "quick.toml", *slow)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("4/12"):
            break
    process.send_signal(stopped_by)
    output, errors = process.communicate(timeout=300)
    if stopped_by is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130
        assert "--resume quick-1" in output
        assert "Traceback" not in errors
    kept = len(desk.records("quick-1"))
    assert 4 <= kept < 12
    resumed = desk.search("--resume", "quick-1", "--workers", "1")
    assert resumed.returncode == 0, resumed.stderr
    said = [f"experiment quick-1: {kept} done, {each} to repeat, {12 - kept - each} to go" for each in (1, 0)]
    # What runs is said a moment later than it begins: of a process that was killed, the last of it may not be known.
    known = said if stopped_by is signal.SIGKILL else said[:1]
    assert any(words in resumed.stdout for words in known)
    whole = read_records(desk.folder / "whole" / "quick-1" / "evaluations.jsonl")
    assert [each["point"] for each in desk.records("quick-1")] == [each.point for each in whole]


@pytest.mark.long
def test_a_damaged_experiment_is_a_row_that_says_what_is_damaged(desk: Desk) -> None:
    line = {"evaluation": 0, "point": {}, "status": "ok", "value": 1.0, "runs": []}
    files = {
        "bare": ("{}", ""),
        "later": ('{"id": "later", "format": 99, "models": []}', ""),
        "line": ('{"id": "line", "models": []}', "7\n{}\n"),
        "little": ('{"id": "little", "models": []}', json.dumps(line) + "\n"),
    }
    for name, (frozen, record) in files.items():
        (desk.experiments / name).mkdir(parents=True)
        (desk.experiments / name / "experiment.json").write_text(frozen)
        (desk.experiments / name / "evaluations.jsonl").write_text(record)
    listed = desk.run("list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "experiment.json: id is missing; the file was changed or damaged" in listed.stdout
    assert "experiment.json: its format is 99, of a later version" in listed.stdout
    assert "evaluations.jsonl: line 1: it is no object" in listed.stdout
    states = {row["id"]: row["state"] for row in json.loads(desk.run("list", "--json").stdout)}
    assert states == {"bare": "damaged", "later": "damaged", "line": "damaged", "little": "new"}
    for command in ("report", "export", "watch", "verify"):
        for name in ("bare", "later", "line"):
            done = desk.run(command, name)
            assert done.returncode in (1, 2) and "Traceback" not in done.stderr, (command, name, done)
    resumed = desk.search("--resume", "little")
    assert (resumed.returncode, resumed.stderr) == (
        2,
        f"comparator: {desk.experiments}/little/experiment.json: format is missing; the file was changed or damaged\n",
    )


READING = """
import os
def initialize_parameters(): return {"rng_seed": 1, "noise": 0.0, "size": 1, "side": "left"}
def run(params):
    weight = float(os.environ.get("WEIGHT", "1"))
    return params["noise"] * weight + float(open(os.environ["CANDLE_DATA_DIR"] + "/loss.txt").read())
"""


@pytest.mark.long
def test_trainings_in_an_environment_of_their_own_are_found_again_and_come_out_again(desk: Desk) -> None:
    desk.write(
        "quick.toml", EXPERIMENT + '[cmp.0]\nenvironment = { TF_DETERMINISTIC_OPS = "1", OMP_SCHEDULE = "static" }\n'
    )
    few = ("quick.toml", "--workers", "1", "--set", "search.evaluations=2", "--set", "confirm.points=0")
    assert "trainings: 4 done, 0 found in the store" in desk.search(*few, "--id", "one").stdout
    assert "trainings: 0 done, 4 found in the store" in desk.search(*few, "--id", "two").stdout
    verified = desk.run("verify", "one", "--sample", "all")
    assert (verified.returncode, "4 gave the same numbers" in verified.stdout) == (0, True)


@pytest.mark.long
def test_resuming_says_what_may_make_the_trainings_come_out_otherwise(desk: Desk) -> None:
    model = desk.write("reading.py", READING)
    data = desk.folder / "data"
    data.mkdir()
    (data / "loss.txt").write_text("0.5")
    asked = ("quick.toml", "--workers", "1", "--set", f"hyperparameters.cmp_model_name={model}")
    first, second = (desk.search(*asked, "--id", name).stdout for name in ("one", "two"))
    trained = re.search(r"^trainings: (\d+) done, 0 found in the store$", first, re.MULTILINE)
    assert trained
    assert f"trainings: 0 done, {trained[1]} found in the store" in second.splitlines()
    again = ("--resume", "one", "--workers", "1")
    state = desk.experiments / "one" / "state.json"
    stopped = state.read_text().replace('"finished"', '"stopped"')
    state.write_text(stopped)
    assert "note:" not in desk.search(*again).stdout
    state.write_text(stopped)
    assert "note: $WEIGHT is not as it was when this began" in desk.search(*again, WEIGHT="2").stdout
    (data / "more.txt").write_text("0.25")
    state.write_text(stopped)
    said = desk.search(*again).stdout
    assert f"note: reading: the data in {data} have changed since this began" in said


@pytest.mark.long
def test_a_second_ctrl_c_changes_nothing(desk: Desk) -> None:
    process = desk.start("search", "quick.toml", "--set", "hyperparameters.sleep=600", "--set", "run_timeout=600")
    assert process.stdout is not None
    assert "experiment quick-1" in process.stdout.readline()
    assert "no result yet" in process.stdout.readline()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "--resume quick-1" in output
    assert errors == "comparator: stopped\n"


def test_a_ctrl_c_counts_unless_an_earlier_one_is_ending_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)  # Python drops what is raised here

    handlers = {number: signal.getsignal(number) for number in STOPPED_BY}
    try:
        monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop_signals_like_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            Gone()
            threading.Event().wait(60)
        assert capsys.readouterr().err == ""
        with pytest.raises(KeyboardInterrupt):
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGINT)
                with contextlib.suppress(ValueError):
                    signal.raise_signal(signal.SIGINT)
                    raise ValueError
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


#: Python as it finds a module, of which Ctrl-C is typed.
FINDS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what is in the background
class Finds:
    def find_spec(self, name, path=None, target=None):
        if name == NAME:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finds())
from comparator.cli import main
main()
"""


@pytest.mark.parametrize("name", ["comparator.cli.command", "comparator.site.surroundings", "typer"])
def test_ctrl_c_while_the_command_is_loaded_is_a_line(desk: Desk, name: str) -> None:
    words = [sys.executable, "-c", FINDS.replace("NAME", repr(name)), "search", "quick.toml"]
    process = Popen(words, stderr=PIPE, text=True, env=desk.environment, cwd=desk.folder)
    assert process.communicate(timeout=60)[1] == "comparator: stopped\n" and process.returncode in (130, -signal.SIGINT)


def test_replicates_of_a_model_without_a_description_have_seeds_of_their_own(desk: Desk) -> None:
    desk.write(
        "space.json", json.dumps([{"name": "noise", "type": "ordered", "element_type": "int", "values": [1, 2]}])
    )
    desk.write("quick.txt", HYPERPARAMETERS + "cmp_1_jitter = 0.01\n")
    assert desk.search("quick.toml", "--set", "search.blocks=1").returncode == 0
    runs = [run for record in desk.records("quick-1") for run in record["runs"] if run["submodel"] == 1]
    assert len({run["metrics"]["val_loss"] for run in runs if run["seed"] == 1}) == 2
    assert len({run["seed"] for run in runs}) > 2
    assert all(run["metrics"]["seed"] == run["seed"] for run in runs)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "has no function run"),
        pytest.param("def run(p) return 1\n", "SyntaxError", marks=pytest.mark.long),
        ("import no_such_package\n", "No module named 'no_such_package'"),
        ("def initialize_parameters():\n    return 5\ndef run(p):\n    return 1\n", "TypeError"),
    ],
)
def test_a_model_that_cannot_run_is_told_before_anything_starts(desk: Desk, text: str, words: str) -> None:
    desk.write("broken.py", text)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "broken.py"))
    done = desk.search("quick.toml")
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_constant_config_of_a_space_is_a_file_of_hyperparameters(desk: Desk) -> None:
    model = desk.folder / "model"
    model.mkdir()
    (model / "quick.py").write_text(QUICK.read_text())
    (model / "model.toml").write_text('module = "quick"\n')
    (model / "best.txt").write_text("[a]\nsize = 40\n")
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "model"))
    desk.write("space.json", json.dumps([SPACE[0], {"name": "config", "type": "constant", "value": "best.txt"}]))
    assert desk.search("quick.toml", "--set", "search.evaluations=2").returncode == 0
    log = (desk.experiments / desk.records("quick-1")[0]["runs"][0]["log"]).read_text()
    assert " size 40" in log


@pytest.mark.long
def test_watch_list_and_stop_see_an_experiment_of_another_process(desk: Desk) -> None:
    process = desk.start("search", "quick.toml", "--set", "hyperparameters.sleep=30", "--id", "mine")
    assert process.stdout is not None
    assert "experiment mine" in process.stdout.readline()
    assert "no result yet" in process.stdout.readline()
    listed = json.loads(desk.run("list", "--json").stdout)
    assert [(each["id"], each["state"]) for each in listed] == [("mine", "running")]
    assert "is being run by process" in desk.search("--resume", "mine").stderr
    watching = desk.start("watch", "mine")
    assert desk.run("stop", "mine").returncode == 0
    process.communicate(timeout=300)
    watched, _ = watching.communicate(timeout=300)
    assert "mine: stopped" in watched
    assert desk.run("stop", "mine").returncode == 2


def test_sites_are_listed_and_shown(desk: Desk) -> None:
    assert "local" in desk.run("site", "list").stdout.split()
    far = desk.run("site", "show", "frontier").stdout
    assert "8 slots a node (8 devices, 1 models on each)\n" in far, "its cores are not this host's"
    assert "a slot for each core of a node (no devices); SITE_CORES" in desk.run("site", "show", "slurm").stdout
    assert "3 slots a node (no devices, 3 cores)" in desk.run("site", "show", "local", SITE_CORES="3").stdout
    shown = desk.run("site", "show", "local", SITE_DEVICES="2", SITE_MODELS_PER_DEVICE="2").stdout
    assert "4 slots a node (2 devices, 2 models on each" in shown
    together = "8 trainings at once in a slot, of models that take several together"
    assert together in desk.run("site", "show", "local", SITE_TOGETHER="8").stdout and together not in shown


@pytest.mark.long
def test_a_self_test_of_equal_numbers_says_that_it_compared_nothing(desk: Desk) -> None:
    few = ("--set", "search.evaluations=3", "--set", "confirm.points=0")
    done = desk.run("selftest", "quick.toml", *few)
    assert done.returncode == 0, done.stderr
    assert "note: seeds change nothing here: both sides gave equal numbers" in done.stderr
    found = json.loads(done.stdout)
    assert (found["verdict"], found["reason"]) == ("none", "both models give the same everywhere")


@pytest.mark.long
def test_a_self_test_goes_the_way_of_every_search_and_finds_nothing(desk: Desk) -> None:
    desk.write("quick.txt", HYPERPARAMETERS + "jitter = 0.02\nrng_seed = 31\n")
    few = ("--set", "search.evaluations=14", "--set", "search.pilot=2", "--set", "confirm.points=2")
    done = desk.run("selftest", "quick.toml", *few)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["verdict", "reason", "regions", "best", "confirmed"]
    assert "seeds change nothing" not in done.stderr
    assert (found["verdict"], found["regions"]) == ("none", [])
    assert [each["verdict"] for each in found["confirmed"]] == ["not confirmed"] * len(found["confirmed"])
    assert found["best"]["searched"] > 0 and found["best"]["seeds"] == 8
    records = desk.records("quick-selftest-1")
    assert {record["stage"] for record in records} == {"pilot", "search", "confirm"}
    for run in (run for record in records for run in record["runs"]):
        step = run["seed"] - 31 - 100_000 * run["submodel"]
        assert step == run["replicate"] == run["block"] if run["replicate"] >= 1000 else step % 8 == run["block"]
        assert run["metrics"]["seed"] == run["seed"]
    report = json.loads((desk.experiments / "quick-selftest-1" / "report.json").read_text())
    frozen = json.loads((desk.experiments / "quick-selftest-1" / "experiment.json").read_text())
    assert report["pairs"] == {"pilot": 4, "search": 10, "confirm": 8 * len(frozen["claims"])}
    assert report["pilot"]["deviation"] > 0


@pytest.mark.long
def test_a_report_is_left_for_later(desk: Desk) -> None:
    desk.write("quick.txt", HYPERPARAMETERS + "jitter = 0.02\n")
    done = desk.search("quick.toml", "--id", "later", "--set", "search.pilot=2")
    assert done.returncode == 0, done.stderr
    assert "largest relative difference of val_loss" in done.stdout and "report later" in done.stdout
    report = desk.experiments / "later" / "report.json"
    assert not report.exists()
    printed = json.loads(desk.run("report", "later", "--json").stdout)
    assert printed == json.loads(report.read_text())
    assert printed["best"]["difference"] > 0
    assert "--json prints the report; leave out --no-report" in desk.search("quick.toml", "--json").stderr


@pytest.mark.long
def test_results_for_programs(desk: Desk) -> None:
    done = desk.run("search", "quick.toml", "--json")
    assert done.returncode == 0
    printed = json.loads(done.stdout)
    assert printed["best"]["difference"] > 0
    assert printed == json.loads((desk.experiments / "quick-1" / "report.json").read_text())
    again = desk.run("report", "quick-1", "--metric", "val_r2", "--json")
    assert json.loads(again.stdout)["metric"] == "val_r2"
    assert (desk.experiments / "quick-1" / "report-val_r2.html").exists()
    refused = desk.run("report", "quick-1", "--metric", "val_r3")
    assert refused.returncode == 2 and "did you mean 'val_r2'" in refused.stderr


@pytest.mark.long
def test_a_box_is_handed_back_to_a_search(desk: Desk) -> None:
    desk.write("box.json", json.dumps({"noise": [10, 50]}))
    around = desk.search("quick.toml", "--id", "around", "--avoid", "box.json", "--workers", "1")
    assert around.returncode == 0, around.stdout
    assert "the search keeps out of noise above 10" in around.stdout
    records = desk.records("around")
    assert sum(record["stage"] == "search" for record in records) == 12
    assert all(record["point"]["noise"] < 10 for record in records)

    # The box is frozen: what the file says later changes nothing, and a resume proposes what it would have.
    desk.write("box.json", json.dumps({"noise": [0, 10]}))
    lines = desk.experiments / "around" / "evaluations.jsonl"
    lines.write_text("".join(line + "\n" for line in lines.read_text().splitlines()[:7]))
    resumed = desk.search("--resume", "around", "--workers", "1")
    assert resumed.returncode == 0, resumed.stdout
    assert [record["point"] for record in desk.records("around")] == [record["point"] for record in records]

    report = desk.experiments / "around" / "report.json"
    box = {"noise": [10, 30], "size": [50, 120]}
    report.write_text(json.dumps({"regions": [{"bounds": {"noise": [0, 1]}}, {"bounds": box, "mean": 0.3}]}))
    inside = desk.search("quick.toml", "--focus", "around:2", "--dry-run", "--json")
    assert inside.returncode == 0 and "the search keeps to noise 10 to 30 and size 50 to 120" in inside.stderr
    frozen = json.loads(inside.stdout)
    assert frozen["settings"]["search"]["focus"] == box
    assert [(entry["lower"], entry["upper"]) for entry in frozen["space"]] == [(10, 30), (50, 120)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--focus", "absent.json"], "absent.json: no such file"),
        (["--focus", "none:1"], "no experiment 'none'"),
        (["--focus", "noize=0:20"], "the space has no 'noize' (did you mean 'noise'?)"),
        (["--avoid", "everything.json"], "the box to avoid is the whole space: nothing is left to search"),
        (["--focus", "other.json"], "the space has no 'noize' (did you mean 'noise'?)"),
        (["--resume", "first", "--avoid", "other.json"], "leave out --avoid"),
    ],
)
def test_a_box_that_is_none_is_said_in_one_line(desk: Desk, words: list[str], said: str) -> None:
    desk.write("everything.json", json.dumps({"noise": [0, 50]}))
    desk.write("other.json", json.dumps({"noize": [0, 10]}))
    file = [] if "--resume" in words else ["quick.toml"]
    done = desk.search(*file, *words)
    assert done.returncode == 2 and said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
