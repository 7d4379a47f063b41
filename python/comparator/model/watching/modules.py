"""Which modules a process has loaded, of which packages they are, and which it looked for in vain."""

import hashlib
import importlib
import os
import sys

from .files import status_of
from .whose import OWN, PACKAGE_FOLDERS, whose_code

#: Modules that are there once there are worker processes that were not forked.
WORKERS = (
    *("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"),
    *("loky.backend.popen_loky_posix", "joblib.externals.loky.backend.popen_loky_posix"),
)


class Modules:
    """Those of the process, to be looked at now and then; what they were loaded from goes to `files`."""

    def __init__(self, notes, files):
        self._notes, self._files = notes, files
        self._imported, self._imported_here = set(), set()
        self._of_packages, self._number = None, 0

    def imports(self, name):
        self._imported.add(name)
        # Frames: this method, the lambda, the hook, the importing module.
        frame = sys._getframe(3)
        while frame is not None and (
            frame.f_code.co_filename.startswith("<frozen importlib") or frame.f_code.co_filename == importlib.__file__
        ):
            frame = frame.f_back
        if whose_code(frame) == OWN:
            self._imported_here.add(name)

    def look(self):
        """Modules that were loaded from files, the packages that they are of, and what was looked for here in vain."""
        seen = self._notes.seen
        seen["missed"].update(dict.fromkeys(name for name in self._imported_here if name not in sys.modules))
        if len(sys.modules) == self._number:
            return
        self._number = len(sys.modules)
        self._look_at_packages(self._read())
        if any(name in sys.modules for name in WORKERS):
            self._notes.note("unseen", "worker processes")
        for folder in sys.path:
            if os.path.basename(folder) in PACKAGE_FOLDERS:
                seen["package_folders"][os.path.abspath(folder)] = None
            path = self._files.path(folder or os.getcwd())
            if path is not None and status_of(path) == "folder":
                seen["import_folders"][path] = None
        seen["imported"].update(dict.fromkeys(self._imported - {"__main__"}))

    def _read(self):
        """Note the files of modules as read; gives those of packages, by the package's top name."""
        of_packages = {}
        for module in list(sys.modules.values()):
            place = getattr(module, "__file__", None)
            if not isinstance(place, str):
                continue
            path = self._files.path(place)
            if path is not None:
                self._files.read(path, status_of(path))
            elif _top_name(place) is not None:
                of_packages.setdefault(_top_name(place), []).append(place)
        return of_packages

    def _look_at_packages(self, places):
        if set(places) == self._of_packages:
            return
        self._of_packages = set(places)
        versions, matched = _versions(self._of_packages)
        self._notes.seen["packages"].update(versions)
        for place in [place for name in self._of_packages - matched for place in places[name]]:  # put there by hand
            self._notes.note("files", os.path.abspath(place), status_of(place))


def _versions(modules):
    """The versions of Python and of the packages that modules, by top names, are of; and those that are of one."""
    found, matched = {"Python": "%d.%d.%d" % sys.version_info[:3]}, set()
    for folder in sys.path:
        try:
            entries = [name for name in os.listdir(folder or ".") if name.endswith(".dist-info")]
        except OSError:
            continue
        for entry in entries:
            package, _, version = entry[: -len(".dist-info")].partition("-")
            own = modules & (_top_names(os.path.join(folder, entry)) | {package})
            if own:
                matched |= own
                found.setdefault(package.replace("_", "-"), version + _installed(os.path.join(folder, entry)))
    return found, matched


def _top_name(place):
    """The name at the top of an installed package that a module's file belongs to; None where it belongs to none."""
    for folder in PACKAGE_FOLDERS:
        _, found, rest = place.rpartition(os.sep + folder + os.sep)
        if found:
            return rest.partition(os.sep)[0].partition(".")[0]
    return None


def _installed(folder):
    """What tells one installation of a version from another: a part of the SHA-256 of the list of its files."""
    try:
        with open(os.path.join(folder, "RECORD"), encoding="utf-8") as file:
            return " " + hashlib.sha256(file.read().encode()).hexdigest()[:16]
    except (OSError, UnicodeDecodeError):
        return ""


def _top_names(folder):
    """The top names of an installed package's modules."""
    for name, take in (("top_level.txt", str.strip), ("RECORD", _first_part)):
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return set(map(take, file))
        except (OSError, UnicodeDecodeError):
            continue
    return set()


def _first_part(line):
    return line.partition(",")[0].strip('"').partition("/")[0].partition(".")[0]
