"""The strategies: the interface, the same points for the same results, budgets, options, EQ/Py algorithms."""

from __future__ import annotations

import importlib
import json
import math
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eqpy
from comparator.errors import InputError
from comparator.space import ParameterSpace, Point
from comparator.space.boxes import Box, avoid
from comparator.strategies import (
    STRATEGIES,
    AlgorithmError,
    Proposal,
    ResidentStrategy,
    Strategy,
    find_strategy,
    make_strategy,
)
from comparator.strategies.generation import least_is_best
from comparator.strategies.genetic import GeneticOptions, MuPlusLambdaOptions, SimpleOptions
from comparator.strategies.resident import split_points

DATA = Path(__file__).parents[1] / "data"

SPACE = ParameterSpace.from_entries(
    [
        {"name": "noise", "type": "float", "lower": 0, "upper": 50},
        {"name": "layer_force", "type": "int", "lower": 25, "upper": 200},
        {"name": "activation", "type": "categorical", "element_type": "string", "values": ["relu", "a;b", "tanh"]},
        {"name": "residual", "type": "logical"},
        {"name": "epochs", "type": "constant", "value": 3},
    ],
    "space",
)
SMALL = ParameterSpace.from_entries(
    [
        {"name": "units", "type": "int", "lower": 1, "upper": 40, "use_log_scale": True},
        {"name": "residual", "type": "logical"},
    ],
    "space",
)

#: The strategies without a model of what they were told; `test_model_based.py` and `test_bayesian.py` have the others.
PROPOSING = [name for name in STRATEGIES if name != "eqsql"]  # whose points are an algorithm's elsewhere
QUICK = [name for name in PROPOSING if name not in ("bayesian", "level_set", "region_and_maximum", "optuna")]


def value_of(point: Point) -> float:
    return (point["noise"] - 20) ** 2 / 1e3 + point["layer_force"] / 1e3 + 0.1 * point["residual"]


def drive(strategy: Strategy, order: random.Random, limit: int = 60) -> list[Proposal]:
    """Tell results in the random order of `order`, some of them failures; all proposals in the order made."""
    proposals = strategy.start()
    waiting = list(proposals)
    while waiting and len(proposals) < limit:
        proposal = waiting.pop(order.randrange(len(waiting)))
        value = None if order.random() < 0.1 else value_of({"noise": 1.0, "layer_force": 30, **proposal.point})
        following = strategy.tell(proposal.number, value)
        proposals += following
        waiting += following
    strategy.close()
    return proposals


@pytest.fixture
def hammer() -> Iterator[None]:
    """Another thread draws from the global generator and seeds it, all the time."""
    stopped = threading.Event()

    def strike() -> None:
        while not stopped.is_set():
            random.random()
            random.seed(1)

    thread = threading.Thread(target=strike)
    thread.start()
    yield
    stopped.set()
    thread.join()


@pytest.mark.parametrize("name", QUICK)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), order=st.integers(), in_flight=st.integers(1, 20))
def test_same_seed_and_same_results_give_the_same_points(name: str, seed: int, order: int, in_flight: int) -> None:
    runs = []
    for _ in range(2):
        strategy = make_strategy(name, SPACE, seed=seed, in_flight=in_flight, options={})
        runs.append(drive(strategy, random.Random(order)))
        random.random()
    assert runs[0] == runs[1]
    assert [proposal.number for proposal in runs[0]] == list(range(len(runs[0])))
    for proposal in runs[0]:
        SPACE.check(proposal.point)


@pytest.mark.parametrize("name", QUICK)
def test_nothing_else_in_the_process_changes_the_points(name: str, hammer: None) -> None:
    runs = [
        drive(make_strategy(name, SPACE, seed=5, in_flight=4, options={}), random.Random(3), limit=200)
        for _ in range(5)
    ]
    assert all(run == runs[0] for run in runs)
    assert (
        drive(make_strategy(name, SPACE, seed=6, in_flight=4, options={}), random.Random(3)) != runs[0]
        or name == "grid"
    )


