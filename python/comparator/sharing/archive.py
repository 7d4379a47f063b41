"""A ZIP file from anywhere, read so that nothing in it leads elsewhere, fills the disk, or is other than it was.

No path is ever made of a name in it by itself: who reads asks for a file by its name, and says where it goes.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from comparator.errors import InputError, nearest_path
from comparator.formats.text import shown
from comparator.sharing.crate import CHUNK, METADATA, identifier_of, is_safe

#: What `zipfile` raises of a file that is none, or damaged.
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, OSError),
)
MOST_METADATA = 1 << 28  # bytes: of a crate of a million files
#: So many times its size nothing unpacks to that was written as it should be; small files may.
MOST_TIMES, SMALL = 300, 1 << 26


class Archive:
    """A crate in a ZIP file, checked whole before anything is read of it: names, sizes, kinds, checksums there are."""

    def __init__(self, path: Path) -> None:
        """Open it; raises `InputError` with a line where it is not a ZIP file, is damaged, or has what none has."""
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file{nearest_path(path)}") from None
        except DAMAGED as error:
            raise self._damage(error) from None
        try:
            self._members = self._checked()
            self._checksums = self._listed()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The files in it, folders left out."""
        return list(self._members)

    @property
    def size(self) -> int:
        """How many bytes it holds, unpacked."""
        return sum(member.file_size for member in self._members.values())

    def unpack(self, name: str, target: Path) -> None:
        """Write a file of it to `target`; raises `InputError` where it is not what the crate says it is."""
        digest = hashlib.sha256()
        with target.open("wb") as file:
            for chunk in self._chunks(name):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != self._checksums.get(name):
            raise InputError(
                f"{self.path}: {name} is not as it was when the bundle was made: it was changed or damaged"
            )

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
            if not is_safe(name.removesuffix("/")):
                raise InputError(f"{self.path}: holds {shown(name)}, a name that no bundle has; nothing was read")
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or member.flag_bits & 1:
                what = "is encrypted" if member.flag_bits & 1 else "is a link, or no file"
                raise InputError(f"{self.path}: {shown(name)} {what}; nothing was read")
            if name in members:
                raise InputError(f"{self.path}: holds {shown(name)} twice; nothing was read")
            if not member.is_dir():
                members[name] = member
        size, packed = sum(member.file_size for member in members.values()), self.path.stat().st_size
        if size > SMALL and size > MOST_TIMES * packed:
            raise InputError(f"{self.path}: {packed} bytes that say they are {size}: no bundle is; nothing was read")
        return members

    def _listed(self) -> dict[str, str]:
        """The checksums of files that the crate lists, by name."""
        if METADATA not in self._members:
            raise InputError(f"{self.path}: is no bundle of an experiment: it has no {METADATA}")
        if self._members[METADATA].file_size > MOST_METADATA:
            raise InputError(f"{self.path}: {METADATA} has more than {MOST_METADATA} bytes; nothing was read")
        try:
            graph: Any = json.loads(b"".join(self._chunks(METADATA)))["@graph"]
            listed = {each["@id"]: str(each["sha256"]) for each in graph if "sha256" in each}
        except (ValueError, RecursionError, LookupError, TypeError):
            raise InputError(f"{self.path}: {METADATA} is no RO-Crate's; the file was changed or damaged") from None
        by_name = {name: listed.get(identifier_of(name)) for name in self._members}
        return {name: checksum for name, checksum in by_name.items() if checksum is not None}

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(self._members[name]) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except DAMAGED as error:
            raise self._damage(error, name) from None

    def _damage(self, error: Exception, name: str | None = None) -> InputError:
        where = f"{self.path}: {name}" if name else f"{self.path}"
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return InputError(f"{where}: cannot be read: {reason or type(error).__name__}; the file is damaged, or no ZIP")


def check_room(size: int, folder: Path) -> None:
    """See to it that so many bytes have room where `folder` is, or is to be; raises `InputError`."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    if size > free:
        raise InputError(f"{folder}: there is room for {free} bytes, and it takes {size}; nothing was written")
