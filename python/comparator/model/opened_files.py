"""What a process reads: files, folders that it lists, variables, packages; and what of it cannot be seen.

A model's server loads this before the model. Seen are all files that Python opens, what is loaded or mapped into
memory, the variables that `os.environ` is asked for, and the same of forked processes. A library that opens files by
itself, without Python, is noticed where they lie in the model's folder, by the kernel's word (inotify(7)). What other
programs read is not seen, nor what comes over a network: they are named instead.

What a process wrote before it read it, it has not read. Python's own files and those of installed packages count as the
packages' versions.

Standard library only. It is loaded into the model's process, where it must cost little and must break nothing.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import struct
import sys

#: Programs that read nothing that a result could depend on; Python's own modules start some of them.
HARMLESS = frozenset(
    {"ldconfig", "gcc", "cc", "ld", "objdump", "uname", "lscpu", "hostname", "git"}
    | {"nvidia-smi", "rocm-smi", "rocminfo"}
)
#: Modules that are there once there are worker processes that were not forked.
WORKERS = ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver")
SYSTEM = (
    *("/proc/", "/sys/", "/dev/", "/run/", "/etc/", "/lib", "/bin/", "/sbin/"),
    *("/usr/lib", "/usr/bin/", "/usr/share/", "/usr/include/", "/usr/local/lib/python"),
)
PACKAGE_FOLDERS = ("site-packages", "dist-packages")
#: They list folders to find modules, which are seen themselves.
FINDERS = ("importlib", "pkgutil", os.path.basename(__file__))
#: inotify(7): a file was opened, one that was open for writing was closed, a folder, do not block.
OPENED, WRITTEN, IS_FOLDER, WITHOUT_WAITING = 0x20, 0x8, 0x40000000, 0o4000
#: What the folder of an experiment holds, and how that of a run is called.
EXPERIMENT, RUN = "experiment.json", re.compile("[0-9a-f]{64}")
EVENT = struct.Struct("iIII")
MOST_FOLDERS = 200
KINDS = ("files", "made", "folders", "variables", "packages", "unseen")


class Watch:
    """Watches this process from its making on, and the files in `folder`; `news()` is what was read since it last said.

    That is a dictionary of dictionaries: `files` with size and time (nanoseconds since 1970) when they were opened,
    null where there was none; `made`, those of them that were written after that; `folders`; `variables` with the
    SHA-256 of their values, null where they were not set; `packages` with their versions; `unseen`, what reads unseen.
    """

    def __init__(self, folder=None):
        self._seen = {kind: {} for kind in KINDS}
        self._told = {kind: {} for kind in KINDS}
        self._written, self._set = set(), set()
        self._loaded, self._modules = None, 0
        self._process = os.getpid()
        self._of_children = _shared_file()
        self._heard = 0
        self._handlers = {
            "open": lambda path, mode, flags: self._opened(path, flags),
            "sqlite3.connect": lambda path: self._opened(path, os.O_RDWR | os.O_CREAT),
            "os.listdir": self._listed,
            "os.scandir": self._listed,
            "subprocess.Popen": lambda program, *_: self._started(program),
            "os.exec": lambda program, *_: self._started(program),
            "os.posix_spawn": lambda program, *_: self._started(program),
            "os.spawn": lambda mode, program, *_: self._started(program),
            "os.system": lambda command: self._note("unseen", "a shell"),
            "socket.connect": lambda socket, address: self._connected(address),
        }
        self._folder_watch = None if folder is None else _FolderWatch(folder)
        sys.addaudithook(self._hear)
        self._watch_variables()

    def news(self):
        self._hear_of_children()
        self._look_at_modules()
        self._look_at_memory()
        self._look_at_folder()
        seen = {kind: dict(each) for kind, each in self._seen.items()}
        news = {kind: {k: v for k, v in seen[kind].items() if k not in self._told[kind]} for kind in KINDS}
        self._told = seen
        return news

    def _hear(self, event, arguments):
        """The audit hook: what it raises, the model's own call would raise."""
        handler = self._handlers.get(event)
        if handler is not None:
            try:
                handler(*arguments)
            except Exception:
                self._seen["unseen"]["a call that was not understood"] = None

    def _note(self, kind, name, value=None):
        if name in self._seen[kind]:
            return
        self._seen[kind][name] = value
        if os.getpid() != self._process and self._of_children is not None:
            os.write(self._of_children, json.dumps([kind, name, value]).encode() + b"\n")

    # Files and folders

    def _opened(self, path, flags):
        path = self._path(path)
        if path is None:
            return
        if path.endswith(".pyc"):
            path = _source_of(path)
        status = _status(path)
        makes_it = flags & os.O_CREAT and (status is None or flags & os.O_EXCL)
        if flags & (os.O_WRONLY | os.O_TRUNC) or makes_it:
            self._written.add(path)
            if path in self._seen["files"]:
                self._note("made", path)
        elif path not in self._written:
            self._note("files", path, status)

    def _listed(self, path=None):
        # Frames: this method, the hook, what has the folder listed.
        caller = sys._getframe(2).f_code.co_filename
        if any(finder in caller for finder in FINDERS):
            return
        path = self._path(os.getcwd() if path is None else path)
        if path is not None:
            self._note("folders", path)

    def _path(self, path):
        """The absolute path of a file that counts; None of any other."""
        if isinstance(path, int) or path is None or path == ":memory:":
            return None
        path = os.path.abspath(os.fsdecode(path))
        return None if is_of_system(path) else path

    def _look_at_modules(self):
        """Modules that were loaded from files, and the packages that they belong to."""
        if len(sys.modules) == self._modules:
            return
        self._modules = len(sys.modules)
        packages = set()
        for name, module in list(sys.modules.items()):
            place = getattr(module, "__file__", None)
            if not isinstance(place, str):
                continue
            path = self._path(place)
            if path is not None and path not in self._written:
                self._note("files", path, _status(path))
            elif any(os.sep + folder + os.sep in place for folder in PACKAGE_FOLDERS):
                packages.add(name.partition(".")[0])
        if packages != self._loaded:
            self._loaded = packages
            self._seen["packages"].update(_versions(packages))
        if any(name in sys.modules for name in WORKERS):
            self._note("unseen", "worker processes")

    def _look_at_memory(self):
        try:
            with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
                places = {line[line.index("/") :].rstrip("\n") for line in maps if "/" in line}
        except OSError:
            return
        for path in filter(None, map(self._path, places)):
            if path not in self._written and os.path.exists(path):
                self._note("files", path, _status(path))

    def _look_at_folder(self):
        if self._folder_watch is not None:
            for path in self._folder_watch.opened():
                if path not in self._written and os.path.isfile(path):
                    self._note("files", _source_of(path), _status(path))

    # Programs, networks, forked processes

    def _started(self, program):
        name = os.path.basename(os.fsdecode(program)) if program else "a program"
        if name not in HARMLESS:
            self._note("unseen", name)

    def _connected(self, address):
        host = str(address[0]) if isinstance(address, tuple) else ""
        if host and not host.startswith(("127.", "::1", "localhost")):
            self._note("unseen", "a connection to " + host)

    def _hear_of_children(self):
        if self._of_children is None:
            return
        text = os.pread(self._of_children, os.fstat(self._of_children).st_size - self._heard, self._heard)
        self._heard += len(text)
        for kind, name, value in map(json.loads, text.splitlines()):
            if kind == "made" or name not in self._written:
                self._seen[kind].setdefault(name, value)

    # Variables

    def _watch_variables(self):
        watch, kind = self, type(os.environ)

        class Environ(kind):
            at = None

            def __getitem__(self, name):
                # What goes through all of them, to hand them on say, asks for none.
                if name != self.at and name not in watch._set:
                    watch._asked_for(name)
                return kind.__getitem__(self, name)

            def __setitem__(self, name, value):
                watch._set.add(name)
                kind.__setitem__(self, name, value)

            def __delitem__(self, name):
                watch._set.add(name)
                kind.__delitem__(self, name)

            def __iter__(self):
                for name in kind.__iter__(self):
                    self.at = name
                    yield name
                self.at = None

        os.environ.__class__ = Environ

    def _asked_for(self, name):
        if isinstance(name, str):
            value = os.environ._data.get(os.fsencode(name))
            self._note("variables", name, None if value is None else hashlib.sha256(value).hexdigest())


