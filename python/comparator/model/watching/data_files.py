"""The data files of a folder that any process of this host opens, by the kernel's word: inotify(7)."""

import ctypes
import os
import re
import struct

#: Files of data, by their endings: what else lies beside a model is opened by editors and by ourselves.
OF_DATA = (
    *(".h5", ".hdf5", ".keras", ".npy", ".npz", ".pkl", ".pickle", ".parquet", ".feather", ".arrow", ".nc", ".mat"),
    *(".csv", ".tsv", ".gz", ".pt", ".pth", ".ckpt", ".tfrecord", ".pb", ".onnx", ".safetensors", ".model", ".bin"),
    *(".db", ".sqlite", ".sqlite3", ".rds", ".zip", ".dat"),
)
#: A file was opened, one that was open for writing was closed, a folder, do not block.
OPENED, WRITTEN, IS_FOLDER, WITHOUT_WAITING = 0x20, 0x8, 0x40000000, 0o4000
EVENT = struct.Struct("iIII")
#: What the folder of an experiment holds, and how that of a run is called.
EXPERIMENT, RUN = "experiment.json", re.compile("[0-9a-f]{64}")
#: What a folder holds that is an experiment's, or an environment of Python.
NOT_WATCHED = (EXPERIMENT, "pyvenv.cfg", "conda-meta")
MOST_FOLDERS = 200


class DataFiles:
    """The data files in a folder, and in those below it, that any process of this host opens."""

    def __init__(self, folder):
        self._folders = {}
        library = ctypes.CDLL(None)
        self._descriptor = library.inotify_init1(WITHOUT_WAITING) if hasattr(library, "inotify_init1") else -1
        for path in _folders_below(folder) if self._descriptor >= 0 else ():
            number = library.inotify_add_watch(self._descriptor, os.fsencode(path), OPENED | WRITTEN)
            if number >= 0:
                self._folders[number] = path

    def opened(self):
        """The paths of files that were opened since this was asked last, and not written."""
        opened, written = set(), set()
        for number, mask, name in self._events():
            if not mask & IS_FOLDER and name.lower().endswith(OF_DATA) and number in self._folders:
                (written if mask & WRITTEN else opened).add(os.path.join(self._folders[number], name))
        return opened - written

    def _events(self):
        while self._descriptor >= 0:
            try:
                content = os.read(self._descriptor, 1 << 16)
            except OSError:
                return
            place = 0
            while place < len(content):
                number, mask, _, length = EVENT.unpack_from(content, place)
                place += EVENT.size
                yield number, mask, os.fsdecode(content[place : place + length].rstrip(b"\0"))
                place += length


def _folders_below(folder):
    """A folder and those below it, but for hidden ones and those of tools and stores; no more than a few hundred."""
    found, waiting = [], [os.path.abspath(folder)]
    while waiting and len(found) < MOST_FOLDERS:
        path = waiting.pop(0)
        try:
            with os.scandir(path) as listed:
                entries = {each.name: each for each in listed if each.name in NOT_WATCHED or each.is_dir()}
        except OSError:
            continue
        if any(name in entries for name in NOT_WATCHED):
            continue
        found.append(path)
        waiting += [each.path for each in entries.values() if not _is_left_out(each)]
    return found


def _is_left_out(entry):
    return entry.is_symlink() or entry.name.startswith((".", "__")) or RUN.fullmatch(entry.name)
