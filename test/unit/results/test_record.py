"""The forms of the record, as its page describes and a real search writes them, and what every command says of one."""

import json
import random
import re
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from desk import Desk
from pydantic import BaseModel
from test_controller import BARE, OBJECTIVE, Listed, result_of, xs

from comparator.engine import launches
from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.paired import Paired
from comparator.experiment.controller import Controller
from comparator.experiment.controller.confirmation import ToConfirm
from comparator.experiment.listing import experiment_rows
from comparator.experiment.progress import best_words
from comparator.findings.summary import summarise
from comparator.objective.amounts import SHARES
from comparator.report import words, write_report
from comparator.results import frozen, in_flight, notes, record, requests, run_result, state
from comparator.results.experiments import read_experiment, read_whole_experiment
from comparator.results.form import Form
from comparator.results.frozen import Claim, FrozenExperiment, ObjectiveWords, Submodel, WholeExperiment
from comparator.results.points import best_of, best_values, values_of
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.run_result import RunResult
from comparator.results.run_store import RunStore
from comparator.results.store import ExperimentFolder
from comparator.results.table import export
from comparator.results.tally import count

PAGE = Path(__file__).parents[3] / "docs" / "record-format.md"
FORMS = {
    name: form
    for module in (frozen, in_flight, launches, notes, record, requests, run_result, state)
    for name, form in vars(module).items()
    if isinstance(form, type) and issubclass(form, Form) and form not in (Form, WholeExperiment)
}


def test_settings_have_the_names_that_a_file_gives_them() -> None:
    settings = {"search": {"seed": 1}, "cmp": {"metric": "r2", "submodel_1": {"environment": {"A": "1"}}}}
    assert frozen.by_dotted_name(settings) == {"search.seed": 1, "cmp.metric": "r2", "cmp.1.environment.A": "1"}


