"""A mistake in what was typed, or in a file, is one clear line before anything starts."""

from __future__ import annotations

import json
import os
import sys

import pytest
from desk import EXPERIMENT, GAP, GAP_TOML, GAP_TXT, HYPERPARAMETERS, QUICK, SPACE, Desk, assert_names_the_models_log

from comparator.cli import main
from comparator.cli.words import with_homes_written_out

OF_SCORE = {"gap.py": GAP, "gap.toml": GAP_TOML, "quick.txt": GAP_TXT}
DESCRIBED = """
def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1}

def run(params):
    return {"val_loss": 0.1}
"""
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
    (["watch", "quick-1"], {}, "there is no such folder"),
    (["list", "--experiments", "nowhere"], {}, "--experiments nowhere: no such folder"),
    (["open", "--experiments", "nowhere"], {}, "--experiments nowhere: no such folder"),
    (["search", "--resume", "--experiments", "nowhere"], {}, "nowhere; there is no such folder"),
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
        (["search", "quick.toml", "--avoid", "../{0}/quick.txt"], "../{0}/quick.txt, line 2: not JSON"),
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
        (
            ["search", "quick.tml"],
            "quick.tml: no experiment file, whose name ends in .toml (did you mean 'quick.toml'?)",
        ),
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
    "words",
    [["serach"], ["search", "--sed", "3"], ["search", "a", "b"], ["search", "--seed", "x"], ["search", "a", "x" * 300]],
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


def test_a_slip_in_what_is_varied_is_refused_with_the_nearest_name(desk: Desk) -> None:
    desk.write("slow.py", DESCRIBED)
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), "slow.py"))
    desk.write("space.json", json.dumps([{**SPACE[0], "name": "nois"}]))
    refused = desk.search("quick.toml", "--dry-run")
    said = "quick.toml: 'nois', which is varied: the model has no such hyperparameter (did you mean 'noise'?)\n"
    assert refused.returncode == 2 and said in refused.stderr, refused.stderr


def test_a_metric_that_the_model_does_not_report(desk: Desk) -> None:
    done = desk.search("quick.toml", "--set", "cmp.metric=val_corr")
    assert done.returncode == 1
    words = "left did not report val_corr; it reported seed, val_loss, val_r2: --set cmp.metric=val_r2 (log: "
    assert words in done.stderr
    assert_names_the_models_log(desk, done)


def test_a_misspelt_metric_that_nothing_describes_ends_with_the_first_training(desk: Desk) -> None:
    done = desk.search("quick.toml", "--set", "cmp.metric=val_los", "--workers", "1")
    assert done.returncode == 1
    words = "did not report val_los; it reported seed, val_loss, val_r2: --set cmp.metric=val_loss; no training will"
    assert words in done.stderr and "submodel" not in done.stderr
    assert len(list(desk.experiments.glob("runs/*/*/result.json"))) <= 2
    assert_names_the_models_log(desk, done)


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
