"""`comparator explain`: who carries a difference, of searches of models that write predictions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import Desk

import comparator

#: Two models of ten drugs and forty cell lines: the right one's errors are larger, and much larger of one drug where
#: noise is low. Labels and predictions are written as models of IMPROVE write them.
MODEL = """
import csv
import random
from pathlib import Path

def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "wrong": "drug 3", "rng_seed": 1, "split_seed": 1}

def run(params):
    luck = random.Random(f"{params['rng_seed']} {params['split_seed']} {params['side']}")
    rows = [(f"cell {luck.randrange(40)}", f"drug {luck.randrange(10)}", luck.random()) for _ in range(400)]
    right, low = params["side"] == "right", params["noise"] < 25
    with open(Path(params["output_dir"]) / "val_y_data_predicted.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["improve_sample_id", "improve_chem_id", "auc_true", "auc_pred"])
        total = 0
        for cell, drug, label in rows:
            deviation = 0.14 if right else 0.1
            deviation = 0.4 if right and low and drug == params["wrong"] else deviation
            predicted = label + luck.gauss(0, deviation)
            total += (predicted - label) ** 2
            table.writerow([cell, drug, label, predicted])
    return {"val_loss": total / len(rows)}
"""
SETTINGS = ["--set", "search.evaluations=24", "--set", "search.find=regions", "--set", "confirm.seeds=16"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    desk = Desk(folder)
    model = desk.write("drugs.py", MODEL)
    text = (folder / "quick.txt").read_text().splitlines()
    named = [f"cmp_model_name = '{model}'" if line.startswith("cmp_model_name") else line for line in text]
    desk.write("quick.txt", "\n".join(named) + "\n")
    toml = (folder / "quick.toml").read_text().replace('strategy = "steady_state"\npopulation = 4\n', "")
    desk.write("quick.toml", toml)
    done = desk.run("search", "quick.toml", "--id", "planted", *SETTINGS)
    assert done.returncode == 0, done.stderr
    return desk


def explained(desk: Desk, *words: str) -> str:
    done = desk.run("explain", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_the_planted_drug_is_found_in_the_region_and_not_elsewhere(desk: Desk) -> None:
    said = explained(desk, "planted")
    first = said.split("\n")[0]
    assert (
        first.startswith("Region 1, noise ") and "one of 10 drugs carries more than its share: drug 3 (10 % of" in first
    )
    assert "no cell line of 40 is shown to carry more than its share" in said
    assert "..." not in said, "an answer is said in full"
    found = json.loads(explained(desk, "planted", "--json"))
    assert (found["score"], found["difference"], found["reason"]) == ("mse", "relative", "")
    drugs = found["places"][0]["columns"][0]
    assert [group["name"] for group in drugs["named"]] == ["drug 3"] and drugs["of"] == len(drugs["groups"]) == 10
    low, high = drugs["without"]["without_interval"]
    assert low < 1 - 1 / 1.4**2 < high < drugs["difference"]
    assert abs(drugs["elsewhere"]["difference"] - drugs["elsewhere"]["without"]) < 0.1


@pytest.mark.long
def test_the_report_and_the_library_say_the_same(desk: Desk) -> None:
    folder = desk.experiments / "planted"
    page = (folder / "report.html").read_text()
    assert (
        '<h2 id="explained">Who carries it</h2>' in page
        and "one of 10 drugs carries more than its share: drug 3" in page
    )
    named = json.loads((folder / "report.json").read_text())["explained"]["places"][0]["columns"][0]["named"]
    assert [group["name"] for group in named] == ["drug 3"]
    table = comparator.open("planted", experiments=desk.experiments).contributions
    assert list(table[table["named"]]["group"]) == ["drug 3"]
    assert set(table["kind"]) == {"drug", "cell line"} and table[table["kind"] == "drug"][
        "share"
    ].sum() == pytest.approx(1)


@pytest.mark.long
def test_classes_of_drugs_are_read_from_a_table(desk: Desk) -> None:
    families = "".join(f"drug {n}\t{'abc'[n % 3]}\n" for n in range(9))
    classes = desk.write("classes.tsv", f"improve_chem_id\tfamily\n{families}drug 9\t\n")
    found = json.loads(explained(desk, "planted", "--groups", str(classes), "--json"))
    families = next(each for each in found["places"][0]["columns"] if each["column"] == "family")
    assert {group["name"] for group in families["groups"]} == {"a", "b", "c", "not in the table"}
    for text, words in (
        (
            "improve_chem\tfamily\ndrug 1\ta\n",
            "'improve_chem', and the predictions have no such column (did you mean 'improve_chem_id'?)",
        ),
        (
            "improve_chem_id\tfamily\ndrug 1\ta\ndrug 1\tb\n",
            "line 3: improve_chem_id 'drug 1' stands there for the second time",
        ),
        ("improve_chem_id\ndrug 1\n", "has no column beside 'improve_chem_id'"),
        ("improve_chem_id\tfamily\n\ta\ndrug 1\tb\n", "line 2: improve_chem_id is empty"),
        ("improve_chem_id\t\ndrug 1\ta\n", "column 2 has no name"),
        ("improve_chem_id\timprove_sample_id\ndrug 1\ta\n", "'improve_sample_id', and so have the predictions"),
        ("improve_chem_id\tfamily\nDrug 1\ta\n", "it has such as 'Drug 1', they have such as 'drug 0'"),
    ):
        classes.write_text(text)
        refused = desk.run("explain", "planted", "--groups", str(classes))
        assert refused.returncode == 2 and words in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.long
def test_what_cannot_be_explained_is_said_with_its_reason(desk: Desk, tmp_path: Path) -> None:
    for words, reason in (
        (["--set", "confirm.points=0"], "nothing that it claims was trained anew"),
        (["--set", "confirm.seeds=4"], "4 fresh blocks have predictions of both models; it takes 6 to tell"),
    ):
        name = f"less-{words[1][-1]}"
        done = desk.search("quick.toml", "--id", name, *SETTINGS[:4], *words)
        assert done.returncode == 0, done.stderr
        refused = desk.run("explain", name)
        assert refused.returncode == 1 and f"'{name}': {reason}" in refused.stderr
        for_programs = desk.run("explain", name, "--json")
        assert for_programs.returncode == 1 and json.loads(for_programs.stdout)["reason"].startswith(reason)
    plain = Desk(tmp_path)
    assert plain.search("quick.toml", "--id", "plain").returncode == 0
    assert "its runs have kept no predictions" in plain.run("explain", "plain").stderr
    assert plain.run("explain", "planed").returncode == 2


@pytest.mark.long
def test_a_bundle_says_that_it_left_predictions_out_and_brings_them_where_asked(desk: Desk, tmp_path: Path) -> None:
    there = Desk(tmp_path)
    for name, words, said in (
        ("without", [], "MB, are left out; --predictions brings them along"),
        ("with", ["--predictions"], "MB packed"),
    ):
        bundle = tmp_path / f"{name}.zip"
        written = desk.run("export", "planted", "--bundle", "-o", str(bundle), *words)
        assert written.returncode == 0 and said in written.stdout
        experiments = str(tmp_path / name)
        assert there.run("import", str(bundle), "--experiments", experiments).returncode == 0
        told = there.run("explain", "planted", "--experiments", experiments)
        if words:
            assert told.stdout == explained(desk, "planted")
        else:
            assert told.returncode == 1
            assert "came in a bundle that has no predictions" in told.stderr
            assert "comparator export planted --bundle --predictions" in told.stderr
