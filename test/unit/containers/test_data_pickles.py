"""Pickles of the data package are opened without running what they name."""

from __future__ import annotations

import io
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drug_response.errors import DataError
from drug_response.pickles import (
    LEGACY_MAGIC_NUMBER,
    LEGACY_PROTOCOL_VERSION,
    read_legacy_storage,
    read_tensor_table,
    read_text_table,
)


class Hostile:
    """Would run a command where a plain unpickler opens it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch hostile",)


class _Named(pickle.Pickler):
    """Writes `storage` as torch does: by a persistent id."""

    def persistent_id(self, value: Any) -> Any:
        return value.identity if isinstance(value, Storage) else None


class Storage:
    def __init__(self, identity: Any) -> None:
        self.identity = identity


def legacy_stream(values: np.ndarray, announced: int | None = None, kind: bytes = b"ctorch\nFloatStorage\n") -> bytes:
    """Write torch's legacy stream of one storage, as torch would."""
    length = len(values)
    information = {"protocol_version": LEGACY_PROTOCOL_VERSION, "little_endian": True, "type_sizes": {}}
    stream = b"".join(pickle.dumps(part, 2) for part in (LEGACY_MAGIC_NUMBER, LEGACY_PROTOCOL_VERSION, information))
    # ('storage', type, key, location, length, view) as persistent id
    identity = b"(S'storage'\n" + kind + f"S'7'\nS'cpu'\nI{length}\nNtQ.".encode()
    header = struct.pack("<q", length if announced is None else announced)
    return stream + identity + pickle.dumps(["7"], 2) + header + values.astype("<f4").tobytes()


def test_a_storage_is_read() -> None:
    values = np.arange(5, dtype=np.float32)
    np.testing.assert_array_equal(read_legacy_storage(legacy_stream(values)), values)


@pytest.mark.parametrize(
    "stream",
    [
        legacy_stream(np.arange(5), announced=4),
        legacy_stream(np.arange(5))[:-3],
        legacy_stream(np.arange(5), kind=b"ctorch\nQInt8Storage\n"),
        legacy_stream(np.arange(5), kind=b"cos\nsystem\n"),
        pickle.dumps(7),
        b"",
    ],
    ids=["wrong length", "cut off", "unknown storage", "hostile type", "no stream", "empty"],
)
def test_a_storage_that_is_not_whole_or_not_known_is_refused(stream: bytes) -> None:
    with pytest.raises(DataError):
        read_legacy_storage(stream)


@pytest.mark.parametrize("read", [read_tensor_table, read_text_table])
def test_a_hostile_pickle_is_refused_and_not_run(read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.pkl").write_bytes(pickle.dumps({"A549": Hostile()}))
    with pytest.raises(DataError, match=r"table\.pkl: the pickle names .*system, .* refused"):
        read(tmp_path / "table.pkl")
    assert not (tmp_path / "hostile").exists()


def test_a_persistent_object_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    _Named(stream).dump({"A549": Storage(("module", "x"))})
    (tmp_path / "table.pkl").write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="persistent"):
        read_text_table(tmp_path / "table.pkl")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError, match="holds a list, not a dict"):
        read_text_table(tmp_path / "table.pkl")
    with pytest.raises(DataError, match="No such file"):
        read_text_table(tmp_path / "absent.pkl")
