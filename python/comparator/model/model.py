"""Find the model that a name stands for, and say what it is made of."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.model.description import ModelDescription, parse_description, read_description
from comparator.model.image import (
    DATA_FOLDER,
    Image,
    description_beside,
    image_digest,
    image_state,
    is_image,
    look_into,
)
from comparator.model.runtime import find_runtime
from comparator.site import Site

NOT_PART_OF_A_MODEL = {"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclass(frozen=True)
class Model:
    """A model folder (`train.sh`, perhaps `model.toml`), an image, or a Python file with `run(params)`."""

    name: str
    path: Path  # the folder, the image, or the Python file
    description: ModelDescription = field(default_factory=ModelDescription)
    image: Image | None = None

    @property
    def is_folder(self) -> bool:
        return self.image is None and self.path.is_dir()

    @property
    def module(self) -> str | None:
        """What the warm server imports: a module's name or a file; None: only `train.sh`."""
        return self.description.module if self.is_folder or self.image else str(self.path)

    @property
    def python_path(self) -> list[Path]:
        if not self.is_folder:
            return []
        return [(self.path / entry).resolve() for entry in self.description.python_path]

    def script(self, name: str) -> Path | None:
        """The path of `train.sh`, `infer.sh` or `preprocess.sh`, or None where the model has none."""
        if self.image is not None:
            return Path(name) if name in self.image.scripts else None
        script = self.path / name
        return script if self.is_folder and script.is_file() else None

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
        """SHA-256 over the names and contents of all files that the model consists of.

        Of a Python file these are it, its description, and the Python files beside it, which it may import; of an
        image it is the image's own.
        """
        if self.image is not None:
            return image_digest(self.path)
        digest = hashlib.sha256()
        roots = [self.path.resolve(), *self.python_path] if self.is_folder else [self.path.parent]
        for root in dict.fromkeys(roots):
            files = (
                _files_below(root) if self.is_folder else [*sorted(root.glob("*.py")), self.path.with_suffix(".toml")]
            )
            for file in filter(Path.is_file, files):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{root.name}/{file.relative_to(root).as_posix()}\0{content}\n".encode())
        return digest.hexdigest()

    @property
    def state(self) -> str | None:
        """What tells in no time that a model is unchanged, None where only its `identity` does."""
        return image_state(self.path) if self.image is not None and self.path.is_file() else None

    def placed(self, folder: Path | None) -> Model:
        """The model as this node runs it: an image from `folder`, on a disk of the node. Raises `InputError`."""
        return self if self.image is None else replace(self, image=self.image.placed(folder))

    def run_names(
        self, experiment_id: str, run_id: str, folder: Path, data_folder: Path, given: Mapping[str, object]
    ) -> dict[str, object]:
        """What a run is given beside its hyperparameters, `given`: its names and folders, as the model takes them."""
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
            f"config_file = '{value}': no such file, and neither {data_folder} nor {self.path} has '{asked.name}'"
        )


def data_identity(model: Model, data_folder: Path) -> str | None:
    """SHA-256 of the manifest that the model's data have, None where there is none."""
    if model.description.data_manifest is None:
        return None
    try:
        manifest = (data_folder / model.description.data_manifest).read_bytes()
    except OSError:
        return None
    return hashlib.sha256(manifest).hexdigest()


def outside_container(value: object, data_folder: Path) -> object:
    """Read a leading `/candle_data_dir`, the data folder's place inside images, as the data folder itself."""
    if isinstance(value, str) and (value + "/").startswith(DATA_FOLDER + "/"):
        return str(data_folder) + value[len(DATA_FOLDER) :]
    if isinstance(value, list):
        return [outside_container(each, data_folder) for each in value]
    return value


def find_model(reference: str, relative_to: Path, containers: Path, where: str, site: Site | None = None) -> Model:
    """Find what `reference` names: a path, a folder in `containers/`, or an importable Python module.

    `relative_to` is the folder of the file that names the model, `where` the words for that place in errors; `site`
    says which runtime images are for. Raises `InputError`.
    """
    path = (relative_to / Path(reference).expanduser()).resolve()
    if is_image(path):
        return _image_model(path, reference, where, site)
    if path.is_dir():
        return _folder_model(path, reference, where)
    if path.is_file():
        return _python_model(path, reference, where)
    if not any(separator in reference for separator in (os.sep, ".")) and (containers / reference).is_dir():
        return _folder_model(containers / reference, reference, where)
    if all(part.isidentifier() for part in reference.split(".")):
        return _module_model(reference, where, containers)
    raise InputError(f"{where}: no model at '{path}'")


def _folder_model(path: Path, reference: str, where: str) -> Model:
    description_file = path / "model.toml"
    description = read_description(description_file) if description_file.is_file() else ModelDescription()
    train = path / "train.sh"
    if not train.is_file() and description.module is None:
        raise InputError(f"{where}: '{reference}' is no model: {path} has neither train.sh nor a module in model.toml")
    if train.is_file() and not os.access(train, os.X_OK):
        raise InputError(f"{where}: {train} is not executable; chmod +x mends it")
    return Model(description.name or path.name, path.resolve(), description)


def _image_model(path: Path, reference: str, where: str, site: Site | None) -> Model:
    if site is None:
        image = look_into(path, reference, where, find_runtime(), nodes_have_one=False)
    else:
        of_site = f"site '{site.name}': SITE_CONTAINER_RUNTIME"
        runtime = find_runtime(site.container_runtime, site.container_options, of_site)
        image = look_into(path, reference, where, runtime, nodes_have_one=site.scheduler != "none")
    beside = description_beside(path)
    if beside.is_file():
        description = read_description(beside)
    else:
        description = parse_description(image.description, f"{path.name}: model.toml")
    return Model(description.name or path.stem, path, description, image)


def _python_model(path: Path, reference: str, where: str) -> Model:
    if path.suffix != ".py":
        raise InputError(f"{where}: '{reference}' is no model: give a folder, or a Python file with run(params)")
    description_file = path.with_suffix(".toml")
    description = read_description(description_file) if description_file.is_file() else ModelDescription()
    return Model(description.name or path.stem, path, description)


def _module_model(reference: str, where: str, containers: Path) -> Model:
    try:
        found = importlib.util.find_spec(reference)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        folders = sorted(entry.name for entry in containers.glob("*") if (entry / "model.toml").is_file())
        raise InputError(
            f"{where}: no model '{reference}'{nearest(reference, folders)}; give a folder, a Python file or a module"
            f" with run(params), or one of: {', '.join(folders)}"
        )
    return _python_model(Path(found.origin), reference, where)


def _files_below(root: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - NOT_PART_OF_A_MODEL)
        found += [Path(folder, name) for name in sorted(names) if not name.endswith(".pyc")]
    return found
