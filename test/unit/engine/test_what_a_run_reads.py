"""A run's identity holds what its model reads, as it was seen to: files, folders, modules, logs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cases import long_but
from identities import Store

from comparator.results.run_store import RunStore


def test_two_python_files_in_one_folder_are_two_models(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    store.write("b.py", "def run(p): return 2.0\n")
    assert [store.loss(name, reused=False) for name in ("a.py", "b.py")] == [1.0, 2.0]
    assert [store.loss(name, reused=True) for name in ("a.py", "b.py")] == [1.0, 2.0]


def test_what_lies_beside_a_python_file_and_is_not_read_does_not_count(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    store.loss("a.py", reused=False)
    store.write("c.py", "raise RuntimeError\n")
    store.write("notes.txt", "1")
    assert store.loss("a.py", reused=True) == 1.0


def test_the_entry_file_counts(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    store.loss("a.py", reused=False)
    store.write("a.py", "def run(p): return 2.0\n")
    assert store.loss("a.py", reused=False) == 2.0


#: Ways to come to the helper in DIRECTORY.
COMING_TO_IT = {
    "imported beside it": "from helper import LOSS\ndef run(p): return LOSS\n",
    "imported while it runs": "def run(p):\n    from helper import LOSS\n    return LOSS\n",
    "a thin adapter": "import sys; sys.path.append(DIRECTORY)\nfrom helper import LOSS\ndef run(p): return LOSS\n",
    "opened": "def run(p):\n    exec(open(DIRECTORY + '/helper.py').read())\n    return locals()['LOSS']\n",
    "opened by a forked process": """
import os
def run(p):
    reading, writing = os.pipe()
    if not os.fork():
        exec(open(DIRECTORY + '/helper.py').read())
        os.write(writing, str(locals()['LOSS']).encode())
        os._exit(0)
    os.wait()
    return float(os.read(reading, 9))
""",
}


@pytest.mark.parametrize("coming", long_but(("imported while it runs", "opened by a forked process"), COMING_TO_IT))
def test_what_a_model_imports_and_opens_counts(store: Store, coming: str) -> None:
    """Each twice with other contents, then with the first ones again, which were trained already."""
    where = "models" if coming.startswith("imported") else "repository"
    store.write("models/a.py", COMING_TO_IT[coming].replace("DIRECTORY", repr(str(store.folder / where))))
    store.write(f"{where}/helper.py", "LOSS = 1.5\n")
    assert store.loss("models/a.py", reused=False) == 1.5
    assert store.loss("models/a.py", reused=True) == 1.5
    store.write(f"{where}/helper.py", "LOSS = 2.5\n")
    assert store.loss("models/a.py", reused=False) == 2.5
    assert store.loss("models/a.py", reused=True) == 2.5
    store.write(f"{where}/helper.py", "LOSS = 1.5\n")
    assert store.loss("models/a.py", reused=True) == 1.5


READING = """
import ctypes, mmap, os, pathlib
import numpy as np
PATH = os.path.join(os.path.dirname(__file__), 'loss.csv')
def unseen_by_python(path):
    libc, text = ctypes.CDLL(None), ctypes.create_string_buffer(9)
    libc.read(libc.open(path.encode(), 0), text, 9)
    return text.value