@pytest.mark.parametrize("name", QUICK)
def test_strategies_leave_the_global_generator_alone(name: str) -> None:
    random.seed(7)
    expected = random.random()
    random.seed(7)
    drive(make_strategy(name, SPACE, seed=5, in_flight=4, options={}), random.Random(3))
    assert random.random() == expected


OPTIONS = {"simple": SimpleOptions, "mu_plus_lambda": MuPlusLambdaOptions}


def deaps_own(options: GeneticOptions, seed: int) -> list[Point]:
    """The points that DEAP's own loop and operators evaluate, from the global generator in the search's state."""
    from deap import algorithms, base, tools

    class Individual(list[Any]):
        def __init__(self, values: Iterable[Any]) -> None:
            super().__init__(values)
            self.fitness = least_is_best()()

    evaluations: list[Point] = []

    def evaluate(individual: Individual) -> tuple[float]:
        evaluations.append(dict(zip(SPACE.names, individual, strict=True)))
        return (value_of(evaluations[-1]),)

    def mutate(individual: Individual) -> tuple[Individual]:
        point = dict(zip(SPACE.names, individual, strict=True))
        probability = options.gene_mutation_probability
        individual[:] = SPACE.mutate(point, probability, cast(random.Random, random)).values()
        return (individual,)

    toolbox = base.Toolbox()
    toolbox.register("evaluate", evaluate)
    toolbox.register("select", tools.selTournament, tournsize=options.tournament_size)
    toolbox.register("mate", tools.cxUniform, indpb=options.gene_crossover_probability)
    toolbox.register("mutate", mutate)
    rng = random.Random(seed)
    population = [Individual(SPACE.initial(rng).values()) for _ in range(options.population)]
    given: dict[str, Any] = {
        "cxpb": options.crossover_probability,
        "mutpb": options.mutation_probability,
        "ngen": options.further_generations,
        "verbose": False,
    }
    if isinstance(options, MuPlusLambdaOptions):
        given |= {"mu": options.population, "lambda_": round(options.offspring_proportion * options.population)}
    before = random.getstate()
    random.setstate(rng.getstate())
    try:
        loop = algorithms.eaMuPlusLambda if isinstance(options, MuPlusLambdaOptions) else algorithms.eaSimple
        loop(population, toolbox, **given)
    finally:
        random.setstate(before)
    return evaluations


@pytest.mark.parametrize("size", [2, 7, 16])
@pytest.mark.parametrize("name", ["simple", "mu_plus_lambda"])
def test_the_genetic_loops_are_draw_for_draw_those_of_deap(name: str, size: int) -> None:
    for seed in range(10):
        given: dict[str, Any] = {"population": size, "generations": 6, "tournament_size": 1 + seed % 4}
        given |= {"crossover_probability": 0.4, "mutation_probability": 0.3}
        given |= {"offspring_proportion": 1.5} if name == "mu_plus_lambda" else {}
        strategy = make_strategy(name, SPACE, seed=seed, in_flight=1, options=given)
        waiting = strategy.start()
        points = [proposal.point for proposal in waiting]
        while waiting:
            waiting = [each for done in waiting for each in strategy.tell(done.number, value_of(done.point))]
            points += [proposal.point for proposal in waiting]
        strategy.close()
        assert points == deaps_own(OPTIONS[name](**given), seed)


@pytest.mark.parametrize("name", ["steady_state", "simple", "mu_plus_lambda"])
def test_children_stay_out_of_a_box_that_is_avoided(name: str) -> None:
    box = Box.from_bounds(SPACE, {"noise": [0, 30], "layer_force": [25, 150]}, "box")
    for seed in range(5):
        strategy = make_strategy(name, avoid(SPACE, box), seed=seed, in_flight=4, options={})
        proposals = drive(strategy, random.Random(seed), limit=150)
        assert not any(box.contains([proposal.point for proposal in proposals]))


