"""A command of a model's own (`command` in `model.toml`), in the place of `train.sh`: what a run is called by.

```toml
command = ["python", "train.py", "--data", "{data}", "--out", "{run}"]
```

is what one types in the model's folder, as words. The run's hyperparameters follow, as the script writes its flags
(`--batch-size 32`, a switch alone). What a Python script takes is read from its source and from what that imports, what
one in R takes from its source; of a script that does not tell, a name is `--name value`, or as `flags` says.

| word | is |
|---|---|
| `{data}`, `{run}` | the data folder, the folder of the run |
| `{NAME}` | the value of a hyperparameter, which then is no flag; else its default; `lr={lr}` may be left out |
| a file of the model's folder, a folder in it by a path with `/` | its whole path, also behind a `=` |

The current folder is that of the run, or with `start_in = "src"` a folder in it that is called so, while the words are
those that one types in that folder of the model. What of the model's files has to be in the current folder is linked
there (`links`). A file of `settings` is copied to where it is in the model's folder, with the hyperparameters that it
names; a word that names it then names the copy.

Of an image the model's folder is the one that its IMPROVE_MODEL_DIR names, else that of the script that `command` names
by its whole path.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from comparator.errors import InputError, nearest, nearest_path
from comparator.formats.spelling import NOT_FLAGS, spelling
from comparator.formats.text import shortened, shown, write_text_whole
from comparator.model.definitions import EITHER, Definition, as_description, typed
from comparator.model.described import HyperparameterDescription
from comparator.model.description import SEEDS, ModelDescription
from comparator.model.flag_words import flag_words
from comparator.model.own_files.imported_settings import COPY, STARTER, write_starter
from comparator.model.own_files.settings_file import SCRIPT, named_settings, read_settings_file, with_values
from comparator.model.own_files.told import module_file, settings_of, told_by_script, with_imports
from comparator.model.stages import started_by

DATA, RUN = "data", "run"
#: A place in a word; `${NAME}` is a shell's.
PLACE = re.compile(r"(?<!\$)\{([A-Za-z_][\w.-]*)\}")
#: A word that is left out where its hyperparameter is not given.
LEFT_OUT = re.compile(r"[^\s{}]+=\{[A-Za-z_][\w.-]*\}")
#: The ends of the names of scripts.
SCRIPTS = (".py", ".R", ".r", ".sh", ".jl", ".pl")
#: What runs a script, and options between the two, such as `-u`, that take no word of their own.
INTERPRETER, SWITCH = re.compile(r"python|Rscript|julia|perl|(ba)?sh$"), re.compile(r"-[BEIOSsuvx]+|--vanilla")
PYTHON = re.compile(r"python|pypy")
#: Puts folders before those that an image's Python imports from, and runs what follows.
WITH_PYTHON_PATH = 'export PYTHONPATH="$0${PYTHONPATH:+:$PYTHONPATH}"; exec "$@"'
#: The flag of a hyperparameter of which a script does not tell, by `flags`.
FORMS = {"--name value": "--{}", "--name=value": "--{}=", "-name value": "-{}", "name=value": "{}="}


@dataclass(frozen=True)
class OwnCommand:
    """The command of the model in `folder`, as `described`.

    Of an image `folder` is a copy of what it has `in_image`, as far as that is read here (`image_sources`).
    """

    folder: Path
    described: ModelDescription = field(repr=False)
    in_image: str | None = None

    @property
    def words(self) -> list[str]:
        return list(self.described.command or ())

    @property
    def start(self) -> Path:
        """The folder of the model in which one would type the command."""
        return (self.folder / (self.described.start_in or ".")).resolve()

    @property
    def settings(self) -> Path | None:
        """The model's own file of settings."""
        return None if self.described.settings is None else (self.folder / self.described.settings).resolve()

    @property
    def name(self) -> str:
        """What it is called in a message: its script, or its first word."""
        return self.script.name if self.script is not None else Path(self.words[0]).name

    @cached_property
    def script(self) -> Path | None:
        """The first script of the model's that it names, or runs as a module, else the first file; None: it names none.

        What stands before a script starts it: an image, say, that another program runs it in.
        """
        files = []
        for place, word in enumerate(self.words):
            path = self._own(word, is_first=place == 0)
            if path is not None and path.is_file() and (path != self.settings or path.suffix == SCRIPT):
                files.append(path)
            if word == "-m" and place + 1 < len(self.words):
                module = module_file(self.words[place + 1], self.start)
                files += [] if module is None else [module]
        return next((path for path in files if path.suffix in SCRIPTS), next(iter(files), None))

    @cached_property
    def takes(self) -> dict[str, Definition]:
        """The flags of its script by name, as far as its source tells."""
        found: dict[str, Definition] = {}
        for each in () if self.script is None else told_by_script(self.script, self.imported_from):
            if each.flag and spelling(each.name, found) not in found:
                found[each.name] = each
        return found

    @property
    def imported_from(self) -> list[Path]:
        """Where its Python looks for modules, also for those beside a script that runs as a copy of itself."""
        beside = [self.settings.parent] if self._is_copied_script and self.settings is not None else []
        return [self.start, *((self.folder / name).resolve() for name in self.described.python_path), *beside]

    @property
    def _is_copied_script(self) -> bool:
        """Whether its settings are those of a script that its words name, so that a copy is run in its place."""
        named = [self._named(word, is_first=not place)[1] for place, word in enumerate(self.words)]
        return self.settings is not None and self.settings.suffix == SCRIPT and self.settings in named

    @cached_property
    def _start_of_script(self) -> int | None:
        """Where in its words a Python script starts whose settings are a module that it imports, or is; else None."""
        if self.settings is None or self.settings.suffix != SCRIPT or self._is_copied_script or self.script is None:
            return None
        if self.settings not in {path.resolve() for path in with_imports([self.script], self.imported_from)}:
            return None
        for place, word in enumerate(self.words):
            before = [each for each in self.words[:place] if not SWITCH.fullmatch(each)]
            is_script = word == "-m" or self._named(word, is_first=not place)[1] == self.script
            if is_script and before and PYTHON.match(Path(before[-1]).name):
                return place
        return None

    @cached_property
    def outside(self) -> list[Path]:
        """What of it lies outside the model's folder: what its words name, what these import, and its settings."""
        if self.in_image is not None:
            return []
        own = [self._named(word, is_first=not place)[1] for place, word in enumerate(self.words)]
        named = [path.resolve() for path in (*own, self.script, self.settings) if path is not None]
        scripts = [path for path in named if path.suffix == ".py"]
        folder = self.folder.resolve()
        found = dict.fromkeys(path.resolve() for path in (*named, *with_imports(scripts, self.imported_from)))
        return [path for path in found if folder not in (path, *path.parents)]

    @cached_property
    def of_settings(self) -> dict[str, Definition]:
        """The settings of its file, by name."""
        return {} if self.settings is None else {each.name: each for each in settings_of(self.settings)}

    @property
    def named(self) -> list[str]:
        """The hyperparameters whose places are in its words."""
        places = dict.fromkeys(name for word in self.words for name in PLACE.findall(word))
        return [name for name in places if name not in (DATA, RUN)]

    @property
    def hyperparameters(self) -> dict[str, Definition]:
        """All that it is known to take; what a word of the command gives for good, a run does not."""
        given = {word.partition("=")[0] for word in self.words}
        flags = {name: each for name, each in self.takes.items() if each.flag.rstrip("=") not in given}
        return {**{name: Definition(name) for name in self.named}, **self.of_settings, **flags}

    def check(self, where: str) -> None:
        """Raise `InputError` where it cannot be called as it is described, in `where`."""
        if not self.start.is_dir() or (self.in_image is not None and not self.start.is_relative_to(self.folder)):
            said = f"{where}: start_in = '{shortened(str(self.described.start_in))}'"
            raise InputError(f"{said}: no folder {self.seen(self.start)}")
        if self.settings is not None:
            if self.settings.suffix == SCRIPT and not self._is_copied_script and self._start_of_script is None:
                said = f"{where}: settings = '{shortened(str(self.described.settings))}'"
                raise InputError(
                    f"{said}: is no script that the command names, nor a module that this one imports, so that its copy"
                    " would not be what runs"
                )
            read_settings_file(self.settings)
        outside = [each for each in self.described.links if Path(each).is_absolute() or ".." in Path(each).parts]
        if self.in_image is not None and outside:
            raise InputError(f"{where}: links: '{shortened(outside[0])}' is not below the model's folder in the image")
        self._check_script(where)
        for name in self.named:
            known = [*self.described.hyperparameters, *self.takes, *self.of_settings]
            meant = nearest(name, (DATA, RUN)) if spelling(name, known) not in known else ""
            if meant:
                raise InputError(f"{where}: command: '{{{shortened(name)}}}' is no hyperparameter that is known{meant}")
        for word in self.words:
            for name in () if LEFT_OUT.fullmatch(word) else PLACE.findall(word):
                if name not in (DATA, RUN) and self._default(name) is None:
                    name = shortened(name)
                    raise InputError(
                        f"{where}: command: '{{{name}}}' is nothing that can be left out where no run gives it:"
                        f" [hyperparameters.{name}] default = ... says what it is then"
                    )

    def _check_script(self, where: str) -> None:
        """Raise `InputError` for a program without a name, and for a script that is not there, and no link puts there.

        The script is the second word, behind an interpreter the first that is no option of its own.
        """
        program, *others = self.words
        if not program.strip() or (others and not others[0].strip()):
            which = "second" if program.strip() else "first"
            raise InputError(f"{where}: command = {shown(self.words)}: its {which} word is empty")
        if INTERPRETER.match(Path(program).name):
            others = list(itertools.dropwhile(SWITCH.fullmatch, others))
        word = others[0] if others else ""
        if not word.endswith(SCRIPTS) or word.startswith("-") or PLACE.search(word) or self.described.links:
            return
        path = self.start / word if self.in_image is None else self._in_folder(word)
        if path is not None and not path.is_file():
            raise InputError(f"{where}: command: '{shortened(word)}': no file {self.seen(path)}{nearest_path(path)}")

    def seen(self, path: Path) -> str:
        """A path of the model's folder as its command has it: in an image that of the image."""
        if self.in_image is None or not path.is_relative_to(self.folder):
            return str(path)
        return str(PurePosixPath(self.in_image) / path.relative_to(self.folder))

    def call(self, given: Mapping[str, Any], data_folder: Path, run: Path) -> list[str]:
        """The words of a run that is given these hyperparameters; raises `InputError` for what no word stands for."""
        known = {**{name: Definition(name) for name in self.named}, **self.of_settings}
        own = {spelling(name, known): value for name, value in given.items()}
        words = [self._word(word, own, data_folder, run, is_first=not place) for place, word in enumerate(self.words)]
        if self._start_of_script is not None:
            words.insert(self._start_of_script, str(run / STARTER))
        called = [*self._python_path(), *self._starter(), *(word for word in words if word is not None)]
        for name, value in own.items():
            if name not in known and name not in NOT_FLAGS:
                called += flag_words(self._flag(name), value)
        return called

    def _python_path(self) -> list[str]:
        """The words that put its folders on the PYTHONPATH of an image, whose own this host does not know."""
        if not self.in_image:
            return []
        folders = dict.fromkeys(map(self.seen, self.imported_from))
        return ["/bin/sh", "-c", WITH_PYTHON_PATH, ":".join(folders)]

    def _starter(self) -> list[str]:
        """The words before a program of the model's own that is a script, and not executable."""
        program = self._own(self.words[0], is_first=True)
        return [] if program is None or os.access(program, os.X_OK) else started_by(program)

    def write_settings(self, given: Mapping[str, Any], run: Path) -> None:
        """Write the run's own file of settings; raises `InputError` where the model's cannot be read."""
        if self.settings is None:
            return
        content = read_settings_file(self.settings)
        names = [name for name, _ in named_settings(content)]
        own = {spelling(name, names): value for name, value in given.items()}
        copy = self._copy(run)
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(copy, with_values(self.settings, content, {name: own[name] for name in names if name in own}))
        if self._start_of_script is not None:
            write_starter(run, self.seen(self.settings), copy)

    def _copy(self, run: Path) -> Path:
        """Where the run's own file of settings is."""
        assert self.settings is not None
        if self._start_of_script is not None:
            return run / COPY
        is_within = self.folder.resolve() in self.settings.parents
        return run / (self.settings.relative_to(self.folder.resolve()) if is_within else self.settings.name)

    def _word(self, word: str, own: Mapping[str, Any], data_folder: Path, run: Path, *, is_first: bool) -> str | None:
        """A word with its places filled, and paths of the model's folder written out; None where it is left out."""
        filled = {DATA: str(data_folder), RUN: str(run)}
        for name in PLACE.findall(word):
            value = own.get(name)
            value = self._default(name) if value is None else value
            if name not in filled and value is not None:
                filled[name] = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        if any(name not in filled for name in PLACE.findall(word)):
            return None
        before, path = self._named(word, is_first=is_first)
        if path is None:
            return PLACE.sub(lambda found: filled[found[1]], word)
        return before + (str(self._copy(run)) if path == self.settings else self.seen(path))

    def _named(self, word: str, *, is_first: bool) -> tuple[str, Path | None]:
        """What a word names of the model's, whole or behind a `=`, and what stands before that."""
        path = self._own(word, is_first=is_first)
        if path is not None or PLACE.search(word):
            return "", path
        before, equals, behind = word.partition("=")
        return before + equals, self._own(behind, is_first=False)

    def _own(self, word: str, *, is_first: bool) -> Path | None:
        """What a word names of the model's: a file, or, behind the first word and by a path with `/`, a folder."""
        if not word or word.startswith("-") or PLACE.search(word):
            return None
        path = self._in_folder(word)
        if path is None:
            return None
        if path.is_file() or (path.is_dir() and "/" in word and not is_first):
            # A link stays one: a virtual environment is known by it.
            return path if is_first else path.resolve()
        return None

    def _in_folder(self, word: str) -> Path | None:
        """Where a word leads that is a path from where the command is typed, or of an image a whole one."""
        if self.in_image is None:
            return None if word.startswith("/") else self.start / word
        if not self.in_image:
            return None
        inside = os.path.relpath(PurePosixPath(self.in_image, self.start.relative_to(self.folder), word), self.in_image)
        return None if inside.startswith("..") else self.folder / inside

    def _flag(self, name: str) -> Definition:
        """How it takes a hyperparameter by a flag."""
        own = self.takes.get(spelling(name, self.takes))
        return own if own is not None else Definition(name, flag=FORMS[self.described.flags].format(name))

    def _default(self, name: str) -> Any:
        described = self.described.hyperparameters.get(spelling(name, self.described.hyperparameters))
        return None if described is None else (described.model_extra or {}).get("default")


