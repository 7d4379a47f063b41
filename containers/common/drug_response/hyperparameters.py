"""A model's hyperparameters: names and limits from its `model.toml`, defaults from there and from its default file.

What a run uses is, the later before the earlier: the defaults of `model.toml`; the default file of the data folder,
else the one that ships with the model; the file that `config_file` names; what the caller gives.
Standard library only, besides the reader of CANDLE text files.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparator.errors import nearest
from comparator.formats.hyperparameters import read_hyperparameters
from comparator.formats.spelling import spelling

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The data folder's place inside a container.
CONTAINER_DATA_FOLDER = "/candle_data_dir"

_WORDS_FOR_BOOL = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def data_folder() -> Path:
    """Return the data folder, `CANDLE_DATA_DIR`. Raises ValueError where it is not set or no folder."""
    folder = os.environ.get("CANDLE_DATA_DIR", "")
    if not folder:
        raise ValueError("CANDLE_DATA_DIR is not set: it must name the data folder")
    if not Path(folder).is_dir():
        raise ValueError(f"CANDLE_DATA_DIR = '{folder}': no such folder")
    return Path(folder)


def named_studies(hyperparameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the words that name studies, by hyperparameter; `train` among test sources names none."""
    return {
        "train_sources": list(hyperparameters["train_sources"]),
        "test_sources": [word for word in hyperparameters["test_sources"] if word != "train"],
        "match_studies": list(hyperparameters["match_studies"] or ()),
    }


def seed_of(hyperparameters: Mapping[str, Any], name: str) -> int:
    """Return the seed that `name` gives, the run's own (`rng_seed`) where it is None or the model has no such name."""
    given = hyperparameters.get(name)
    return int(hyperparameters["rng_seed"] if given is None else given)


