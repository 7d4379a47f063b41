"""What a run is and reads is its identity: a run of the store takes the place of a training only where all is equal."""

import json
import math
import os
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cases import long_but
from rich.console import Console

from comparator.engine.leaf import Leaf
from comparator.engine.local import Local
from comparator.engine.run_identity import telling_hyperparameters
from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.freezing import make_plan
from comparator.experiment.host import Host
from comparator.experiment.reopening import reopen_plan
from comparator.experiment.settings import read_settings
from comparator.model.data import data_of, has_changed
from comparator.model.fingerprint import Recent, content_of, tree_of
from comparator.model.image import image_state
from comparator.model.inputs import source_change
from comparator.model.references import find_model
from comparator.results.form import of_form
from comparator.results.frozen import Submodel, WholeExperiment
from comparator.results.requests import Request
from comparator.results.run_store import RunStore
from comparator.site.profile import Site, read_site

ROOT = Path(__file__).parents[3]
READS_DATA = 'import os\ndef run(p): return float(open(os.environ["CANDLE_DATA_DIR"] + "/loss.txt").read())\n'


@cache
def local_site() -> Site:
    return read_site("local", ROOT)


class Store:
    """A store of runs, and a data folder, in which one point of a model is trained at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir()
        (folder / "experiments").mkdir()
        self.trained = 0

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    metric = "val_loss"

    def plan(self, model: str, warm: bool = True, **hyperparameters: object):
        asked = f'model = "{model}"\nupf = "upf.txt"\nmetric = "{self.metric}"\n'
        settings = self.write(f"{time.monotonic_ns()}.toml", asked)
        self.write("upf.txt", json.dumps({"id": "a", **hyperparameters}) + "\n")
        return make_plan(read_settings(settings, []), Context(settings, self.host(warm), "test"))

    def host(self, warm: bool = True) -> Host:
        site = replace(local_site(), data_folder=self.data)
        slots = site.slots()[:1]
        return Host(ROOT, self.folder / "experiments", site, slots, Local(slots, 1), warm, Console())

    def leaf(self, plan, warm: bool = True) -> Leaf:
        """The leaf of an experiment of its own."""
        self.trained += 1
        return Leaf(
            plan.noting(id=f"test-{self.trained}").frozen,
            plan.models,
            plan.objective,
            experiments=self.folder / "experiments",
            data_folder=self.data,
            slots=local_site().slots()[:1],
            name="test",
            warm=warm,
        )

    def ask(self, leaf: Leaf, **hyperparameters: object) -> dict:
        request = {"evaluation": 0, "name": "a", "point": hyperparameters, "replicate": 0}
        result = json.loads(leaf.evaluate(json.dumps(request)))
        assert result["runs"], result["reason"]
        return result["runs"][0]

    def train(self, model: str, warm: bool = True, plan=None, **hyperparameters: object) -> dict:
        """The run of an experiment of its own."""
        leaf = self.leaf(plan or self.plan(model, warm, **hyperparameters), warm)
        try:
            return self.ask(leaf, **hyperparameters)
        finally:
            leaf.close()

    def loss(self, model: str, *, reused: bool, warm: bool = True, **hyperparameters: object) -> float:
        run = self.train(model, warm, **hyperparameters)
        assert run["reused"] is reused, run
        return run["metrics"][self.metric]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


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


def test_a_package_that_the_model_does_without_counts_when_it_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = store.folder / "later" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    store.write(
        "a.py", "try: import fast_library\nexcept ImportError: LOSS = 1.0\nelse: LOSS = 2.0\ndef run(p): return LOSS\n"
    )
    assert store.loss("a.py", reused=False) == 1.0
    (packages / "another.py").touch()
    assert store.loss("a.py", reused=True) == 1.0
    (packages / "fast_library.py").touch()
    assert store.loss("a.py", reused=False) == 2.0


VARIABLES = ("HISTOGRAM_BINS", "PROMPT_TEMPLATE", "LESS_NOISE", "TERM_WEIGHT", "MY_NUM_THREADS")


@pytest.mark.parametrize("name", long_but(("TERM_WEIGHT",), VARIABLES))
def test_a_variable_is_told_by_its_whole_name(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    store.write("a.py", f"import os\ndef run(p): return float(os.environ.get('{name}', 1))\n")
    assert store.loss("a.py", reused=False) == 1.0
    monkeypatch.setenv(name, "2")
    assert store.loss("a.py", reused=False) == 2.0


@pytest.mark.long
def test_a_variable_that_comes_counts_where_all_are_gone_through(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(
        "a.py",
        "import os\ndef run(p): return sum(float(v) for k, v in os.environ.items() if k.startswith('MINE_')) + 1\n",
    )
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0
    monkeypatch.setenv("MINE_LOSS", "2")
    assert store.loss("a.py", reused=False) == 3.0


@pytest.mark.parametrize(
    ("name", "value", "counts"),
    [
        *[(name, value, True) for name, value in (("timeout", 2), ("output", "linear/tanh"), ("output", "softmax.v2"))],
        *[("save", value, value is True) for value in (True, "./runs/1", "/scratch/me", "~/me", "weights.h5")],
        *[(name, "me/1", False) for name in ("save_path", "output_dir", "logfile", "verbose")],
    ],
)
def test_a_hyperparameter_is_where_a_run_writes_only_where_it_can_be_nothing_else(name, value, counts) -> None:
    told = telling_hyperparameters(Submodel(), {name: value})
    assert told == ({name: value} if counts else {})


@pytest.mark.long
@pytest.mark.parametrize("text", ["pre={}", "{}:/another", "pre={},post=/none"])
def test_paths_between_signs_count(store: Store, text: str) -> None:
    store.write("model/model.toml", "reads = []\n")
    store.write("model/train.sh", '#!/bin/sh\necho "IMPROVE_RESULT val_loss: $(cat "$(dirname "$0")/../it")"\n', 0o755)
    store.write("it", "1")
    weights = text.format(store.folder / "it")
    assert (
        store.loss("model", reused=False, weights=weights) == store.loss("model", reused=True, weights=weights) == 1.0
    )
    store.write("it", "2")
    assert store.loss("model", reused=False, weights=weights) == 2.0


@pytest.mark.parametrize("name", long_but(("log",), ("output", "log", "save", "timeout")))
def test_a_varied_hyperparameter_counts_whatever_its_name(store: Store, name: str) -> None:
    store.write("a.py", f"def run(p): return float(len(str(p['{name}'])))\n")
    assert [store.loss("a.py", reused=False, **{name: value}) for value in ("a", "bb")] == [1.0, 2.0]


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


EVERY = ("dict(os.environ)", "os.environ.copy()", "os.environb.copy()", "{**os.environ}")


@pytest.mark.parametrize("every", long_but(("os.environb.copy()",), EVERY))
def test_a_model_may_pick_a_variable_from_all(store: Store, monkeypatch: pytest.MonkeyPatch, every: str) -> None:
    key = "b'MY_LOSS'" if "environb" in every else "'MY_LOSS'"
    store.write("a.py", f"import os\ndef run(p): return float({every}[{key}])\n")
    monkeypatch.setenv("MY_LOSS", "1")
    assert store.loss("a.py", reused=False) == 1.0
    monkeypatch.setenv("MY_LOSS", "2")
    assert store.loss("a.py", reused=False) == 2.0


@pytest.mark.long
def test_a_package_that_looks_through_all_variables_as_it_is_loaded_asks_for_none(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tqdm")
    store.write("a.py", "import tqdm\ndef run(p): return 1.0\n")
    monkeypatch.setenv("OF_THIS_TERMINAL", "1")
    assert store.loss("a.py", reused=False) == 1.0
    monkeypatch.setenv("OF_THIS_TERMINAL", "2")
    assert store.train("a.py")["reused"]


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


def test_data_that_arrive_while_an_experiment_goes_on_are_no_data_of_it(store: Store) -> None:
    store.write("a.py", "import os\ndef run(p): return float(len(os.listdir(os.environ['CANDLE_DATA_DIR'])))\n")
    store.write("data/one", "")
    os.utime(store.data / "one", (1, 1))
    plan = store.plan("a.py", x=1)
    store.write("data/two", "")
    late = store.train("a.py", plan=plan, x=1)
    assert late["metrics"]["val_loss"] == 2.0
    (store.data / "two").unlink()
    assert store.loss("a.py", reused=False, x=1) == 1.0


def test_code_that_is_edited_stops_the_search_and_what_is_written_beside_it_does_not(store: Store) -> None:
    store.write("model/train.sh", "#!/bin/sh\ncd $(dirname $0); echo x >> log.txt; echo IMPROVE_RESULT 1\n", 0o755)
    store.write("model/log.txt", "")
    store.write("model/model.toml", "reads = []\n")
    plan = store.plan("model")
    run = store.train("model", plan=plan)
    assert run["metrics"]["val_loss"] == 1.0
    assert "log.txt) since the experiment began" in run["no_reuse"]
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 2\n", 0o755)
    with pytest.raises(AssertionError, match=r"the model has changed \(last: .*train.sh\) since the experiment began"):
        store.train("model", plan=plan, x=1)


def test_a_look_that_is_too_dear_for_every_training_is_taken_before_a_result_serves_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comparator.model.fingerprint.NO_TIME_SECONDS", -1.0)
    monkeypatch.setattr("comparator.model.fingerprint.SPARING", 1e9)
    store.write("model/train.sh", '#!/bin/sh\necho IMPROVE_RESULT $(cat "$2/loss.txt")\n', 0o755)
    store.write("model/model.toml", 'reads = ["loss.txt"]\n')
    store.write("data/loss.txt", "1")
    runs = RunStore(store.folder / "experiments")

    def why_not(run: dict) -> str | None:
        return json.loads((runs.folder_of(run["run"]) / "result.json").read_text())["no_reuse"]

    leaf = store.leaf(store.plan("model"))
    run = store.ask(leaf)
    assert "not been looked at" in str(why_not(run))
    leaf.close()
    assert why_not(run) is None
    leaf = store.leaf(store.plan("model", x=2))
    store.ask(leaf, x=1)
    store.write("data/loss.txt", "2")
    wrong = store.ask(leaf, x=2)
    leaf.close()
    assert "not been looked at" in str(why_not(wrong))


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


@pytest.mark.long
def test_a_repeat_that_waits_for_a_dear_look_does_not_take_the_place_of_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comparator.model.fingerprint.NO_TIME_SECONDS", -1.0)
    monkeypatch.setattr("comparator.model.fingerprint.SPARING", 1e9)
    store.write("a.py", "import time\ndef run(p): return {'val_loss': 1.0, 'epoch_time': [time.perf_counter()]}\n")
    leaf = store.leaf(store.plan("a.py"))
    request = Request(evaluation=0, name="a", point={}, replicate=0)
    run, first = leaf.repeat(request, 0)
    result = RunStore(store.folder / "experiments").folder_of(str(run.run)) / "result.json"
    result.unlink()
    monkeypatch.setattr("comparator.model.inputs.Inputs.looked_at", lambda self: math.inf)  # what waits, need not now
    _, second = leaf.repeat(request, 0)
    assert first.history["epoch_time"] != second.history["epoch_time"]
    assert json.loads(result.read_text())["history"] == second.history


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('reads = ["los.txt"]', "reads: 'los.txt': there is none in"),
        ('code = ["../no"]', "code: '../no': there is no"),
        ('data_manifest = "m.json"', "data_manifest: 'm.json': there is none in"),
    ],
)
def test_what_a_description_names_has_to_be_there(store: Store, line: str, words: str) -> None:
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", line + "\n")
    with pytest.raises(InputError, match=words):
        store.plan("model")


@pytest.mark.long
def test_paths_within_texts_below_the_home_and_by_patterns_count(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(store.folder))
    monkeypatch.setenv("MINE", str(store.folder))
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", "reads = []\n")
    for number, value in enumerate(["~/loss", "$MINE/loss", f"x,{store.folder}/loss", f"{store.folder}/lo*"]):
        store.write("loss", f"{number}")
        store.loss("model", reused=False, value=value)
        store.loss("model", reused=True, value=value)
        store.write("loss", f"{number} other")
        store.loss("model", reused=False, value=value)
    store.loss("model", reused=False, value="/")


@pytest.mark.parametrize("kind", long_but(("script",), ("script", "module")))
def test_a_number_without_a_name_is_that_of_whatever_is_asked_for(store: Store, kind: str) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", "reads = []\n")
    name = "model" if kind == "script" else "a.py"
    assert store.loss(name, reused=False) == 1.0
    store.metric = "rmse"
    assert store.loss(name, reused=True) == 1.0


def test_where_the_whole_cannot_be_told_nothing_is_reused_and_it_is_said(store: Store) -> None:
    store.write("a.py", "import subprocess\ndef run(p): return float(subprocess.check_output(['cat', p['file']]))\n")
    outside = str(store.write("loss", "1"))
    store.write("model.toml", "")
    assert store.loss("a.py", reused=False, file=outside) == 1.0
    again = store.train("a.py", file=outside)
    assert not again["reused"]
    assert again["no_reuse"].startswith("what it read by cat cannot be seen; reads = [...] in ")
    assert again["no_reuse"].endswith("a.toml says it")


@pytest.mark.long
def test_a_script_serves_its_own_experiment_until_its_author_says_what_it_reads(store: Store) -> None:
    store.write("model/train.sh", f"#!/bin/sh\necho IMPROVE_RESULT $(cat {store.folder}/loss)\n", 0o755)
    store.write("loss", "1")
    assert any("are not re-used by other experiments" in notice for notice in store.plan("model").frozen.notices)
    assert store.loss("model", reused=False) == 1.0
    store.write("loss", "2")
    assert store.loss("model", reused=False) == 2.0
    store.write("model/model.toml", 'reads = []\ncode = ["../loss"]\n')
    assert not store.plan("model").frozen.notices[1:]
    assert store.loss("model", reused=False) == 2.0
    assert store.loss("model", reused=True) == 2.0
    store.write("loss", "3")
    assert store.loss("model", reused=False) == 3.0


@pytest.mark.parametrize("kind", ["script", "module"])
def test_the_data_folder_counts_where_nothing_is_said_of_it(store: Store, kind: str) -> None:
    """Also with a file of the same size and time; and what CANDLE's library writes there does not."""
    name = "model" if kind == "script" else "a.py"
    store.write("a.py", READS_DATA)
    store.write("model/train.sh", '#!/bin/sh\necho IMPROVE_RESULT $(cat "$2/loss.txt")\n', 0o755)
    store.write("data/loss.txt", "1")
    os.utime(store.data / "loss.txt", (1, 1))
    assert store.loss(name, reused=False) == 1.0
    store.write("data/Uno/Output/EXP000/RUN000/model.log", "x")
    assert store.loss(name, reused=kind == "module") == 1.0
    store.write("data/loss.txt", "2")
    os.utime(store.data / "loss.txt", (1, 1))
    assert store.loss(name, reused=False) == 2.0


