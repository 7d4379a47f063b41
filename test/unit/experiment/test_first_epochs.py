"""Fewer epochs first: short trainings search, full ones decide, and the two are never taken together."""

import json
from collections.abc import Callable
from itertools import product
from subprocess import CompletedProcess
from typing import Any

import pytest
from cases import long_but
from desk import Desk
from hypothesis import given
from hypothesis import strategies as st
from searched import POINTS, Worker, lines, noisy, stopped_anywhere
from test_controller import BARE, OBJECTIVE, Listed, xs

from comparator.errors import ComparatorError
from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.paired import Observation, Paired
from comparator.experiment.controller import Controller
from comparator.experiment.controller.confirmation import ToConfirm
from comparator.experiment.freezing.first_epochs import short_and_full
from comparator.results.frozen import Claim, FirstEpochs, FrozenExperiment
from comparator.results.points import best_of, best_values, final_values_of, observations_in, values_of
from comparator.results.requests import Request, Result
from comparator.results.store import ExperimentFolder
from comparator.results.tally import count
from comparator.strategies.replication import Replication

FIRST = FirstEpochs(epochs=2, full=6, points=3)
MODEL = """
import random

def initialize_parameters():
    return {"noise": 0.0, "size": 100, "side": "left", "rng_seed": 1, "epochs": 1}

def run(params):
    luck = random.Random(f"{params['rng_seed']} {params['noise']}").gauss(0, 0.01)
    left = params["side"] == "left"
    loss = 1.0 + 0.01 * params["noise"] * params["epochs"] * left + luck
    return {"val_loss": [loss] * params["epochs"], "epochs_done": params["epochs"]}
"""


