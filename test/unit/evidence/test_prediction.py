"""Predictions at points that were not evaluated: how often their intervals hold, and the command that gives them."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desk import Desk
from recorded import genetic, make_experiment, save

from comparator.evidence.coordinates import dense_sample
from comparator.evidence.paired import Observation
from comparator.evidence.prediction import FEWEST_POINTS, Predictor
from comparator.space import ParameterSpace

Function = Callable[[dict[str, Any]], float]

SPACE = ParameterSpace.from_entries(
    [{"name": name, "type": "float", "lower": 0, "upper": 1} for name in ("x", "y")], "a square"
)
LINE = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "a line")
EXPERIMENTS = 40
PLACES = 25
BLOCKS = 8
WAVES_DEVIATION = 0.1 * math.sqrt(4 / 2)  # of `waves`, at a place


def alike(rng: np.random.Generator) -> Function:
    return lambda point: 0.3


def waves(rng: np.random.Generator) -> Function:
    """A few long waves in random directions."""
    heights, phases = rng.normal(0, 0.1, 4), rng.uniform(0, 2 * math.pi, 4)
    waves = math.pi * rng.uniform(0.3, 1.5, (4, 2))
    return lambda point: 0.3 + float(heights @ np.sin(waves @ [point["x"], point["y"]] + phases))


def box(rng: np.random.Generator) -> Function:
    """A region with sharp edges."""
    left, low = rng.uniform(0, 0.5, 2)
    return lambda point: 0.45 if left < point["x"] < left + 0.45 and low < point["y"] < low + 0.45 else 0.2


def level(rng: np.random.Generator) -> Function:
    """The same everywhere."""
    height = 0.3 + rng.normal(0, WAVES_DEVIATION)
    return lambda point: height


def coverage(
    kind: Callable[[np.random.Generator], Function],
    points: int,
    deviation: float,
    experiments: int = EXPERIMENTS,
    *,
    by_block: float = 0.0,
    luck_of: Callable[[np.random.Generator], Function] | None = None,
) -> tuple[float, float, float, float]:
    """In which share of places the intervals of the mean, and of one, hold; and the standard errors of the shares.

    `by_block` of the noise's variance is what all trainings of a block share: `luck_of`, by default long waves.
    """
    draw = luck_of or waves
    shares = []
    for seed in range(experiments):
        rng = np.random.default_rng(seed)
        function = kind(rng)
        own, shared = deviation * math.sqrt(1 - by_block), deviation * math.sqrt(by_block) / WAVES_DEVIATION
        luck = [draw(rng) for _ in range(BLOCKS)]
        blocks = np.concatenate([rng.permutation(BLOCKS) for _ in range(points)])[:points].tolist()
        observations = [
            Observation(point, [function(point) + shared * (luck[block](point) - 0.3) + rng.normal(0, own)], [block])
            for point, block in zip(dense_sample(SPACE, points, seed), blocks, strict=True)
        ]
        predictor = Predictor.fit(SPACE, observations)
        assert predictor is not None
        held = []
        for x, y in rng.uniform(0, 1, (PLACES, 2)):
            place = {"x": float(x), "y": float(y)}
            said = predictor.at(place)
            mean = function(place)
            new = mean + shared * (draw(rng)(place) - 0.3) + rng.normal(0, own)
            held.append([low <= number <= high for number, (low, high) in ((mean, said.interval), (new, said.of_one))])
        shares.append(np.mean(held, axis=0))
    means, errors = np.mean(shares, axis=0), np.std(shares, axis=0) / math.sqrt(experiments)
    return float(means[0]), float(means[1]), float(errors[0]), float(errors[1])


@pytest.mark.long
@pytest.mark.parametrize(("kind", "points", "mean_holds"), [(alike, 56, 0.93), (waves, 56, 0.93), (box, 30, 0.75)])
def test_intervals_hold_as_often_as_they_say(
    kind: Callable[[np.random.Generator], Function], points: int, mean_holds: float
) -> None:
    """Of the mean near a sharp edge they cannot; what one pair gives they hold there too."""
    mean, one, error, error_of_one = coverage(kind, points, 0.06)
    assert mean > mean_holds - 3 * error
    assert 0.92 - 3 * error_of_one < one < 0.99


@pytest.mark.long
@pytest.mark.parametrize("kind", [alike, waves])
def test_intervals_hold_where_half_of_the_noise_is_shared_by_a_block(
    kind: Callable[[np.random.Generator], Function],
) -> None:
    mean, one, error, error_of_one = coverage(kind, 56, 0.06, by_block=0.5)
    assert mean > 0.93 - 3 * error
    assert 0.92 - 3 * error_of_one < one < 0.99


@pytest.mark.long
@pytest.mark.parametrize("kind", [alike, waves])
def test_intervals_hold_where_blocks_differ_everywhere_alike(kind: Callable[[np.random.Generator], Function]) -> None:
    """Nothing else differs, so that eight blocks are all that tells how much the next one does."""
    mean, one, error, error_of_one = coverage(kind, 56, 0.06, by_block=1.0, luck_of=level)
    assert mean > 0.93 - 3 * error
    assert 0.95 - 2 * error_of_one < one < 0.99


def test_intervals_are_no_wider_than_they_need_where_luck_grows_with_the_difference() -> None:
    """A block's luck has eight numbers, so that 2.36 of its deviations, by a root of 9 / 8, hold the next one.

    By one variance of luck for all places, and the field's, an interval reaches six.
    """
    of_one, of_mean, is_held = [], [], []
    for seed in range(10):
        rng = np.random.default_rng(1000 + seed)
        luck = rng.normal(0, 0.03, BLOCKS)
        blocks = np.concatenate([rng.permutation(BLOCKS) for _ in range(5)]).tolist()
        observed = [
            Observation(point, [(0.1 + 0.6 * point["x"]) * (1 + luck[block])], [block])
            for point, block in zip(dense_sample(LINE, len(blocks), seed), blocks, strict=True)
        ]
        predictor = Predictor.fit(LINE, observed)
        assert predictor is not None
        for x in (0.2, 0.5, 0.9):
            said, deviation = predictor.at({"x": x}), (0.1 + 0.6 * x) * np.std(luck, ddof=1)
            of_one.append((said.of_one[1] - said.of_one[0]) / 2 / deviation)
            of_mean.append((said.interval[1] - said.interval[0]) / 2 / deviation)
            is_held.append(said.interval[0] < 0.1 + 0.6 * x < said.interval[1])
    assert 2.36 < np.median(of_one) < 3
    assert 2.36 / math.sqrt(BLOCKS) * 0.95 < np.median(of_mean) < 1.2
    assert np.mean(is_held) > 0.8


def test_intervals_narrow_with_points_and_not_below_the_noise_of_one() -> None:
    rng = np.random.default_rng(1)
    function = waves(rng)

    def said(points: int) -> tuple[float, float]:
        observed = [
            Observation(point, [function(point) + rng.normal(0, 0.05)]) for point in dense_sample(SPACE, points)
        ]
        predictor = Predictor.fit(SPACE, observed)
        assert predictor is not None
        at = predictor.at({"x": 0.5, "y": 0.5})
        return at.interval[1] - at.interval[0], at.of_one[1] - at.of_one[0]

    (few, _), (many, of_one) = said(12), said(100)
    assert many < 0.75 * few and of_one > 2 * 1.8 * 0.05
    assert Predictor.fit(SPACE, []) is None


# The command

AT = ("--at", "noise=20", "--at", "layer_force=100")


@pytest.fixture
def searched(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    save(desk.experiments / "cmp-ga-3", make_experiment(), genetic())
    return desk


def test_a_point_that_was_not_evaluated_is_predicted(searched: Desk) -> None:
    done = searched.run("predict", "cmp-ga-3", *AT)
    assert done.returncode == 0, done.stderr
    where, mean, one, near = done.stdout.splitlines()
    assert where == "at noise 20, layer_force 100: relative difference of val_loss, signed"
    said = re.fullmatch(r"  mean over seeds, on this split: (\d+) % \[.*\]; GDSC1 has the larger val_loss", mean)
    assert said is not None, mean
    assert one.startswith("  one new pair of trainings: [") and "nearest of 54 evaluated points: noise " in near
    told = json.loads(searched.run("predict", "cmp-ga-3", "--at", "NOISE=20.0", *AT[2:], "--json").stdout)
    assert told["mean"] == pytest.approx(int(said[1]) / 100, abs=0.005)  # a fraction, for programs
    assert told["point"] == {"noise": 20.0, "layer_force": 100, "lr_decay": True}
    (low, high), (lowest, highest) = told["interval"], told["interval_of_one"]
    assert lowest < low < told["mean"] < high < highest
    assert 0 < told["nearest"]["distance"] < 0.3 and told["points"] == 54


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "noize=20", *AT[2:]], "--at noize=20: the space has no 'noize' (did you mean 'noise'?)"),
        (["--at", "noise=60", *AT[2:]], "--at: 'noise': 60.0 is not between 0.0 and 50.0"),
        (["--at", "noise=nan", *AT[2:]], "--at: 'noise': nan is not between 0.0 and 50.0"),
        (["--at", "noise=much", *AT[2:]], "--at: 'noise': 'much' is not a float"),
        (["--at", "noise", *AT[2:]], "--at noise: not NAME=VALUE, such as noise=20"),
        ([*AT, "--at", "Noise=3"], "--at: 'noise' stands twice"),
        ([*AT, "--at", "lr_decay=false"], "--at: 'lr_decay': 'false' is not the constant True"),
        (["--at", "lr_decay=true"], "--at: noise and layer_force are missing; give each as --at NAME=VALUE"),
        (AT[2:], "--at: noise is missing"),
    ],
)
def test_what_is_no_point_of_the_space_is_said_in_one_line(searched: Desk, words: list[str], said: str) -> None:
    done = searched.run("predict", "cmp-ga-3", *words)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr


def test_too_few_results_predict_nothing(searched: Desk) -> None:
    few = genetic(FEWEST_POINTS - 1, failed=())
    save(searched.experiments / "few-1", make_experiment(id="few-1"), few)
    done = searched.run("predict", "few-1", *AT)
    assert (done.returncode, done.stderr) == (
        1,
        "comparator: 'few-1': 7 points have a result; a prediction takes 8 or more\n",
    )
    save(searched.experiments / "none-1", make_experiment(id="none-1"), [])
    done = searched.run("predict", "none-1", *AT)
    assert done.returncode == 1 and "so there is nothing to predict from" in done.stderr


def test_a_single_model_is_predicted_by_its_metric(searched: Desk) -> None:
    experiment = make_experiment(id="hpo-1", kind="single", objective={"name": "val_loss", "symbol": "val_loss"})
    experiment["models"] = experiment["models"][:1]
    records = [
        {**each, "runs": each["runs"][:1], "value": each["runs"][0]["metrics"].get("val_loss")}
        for each in genetic(30, ())
    ]
    save(searched.experiments / "hpo-1", experiment, records)
    done = searched.run("predict", "hpo-1", *AT)
    assert done.returncode == 0, done.stderr
    assert "at noise 20, layer_force 100: val_loss\n" in done.stdout
    assert "  one new training: [0.0" in done.stdout and "larger" not in done.stdout


@pytest.mark.parametrize("number", [0.0, 0.3, 1e6])
def test_where_all_is_one_number_that_is_expected_whatever_its_unit(number: float) -> None:
    space = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "space")
    places = np.linspace(0, 1, 2 * FEWEST_POINTS).tolist()
    observations = [Observation({"x": x}, [number], [place % 4]) for place, x in enumerate(places)]
    predictor = Predictor.fit(space, observations)
    assert predictor is not None
    predicted = predictor.at({"x": 0.4})
    assert predicted.interval == predicted.of_one == pytest.approx((number, number))