@pytest.mark.parametrize("name", ["simple", "mu_plus_lambda"])
def test_generations_come_whole_and_count_the_first_population(name: str) -> None:
    strategy = make_strategy(name, SPACE, seed=1, in_flight=2, options={"population": 6, "generations": 3})
    batch = strategy.start()
    assert len(batch) == 6
    generations = []
    while batch:
        generations.append({proposal.generation for proposal in batch})
        following: list[Proposal] = []
        for proposal in reversed(batch):
            assert following == []
            following = strategy.tell(proposal.number, value_of(proposal.point))
        batch = following
    assert generations == [{0}, {1}, {2}]
    assert strategy.tell(0, 1.0) == []
    strategy.close()


def test_mu_plus_lambda_makes_the_evaluations_that_its_users_know() -> None:
    """16 points and 4 generations of 8 children: 48 evaluations, where every child is new."""
    strategy = make_strategy("mu_plus_lambda", SPACE, seed=1, in_flight=2, options={"generations": 5})
    assert len(drive(strategy, random.Random(1), limit=1000)) == 48


def test_simple_makes_about_the_papers_56_evaluations() -> None:
    counts = [
        len(
            drive(
                make_strategy("simple", SPACE, seed=seed, in_flight=2, options={"generations": 5}),
                random.Random(seed),
                limit=1000,
            )
        )
        for seed in range(30)
    ]
    assert 50 <= sum(counts) / len(counts) <= 60


def test_steady_state_keeps_so_many_in_flight() -> None:
    strategy = make_strategy("steady_state", SPACE, seed=1, in_flight=3, options={"population": 4})
    waiting = strategy.start()
    assert len(waiting) == 3
    made = list(waiting)
    while len(made) < 40:
        following = strategy.tell(waiting.pop().number, 1.0)
        assert len(following) == 1
        waiting += following
        made += following
    assert [proposal.generation for proposal in made[:9]] == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert len({json.dumps(proposal.point) for proposal in made}) == len(made)
    strategy.close()
    assert strategy.tell(made[-1].number, 1.0) == []


def test_steady_state_starts_with_no_more_than_its_population() -> None:
    strategy = make_strategy("steady_state", SPACE, seed=1, in_flight=50, options={"population": 4})
    assert len(strategy.start()) == 4


@pytest.mark.parametrize("name", ["steady_state", "simple", "mu_plus_lambda"])
def test_searches_approach_the_least_value(name: str) -> None:
    proposals = drive(make_strategy(name, SPACE, seed=2, in_flight=4, options={}), random.Random(3), limit=400)
    values = [value_of(proposal.point) for proposal in proposals]
    assert sum(values[-50:]) < 0.5 * sum(values[:50])


@pytest.mark.long
def test_all_failures_are_survived() -> None:
    for name in PROPOSING:
        strategy = make_strategy(name, SPACE, seed=2, in_flight=4, options={})
        waiting = strategy.start()
        for _ in range(54):
            waiting += strategy.tell(waiting.pop(0).number, None)
        strategy.close()


def test_random_ends_when_every_point_was_proposed_once() -> None:
    proposals = drive(make_strategy("random", SMALL, seed=1, in_flight=7, options={}), random.Random(1), limit=1000)
    assert len(proposals) == SMALL.size() == 80
    assert len({json.dumps(proposal.point) for proposal in proposals}) == 80


def test_grid_has_the_points_asked_for() -> None:
    def count(**options: object) -> int:
        return len(drive(make_strategy("grid", SPACE, seed=1, in_flight=3, options=options), random.Random(1), 10**6))

    assert count(points=4) == 4 * 4 * 3 * 2
    assert count(points={"noise": 2, "layer_force": 3, "activation": 2}) == 2 * 3 * 2 * 2
    assert count(total=30) <= 30


