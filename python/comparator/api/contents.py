"""What a function does, as a digest: equal for equal code and equal values, in every process.

Of a function that cloudpickle sends by value (a notebook's, a script's, one inside another) that is its code with all
that it uses: constants, nested code, defaults, what it closes over, the globals that it names. Classes of the notebook
are taken in the same way, with their bases. What lies in a module is imported by a worker, so that its name tells
enough here. Other values are taken apart as pickle does. The version of Python counts, whose code is of no other.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from comparator.model.watching.whose import PACKAGE_FOLDERS

PLAIN = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis))
GLOBALS = {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"}
#: Of a class, what Python makes for itself, and where it stands in its file.
OF_EVERY_CLASS = {
    "__dict__",
    "__weakref__",
    "__module__",
    "__doc__",
    "__firstlineno__",
    "__static_attributes__",
    "_abc_impl",
}


class Contents:
    """A value taken apart; see the module."""

    def __init__(self) -> None:
        self.digest = ""
        self._known: dict[int, str] = {}
        self._open: list[int] = []
        self._kept: list[Any] = []  # so that no other object gets the id of one that is known
        self._texts: set[str] = set()
        self._modules: set[str] = set()

    @classmethod
    def of(cls, value: Any) -> Contents:
        """Raises what pickle raises for a value that it cannot take apart."""
        made = cls()
        folders = made._of(value), made.folders
        made.digest = _hash("Python", str(sys.version_info[:2]), *map(str, folders))
        return made

    def asks_for(self, text: str) -> bool:
        """Whether a text is among the constants, the key of a hyperparameter say."""
        return text in self._texts

    @property
    def folders(self) -> list[str]:
        """Where the modules are found that lie beside the notebook; none where it uses no such modules."""
        found = {folder for name in self._modules if (folder := _own_folder(name)) is not None}
        return sorted(found)

    def _of(self, value: Any) -> str:
        if isinstance(value, PLAIN):
            if isinstance(value, str):
                self._texts.add(value)
            return _hash(type(value).__name__, repr(value))
        if id(value) in self._known:
            return self._known[id(value)]
        if id(value) in self._open:  # what it is part of
            return _hash("around", str(len(self._open) - self._open.index(id(value))))
        self._open.append(id(value))
        found = _hash(type(value).__name__, *self._parts(value))
        self._open.pop()
        self._kept.append(value)
        self._known[id(value)] = found
        return found

    def _parts(self, value: Any) -> Iterator[str]:
        if isinstance(value, ModuleType):
            yield self._module(value.__name__)
        elif isinstance(value, FunctionType):
            yield from self._by_name(value) if _is_imported(value) else self._function(value)
        elif isinstance(value, type):
            yield from self._by_name(value) if _is_imported(value) else self._class(value)
        elif isinstance(value, BuiltinFunctionType) and not isinstance(value.__self__, ModuleType | None):
            yield from map(self._of, (value.__name__, value.__self__))
        elif isinstance(value, BuiltinFunctionType):
            yield from self._by_name(value)
        elif isinstance(value, CodeType):
            yield from self._code(value)
        elif isinstance(value, MethodType):
            yield from map(self._of, (value.__func__, value.__self__))
        elif isinstance(value, staticmethod | classmethod):
            yield self._of(value.__func__)
        elif isinstance(value, property):
            yield from map(self._of, (value.fget, value.fset, value.fdel))
        elif isinstance(value, functools.partial):
            yield from map(self._of, (value.func, value.args, value.keywords))
        elif hasattr(value, "cache_info") and hasattr(value, "__wrapped__"):
            yield self._of(value.__wrapped__)
        elif isinstance(value, list | tuple):
            yield from map(self._of, value)
        elif isinstance(value, set | frozenset):
            yield from sorted(map(self._of, value))
        elif isinstance(value, dict | MappingProxyType):
            for key, each in value.items():
                yield from map(self._of, (key, each))
        else:
            yield from self._taken_apart(value)

    def _by_name(self, value: Any) -> Iterator[str]:
        yield self._module(value.__module__ or "")
        yield value.__qualname__

    def _module(self, name: str) -> str:
        self._modules.add(name)
        return name

    def _function(self, function: FunctionType) -> Iterator[str]:
        yield from map(self._of, (function.__code__, function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                yield self._of(cell.cell_contents)
            except ValueError:  # nothing is in it yet
                yield "empty"
        for name in sorted(_global_names(function.__code__)):
            if name in function.__globals__:
                yield name
                yield self._of(function.__globals__[name])

    def _code(self, code: CodeType) -> Iterator[str]:
        yield code.co_code.hex()
        yield from (*code.co_names, "", *code.co_varnames, "", *code.co_freevars, "", *code.co_cellvars, "")
        yield from map(self._of, code.co_consts)
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME":
                self._module(str(instruction.argval))

    def _class(self, kind: type) -> Iterator[str]:
        yield kind.__qualname__
        yield from map(self._of, kind.__bases__)
        for name, value in sorted(vars(kind).items()):
            if name not in OF_EVERY_CLASS and type(value).__name__ not in ("getset_descriptor", "member_descriptor"):
                yield name
                yield self._of(value)

    def _taken_apart(self, value: Any) -> Iterator[str]:
        reduced = value.__reduce_ex__(4)
        if isinstance(reduced, str):
            yield reduced
            return
        made_by, arguments, *rest = reduced
        yield from map(self._of, (made_by, arguments))
        for part in rest:
            is_iterator = part is not None and not isinstance(part, dict | tuple) and hasattr(part, "__next__")
            yield self._of(list(part) if is_iterator else part)


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)} {part}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _global_names(code: CodeType) -> set[str]:
    """The globals that code names, and the code inside it."""
    names = {str(each.argval) for each in dis.get_instructions(code) if each.opname in GLOBALS}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _global_names(constant)
    return names


def _is_imported(value: Any) -> bool:
    """Whether a worker imports a function or a class: its name leads to it in a module that is none of a notebook."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return False
    found: Any = module
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value


@functools.lru_cache(maxsize=1024)
def _own_folder(name: str) -> str | None:
    """The folder that a module is imported from, where it is none that is installed or comes with Python."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in ("__main__", "comparator", ""):
        return None
    try:
        found = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if found is None or found.origin is None:
        return None
    place = Path(found.origin).resolve()
    folder = place.parent.parent if place.name == "__init__.py" else place.parent
    return None if set(PACKAGE_FOLDERS) & set(place.parts) else str(folder)