def said(done: CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def far(asked: dict[str, Any]) -> tuple[float, float]:
    """Short trainings differ by ten times more, and rank points the other way from 8 on."""
    first, second = noisy(asked)
    short = asked.get("epochs") is not None
    return first, second * 10 if short else second + 100 * (asked["point"]["x"] == 8)


def growing(asked: dict[str, Any]) -> tuple[float, float]:
    """The difference grows with the epochs."""
    return 1.0, 2.0 + asked["point"]["x"] * (asked.get("epochs") or 6)


def three_best(records: Any) -> list[Claim]:
    final = final_values_of(records)
    best = [(line.point, line.value or 0.0) for line in final.values()]
    paired = Paired.of([Observation(*each) for each in observations_in(records)])
    return find_claims(None, paired, best, Asked(points=1, blocks=3, regions=False, elsewhere=True))


STAGES: dict[str, Any] = {
    "budget": 18,
    "blocks": 4,
    "first": FIRST,
    "pilot": xs(2, 8),
    "to_confirm": ToConfirm(three_best, None, splits=True),
}


@pytest.fixture
def folder(tmp_path):
    made = ExperimentFolder.create(tmp_path, "try", None, BARE)
    yield made
    made.close()


def test_the_best_of_short_trainings_are_trained_in_full_on_further_replicates(folder) -> None:
    worker, strategy = Worker(far), Listed(POINTS)
    worker.finish(Controller(folder, strategy, OBJECTIVE, **STAGES))
    stages = [line.stage for line in folder.records]
    assert stages == sorted(stages, key=["pilot", "search", "full", "confirm"].index)
    assert [line.evaluation for line in folder.records] == list(range(len(stages)))
    short = [*lines(folder, "pilot"), *lines(folder, "search")]
    assert {line.epochs for line in short} == {2}
    assert {line.epochs for line in [*lines(folder, "full"), *lines(folder, "confirm")]} == {None}
    assert {each.get("epochs") for each in worker.asked if each["replicate"] >= 1000} == {None}
    best = sorted(values_of(folder.records).values(), key=lambda line: line.value)[:3]
    assert [line.point for line in lines(folder, "full")] == [line.point for line in best]
    for line in lines(folder, "full"):
        earlier = [part.replicate for each in short if each.point == line.point for part in each.asked]
        assert [part.replicate for part in line.asked] == [1 + max(earlier)]
        assert [run.reused for run in line.runs] == [False, False]
    expected = [each["expected_seconds"] for each in worker.asked[18:]]
    assert expected[:3] == [6.0] * 3  # short ones took 2 seconds for 2 epochs of 6
    numbers = count(folder.records)
    assert (numbers.done, numbers.in_full, numbers.confirming) == (18, 3, 6)


def test_a_strategy_is_told_short_values_alone_and_the_best_is_of_full_ones(folder) -> None:
    strategy = Listed(POINTS)
    Worker(far).finish(Controller(folder, strategy, OBJECTIVE, **STAGES))
    short = {line.evaluation: line.value for line in lines(folder, "search")}
    assert {number + len(STAGES["pilot"]): value for number, value in strategy.told} == short
    assert {line.epochs for line in values_of(folder.records).values()} == {2}
    assert best_of(folder.records) == sorted(lines(folder, "full"), key=lambda line: line.value)
    assert best_of(folder.records)[0].point == {"x": 8}  # which short trainings do not show
    assert {line.epochs for line, _ in best_values(folder.records)} == {2}
    seen = [number for _, signed, _ in observations_in(folder.records) for number in signed]
    assert min(seen) > 0.94 > min(line.signed[0] for line in lines(folder, "full"))


def test_where_no_full_training_gives_a_result_the_short_ones_stand(folder) -> None:
    worker, controller = Worker(far), Controller(folder, Listed(POINTS), OBJECTIVE, **STAGES)
    waiting = controller.start()
    while waiting:
        request = waiting.pop(0)
        fails = controller.stage == "full"
        waiting += controller.tell(worker.result(request, status="failed" if fails else "ok"))
    assert [line.status for line in lines(folder, "full")] == ["failed"] * 3
    assert best_of(folder.records)[0].epochs == 2
    assert lines(folder, "confirm")


@pytest.mark.parametrize(
    ("model", "replicates"), long_but([(far, "adaptive")], product((far, growing), (1, 2, "adaptive")))
)
def test_a_stop_anywhere_loses_nothing_and_trains_nothing_twice(
    tmp_path, model: Callable[[dict[str, Any]], tuple[float, float]], replicates
) -> None:
    class Kept(Worker):
        """What it has trained has a length too."""

        def __init__(self) -> None:
            super().__init__(model)
            self.lengths: set[str] = set()

        def result(self, request: Request, status: str = "ok") -> Result:
            self.lengths.add(json.dumps([request.point, request.replicate, request.epochs]))
            return super().result(request, status)

    def controller(folder: ExperimentFolder) -> Controller:
        return Controller(folder, Listed(POINTS, ahead=1), OBJECTIVE, replication=Replication.of(replicates), **STAGES)

    def facts(folder: ExperimentFolder) -> list[str]:
        kept = ("evaluation", "stage", "epochs", "claim", "point", "value", "signed", "blocks")
        return sorted(json.dumps([getattr(line, key) for key in kept]) for line in folder.records)

    searches = stopped_anywhere(tmp_path, controller, Kept)
    whole, worker = next(searches)
    assert lines(whole, "full") and lines(whole, "confirm")
    for folder, again in searches:
        assert facts(folder) == facts(whole)
        assert again.lengths == worker.lengths


def test_a_record_that_lacks_a_full_training_does_not_follow(folder) -> None:
    Worker(far).finish(Controller(folder, Listed(POINTS), OBJECTIVE, **STAGES))
    folder.records.remove(lines(folder, "full")[0])
    with pytest.raises(ComparatorError, match="now proposes"):
        Controller(folder, Listed(POINTS), OBJECTIVE, **STAGES).start()


@given(st.integers(1, 10**5), st.integers(1, 99), st.integers(2, 100), st.floats(0.001, 1))
def test_short_and_full_trainings_keep_within_the_budget(pairs: int, first: int, full: int, keep: float) -> None:
    if first >= full:
        return
    short, in_full = short_and_full(pairs, first, full, keep)
    assert 0 <= short * first + in_full * full <= pairs * full
    assert in_full > keep * short - 1


def test_a_third_of_56_full_pairs() -> None:
    assert short_and_full(56, 5, 15, 1 / 3) == (84, 28)


# From the command line


@pytest.fixture
def desk(tmp_path) -> Desk:
    desk = Desk(tmp_path)
    model = desk.write("epochs.py", MODEL)
    desk.write(
        "quick.txt",
        f"[Global_Params]\nmodel_name = 'cmp'\ncmp_model_name = '{model}'\ncmp_0_side = 'left'\ncmp_1_side = 'right'\n"
        "epochs = 6\n",
    )
    return desk


SEARCH = ("search", "quick.toml", "--set", "search.first_epochs=2", "--set", "search.strategy=sobol")


@pytest.mark.long
def test_a_search_by_short_trainings_runs_to_its_report_and_is_as_it_should_be(desk) -> None:
    done = desk.run(*SEARCH, "--id", "one")
    assert done.returncode == 0, said(done)
    folder = desk.experiments / "one"
    frozen = FrozenExperiment.model_validate_json((folder / "experiment.json").read_text())
    assert frozen.stages.first == FirstEpochs(epochs=2, full=6, points=6)
    assert frozen.budget.evaluations == 18
    for line in desk.records("one"):
        assert {run["metrics"]["epochs_done"] for run in line["runs"]} == {line.get("epochs", 6)}
    report = json.loads((folder / "report.json").read_text())
    assert report["counts"]["in_full"] == 6
    assert report["best"]["metrics"][0]["epochs_done"] == 6
    assert "trainings of 2 of 6 epochs" in (folder / "report.html").read_text()
    verified = desk.run("verify", "one", "--sample", "all")
    assert verified.returncode == 0 and "as it should be" in said(verified), said(verified)
    assert desk.run("export", "one").returncode == 0
    table = (folder / "runs.csv").read_text().splitlines()
    assert table[0].split(",")[:4] == ["evaluation", "id", "stage", "epochs"]
    assert table[1].split(",")[2:4] == ["search", "2"]
    assert [row.split(",")[3] for row in table if row.split(",")[2] == "full"] == [""] * 12


@pytest.mark.long
def test_the_record_of_a_short_training_says_so(desk) -> None:
    assert desk.run(*SEARCH, "--id", "one").returncode == 0
    path = desk.experiments / "one" / "evaluations.jsonl"
    path.write_text(path.read_text().replace('"epochs": 2, ', "", 1))
    verified = desk.run("verify", "one")
    assert verified.returncode != 0
    assert "epochs is 6 at its point, but run" in said(verified)


def test_a_dry_run_says_how_the_budget_is_shared(desk) -> None:
    words = said(desk.run(*SEARCH, "--dry-run"))
    assert "18 evaluations, 36 trainings, of 2 of 6 epochs; then 12 in full, of the best 6 points" in words
    assert "as long as those of 12 full evaluations" in words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["search.first_epochs=6"], "first_epochs = 6: must be fewer than epochs = 6"),
        (["search.first_epochs=2", "hyperparameters.cmp_0_epochs=7"], "the models train for 7 and 6 epochs"),
        (["search.first_epochs=2", "hyperparameters.epochs=many"], "epochs = 'many'"),
        (["search.first_epochs=2", "search.strategy=grid"], "first_epochs is of a search"),
        (["search.first_epochs=2", "search.generations=3"], "give evaluations = N"),
        (["search.first_epochs=0"], "'search.first_epochs' = 0"),
        (["search.keep=0.2"], "give both"),
        (["search.first_epochs=2", "search.keep=1.5"], "'search.keep' = 1.5"),
        (["search.first_epochs=2", "search.evaluations=2", "search.replicates=3"], "no full training"),
        (["search.first_epochs=2", "cmp.difference=in_deviations", "search.pilot=2"], "deviation of full trainings"),
    ],
)
def test_what_has_no_meaning_is_refused_in_a_line_before_anything_starts(desk, settings, words) -> None:
    done = desk.run("search", "quick.toml", *(word for each in settings for word in ("--set", each)))
    assert done.returncode == 2, said(done)
    assert words in said(done)
    assert len(done.stderr.strip().splitlines()) == 1
    assert not desk.experiments.exists() or not list(desk.experiments.glob("*/evaluations.jsonl"))


