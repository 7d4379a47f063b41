"""Hyperparameters as CANDLE users write them: a text file of sections and `key = value` lines.

```ini
[Global_Params]
model_name = 'cmp'
cmp_0_train_sources = 'CCLE'
cmp_1_train_sources = 'gCSI'
epochs = 10
```

The format is that of CANDLE's and IMPROVE's `*_default_model.txt` and `*_params.txt` files, an INI dialect:

- Sections have any names and only group the lines. A key that stands in two sections keeps the value of the
  first one, as in CANDLE; a key that stands twice in one section keeps the last one, the line that its author
  added. Both are told as warnings where the values differ. What stands in `[DEFAULT]` counts where no other section has
  the key, as in every INI file of Python.
- Keys keep their case, and are matched whatever it is (see `spelling`): the model is given them as it writes them
  itself. Keys that differ in case alone and have different values are refused.
- Values are Python literals, or JSON's (`true`, `[1, null]`), of which `true` and `false` may be in any case; what is
  none is text, as in newer IMPROVE files (`loss = mse`). `$` is an ordinary character.
- `%(NAME)s` is what the text of NAME is in the same section, or in `[DEFAULT]`, and `%%` is `%`, as in every INI file
  of Python; a `%` by itself is an ordinary character.
- An expression of constants (`2*10`, `[1000] * 3`) is computed, as CANDLE's library does, and told as a warning; not
  in a file with IMPROVE's sections, whose library reads texts.
- A number that cannot be computed with (`1e999`, `nan`) is refused; in quotes it is text.
- `#` and `;` open a comment, on a line of its own (Emacs trailers) or behind a blank after a value.
- A value whose bracket is still open goes on in the next line.
- A quoted number with a point or an exponent (`'1e-5'`) is a number. A quoted whole number (`'01'`) is text:
  it names a run or an experiment.
- `key =` without a value is the empty text `''`, as if it were quoted, not `None`.

Nothing here needs more than the standard library.
"""

from __future__ import annotations

import ast
import configparser
import json
import math
import re
import warnings as python_warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from comparator.errors import InputError, nearest
from comparator.formats.expressions import Fault, NoExpression, computed, is_computed_by_python
from comparator.formats.spelling import COMMON, NOT_FLAGS, NOT_PASSED_DOWN, as_kept, merged, spelling
from comparator.formats.text import UNFIT, read_text, shortened, shown, unfit_number

