"""`model_name`, `candle_image` and `config_file` in spaces and UPFs of CANDLE: they say what runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from desk import QUICK, Desk

from comparator.errors import InputError
from comparator.experiment.freezing.of_the_workflow import is_of_the_workflow, set_by_points
from comparator.experiment.settings import ExperimentSettings
from comparator.formats.upf import Line
from comparator.space import ParameterSpace

SINGLE = ExperimentSettings(model="uno", upf="upf.txt")
COMPARISON = ExperimentSettings(upf="upf.txt")


def of_lines(settings: ExperimentSettings, *lines: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    return set_by_points(settings, None, [Line(str(number), line) for number, line in enumerate(lines)], "upf.txt")


def of_space(*entries: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    return set_by_points(SINGLE, ParameterSpace.from_entries(list(entries), "space.json"), [], "space.json")


def test_names_with_a_prefix_and_without() -> None:
    named = ["model_name", "cmp_model_name", "cmp_0_candle_image", "config", "cmp_1_config_file"]
    assert [name for name in [*named, "model", "epochs", "cmp_1_epochs"] if is_of_the_workflow(name)] == named


def test_the_name_of_a_model_may_differ_from_line_to_line() -> None:
    assert of_lines(SINGLE, {"model_name": "a", "epochs": 1}, {"model_name": "b"}, {}) == ({}, [])


def test_an_image_that_is_not_run_is_told() -> None:
    given = {"candle_image": "/images/a.sif"}
    assert of_lines(SINGLE, given, given) == (
        {},
        ["upf.txt: 'candle_image' = '/images/a.sif' is not run: the model is 'uno'"],
    )
    of_image = SINGLE.model_copy(update={"model": "/images/a.sif"})
    assert of_lines(of_image, given, given) == ({}, [])


def test_a_file_of_hyperparameters_is_that_of_all_points() -> None:
    assert of_lines(SINGLE, {"config": "a.txt"}, {"config": "a.txt"}) == ({"config_file": "a.txt"}, [])
    assert of_space({"name": "config_file", "type": "constant", "value": "a.txt"}) == ({"config_file": "a.txt"}, [])


def test_the_models_of_a_comparison_stand_in_its_lines_too() -> None:
    given = {"cmp_0_model_name": "a", "cmp_1_candle_image": "b.sif", "cmp_0_config": "c.txt", "model_name": "cmp"}
    assert of_lines(COMPARISON, given, given) == (
        {"cmp_0_model_name": "a", "cmp_1_candle_image": "b.sif", "cmp_0_config_file": "c.txt"},
        [],
    )


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (({"candle_image": "a"}, {"candle_image": "b"}), "upf.txt: 'candle_image' is 'a' and 'b': it says what runs"),
        (({"config_file": "a"}, {"config_file": "b"}), "upf.txt: 'config_file' is 'a' and 'b'"),
        (({"cmp_0_model_name": "a"}, {"cmp_0_model_name": "b"}), "upf.txt: 'cmp_0_model_name' is 'a' and 'b'"),
        (({"config_file": "a"}, {}), "upf.txt: 'config_file' says what runs, and stands in 1 of 2 lines"),
    ],
)
def test_points_do_not_differ_in_what_runs(lines: tuple[dict[str, Any], ...], words: str) -> None:
    with pytest.raises(InputError) as raised:
        of_lines(COMPARISON, *lines)
    assert words in str(raised.value)


def test_a_space_does_not_vary_what_runs() -> None:
    for name in ("model_name", "config_file"):
        with pytest.raises(InputError, match=f"space.json: '{name}' is 'a' and 'b': it says what runs"):
            of_space({"name": name, "type": "categorical", "element_type": "string", "values": ["a", "b"]})
    assert of_space({"name": "model_name", "type": "constant", "value": "a"}) == ({}, [])


def test_a_upf_of_candles_containers_is_carried_out(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    lines = [{"noise": noise, "model_name": f"m{noise}", "candle_image": "/images/quick.sif"} for noise in (1, 2)]
    desk.write("upf.txt", "".join(json.dumps(line) + "\n" for line in lines))
    desk.write("quick.txt", "[a]\nside = 'right'\n")
    words = ("--model", str(QUICK), "--hyperparameters", "quick.txt", "--id", "bare", "--no-report")
    done = desk.run("sweep", "upf.txt", *words)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "upf.txt: no line has an 'id'; each is called after its number in the file, the first line-1" in said
    assert "upf.txt: 'candle_image' = '/images/quick.sif' is not run" in said
    assert {record["id"]: record["point"] for record in desk.records("bare")} == {
        f"line-{number}": line for number, line in enumerate(lines, start=1)
    }
    trained = json.loads((desk.experiments / "bare" / "evaluations.jsonl").read_text().splitlines()[0])["runs"][0]
    assert "model_name" not in (desk.experiments / trained["log"]).read_text()


def lines_of(*lines: dict[str, object]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_each_line_of_a_upf_is_trained_by_the_image_that_it_names(tmp_path: Path) -> None:
    """As those of CANDLE's cmp-cv workflow; each run is the one that a sweep of its model alone would have."""
    desk = Desk(tmp_path)
    (tmp_path / "scripted").mkdir()
    desk.write("scripted/train.sh", 'echo "IMPROVE_RESULT val_loss: 0.$(echo "$@" | sed "s/.*--width //; s/ .*//")"\n')
    desk.write("scripted/model.toml", 'reads = []\nhyperparameters.width = {}\nmetrics.val_loss.kind = "error"\n')
    lines = [
        {"id": "RUN000", "noise": 1, "model_name": "Quick", "candle_image": str(QUICK)},
        {"id": "RUN001", "width": 3, "model_name": "Scripted", "candle_image": "scripted"},
        {"id": "RUN002", "noise": 2, "model_name": "Quick", "candle_image": str(QUICK)},
    ]
    desk.write("upf.txt", lines_of(*lines))
    desk.write("alone.txt", lines_of(*({key: line[key] for key in ("id", "noise")} for line in (lines[0], lines[2]))))
    looked = desk.run("sweep", "upf.txt", "--set", "metric=val_loss", "--dry-run")
    assert "budget: 3 evaluations, 3 trainings" in looked.stdout, looked.stderr
    done = desk.run("sweep", "upf.txt", "--set", "metric=val_loss", "--id", "cv", "--no-report")
    assert done.returncode == 0, done.stderr
    records = {line["id"]: line for line in desk.records("cv")}
    assert records["RUN001"]["point"] == {"model_name": "Scripted", "width": 3}
    assert records["RUN001"]["value"] == 0.3 and records["RUN001"]["runs"][0]["submodel"] == 1
    desk.run("sweep", "alone.txt", "--model", str(QUICK), "--set", "metric=val_loss", "--id", "alone", "--no-report")
    for line in desk.records("alone"):
        assert [run["run"] for run in line["runs"]] == [run["run"] for run in records[line["id"]]["runs"]]
    refused = desk.run("sweep", "upf.txt", "--resume", "cv")
    assert refused.returncode == 2 and "go on by: comparator sweep --resume cv" in refused.stderr


