"""Whose a file is, and whose the code of a frame: the model's own, or Python's, a package's, the system's, ours."""

import logging
import os
import sys

SYSTEM = (
    *("/proc/", "/sys/", "/run/", "/lib/", "/lib64/", "/lib32/", "/bin/", "/sbin/"),
    *("/usr/lib/", "/usr/lib64/", "/usr/bin/", "/usr/share/", "/usr/include/", "/usr/local/lib/python"),
    *("/etc/ld.so", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/mtab", "/etc/passwd", "/etc/group"),
    *("/etc/localtime", "/etc/machine-id", "/etc/ssl/", "/etc/pki/", "/etc/fonts/"),
)
MOUNTED = "/run/media/"
DEVICES, SHARED_MEMORY = "/dev/", "/dev/shm/"
PACKAGE_FOLDERS = ("site-packages", "dist-packages")
#: What `whose_code` says.
OWN, LOOKS, LOGS, OTHER = "own", "looks", "logs", "other"
#: Python's own modules through which files are looked at.
LOOKING = ("genericpath.py", "posixpath.py", "pathlib.py", "os.py", "_local.py", "_abc.py", "_os.py", "__init__.py")
LOOKING_FROZEN = ("<frozen genericpath>", "<frozen posixpath>", "<frozen os>")
LOOKING_IN = frozenset({os.path.dirname(os.__file__), os.path.join(os.path.dirname(os.__file__), "pathlib")})
#: The folder of this package, and that in which the server lies.
WATCHING = os.path.dirname(os.path.abspath(__file__))
OURS = (WATCHING, os.path.dirname(WATCHING))

_whose_files = {}


def is_of_system(path):
    """Whether a file is the system's, or Python's or an installed package's, which count with their versions."""
    if path.startswith(DEVICES):
        return not path.startswith(SHARED_MEMORY)
    if path.startswith(MOUNTED):
        return False
    return path.startswith(SYSTEM) or path.startswith(_OF_PACKAGES)


def whose_code(frame):
    """Whose the code of a frame is: the model's own, Python's that looks at files, its loggers', or another's."""
    if frame is None:
        return OTHER
    file = frame.f_code.co_filename
    if file not in _whose_files:
        _whose_files[file] = _whose_file(file)
    return _whose_files[file]


def is_of_loading(frame):
    """Whether a frame is of an installed package's code that is run to load it."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return True
        if not file.startswith("<frozen ") and not is_of_system(os.path.abspath(file)):
            return False
        frame = frame.f_back
    return False


def _whose_file(file):
    folder, name = os.path.split(file)
    if folder == os.path.dirname(logging.__file__):
        return LOGS
    if file in LOOKING_FROZEN or (folder in LOOKING_IN and name in LOOKING):
        return LOOKS
    return OTHER if file.startswith("<") or folder in OURS or is_of_system(os.path.abspath(file)) else OWN


def _folders_of_packages():
    """Where Python itself and installed packages are."""
    found = [path for path in sys.path if os.path.basename(path) in PACKAGE_FOLDERS]
    prefixes = {sys.prefix, sys.base_prefix}
    found += [os.path.join(prefix, part) for prefix in prefixes for part in ("bin", "lib", "lib64", "share")]
    found = {form for path in found for form in (path, os.path.realpath(path))}
    configuration = os.path.join(sys.prefix, "pyvenv.cfg")
    return (*{os.path.join(each, "") for each in found}, configuration, os.path.realpath(configuration))


_OF_PACKAGES = _folders_of_packages()
