"""The flags that a script of an IMPROVE model takes, read from its source and its parameter file; it is not run.

They are those that every script of its interface takes, and the model's own: the lists of definitions that the script
hands over as `additional_definitions`, wherever in the model's folder these are written (`model_params_def.py`), and
the options of `argparse` that it adds itself. A script of which nothing of that is found takes the keys of its section.

The interface has changed its names: those of `improve` (v0.0.3) are `OLD`, those of `improvelib` `NEW`. Which of the
two a script means is seen by what it imports.
"""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from comparator.errors import InputError
from comparator.formats.hyperparameters import parse_value
from comparator.formats.python_source import tree_of
from comparator.formats.spelling import spelling
from comparator.formats.text import read_text, shortened
from comparator.model.definitions import Definition, entry, option
from comparator.model.described import HyperparameterDescription, StageName

Interface = Literal["old", "new"]

#: The module that a script of each interface imports.
MODULES: dict[str, Interface] = {"improvelib": "new", "improve": "old"}
HANDED_OVER = ("default_config", "default_model")
DEFINITIONS = "additional_definitions"
#: Names of lists in `model_params_def.py`, for a script that hands over none that can be followed.
LISTS = {"preprocess": ("preproc",), "train": ("train",), "infer": ("infer", "test")}
DEFINITIONS_FILE = "model_params_def.py"
#: The names of lists that were followed so far, each with the module that it stands in.
Way = tuple[tuple[ast.Module, str], ...]

_TEXT, _WHOLE, _NUMBER, _SWITCH = "string", "int", "float", "bool"
_OF_MODEL_FILE = {"model_file_name": _TEXT, "model_file_format": _TEXT, "metric_type": _TEXT, "loss": _TEXT}
_OF_COLUMNS = {"y_col_name": _TEXT, "canc_col_name": _TEXT, "drug_col_name": _TEXT}
_OF_SPLITS = {"train_split_file": _TEXT, "val_split_file": _TEXT, "test_split_file": _TEXT}
_OF_FOLDERS = {"x_data_dir": _TEXT, "y_data_dir": _TEXT, "splits_dir": _TEXT}
_OF_TRAINING = {
    **{"epochs": _WHOLE, "batch_size": _WHOLE, "val_batch": _WHOLE, "patience": _WHOLE},
    **{"learning_rate": _NUMBER, "early_stop_metric": _TEXT},
}
_OF_ALL = {"data_format": _TEXT, "y_col_name": _TEXT, "log_level": _TEXT, "config_file": _TEXT}

