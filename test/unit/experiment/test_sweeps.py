"""Unrolled parameter files: reading, making, carrying out; the paper's two grids share their trainings."""

import json
from pathlib import Path

import pytest
from desk import EXPERIMENT, QUICK, SPACE, Desk
from hypothesis import given
from hypothesis import strategies as st

from comparator.engine.run_identity import run_identity
from comparator.errors import InputError
from comparator.formats.hyperparameters import read_hyperparameters
from comparator.formats.upf import Line, doubt_ids, read_upf, write_upf
from comparator.model.named_paths import NamedPaths
from comparator.objective.comparison import submodel_hyperparameters
from comparator.results.frozen import Submodel
from comparator.space import ParameterSpace
from comparator.strategies.unroll import combine, design_points, read_axis

CFG = Path(__file__).parents[3] / "cfg"


def test_a_upf_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "upf.txt"
    path.write_text('# heading\n\n{"id": "a", "Epochs": 3, "tag": "x # y"}  # behind\n  {"id": "b", "dense": [1, 2]}')
    assert read_upf(path) == [Line("a", {"Epochs": 3, "tag": "x # y"}), Line("b", {"dense": [1, 2]})]


def test_a_name_is_the_first_lines_in_all_lines_of_a_upf(tmp_path: Path) -> None:
    path = tmp_path / "upf.txt"
    path.write_text('{"id": "a", "LR": 0.9}\n{"ID": "b", "lr": 0.7, "CMP_0_N": 1, "Model_Name": "x"}\n')
    assert read_upf(path) == [Line("a", {"LR": 0.9}), Line("b", {"LR": 0.7, "cmp_0_N": 1, "model_name": "x"})]


def test_lines_without_ids_are_called_after_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "upf.txt"
    path.write_text('# heading\n{"epochs": 3}\n\n{"epochs": 4}\n')
    lines = read_upf(path)
    assert [(line.identifier, line.hyperparameters) for line in lines] == [
        ("line-2", {"epochs": 3}),
        ("line-4", {"epochs": 4}),
    ]
    assert doubt_ids(lines, "upf.txt") == [
        "upf.txt: no line has an 'id'; each is called after its number in the file, the first line-2"
    ]
    path.write_text('{"id": 7, "epochs": 3}\r\n')
    assert read_upf(path) == [Line("7", {"epochs": 3})]
    assert doubt_ids(read_upf(path), "upf.txt") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no line"),
        ("# only a comment\n", "has no line"),
        ('{"id": "a"}\nepochs = 3\n', "line 2: not JSON"),
        ('{"id": "a"}\n{"epochs": 3}\n', "line 2: has no 'id'; the lines before have one"),
        ('{"epochs": 3}\n{"id": "a"}\n', "line 2: has an 'id'; no line before has one"),
        ('{"id": "a"}\n\n{"id": "a"}\n', "line 3: the id 'a' stands twice"),
        ('{"id": "../a"}\n', "line 1: id '../a'"),
        ('{"id": 7.5}\n', "line 1: 'id' = 7.5: must be a text"),
        ('{"id": true}\n', "line 1: 'id' = True: must be a text"),
        ('{"id": null}\n', "line 1: 'id' = None: must be a text"),
        ('{"id": 7}\n{"id": "7"}\n', "line 2: the id '7' stands twice"),
        ('["a"]\n', "line 1"),
        ('{"id": "a"} {"id": "b"}\n', 'line 1: \'{"id": "b"}\' stands behind'),
        ('{"id": "a", "x": NaN}\n', "line 1: 'x' = NaN: is not a number"),
        ('{"id": "a", "x": 1e999}\n', "line 1: 'x' = 1e999: is not a number that can be computed with"),
        ('{"id": "a", "x": ["\\ud83d"]}\n', "line 1: 'x': '\\ud83d' has half a character; JSON writes it as two"),
        ("id,epochs\n1,3\n", "line 1: not JSON"),
        ('{"id": "a"}\n{"id": "b", "LR": 0.1, "lr": 0.7}\n', "line 2: 'LR' and 'lr' differ in case alone"),
        ('{"id": "a", "lr": 1, "LR": 1}\n', "line 1: 'lr' and 'LR' differ in case alone"),
        (
            '{"id": "a", "noise": 1, "noise": 3}\n',
            'line 1: \'noise\' stands twice in {"id": "a", "noise": 1, "noise": 3}',
        ),
        ('{"id": "a", "noise": 10, "noise": 10}\n', "line 1: 'noise' stands twice"),
        ('{"id": "a", "ID": "b"}\n', "line 1: 'id' and 'ID' differ in case alone"),
        ('{"id": "a", "options": {"x": 1, "x": 2}}\n', "line 1: 'x' stands twice"),
    ],
)
def test_what_is_wrong_with_a_upf_is_said_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "upf.txt"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_upf(path)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


