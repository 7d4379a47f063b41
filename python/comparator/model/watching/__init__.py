"""What a process reads: files, folders that it lists, variables, packages; and what of it cannot be seen.

A model's server loads this before the model. Seen are all files that Python opens or looks for, what is loaded or
mapped into memory, the variables that `os.environ` is asked for by name, and the same of forked processes. A library
that opens files by itself, without Python, is noticed where data files lie in the model's folder, by the kernel's word,
which does not say who opened them. What other programs read is not seen, nor what comes over a network: they are named
instead.

What a process wrote before it read it, it has not read. Python's own files and those of installed packages count as the
packages' versions. Standard library only. It is loaded into the model's process, where it must cost little and must
break nothing.
"""

import os
import sys

from .data_files import DataFiles
from .files import Files
from .looking import watch_looking
from .modules import Modules
from .notes import Notes
from .variables import watch_variables

#: Programs that read nothing that a result could depend on; Python's own modules start some of them.
HARMLESS = frozenset(
    {"ldconfig", "gcc", "cc", "ld", "objdump", "uname", "lscpu", "hostname", "git"}
    | {"nvidia-smi", "rocm-smi", "rocminfo"}
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
        self._notes = Notes()
        self._files = Files(self._notes, covered)
        self._modules = Modules(self._notes, self._files)
        self._handlers = {
            "open": lambda path, mode, flags: self._files.opened(path, flags),
            "sqlite3.connect": self._files.opened_as_database,
            "os.mkdir": lambda path, *_: self._files.made_folder(path),
            "os.rename": lambda source, target, *_: self._files.renamed(source, target),
            "os.symlink": lambda source, target, *_: self._files.renamed(source, target),
            "os.link": lambda source, target, *_: self._files.renamed(source, target),
            "os.listdir": self._files.listed,
            "os.scandir": self._files.listed,
            "import": lambda module, *_: self._modules.imports(module.partition(".")[0]),
            "subprocess.Popen": lambda program, *_: self._started(program),
            "os.exec": lambda program, *_: self._started(program),
            "os.posix_spawn": lambda program, *_: self._started(program),
            "os.spawn": lambda mode, program, *_: self._started(program),
            "os.system": lambda command: self._notes.note("unseen", "a shell"),
            "socket.connect": lambda socket, address: self._connected(address),
        }
        self._data_files = None if folder is None else DataFiles(folder)
        sys.addaudithook(self._hear)
        watch_looking(self._files)
        watch_variables(self._notes)

    def news(self):
        self._notes.hear_of_children()
        self._modules.look()
        self._files.look_at_memory()
        if self._data_files is not None:
            self._files.look_at(self._data_files.opened())
        return self._notes.news()

    def _hear(self, event, arguments):
        """The audit hook: what it raises, the model's own call would raise."""
        handler = self._handlers.get(event)
        if handler is not None:
            try:
                handler(*arguments)
            except Exception:
                self._notes.note_not_understood()

    def _started(self, program):
        name = os.path.basename(os.fsdecode(program)) if program else "a program"
        if name not in HARMLESS:
            self._notes.note("unseen", name)

    def _connected(self, address):
        host = str(address[0]) if isinstance(address, tuple) else ""
        if host:
            self._notes.note("unseen", "a connection to " + host)
