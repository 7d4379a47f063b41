"""What it costs to know a run again: of wall time and processor time, and how much memory.

    python test/bench/identity.py [FOLDER]

Makes a data folder of 100,000 files and a file of 1 GB in FOLDER (default: a temporary one), and measures

- a run found in the store, of a model that takes no time, against training it;
- the fingerprint of the data folder, the first time and again;
- a hyperparameter that names the file: the first time, again, and the peak of memory;
- a warm server's own watch of what it reads, a run with it against a run without.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from comparator.engine.leaf import Leaf
from comparator.model.data import data_of
from comparator.model.named_paths import NamedPaths
from comparator.model.references import find_model
from comparator.model.runners.warm import WarmRunner
from comparator.model.training import Training
from comparator.objective.comparison import Objective
from comparator.results.frozen import FrozenExperiment, Submodel
from comparator.site.folders import project_root
from comparator.site.profile import Slot

FILES, FOLDERS, BYTES = 100_000, 100, 1 << 30
RUNS = 200
MODEL = "def run(params): return {'val_loss': params['x']}\n"


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder = Path(name)
        (folder / "model.py").write_text(MODEL)
        found_run(folder)
        watched_server(folder)
        data_folder(folder)
        named_file(folder)


def found_run(folder: Path) -> None:
    model = find_model("model.py", folder, project_root(), "bench")
    experiment = FrozenExperiment(
        id="bench", kind="single", metric="val_loss", models=[Submodel(identity=model.identity)]
    )
    (folder / "experiments").mkdir()
    leaf = Leaf(
        experiment,
        [model],
        Objective("val_loss", None),
        experiments=folder / "experiments",
        data_folder=folder / "no-data",
        slots=[Slot(0)],
        name="bench",
    )
    requests = [
        json.dumps({"evaluation": number, "name": None, "point": {"x": float(number)}, "replicate": 0})
        for number in range(RUNS)
    ]
    first = json.loads(leaf.evaluate(requests[0]))  # starts the server
    assert first["status"] == "ok", first["reason"]
    for words in ("trained", "found"):
        seconds, _ = measured(lambda: [leaf.evaluate(request) for request in requests])
        print(f"a run of no length, {words:8} {seconds / RUNS * 1e3:9.2f} ms")
    leaf.close()


def watched_server(folder: Path) -> None:
    model = find_model("model.py", folder, project_root(), "bench")
    watch = Path(sys.modules[WarmRunner.__module__].__file__ or "").with_name("watching")
    for words in ("watched", "not watched"):
        hidden = watch.with_name("watching.hidden")
        if words == "not watched":
            watch.rename(hidden)
        runner = WarmRunner(model, Slot(0), folder)
        try:
            place = folder / words.replace(" ", "-")
            place.mkdir()
            training = Training({"x": 1.0}, place, place / "model.log", "val_loss")
            run = partial(runner.run, training)
            start, _ = measured(run)
            seconds, _ = measured(partial(repeated, run))
            print(f"a server, {words:18} {seconds / RUNS * 1e3:9.2f} ms a run, {start * 1e3:6.0f} ms to start")
        finally:
            runner.close()
            if hidden.exists():
                hidden.rename(watch)


def data_folder(folder: Path) -> None:
    data = folder / "data"
    for number in range(FOLDERS):
        (data / str(number)).mkdir(parents=True)
        for each in range(FILES // FOLDERS):
            (data / str(number) / str(each)).touch()
    model = find_model("model.py", folder, project_root(), "bench")
    for words in ("first", "again"):
        seconds, cpu = measured(lambda: data_of(model, data))
        print(f"a data folder of {FILES:,} files, {words}  {seconds:6.2f} s, {cpu:6.2f} CPU-s")


def named_file(folder: Path) -> None:
    file = folder / "weights"
    with file.open("wb") as written:
        written.truncate(BYTES)
    past = time.time() - 3600
    os.utime(file, (past, past))
    named = NamedPaths([folder])
    before = peak()
    for words in ("first", "again"):
        seconds, cpu = measured(lambda: named.state("weights"))
        print(f"a named file of 1 GB, {words}  {seconds:8.4f} s, {cpu:8.4f} CPU-s, {peak() - before} MB more memory")


def repeated(action: Callable[[], object]) -> None:
    for _ in range(RUNS):
        action()


def measured(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and processor seconds of this process, that an action takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak() -> int:
    """The most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
