"""The Python that a model names for itself: found, checked, activated, and told from another."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from tiny_packages import MODEL, install, make_environment

from comparator.checks.model.python import check_python
from comparator.engine.leaf import Leaf
from comparator.engine.local import Local
from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.experiment_file import read_settings
from comparator.experiment.freezing import make_plan
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.reopening import reopen_plan
from comparator.formats.finding import FAILS, HOLDS
from comparator.model.inputs import Inputs
from comparator.model.model import Model
from comparator.model.process import run_environment
from comparator.model.python_environment import PythonChoice, PythonEnvironment, _ask, own_python
from comparator.model.references import find_model
from comparator.model.runners.cold import ColdRunner
from comparator.model.runners.warm import WarmRunner
from comparator.model.training import Training
from comparator.site.profile import Slot, read_site

ROOT = Path(__file__).parents[3]
TRAIN = "#!/bin/sh\npython -c 'import tiny; print(\"IMPROVE_RESULT val_loss:\", tiny.VERSION)'\n"
UPF = '{"id": "a", "noise": 0.5}\n'


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two environments, `one` and `two`, that have two versions of a package."""
    folder = tmp_path_factory.mktemp("environments")
    for version, name in enumerate(("one", "two"), start=1):
        make_environment(folder / name, version)
    return folder


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def find(given: str, folder: Path) -> PythonEnvironment:
    return own_python(PythonChoice(given, None, folder, "model.toml"), "m", folder / "made")


def model_in(environment: Path, folder: Path) -> Model:
    write(folder / "model.py", MODEL)
    return find_model("model.py", folder, folder / "containers", "test", python=choice(environment))


def choice(environment: Path) -> PythonChoice:
    return PythonChoice(str(environment), None, Path("/"), "test")


def host(folder: Path, **more: bool) -> Host:
    for name in ("data", "experiments"):
        (folder / name).mkdir(exist_ok=True)
    site = replace(read_site("local", ROOT), data_folder=folder / "data")
    slots = site.slots()[:1]
    return Host(folder, folder / "experiments", site, slots, Local(slots, 1), True, Console(), **more)


def plan(file: Path, on: Host) -> Plan:
    return make_plan(read_settings(file, []), Context(file, on, "test"))


def comparison(folder: Path, environments: Path) -> Path:
    write(folder / "model.py", MODEL)
    write(folder / "upf.txt", UPF)
    models = 'model = "cmp"\nupf = "upf.txt"\n[cmp]\nmodels = ["model.py", "model.py"]\n'
    ways = [f'[cmp.{number}]\npython = "{environments / name}"\n' for number, name in enumerate(("one", "two"))]
    return write(folder / "cmp.toml", models + "".join(ways))


# Found


@pytest.mark.parametrize("given", ["one", "one/bin/python", "../environments/one", "./two/../one/bin/python3"])
def test_an_environment_is_named_by_its_folder_or_its_interpreter(environments: Path, given: str) -> None:
    given = given.replace("../environments", f"../{environments.name}")
    found = find(given, environments)
    assert found.interpreter.prefix == str(environments / "one")
    assert found.version_of("Tiny") is not None and found.version_of("Tiny").startswith("1 ")
    assert found.version_of("Python") == ".".join(map(str, sys.version_info[:3]))
    assert found.version_of("numpy") is None


def test_an_interpreter_may_be_named_as_the_path_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert find("python3", tmp_path).interpreter.prefix == sys.prefix


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nowhere", "there is no {}/nowhere; give an environment's folder (venv, conda), or an interpreter"),
        ("empty", "is no environment of Python: there is no bin/python in {}/empty"),
        ("text", "is no interpreter: {}/text is not executable; give an environment's folder"),
        ("script", "{}/script is no Python, or does not start: oh dear"),
        ("silent", "{}/silent is no Python, or does not start: exit status 0"),
        ("gone", "{}/gone is no Python, or does not start: gone: No such file or directory"),
        ("old", "{}/old is Python 2.7.18; a model's has to be 3.6 or newer"),
    ],
)
def test_what_is_no_environment_is_refused_in_a_line(tmp_path: Path, given: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "text", "#!/bin/sh\n")
    write(tmp_path / "script", "#!/bin/sh\necho oh dear >&2\nexit 1\n", 0o755)
    write(tmp_path / "silent", "#!/bin/sh\n", 0o755)
    write(tmp_path / "gone", "#!/nowhere/sh\n", 0o755)
    said = {"executable": "/p", "prefix": "/", "base_prefix": "/", "version": "2.7.18", "packages": {}, "folders": []}
    write(tmp_path / "old", f"#!/bin/sh\necho '{json.dumps(said)}'\n", 0o755)
    with pytest.raises(InputError) as refused:
        find(given, tmp_path).check()
    assert str(refused.value) == f"model.toml: python = '{given}': {words.format(tmp_path)}"


