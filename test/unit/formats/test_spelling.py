"""Names of hyperparameters: kept as their user writes them, given to a model as it writes them itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from desk import EXPERIMENT, HYPERPARAMETERS, QUICK, Desk
from hypothesis import given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.formats.spelling import WORKFLOW, as_kept, check_once, merged, spelling
from comparator.model.description import parse_description
from comparator.report.facts import common_hyperparameters, differing_hyperparameters
from comparator.results.frozen import FrozenExperiment, Submodel

#: Tells what it was given by its metrics.
CAPITALS = """
def initialize_parameters():
    return {"N_layers": 2, "LR": 0.1, "noise": 0.0, "size": 10, "side": "left", "RNG_seed": 1}

def run(params):
    assert set(params) - {"experiment_id", "run_id", "output_dir"} == set(initialize_parameters()), sorted(params)
    told = {"LR": params["LR"], "N_layers": params["N_layers"], "noise": params["noise"], "seed": params["RNG_seed"]}
    return {"val_loss": 1.0 + params["LR"] + (params["side"] == "left"), **told}
"""
#: Says by which flags it is called; the first of two descriptions writes capitals, the second describes nothing.
SCRIPT = '#!/bin/sh\necho "IMPROVE_RESULT val_loss: 0.5"\n'
DESCRIPTION = 'seed = "SEED"\n[hyperparameters.LR]\n[hyperparameters.N_layers]\n'
UPF_EXPERIMENT = 'hyperparameters = "quick.txt"\nupf = "upf.txt"\n[cmp]\nmetric = "val_loss"\n'
FEW = EXPERIMENT.replace("evaluations = 12", "evaluations = 4") + "[confirm]\npoints = 0\n"
SINGLE = 'model = "script"\nmetric = "val_loss"\nhyperparameters = "quick.txt"\nupf = "upf.txt"\n'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write("capitals.py", CAPITALS)
    return desk


def capitals(desk: Desk, *lines: str) -> None:
    text = HYPERPARAMETERS.replace(str(QUICK), "capitals.py")
    desk.write("quick.txt", "\n".join([text, *lines]))


def script(desk: Desk, description: str) -> None:
    folder = desk.folder / "script"
    folder.mkdir()
    (folder / "train.sh").write_text(SCRIPT)
    (folder / "train.sh").chmod(0o755)
    (folder / "model.toml").write_text(description)


def metrics(desk: Desk, identifier: str) -> list[list[dict[str, Any]]]:
    """Of each evaluation the metrics of its runs."""
    records = desk.records(identifier)
    assert [record["reason"] for record in records] == [None] * len(records)
    return [[run["metrics"] for run in record["runs"]] for record in records]


def flags(desk: Desk, identifier: str) -> list[str]:
    """The command of each run as its log has it."""
    logs = [desk.experiments / record["runs"][0]["log"] for record in desk.records(identifier)]
    return [log.read_text().splitlines()[0] + " " for log in logs]


# Names


NAMES = st.text("abcLRcmp_01", max_size=10)


@given(NAMES | st.sampled_from(sorted(WORKFLOW)).flatmap(lambda name: st.sampled_from([name, name.upper()])))
def test_what_is_kept_differs_in_case_at_most(name: str) -> None:
    assert as_kept(name).lower() == name.lower()
    assert as_kept(as_kept(name)) == as_kept(name)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("LR", "LR"),
        ("CMP_0_LR", "cmp_0_LR"),
        ("Cmp_N_layers", "cmp_N_layers"),
        ("CMPX", "CMPX"),
        ("Model_Name", "model_name"),
        ("cmp_1_CANDLE_Image", "cmp_1_candle_image"),
        ("CKPT_Restart_Mode", "ckpt_restart_mode"),
        ("CONFIG", "config"),
    ],
)
def test_prefixes_and_names_of_the_workflow_are_kept_in_lower_case(written: str, kept: str) -> None:
    assert as_kept(written) == kept


@given(st.lists(st.dictionaries(NAMES, st.integers(), max_size=4), max_size=4))
def test_the_last_source_counts_whatever_the_case(sources: list[dict[str, int]]) -> None:
    together = merged(*sources)
    check_once(together, "test")
    last = {name.casefold(): (name, value) for source in sources for name, value in source.items()}
    assert dict(last.values()) == together


def test_a_known_name_is_found_in_any_case_and_the_same_one_first() -> None:
    assert spelling("lr", ["LR", "noise"]) == "LR"
    assert spelling("lr", ["LR", "lr"]) == "lr"
    assert spelling("rate", ["LR"]) == "rate"


@pytest.mark.parametrize("names", [["a", "b", "a"], ["a", "b", "A"]])
def test_a_name_stands_once(names: list[str]) -> None:
    check_once(["a", "b"], "here")
    with pytest.raises(InputError, match=r"here: 'a' stands twice|here: 'a' and 'A' differ in case alone"):
        check_once(names, "here")


# What a model is given


def test_a_model_gets_what_file_and_command_line_say_under_its_own_names(desk: Desk) -> None:
    capitals(desk, "n_LAYERS = 7", "lr = 0.5", "CMP_0_Noise = 3", "rng_seed = 40")
    desk.write("quick.toml", FEW)
    desk.write("space.json", json.dumps([{"name": "Size", "type": "int", "lower": 10, "upper": 200}]))
    done = desk.search("quick.toml", "--set", "hyperparameters.Lr=0.25")
    assert done.returncode == 0, done.stderr
    for first, second in metrics(desk, "quick-1"):
        assert first == {"val_loss": 2.25, "LR": 0.25, "N_layers": 7, "noise": 3, "seed": first["seed"]}
        assert second == {"val_loss": 1.25, "LR": 0.25, "N_layers": 7, "noise": 0, "seed": first["seed"]}
        assert first["seed"] >= 40
    frozen = json.loads((desk.experiments / "quick-1" / "experiment.json").read_text())
    own = {"n_LAYERS": "N_layers", "lr": "LR", "Size": "size", "rng_seed": "RNG_seed"}
    assert [model["names"] for model in frozen["models"]] == [{"Noise": "noise", **own}, own]
    assert [model["seed"] for model in frozen["models"]] == ["RNG_seed"] * 2
    assert all(set(record["point"]) == {"Size"} for record in desk.records("quick-1"))


def test_the_point_takes_the_place_of_the_file_whatever_the_case(desk: Desk) -> None:
    capitals(desk, "Lr = 0.5")
    desk.write("quick.toml", FEW)
    desk.write("space.json", json.dumps([{"name": "lr", "type": "float", "lower": 1, "upper": 2}]))
    done = desk.search("quick.toml")
    assert done.returncode == 0, done.stderr
    assert "'lr', which is varied, takes the place of 'Lr' of quick.txt" in done.stdout


def test_what_is_varied_and_set_by_hand_is_told_to_be_varied(desk: Desk) -> None:
    done = desk.run("search", "quick.toml", "--set", "hyperparameters.noise=3", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "'noise' is varied: the value that is set for it is not used" in done.stdout
    points = [record["point"] for record in desk.records("quick-1")]
    assert [[run["LR"] for run in runs] for runs in metrics(desk, "quick-1")] == [[each["lr"]] * 2 for each in points]


@pytest.mark.long
def test_lines_of_a_upf_reach_the_model_and_are_listed_under_one_name(desk: Desk) -> None:
    capitals(desk, "LR = 0.5")
    desk.write("quick.toml", UPF_EXPERIMENT)
    desk.write("upf.txt", '{"id": "a", "LR": 0.9, "noise": 10}\n{"id": "b", "lr": 0.7, "cmp_1_NOISE": 20}\n')
    done = desk.run("sweep", "quick.toml", "--no-report")
    assert done.returncode == 0, done.stderr
    given_values = [[(run["LR"], run["noise"]) for run in runs] for runs in metrics(desk, "quick-1")]
    assert sorted(given_values) == [[(0.7, 0), (0.7, 20)], [(0.9, 10), (0.9, 10)]]
    points = {record["id"]: record["point"] for record in desk.records("quick-1")}
    assert points == {"a": {"LR": 0.9, "noise": 10}, "b": {"LR": 0.7, "cmp_1_NOISE": 20}}


def test_a_script_gets_its_own_flags(desk: Desk) -> None:
    script(desk, DESCRIPTION)
    desk.write("quick.toml", SINGLE)
    desk.write("defaults.txt", "[a]\nlr = 9\nn_LAYERS = 7\nOther = 1\n")
    desk.write("quick.txt", f"[a]\nCONFIG_FILE = '{desk.folder}/defaults.txt'\nLr = 0.25\nOTHER = 2\nSeed = 5\n")
    desk.write("upf.txt", '{"id": "a", "lr": 0.5}\n{"id": "b", "n_layers": 3}\n')
    done = desk.run("sweep", "quick.toml", "--no-report")
    assert done.returncode == 0, done.stderr
    first, second = sorted(flags(desk, "quick-1"), key=lambda words: "--N_layers 3 " in words)
    for words in (first, second):
        assert "--SEED 5 " in words and "--OTHER 2 " in words
        lower = words.lower()
        assert all(lower.count(f"--{name} ") == 1 for name in ("lr", "n_layers", "other", "seed"))
    assert "--LR 0.5 " in first and "--N_layers 7 " in first
    assert "--LR 0.25 " in second and "--N_layers 3 " in second


@pytest.mark.long
def test_what_no_model_describes_is_passed_as_it_is_written(desk: Desk) -> None:
    script(desk, "")
    desk.write("quick.toml", SINGLE)
    desk.write("quick.txt", "[a]\nLR = 0.25\nN_layers = 7\n")
    desk.write("upf.txt", '{"id": "a", "Noise": 10}\n')
    assert desk.run("sweep", "quick.toml", "--no-report", "--set", "hyperparameters.Size=3").returncode == 0
    [words] = flags(desk, "quick-1")
    assert all(flag in words for flag in ("--LR 0.25 ", "--N_layers 7 ", "--Noise 10 ", "--Size 3 "))


def test_a_table_of_names_is_matched_in_any_case(desk: Desk) -> None:
    capitals(desk, "Rate = 0.5")
    desk.write("upf.txt", '{"id": "a", "LAYERS": 3}\n')
    names = (
        '[cmp.0]\nnames = { rate = "lr", layers = "n_layers" }\n[cmp.1]\nnames = { RATE = "LR", Layers = "N_layers" }\n'
    )
    desk.write("quick.toml", UPF_EXPERIMENT + names)
    done = desk.run("sweep", "quick.toml", "--no-report")
    assert done.returncode == 0, done.stderr
    assert [[(run["LR"], run["N_layers"]) for run in runs] for runs in metrics(desk, "quick-1")] == [[(0.5, 3)] * 2]


@pytest.mark.long
def test_a_self_test_gives_both_sides_the_models_own_names(desk: Desk) -> None:
    capitals(desk, "Rate = 0.5", "n_LAYERS = 7")
    desk.write("space.json", json.dumps([{"name": "rate", "type": "float", "lower": 1, "upper": 2}]))
    desk.write("quick.toml", FEW + '[cmp.0]\nnames = { rate = "lr" }\n[cmp.1]\nnames = { rate = "LR" }\n')
    done = desk.run("selftest", "quick.toml")
    assert done.returncode == 0, done.stderr
    points = [record["point"]["rate"] for record in desk.records("quick-selftest-1")]
    for rate, runs in zip(points, metrics(desk, "quick-selftest-1"), strict=True):
        assert [(run["LR"], run["N_layers"]) for run in runs] == [(rate, 7)] * 2
        assert runs[0]["seed"] != runs[1]["seed"]


def test_a_description_names_its_seeds_as_it_describes_them() -> None:
    text = 'seed = "SEED"\nsplit = "Split"\nsplit_fixed = { HOW = "file" }\n'
    described = parse_description(text + "[hyperparameters.seed]\n[hyperparameters.split]\n", "model.toml")
    assert (described.seed, described.split, described.split_fixed) == ("seed", "split", {"HOW": "file"})
    assert described.names == ["seed", "split", "HOW"]


def test_a_report_sets_two_models_side_by_side_whatever_the_case_of_their_names() -> None:
    given = [{"lr": 1, "Noise": 2}, {"LR": 3, "noise": 2}]
    experiment = FrozenExperiment(id="a", models=[Submodel(hyperparameters=each) for each in given])
    assert differing_hyperparameters(experiment) == [("lr", ["1", "3"])]
    assert common_hyperparameters(experiment) == [("Noise", "2")]


# What is refused


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--set", "hyperparameters.LR=1", "--set", "hyperparameters.lr=2"], "--set hyperparameters.lr=2: 'lr' is set"),
        (["--set", "hyperparameters.LR=1", "--set", "hyperparameters.LR=2"], "'LR' is set twice: 'LR' is 1 already"),
    ],
)
def test_two_values_for_one_name_are_refused(desk: Desk, words: list[str], line: str) -> None:
    capitals(desk)
    done = desk.search("quick.toml", "--dry-run", *words)
    assert done.returncode == 2 and line in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ('[cmp.0]\nnames = { rate = "LR", Rate = "lr" }\n', "names: 'rate' and 'Rate' differ in case alone"),
        ('[cmp.0]\nnames = { rate = "n_layers" }\n', "names: 'rate' would be 'N_layers', which is given as well"),
        ('[cmp.0]\nnames = { rates = "LR" }\n', "names: 'rates' is given nowhere (did you mean 'Rate'?)"),
        ("[set]\nNoise = 1\nnoise = 2\n", "[set]: 'Noise' and 'noise' differ in case alone"),
    ],
)
def test_tables_that_give_a_name_twice_are_refused(desk: Desk, table: str, line: str) -> None:
    capitals(desk, "Rate = 0.5", "N_LAYERS = 3")
    desk.write("quick.toml", EXPERIMENT + table)
    done = desk.search("quick.toml", "--dry-run")
    assert done.returncode == 2 and line in done.stderr and done.stderr.count("\n") == 1


def test_a_model_whose_names_differ_in_case_alone_cannot_be_told_which_is_meant(desk: Desk) -> None:
    desk.write("capitals.py", CAPITALS.replace('"N_layers": 2', '"N_layers": 2, "lr": 3'))
    capitals(desk)
    assert desk.search("quick.toml", "--dry-run").returncode == 0
    done = desk.search("quick.toml", "--dry-run", "--set", "hyperparameters.lr=1")
    assert done.returncode == 2
    assert "capitals.py: 'lr' cannot be set: the model has 'lr' and 'LR', and names are" in done.stderr
