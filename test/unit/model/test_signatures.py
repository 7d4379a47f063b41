"""Scripts whose command line is made of their functions and classes: what they take, and by which words."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from comparator.model.flag_words import flag_words
from comparator.model.own_files.signatures import definitions_of_signatures

TYPER = """
import typer
app = typer.Typer()

@app.command()
def train(
    path: str,
    learning_rate: float = 0.1,
    deep: bool = True,
    sizes: list[int] = typer.Option([8], help="of layers"),
    name: str = typer.Option(..., "-n", "--called"),
    epochs: Annotated[int, typer.Option("--n_epochs")] = 5,
    quiet: bool = typer.Option(False, "--quiet"),
    place: str = typer.Argument("here"),
):
    ...
"""
FIRE = "import fire\ndef train(lr=0.1, sizes=(1, 2), *, deep=False): ...\nfire.Fire({'train': train})\n"
DATACLASSES = """
from transformers import HfArgumentParser
from parts import Base

@dataclass
class Net(Base):
    width: Optional[int] = field(default=8, metadata={"help": "of a layer"})
    kind: Literal["a", "b"] = "a"
    sizes: list[int] = field(default_factory=list)

given, = HfArgumentParser((Net, TrainingArguments)).parse_args_into_dataclasses()
"""
BASE = "@dataclass\nclass Base:\n    deep: bool = False\n"
TYRO = "import tyro\n@dataclass\nclass O:\n    lr: float = 0.1\n@dataclass\nclass A:\n    o: O\n    deep: bool = True\n"
TYRO += "given = tyro.cli(A)\n"
TAP = "from tap import Tap\nclass A(Tap):\n    lr: float = 0.1\n    deep: bool = False\n    flat: bool = True\n"
JSONARGPARSE = "from jsonargparse import CLI\ndef main(lr: float = 0.1, sizes: list[int] = [1]): ...\nCLI(main)\n"
LIGHTNING = """
from lightning.pytorch.cli import LightningCLI
class Net:
    def __init__(self, width: int = 8): ...
class Data:
    def __init__(self, folder, *, rows: int = 9): ...
class OwnLightningCLI(LightningCLI): ...
OwnLightningCLI(Net, Data)
"""
SACRED = """
from sacred import Experiment
ex = Experiment("name")
ex.add_config({"rows": 9}, depth=3)

@ex.config
def settings():
    lr = 0.1
    net = dict(width=8, kind="a")
    both = lr * 2
"""


@pytest.mark.parametrize(
    ("sources", "defaults", "given", "words"),
    [
        (
            [TYPER],
            {"learning_rate": 0.1, "deep": True, "sizes": [8], "name": None, "epochs": 5, "quiet": False},
            {"learning_rate": 0.5, "deep": False, "sizes": [1, 2], "name": "x", "epochs": 2, "quiet": True},
            "--learning-rate 0.5 --no-deep --sizes 1 --sizes 2 --called x --n_epochs 2 --quiet",
        ),
        (["import typer\ndef f(lr: float = 0.1): ...\ntyper.run(f)\n"], {"lr": 0.1}, {"lr": 2}, "--lr 2"),
        (
            [FIRE],
            {"lr": 0.1, "sizes": [1, 2], "deep": False},
            {"lr": -1e-05, "sizes": [3, 4], "deep": True},
            "--lr=-0.00001 --sizes=[3, 4] --deep=True",
        ),
        (
            [DATACLASSES, BASE],
            {"deep": False, "width": 8, "kind": "a", "sizes": None},
            {"deep": False, "width": 9, "kind": "b", "sizes": [1, 2]},
            "--deep False --width 9 --kind b --sizes 1 2",
        ),
        ([TYRO], {"o.lr": 0.1, "deep": True}, {"o.lr": 0.5, "deep": False}, "--o.lr 0.5 --no-deep"),
        ([TAP], {"lr": 0.1, "deep": False, "flat": True}, {"deep": True, "flat": False}, "--deep --flat"),
        ([TAP], {"lr": 0.1, "deep": False, "flat": True}, {"deep": False, "flat": True}, ""),
        ([JSONARGPARSE], {"lr": 0.1, "sizes": [1]}, {"lr": 1, "sizes": [2, 3]}, "--lr=1 --sizes=[2, 3]"),
        (
            [LIGHTNING],
            {"model.width": 8, "data.folder": None, "data.rows": 9, "seed_everything": None},
            {"model.width": 3, "data.rows": 4, "seed_everything": 7},
            "--model.width=3 --data.rows=4 --seed_everything=7",
        ),
        (
            [SACRED],
            {"rows": 9, "depth": 3, "lr": 0.1, "net.width": 8, "net.kind": "a", "seed": None},
            {"lr": 1, "net.kind": "b", "seed": 5},
            "lr=1 net.kind=b seed=5",
        ),
        (["import click\n@app.command()\ndef train(lr=0.1): ...\n"], {}, {}, ""),
        (["def wrap(f): ...\nclass A:\n    lr: float = 1\nwrap(A)\nparser.parse(A)\n"], {}, {}, ""),
    ],
)
def test_a_command_line_is_made_of_functions_and_classes(
    sources: list[str], defaults: dict[str, Any], given: dict[str, Any], words: str
) -> None:
    found = {each.name: each for each in definitions_of_signatures([ast.parse(text) for text in sources])}
    assert {name: each.default for name, each in found.items()} == defaults
    assert " ".join(word for name, value in given.items() for word in flag_words(found[name], value)) == words


def test_types_choices_and_words_are_those_of_annotations() -> None:
    found = {each.name: each for each in definitions_of_signatures([ast.parse(DATACLASSES), ast.parse(BASE)])}
    assert (found["width"].type, found["width"].description) == ("int", "of a layer")
    assert found["kind"].choices == ("a", "b")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class A(other.A):\n    lr: float = 0.1\ntyro.cli(A)\n", ["lr"]),
        ("class A:\n    inner: A = None\n    lr: float = 0.1\ntyro.cli(A)\n", ["lr"]),
        ("class A(B):\n    lr: float = 0.1\nclass B(A):\n    depth: int = 1\ntyro.cli(B)\n", ["lr", "depth"]),
    ],
)
def test_a_class_that_is_called_as_its_base_or_holds_itself_is_read_once(source: str, names: list[str]) -> None:
    found = definitions_of_signatures([ast.parse(f"import tyro\n{source}")])
    assert [each.name for each in found] == names