def test_a_model_can_say_which_part_of_the_data_folder_it_reads(store: Store) -> None:
    store.write("model/model.toml", 'module = "m"\nreads = ["loss.txt"]\n')
    store.write("model/m.py", READS_DATA)
    store.write("data/loss.txt", "1")
    assert store.loss("model", reused=False) == 1.0
    store.write("data/other.txt", "1")
    assert store.loss("model", reused=True) == 1.0
    store.write("data/loss.txt", "2")
    assert store.loss("model", reused=False) == 2.0


@pytest.mark.long
def test_a_model_that_reads_more_than_it_says_is_found_out(store: Store) -> None:
    store.write("model/model.toml", 'module = "m"\nreads = []\n')
    store.write("model/m.py", READS_DATA)
    store.write("data/loss.txt", "1")
    assert store.loss("model", reused=False) == 1.0
    store.write("data/loss.txt", "2")
    assert store.loss("model", reused=False) == 2.0


def test_files_and_folders_that_hyperparameters_name_count_but_not_where_a_run_writes(store: Store) -> None:
    adds = "def run(p): return sum(float(open(each).read()) for each in glob.glob(p['parts'] + '/*'))\n"
    store.write("a.py", f"import glob\n{adds}")
    store.write("parts/one", "1")
    names = {"parts": str(store.folder / "parts"), "logfile": str(store.folder / "log")}
    assert store.loss("a.py", reused=False, **names) == 1.0
    store.write("log", "grows")
    assert store.loss("a.py", reused=True, **names) == 1.0
    store.write("parts/two", "1")
    assert store.loss("a.py", reused=False, **names) == 2.0


