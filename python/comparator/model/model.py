"""What a model is made of, what it reads, and by which words it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.names import home_written_out
from comparator.formats.text import shortened
from comparator.model.definitions import Definition
from comparator.model.description import ModelDescription
from comparator.model.fingerprint import Tree, digest_of, latest_below, tree_of
from comparator.model.image import DATA_FOLDER, Image, description_beside, image_digest, image_state
from comparator.model.links import linked_files
from comparator.model.own_command import OwnCommand
from comparator.model.own_files.told import told_by_file, told_by_folder
from comparator.model.python_environment import PythonEnvironment
from comparator.model.reads import version_and_files
from comparator.model.stages import Stages, started_by, starts_itself
from comparator.site import packages

#: The endings of files that programs are written and set up in.
OF_SOURCE = frozenset(
    {".py", ".pyx", ".so", ".sh", ".bash", ".r", ".jl", ".pl", ".c", ".cc", ".cpp", ".cu", ".h", ".java", ".ipynb"}
    | {".toml", ".ini", ".cfg", ".conf", ".yml", ".yaml"}
)


TRAIN = "train.sh"


@dataclass(frozen=True)
class Model:
    """A model folder (`train.sh`, or `command` in `model.toml`), an image, or a Python file with `run(params)`."""

    name: str
    path: Path  # the folder, the image, or the Python file
    description: ModelDescription = field(default_factory=ModelDescription)
    image: Image | None = None
    python: PythonEnvironment | None = None  # its own; None: the Comparator's, or what an image has
    stages: Stages | None = None  # of a model in three steps
    own_command: OwnCommand | None = None  # what trains it in the place of `train.sh`
    variant: str | None = None  # which of the models of a folder, or an image, that has several

    @property
    def reference(self) -> str:
        """What finds the model again, and tells it from any other: its path, and behind a colon its variant."""
        return str(self.path) if self.variant is None else f"{self.path}:{self.variant}"

    @property
    def fixed(self) -> dict[str, Any]:
        """The hyperparameter that says which variant it is; empty where the model has none."""
        return {} if self.variant is None else {str(self.description.variant): self.variant}

    @property
    def is_folder(self) -> bool:
        return self.image is None and self.path.is_dir()

    @property
    def folder(self) -> Path:
        """The folder that the model is, or lies in."""
        return self.path if self.is_folder else self.path.parent

    @property
    def description_file(self) -> Path:
        """Where the model's description is, or would be."""
        if self.image is not None:
            return description_beside(self.path)
        return self.path / "model.toml" if self.is_folder else self.path.with_suffix(".toml")

    @property
    def module(self) -> str | None:
        """What the warm server imports: a module's name or a file; None: only `train.sh`."""
        return self.description.module if self.is_folder or self.image else str(self.path)

    @property
    def python_path(self) -> list[Path]:
        return list(self._imported_from.values())

    @property
    def _imported_from(self) -> dict[str, Path]:
        """The folders of `python_path` by the names that they have there; a Python file's own goes without saying."""
        if self.image is not None:
            return {}
        named = [entry for entry in self.description.python_path if self.is_folder or entry != "."]
        return {entry: (self.folder / entry).resolve() for entry in named}

    @property
    def key(self) -> tuple[str, PythonEnvironment | None]:
        """What tells it from another of an experiment: where it is, which of several, and what it runs in."""
        return self.reference, self.python

    @property
    def is_ready(self) -> bool:
        """Whether what it runs in is there; an environment that is to be made may not be."""
        return self.python is None or self.python.is_there

    @property
    def interpreter(self) -> str:
        """The Python that the model's modules and scripts are run by."""
        if self.image is not None:
            return "python3"
        return sys.executable if self.python is None else str(self.python.python)

    def script(self, name: str) -> Path | None:
        """The path of `train.sh`, `infer.sh` or `preprocess.sh`; None where the model has none, goes by `stages`, or is
        trained by its own command."""
        if self.stages is not None or (self.own_command is not None and name == TRAIN):
            return None
        if self.image is not None:
            return Path(name) if name in self.image.scripts else None
        script = self.path / name
        return script if self.is_folder and script.is_file() else None

    @property
    def trained_by(self) -> str | None:
        """The name of what trains it in a process of its own; None where only its module does."""
        if self.stages is not None:
            return self.stages.train.script.name
        if self.own_command is not None:
            return self.own_command.name
        return None if self.script(TRAIN) is None else TRAIN

    def command(self, name: str) -> list[str]:
        """The words that start a script that the model has; one that does not start by itself is given to a shell."""
        script = self.script(name)
        assert script is not None
        if self.image is not None or starts_itself(script):
            return [str(script)]
        return [*started_by(script), str(script)]

    def seen(self, value: Any, data_folder: Path) -> Any:
        """A value, or hyperparameters, with paths under the data folder as the model sees them."""
        if self.image is None:
            return value
        if isinstance(value, str) and (value + "/").startswith(f"{data_folder}/"):
            return DATA_FOLDER + value[len(str(data_folder)) :]
        if isinstance(value, Path):
            return Path(self.seen(str(value), data_folder))
        if isinstance(value, list):
            return [self.seen(each, data_folder) for each in value]
        if isinstance(value, dict):
            return {name: self.seen(each, data_folder) for name, each in value.items()}
        return value

    @cached_property
    def identity(self) -> str:
        """SHA-256 over what the model is: its files, what else its code is in, how it is called, its packages.

        Of a folder these are all its files, of a Python file it alone (what it imports and opens is seen while it runs,
        see `reads`), of an image the image's own. The place of a model whose author does not say what its runs read
        counts too: what it reads may lie beside it.
        """
        variant = [] if self.variant is None else [self.variant]
        if self.image is not None:
            own = [] if self.own_command is None else [self.description.own_calling]
            return digest_of([image_digest(self.path), self.description.calling, *variant, *own])
        place = None if self.description.tells_what_is_read else str(self.path)
        called = self.path.name if self.path.is_file() else None
        return digest_of([place, called, self._code.digest, self.description.calling, self._packages, *variant])

    @property
    def state(self) -> str | None:
        """What tells in no time that a model is unchanged, None where only its `identity` does."""
        return image_state(self.path) if self.image is not None and self.path.is_file() else None

    @property
    def sees_reads(self) -> bool:
        """Whether a server of the model, outside an image, tells what it reads."""
        return self.image is None and (self.python is None or self.python.sees_reads)

    def untold(self, *, warm: bool) -> str | None:
        """Why it cannot be told what a run of the model depends on; None where it can.

        An image sees nothing but the data folder, a server tells what is read in it, and an author may say it in
        `model.toml`. What a script reads cannot be seen.
        """
        if self.image is not None:
            return None
        if self._code.unknown is not None:
            return f"its code: {self._code.unknown}"
        if self.description.tells_what_is_read or (warm and self.module is not None and self.sees_reads):
            return None
        if warm and self.module is not None and self.python is not None:
            version = self.python.interpreter.version
            says = f"reads = [...] in {self.description_file} says it"
            return f"what a module reads cannot be seen in Python {version}; {says}"
        says = f"code = [...] and reads = [...] in {self.description_file} say it"
        reader = self.trained_by or TRAIN
        return f"what {reader} reads cannot be seen; comparator model check {self.path} finds it out, and {says}"

    def covered(self, data_folder: Path, until: int | None = None, *others: Path) -> list[tuple[str, int | None]]:
        """What the identity of the model's runs holds: paths, each with the time up to which it does, None: for good.

        `until` is that of the data folder (nanoseconds since 1970), `others` lie below no identity but do not count.
        """
        reads = self.description.reads
        data = [(data_folder, until)] if reads is None else [(data_folder / name, None) for name in reads]
        code = [
            self.path,
            *self.python_path,
            *map(self.beside, self.description.code),
            *(each for each, _ in self.links),
            *(self.own_command.outside if self.own_command is not None else ()),
        ]
        ours = [Path(__file__).with_name(name) for name in ("server.py", "watching")]
        rest: list[tuple[Path, int | None]] = [(path, None) for path in (*code, *ours, *others)]
        return [(str(path), time) for path, time in [*data, *rest]]

    def covers(self, data_folder: Path, *others: Path) -> Callable[[str], bool]:
        """Says of a path whether the identity of the model's runs holds what lies there, or it lies in `others`."""
        covered = self.covered(data_folder, None, *others)
        roots = {form for root, _ in covered for form in (root, os.path.realpath(root))}
        roots |= set() if self.python is None else self.python.places()

        def is_covered(path: str) -> bool:
            forms = (path, os.path.realpath(path))
            return any(form == root or form.startswith(f"{root}/") for form in forms for root in roots)

        return is_covered

    def code(self, until: int | None = None, *, source_alone: bool = False) -> Tree:
        """The fingerprint of the files that the model's code is in, those changed after `until` left out.

        `source_alone`: of files that a program is written in, and not of what a model may write beside them.
        """
        only = is_source if source_alone else lambda name: True
        return tree_of(self._code_roots(), skip=self._is_its_python, until=until, only=only)

    def last_changed(self) -> str | None:
        """The path of the file of the model's code that changed last; None where that is not known."""
        return latest_below(*self._code_roots(), skip=self._is_its_python)

    def _is_its_python(self, name: str) -> bool:
        """Whether a folder, as the tree of the code names it, is the environment that the model runs in."""
        return name in self._names_of_its_python

    @cached_property
    def _names_of_its_python(self) -> set[str]:
        if self.python is None:
            return set()
        folder = self.python.folder
        return {f"{name}/{folder.relative_to(path)}" for name, path in self._code_roots() if path in folder.parents}

    @cached_property
    def _code(self) -> Tree:
        return self.code()

    def _code_roots(self) -> list[tuple[str, Path]]:
        roots = {".": self.path.resolve()} | self._imported_from
        roots |= {name: self.beside(name) for name in self.description.code}
        roots |= {str(place): file for file, place in self.links if self.folder.resolve() not in file.parents}
        outside = self.own_command.outside if self.own_command is not None else []
        roots |= {os.path.relpath(path, self.folder.resolve()): path for path in outside}
        named: dict[Path, str] = {}
        for name, path in roots.items():
            named.setdefault(path, name)
        return [(name, path) for path, name in named.items()]

    @cached_property
    def _packages(self) -> dict[str, str | None] | None:
        """The versions of the packages that count; None where a server tells which those are."""
        named = self.description.packages
        if self.python is not None:
            return {name: self.python.version_of(name) for name in named or self.python.installed()}
        if named is not None:
            return {name: version_and_files(name) for name in named}
        return None if self.module is not None else installed_packages()

    @property
    def reads_tell_packages(self) -> bool:
        """Whether the packages that a run has loaded count as they are seen, and not by the model's identity."""
        return self.image is None and self.python is None and self.description.packages is None

    @cached_property
    def links(self) -> list[tuple[Path, Path]]:
        """What of its files a run finds in its folder, see `links`; raises `InputError` where that is not there."""
        folder = self.folder if self.own_command is None else self.own_command.folder
        return linked_files(folder, self.description.links, str(self.description_file))

    def beside(self, name: str) -> Path:
        """A path of `model.toml`, which is relative to the folder that it lies in."""
        return (self.folder / home_written_out(name)).resolve()

    def placed(self, folder: Path | None) -> Model:
        """The model as this node runs it: an image from `folder`, on a disk of the node. Raises `InputError`."""
        return self if self.image is None else replace(self, image=self.image.placed(folder))

    def run_names(
        self, experiment_id: str, run_id: str, folder: Path, data_folder: Path, given: Mapping[str, object]
    ) -> dict[str, object]:
        """What a run is given beside its hyperparameters, `given`: its names and folders, as the model takes them."""
        if self.stages is not None or self.own_command is not None:  # which say what they take
            return {}
        if self.description.convention == "improve":
            folders = {"input_dir": data_folder, "output_dir": folder}
            return {name: path for name, path in folders.items() if name not in given}
        names: dict[str, object] = {"experiment_id": experiment_id, "run_id": run_id}
        # An image of CANDLE's refuses flags that it does not know.
        if self.image is None or "output_dir" in self.description.hyperparameters:
            names["output_dir"] = folder
        return names

    def config_file(self, value: object, data_folder: Path) -> Path | None:
        """Find the file that a `config_file` hyperparameter names: the data folder's, else the one that ships."""
        if not isinstance(value, str) or not value:
            return None
        asked = Path(value)
        for candidate in (asked, data_folder / asked.name, self.path / asked.name):
            if candidate.is_absolute() and candidate.is_file():
                return candidate
        if self.image is not None:  # it may be in the image; the model will say where it is not
            return None
        raise InputError(
            f"config_file = '{shortened(value)}': no such file, and neither {data_folder} nor {self.path}"
            f" has '{shortened(asked.name)}'"
        )


def told_by(model: Model) -> Iterator[Definition]:
    """What a model's own files tell of its hyperparameters, the more certain first; those of an image are not seen."""
    if model.is_folder:
        yield from told_by_folder(model.path, None if model.python is None else model.python.folder)
    elif model.image is None:
        yield from told_by_file(model.path)


def outside_container(value: object, data_folder: Path) -> object:
    """Read a leading `/candle_data_dir`, the data folder's place inside images, as the data folder itself."""
    if isinstance(value, str) and (value + "/").startswith(DATA_FOLDER + "/"):
        return str(data_folder) + value[len(DATA_FOLDER) :]
    if isinstance(value, list):
        return [outside_container(each, data_folder) for each in value]
    return value


def is_source(name: str) -> bool:
    """Whether a file, by its name, is one that a program is written or set up in."""
    ending = Path(name).suffix.lower()
    return ending in OF_SOURCE or name == "."  # the name of a Python file that is the whole model


def installed_packages() -> dict[str, str | None]:
    """The packages that this Python has, and itself, with their versions; see `reads.version_and_files`."""
    return {name: version_and_files(name) for name in ("Python", *packages.names())}
