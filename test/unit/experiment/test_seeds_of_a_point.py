"""On how many seeds a point is trained, and to which blocks they are dealt."""

from __future__ import annotations

import itertools
import random
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searched import Worker, deterministic, noisy
from test_controller import BARE, OBJECTIVE, Listed, xs

from comparator.errors import InputError
from comparator.experiment.controller import Controller
from comparator.experiment.freezing.given_seeds import check_seed, doubt_seed
from comparator.model.references import find_model
from comparator.results.store import ExperimentFolder
from comparator.results.tally import count
from comparator.results.whole import whole_evaluations
from comparator.strategies.blocks import BLOCKS, block_of
from comparator.strategies.replication import MOST, Replication


@pytest.fixture
def folder(tmp_path):
    made = ExperimentFolder.create(tmp_path, "try", None, BARE)
    yield made
    made.close()


def test_each_point_is_trained_on_k_seeds_and_its_line_carries_them_all(folder) -> None:
    worker, strategy = Worker(noisy), Listed(xs(1, 2), ahead=2)
    worker.finish(Controller(folder, strategy, OBJECTIVE, budget=8, replication=Replication(4, 4)))
    assert [(each["point"]["x"], each["replicate"]) for each in worker.asked] == [
        (x, k) for x in (1, 2) for k in range(4)
    ]
    line = folder.records[0]
    assert [(run.replicate, run.submodel) for run in line.runs] == [(k, s) for k in range(4) for s in (0, 1)]
    each = [OBJECTIVE(line.runs[2 * k : 2 * k + 2]) for k in range(4)]
    assert line.value == pytest.approx(statistics.fmean(each)) == strategy.told[0][1]
    assert line.signed == pytest.approx([-value for value in each])  # submodel 1 is the larger
    assert line.deviation == pytest.approx(statistics.stdev(each))
    low, high = line.interval
    assert (high - low) / 2 == pytest.approx(3.182446 * statistics.stdev(each) / 2, rel=1e-6)
    assert (line.seconds, len(line.asked)) == (8.0, 4)


def test_the_budget_is_kept_to_the_pair(folder) -> None:
    controller = Controller(folder, Listed(xs(*range(9))), OBJECTIVE, budget=10, replication=Replication(4, 4))
    Worker(noisy).finish(controller)
    assert [len(line.asked) for line in folder.records] == [4, 4, 2]
    assert controller.asked == count(folder.records).done == 10


def test_a_point_that_is_proposed_again_takes_fresh_seeds(folder) -> None:
    worker = Worker(noisy)
    worker.finish(Controller(folder, Listed(xs(1, 1), ahead=1), OBJECTIVE, budget=4, replication=Replication(2, 2)))
    assert [each["replicate"] for each in worker.asked] == [0, 1, 2, 3]
    assert [run.reused for run in folder.records[1].runs] == [False] * 4
    whole = whole_evaluations(folder.records)[1]
    assert [run.reused for run in whole.runs] == [True] * 4 + [False] * 4
    assert len(whole.signed) == 4


def test_a_deterministic_model_gets_no_replicates(folder) -> None:
    controller = Controller(folder, Listed(xs(*range(5)), ahead=1), OBJECTIVE, budget=9, replication=Replication(3, 3))
    Worker(deterministic).finish(controller)
    assert [len(line.asked) for line in folder.records] == [3, 1, 1, 1, 1]


def test_one_replicate_that_fails_costs_the_evaluation_nothing_but_itself(folder) -> None:
    worker, strategy = Worker(noisy), Listed(xs(1), ahead=1)
    controller = Controller(folder, strategy, OBJECTIVE, budget=3, replication=Replication(3, 3))
    first, *others = controller.start()
    controller.tell(worker.result(first, status="timeout"))
    for each in others:
        controller.tell(worker.result(each))
    line = folder.records[0]
    assert (line.status, len(line.signed), len(line.asked)) == ("ok", 2, 3)
    assert line.reason == "replicate 0: it broke"


def test_an_evaluation_all_of_whose_replicates_fail_has_failed(folder) -> None:
    worker = Worker(noisy)
    controller = Controller(folder, Listed(xs(1), ahead=1), OBJECTIVE, budget=2, replication=Replication(2, 2))
    for each in controller.start():
        controller.tell(worker.result(each, status="failed"))
    line = folder.records[0]
    assert (line.status, line.value, line.reason, line.signed) == ("failed", None, "it broke", [])


def test_a_cancelled_replicate_leaves_no_line(folder) -> None:
    worker = Worker(noisy)
    controller = Controller(folder, Listed(xs(1, 2)), OBJECTIVE, budget=4, replication=Replication(2, 2))
    first, second, *_ = controller.start()
    assert controller.tell(worker.result(first)) == []
    assert controller.tell(worker.result(second, status="cancelled")) == []
    assert folder.records == []