def test_a_model_that_takes_no_epochs_is_refused(tmp_path) -> None:
    done = Desk(tmp_path).run("search", "quick.toml", "--set", "search.first_epochs=2")
    assert done.returncode == 2
    assert "first_epochs = 2: quick has no hyperparameter 'epochs'" in said(done)


def test_a_space_that_varies_the_epochs_is_refused(desk) -> None:
    desk.write("space.json", json.dumps([{"name": "epochs", "type": "int", "lower": 3, "upper": 9}]))
    done = desk.run("search", "quick.toml", "--set", "search.first_epochs=2")
    assert done.returncode == 2
    assert "the space varies 'epochs'" in said(done)


@pytest.mark.long
def test_each_model_is_given_the_epochs_by_its_own_name(desk) -> None:
    desk.write("other.py", MODEL.replace('"epochs"', '"num_epochs"').replace('"num_epochs_done"', '"epochs_done"'))
    text = (desk.folder / "quick.txt").read_text()
    desk.write("quick.txt", text + f"cmp_1_model_name = '{desk.folder / 'other.py'}'\n")
    toml = (desk.folder / "quick.toml").read_text()
    desk.write("quick.toml", toml + '[cmp.1.names]\nepochs = "num_epochs"\n')
    done = desk.run(*SEARCH, "--id", "one", "--set", "confirm.points=0")
    assert done.returncode == 0, said(done)
    for line in desk.records("one"):
        assert [run["metrics"]["epochs_done"] for run in line["runs"]] == [line.get("epochs", 6)] * 2
