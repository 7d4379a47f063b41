"""Which variables of its environment a process asks for by name, and whether it goes through all of them."""

import hashlib
import os
import sys

from .whose import is_of_loading


def watch_variables(notes):
    """Note the variables that are read from `os.environ`, but for those that the process has set itself."""
    kind, own = type(os.environ), set()

    class Environ(kind):
        def __getitem__(self, name):
            if isinstance(name, (str, bytes)) and name not in own and not _looks_through_all(sys._getframe(1)):
                _note(notes, name)
            return kind.__getitem__(self, name)

        def __iter__(self):
            if not is_of_loading(sys._getframe(1)):
                notes.note("variables", "*")
            return kind.__iter__(self)

        def __setitem__(self, name, value):
            own.add(name)
            kind.__setitem__(self, name, value)

        def __delitem__(self, name):
            own.add(name)
            kind.__delitem__(self, name)

    for environment in (os.environ, os.environb):
        environment.__class__ = Environ


def _note(notes, name):
    value = os.environ._data.get(os.fsencode(name))
    notes.note("variables", os.fsdecode(name), None if value is None else hashlib.sha256(value).hexdigest())


def _looks_through_all(frame):
    """Whether an installed package, while it is loaded, goes through all variables, as some do for their own."""
    # Of what `items`, `values` and `copy` of a mapping run.
    return frame.f_code.co_name in ("__iter__", "copy") and is_of_loading(frame)