def test_the_version_of_an_older_installation_is_one_that_a_requirement_can_have(environments: Path) -> None:
    [packages] = (environments / "two").glob("lib/python3*/site-packages")
    (packages / "older-1.0-py3.9.egg-info").mkdir()
    try:
        assert find("two", environments).installed()["older"] == "1.0"
    finally:
        (packages / "older-1.0-py3.9.egg-info").rmdir()


def test_an_image_has_a_python_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "m.sif", "")
    monkeypatch.setattr("comparator.model.references._image_model", lambda path, *_: Model("m", path, image=object()))
    for python, requirements, key in (("venv", None, "python = 'venv'"), (None, "r.txt", "requirements = 'r.txt'")):
        given = PythonChoice(python, requirements, tmp_path, "e.toml")
        with pytest.raises(InputError, match=f"e.toml: {key}: .*m.sif is an image, which has a Python of its own"):
            find_model("m.sif", tmp_path, tmp_path, "test", python=given)


def test_a_check_of_a_model_says_what_it_runs_in(environments: Path, tmp_path: Path) -> None:
    [finding] = check_python(model_in(environments / "one", tmp_path))
    assert finding.outcome == HOLDS
    assert finding.words == f"Python {sys.version.split()[0]} with 1 package, {environments}/one"
    broken = write(tmp_path / "broken", "#!/nowhere\n", 0o755)
    [finding] = check_python(model_in(broken, tmp_path))
    assert finding.outcome == FAILS and f"{broken} is no Python, or does not start" in finding.words


# Activated


def test_a_command_finds_the_environment_as_if_it_were_activated(environments: Path) -> None:
    other = {"PYTHONPATH": "/x", "PYTHONHOME": "/y", "CONDA_PREFIX": "/c", "VIRTUAL_ENV": "/v", "KEPT": "1"}
    variables = find("one", environments).variables({**other, "PATH": f"/v/bin:{Path(sys.executable).parent}:/usr/bin"})
    assert variables["PATH"].split(":")[0] == str(environments / "one" / "bin")
    assert "/v/bin" not in variables["PATH"].split(":")
    assert variables["VIRTUAL_ENV"] == str(environments / "one")
    assert variables["KEPT"] == "1"
    assert not {"PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX"} & set(variables)


def test_an_environment_of_condas_is_activated_with_the_scripts_of_its_packages(tmp_path: Path) -> None:
    prefix = tmp_path / "tf"
    (prefix / "conda-meta").mkdir(parents=True)
    write(prefix / "etc/conda/activate.d/libraries.sh", 'export LD_LIBRARY_PATH="$CONDA_PREFIX/lib"\necho said\n')
    said = {"executable": f"{prefix}/bin/python", "prefix": str(prefix), "base_prefix": str(prefix), "version": "3.9.1"}
    script = json.dumps({**said, "packages": {"conda numpy-1.26.4-py39": ""}, "folders": []})
    write(prefix / "bin/python", f"#!/bin/sh\necho '{script}'\n", 0o755)
    (prefix / "bin/python3").symlink_to("python")
    variables = find("tf", tmp_path).variables({"PATH": "/usr/bin"})
    assert variables["PATH"] == f"{prefix}/bin:/usr/bin"
    assert (variables["CONDA_PREFIX"], variables["CONDA_DEFAULT_ENV"]) == (str(prefix), "tf")
    assert variables["LD_LIBRARY_PATH"] == f"{prefix}/lib"
    assert "VIRTUAL_ENV" not in variables