json_values = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.booleans())
names = st.text("abcdefg_", min_size=1).filter(lambda name: name != "id")


values = st.none() | json_values | st.lists(json_values, max_size=3) | st.dictionaries(names, json_values, max_size=2)


@given(
    points=st.lists(st.dictionaries(names, values, max_size=4), min_size=1, max_size=12),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    end=st.sampled_from(["\n", "\r\n", "   # a remark {\n", '\t\n\n# {"id": "no"}\n']),
)
def test_what_is_written_is_read(tmp_path_factory, points, mark: bytes, end: str) -> None:
    path = tmp_path_factory.getbasetemp() / "written-upf.txt"
    path.write_bytes(mark + write_upf(points, "run").replace("\n", end).encode())
    assert [line.hyperparameters for line in read_upf(path)] == points


@given(st.text())
def test_no_text_is_a_crash(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("upf") / "upf.txt"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_upf(path)
    except InputError as error:
        assert "\n" not in str(error).replace(text, "")


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("noise=0:50:3", ("noise", [0, 25, 50])),
        ("rate=0.1:0.4:4", ("rate", pytest.approx([0.1, 0.2, 0.3, 0.4]))),
        ("study=CCLE,gCSI", ("study", ["CCLE", "gCSI"])),
        ("size=1,2.5", ("size", [1, 2.5])),
        ("x=3:9:1", ("x", [3])),
    ],
)
def test_axes(text: str, axis) -> None:
    assert read_axis(text) == axis


@pytest.mark.parametrize("text", ["noise", "noise=", "=3", "noise=a:b:3", "noise=0:1:0", "noise=0:1:x"])
def test_wrong_axes(text: str) -> None:
    with pytest.raises(InputError, match=r"noise|=3"):
        read_axis(text)


@pytest.mark.parametrize("design", ["cartesian", "random", "latin", "sobol"])
def test_designs_stay_within_the_space(design: str) -> None:
    space = ParameterSpace.read(CFG / "uno-space.json")
    points = design_points(space, design, 20, seed=3)
    assert points == design_points(space, design, 20, seed=3)
    assert len(points) == 20 or design == "cartesian"
    for point in points:
        space.check(point)
    if design in ("latin", "sobol"):
        halves = sum(point["layer_force"] < 112.5 for point in points)
        assert 8 <= halves <= 12


def test_a_cartesian_design_has_every_value_of_a_list_or_says_that_there_is_no_room() -> None:
    words = [*"abcdefghij"]
    space = ParameterSpace.from_entries(
        [
            {"name": "word", "type": "categorical", "element_type": "string", "values": words},
            {"name": "x", "type": "float", "lower": 0, "upper": 1},
            {"name": "flag", "type": "logical"},
        ],
        "space",
    )
    points = design_points(space, "cartesian", 64, seed=1)
    assert len(points) == 60 and {point["x"] for point in points} == {0.0, 0.5, 1.0}
    assert list(dict.fromkeys(point["word"] for point in points)) == words
    with pytest.raises(InputError, match=r"--points 19: .* 20 combinations, .* --points 20 or more"):
        design_points(space, "cartesian", 19, seed=1)


def test_lists_combine_with_every_point() -> None:
    points = combine([("study", ["A", "B"]), ("rows", [1, 2])], [{"x": 0}, {"x": 1}])
    assert len(points) == 8
    assert points[0] == {"study": "A", "rows": 1, "x": 0}
    for axes, points in (
        ([("a", [1]), ("a", [2])], []),
        ([("a", [1]), ("A", [2])], []),
        ([("a", [1])], [{"A": 2}]),
        ([("a", [1])], [{"a": 2}]),
    ):
        with pytest.raises(InputError, match=r"'a' stands twice|'a' and 'A' differ in case alone"):
            combine(axes, points)


@pytest.mark.long
def test_a_sweep_evaluates_every_line_under_its_id(desk: Desk) -> None:
    desk.write("upf.txt", '{"id": "one", "noise": 1}\n{"id": "two", "noise": 2, "cmp_0_size": 50}  # larger\n')
    desk.write("sweep.toml", EXPERIMENT.split("[search]")[0].replace("space = ", "# ") + 'upf = "upf.txt"\n')
    done = desk.run("sweep", "sweep.toml")
    assert done.returncode == 0, done.stderr
    records = sorted(desk.records("sweep-1"), key=lambda record: record["evaluation"])
    assert [(record["id"], record["point"]["noise"]) for record in records] == [("one", 1), ("two", 2)]
    log = (desk.experiments / records[0]["runs"][0]["log"]).read_text()
    assert '"run_id": "one-0-0"' in log
    assert desk.run("sweep", "--resume", "sweep-1", "--no-report").returncode == 0