def test_the_file_that_changed_is_named_wherever_a_models_code_is(store: Store) -> None:
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", 'code = ["../elsewhere"]\nreads = []\n')
    store.write("elsewhere/helper.py", "1")
    plan = store.plan("model")
    helper = store.write("elsewhere/helper.py", "2")
    os.utime(helper, ns=(time.time_ns() + 10**9,) * 2)
    model = find_model("model", store.folder, store.folder, "test")
    words = source_change(model, plan.frozen.models[0])
    assert words == f"{model.path}: the model has changed (last: {helper})"
    helper.write_text("1")  # as a checkout does: later, and the same
    os.utime(helper, ns=(time.time_ns() + 2 * 10**9,) * 2)
    assert source_change(model, plan.frozen.models[0]) is None


def test_code_that_our_models_import_from_us_counts() -> None:
    for name in ("uno", "lgbm", "graphdrp"):
        description = find_model(name, ROOT, ROOT / "containers", "test").description
        imported = [ROOT / "containers" / name / path for path in description.code]
        assert all(path.is_file() for path in imported)
        formats, tables = {"expressions", "hyperparameters", "spelling", "text"}, {"joins", "reading"}
        assert {path.stem for path in imported} == {"__init__", "errors", *formats, *tables}


def test_a_copy_with_another_helper_is_another_model_and_an_equal_one_is_refused_where_it_is_one(store: Store) -> None:
    for name, loss in (("one", 1), ("two", 2)):
        store.write(f"{name}/adapter.py", "from helper import LOSS\ndef run(p): return LOSS\n")
        store.write(f"{name}/helper.py", f"LOSS = {loss}.0\n")
    assert [store.loss(f"{name}/adapter.py", reused=False) for name in ("one", "two")] == [1.0, 2.0]
    for name in ("three", "four"):
        store.write(f"{name}/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
        store.write(f"{name}/model.toml", "reads = []\n")
    store.write("pair.txt", "[Global_Params]\ncmp_0_model_name = 'three'\ncmp_1_model_name = 'four'\n")
    file = store.write("pair.toml", 'model = "cmp"\nhyperparameters = "pair.txt"\nupf = "upf.txt"\n')
    store.write("upf.txt", '{"id": "a"}\n')
    with pytest.raises(InputError, match=r"three and .*four are one model"):
        make_plan(read_settings(file, []), Context(file, store.host(), "test"))


def test_other_packages_make_another_script(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("model/train.sh", "#!/bin/sh\necho IMPROVE_RESULT 1\n", 0o755)
    store.write("model/model.toml", "reads = []\n")
    store.loss("model", reused=False)
    monkeypatch.setattr("comparator.model.model.installed_packages", lambda: {"numpy": "0.1"})
    store.loss("model", reused=False)
    store.loss("model", reused=True)


def test_the_packages_of_a_module_are_those_that_it_loads(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("a.py", "import numpy\ndef run(p): return 1.0\n")
    store.loss("a.py", reused=False)
    monkeypatch.setattr("comparator.model.reads.version_and_files", lambda name: "1")
    store.loss("a.py", reused=False)


def test_data_that_come_later_are_no_change_of_those_that_were_there(store: Store) -> None:
    store.write("a.py", READS_DATA)
    store.write("data/loss.txt", "1")
    model = find_model("a.py", store.folder, ROOT, "test")
    data = data_of(model, store.data)
    store.write("data/cache", "x")
    os.utime(store.data / "cache", ns=(data.until + 10**9, data.until + 10**9))
    assert has_changed(model, store.data, data.digest, data.until) is None
    store.write("data/loss.txt", "2")
    os.utime(store.data / "loss.txt", ns=(data.until + 2 * 10**9, data.until + 2 * 10**9))
    assert str(store.data / "loss.txt") in has_changed(model, store.data, data.digest, data.until)


def test_an_experiment_of_the_first_format_is_reopened_and_refused_where_its_model_changed(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    plan = store.plan("a.py")
    site = replace(read_site("local", ROOT), data_folder=store.data)
    from comparator.experiment import earlier_format

    [submodel] = plan.frozen.models
    identity = earlier_format._identity(plan.models[0])
    old = submodel.model_dump(exclude={"data_until", "untold", "numbers"})
    content = {**plan.frozen.as_json(), "id": "old", "format": 1}
    content["models"] = [{**old, "identity": identity, "data": None}]
    del content["difference_code"]
    frozen = of_form(WholeExperiment, content, "experiment.json")
    assert reopen_plan(frozen, root=ROOT, site=site).frozen.models[0].identity == submodel.identity
    store.write("a.py", "def run(p): return 2.0\n")
    with pytest.raises(InputError, match="the model has changed since 'old' began"):
        reopen_plan(frozen, root=ROOT, site=site)


def test_an_image_in_a_folder_has_changed_where_a_file_deep_in_it_has(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/a").write_text("1")
    before = image_state(tmp_path)
    (tmp_path / "usr/lib/a").write_text("22")
    assert image_state(tmp_path) != before


def test_a_tree_is_told_up_to_a_number_of_files_through_links_and_without_experiments(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("1")
    (tmp_path / "real/loop").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    before = tree_of([("", tmp_path)])
    (tmp_path / "mine-1").mkdir()
    (tmp_path / "mine-1/experiment.json").write_text("{}")
    for run in ("a" * 64, "bb/" + "b" * 64):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "model.log").write_text("x")
    assert tree_of([("", tmp_path)]) == before
    (tmp_path / "real/file").write_text("2")
    assert tree_of([("", tmp_path)]).digest != before.digest
    few = tree_of([("", tmp_path)], limit=1)
    assert (few.digest, few.unknown) == (None, f"{tmp_path} holds more than 1 files")


def test_a_large_file_is_hashed_once_and_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * (3 << 20))
    os.utime(file, (1, 1))
    monkeypatch.setattr("comparator.model.fingerprint.CLOCK_TICK_SECONDS", 0)
    first = content_of(file)
    monkeypatch.setattr("comparator.model.fingerprint.PIECE_BYTES", 0)  # reads nothing any more
    assert content_of(file) == first
    os.utime(file, (2, 2))
    assert content_of(file) != first


def test_a_measurement_is_repeated_as_often_as_it_can_be_afforded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, taken = [0.0], []
    monkeypatch.setattr("comparator.model.fingerprint.time.monotonic", lambda: clock[0])

    def measure() -> int:
        clock[0] += 0.1
        taken.append(clock[0])
        return len(taken)

    recent = Recent(measure)
    assert recent() == recent() == 1
    clock[0] = 2.09
    assert recent() == 1
    clock[0] = 2.11
    assert recent() == 2


def test_an_experiment_whose_settings_are_damaged_is_refused_in_a_line(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    plan = store.plan("a.py")
    content = {**plan.frozen.as_json(), "id": "mine"}
    content["settings"] = {**content["settings"], "search": {**content["settings"]["search"], "evaluations": "many"}}
    frozen = of_form(WholeExperiment, content, "experiment.json")
    words = r"experiment.json of 'mine': settings: search.evaluations: .*; the file was changed or damaged"
    with pytest.raises(InputError, match=words):
        reopen_plan(frozen, root=ROOT, site=replace(read_site("local", ROOT), data_folder=store.data))


def test_what_an_earlier_version_passed_over_in_the_settings_of_a_single_model_keeps_none_closed(store: Store) -> None:
    store.write("a.py", "def run(p): return 1.0\n")
    plan = store.plan("a.py")
    content = {**plan.frozen.as_json(), "id": "mine"}
    content["settings"] = {**content["settings"], "cmp": {"difference": "absolute", "labels": ["A", "B"]}}
    frozen = of_form(WholeExperiment, content, "experiment.json")
    site = replace(read_site("local", ROOT), data_folder=store.data)
    assert reopen_plan(frozen, root=ROOT, site=site).frozen == frozen
