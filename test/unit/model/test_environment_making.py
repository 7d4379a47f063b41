"""Environments that are made from a requirements file: once, whole, and again with the same versions."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from desk import Desk
from test_python_environment import MODEL, UPF, host, plan, write
from tiny_packages import make_environment, write_wheel

from comparator.errors import InputError
from comparator.model.environment_making import make, would_make
from comparator.model.python_environment import PythonChoice, PythonEnvironment, own_python

MAKE = """
import sys
from pathlib import Path
from test_environment_making import asked
from comparator.model.environment_making import make
make(asked(Path(sys.argv[1])), print)
"""


def asked(folder: Path) -> PythonEnvironment:
    return own_python(PythonChoice(None, "requirements.txt", folder, "model.toml"), "m", folder / "environments")


def requirements(folder: Path, *lines: str) -> Path:
    """Requirements that are met from wheels beside them; there are versions 1 and 2."""
    for version in (1, 2):
        write_wheel(folder / "wheels", version)
    return write(folder / "requirements.txt", "\n".join(["--no-index", f"--find-links {folder / 'wheels'}", *lines]))


def start_making(folder: Path) -> subprocess.Popen[str]:
    tests = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(tests)}
    words = [sys.executable, "-c", MAKE, str(folder)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture(params=["pip", "uv"])
def maker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pip":
        real = shutil.which
        monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "uv" else real(name, **more))
    elif shutil.which("uv") is None:
        pytest.skip("there is no uv on the PATH")
    return request.param


# Said and refused before anything is made


@pytest.mark.parametrize(
    ("text", "file", "words"),
    [
        (None, "requirements.txt", "there is no file {}/requirements.txt"),
        ("a: b", "environment.yml", "a file of conda's is none of pip's; make its environment by: conda env create"),
        ("-r more.txt\n", "requirements.txt", "{}/more.txt: no such file"),
    ],
)
def test_a_requirements_file_that_is_none_is_refused_in_a_line(
    tmp_path: Path, text: str | None, file: str, words: str
) -> None:
    if text is not None:
        write(tmp_path / file, text)
    with pytest.raises(InputError) as refused:
        own_python(PythonChoice(None, file, tmp_path, "model.toml"), "m", tmp_path)
    assert str(refused.value).startswith(f"model.toml: requirements = '{file}': {words.format(tmp_path)}")


def test_other_requirements_are_made_elsewhere_and_so_are_others_of_a_file_that_is_named(tmp_path: Path) -> None:
    write(tmp_path / "more.txt", "tiny==1\n")
    requirements(tmp_path, "-r more.txt")
    first = asked(tmp_path).folder
    assert asked(tmp_path).folder == first
    assert first.parent == tmp_path / "environments" and first.name.startswith("m-")
    write(tmp_path / "more.txt", "tiny==2\n")
    assert asked(tmp_path).folder != first


@pytest.mark.parametrize("line", ['-r "of others/more.txt"', "-r${HERE}/of\\ others/more.txt  # what's theirs"])
def test_a_file_is_named_as_pip_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setenv("HERE", str(tmp_path))
    requirements(tmp_path, line)
    named = write(tmp_path / "of others/more.txt", "tiny==1\n")
    first = asked(tmp_path).folder
    named.write_text("tiny==2\n")
    assert asked(tmp_path).folder != first


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(tmp_path: Path) -> None:
    requirements(tmp_path, "tiny==1")
    write(tmp_path / "model.py", MODEL)
    write(tmp_path / "upf.txt", UPF)
    file = write(tmp_path / "e.toml", 'model = "model.py"\nupf = "upf.txt"\nrequirements = "requirements.txt"\n')
    made = plan(file, host(tmp_path, makes_environments=False))
    environment = made.models[0].python
    assert environment is not None and would_make(environment).startswith(
        f"{environment.folder} would be made from {tmp_path}/requirements.txt by "
    )
    [notice] = [notice for notice in made.frozen.notices if "would be made" in notice]
    assert notice.startswith(would_make(environment))
    assert not (tmp_path / "environments").exists()


# Made


@pytest.mark.long
def test_an_environment_is_made_once_and_again_with_the_same_versions(tmp_path: Path, maker: str) -> None:
    requirements(tmp_path, "tiny<9")
    said: list[str] = []
    environment = asked(tmp_path)
    make(environment, said.append)
    make(environment, said.append)
    assert len(said) == 1 and f"by {maker}, once" in said[0]
    assert environment.folder.with_name(f"{environment.folder.name}.txt").read_text() == "tiny==2\n"
    by_hand = PythonChoice(str(make_environment(tmp_path / "by-hand", 2)), None, tmp_path, "")
    assert environment.installed() == own_python(by_hand, "m", tmp_path).installed()
    shutil.rmtree(environment.folder)
    write_wheel(tmp_path / "wheels", 3)
    make(environment, said.append)
    assert len(said) == 2
    assert environment.change() is None


@pytest.mark.long
def test_what_cannot_be_installed_is_one_line_and_leaves_the_log_alone(tmp_path: Path, maker: str) -> None:
    requirements(tmp_path, "tiny==9")
    environment = asked(tmp_path)
    with pytest.raises(InputError) as refused:
        make(environment, lambda words: None)
    words = str(refused.value)
    assert words.startswith(f"model.toml: requirements = 'requirements.txt': cannot be installed by {maker}: ")
    assert "tiny" in words and "\n" not in words
    log = environment.folder.with_name(f"{environment.folder.name}.log")
    assert words.endswith(f"(log: {log})") and log.is_file()
    assert not environment.folder.exists() and not environment.is_there


@pytest.mark.long
def test_two_processes_make_it_once_and_one_that_is_killed_leaves_nothing_half(tmp_path: Path) -> None:
    requirements(tmp_path, "tiny==1")
    environment = asked(tmp_path)
    killed = start_making(tmp_path)
    limit = time.monotonic() + 60
    while not (environment.folder / "bin").exists():
        assert time.monotonic() < limit
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not environment.is_there
    both = [start_making(tmp_path) for _ in range(2)]
    said = "".join(process.communicate(timeout=120)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said.count("making ") + said.count("is being made by") >= 1
    assert said.count(", once; that may take minutes") == 1
    assert environment.version_of("tiny").startswith("1 ")


@pytest.mark.long
def test_two_models_that_want_two_versions_of_a_package_are_compared(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for version in (1, 2):
        requirements(tmp_path, f"tiny=={version}").rename(tmp_path / f"tiny-{version}.txt")
    write(tmp_path / "model.py", MODEL)
    ways = "".join(f'[cmp.{number}]\nrequirements = "tiny-{number + 1}.txt"\n' for number in (0, 1))
    space = '[space]\nnoise = { type = "float", lower = 0, upper = 1 }\n[search]\nstrategy = "random"\n'
    models = '[confirm]\npoints = 0\n[cmp]\nmodels = ["model.py", "model.py"]\n'
    write(tmp_path / "e.toml", f'model = "cmp"\n{space}evaluations = 4\n{models}{ways}')
    done = desk.search("e.toml", "--id", "a", COMPARATOR_ROOT=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "model, tiny 1" in done.stdout and "model, tiny 2" in done.stdout
    for record in desk.records("a"):
        for run in record["runs"]:
            assert run["metrics"]["val_loss"] == pytest.approx(run["submodel"] + 1 + record["point"]["noise"])
    shutil.rmtree(tmp_path / "environments")
    again = desk.search("e.toml", "--id", "b", COMPARATOR_ROOT=str(tmp_path))
    assert "trainings: 0 done" in again.stdout, again.stdout
