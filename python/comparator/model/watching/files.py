"""Which files and folders a process reads: those it opens, lists, looks for, and has loaded or mapped into memory."""

import importlib.util
import os
import stat
import sys
import tempfile

from .whose import LOGS, LOOKS, OWN, WATCHING, is_of_system, whose_code

#: What of Python's ways to look at files says no more than whether one is there.
WHETHER_THERE = ("exists", "isfile", "isdir", "is_file", "is_dir", "lexists")
HOW_LARGE = ("getsize", "getmtime", "getctime", "stat")
#: They look for modules, which are seen themselves.
FINDERS = ("importlib", "pkgutil", os.path.join(WATCHING, ""))

_STAT = os.stat


class Files:
    """Those of the process that count; what it wrote before it read it, it has not read.

    `covered` are pairs of a path and a time, or None: what lies there, and was not changed after that time, does not
    count.
    """

    def __init__(self, notes, covered):
        self._notes = notes
        self._logged, self._own_folders = set(), set()
        self._covered = [(os.path.join(path, ""), until) for path, until in covered]
        self._temporary = _folder_of_temporary_files()

    def path(self, path):
        """The absolute path of a file that counts; None of any other."""
        if isinstance(path, int) or path is None or path == ":memory:":
            return None
        path = os.path.abspath(os.fsdecode(path))
        return None if is_of_system(path) else path

    def opened(self, path, flags):
        path = self.path(path)
        if path is None:
            return
        if path.endswith(".pyc"):
            path = _source_of(path)
        status = status_of(path)
        if status == "folder":
            return
        makes_it = flags & os.O_CREAT and (status is None or flags & os.O_EXCL)
        if flags & os.O_APPEND and not flags & os.O_TRUNC:
            if flags & os.O_RDWR and status is not None:
                self.read(path, status)
            self._added_to(path, status)
        elif flags & (os.O_WRONLY | os.O_TRUNC) or makes_it:
            self._wrote(path)
        else:
            self.read(path, status)

    def opened_as_database(self, name):
        text = os.fsdecode(name)
        if text.startswith("file:"):
            text = text[len("file:") :].partition("?")[0]
        for beside in ("", "-wal", "-journal"):  # SQLite's own files beside a database
            if not beside or os.path.exists(text + beside):
                self.opened(text + beside, os.O_RDWR | os.O_CREAT)

    def made_folder(self, path):
        """What comes into a folder that the process has made is its own."""
        path = self.path(path)
        if path is not None and status_of(path) is None:
            self._own_folders.add(os.path.join(path, ""))
            self._wrote(path)

    def renamed(self, source, target):
        source, target = self.path(source), self.path(target)
        if target is not None and source in self._logged:
            self._added_to(target, None)
        elif target is not None:
            self._wrote(target)

    def listed(self, path=None):
        # Frames: this method, the hook, what has the folder listed.
        caller = sys._getframe(2).f_code.co_filename
        if any(finder in caller for finder in FINDERS):
            return
        path = self.path(os.getcwd() if path is None else path)
        if path is not None and path != self._temporary and not self._is_own(os.path.join(path, "")):
            changed = _time_of(path)
            if not self._is_covered(path, changed):
                self._notes.note("folders", path, changed)

    def looked_for(self, path, found, frame, named, how=""):
        """A file or folder was asked for, in a `frame`; `found` is its status, None where there is none.

        `named` are the arguments that went by name. `how` it was asked for is the name of the function of Python's by
        which it was; none by `os.stat` itself.
        """
        try:
            while whose_code(frame) == LOOKS:
                how, frame = frame.f_code.co_name, frame.f_back
            whose = whose_code(frame)
            if named.get("dir_fd") is not None or (whose != OWN if found is not None else whose == LOGS):
                return
            path = self.path(path)
            if path is None:
                return
            if found is None:
                self.read(path, None)
            elif not self._is_own(path) and not self._is_own(os.path.join(path, "")):
                self._found(path, found, how)
        except Exception:
            self._notes.note_not_understood()

    def look_at_memory(self):
        """Note what is loaded or mapped."""
        try:
            with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
                places = {line[line.index("/") :].rstrip("\n") for line in maps if "/" in line}
        except OSError:
            return
        for path in filter(None, map(self.path, places)):
            status = status_of(path)
            if status is not None:
                self.read(path, status)

    def look_at(self, opened):
        """Note those of the files that somebody has `opened` of which this process has not been seen to."""
        for path in opened:
            status = status_of(path)
            if path not in self._notes.written and path not in self._notes.seen["files"] and isinstance(status, list):
                self._notes.note("noticed", path, status)

    def read(self, path, status):
        changed = status[1] if isinstance(status, list) else None
        if status != "folder" and not self._is_own(path) and not self._is_covered(path, changed):
            self._notes.note("files", path, status)
            if path in self._logged and status is not None:
                self._notes.note("rewritten", path)

    def _found(self, path, found, how):
        is_folder = stat.S_ISDIR(found.st_mode)
        if how in ("", *HOW_LARGE) and not is_folder:
            self.read(path, [found.st_size, found.st_mtime_ns])
        elif how in ("", *HOW_LARGE, *WHETHER_THERE) and not self._is_covered(path, found.st_mtime_ns):
            self._notes.note("places", path, "folder" if is_folder else "file")

    def _wrote(self, path):
        read = self._notes.seen["files"]
        if path in read:
            self._notes.note("made" if read[path] is None else "rewritten", path)
        self._notes.note_written(path)

    def _added_to(self, path, status):
        """A log: what stands in it already is not the process's own, and counts where it is read."""
        read = self._notes.seen["files"]
        self._logged.add(path)
        if path in read:
            self._notes.note("logged" if read[path] is None else "rewritten", path)
        if status is None:
            self._notes.note_written(path)

    def _is_own(self, path):
        return path in self._notes.written or any(path.startswith(folder) for folder in self._own_folders)

    def _is_covered(self, path, changed):
        within = os.path.join(path, "")
        return any(
            within.startswith(root) and (until is None or (changed is not None and changed <= until))
            for root, until in self._covered
        )


def status_of(path):
    """Size and time of a file, "folder", or None."""
    try:
        status = _STAT(path)
    except (OSError, ValueError):
        return None
    return "folder" if stat.S_ISDIR(status.st_mode) else [status.st_size, status.st_mtime_ns]


def _time_of(path):
    try:
        return _STAT(path).st_mtime_ns
    except (OSError, ValueError):
        return None


def _source_of(path):
    try:
        return importlib.util.source_from_cache(path)
    except (ValueError, NotImplementedError):
        return path


def _folder_of_temporary_files():
    try:
        return tempfile.gettempdir()
    except OSError:
        return None