def folder_of_script(words: Sequence[str]) -> str:
    """The folder of the first script that the words name by its whole path; empty where they name none."""
    scripts = [word for word in words if word.startswith("/") and word.endswith(SCRIPTS)]
    return str(PurePosixPath(scripts[0]).parent) if scripts else ""


def with_own_command(description: ModelDescription, own: OwnCommand) -> ModelDescription:
    """The description of a model that is called so, with what its script and its settings tell beside that."""
    told = {name: as_description(_of_its_default(each)) for name, each in own.hyperparameters.items()}
    said = {spelling(name, told): each for name, each in description.hyperparameters.items()}
    known = {**told, **{name: _filled(each, told.get(name)) for name, each in said.items()}}
    seed = description.seed or _seed_among(known)
    return description.model_copy(update={"seed": seed}).with_hyperparameters(known)


def _seed_among(known: Collection[str]) -> str | None:
    """The one of the names that takes a seed: by itself (`SEED`), else the only one further in (`main.seed`)."""
    itself = next((name for each in SEEDS if (name := spelling(each, known)) in known), None)
    further_in = [name for name in known if spelling(name.rpartition(".")[2], SEEDS) in SEEDS]
    return itself or (further_in[0] if len(further_in) == 1 else None)


def _of_its_default(told: Definition) -> Definition:
    """A definition that says no type, with that of its default, as far as this tells it."""
    own = typed(told)
    return told if own.type == EITHER else own


def _filled(said: HyperparameterDescription, told: HyperparameterDescription | None) -> HyperparameterDescription:
    """What a description says of a hyperparameter, with the rest as its script tells it."""
    if told is None:
        return said
    given = said.model_dump(exclude_unset=True)
    return HyperparameterDescription.model_validate({**told.model_dump(exclude_unset=True), **given})
