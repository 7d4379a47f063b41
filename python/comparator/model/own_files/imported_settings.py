"""A module of Python that a script imports its settings from: a run has its own, though the script imports as ever.

Which file an `import` finds depends on the folder of the script and on packages: a copy elsewhere would not be found.
The script is started by another one, which puts the text of the copy in the place of the module's; its name, package
and `__file__` stay as they are. The same starts a module that `python -m` runs and whose constants are the settings.
Processes that the script starts by `multiprocessing`, also by `spawn`, have the copy too; other programs have not.
"""

from __future__ import annotations

from pathlib import Path

from comparator.formats.text import write_text_whole

#: The script that starts the model's, in the folder of a run, and the module's copy, which no import finds by its name.
STARTER, COPY = "_with_its_settings.py", "_its_settings.py"
#: Runs under the model's Python, which may be older.
_TEXT = '''"""Runs a script, or `-m MODULE`, with the settings of this run in the place of those of a module."""
import importlib.machinery
import os
import runpy
import sys
from multiprocessing import util

MODULE, SETTINGS = {module!r}, {settings!r}
of_file = importlib.machinery.SourceFileLoader.get_code
start = util.spawnv_passfds


def get_code(loader, name):
    if os.path.realpath(loader.path) != MODULE:
        return of_file(loader, name)
    with open(SETTINGS, "rb") as file:
        return compile(file.read(), loader.path, "exec", dont_inherit=True)


def spawnv_passfds(path, words, *others):
    words = list(words)
    if "-c" in words:  # a process that imports anew what the script has imported
        place = words.index("-c") + 1
        words[place] = "import runpy; runpy.run_path(%r); %s" % (os.path.abspath(__file__), words[place])
    return start(path, words, *others)


importlib.machinery.SourceFileLoader.get_code = get_code
util.spawnv_passfds = spawnv_passfds
if __name__ == "__main__":
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        sys.path[0] = os.getcwd()
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.realpath(sys.argv[0]))
        runpy.run_path(sys.argv[0], run_name="__main__")
'''


def write_starter(run: Path, module: str, settings: Path) -> None:
    """Write the script that has `settings` stand for a `module`, given by its whole path, into the folder of a run."""
    write_text_whole(run / STARTER, _TEXT.format(module=module, settings=str(settings)))