def test_a_bare_upf(desk: Desk) -> None:
    desk.write("upf.txt", desk.run("unroll", "--grid", "noise=0:10:3", "--grid", "size=20,40").stdout)
    desk.write("quick.txt", "[a]\nside = 'right'\n")
    words = ("--model", str(QUICK), "--hyperparameters", "quick.txt", "--id", "bare", "--no-report")
    done = desk.run("sweep", "upf.txt", *words)
    assert done.returncode == 0, done.stderr
    assert len(desk.records("bare")) == 6
    assert "--model" in desk.run("sweep", "upf.txt").stderr
    assert desk.run("sweep", "quick.toml", "--model", "x").returncode == 2


def test_a_search_of_a_single_model_says_what_it_bought(desk: Desk) -> None:
    text = EXPERIMENT.replace("title", f'model = "{QUICK}"\ntitle').split("[cmp]")[0]
    desk.write("single.toml", text)
    desk.write("quick.txt", "[a]\nside = 'left'\n")
    assert desk.search("single.toml").returncode == 0
    experiment = json.loads((desk.experiments / "single-1" / "experiment.json").read_text())
    assert experiment["baseline"]["value"] == pytest.approx(0.11)
    assert all(record["evaluation"] >= 0 for record in desk.records("single-1"))


def test_default_settings_have_what_a_space_keeps_constant(desk: Desk) -> None:
    text = EXPERIMENT.replace("title", f'model = "{QUICK}"\ntitle').split("[cmp]")[0]
    desk.write("single.toml", text)
    desk.write("quick.txt", "[a]\nside = 'left'\n")
    desk.write("space.json", json.dumps([SPACE[1], {"name": "noise", "type": "constant", "value": 20}]))
    assert desk.search("single.toml").returncode == 0
    baseline = json.loads((desk.experiments / "single-1" / "experiment.json").read_text())["baseline"]
    assert "noise 20 size 100" in (desk.experiments / baseline["runs"][0]["log"]).read_text()


def test_the_two_grids_of_the_paper_share_every_training() -> None:
    """Each training of cmp-grid at a point is one of dense-noise, by its identity."""
    compared = read_hyperparameters(CFG / "cmp-uno.txt")
    alone = read_hyperparameters(CFG / "dense-noise.txt")
    grids = [ParameterSpace.read(CFG / name) for name in ("noise-layer.json", "study-noise-layer.json")]
    counts = {"noise": 11, "layer_force": 11}
    submodel = Submodel(identity="m", data="d", seed="rng_seed")
    done = {
        run_identity(submodel, {**alone, **point}, 1, NamedPaths([CFG])).digest
        for point in grids[1].grid(counts)
    }  # fmt: skip
    wanted = {
        run_identity(submodel, given, 1, NamedPaths([CFG])).digest
        for point in grids[0].grid(counts)
        for given in submodel_hyperparameters(compared, point, compares=True)
    }
    assert len(done) == 242
    assert wanted == done


@pytest.mark.long
def test_a_search_is_told_past_results(desk: Desk) -> None:
    rows = "".join(
        f"0,{number},{noise},50,val_loss,{0.11 + 0.001 * noise},1.0\n" for number, noise in enumerate([3, 30])
    )
    desk.write("hpo.csv", f"iteration,sample,noise,size,metric,result,walltime\n{rows}")
    text = EXPERIMENT.replace("title", f'model = "{QUICK}"\ntitle').split("[cmp]")[0]
    desk.write("single.toml", text + 'past = ["hpo.csv"]\n')
    desk.write("quick.txt", "[a]\nside = 'left'\n")
    done = desk.search("single.toml")
    assert done.returncode == 0, done.stderr
    assert "told 2 points of hpo.csv" in done.stdout
    assert len(desk.records("single-1")) >= 12
    assert desk.search("--resume", "single-1").returncode == 0
    refused = desk.search("single.toml", "--set", "search.strategy=random")
    assert "strategy 'random' cannot be told past results" in refused.stderr
    imported = desk.run("import", "hpo.csv", "--id", "past")
    assert imported.returncode == 0, imported.stderr
    assert "was imported" in desk.search("--resume", "past").stderr
    assert desk.run("export", "past").returncode == 0
    assert (desk.experiments / "past" / "runs.csv").is_file()
