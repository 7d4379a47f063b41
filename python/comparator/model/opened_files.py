"""What a process reads: files, folders that it lists, variables, packages; and what of it cannot be seen.

A model's server loads this before the model. Seen are all files that Python opens or looks for, what is loaded or
mapped into memory, the variables that `os.environ` is asked for by name, and the same of forked processes. A library
that opens files by itself, without Python, is noticed where data files lie in the model's folder, by the kernel's word
(inotify(7)), which does not say who opened them. What other programs read is not seen, nor what comes over a network:
they are named instead.

What a process wrote before it read it, it has not read. Python's own files and those of installed packages count as the
packages' versions. Standard library only. It is loaded into the model's process, where it must cost little and must
break nothing.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import json
import logging
import os
import re
import stat
import struct
import sys
import tempfile

#: Programs that read nothing that a result could depend on; Python's own modules start some of them.
HARMLESS = frozenset(
    {"ldconfig", "gcc", "cc", "ld", "objdump", "uname", "lscpu", "hostname", "git"}
    | {"nvidia-smi", "rocm-smi", "rocminfo"}
)
#: Modules that are there once there are worker processes that were not forked.
WORKERS = (
    *("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"),
    *("loky.backend.popen_loky_posix", "joblib.externals.loky.backend.popen_loky_posix"),
)
SYSTEM = (
    *("/proc/", "/sys/", "/run/", "/lib/", "/lib64/", "/lib32/", "/bin/", "/sbin/"),
    *("/usr/lib/", "/usr/lib64/", "/usr/bin/", "/usr/share/", "/usr/include/", "/usr/local/lib/python"),
    *("/etc/ld.so", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/mtab", "/etc/passwd", "/etc/group"),
    *("/etc/localtime", "/etc/machine-id", "/etc/ssl/", "/etc/pki/", "/etc/fonts/"),
)
MOUNTED = "/run/media/"
DEVICES, SHARED_MEMORY = "/dev/", "/dev/shm/"
PACKAGE_FOLDERS = ("site-packages", "dist-packages")
#: Python's own modules through which files are looked at, and what of theirs says no more than whether one is there.
LOOKING = ("genericpath.py", "posixpath.py", "pathlib.py", "os.py", "_local.py", "_abc.py", "_os.py", "__init__.py")
LOOKING_FROZEN = ("<frozen genericpath>", "<frozen posixpath>", "<frozen os>")
WHETHER_THERE = ("exists", "isfile", "isdir", "is_file", "is_dir", "lexists")
HOW_LARGE = ("getsize", "getmtime", "getctime", "stat")
#: They look for modules, which are seen themselves.
FINDERS = ("importlib", "pkgutil", os.path.basename(__file__))
#: Files of data, by their endings: what else lies beside a model is opened by editors and by ourselves.
OF_DATA = (
    *(".h5", ".hdf5", ".keras", ".npy", ".npz", ".pkl", ".pickle", ".parquet", ".feather", ".arrow", ".nc", ".mat"),
    *(".csv", ".tsv", ".gz", ".pt", ".pth", ".ckpt", ".tfrecord", ".pb", ".onnx", ".safetensors", ".model", ".bin"),
    *(".db", ".sqlite", ".sqlite3", ".rds", ".zip", ".dat"),
)
#: inotify(7): a file was opened, one that was open for writing was closed, a folder, do not block.
OPENED, WRITTEN, IS_FOLDER, WITHOUT_WAITING = 0x20, 0x8, 0x40000000, 0o4000
#: What the folder of an experiment holds, and how that of a run is called.
EXPERIMENT, RUN = "experiment.json", re.compile("[0-9a-f]{64}")
#: What a folder holds that is an experiment's, or an environment of Python.
NOT_WATCHED = (EXPERIMENT, "pyvenv.cfg", "conda-meta")
EVENT = struct.Struct("iIII")
MOST_FOLDERS, MOST_FILES = 200, 5000
KINDS = (
    *("files", "made", "logged", "rewritten", "noticed", "folders", "places", "variables", "packages"),
    *("import_folders", "imported", "package_folders", "missed", "unseen"),
)


class Watch:
    """Watches this process from its making on, and the files in `folder`; `news()` is what was read since it last said.

    `covered` are pairs of a path and a time, or None: what lies there, and was not changed after that time, does not
    count. The news are a dictionary of dictionaries:

    files       size and time (nanoseconds since 1970) when they were opened, null where there was none
    made        those of them that were not there and were written after that; `logged`: that were only added to;
                `rewritten`: that were there
    noticed     data files in `folder` that somebody on this host has opened
    folders     that were listed, with their time
    places      "file" or "folder": the model has asked whether there is one, and there was
    variables   the SHA-256 of their values, null where they were not set; `*`: all were gone through
    packages    their versions, and a part of the SHA-256 of what was installed
    import_folders, imported    where modules are looked for, beside the system's folders, and the names of them
    package_folders, missed     the folders of packages, and the modules that the model itself has looked for in vain
    unseen      what reads unseen
    """

    def __init__(self, folder=None, covered=()):
        self._seen = {kind: {} for kind in KINDS}
        self._told = {kind: {} for kind in KINDS}
        self._written, self._own_folders, self._set, self._imported = set(), set(), set(), set()
        self._imported_here, self._logged, self._whose = set(), set(), {}
        self._loaded, self._modules = None, 0
        self._process = os.getpid()
        self._of_children = _shared_file()
        self._heard = 0
        self._covered = [(os.path.join(path, ""), until) for path, until in covered]
        self._temporary = _folder_of_temporary_files()
        self._handlers = {
            "open": lambda path, mode, flags: self._opened(path, flags),
            "sqlite3.connect": self._connected_to_file,
            "os.mkdir": lambda path, *_: self._made_folder(path),
            "os.rename": lambda source, target, *_: self._renamed(source, target),
            "os.symlink": lambda source, target, *_: self._renamed(source, target),
            "os.link": lambda source, target, *_: self._renamed(source, target),
            "os.listdir": self._listed,
            "os.scandir": self._listed,
            "import": lambda module, *_: self._imports(module.partition(".")[0]),
            "subprocess.Popen": lambda program, *_: self._started(program),
            "os.exec": lambda program, *_: self._started(program),
            "os.posix_spawn": lambda program, *_: self._started(program),
            "os.spawn": lambda mode, program, *_: self._started(program),
            "os.system": lambda command: self._note("unseen", "a shell"),
            "socket.connect": lambda socket, address: self._connected(address),
        }
        self._folder_watch = None if folder is None else _FolderWatch(folder)
        sys.addaudithook(self._hear)
        self._watch_stat()
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
        if kind == "files" and len(self._seen[kind]) >= MOST_FILES:
            kind, name, value = "unseen", "more than %d files" % MOST_FILES, None
        self._seen[kind][name] = value
        self._tell_parent(kind, name, value)

    def _tell_parent(self, kind, name, value):
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
        if status == "folder":
            return
        makes_it = flags & os.O_CREAT and (status is None or flags & os.O_EXCL)
        if flags & os.O_APPEND and not flags & os.O_TRUNC:
            if flags & os.O_RDWR and status is not None:
                self._read(path, status)
            self._added_to(path, status)
        elif flags & (os.O_WRONLY | os.O_TRUNC) or makes_it:
            self._wrote(path)
        else:
            self._read(path, status)

    def _made_folder(self, path):
        """What comes into a folder that the process has made is its own."""
        path = self._path(path)
        if path is not None and _status(path) is None:
            self._own_folders.add(os.path.join(path, ""))
            self._wrote(path)

    def _renamed(self, source, target):
        source, target = self._path(source), self._path(target)
        if target is not None and source in self._logged:
            self._added_to(target, None)
        elif target is not None:
            self._wrote(target)

    def _wrote(self, path):
        if path in self._seen["files"]:
            self._note("made" if self._seen["files"][path] is None else "rewritten", path)
        self._written.add(path)
        self._tell_parent("written", path, None)

    def _added_to(self, path, status):
        """A log: what stands in it already is not the process's own, and counts where it is read."""
        self._logged.add(path)
        if path in self._seen["files"]:
            self._note("logged" if self._seen["files"][path] is None else "rewritten", path)
        if status is None:
            self._written.add(path)
            self._tell_parent("written", path, None)

    def _read(self, path, status):
        changed = status[1] if isinstance(status, list) else None
        if status != "folder" and not self._is_own(path) and not self._is_covered(path, changed):
            self._note("files", path, status)
            if path in self._logged and status is not None:
                self._note("rewritten", path)

    def _is_own(self, path):
        return path in self._written or any(path.startswith(folder) for folder in self._own_folders)

    def _connected_to_file(self, name):
        text = os.fsdecode(name)
        if text.startswith("file:"):
            text = text[len("file:") :].partition("?")[0]
        for beside in ("", "-wal", "-journal"):  # SQLite's own files beside a database
            if not beside or os.path.exists(text + beside):
                self._opened(text + beside, os.O_RDWR | os.O_CREAT)

    def _listed(self, path=None):
        # Frames: this method, the hook, what has the folder listed.
        caller = sys._getframe(2).f_code.co_filename
        if any(finder in caller for finder in FINDERS):
            return
        path = self._path(os.getcwd() if path is None else path)
        if path is not None and path != self._temporary and not self._is_own(os.path.join(path, "")):
            changed = _time_of(path)
            if not self._is_covered(path, changed):
                self._note("folders", path, changed)

    def _path(self, path):
        """The absolute path of a file that counts; None of any other."""
        if isinstance(path, int) or path is None or path == ":memory:":
            return None
        path = os.path.abspath(os.fsdecode(path))
        return None if is_of_system(path) else path

    def _is_covered(self, path, changed):
        within = os.path.join(path, "")
        return any(
            within.startswith(root) and (until is None or (changed is not None and changed <= until))
            for root, until in self._covered
        )

    def _watch_stat(self):
        """Notice files that were looked for and are not there, and those of which the model asks whether they are."""
        real = os.stat

        def watched_stat(frame, path, *arguments, **named):
            try:
                found = real(path, *arguments, **named)
            except (FileNotFoundError, NotADirectoryError):
                self._looked_for(path, None, frame, named)
                raise
            self._looked_for(path, found, frame, named)
            return found

        def watched_access(frame, path, *arguments, **named):
            try:
                found = real(path)
            except (OSError, ValueError, TypeError):
                found = None
            self._looked_for(path, found, frame, named, WHETHER_THERE[0])
            return real_access(path, *arguments, **named)

        real_access = os.access
        os.stat, os.access = _Watched(watched_stat, os.stat), _Watched(watched_access, os.access)

    def _looked_for(self, path, found, frame, named, how=""):
        """A file or folder was asked for, in a `frame`; `found` is its status, None where there is none.

        `how` it was asked for is the name of the function of Python's by which it was; none by `os.stat` itself.
        """
        try:
            while self._whose_code(frame) == LOOKS:
                how, frame = frame.f_code.co_name, frame.f_back
            whose = self._whose_code(frame)
            if named.get("dir_fd") is not None or (whose != OWN if found is not None else whose == LOGS):
                return
            path = self._path(path)
            if path is None:
                return
            if found is None:
                self._read(path, None)
            elif not self._is_own(path) and not self._is_own(os.path.join(path, "")):
                self._found(path, found, how)
        except Exception:
            self._seen["unseen"]["a call that was not understood"] = None

    def _found(self, path, found, how):
        is_folder = stat.S_ISDIR(found.st_mode)
        if how in ("", *HOW_LARGE) and not is_folder:
            self._read(path, [found.st_size, found.st_mtime_ns])
        elif how in ("", *HOW_LARGE, *WHETHER_THERE) and not self._is_covered(path, found.st_mtime_ns):
            self._note("places", path, "folder" if is_folder else "file")

    def _whose_code(self, frame):
        """Whose the code of a frame is: the model's own, Python's that looks at files, its loggers', or another's."""
        if frame is None:
            return OTHER
        file = frame.f_code.co_filename
        if file not in self._whose:
            self._whose[file] = _whose_file(file)
        return self._whose[file]

    def _look_at_memory(self):
        try:
            with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
                places = {line[line.index("/") :].rstrip("\n") for line in maps if "/" in line}
        except OSError:
            return
        for path in filter(None, map(self._path, places)):
            status = _status(path)
            if status is not None:
                self._read(path, status)

    def _look_at_folder(self):
        for path in self._folder_watch.opened() if self._folder_watch is not None else ():
            status = _status(path)
            if path not in self._written and path not in self._seen["files"] and isinstance(status, list):
                self._note("noticed", path, status)

    # Modules and packages

    def _look_at_modules(self):
        """Modules that were loaded from files, the packages that they are of, and what was looked for here in vain."""
        self._seen["missed"].update(dict.fromkeys(name for name in self._imported_here if name not in sys.modules))
        if len(sys.modules) == self._modules:
            return
        self._modules = len(sys.modules)
        of_packages = {}
        for module in list(sys.modules.values()):
            place = getattr(module, "__file__", None)
            if not isinstance(place, str):
                continue
            path = self._path(place)
            if path is not None:
                self._read(path, _status(path))
            elif _top_name(place) is not None:
                of_packages.setdefault(_top_name(place), []).append(place)
        if set(of_packages) != self._loaded:
            self._loaded = set(of_packages)
            versions, matched = _versions(self._loaded)
            self._seen["packages"].update(versions)
            for place in [place for name in self._loaded - matched for place in of_packages[name]]:  # put there by hand
                self._note("files", os.path.abspath(place), _status(place))
        if any(name in sys.modules for name in WORKERS):
            self._note("unseen", "worker processes")
        for folder in sys.path:
            if os.path.basename(folder) in PACKAGE_FOLDERS:
                self._seen["package_folders"][os.path.abspath(folder)] = None
            path = self._path(folder or os.getcwd())
            if path is not None and _status(path) == "folder":
                self._seen["import_folders"][path] = None
        self._seen["imported"].update(dict.fromkeys(self._imported - {"__main__"}))

    def _imports(self, name):
        self._imported.add(name)
        # Frames: this method, the lambda, the hook, the importing module.
        frame = sys._getframe(3)
        while frame is not None and (
            frame.f_code.co_filename.startswith("<frozen importlib") or frame.f_code.co_filename == importlib.__file__
        ):
            frame = frame.f_back
        if self._whose_code(frame) == OWN:
            self._imported_here.add(name)

    # Programs, networks, forked processes

    def _started(self, program):
        name = os.path.basename(os.fsdecode(program)) if program else "a program"
        if name not in HARMLESS:
            self._note("unseen", name)

    def _connected(self, address):
        host = str(address[0]) if isinstance(address, tuple) else ""
        if host:
            self._note("unseen", "a connection to " + host)

    def _hear_of_children(self):
        if self._of_children is None:
            return
        text = os.pread(self._of_children, os.fstat(self._of_children).st_size - self._heard, self._heard)
        self._heard += len(text)
        for kind, name, value in map(json.loads, text.splitlines()):
            if kind == "written":
                self._written.add(name)
                self._seen["files"].pop(name, None)
            elif kind != "files" or name not in self._written:
                self._seen[kind].setdefault(name, value)

    # Variables

    def _watch_variables(self):
        watch, kind = self, type(os.environ)

        class Environ(kind):
            def __getitem__(self, name):
                if (
                    isinstance(name, (str, bytes))
                    and name not in watch._set
                    and not _looks_through_all(sys._getframe(1))
                ):
                    watch._asked_for(name)
                return kind.__getitem__(self, name)

            def __iter__(self):
                if not _is_of_loading(sys._getframe(1)):
                    watch._note("variables", "*")
                return kind.__iter__(self)

            def __setitem__(self, name, value):
                watch._set.add(name)
                kind.__setitem__(self, name, value)

            def __delitem__(self, name):
                watch._set.add(name)
                kind.__delitem__(self, name)

        for environment in (os.environ, os.environb):
            environment.__class__ = Environ

    def _asked_for(self, name):
        value = os.environ._data.get(os.fsencode(name))
        self._note("variables", os.fsdecode(name), None if value is None else hashlib.sha256(value).hexdigest())


