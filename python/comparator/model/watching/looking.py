"""What takes the place of `os.stat` and `os.access`, of which Python's audit hooks hear nothing."""

import os
import sys

from .files import WHETHER_THERE


def watch_looking(files):
    """Tell `files` what was looked for and is not there, and of what the model asks whether it is."""
    real, real_access = os.stat, os.access

    def watched_stat(frame, path, *arguments, **named):
        try:
            found = real(path, *arguments, **named)
        except (FileNotFoundError, NotADirectoryError):
            files.looked_for(path, None, frame, named)
            raise
        files.looked_for(path, found, frame, named)
        return found

    def watched_access(frame, path, *arguments, **named):
        try:
            found = real(path)
        except (OSError, ValueError, TypeError):
            found = None
        files.looked_for(path, found, frame, named, WHETHER_THERE[0])
        return real_access(path, *arguments, **named)

    os.stat, os.access = _Watched(watched_stat, real), _Watched(watched_access, real_access)


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