class _FolderWatch:
    """The files in a folder, and in those below it, that any process of this host opens, as far as the kernel tells."""

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
            if not mask & IS_FOLDER and name and not name.startswith(".") and number in self._folders:
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
                entries = {each.name: each for each in listed}
        except OSError:
            continue
        if EXPERIMENT in entries:
            continue
        found.append(path)
        waiting += [
            each.path
            for name, each in entries.items()
            if each.is_dir(follow_symlinks=False) and not name.startswith((".", "__")) and not RUN.fullmatch(name)
        ]
    return found


def _status(path):
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]


def _source_of(path):
    try:
        return importlib.util.source_from_cache(path)
    except (ValueError, NotImplementedError):
        return path


def _shared_file():
    """A file without a name, to which forked processes write what they read; None where there can be none."""
    if not hasattr(os, "memfd_create"):
        return None
    descriptor = os.memfd_create("read")
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
    return descriptor


def is_of_system(path):
    """Whether a file is the system's, or Python's or an installed package's, which count with their versions."""
    return path.startswith(SYSTEM) or path.startswith(_OF_PACKAGES)


def _folders_of_packages():
    """Where Python itself and installed packages are."""
    found = [path for path in sys.path if os.path.basename(path) in PACKAGE_FOLDERS]
    prefixes = {sys.prefix, sys.base_prefix}
    found += [os.path.join(prefix, part) for prefix in prefixes for part in ("bin", "lib", "lib64", "share")]
    return (*{os.path.join(each, "") for each in found}, os.path.join(sys.prefix, "pyvenv.cfg"))


_OF_PACKAGES = _folders_of_packages()


def _versions(modules):
    """The versions of Python and of the installed packages that these modules, top names, are of."""
    found = {"Python": "%d.%d.%d" % sys.version_info[:3]}
    for folder in sys.path:
        try:
            entries = [name for name in os.listdir(folder or ".") if name.endswith(".dist-info")]
        except OSError:
            continue
        for entry in entries:
            package, _, version = entry[: -len(".dist-info")].partition("-")
            if modules & (_top_names(os.path.join(folder, entry)) | {package}):
                found.setdefault(package.replace("_", "-"), version)
    return found


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