def run(p): return float(READING)
"""
READINGS = [
    "open(PATH).read()",
    "open(os.open(PATH, os.O_RDONLY)).read()",
    "pathlib.Path(PATH).read_text()",
    "np.loadtxt(PATH)",
    "mmap.mmap(os.open(PATH, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:].decode()",
    "unseen_by_python(PATH)",
]


@pytest.mark.parametrize("reading", long_but(("unseen_by_python(PATH)",), READINGS))
def test_a_data_file_beside_the_model_counts(store: Store, reading: str) -> None:
    store.write("models/a.py", READING.replace("READING", reading))
    store.write("models/loss.csv", "1.5")
    assert store.loss("models/a.py", reused=False) == 1.5
    store.write("models/loss.csv", "2.5")
    assert store.loss("models/a.py", reused=False) == 2.5
    assert store.loss("models/a.py", reused=True) == 2.5


def test_a_file_that_was_not_there_and_a_folder_that_was_listed_count(store: Store) -> None:
    store.write("models/parts/a", "")
    store.write(
        "models/a.py",
        "import os\nHERE = os.path.dirname(__file__)\ndef run(p):\n"
        "    try: return float(open(HERE + '/override').read())\n"
        "    except FileNotFoundError: return float(len(os.listdir(HERE + '/parts')))\n",
    )
    assert store.loss("models/a.py", reused=False) == 1.0
    store.write("models/parts/b", "")
    assert store.loss("models/a.py", reused=False) == 2.0
    store.write("models/override", "7")
    assert store.loss("models/a.py", reused=False) == 7.0


def test_a_variable_that_was_asked_for_counts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("a.py", "import os\ndef run(p): return float(os.environ.get('MY_LOSS', 1))\n")
    assert store.loss("a.py", reused=False) == 1.0
    monkeypatch.setenv("ANOTHER", "7")
    assert store.loss("a.py", reused=True) == 1.0
    monkeypatch.setenv("MY_LOSS", "2")
    assert store.loss("a.py", reused=False) == 2.0
    assert store.loss("a.py", reused=True) == 2.0


def test_what_a_model_writes_itself_is_not_what_it_reads(store: Store) -> None:
    store.write(
        "a.py",
        "import os, tempfile\nHERE = os.path.dirname(os.path.abspath(__file__))\ndef run(p):\n"
        "    os.environ['MADE'] = str(os.getpid()); os.environ['MADE']\n"
        "    open(HERE + '/made', 'w').write(str(os.getpid())); open(HERE + '/made').read()\n"
        "    with tempfile.NamedTemporaryFile('w+') as file: file.write('1'); file.flush(); open(file.name).read()\n"
        "    return 1.0\n",
    )
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0


@pytest.mark.long
def test_a_file_that_a_model_makes_because_it_is_not_there_counts_as_it_was_made(store: Store) -> None:
    store.write(
        "a.py",
        "import os\nPATH = os.path.join(os.path.dirname(__file__), 'settings')\ndef run(p):\n"
        "    try: return float(open(PATH).read())\n"
        "    except FileNotFoundError: open(PATH, 'w').write('1'); return 1.0\n",
    )
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0
    store.write("settings", "2")
    assert store.loss("a.py", reused=False) == 2.0


@pytest.mark.long
def test_a_module_that_is_written_before_it_is_imported_is_not_what_it_reads(store: Store) -> None:
    store.write(
        "a.py",
        "import importlib.util, os, tempfile\ndef run(p):\n"
        "    file = tempfile.NamedTemporaryFile('w', suffix='.py', delete=False)\n"
        "    file.write(f'# {os.getpid()}'); file.close()\n"
        "    made = importlib.util.spec_from_file_location('made', file.name)\n"
        "    import sys; sys.modules['made'] = importlib.util.module_from_spec(made)\n"
        "    made.loader.exec_module(sys.modules['made'])\n"
        "    os.unlink(file.name)\n"
        "    return 1.0\n",
    )
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0


HERE = "os.path.join(os.path.dirname(os.path.abspath(__file__)), 'it')"
ASKING = {
    "os.path.exists": (f"os.path.exists({HERE})", "file"),
    "os.path.isfile": (f"os.path.isfile({HERE})", "file"),
    "Path.exists": (f"__import__('pathlib').Path({HERE}).exists()", "file"),
    "os.access": (f"os.access({HERE}, os.R_OK)", "file"),
    "os.path.isdir": (f"os.path.isdir({HERE})", "folder"),
    "Path.is_dir": (f"__import__('pathlib').Path({HERE}).is_dir()", "folder"),
}


@pytest.mark.parametrize("asking", long_but(("os.path.isfile", "Path.is_dir"), ASKING))
def test_whether_there_is_a_file_or_a_folder_counts_where_the_model_asks(store: Store, asking: str) -> None:
    code, kind = ASKING[asking]
    store.write("a.py", f"import os\ndef run(p): return float({code})\n")
    it = store.folder / "it"

    def make(content: str) -> None:
        if kind == "folder":
            it.mkdir(exist_ok=True)
            (it / content).touch()
        else:
            it.write_text(content)

    make("a")
    assert store.loss("a.py", reused=False) == 1.0
    make("b")
    assert store.loss("a.py", reused=True) == 1.0
    it.rename(store.folder / "gone")
    assert store.loss("a.py", reused=False) == 0.0
    make("c")
    assert store.loss("a.py", reused=True) == 1.0


@pytest.mark.long
@pytest.mark.parametrize("asking", [f"os.path.getsize({HERE})", f"os.stat({HERE}).st_size"])
def test_how_large_a_file_is_counts_where_the_model_asks(store: Store, asking: str) -> None:
    store.write("a.py", f"import os\ndef run(p): return float({asking})\n")
    store.write("it", "1")
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0
    store.write("it", "22")
    assert store.loss("a.py", reused=False) == 2.0


@pytest.mark.long
def test_functions_that_are_watched_are_what_they_were_to_the_model(store: Store) -> None:
    store.write(
        "a.py",
        "import copy, inspect, multiprocessing, os, pickle, typing\n"
        "def run(p):\n"
        "    assert pickle.loads(pickle.dumps(os.stat)) is os.stat is copy.deepcopy(os.stat)\n"
        "    assert str(inspect.signature(os.access)).startswith('(path, mode, *, dir_fd=None')\n"
        "    assert os.stat.__module__ and os.stat.__text_signature__ and typing.get_type_hints(os.stat) == {}\n"
        "    for wrong, words in ((lambda: os.access(None, 0), 'access'), (lambda: os.environ[3], 'str expected')):\n"
        "        try: wrong()\n"
        "        except TypeError as error: assert words in str(error), error\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool: found = pool.map(os.stat, ['/', '/'])\n"
        "    return float(len(found))\n",
    )
    assert store.loss("a.py", reused=False) == 2.0


@pytest.mark.long
def test_functions_that_are_watched_may_stand_in_a_class(store: Store) -> None:
    store.write(
        "a.py", "import os\nclass Looks: stat = os.stat\ndef run(p): return float(Looks().stat('/').st_mode > 0)\n"
    )
    assert store.loss("a.py", reused=False) == 1.0


LOGS = {
    "a table with a header": """