def test_a_first_population_is_taken_from_a_table(tmp_path: Path) -> None:
    table = tmp_path / "first.csv"
    table.write_text("Layer_force,NOISE, residual, activation, n,n\n" + "30,1.5,true,a;b,x,\n200,0,False,tanh,y,\n" * 2)
    options = {"population": 3, "initial_population": str(table)}
    for name in ("simple", "mu_plus_lambda", "steady_state"):
        strategy = make_strategy(name, SPACE, seed=1, in_flight=3, options=options)
        points = [proposal.point for proposal in strategy.start()]
        assert points[0] == {
            "noise": 1.5,
            "layer_force": 30,
            "activation": "a;b",
            "residual": True,
            "epochs": 3,
        }
        assert len(points) == 3
        strategy.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("noise,layer_force,activation\n1,30,relu\n", "no column 'residual'"),
        ("nois,layer_force,activation,residual\n", "no column 'noise' (did you mean 'nois'?)"),
        ("noise,layer_force,activation,residual\n1,30,relu,true\n", "1 rows are too few for a population of 2"),
        ("noise,layer_force,activation,residual\n1,30,relu,true\n51,30,relu,true\n", "line 3: 'noise': 51.0 is not"),
        ("noise,layer_force,activation,residual\n1,x,relu,true\n", "line 2: 'layer_force': 'x' is not an int"),
        ("noise,layer_force,activation,residual\n1,30\n", "line 2: 'activation' is missing"),
        ("noise,layer_force,activation,residual,Noise\n", "line 1: 'noise' and 'Noise' differ in case alone"),
        ("noise,layer_force,activation,residual,noise\n", "line 1: 'noise' stands twice"),
        ("", "no column 'noise'"),
        (None, "no such file"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, content: str | None, words: str) -> None:
    table = tmp_path / "first.csv"
    if content is not None:
        table.write_text(content)
    with pytest.raises(InputError) as refusal:
        options = {"population": 2, "initial_population": str(table)}
        make_strategy("steady_state", SPACE, seed=1, in_flight=1, options=options)
    assert words in str(refusal.value)
    assert str(table) in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("stedy_state", {}, "unknown strategy 'stedy_state' (did you mean 'steady_state'?)"),
        ("eaSimple", {}, "(here it is 'simple')"),
        ("simple", {"mutpb": 0.5}, "unknown option 'mutpb' (here it is 'mutation_probability')"),
        ("simple", {"tournsize": 3}, "(here it is 'tournament_size')"),
        ("simple", {"poplation": 3}, "(did you mean 'population'?)"),
        ("random", {"population": 3}, "options: none"),
        ("simple", {"population": 1}, "'population' = 1 is not a whole number from 2"),
        ("simple", {"population": 2.5}, "'population' = 2.5 is not"),
        ("simple", {"population": True}, "'population' = True is not"),
        ("simple", {"crossover_probability": 1.5}, "is not a number from 0 to 1"),
        ("simple", {"crossover_probability": math.nan}, "is not a number from 0 to 1"),
        ("simple", {"crossover_probability": 0, "mutation_probability": 0}, "are both 0"),
        ("simple", {"generations": 0}, "'generations' = 0 is not a whole number from 1"),
        ("mu_plus_lambda", {"crossover_probability": 0.5}, "= 1.3 exceeds 1"),
        ("mu_plus_lambda", {"offspring_proportion": 0}, "is not a number above 0"),
        ("simple", {"initial_population": 3}, "is not the path of a file"),
        ("optuna", {"sampler": "tpr"}, "'sampler' = 'tpr' is not one of tpe, gp, cmaes"),
        ("level_set", {"level": "high"}, "'level' = 'high' is not a number"),
        ("bayesian", {"scattered": 1}, "'scattered' = 1 is not a whole number from 2"),
        ("level_set", {"scattered": 1}, "'scattered' = 1 is not a whole number from 2"),
        ("grid", {"points": 0}, "'points' = 0 is not a whole number from 1"),
        ("grid", {"points": {"noise": 3}}, "number of values of 'layer_force' is missing"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        make_strategy(name, SPACE, seed=1, in_flight=1, options=options)
    assert words in str(refusal.value)


def test_every_option_says_what_it_is() -> None:
    for name in STRATEGIES:
        for option, field in find_strategy(name).Options.model_fields.items():
            assert field.description, (name, option)


def test_an_option_that_is_none_has_its_default() -> None:
    strategy = make_strategy("steady_state", SPACE, seed=1, in_flight=99, options={"population": None})
    assert len(strategy.start()) == find_strategy("steady_state").Options.model_fields["population"].default == 16


# EQ/Py algorithms


def test_an_algorithm_written_for_eqpy_runs_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DATA))
    algorithm = importlib.import_module("resident_algorithm").run
    strategies = [ResidentStrategy(algorithm, f"(4, 1, 'number {each}; \"x\"')") for each in range(3)]
    batches = [strategy.start() for strategy in strategies]
    for generation in range(4):
        for each, strategy in enumerate(strategies):
            batch = batches[each]
            assert [proposal.number for proposal in batch] == list(range(generation * 3, generation * 3 + 3))
            assert all(proposal.generation == generation for proposal in batch)
            assert all(proposal.point["label"] == f'number {each}; "x"' for proposal in batch)
            answers = [strategy.tell(p.number, abs(p.point["x"] - each)) for p in (batch[1], batch[2], batch[0])]
            assert answers[:2] == [[], []]
            batches[each] = answers[2]
    assert batches == [[], [], []]
    for each, strategy in enumerate(strategies):
        assert strategy.final_texts == [json.dumps([0.0, float(each)]), "a last word"]