def test_an_interpreter_goes_by_the_usual_names_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    base = Path(find("python", Path(sys.base_prefix, "bin")).interpreter.executable)
    (tmp_path / "bin" / "python9").symlink_to(base)
    variables = find("bin/python9", tmp_path).variables({"PATH": "/usr/bin"})
    first, second, *_ = variables["PATH"].split(":")
    assert second == str(tmp_path / "bin")
    assert {name: os.path.realpath(Path(first, name)) for name in ("python", "python3")} == dict.fromkeys(
        ("python", "python3"), os.path.realpath(base)
    )


def test_a_script_finds_its_own_model_whatever_model_the_user_last_worked_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPROVE_MODEL_DIR", "/elsewhere/other_model")
    write(tmp_path / "mine" / "train.sh", "python ${IMPROVE_MODEL_DIR:-.}/train.py\n")
    model = find_model("mine", tmp_path, tmp_path, "test")
    assert run_environment(model, Slot(0), tmp_path)["IMPROVE_MODEL_DIR"] == str(tmp_path / "mine")
    asked = Slot(0, None, {"IMPROVE_MODEL_DIR": "/asked"})
    assert run_environment(model, asked, tmp_path)["IMPROVE_MODEL_DIR"] == "/asked"


def test_the_path_that_a_user_gives_is_kept(environments: Path, tmp_path: Path) -> None:
    slot = Slot(0, None, {"PATH": "/mine/bin:/usr/bin"})
    write(tmp_path / "model.py", MODEL)
    without = find_model("model.py", tmp_path, tmp_path, "test")
    assert run_environment(without, slot, tmp_path)["PATH"] == "/mine/bin:/usr/bin"
    assert run_environment(without, Slot(0), tmp_path)["PATH"].startswith(f"{Path(sys.executable).parent}:")
    within = model_in(environments / "one", tmp_path)
    assert run_environment(within, slot, tmp_path)["PATH"] == f"{environments}/one/bin:/mine/bin:/usr/bin"


def test_a_path_with_what_a_shell_would_write_out_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "e.toml", 'model = "cmp"\nupf = "u"\n[cmp.0]\nenvironment = { PATH = "/a:$PATH" }\n')
    with pytest.raises(InputError, match=r"'\$PATH' of the PATH is no absolute path"):
        read_settings(file, [])


def test_the_python_of_a_comparisons_models_stands_in_their_own_tables(tmp_path: Path) -> None:
    file = write(tmp_path / "e.toml", 'model = "cmp"\nupf = "u"\nrequirements = "r.txt"\n')
    with pytest.raises(InputError, match=r"its own 'requirements': it stands in \[cmp.0\] or \[cmp.1\]"):
        read_settings(file, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[cmp.1]\npython = "v"\n', r"\[cmp.1\] 'python' .*: that of a single model stands at the top of the file"),
        ('[cmp]\nmetric = "val_r2"\n', r"\[cmp\] 'metric' .*: that of a single model stands at the top of the file"),
        ('[cmp]\nrequire = "like for like"\n', r"\[cmp\] 'require' is of two models .*: it needs model = 'cmp'"),
        ('[cmp.0]\ndevice = "none"\n', r"\[cmp.0\] 'device' is of two models .*: it needs model = 'cmp'"),
    ],
)
def test_what_is_of_two_models_is_refused_of_one(tmp_path: Path, text: str, words: str) -> None:
    file = write(tmp_path / "e.toml", f'model = "uno"\nupf = "u"\n{text}')
    with pytest.raises(InputError, match=words):
        read_settings(file, [])


# Used


def test_a_module_is_served_and_a_script_started_by_the_models_own_python(environments: Path, tmp_path: Path) -> None:
    write(tmp_path / "m/train.sh", TRAIN, 0o755)
    (tmp_path / "m/venv").symlink_to(environments / "two")
    write(tmp_path / "m/model.toml", 'python = "venv"\n')
    losses = []
    for runner in (
        ColdRunner(find_model("m", tmp_path, tmp_path, "test"), Slot(0), tmp_path),
        WarmRunner(model_in(environments / "one", tmp_path), Slot(0), tmp_path),
    ):
        folder = tmp_path / f"run-{len(losses)}"
        folder.mkdir()
        outcome = runner.run(Training({"noise": 0.25}, folder, folder / "model.log", "val_loss"))
        runner.close()
        losses.append(outcome.metrics.get("val_loss"))
    assert losses == [2.0, 1.25]