#: The flags of the interface itself, by stage, with their types; the folders are `PLACES`.
FLAGS: Mapping[Interface, Mapping[StageName, Mapping[str, str]]] = {
    "new": {
        "preprocess": {
            **_OF_ALL,
            **_OF_SPLITS,
            **_OF_COLUMNS,
            **_OF_FOLDERS,
            **{"input_supp_data_dir": _TEXT, "y_data_files": _TEXT, "x_data_canc_files": _TEXT},
            **{"x_data_drug_files": _TEXT},
        },
        "train": {**_OF_ALL, "input_supp_data_dir": _TEXT, **_OF_TRAINING, **_OF_MODEL_FILE},
        "infer": {
            **_OF_ALL,
            **{"input_supp_data_dir": _TEXT, "infer_batch": _WHOLE, "calc_infer_scores": _SWITCH},
            **_OF_MODEL_FILE,
        },
    },
    "old": {
        "preprocess": {**_OF_SPLITS, **_OF_FOLDERS, "data_format": _TEXT, "y_col_name": _TEXT, "config_file": _TEXT},
        "train": {
            **{name: kind for name, kind in _OF_TRAINING.items() if name != "learning_rate"},
            **{"data_format": _TEXT, "y_col_name": _TEXT, "config_file": _TEXT},
            **{"model_file_name": _TEXT, "model_file_format": _TEXT, "loss": _TEXT},
        },
        "infer": {
            **{"data_format": _TEXT, "y_col_name": _TEXT, "config_file": _TEXT, "test_batch": _WHOLE},
            **{"model_file_name": _TEXT, "model_file_format": _TEXT, "loss": _TEXT},
        },
    },
}
#: From v1.0 on every table has a flag for its file and, of features, one for what is done to it.
_OF_FEATURES = (
    *("cell_transcriptomic", "cell_cnv", "cell_mutation", "cell_methylation", "cell_miRNA", "cell_RPPA"),
    *("drug_smiles", "drug_mordred", "drug_ecfp"),
)
TABLES = ("y_data_file", *(f"{table}_{what}" for table in _OF_FEATURES for what in ("file", "transform")))
#: The flags that these took the place of.
BEFORE_TABLES = ("y_data_files", "x_data_canc_files", "x_data_drug_files")
_OF_NETWORKS = {
    **dict.fromkeys(("learning_rate", "dropout", "recurrent_dropout", "momentum", "val_split"), _NUMBER),
    **dict.fromkeys(("dense", "conv", "lstm_size"), "list"),
    **dict.fromkeys(("activation", "out_activation", "optimizer", "metrics", "initialization"), _TEXT),
    **dict.fromkeys(("batch_normalization", "early_stop", "locally_connected", "shuffle"), _SWITCH),
    **dict.fromkeys(("pool", "rng_seed", "train_steps", "val_steps", "test_steps"), _WHOLE),
}
#: Keywords of CANDLE, which each script of the older interface takes beside its own: those that a model has a use for,
#: its parameter file gives. What is of a training is not of the preprocessing, whose data are kept for all trainings.
KEYWORDS: Mapping[StageName, Mapping[str, str]] = {
    "preprocess": {"scaling": _TEXT, "feature_subsample": _WHOLE},
    "train": _OF_NETWORKS,
    "infer": _OF_NETWORKS,
}

Place = Literal["raw", "data", "run"]
#: Where a stage reads and writes: its flag, and whether it is the raw data, the preprocessed data, or the run's folder.
PLACES: Mapping[Interface, Mapping[StageName, Mapping[str, Place]]] = {
    "new": {
        "preprocess": {"input_dir": "raw", "output_dir": "data"},
        "train": {"input_dir": "data", "output_dir": "run"},
        "infer": {"input_data_dir": "data", "input_model_dir": "run", "output_dir": "run"},
    },
    "old": {
        "preprocess": {"raw_data_dir": "raw", "ml_data_outdir": "data"},
        "train": {"train_ml_data_dir": "data", "val_ml_data_dir": "data", "model_outdir": "run"},
        "infer": {"test_ml_data_dir": "data", "model_dir": "run", "infer_outdir": "run"},
    },
}
#: What is nobody's hyperparameter: the folders, under any name.
OF_PLACES = {name for stages in PLACES.values() for places in stages.values() for name in places}
#: One thing under the names of both interfaces.
RENAMED = {"test_batch": "infer_batch", "infer_batch": "test_batch"}


@dataclass(frozen=True)
class StageFlags:
    """What one stage's script takes: its own flags by name, those of its folders, and what its parameter file gives.

    `is_told` is False where its source does not tell: then it may take more.
    """

    stage: StageName
    flags: Mapping[str, Definition]
    places: Mapping[str, Place]
    given: Mapping[str, str]
    is_told: bool = True

    def own_name(self, name: str) -> str | None:
        """What the script calls a hyperparameter; None where it does not take it."""
        for each in (name, RENAMED.get(name, name)):
            own = spelling(each, self.flags)
            if own in self.flags:
                return own
        return None


def flags_of_python(script: Path, stage: StageName, parameter_file: Path | None) -> StageFlags:
    """The flags of a Python script; raises `InputError` where it, or its parameter file, cannot be read."""
    tree = _tree(script)
    interface = _interface(tree)
    kept = _parameter_file(tree, script) or parameter_file
    given = section_of(kept, stage, whole=interface == "old") if kept is not None else {}
    known = dict(_of_interface(interface, stage)) | dict(_of_parameter_file(interface, stage, given))
    if _has_tables(stage, given):
        known = {name: each for name, each in known.items() if name not in BEFORE_TABLES}
    own = _once(_own(tree, script.parent, stage), first=interface == "new")
    for name, each in own.items():
        known[name] = each.over(known[name]) if name in known else each
    if not own and interface is None:
        known |= {name: Definition(name) for name in given}
    known = {name: each for name, each in known.items() if name not in OF_PLACES}
    for name, text in given.items():
        if name in known:
            value = parse_value(text, f"{kept}: '{shortened(name)}'")
            known[name] = replace(known[name], default=value)
    return StageFlags(stage, known, PLACES[interface or "new"][stage], given)