def resident(run: Callable[[], None]) -> ResidentStrategy:
    return ResidentStrategy(run)


def test_an_algorithm_that_asks_before_it_has_put_anything_gets_its_parameters() -> None:
    def run() -> None:
        eqpy.OUT_put(json.dumps({"x": int(eqpy.IN_get())}))
        eqpy.OUT_put(json.dumps({"x": float(eqpy.IN_get())}))
        eqpy.IN_get()
        eqpy.OUT_put("DONE")

    strategy = ResidentStrategy(run, "7")
    assert [each.point for each in strategy.start()] == [{"x": 7}]
    assert [each.point for each in strategy.tell(0, 0.5)] == [{"x": 0.5}]
    assert strategy.tell(1, 0.0) == []
    strategy.close()


@pytest.mark.parametrize(
    ("texts", "separator"),
    [(("-1.5,20;0.25, 40",), ";"), (("[-1.5, 20];[0.25, 40]",), ","), (("[[-1.5, 20], [0.25, 40]]",), ";")],
)
def test_an_algorithm_may_put_values_alone_and_end_with_final(texts: tuple[str, ...], separator: str) -> None:
    def run() -> None:
        eqpy.OUT_put("Settings")
        assert eqpy.IN_get() == "settings.json"
        for text in texts:
            eqpy.OUT_put(text)
            got.append(eqpy.IN_get())
        eqpy.OUT_put("FINAL\n")
        eqpy.OUT_put("a last word")

    got: list[str] = []
    entries = [
        {"name": "y", "type": "float", "lower": -2, "upper": 2},
        {"name": "kept", "type": "constant", "value": "as it is"},
        {"name": "x", "type": "int", "lower": 1, "upper": 100},
    ]
    space = ParameterSpace.from_entries(entries, "space")
    strategy = ResidentStrategy(run, "settings.json", space=space, separator=separator)
    points = [space.fit(each.point) for each in strategy.start()]
    assert points == [{"y": -1.5, "kept": "as it is", "x": 20}, {"y": 0.25, "kept": "as it is", "x": 40}]
    assert strategy.tell(1, 0.5) == [] and strategy.tell(0, 2.0) == []
    assert got == [f"2.0{separator}0.5"] and strategy.final_texts == ["a last word"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.1,2,3", r"3 values for 2 parameters \(y, x\)"),
        ("0.1,2;much,3", "'y': 'much' is not"),
        ("0.1,2;9,3", "'y'"),
    ],
)
def test_values_that_are_no_point_are_refused_in_one_line(text: str, words: str) -> None:
    entries = [
        {"name": "y", "type": "float", "lower": -2, "upper": 2},
        {"name": "x", "type": "int", "lower": 1, "upper": 100},
    ]
    space = ParameterSpace.from_entries(entries, "space")
    with pytest.raises(AlgorithmError, match=words) as failure:
        split_points(text, space)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("batches", [0, 1])