class _Watched:
    """Takes the place of a function of `os`; unlike a function of Python's, and like those, it makes no method."""

    def __init__(self, watched, real):
        self._watched, self._real = watched, real
        self.__module__, self.__name__, self.__qualname__ = os.__name__, real.__name__, real.__name__
        self.__wrapped__, self.__doc__, self.__annotations__ = real, real.__doc__, {}
        for kinds in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
            if real in kinds:
                kinds.add(self)

    def __call__(self, *arguments, **named):
        return self._watched(sys._getframe(1), *arguments, **named)

    def __getattr__(self, name):
        return getattr(self.__dict__["_real"], name)

    def __reduce__(self):
        return self.__name__  # where it is unpickled, it is what goes by that name there

    def __repr__(self):
        return repr(self._real)


class _FolderWatch:
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


def is_of_system(path):
    """Whether a file is the system's, or Python's or an installed package's, which count with their versions."""
    if path.startswith(DEVICES):
        return not path.startswith(SHARED_MEMORY)
    if path.startswith(MOUNTED):
        return False
    return path.startswith(SYSTEM) or path.startswith(_OF_PACKAGES)


def _whose_file(file):
    folder, name = os.path.split(file)
    if folder == os.path.dirname(logging.__file__):
        return LOGS
    if file in LOOKING_FROZEN or (folder in LOOKING_IN and name in LOOKING):
        return LOOKS
    of_ours = folder == os.path.dirname(os.path.abspath(__file__))
    return OTHER if file.startswith("<") or of_ours or is_of_system(os.path.abspath(file)) else OWN