def test_lines_of_one_image_need_no_model_beside_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write("upf.txt", lines_of({"id": "a", "noise": 1, "candle_image": str(QUICK)}))
    done = desk.run("sweep", "upf.txt", "--set", "metric=val_loss", "--id", "one", "--no-report")
    assert done.returncode == 0 and [line["status"] for line in desk.records("one")] == ["ok"], done.stderr


def test_an_image_is_one_however_its_path_is_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "quick.py").symlink_to(QUICK)
    paths = (str(QUICK), "quick.py", "./quick.py")
    desk.write("upf.txt", lines_of(*({"id": f"r{len(path)}", "noise": 1, "candle_image": path} for path in paths)))
    done = desk.run("sweep", "upf.txt", "--set", "metric=val_loss", "--id", "one", "--no-report")
    assert done.returncode == 0, done.stderr
    assert len({str(line["point"]) for line in desk.records("one")}) == 1
    assert [line["runs"][0]["submodel"] for line in desk.records("one")] == [0, 0, 0]


def test_a_model_that_is_given_is_not_every_lines_own(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write("upf.txt", lines_of({"candle_image": "a.sif"}, {"candle_image": "b.sif"}))
    refused = desk.run("sweep", "upf.txt", "--model", str(QUICK), "--set", "metric=val_loss")
    assert refused.returncode == 2
    assert "'candle_image' is 'a.sif' and 'b.sif'" in refused.stderr
    assert "upf.txt trains each line by its own" in refused.stderr
