"""Say what a Python is and what is installed in it, as one line of JSON.

    python installed.py

    {"executable": "...", "prefix": "...", "base_prefix": "...", "version": "3.9.18", "folders": ["..."],
     "packages": {"numpy": "1.26.4 9f..."}}

`folders` are those of installed packages. `packages` are what lies where this Python looks for modules: versions, and a
part of the SHA-256 of the list of a package's files, which is the same whichever program installed it, and wherever;
installers themselves do not count. Of conda's own environments there are conda's packages too, which need not be
Python's, and the scripts that their activation runs.

This file is standard library only and keeps to what Python 2.7 reads, so that any Python can say that it is too old.
"""

import hashlib
import json
import os
import re
import sys

PACKAGE_FOLDERS = ("site-packages", "dist-packages")
ENDINGS = (".dist-info", ".egg-info", ".egg-link")
#: It follows the version in names such as `six-1.16.0-py3.9.egg-info`, and is no part of it.
OF_PYTHON = re.compile(r"-py\d.*")
#: They install others, and are there or not by who made an environment; no number depends on them.
INSTALLERS = ("pip", "setuptools", "wheel", "uv")
#: Files of an installed package that tell who installed it, and how.
OF_THE_INSTALLER = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json")


def main():
    own = os.path.dirname(os.path.abspath(__file__))
    folders = [os.path.abspath(folder) for folder in sys.path if os.path.abspath(folder) != own]
    said = {
        "executable": sys.executable,
        "prefix": sys.prefix,
        "version": "%d.%d.%d" % sys.version_info[:3],
        "base_prefix": getattr(sys, "base_prefix", sys.prefix),
        "packages": installed_in(folders, sys.prefix),
        "folders": [folder for folder in folders if os.path.basename(folder) in PACKAGE_FOLDERS],
    }
    sys.stdout.write(json.dumps(said, sort_keys=True))


def installed_in(folders, prefix):
    """The packages of folders in their order, the first of a name, and conda's of a prefix."""
    found = {}
    for folder in folders:
        for entry in sorted(_entries(folder)):
            stem, ending = os.path.splitext(entry)
            name, _, version = stem.partition("-")
            if ending in ENDINGS and _normal(name) not in INSTALLERS:
                version = OF_PYTHON.sub("", version)
                found.setdefault(_normal(name), (version + _digest(os.path.join(folder, entry))).strip())
    for entry in _entries(os.path.join(prefix, "conda-meta")):
        if entry.endswith(".json"):
            found["conda " + entry[: -len(".json")]] = ""
    scripts = os.path.join(prefix, "etc", "conda", "activate.d")
    for entry in _entries(scripts):
        found["activate.d/" + entry] = _sha256(_content(os.path.join(scripts, entry)))
    return found


def _entries(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(folder):
    """What tells one installation of a version from another: its files' names and contents, but for scripts.

    A script begins with the path of its Python, which is another in each environment.
    """
    lines = _content(os.path.join(folder, "RECORD")).decode("utf-8", "replace").splitlines()
    return " " + _sha256("\n".join(sorted(filter(_counts, lines))).encode("utf-8")) if lines else ""


def _counts(line):
    path = line.partition(",")[0].strip('"')
    return not path.startswith(("..", "/")) and not path.endswith(".pyc") and not path.endswith(OF_THE_INSTALLER)


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except (IOError, OSError):
        return b""


def _sha256(content):
    return hashlib.sha256(content).hexdigest()[:16]


if __name__ == "__main__":
    main()