def _status(path):
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


def _looks_through_all(frame):
    """Whether an installed package, while it is loaded, goes through all variables, as some do for their own."""
    # Of what `items`, `values` and `copy` of a mapping run.
    return frame.f_code.co_name in ("__iter__", "copy") and _is_of_loading(frame)


def _is_of_loading(frame):
    """Whether a frame is of an installed package's code that is run to load it."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return True
        if not file.startswith("<frozen ") and not is_of_system(os.path.abspath(file)):
            return False
        frame = frame.f_back
    return False


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


def _shared_file():
    """A file without a name, to which forked processes write what they read; None where there can be none."""
    if not hasattr(os, "memfd_create"):
        return None
    descriptor = os.memfd_create("read")
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
    return descriptor


def _folders_of_packages():
    """Where Python itself and installed packages are."""
    found = [path for path in sys.path if os.path.basename(path) in PACKAGE_FOLDERS]
    prefixes = {sys.prefix, sys.base_prefix}
    found += [os.path.join(prefix, part) for prefix in prefixes for part in ("bin", "lib", "lib64", "share")]
    found = {form for path in found for form in (path, os.path.realpath(path))}
    configuration = os.path.join(sys.prefix, "pyvenv.cfg")
    return (*{os.path.join(each, "") for each in found}, configuration, os.path.realpath(configuration))


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


OWN, LOOKS, LOGS, OTHER = "own", "looks", "logs", "other"
LOOKING_IN = frozenset({os.path.dirname(os.__file__), os.path.join(os.path.dirname(os.__file__), "pathlib")})
_STAT = os.stat
_OF_PACKAGES = _folders_of_packages()