def test_what_is_installed_is_part_of_the_identity(environments: Path, tmp_path: Path) -> None:
    models = [model_in(environments / name, tmp_path) for name in ("one", "two")]
    make_environment(tmp_path / "another", 1)
    assert models[0].identity != models[1].identity
    assert model_in(tmp_path / "another", tmp_path).identity == models[0].identity
    assert find_model("model.py", tmp_path, tmp_path, "test").identity != models[0].identity


def test_an_environment_in_the_models_folder_is_no_code_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "m/train.sh", TRAIN, 0o755)
    write(tmp_path / "m/model.toml", 'python = ".venv"\nreads = []\n')
    make_environment(tmp_path / "m/.venv", 1)
    before = find_model("m", tmp_path, tmp_path, "test")
    assert before.code().files == 2
    known = before.identity
    write(tmp_path / "m/.venv/lib/cache.pyc", "x")
    after = find_model("m", tmp_path, tmp_path, "test")
    assert after.identity == known
    assert after.last_changed() in (f"{tmp_path}/m/model.toml", f"{tmp_path}/m/train.sh")
    assert after.covers(tmp_path)(f"{tmp_path}/m/.venv/lib/x.so")


def test_a_change_of_what_is_installed_is_noticed_while_an_experiment_runs(tmp_path: Path) -> None:
    make_environment(tmp_path / "venv", 1)
    file = write(tmp_path / "single.toml", 'model = "model.py"\nupf = "upf.txt"\npython = "venv"\n')
    write(tmp_path / "model.py", MODEL)
    write(tmp_path / "upf.txt", UPF)
    made = plan(file, host(tmp_path))
    inputs = Inputs(made.models[0], made.frozen.models[0], tmp_path / "data", sees_reads=True)
    assert inputs.look_again() is None
    [packages] = (tmp_path / "venv").glob("lib/python3*/site-packages")
    (packages / "__pycache__").mkdir()
    assert inputs.look_again() is None
    install(packages, 2)
    assert inputs.look_again() == f"what is installed in {tmp_path}/venv has changed since the experiment began"


def test_two_versions_of_a_package_are_compared_and_the_record_has_them(tmp_path: Path) -> None:
    on = host(tmp_path)
    for version, name in enumerate(("one", "two"), start=1):
        make_environment(tmp_path / name, version)
    made = plan(comparison(tmp_path, tmp_path), on)
    assert [submodel.label for submodel in made.frozen.models] == ["model, tiny 1", "model, tiny 2"]
    assert [submodel.python.packages["tiny"][0] for submodel in made.frozen.models] == ["1", "2"]
    frozen = made.noting(id="test").frozen
    leaf = Leaf(
        frozen,
        made.models,
        made.objective,
        experiments=tmp_path / "experiments",
        data_folder=tmp_path / "data",
        slots=on.slots,
        name="test",
    )
    result = json.loads(leaf.evaluate(json.dumps({"evaluation": 0, "point": {"noise": 0.5}, "replicate": 0})))
    leaf.close()
    assert [run["metrics"]["val_loss"] for run in result["runs"]] == [1.5, 2.5]
    assert result["value"] == pytest.approx(-1.0 / 2.5)
    assert reopen_plan(frozen, root=tmp_path, site=on.site).models[1].python == made.models[1].python
    install(next((tmp_path / "two").glob("lib/python3*/site-packages")), 3)
    with pytest.MonkeyPatch.context() as patch:  # as a process that comes later
        patch.setattr("comparator.model.python_environment._ask", _ask.__wrapped__)
        with pytest.raises(
            InputError, match=r"what is installed \(tiny 2 .*, now 3 .*\) has changed since 'test' began"
        ):
            reopen_plan(frozen, root=tmp_path, site=on.site)