def words_of(annotation: Any) -> str:
    """A type as the page has it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return words_of(inner[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(words_of, inner))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin is list:
        return f"list of {words_of(inner[0])}"
    if origin is tuple and inner[1:] == (...,):
        return f"list of {words_of(inner[0])}"
    if origin is tuple:
        return f"list [{', '.join(map(words_of, inner))}]"
    if origin is dict:
        return f"object of {words_of(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Form):
        return annotation.__name__
    plain = {str: "text", int: "whole number", float: "number", bool: "truth", type(None): "null", Any: "any"}
    return plain[annotation]


def test_the_page_describes_every_form_and_nothing_else() -> None:
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    described = {}
    for section in sections:
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (always|) \| (.+) \|$", section, re.MULTILINE)
        described[section.split("\n")[0]] = {name: (kind, there) for name, kind, there, _ in rows}
    expected = {
        name: {
            key: (words_of(field.annotation), "always" if field.is_required() else "")
            for key, field in form.model_fields.items()
        }
        for name, form in FORMS.items()
    }
    assert described == expected


def forms_in(form: BaseModel) -> list[BaseModel]:
    """A form and all that it holds."""
    held = [value for _, value in form]
    flat = [each for value in held for each in (value if isinstance(value, list) else [value])]
    flat += [each for value in held if isinstance(value, dict) for each in value.values()]
    return [form, *(inner for each in flat if isinstance(each, BaseModel) for inner in forms_in(each))]


@pytest.mark.long
def test_what_a_search_writes_has_no_key_that_the_page_lacks(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert (
        desk.search("quick.toml", "--id", "whole", "--set", "search.pilot=2", "--set", "confirm.points=1").returncode
        == 0
    )
    path = desk.experiments / "whole"
    evaluations = read_records(path / "evaluations.jsonl")
    runs = RunStore(desk.experiments)
    results = [runs.result(run.run or "") for line in evaluations for run in line.runs]
    for form in [read_whole_experiment(path), *evaluations, *filter(None, results)]:
        for each in forms_in(form):
            assert not each.model_extra, (type(each).__name__, each.model_extra)
    assert len(list(filter(None, results))) == len(results) > 0


def test_what_is_read_is_written_again_as_it_was() -> None:
    line = {"evaluation": 0, "point": {"x": 1}, "status": "ok", "value": 1.5, "runs": [], "more": {"a": [1]}}
    assert Evaluation.model_validate(line).as_json() == line
    result = {"status": "ok", "metrics": {"m": None}, "later": True}
    assert RunResult.model_validate(result).as_json() == result


# One meaning of the value of a point, of best, of done


CMP = FrozenExperiment(
    id="try-1",
    metric="val_loss",
    objective=ObjectiveWords(name="relative difference of val_loss", maximise=True),
    models=[Submodel(submodel=0, name="a"), Submodel(submodel=1, name="b")],
    space=[{"name": "x", "type": "float", "lower": 0, "upper": 9}],
    budget=frozen.Budget(evaluations=9),
)


def carried_out(
    folder: ExperimentFolder,
    points: list[dict[str, Any]],
    model: Callable[[dict[str, Any]], tuple[float, float]],
    fails: Callable[[dict[str, Any]], bool] = lambda asked: False,
    **more: Any,
) -> list[Evaluation]:
    folder.freeze(CMP)
    controller = Controller(folder, Listed(points, ahead=1), OBJECTIVE, budget=9, **more)
    waiting = controller.start()
    while waiting:
        request = waiting.pop(0)
        waiting += controller.tell(result_of(request, model, "failed" if fails(request.model_dump()) else "ok"))
    assert controller.done == count(folder.records).done
    folder.close()
    return folder.records


def lucky(asked: dict[str, Any]) -> tuple[float, float]:
    """The first seed at 1 is a lucky one: its mean over two seeds is below that of 2."""
    return 1.0, {(1, 0): 10.0, (1, 1): 1.01}.get((asked["point"]["x"], asked["replicate"]), 3.0)


def best_is_1(asked: dict[str, Any]) -> tuple[float, float]:
    return 1.0, 10.0 if asked["point"]["x"] == 1 else 2.0 + asked["replicate"] % 5


def repeat_of_1_fails(asked: dict[str, Any]) -> bool:
    return bool(asked["point"]["x"] == 1 and asked["replicate"] == 1)


def one_best(records: Any) -> list[Claim]:
    best = [(line.point, line.value or 0.0) for line in values_of(records).values()]
    return find_claims(None, Paired.of([]), best, Asked(points=1, blocks=2, regions=False, elsewhere=False))


CONFIRM = {"to_confirm": ToConfirm(one_best, None, splits=False)}


@pytest.mark.parametrize(
    ("points", "model", "more", "best", "done"),
    [
        (xs(1, 2, 1), lucky, {}, (2, 2 / 3), 3),
        (xs(1, 2, 1), lucky, CONFIRM, (2, 2 / 3), 3),
        (xs(1, 2, 3, 1), best_is_1, {**CONFIRM, "fails": repeat_of_1_fails}, (1, 0.9), 4),
        (xs(1, 2, 3), best_is_1, {"pilot": xs(4, 5), **CONFIRM}, (1, 0.9), 7),
    ],
)
def test_everybody_who_is_asked_gives_one_answer(tmp_path: Path, points, model, more, best, done) -> None:
    folder = ExperimentFolder.create(tmp_path, "try", None, BARE)
    records = carried_out(folder, points, model, **more)
    x, value = best[0], pytest.approx(best[1])
    said = f"best {100 * best[1]:.1f} % at x {x}"

    assert best_words(CMP, records) == said  # progress and watch
    (listed,) = experiment_rows(tmp_path)
    assert (listed["best"], listed["evaluations"], listed["of"]) == (said, done, 9)
    summary = summarise(read_experiment(folder.path), records)
    assert summary.best is not None and (summary.best.point["x"], summary.best.difference) == (x, value)
    assert (summary.number.done, sum(summary.reliability.pairs.values()) - summary.number.confirming) == (done, done)
    assert summary.best_so_far[-1][1] == value == as_found(records)
    confirming = [line.point["x"] for line in records if line.stage == "confirm"]
    assert confirming == ([x] if "to_confirm" in more else [])
    page = write_report(folder.path)
    report = json.loads(page.with_suffix(".json").read_text())
    assert (report["best"]["point"]["x"], report["best"]["difference"]) == (x, value)
    assert report["counts"]["done"] == done
    assert words.counted(summary) in " ".join(page.read_text().split())
    if "to_confirm" in more:
        assert report["confirmed"][0]["point"]["x"] == x and report["confirmed"][0]["searched"] == value
    exported = json.loads(export(folder.path, "json").read_text())["runs"]
    latest = {
        row["point.x"]: row["difference"] for row in exported if row["stage"] != "confirm" and row["status"] == "ok"
    }
    assert max(latest.values()) == latest[x] == value


def as_found(records: list[Evaluation]) -> float:
    """The best difference, by the functions that all ask."""
    assert best_of(records)[0] is min(values_of(records).values(), key=lambda line: line.value or 0.0)
    assert best_values(records)[-1][1] == best_of(records)[0].value
    return -(best_of(records)[0].value or 0.0)


@pytest.mark.long
def test_a_record_of_an_earlier_version_is_read_alike_in_the_closing_words_and_in_the_report(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    noisy = ["--set", "hyperparameters.jitter=0.1", "--set", "search.replicates=2", "--set", "search.evaluations=8"]
    assert desk.search("quick.toml", "--id", "old", *noisy, "--set", "confirm.points=2").returncode == 0
    path = desk.experiments / "old" / "evaluations.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    since = ("after", "replicates", "signed", "deviation", "interval")
    kept = [{key: line[key] for key in line if key not in since} for line in lines]
    path.write_text("".join(json.dumps(line) + "\n" for line in kept))
    state = desk.experiments / "old" / "state.json"
    state.write_text(state.read_text().replace('"finished"', '"stopped"'))
    told = desk.run("search", "--resume", "old", "--workers", "1")
    assert told.returncode == 0, told.stderr
    best = json.loads((desk.experiments / "old" / "report.json").read_text())["best"]
    difference, confirmed = (SHARES.amount(best[name], 4) for name in ("difference", "confirmed"))
    assert f"{difference} at " in told.stdout and f"; tried anew {confirmed};" in told.stdout


def test_the_best_so_far_never_worsens_whatever_the_order_of_finishing_and_ends_at_the_best() -> None:
    numbers = random.Random(3)
    lines = [
        {"evaluation": n, "point": {"x": numbers.randrange(6)}, "status": "ok", "value": numbers.random(), "runs": []}
        for n in range(200)
    ]
    records = [Evaluation.model_validate(line) for line in lines]
    numbers.shuffle(records)
    found = best_values(records)
    at, values = [one.evaluation for one, _ in found], [value for _, value in found]
    assert at == sorted(at) and values == sorted(values, reverse=True)
    assert values[-1] == best_of(records)[0].value


def test_evaluations_that_finish_out_of_order_have_the_best_so_far_by_number() -> None:
    lines = [(1, -0.343), (0, -0.363), (2, -0.2)]
    records = [
        Evaluation.model_validate({"evaluation": n, "point": {"x": n}, "status": "ok", "value": value, "runs": []})
        for n, value in lines
    ]
    assert [(one.evaluation, value) for one, value in best_values(records)] == [(0, -0.363), (1, -0.363), (2, -0.363)]


@pytest.mark.parametrize("changes", [{"value": -1e308}, {"signed": [0.1, 1e300]}])
def test_a_line_with_a_value_out_of_range_is_read_as_failed(changes: dict[str, Any]) -> None:
    run = {"submodel": 0, "replicate": 0, "status": "ok", "metrics": {"m": 1e308, "n": 0.5}}
    line = {"evaluation": 0, "point": {"x": 1}, "status": "ok", "value": -0.2, "signed": [0.2], "runs": [run]}
    read = Evaluation.model_validate({**line, **changes})
    assert (read.status, read.value, read.signed) == ("failed", None, [])
    assert read.reason == "out of range: beyond 1e+100 in size"
    assert read.runs[0].metrics == {"m": None, "n": 0.5}
    (shown,) = summarise(FrozenExperiment(id="", models=[Submodel()]), [read]).evaluations
    assert shown.difference is None and shown.metrics == ({"n": 0.5},)


def test_a_point_that_is_tried_again_is_the_best_so_far_from_its_first_evaluation_with_its_mean() -> None:
    lines = [(0, "a", -0.2), (1, "b", -0.5), (2, "a", -0.3), (3, "b", -0.4), (4, "c", -0.1)]
    records = [
        Evaluation.model_validate({"evaluation": n, "point": {"x": x}, "status": "ok", "value": value, "runs": []})
        for n, x, value in lines
    ]
    found = [(one.evaluation, value) for one, value in best_values(records)]
    assert found == [(0, -0.3), (1, -0.4), (2, -0.4), (3, -0.4), (4, -0.4)]


def test_the_file_that_describes_a_model_is_called_by_its_name() -> None:
    assert Submodel(path="/a/first.py").description_file == "first.toml"
    assert {Submodel(path=each).description_file for each in ("", "/a/uno", "/a/uno.v2")} == {"model.toml"}