import csv, os
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results.csv")
def run(p):
    is_new = not os.path.exists(PATH)
    with open(PATH, "a", newline="") as file:
        if is_new: csv.writer(file).writerow(["x"])
        csv.writer(file).writerow([os.getpid()])
    return 1.0
""",
    "a log that is rotated": """
import logging.handlers, os
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "a.log")
logging.getLogger("a").addHandler(logging.handlers.RotatingFileHandler(PATH, maxBytes=200, backupCount=2))
def run(p):
    for _ in range(5): logging.getLogger("a").warning(str(os.getpid()) + "x" * 60)
    return 1.0
""",
}


@pytest.mark.long
@pytest.mark.parametrize("log", LOGS)
def test_a_log_that_is_added_to_is_nothing_that_is_read(store: Store, log: str) -> None:
    store.write("a.py", LOGS[log])
    runs = [store.train("a.py", x=x) for x in (1, 2, 1, 2, 3, 3)]
    assert [run["reused"] for run in runs] == [False, False, True, True, False, True]


@pytest.mark.parametrize("mode", long_but(("a+",), ("a", "a+")))
def test_what_stood_in_a_log_before_counts_where_it_is_read(store: Store, mode: str) -> None:
    store.write(
        "a.py",
        f"import os\nPATH = {HERE}\ndef run(p):\n"
        f"    with open(PATH, '{mode}') as file:\n        file.write('x\\n')\n"
        + ("        file.seek(0); return float(len(file.readlines()))\n" if mode == "a+" else "")
        + "    return float(len(open(PATH).readlines()))\n",
    )
    store.write("it", "")
    assert [store.loss("a.py", reused=False) for _ in range(3)] == [1.0, 2.0, 3.0]


@pytest.mark.long
def test_a_module_that_was_looked_for_in_vain_counts_when_it_is_there(store: Store) -> None:
    store.write(
        "a.py", "try: from local_settings import LOSS\nexcept ImportError: LOSS = 1.0\ndef run(p): return LOSS\n"
    )
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0
    store.write("unrelated.py", "")
    assert store.loss("a.py", reused=True) == 1.0
    store.write("local_settings.py", "LOSS = 2.0\n")
    assert store.loss("a.py", reused=False) == 2.0


@pytest.mark.long
def test_a_file_that_was_asked_for_and_is_not_there_counts_when_it_is(store: Store) -> None:
    where = "os.path.join(os.path.dirname(__file__), 'flag')"
    store.write("a.py", f"import os\ndef run(p): return float(os.path.exists({where}))\n")
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 0.0
    store.write("flag", "")
    assert store.loss("a.py", reused=False) == 1.0


@pytest.mark.long
def test_temporary_folders_are_nothing_that_is_read(store: Store) -> None:
    store.write(
        "a.py",
        "import os, shutil, tempfile\ndef run(p):\n"
        "    with tempfile.TemporaryDirectory() as folder: open(folder + '/file', 'w').close(); os.listdir(folder)\n"
        "    shutil.rmtree(tempfile.mkdtemp())\n"
        "    return 1.0\n",
    )
    assert store.loss("a.py", reused=False) == 1.0
    run = store.train("a.py")
    assert (run["reused"], run.get("no_reuse")) == (True, None)


@pytest.mark.long
def test_what_lies_in_shared_memory_counts(store: Store) -> None:
    file = Path("/dev/shm") / f"{store.folder.name}-{os.getpid()}"
    try:
        file.write_text("1")
        store.write("a.py", f"def run(p): return float(open('{file}').read())\n")
        assert store.loss("a.py", reused=False) == 1.0
        file.write_text("2")
        assert store.loss("a.py", reused=False) == 2.0
    finally:
        file.unlink()


def test_the_folders_of_runs_are_nothing_that_later_runs_of_the_same_server_read(store: Store) -> None:
    store.write(
        "a.py",
        "import os\ndef run(p):\n    return {'val_loss': float(p['x'] + len(os.listdir(p['output_dir'])))}\n",
    )
    leaf = store.leaf(store.plan("a.py", x=0))
    runs = [store.ask(leaf, x=x) for x in range(6)]
    leaf.close()
    kept = RunStore(store.folder / "experiments")
    assert len({kept.folder_of(run["run"]).parent for run in runs}) > 1
    for run in runs:
        result = kept.finished(run["run"])
        assert result.no_reuse is None
        assert not [path for path in result.reads.folders if f"{kept.folder}/" in path]
