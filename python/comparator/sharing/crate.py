"""A ZIP file that says what is in it: an RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), so that repositories know it.

Its metadata are JSON-LD, flat: a descriptor, the root data set, and an entity for each file and whatever else is
named. They are written last, as the files' checksums are known then.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import tempfile
import time
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote

METADATA = "ro-crate-metadata.json"
VERSION = "https://w3id.org/ro/crate/1.1"
#: The crate's own context, and the one term of schema.org that it does not have yet.
CONTEXT = [f"{VERSION}/context", {"sha256": "http://schema.org/sha256"}]
CHUNK = 1 << 20
#: A ZIP file knows no time before.
EARLIEST = (1980, 1, 1, 0, 0, 0)
FORMS = {
    **{".jsonl": "application/x-ndjson", ".log": "text/plain", ".toml": "application/toml"},
    **{".md": "text/markdown", ".parquet": "application/vnd.apache.parquet", ".py": "text/x-python"},
}

Entity = Mapping[str, Any]


class Crate:
    """An RO-Crate that is written into a ZIP file, one file after another; memory holds none of them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entities = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  (closed by close)
        self._names: list[str] = []

    def __enter__(self) -> Crate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entities.close()

    def add(self, name: str, content: IO[bytes], changed: float | None = None, **more: Any) -> None:
        """Add a file, read to its end; `changed` is when it was, in seconds since 1970; `more` describes it."""
        info = zipfile.ZipInfo(name, max(EARLIEST, time.gmtime(changed)[:6]))
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as target:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        described = {
            "@id": identifier_of(name),
            "@type": "File",
            "name": PurePosixPath(name).name,
            "encodingFormat": form_of(name),
            "contentSize": str(size),
            "sha256": digest.hexdigest(),
            **more,
        }
        self._entities.write(json.dumps(described) + "\n")
        self._names.append(name)

    @property
    def names(self) -> list[str]:
        """The files that were added."""
        return list(self._names)

    def describe(self, root: Entity, entities: Iterable[Entity]) -> None:
        """Write the metadata, which close the crate: of the root data set, and of what is no file."""
        info = zipfile.ZipInfo(METADATA, max(EARLIEST, time.gmtime()[:6]))
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        descriptor = {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": VERSION},
            "about": {"@id": "./"},
        }
        parts = [{"@id": identifier_of(name)} for name in self._names]
        whole = {"@id": "./", "@type": "Dataset", **root, "hasPart": parts}
        with self._archive.open(info, "w", force_zip64=True) as target:
            target.write(f'{{"@context": {json.dumps(CONTEXT)},\n"@graph": [\n'.encode())
            target.write(",\n".join(map(json.dumps, [descriptor, whole, *entities])).encode())
            self._entities.seek(0)
            for line in self._entities:
                target.write(f",\n{line.rstrip()}".encode())
            target.write(b"\n]}\n")


def identifier_of(name: str) -> str:
    """What a crate calls a file: its path from the root, as a relative address."""
    return quote(name)


def form_of(name: str) -> str:
    """The media type of a file, by its name."""
    suffix = PurePosixPath(name).suffix.lower()
    return FORMS.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def is_safe(name: str) -> bool:
    """Whether a name in a ZIP file is that of a file below a folder, on any system."""
    parts = name.split("/")
    return (
        name.isprintable() and not set(name) & set('\\:*?"<>|') and all(part not in ("", ".", "..") for part in parts)
    )