def flags_of_shell(
    stage: StageName, parameter_file: Path | None, described: Mapping[str, HyperparameterDescription]
) -> StageFlags:
    """The flags of a shell script, whose source does not tell: those of the interface, of its section, and `described`.

    `described` are the hyperparameters of `model.toml` with what it says of them.
    """
    given = section_of(parameter_file, stage) if parameter_file is not None else {}
    known = dict(_of_interface("new", stage))
    known |= {name: Definition(name) for name in given if name not in OF_PLACES}
    for name, each in described.items():
        if (each.stage or "train") == stage:
            known[name] = Definition(name, each.type, description=each.description)
        elif each.stage is not None:
            known.pop(name, None)
    return StageFlags(stage, known, PLACES["new"][stage], given, is_told=False)


def section_of(path: Path, stage: StageName, *, whole: bool = False) -> dict[str, str]:
    """What a parameter file gives to a stage, as it stands there; `whole`: all its sections, the first of a key.

    Raises `InputError` where it cannot be read.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    lines = read_text(path).split("\n")
    unread = iter(lines)
    try:
        parser.read_file(unread, str(path))
    except configparser.Error as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    except AttributeError:  # what it raises at a line further in than one without a value
        number = len(lines) - len(list(unread))
        raise InputError(
            f"{path}, line {number}: '{shortened(lines[number - 1].strip())}' is further in than the line before it,"
            " and would go on a value that has not begun; begin it where the others begin"
        ) from None
    sections = parser.sections() if whole else [each for each in parser.sections() if each.lower() == stage]
    found: dict[str, str] = {}
    for section in sections:
        for name, value in parser.items(section):
            found.setdefault(name, value or "")
    return found


def _tree(script: Path) -> ast.Module:
    try:
        return tree_of(read_text(script))
    except SyntaxError as error:
        raise InputError(f"{script}: is no Python that can be read: {error}") from None


def _interface(tree: ast.Module) -> Interface | None:
    """The interface that a script is written for; None where it imports none."""
    for node in ast.walk(tree):
        named = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        named += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
        for name in named:
            if (root := name.partition(".")[0]) in MODULES:
                return MODULES[root]
    return None


def _of_parameter_file(
    interface: Interface | None, stage: StageName, given: Mapping[str, str]
) -> Iterator[tuple[str, Definition]]:
    """The flags that a script takes beside its own, as what its parameter file has tells: keywords, tables."""
    if interface == "old":
        for name, kind in KEYWORDS[stage].items():
            if name in given:
                yield name, Definition(name, kind)
    elif _has_tables(stage, given):
        for name in TABLES:
            yield name, Definition(name, _TEXT)


def _has_tables(stage: StageName, given: Mapping[str, str]) -> bool:
    return stage == "preprocess" and any(name in given for name in TABLES)


def _once(found: Iterable[Definition], *, first: bool) -> dict[str, Definition]:
    """The definitions by name: of one that stands twice the `first`, as `improvelib` has it, or the last one."""
    named: dict[str, Definition] = {}
    for each in found:
        if not (first and each.name in named):
            named[each.name] = each
    return named


def _of_interface(interface: Interface | None, stage: StageName) -> Iterator[tuple[str, Definition]]:
    for name, kind in FLAGS[interface][stage].items() if interface is not None else ():
        yield name, Definition(name, kind)


def _parameter_file(tree: ast.Module, script: Path) -> Path | None:
    """The file that a script names as its own, beside it."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for keyword in call.keywords:
            if keyword.arg in HANDED_OVER and isinstance(keyword.value, ast.Constant):
                path = script.parent / str(keyword.value.value)
                if path.is_file():
                    return path
    return None


