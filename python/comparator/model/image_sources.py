"""The files of the model's own folder in an image, as far as they are read here: what its `command` names and imports.

They are copied once a node, to where images are unpacked. A file of more than a megabyte is there by its name alone.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from comparator.errors import InputError
from comparator.model.fingerprint import digest_of
from comparator.model.image import Image, made_once, node_folder
from comparator.model.runtime import Call

COPY = "/comparator_sources"
#: Packs the small files of a folder, and names the others. Links are followed, as its programs follow them.
PACK = f"""
cd "$0" || exit 1
find -L . -type f -size -1024k >{COPY}/small
find -L . -type f ! -size -1024k >{COPY}/large
tar -chf {COPY}/small.tar -T {COPY}/small
"""


def copy_of_sources(image: Image, in_image: str, said: str) -> Path:
    """Where those of the folder `in_image` are; an empty folder where that is empty, or this host cannot look into it.

    Raises `InputError`, which opens with `said`, where they cannot be copied.
    """
    if not in_image or image.runtime is None:
        return made_once(image.path, node_folder(), "-nothing", Path.mkdir)
    ending = f"-{digest_of(in_image)[:8]}"
    return made_once(image.path, node_folder(), ending, lambda part: _copy(image, in_image, part, said))


def _copy(image: Image, in_image: str, folder: Path, said: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        packed = Path(place)
        done = image.run(Call(["/bin/sh", "-c", PACK, in_image], {}, {packed: COPY}))
        if done.returncode != 0:
            raise InputError(f"{said}: the files of {in_image} cannot be read: {image.reason(done.stderr)}")
        folder.mkdir()
        with tarfile.open(packed / "small.tar") as files:
            files.extractall(folder, filter="data")
        for name in (packed / "large").read_text(encoding="utf-8").splitlines():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