_SECTION = re.compile(r"\[[^\[\]=]*\]\s*([#;].*)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*(-[A-Za-z0-9_.]+)*")
_IS_NO_NUMBER = re.compile(r"[+-]?(nan|inf|infinity|\d{309,})", re.IGNORECASE)
_TOO_LONG = re.compile(r"""(?<![\w.'"])\d{309,}(?![\w.'"])""")
_QUOTED_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?")
#: Texts in quotes, and comments: what brackets do not count in.
_NO_BRACKETS = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?:(?<=[\s,\[({])#|(?<=\s);)[^\n]*""")
_COMMENT_BEHIND = re.compile(r"\s+[#;].*", re.DOTALL)
_SUBMODEL = re.compile(r"cmp_([01])_(.+)")
#: The sections of IMPROVE's files.
OF_IMPROVE = {"Preprocess", "Train", "Infer"}
_MISSPELT_PREFIX = re.compile(r"cmp([-.]|_?\d|_*$|_[^a-z])", re.IGNORECASE)


def read_hyperparameters(path: Path) -> dict[str, Any]:
    """Read a CANDLE hyperparameter file; raises `InputError` with the line that is wrong."""
    return read_with_warnings(path)[0]


def read_with_warnings(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Read a CANDLE hyperparameter file, and say in one line each what was read otherwise than it stands.

    Values are JSON types: None, bool, int, float, str, list, or dict with text keys; tuples become lists.
    """
    sections: dict[str, dict[str, Any]] = {}
    warnings = []
    alike: dict[str, list[_Entry]] = {}
    entries = list(_entries(path))
    is_computed = not OF_IMPROVE & {section for _, section, _, _ in entries}
    for line, section, written, text in _with_references(entries, path):
        where = f"{path}, line {line}: '{shortened(written)}'"
        value = parse_value(text, where)
        if is_computed and (result := _computed(text, where)) is not _NO_LITERAL:
            value = result
            warnings.append(f"{where} = {shortened(text)} is computed: {shown(value)}")
        elif is_computed and value == text and is_computed_by_python(text):
            warnings.append(f"{where} = {shortened(text)} is taken as a text; only arithmetic is computed")
        if isinstance(value, float) and text.startswith(("'", '"')):
            warnings.append(
                f"{path}, line {line}: '{shortened(written)}' = {shortened(text)} is taken as the number {value!r}"
            )
        earlier = alike.setdefault(written.casefold(), [])
        earlier.append(_Entry(line, written, value))
        _check_spelling(earlier, path)
        key = as_kept(earlier[0].written)
        present = sections.setdefault(section, {})
        if key in present and not _same(present[key], value):
            warnings.append(
                f"{path}, line {line}: '{shortened(key)}' stands twice in [{shortened(section)}]; "
                f"the last value counts, {shown(value)}, not {shown(present[key])}"
            )
        present[key] = value

    defaults = sections.pop(configparser.DEFAULTSECT, {})
    hyperparameters: dict[str, Any] = {}
    for section, values in sections.items():
        for key, value in values.items():
            if key in hyperparameters and not _same(hyperparameters[key], value):
                warnings.append(
                    f"{path}: '{shortened(key)}' stands in two sections; "
                    f"the first value counts, {shown(hyperparameters[key])}, not {shown(value)} of"
                    f" [{shortened(section)}]"
                )
            hyperparameters.setdefault(key, value)
    return {**defaults, **hyperparameters}, warnings


def parse_value(text: str, where: str = "the value") -> Any:
    """Read one value as the file format does: a Python literal that JSON can hold, else the text itself.

    Raises `InputError`, whose line `where` opens, for a number that cannot be computed with; in quotes it is a text.
    """
    text = text.strip()
    value = _literal(text)
    if value is _NO_LITERAL:
        bare = _COMMENT_BEHIND.sub("", text)
        value = _literal(bare) if bare != text else _NO_LITERAL
    if value is _NO_LITERAL:
        value = bare if not text.startswith(("'", '"')) else text
        is_unfit = bool(_IS_NO_NUMBER.fullmatch(value) or (value.startswith(("[", "(")) and _TOO_LONG.search(value)))
    else:
        is_unfit = unfit_number(value) is not None
    if is_unfit:
        raise InputError(f"{where} = {shortened(text)}: {UNFIT}")
    if isinstance(value, str) and _QUOTED_NUMBER.fullmatch(value) and math.isfinite(float(value)):
        return float(value)
    return value


def parse_override(assignment: str) -> tuple[str, Any]:
    """Split `KEY=VALUE` of a command line; the value is read as in a file."""
    key, separator, text = assignment.partition("=")
    if not separator or not _NAME.fullmatch(key.strip()):
        raise InputError(f"'{shortened(assignment)}' is not KEY=VALUE, such as epochs=10")
    return key.strip(), parse_value(text, f"'{shortened(key.strip())}'")


def check_key(key: str, where: str) -> None:
    """Check that `key` can be one of `--set`; raises `InputError`."""
    if not _NAME.fullmatch(key) or key.endswith("."):
        raise InputError(f"{where}: '{shortened(key)}' is no key, such as run_timeout")


def set_once(settings: dict[str, Any], name: str, value: Any, where: str) -> None:
    """Add a hyperparameter to those that a command line sets; another value for one that is set is an `InputError`."""
    present = spelling(name, settings)
    if present in settings and not _same(settings[present], value):
        raise InputError(
            f"{where}: '{shortened(name)}' is set twice: '{shortened(present)}' is {shown(settings[present])} already"
        )
    settings[present if present in settings else as_kept(name)] = value


def split_for_submodels(hyperparameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide the hyperparameters of a comparison between its two submodels.

    `cmp_0_X` and `cmp_1_X` set X of one submodel, `cmp_X` that of both, any other name goes to both as it is.
    The more special prefix wins. `NOT_PASSED_DOWN` names what stays here when it has no prefix: a plain
    `model_name` names the comparison, while `cmp_model_name` is the submodels' image and is passed down.
    """
    plain: dict[str, Any] = {}
    both: dict[str, Any] = {}
    one: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for key, value in hyperparameters.items():
        numbered = _SUBMODEL.fullmatch(key)
        name = numbered[2] if numbered else key.removeprefix("cmp_")
        if not _NAME.fullmatch(name) or (not numbered and _MISSPELT_PREFIX.match(key)):
            raise InputError(
                f"hyperparameter '{shortened(key)}': a prefix for submodels is 'cmp_', 'cmp_0_' or 'cmp_1_',"
                " then a name"
            )
        if numbered:
            one[int(numbered[1])][name] = value
        elif name != key:
            both[name] = value
        elif key not in NOT_PASSED_DOWN:
            plain[key] = value
    return merged(plain, both, one[0]), merged(plain, both, one[1])


def as_flags(hyperparameters: Mapping[str, Any]) -> list[str]:
    """The words that `train.sh` is handed: `--name value`, with `True`, `None`, `0.1` as Python writes them.

    The elements of a list follow their flag as words of their own, and so do the words of a text with blanks
    (`"500 500"`), which is how CANDLE search spaces write lists. An empty list is the word `[]`, a path one word.
    """
    words = []
    for name, value in hyperparameters.items():
        if name not in NOT_FLAGS:
            words += [f"--{name}", *([str(value)] if isinstance(value, Path) else _words(value))]
    return words


def check_names(given: Iterable[str], known: Mapping[str, Any], where: str) -> list[str]:
    """Warn of names that a model does not know, or accepts without using.

    `known` maps the model's hyperparameters to descriptions, objects or dicts whose `effect` is `"none"`
    where the name changes nothing. With nothing known no name is doubted. `where` opens each line.
    """
    warnings = []
    for name in given:
        if name in known:
            if _effect(known[name]) == "none":
                warnings.append(f"{where}: '{shortened(name)}' is accepted, without effect")
        elif known and name not in COMMON and not name.startswith("ckpt_"):
            suggestion = nearest(name, [*known, *sorted(COMMON)])
            warnings.append(f"{where}: the model does not describe '{shortened(name)}'{suggestion}; it is passed on")
    return warnings


class _Entry(NamedTuple):
    line: int
    written: str
    value: Any


def _check_spelling(alike: list[_Entry], path: Path) -> None:
    """Refuse the last of the entries of one name if another one writes it in another case and has another value."""
    *earlier, last = alike
    for other in earlier:
        if other.written != last.written and not _same(other.value, last.value):
            raise InputError(
                f"{path}, line {last.line}: '{shortened(last.written)}' = {shown(last.value)} and"
                f" '{shortened(other.written)}' = {shown(other.value)}"
                f" of line {other.line} differ in case alone, and are one hyperparameter"
            )


def _entries(path: Path) -> Iterable[tuple[int, str, str, str]]:
    """Each entry of the file: number of its first line, section, key as written, text of its value."""
    section: str | None = None
    lines = iter(enumerate(_read_text(path).split("\n"), start=1))
    for number, line in lines:
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if _SECTION.fullmatch(line):
            section = line[1 : line.index("]")].strip()
            continue
        if line.startswith("["):
            raise InputError(f"{path}, line {number}: '{shortened(line)}' is not a [section]")
        if section is None:
            raise InputError(f"{path}, line {number}: '{shortened(line)}' stands before any [section]")
        found = re.match(r"([^=:]*?)\s*[=:]\s*(.*)", line)
        if not found or not _NAME.fullmatch(found[1]):
            raise InputError(f"{path}, line {number}: '{shortened(line)}' is not 'key = value'")
        key, text = found[1], found[2]
        while _is_open(text):
            following = next(lines, None)
            if following is None:
                raise InputError(f"{path}, line {number}: the bracket of '{shortened(key)}' is not closed")
            text += "\n" + following[1].strip()
        yield number, section, key, text


def _with_references(entries: Sequence[tuple[int, str, str, str]], path: Path) -> Iterable[tuple[int, str, str, str]]:
    """The entries, with what `%(NAME)s` in a text stands for in its place."""
    texts: dict[str, dict[str, str]] = {configparser.DEFAULTSECT: {}}
    for _, section, key, text in entries:
        texts.setdefault(section, {})[key.lower()] = text
    reader = configparser.RawConfigParser()
    for line, section, key, text in entries:
        if "%(" in text or "%%" in text:
            known = {**texts[configparser.DEFAULTSECT], **texts[section]}
            where = f"{path}, line {line}: '{shortened(key)}' = {shortened(text)}"
            try:
                meant = configparser.BasicInterpolation().before_get(reader, section, key, text, known)
            except configparser.InterpolationMissingOptionError as error:
                near = nearest(error.reference, known)
                raise InputError(
                    f"{where}: [{shortened(section)}] has no '{shortened(error.reference)}'{near}"
                ) from None
            except configparser.InterpolationError:
                if "%(" not in text:
                    yield line, section, key, text
                    continue
                raise InputError(f"{where}: '%(NAME)s' stands for what NAME is, and '%%' for '%' beside it") from None
            if _is_broken(meant, where):
                raise InputError(f"{where}: is {shortened(meant)}, quotes in quotes; leave out those of one of the two")
            text = meant
        yield line, section, key, text


def _is_broken(text: str, where: str) -> bool:
    """Whether a text begins as one in quotes, and is none."""
    is_literal = any(_literal(each) is not _NO_LITERAL for each in (text, _COMMENT_BEHIND.sub("", text)))
    return text.startswith(("'", '"')) and not is_literal and _computed(text, where) is _NO_LITERAL


def _computed(text: str, where: str) -> Any:
    """The value of an expression of constants; `_NO_LITERAL` for what is none, or a literal."""
    bare = _COMMENT_BEHIND.sub("", text)
    if _literal(text) is not _NO_LITERAL or _literal(bare) is not _NO_LITERAL:
        return _NO_LITERAL
    try:
        value = _as_json(computed(bare))
    except (NoExpression, ValueError):
        return _NO_LITERAL
    except Fault as fault:
        raise InputError(f"{where} = {shortened(text)}: cannot be computed: {fault}") from None
    if unfit_number(value) is not None:
        raise InputError(f"{where} = {shortened(text)}: {UNFIT}")
    return value


def _read_text(path: Path) -> str:
    text = read_text(path)
    if "\0" in text:
        raise InputError(f"{path}: not a text file")
    return text


def _effect(description: Any) -> Any:
    if isinstance(description, Mapping):
        return description.get("effect")
    return getattr(description, "effect", None)


def _is_open(text: str) -> bool:
    """Whether a value opens a bracket that it does not close; those in quotes and comments do not count."""
    if not text.startswith(("[", "(", "{")):
        return False
    bare = _NO_BRACKETS.sub("", text)
    return sum(bare.count(bracket) for bracket in "[({") > sum(bare.count(bracket) for bracket in "])}")


_NO_LITERAL = object()
_TRUTHS = {"true": True, "false": False}


def _literal(text: str) -> Any:
    """The literal of Python or JSON that `text` is, in JSON's types, or `_NO_LITERAL`."""
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    try:
        with python_warnings.catch_warnings():
            # '\d' in a value is the user's text and none of Python's business.
            python_warnings.simplefilter("ignore")
            return _as_json(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return "" if not text else _literal_of_json(text)


def _literal_of_json(text: str) -> Any:
    """The list or object of JSON that `text` is, or `_NO_LITERAL`."""
    if not text.startswith(("[", "{")):
        return _NO_LITERAL
    try:
        return _as_json(json.loads(text))
    except (ValueError, RecursionError):
        return _NO_LITERAL


def _as_json(value: Any) -> Any:
    """`value` with lists for tuples; raises `ValueError` for what JSON text cannot hold."""
    if isinstance(value, list | tuple):
        return [_as_json(element) for element in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _as_json(element) for key, element in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        str(value).encode()  # a lone surrogate, or an integer too long to write, is a ValueError here
        return value
    raise ValueError("a type of Python alone")


def _same(one: Any, other: Any) -> bool:
    """Equality that tells `1` from `True` and from `1.0`."""
    return json.dumps(one) == json.dumps(other)


def _words(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [word for element in value for word in _words(element)] or ["[]"]
    if isinstance(value, str):
        return value.split() or [""]
    return [str(value)]
