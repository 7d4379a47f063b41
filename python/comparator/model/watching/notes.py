"""What has been noted of a process and of those that it forked, and what of it is news."""

import fcntl
import json
import os

MOST_FILES = 5000
KINDS = (
    *("files", "made", "logged", "rewritten", "noticed", "folders", "places", "variables", "packages"),
    *("import_folders", "imported", "package_folders", "missed", "unseen"),
)


class Notes:
    """What the process has read, kind by kind, as `Watch` describes them, and the paths that it has written."""

    def __init__(self):
        self.seen = {kind: {} for kind in KINDS}
        self.written = set()
        self._told = {kind: {} for kind in KINDS}
        self._process = os.getpid()
        self._of_children = _shared_file()
        self._heard = 0

    def note(self, kind, name, value=None):
        if name in self.seen[kind]:
            return
        if kind == "files" and len(self.seen[kind]) >= MOST_FILES:
            kind, name, value = "unseen", "more than %d files" % MOST_FILES, None
        self.seen[kind][name] = value
        self._tell_parent(kind, name, value)

    def note_written(self, path):
        self.written.add(path)
        self._tell_parent("written", path, None)

    def note_not_understood(self):
        self.seen["unseen"]["a call that was not understood"] = None

    def news(self):
        """What was noted since this was asked last."""
        seen = {kind: dict(each) for kind, each in self.seen.items()}
        news = {kind: {k: v for k, v in seen[kind].items() if k not in self._told[kind]} for kind in KINDS}
        self._told = seen
        return news

    def hear_of_children(self):
        """Take in what forked processes have noted."""
        if self._of_children is None:
            return
        text = os.pread(self._of_children, os.fstat(self._of_children).st_size - self._heard, self._heard)
        self._heard += len(text)
        for kind, name, value in map(json.loads, text.splitlines()):
            if kind == "written":
                self.written.add(name)
                self.seen["files"].pop(name, None)
            elif kind != "files" or name not in self.written:
                self.seen[kind].setdefault(name, value)

    def _tell_parent(self, kind, name, value):
        if os.getpid() != self._process and self._of_children is not None:
            os.write(self._of_children, json.dumps([kind, name, value]).encode() + b"\n")


def _shared_file():
    """A file without a name, to which forked processes write what they read; None where there can be none."""
    if not hasattr(os, "memfd_create"):
        return None
    descriptor = os.memfd_create("read")
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
    return descriptor
