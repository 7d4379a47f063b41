"""A run's identity holds the variables that its model asks for, and the packages that it loads or does without."""

from __future__ import annotations

import pytest
from cases import long_but
from identities import Store


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


def test_what_is_said_to_a_library_of_linear_algebra_counts_but_for_its_threads(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uno's losses differ in the eighth digit with the size of a cache that OpenBLAS is told."""
    store.write("a.py", "def run(p): return 1.0\n")
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    assert store.loss("a.py", reused=True) == 1.0
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "384")
    assert store.loss("a.py", reused=False) == 1.0


@pytest.mark.long
def test_a_variable_that_comes_counts_where_all_are_gone_through(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(
        "a.py",
        "import os\ndef run(p): return sum(float(v) for k, v in os.environ.items() if k.startswith('MINE_')) + 1\n",
    )
    assert store.loss("a.py", reused=False) == store.loss("a.py", reused=True) == 1.0
    monkeypatch.setenv("MINE_LOSS", "2")
    assert store.loss("a.py", reused=False) == 3.0


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
