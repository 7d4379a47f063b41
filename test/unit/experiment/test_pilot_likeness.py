"""The pilot tells whether two models are trained and judged alike, and a search may ask that they are."""

import json

import pytest
from desk import Desk

from comparator.experiment.stages import probe_points
from comparator.space import ParameterSpace

MODEL = """
import random

def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1}

def run(params):
    left = params["side"] == "left"
    luck = random.Random(params["rng_seed"]).gauss(0, 0.01)
    loss = 1.0 + 0.01 * params["noise"] + params["size"] / 1000 * left + luck
    return {"val_loss": loss, "validation_rows": 848 if left else 512}
"""
UNLIKE = (
    "not like for like: validation rows 848 of left, 512 of right; size changes left alone; right gave the same number"
)


@pytest.fixture
def desk(tmp_path) -> Desk:
    made = Desk(tmp_path)
    made.write("model.py", MODEL)
    made.write(
        "quick.txt",
        "[Global_Params]\nmodel_name = 'cmp'\ncmp_model_name = 'model.py'\ncmp_0_side = 'left'\ncmp_1_side = 'right'\n",
    )
    return made


def test_a_search_says_in_one_line_what_differs_beside_what_is_varied(desk: Desk) -> None:
    labels = ("--set", "cmp.labels=['left','right']")
    done = desk.search("quick.toml", "--id", "said", "--set", "search.pilot=2", "--set", "confirm.points=0", *labels)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if "like for like" in line]
    assert line.startswith(UNLIKE)
    frozen = json.loads((desk.experiments / "said" / "experiment.json").read_text())
    assert frozen["like_for_like"] == line
    pilot, probes = frozen["stages"]["pilot"], frozen["stages"]["probes"]
    assert [sum(probe[name] != pilot[0][name] for name in probe) for probe in probes] == [1, 1]
    assert [result["evaluation"] for result in frozen["probes"]] == [-2, -3]
    records = desk.records("said")
    assert sum(len(record["asked"]) for record in records) == 12 and min(r["evaluation"] for r in records) == 0


@pytest.mark.long
def test_a_search_that_requires_likeness_ends_after_the_pilot_where_there_is_none(desk: Desk) -> None:
    require = ("--set", "cmp.require=like for like", "--set", "cmp.labels=['left','right']")
    done = desk.search("quick.toml", "--id", "unlike", "--set", "search.pilot=2", *require)
    assert done.returncode == 1 and f"[cmp] require = 'like for like': {UNLIKE}" in done.stderr
    assert {record["stage"] for record in desk.records("unlike")} == {"pilot"}
    without = desk.search("quick.toml", *require)
    assert without.returncode == 2 and "the pilot tells it; ask for one by [search] pilot = true" in without.stderr


def test_probes_change_one_hyperparameter_and_stay_in_the_space() -> None:
    space = ParameterSpace.from_entries(
        [
            {"name": "noise", "type": "float", "lower": 0, "upper": 50},
            {"name": "kind", "type": "categorical", "element_type": "string", "values": ["a", "b"]},
            {"name": "fixed", "type": "constant", "value": 3},
            {"name": "size", "type": "int", "lower": 1, "upper": 9},
            {"name": "rate", "type": "float", "lower": 0, "upper": 1},
        ],
        "space",
    )
    pilot = space.spread(3)
    probes = probe_points(space, pilot)
    assert len(probes) == 3 and [space.fit(probe) for probe in probes] == probes
    changed = [[name for name in probe if probe[name] != pilot[0][name]] for probe in probes]
    assert changed == [["noise"], ["kind"], ["size"]]
    assert probe_points(space, []) == [] == probe_points(space, pilot[:1])