def _own(tree: ast.Module, folder: Path, stage: StageName) -> Iterator[Definition]:
    """The hyperparameters that a script defines itself, or hands over."""
    reader = _Lists(folder)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    handed = [each.value for call in calls for each in call.keywords if each.arg == DEFINITIONS]
    found = [each for expression in handed for each in reader.entries(expression, tree)]
    if not found and (folder / DEFINITIONS_FILE).is_file():
        found = list(reader.of_stage(folder / DEFINITIONS_FILE, stage))
    yield from found
    for call in calls:
        if getattr(call.func, "attr", None) == "add_argument":
            yield from option(call)


class _Lists:
    """Follows names of lists through the modules of a model's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: dict[Path, ast.Module] = {}
        #: What was followed from one module to another: where these import each other, that has no end else.
        self._followed: set[tuple[ast.Module, str, ast.Module, str]] = set()

    def entries(self, expression: ast.expr, tree: ast.Module, way: Way = ()) -> Iterator[Definition]:
        """The definitions in a list that `expression`, a part of `tree`, stands for; `way` led to it."""
        for part in _summands(expression):
            if isinstance(part, (ast.List, ast.Tuple)):
                for each in part.elts:
                    if isinstance(each, ast.Dict):
                        yield from entry(each)
                    elif isinstance(each, ast.Starred):
                        yield from self.entries(each.value, tree, way)
            elif isinstance(part, ast.Name):
                yield from self._named(part.id, tree, way)
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                module = self._module_called(part.value.id, tree)
                if module is not None:
                    yield from self._named(part.attr, module, way)

    def of_stage(self, path: Path, stage: StageName) -> Iterator[Definition]:
        """The definitions in the lists of a file whose names have the stage in them."""
        tree = _tree(path)
        for name, value in (*_assigned(tree), *_added(tree)):
            if any(part in name.lower() for part in LISTS[stage]):
                yield from self.entries(value, tree)

    def _named(self, name: str, tree: ast.Module, way: Way) -> Iterator[Definition]:
        """The definitions in the list that is called so; within itself (`a = a + b`) that is the one of before."""
        here = (tree, name)
        if here not in way:
            for value in (*_all_of(name, _assigned(tree)), *_all_of(name, _added(tree))):
                yield from self.entries(value, tree, (*way, here))
            if _all_of(name, _assigned(tree)):
                return
        for module, named in self._imported(name, tree):
            if (step := (*here, module, named)) in self._followed:
                continue
            self._followed.add(step)
            yield from self._named(named, module, (*way, here))

    def _imported(self, name: str, tree: ast.Module) -> Iterator[tuple[ast.Module, str]]:
        """Where a name is imported from, and what it is called there."""
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                named = [each.name for each in node.names if each.name == "*" or (each.asname or each.name) == name]
                module = self._module(node.module) if named else None
                if module is not None:
                    yield from ((module, name if each == "*" else each) for each in named)

    def _module_called(self, name: str, tree: ast.Module) -> ast.Module | None:
        for node in ast.walk(tree):
            for each in node.names if isinstance(node, ast.Import) else ():
                if (each.asname or each.name) == name:
                    return self._module(each.name)
        return None

    def _module(self, name: str) -> ast.Module | None:
        path = self._folder.joinpath(*name.split(".")).with_suffix(".py")
        if path not in self._modules and path.is_file():
            self._modules[path] = _tree(path)
        return self._modules.get(path)


def _summands(expression: ast.expr) -> Iterator[ast.expr]:
    """The parts of a sum, however many, from the left; of what is none itself."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
            waiting += [part.right, part.left]
        else:
            yield part


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def _added(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """What is added to lists later: `a += b`, `a.extend(b)`, `a.append(b)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            of, way, value = node.func.value, node.func.attr, node.args[0]
            if isinstance(of, ast.Name) and way in ("append", "extend"):
                yield of.id, value if way == "extend" else ast.List([value], ast.Load())


def _all_of(name: str, values: Iterable[tuple[str, ast.expr]]) -> list[ast.expr]:
    return [value for each, value in values if each == name]
