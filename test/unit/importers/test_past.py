"""Past work: the forms that CANDLE's, IMPROVE's and DeepHyper's users have, with their defects."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.experiment.controller import Controller
from comparator.findings.summary import summarise
from comparator.importers import as_told, import_experiment, read_past, records_of
from comparator.objective.comparison import Objective
from comparator.report import write_report
from comparator.results.experiments import read_experiment
from comparator.results.record_file import read_records
from comparator.results.requests import Request, Result
from comparator.results.state import last_word
from comparator.results.store import ExperimentFolder
from comparator.results.table import export
from comparator.results.tally import count
from comparator.space import ParameterSpace
from comparator.strategies import Proposal, Strategy, make_strategy

PAST = Path(__file__).parents[1] / "data" / "past"
DEFECTS = PAST / "defects" / "hpo.csv"


# Reading


def test_a_table_is_read_past_its_defects() -> None:
    past = read_past(DEFECTS)
    assert (past.form, past.metric, past.maximise) == ("hpo.csv", "val_loss", False)
    assert past.space.names == ["learning_rate", "batch_size"] and past.constants == {"epochs": 10}
    assert [one.result for one in past.results] == [0.25, 0.125, None, 0.5, 0.375, None, 0.3125]
    assert [one.iteration for one in past.results] == [0, 0, 0, 0, 1, 1, 2]
    assert [one.seconds for one in past.results] == [12, 14, 3, 20, 13, 15, None]
    assert past.results[1].point == {"learning_rate": 0.002, "batch_size": 32}
    assert (past.duplicates, past.failed, past.missing) == (1, 2, ())
    assert past.best == past.results[1]


def test_findings_are_said_in_words() -> None:
    findings = read_past(DEFECTS).findings
    for expected in (
        "line 8 is left out: not as many values as the 7 columns",
        "line 9 is left out: iteration or sample is no whole number",
        "line 10 is left out: 'batch_size': 'many' is not one of 16, 32, 64",
        "parameter space: model_param_space-1.json, which lies beside it",
        "1 record is left out: already there, alike in everything",
        "2 of 7 evaluations failed",
        "1 of 7 evaluations (14%) repeat an earlier point exactly: its value is the mean of its results",
        "1 of 7 values of 'learning_rate' lie outside of the parameter space",
        "3 of 7 values of 'learning_rate' lie exactly on a bound",
        "deap-1.log counts 8 evaluations in 2 generations; the file has 7",
    ):
        assert expected in findings


def test_a_missing_hyperparameter_makes_repeats_none() -> None:
    past = read_past(PAST / "incomplete")
    assert past.missing == ("batch_size",)
    assert any(words.startswith("'batch_size' was varied and is not in the file") for words in past.findings)
    assert "2 of 4 evaluations (50%) repeat an earlier point in all that the file tells" in past.findings
    records = records_of(past)
    assert [record.value for record in records] == [-0.5, -0.25, -0.75, -0.125]
    assert records[2].point == {"learning_rate": 0.001, "batch_size": "not recorded (evaluation 2)"}
    assert count(records).done == 4
    assert as_told(past, ParameterSpace.read(PAST / "defects" / "model_param_space-1.json")) == []


def test_an_output_table_has_its_constants_and_its_places_in_run_id() -> None:
    past = read_past(PAST / "output" / "output.csv")
    assert past.constants == {"train_ml_data_dir": "/data/split_0", "epochs": 10}
    assert [(one.iteration, one.sample) for one in past.results] == [(0, 1), (0, 0), (1, 0)]
    assert [entry["type"] for entry in past.space.entries()] == ["int", "float"]
    assert (past.space.entries()[0]["lower"], past.space.entries()[0]["upper"]) == (16, 32)
    assert past.findings[0] == "line 5 is left out: run_id does not end with restart, iteration and sample"
    assert any(words.startswith("parameter space: none") for words in past.findings)


def test_a_population_is_read_with_the_values_beside_it() -> None:
    past = read_past(PAST / "deap" / "deap-3.log")
    assert past.path.name == "population-3.txt" and past.form == "population"
    assert [one.result for one in past.results] == [0.5, 0.25]
    assert past.results[1].point == {"noise": 2.5, "layers": "[16]"} and past.constants == {"data": "a;b"}
    assert "only the 3 points that the search ended with are recorded, 2 of them different" in past.findings


def test_deephyper_maximises_its_objective() -> None:
    file = PAST / "deephyper" / "hpo_results.csv"
    past = read_past(file)
    assert past.maximise and [one.result for one in past.results] == [-0.5, -0.25, None]
    assert [past.value(one) for one in past.results] == [0.5, 0.25, None]
    assert past.results[0].metrics == {"objective": -0.5, "val_loss": 0.5, "val_r2": 0.125}
    assert [one.seconds for one in past.results] == [10, 7.5, 52]
    assert past.results[2].reason == "the recorded result is 'F_timeout'"
    loss = read_past(file, metric="val_loss")
    assert not loss.maximise and [one.result for one in loss.results] == [0.5, 0.25, None]


TRIALS = """,number,value,datetime_start,duration,params_kind,params_size,user_attrs_val_r2,state
0,0,4.5,2024-01-02 10:00:00.5,0 days 00:01:02.500000,a,4,0.5,COMPLETE
1,1,,2024-01-02 10:00:00.5,1 days 00:00:00,b,5,,TrialState.FAIL
2,2,0.1,2024-01-02 10:00:00.5,,b,6,0.25,PRUNED
3,3,2.5,2024-01-02 10:00:00.5,0 days 00:00:01,b,7,0.75,TrialState.COMPLETE
"""


def test_trials_of_optuna_are_evaluations_where_they_are_complete(tmp_path: Path) -> None:
    file = tmp_path / "trials.csv"
    file.write_text(TRIALS)
    past = read_past(file)
    assert (past.form, past.metric, past.maximise, past.failed) == ("Optuna", "val_loss", False, 2)
    assert [one.result for one in past.results] == [4.5, None, None, 2.5]
    assert [one.reason for one in past.results[1:3]] == ["its state in Optuna is FAIL", "its state in Optuna is PRUNED"]
    assert [one.seconds for one in past.results] == [62.5, 86400.0, None, 1.0]
    assert past.results[0].point == {"kind": "a", "size": 4}
    assert past.results[0].metrics == {"val_r2": 0.5, "val_loss": 4.5}
    assert any(
        "taken as val_loss, the smaller the better (--metric names it: of val_r2, accuracy or objective" in words
        for words in past.findings
    )
    assert read_past(file, metric="objective").maximise
    score = read_past(file, metric="val_r2")
    assert score.maximise and score.best is not None and score.best.result == 0.75


def test_what_mlrmbo_is_restarted_from_has_its_results_first(tmp_path: Path) -> None:
    file = tmp_path / "restart.csv"
    file.write_text("y,batch_size,activation\n0.5,128,relu\nNA,16,elu\n0.25,32,relu\n")
    past = read_past(file)
    assert (past.form, past.metric) == ("mlrMBO", "val_loss")
    assert [one.result for one in past.results] == [0.5, None, 0.25]
    assert past.results[1].point == {"batch_size": 16, "activation": "elu"}


def test_a_path_of_mlrmbo_has_its_iterations_and_errors(tmp_path: Path) -> None:
    file = tmp_path / "path.csv"
    file.write_text(
        '"","lr","kind","y","dob","eol","error.message","exec.time","ei"\n'
        '"1",0.5,"a",2,0,NA,NA,12.5,NA\n"2",0.25,"b",214748364.7,0,NA,"stopped",1,NA\n"3",0.125,"a",1,3,NA,NA,11,0.5\n'
    )
    past = read_past(file)
    assert past.space.names == ["lr", "kind"]
    assert [(one.iteration, one.result, one.seconds) for one in past.results] == [
        (0, 2, 12.5),
        (0, None, 1),
        (3, 1, 11),
    ]


@pytest.mark.parametrize("name", ["fitnesses-3.txt", "fitness-3.txt", "best-3.json"])
def test_what_lies_beside_a_population_stands_for_it(tmp_path: Path, name: str) -> None:
    shutil.copytree(PAST / "deap", tmp_path / "deap")
    (tmp_path / "deap" / name).touch()
    (tmp_path / "deap" / "fitnesses-3.txt").write_text((PAST / "deap" / "fitnesses-3.txt").read_text())
    assert read_past(tmp_path / "deap" / name).path.name == "population-3.txt"
    (tmp_path / "deap" / "population-3.txt").unlink()
    with pytest.raises(InputError, match=rf"{name}: has a part of what DEAP ended with and no evaluations; popul"):
        read_past(tmp_path / "deap" / name)


@pytest.mark.parametrize("value", ["nan", "1e999", "-inf"])
def test_a_point_that_is_no_number_is_left_out_and_the_rest_is_imported(tmp_path: Path, value: str) -> None:
    table = tmp_path / "hpo.csv"
    rows = [f"1,{place},{noise},loss,0.{place},1" for place, noise in enumerate(["1", value, "3"])]
    table.write_text("iteration,sample,noise,metric,result,walltime\n" + "\n".join(rows))
    space = tmp_path / "space.json"
    space.write_text('[{"name": "noise", "type": "float", "lower": 0, "upper": 5, "sigma": 1}]')
    folder, findings = import_experiment(table, tmp_path / "experiments", space=space)
    assert len(read_records(folder / "evaluations.jsonl")) == 2
    assert f"line 3 is left out: 'noise': '{value}' is not a float" in findings


def test_repeats_without_results_tell_nothing_of_the_model(tmp_path: Path) -> None:
    table = tmp_path / "hpo.csv"
    rows = ["1,0,1,loss,,1", "1,1,1,loss,nan,1", "1,2,2,loss,0.5,1"]
    table.write_text("iteration,sample,noise,metric,result,walltime\n" + "\n".join(rows))
    findings = read_past(table).findings
    assert (
        "1 of 3 evaluations (33%) repeat an earlier point exactly, but no point has two results to compare" in findings
    )
    assert not any("deterministic" in words for words in findings)


def test_two_searches_in_one_file_are_told_apart(tmp_path: Path) -> None:
    table = tmp_path / "hpo.csv"
    rows = ["001,0000,1,acc,0.5,1", "001,0000,2,acc,0.5,1", "001,0000,3,acc,0.5,1", "001,0001,3,acc,0.5,1"]
    table.write_text("iteration,sample,noise,metric,result,walltime\n" + "\n".join(rows))
    past = read_past(table)
    assert past.maximise and len(past.results) == 4
    assert any("the file holds more than one search" in words for words in past.findings)
    assert "the result 0.5 stands at 3 different points: see whether they learnt at all" in past.findings
    assert any(words.endswith("the model is deterministic") for words in past.findings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "none of the forms that can be imported"),
        ("a,b\n1,2\n", "none of the forms that can be imported"),
        ("iteration,sample,metric,result\n", "has results of no metric"),
        (
            "iteration,sample,noise,metric,result\n1,0,1,2,loss,1\n",
            "line 2: has 6 values, and the header names 5 columns; no line has as many",
        ),
        ("iteration,sample,noise,metric,result\n1,0,1,loss,1\n1,1,1,r2,1\n", "has results of loss, r2; say which"),
        ("iteration,sample,noise,noise,metric,result\n", "the column 'noise' stands twice"),
        ("iteration,sample,noise,Noise,metric,result\n1,0,1,1,loss,1\n", "'noise' and 'Noise' differ in case alone"),
        ('{"noise": 1, "noise": 2}', "'noise' stands twice"),
        ("noise,run_id,val_loss\n1,r_1,0.5\n", "has no evaluation that can be read"),
        ('{"noise": 1};oops', "point 2 is not a JSON object"),
        ("\xff\xfe", "not a text file in UTF-8"),
        ("SQLite format 3\0", r"is an SQLite database; .*study\.trials_dataframe\(\)\.to_csv"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "hpo.csv"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=message) as raised:
        read_past(file)
    assert "\n" not in str(raised.value) and str(file) in str(raised.value)


ROWS = {
    "hpo": ["iteration,sample,noise,metric,result,walltime", "1,0,0.5,val_loss,1,3", "2,1,0.25,val_loss,2,3"],
    "output": ["noise,run_id,val_loss", "0.5,1_1_0,1", "0.25,1_1_1,2"],
    "deephyper": ["p:noise,objective,m:timestamp_submit,m:timestamp_gather", "0.5,-1,0,1", "0.25,F_x,0,1"],
    "optuna": ["number,value,state,duration,params_noise", "0,1,COMPLETE,0 days 00:00:03,0.5", "1,,FAIL,,0.25"],
    "mlrmbo": ["noise,y,dob,error.message", "0.5,1,0,NA", "0.25,2,1,NA"],
}
CELLS = ["", "nan", "1e999", "-1", "0.5", "1", "x", "9" * 400, "9" * 5000, "1_1_" + "9" * 5000, "\u0663", "\0", "'"]


@given(
    st.sampled_from(list(ROWS)), st.integers(1, 2), st.lists(st.sampled_from([None, *CELLS]), min_size=6, max_size=6)
)
@example("hpo", 1, ["9" * 5000, None, None, None, None, None])
@example("hpo", 2, [None, None, "9" * 400, None, None, None])
@example("output", 1, [None, "1_1_" + "9" * 5000, None, None, None, None])
@example("mlrmbo", 1, [None, None, "9" * 5000, None, None, None])
def test_any_cell_is_read_left_out_or_refused(
    tmp_path_factory: pytest.TempPathFactory, form: str, row: int, cells: list[str | None]
) -> None:
    file = tmp_path_factory.getbasetemp() / "any" / "table.csv"
    file.parent.mkdir(exist_ok=True)
    lines = [line.split(",") for line in ROWS[form]]
    lines[row] = [own if cell is None else cell for own, cell in zip(lines[row], cells, strict=False)]
    file.write_text("".join(",".join(line) + "\n" for line in lines))
    try:
        json.dumps(read_past(file).space.entries(), allow_nan=False)
    except InputError as error:
        assert "\n" not in str(error)


def test_wrong_questions_are_answered_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'val_los' \(did you mean 'val_loss'\?\); it has val_loss"):
        read_past(DEFECTS, metric="val_los")
    with pytest.raises(InputError, match="no such file"):
        read_past(tmp_path / "hpo.csv")
    with pytest.raises(InputError, match=r"has none of hpo\.csv"):
        read_past(tmp_path)
    with pytest.raises(InputError, match=r"statistics of generations and no evaluations; give output\.csv"):
        read_past(PAST / "output" / "deap-1.log")
    with pytest.raises(InputError, match="not JSON"):
        read_past(DEFECTS, space=DEFECTS)


# Importing


def test_an_imported_experiment_is_one_like_any_other(tmp_path: Path) -> None:
    folder, findings = import_experiment(DEFECTS, tmp_path)
    experiment, records = read_experiment(folder), read_records(folder / "evaluations.jsonl")
    assert folder.name == experiment.id == "imported-hpo-1"
    assert experiment.imported.file == str(DEFECTS)
    assert experiment.imported.sha256 == hashlib.sha256(DEFECTS.read_bytes()).hexdigest()
    assert set(findings) < set(experiment.notices)
    assert last_word(folder).state == "finished"
    assert {record.stage for record in records} == {"imported"}
    assert all(run.run is None and run.log is None for record in records for run in record.runs)
    assert not (tmp_path / "runs").exists()
    assert experiment.space[0]["upper"] == 0.05
    summary = summarise(experiment, records)
    assert summary.best is not None and summary.best.difference == 0.25
    assert summary.counts == {"ok": 5, "failed": 2, "timeout": 0}
    assert [one.count for one in summary.generations] == [4, 2, 1]
    assert write_report(folder).is_file() and export(folder).is_file()


def test_a_repeat_is_the_next_replicate_and_its_value_the_mean(tmp_path: Path) -> None:
    repeat = records_of(read_past(DEFECTS))[4]
    assert repeat.value == (0.125 + 0.375) / 2
    assert [(run.replicate, run.reused) for run in repeat.runs] == [(0, True), (1, False)]
    assert count(records_of(read_past(DEFECTS))).done == 7


def test_ids_are_checked_and_a_file_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must not begin with"):
        import_experiment(DEFECTS, tmp_path, "../x")
    with pytest.raises(InputError, match="no such file"):
        import_experiment(tmp_path / "none.csv", tmp_path / "experiments")
    assert not (tmp_path / "experiments").exists()
    assert import_experiment(DEFECTS, tmp_path, "mine")[0].name == "mine"
    with pytest.raises(InputError, match="already an experiment"):
        import_experiment(DEFECTS, tmp_path, "mine")


# Telling


def make_informed(population: int = 4) -> tuple[Strategy, ParameterSpace, int]:
    space = ParameterSpace.read(PAST / "defects" / "model_param_space-1.json")
    strategy = make_strategy("steady_state", space, seed=3, in_flight=2, options={"population": population})
    return strategy, space, strategy.inform(as_told(read_past(DEFECTS), space))


def drive(strategy: Strategy, results: int) -> list[Proposal]:
    proposals = strategy.start()
    for number in range(results):
        point = proposals[number].point
        proposals += strategy.tell(number, abs(point["learning_rate"] - 0.005) + point["batch_size"] / 1000)
    return proposals


def test_points_are_told_once_whole_and_with_their_mean() -> None:
    space = ParameterSpace.read(PAST / "defects" / "model_param_space-1.json")
    told = as_told(read_past(DEFECTS), space)
    assert told[0] == ({"learning_rate": 0.001, "batch_size": 16, "epochs": 10}, 0.25)
    assert [value for _, value in told] == [0.25, 0.25, None, None, 0.3125]
    for point, _ in told:
        space.check(point)
    other = ParameterSpace.from_entries([{"name": "noise", "type": "float", "lower": 0, "upper": 1}], "other")
    assert as_told(read_past(DEFECTS), other) == []


def test_names_are_the_spaces_whatever_their_case_in_the_file(tmp_path: Path) -> None:
    table, space = tmp_path / "hpo.csv", tmp_path / "space.json"
    table.write_text("iteration,sample,lr,RNG_Seed,metric,result\n1,0,0.5,1,val_loss,1\n1,1,0.25,2,val_loss,2\n")
    entries = [{"name": "LR", "type": "float", "lower": 0, "upper": 1}]
    space.write_text(json.dumps(entries))
    past = read_past(table, space)
    assert [one.point for one in past.results] == [{"LR": 0.5, "rng_seed": 1}, {"LR": 0.25, "rng_seed": 2}]
    searched = ParameterSpace.from_entries([*entries, {"name": "RNG_SEED", "type": "int", "lower": 1, "upper": 9}], "x")
    assert as_told(past, searched) == [({"LR": 0.5, "rng_seed": 1}, 1), ({"LR": 0.25, "rng_seed": 2}, 2)]


def test_another_value_of_a_constant_is_another_question() -> None:
    space = ParameterSpace.read(PAST / "defects" / "model_param_space-1.json")
    entries = [{**entry, "value": 20} if entry["type"] == "constant" else entry for entry in space.entries()]
    assert as_told(read_past(DEFECTS), ParameterSpace.from_entries(entries, "other")) == []


def test_a_search_breeds_from_what_it_was_told_and_numbers_only_its_own() -> None:
    strategy, space, used = make_informed(population=2)
    assert used == 3
    first = strategy.start()
    assert [proposal.number for proposal in first] == [0, 1] and {one.generation for one in first} == {0}
    for proposal in drive(make_informed()[0], 40):
        space.check(proposal.point)


def test_an_informed_search_repeats_itself_and_differs_from_one_that_was_not() -> None:
    first, again = (drive(make_informed()[0], 30) for _ in range(2))
    assert first == again
    space = make_informed()[1]
    alone = make_strategy("steady_state", space, seed=3, in_flight=2, options={"population": 4})
    assert drive(alone, 30) != first


def test_an_informed_search_is_resumed_by_informing_it_again_and_the_past_costs_no_budget(tmp_path: Path) -> None:
    asked: list[int] = []
    for _ in range(2):
        folder = ExperimentFolder(tmp_path)
        controller = Controller(folder, make_informed()[0], Objective("val_loss", None), budget=20)
        waiting = controller.start()
        for _ in range(12):
            if waiting:
                asked.append(waiting[0].evaluation)
                waiting += controller.tell(answer_to(waiting.pop(0)))
        folder.close()
    assert sorted(asked) == list(range(20)) == sorted(record.evaluation for record in folder.records)
    assert {record.stage for record in folder.records} == {"search"}


def answer_to(request: Request) -> Result:
    asked = request.model_dump()
    point, seed = asked["point"], asked["replicate"] + 1
    metrics = {"val_loss": point["learning_rate"] + point["batch_size"] + seed / 8}
    run = {"submodel": 0, "replicate": asked["replicate"], "seed": seed, "status": "ok", "metrics": metrics}
    outcome = {"status": "ok", "started": "", "seconds": 0.0, "worker": "w", "reason": None, "runs": [run]}
    return Result.model_validate({**asked, **outcome})


def test_other_strategies_leave_past_results_unused() -> None:
    space = make_informed()[1]
    strategy = make_strategy("random", space, seed=3, in_flight=2, options={})
    assert strategy.inform(as_told(read_past(DEFECTS), space)) == 0


# Real files


@pytest.fixture(scope="module")
def campaigns() -> list[Path]:
    place = os.environ.get("COMPARATOR_CAMPAIGNS")
    if not place:
        pytest.skip("COMPARATOR_CAMPAIGNS does not name a folder with records of real searches (hpo.csv)")
    return sorted(Path(place).rglob("hpo.csv"))


def test_real_files_are_read_whole(campaigns: list[Path], tmp_path: Path) -> None:
    assert campaigns
    for number, file in enumerate(campaigns):
        past = read_past(file)
        rows = len(file.read_text().splitlines()) - 1
        assert len(past.results) + past.duplicates == rows
        assert past.best is not None
        folder, _ = import_experiment(file, tmp_path, f"campaign-{number}")
        summary = summarise(read_experiment(folder), read_records(folder / "evaluations.jsonl"))
        assert len(summary.evaluations) == len(past.results)
        told = as_told(past, past.space)
        assert (not told) == bool(past.missing) or all(one.name in past.missing for one in past.space.parameters)


def test_a_real_file_gets_its_report(campaigns: list[Path], tmp_path: Path) -> None:
    smallest = min(campaigns, key=lambda file: file.stat().st_size)
    shutil.copytree(smallest.parent, tmp_path / "campaign")
    folder, _ = import_experiment(tmp_path / "campaign", tmp_path / "experiments")
    assert write_report(folder).is_file()
    assert json.loads((folder / "report.json").read_text())["best"] is not None