def test_an_algorithm_that_asks_without_having_put_points_is_stopped_in_one_line(batches: int) -> None:
    def run() -> None:
        eqpy.IN_get()
        for _ in range(batches):
            eqpy.OUT_put('{"x": 1}')
            eqpy.IN_get()
        eqpy.IN_get()

    strategy = resident(run)
    with pytest.raises(AlgorithmError, match=r"asks for results \(IN_get\) and has put no points") as failure:
        strategy.start()
        strategy.tell(0, 1.0)
    assert "\n" not in str(failure.value)
    strategy.close()


def test_results_arrive_in_full_precision_in_the_order_of_points() -> None:
    got: list[str] = []

    def run() -> None:
        eqpy.OUT_put('[{"x": 1}, {"x": 2}, {"x": 3}, {"x": 4}]')
        got.append(eqpy.IN_get())
        eqpy.OUT_put("DONE")

    strategy = resident(run)
    assert [proposal.point["x"] for proposal in strategy.start()] == [1, 2, 3, 4]
    for number, value in [(3, math.nan), (1, 1e-300), (2, None), (0, 0.1 + 0.2)]:
        strategy.tell(number, value)
    assert got == ["0.30000000000000004;1e-300;inf;inf"]
    assert float(got[0].split(";")[0]) == 0.1 + 0.2


def test_an_empty_batch_is_answered_at_once() -> None:
    def run() -> None:
        eqpy.OUT_put('{"x": 1}')
        eqpy.IN_get()
        eqpy.OUT_put("[]")
        assert eqpy.IN_get() == ""
        eqpy.OUT_put('{"x": 2}')
        eqpy.IN_get()
        eqpy.OUT_put("DONE")
        eqpy.IN_get()  # nobody answers any more

    strategy = resident(run)
    strategy.start()
    assert [proposal.point for proposal in strategy.tell(0, 1.0)] == [{"x": 2}]
    assert strategy.tell(1, 1.0) == []


def test_an_exception_comes_out_with_its_traceback() -> None:
    def run() -> None:
        eqpy.OUT_put('{"x": 1}')
        raise KeyError(eqpy.IN_get())

    strategy = resident(run)
    strategy.start()
    with pytest.raises(AlgorithmError, match=r"the search algorithm failed: KeyError: '2\.0'") as failure:
        strategy.tell(0, 2.0)
    assert "Traceback" in failure.value.details and "in run" in failure.value.details
    assert strategy.tell(0, 2.0) == []
    strategy.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"x": 1};hello', "neither points nor 'DONE'"),
        ('{"x": NaN}', "NaN is no JSON"),
        ("[1, 2]", "no JSON object"),
    ],
)
def test_what_is_no_batch_is_refused(text: str, words: str) -> None:
    strategy = resident(lambda: eqpy.OUT_put(text))
    with pytest.raises(AlgorithmError, match=words):
        strategy.start()


def test_an_algorithm_that_ends_without_a_word_is_refused() -> None:
    with pytest.raises(AlgorithmError, match="returned without 'DONE'"):
        resident(lambda: None).start()


@pytest.mark.parametrize("name", ["simple", "mu_plus_lambda"])
def test_closing_ends_the_thread(name: str) -> None:
    before = threading.active_count()
    strategy = make_strategy(name, SPACE, seed=1, in_flight=1, options={})
    strategy.start()
    assert threading.active_count() == before + 1
    strategy.close()
    assert threading.active_count() == before
    assert strategy.tell(0, 1.0) == []
    strategy.close()


POINTS = st.lists(st.dictionaries(st.text(), st.none() | st.integers() | st.text()), max_size=4)


@pytest.mark.long
@given(POINTS)
def test_batches_are_split_into_their_points(points: list[dict[str, Any]]) -> None:
    assert split_points(";".join(json.dumps(point) for point in points)) == points
    assert split_points(json.dumps(points, indent=1)) == points


def test_an_exception_of_several_lines_is_said_whole() -> None:
    def run() -> None:
        raise RuntimeError("boom\nsecond")

    with pytest.raises(AlgorithmError, match="the search algorithm failed: RuntimeError: boom second"):
        ResidentStrategy(run).start()


def test_a_key_that_stands_twice_in_a_point_is_refused() -> None:
    with pytest.raises(AlgorithmError, match="'a' stands twice"):
        split_points('{"a": 1, "a": 2}')