def test_the_race_gives_seeds_to_what_would_be_the_best_and_to_nothing_else() -> None:
    race = Replication.of("adaptive")
    assert race.further(-0.5, 1, -0.4) == race.further(-0.5, 1, None) == 1
    assert race.further(-0.3, 1, -0.4) == 0
    assert race.further(-0.35, 2, -0.4) == 0  # the first was luck
    assert race.further(-0.45, 2, -0.4) == 2
    assert race.further(-0.5, MOST, -0.4) == 0
    assert not Replication.of(3).is_adaptive and Replication.of(3).further(-0.5, 3, -0.4) == 0


def test_in_an_adaptive_search_the_best_point_has_the_most_seeds(folder) -> None:
    rng = random.Random(1)
    strategy = Listed(xs(*[rng.uniform(0, 9) for _ in range(30)]), ahead=1)
    replication = Replication.of("adaptive")
    controller = Controller(folder, strategy, OBJECTIVE, budget=30, replication=replication)
    Worker(noisy).finish(controller)
    assert controller.asked == count(folder.records).done == 30
    best = min(folder.records, key=lambda line: line.value)
    assert len(best.signed) == MOST
    assert min(len(line.signed) for line in folder.records) == 1


def test_replicates_are_dealt_to_blocks_of_a_split_and_seeds(folder) -> None:
    worker = Worker(noisy)
    points = [*xs(*range(1, 40)), *xs(*range(1, 10))]
    worker.finish(Controller(folder, Listed(points), OBJECTIVE, budget=48, blocks=BLOCKS))
    assert all(each["seed"] == each["split"] == each["block"] for each in worker.asked)
    for line in folder.records:
        assert line.blocks == [block_of(line.point, run.replicate, BLOCKS).number for run in line.runs[::2]]
    again = {each["point"]["x"]: each["block"] for each in worker.asked[-9:]}
    first = {each["point"]["x"]: each["block"] for each in worker.asked[:39]}
    assert all(first[x] != block for x, block in again.items())


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.floats(allow_nan=False), min_size=1), st.integers(1, 12))
def test_a_point_goes_through_all_blocks_before_it_comes_to_one_again(point: dict[str, Any], blocks: int) -> None:
    found = [block_of(point, replicate, blocks) for replicate in range(3 * blocks)]
    assert found == [block_of(dict(reversed(point.items())), replicate, blocks) for replicate in range(3 * blocks)]
    for first in range(0, 3 * blocks, blocks):
        assert sorted(each.number for each in found[first : first + blocks]) == list(range(blocks))
    assert len({each.seed for each in found}) == 3 * blocks  # no training is another's
    if blocks > 1:
        assert all(each.seed % blocks == each.number == each.split for each in found)
    assert {each.split for each in found} == ({None} if blocks == 1 else set(range(blocks)))


def test_neighbours_do_not_share_their_block() -> None:
    points = [{"x": number / 1000} for number in range(1000)]
    first = [block_of(point, 0, BLOCKS).number for point in points]
    assert all(100 < first.count(block) < 150 for block in range(BLOCKS))
    assert sum(one == other for one, other in itertools.pairwise(first)) == pytest.approx(125, abs=40)


def test_what_takes_a_seed_is_no_slip_of_what_the_model_has(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(
        "def initialize_parameters():\n    return {'noise': 0.0, 'rng_seed': 1}\ndef run(params):\n    return 1.0\n"
    )
    (tmp_path / "first.toml").write_text('seed = "rng_sed"\n[hyperparameters.rng_seed]\ntype = "int"\n')
    model = find_model("first.py", tmp_path, tmp_path, "test")
    with pytest.raises(InputError, match=r"first.toml: seed = 'rng_sed': .* \(did you mean 'rng_seed'\?\)"):
        check_seed(model, {}, tmp_path / "file.toml")
    (tmp_path / "first.toml").write_text('seed = "seed"\n[hyperparameters.speed]\ntype = "int"\n')
    check_seed(find_model("first.py", tmp_path, tmp_path, "test"), {}, tmp_path / "file.toml")


def test_a_seed_that_the_script_of_a_command_has_no_flag_for_is_doubted(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float)\n"
        "print('loss:', p.parse_args().lr)\n"
    )
    described = (
        'command = ["python", "train.py"]\nseed = "shuffling"\n[metrics.loss]\nprinted = "loss:"\nkind = "error"\n'
    )
    (tmp_path / "model.toml").write_text(described)
    (doubt,) = doubt_seed(find_model(str(tmp_path), tmp_path, tmp_path, "test"), [])
    assert "model.toml: seed = 'shuffling': the script that it calls has no such flag" in doubt
    (tmp_path / "model.toml").write_text(f'{described}[hyperparameters.shuffling]\ntype = "int"\n')
    assert doubt_seed(find_model(str(tmp_path), tmp_path, tmp_path, "test"), []) == []