class Hyperparameters:
    """The hyperparameters of one model: `folder` holds its `model.toml` and its default file."""

    def __init__(self, folder: Path, default_file: str) -> None:
        self.folder = folder
        self.default_file = default_file

    @functools.cached_property
    def descriptions(self) -> dict[str, dict[str, Any]]:
        """What `model.toml` says of each hyperparameter."""
        with (self.folder / "model.toml").open("rb") as stream:
            return dict(tomllib.load(stream)["hyperparameters"])

    def find_config_file(self, name: str) -> Path:
        """Return the place of a hyperparameter file.

        A leading /candle_data_dir means the data folder; another relative name is looked for in the data folder,
        `./x` and the default file's name in the model's folder. Raises ValueError where there is no such file.
        """
        data = os.environ.get("CANDLE_DATA_DIR", "")
        inside = name.removeprefix(CONTAINER_DATA_FOLDER + "/")
        places = [Path(name)] if Path(name).is_absolute() else []
        if data and not name.startswith("./"):
            places.append(Path(data) / inside)
        if name.startswith("./") or Path(inside).name == self.default_file:
            places.append(self.folder / Path(inside).name)
        for place in places:
            if place.is_file():
                return place
        raise ValueError(f"config_file = '{name}': no such file" + (f" in {data}" if data else ""))

    def defaults(self) -> dict[str, Any]:
        """Return every hyperparameter with its default; None where nothing is set."""
        values = {name: description.get("default") for name, description in self.descriptions.items()}
        return {**values, **self._read(self.default_file)}

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all hyperparameters of a run: what the caller gives over `config_file` over the defaults.

        Unknown names are left out. Raises ValueError, one line that names the key, for a value that is not allowed.
        """
        checked = self.check(given)
        from_file = {}
        if checked.get("config_file"):
            from_file = self._read(checked["config_file"])
        return {**self.defaults(), **from_file, **checked}

    def given_values(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of a full set of hyperparameters that differ from the defaults: what the user has set.

        A CANDLE caller merges its settings into `initialize_parameters()`, and a `config_file` among them must take
        the place of the defaults, not of the settings.
        """
        known = self.defaults()
        return {name: value for name, value in hyperparameters.items() if name not in known or known[name] != value}

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the known ones of the given hyperparameters, in their types.

        Raises ValueError with one line: the key, the value given, what is allowed.
        """
        known = self.descriptions
        return {name: _check_value(name, value, known[name]) for name, value in given.items() if name in known}

    def _read(self, file: str) -> dict[str, Any]:
        """The known hyperparameters of a file, which may write their names in any case."""
        path = self.find_config_file(file)
        now = path.stat()
        given = _read_file(path, now.st_mtime_ns, now.st_size)
        return self.check({spelling(name, self.descriptions): value for name, value in given.items()})


@functools.lru_cache(maxsize=8)
def _read_file(path: Path, _changed: int, _size: int) -> dict[str, Any]:
    """Return what a file says, which is read again where it has changed: a training reads it twice."""
    return read_hyperparameters(path)


def _check_value(name: str, value: Any, description: Mapping[str, Any]) -> Any:
    if description.get("effect") == "none":
        return value
    if value is None or value in ("None", ""):
        if description.get("optional"):
            return None
        raise ValueError(f"{name} = {value!r}: must be {_allowed(description)}")
    try:
        converted = _convert(value, description)
    except (TypeError, ValueError, SyntaxError, OverflowError):
        raise ValueError(f"{name} = {value!r}: must be {_allowed(description)}") from None
    _check_range(name, converted, description)
    return converted


def _convert(value: Any, description: Mapping[str, Any]) -> Any:
    kind = description["type"]
    if kind == "list":
        return [_convert_one(item, description.get("items", "any")) for item in _as_list(value)]
    return _convert_one(value, kind)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            # Words: `500 500`, or a list that lost its quotes on a command line.
            value = [word.strip("'\"") for word in value.strip("[]() ").replace(",", " ").split()]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _convert_one(value: Any, kind: str) -> Any:
    if kind == "bool":
        return value if isinstance(value, bool) else _read_bool(str(value))
    if kind == "string":
        return _read_text(value)
    if kind in ("int", "float") and isinstance(value, bool):
        raise ValueError(value)
    if kind == "float":
        number = float(value)
        if number - number != 0:
            raise ValueError(value)
        return number
    if kind == "int":
        number = float(value)
        if number != int(number):
            raise ValueError(value)
        return int(number)
    return value


def _read_bool(text: str) -> bool:
    try:
        return _WORDS_FOR_BOOL[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _read_text(value: Any) -> str:
    if isinstance(value, (list, tuple, dict)):
        raise TypeError(value)
    return str(value)


def _check_range(name: str, value: Any, description: Mapping[str, Any]) -> None:
    if isinstance(value, list):
        one = {"minimum": description.get("item_minimum"), "choices": description.get("item_choices")}
        wrong = next((item for item in value if not _is_within(item, one)), None)
        if wrong is not None or (not value and not description.get("optional")):
            choices = description.get("item_choices")
            hint = nearest(str(wrong), choices) if choices else ""
            raise ValueError(f"{name} = {value!r}: must be {_allowed(description)}{hint}")
    elif not _is_within(value, description):
        choices = description.get("choices")
        hint = nearest(str(value), [str(choice) for choice in choices]) if choices else ""
        raise ValueError(f"{name} = {value!r}: must be {_allowed(description)}{hint}")


def _is_within(value: Any, limits: Mapping[str, Any]) -> bool:
    choices = limits.get("choices")
    if choices and value not in choices:
        return False
    minimum, maximum = limits.get("minimum"), limits.get("maximum")
    above, below = limits.get("above"), limits.get("below")
    return (
        (minimum is None or value >= minimum)
        and (maximum is None or value <= maximum)
        and (above is None or value > above)
        and (below is None or value < below)
    )


_KINDS = {"int": "a whole number", "float": "a number", "bool": "True or False", "string": "a text", "any": "a value"}
_PLURALS = {"int": "whole numbers", "string": "texts"}


def _allowed(description: Mapping[str, Any]) -> str:
    """Say in words what a hyperparameter takes."""
    kind = description["type"]
    if kind == "list":
        choices, minimum = description.get("item_choices"), description.get("item_minimum")
        text = f"a list of {_PLURALS.get(description.get('items', ''), 'values')}"
        text += f" among {', '.join(choices)}" if choices else ""
        text += f" of at least {minimum}" if minimum is not None else ""
    elif description.get("choices"):
        text = " or ".join(str(choice) for choice in description["choices"])
    else:
        words = (("minimum", "at least"), ("above", "above"), ("maximum", "at most"), ("below", "below"))
        limits = [f"{word} {description[key]}" for key, word in words if key in description]
        text = " ".join([_KINDS[kind], " and ".join(limits)]).strip()
    text = f"{text}, or None" if description.get("optional") else text
    return f"{text}; {description['instead']}" if "instead" in description else text
