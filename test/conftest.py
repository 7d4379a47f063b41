"""What several tests share: the folders of models and benches on the path, and one prepared data folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "containers" / name) for name in ("uno", "lgbm", "graphdrp", "drevalpy", "common")]
sys.path.append(str(ROOT / "test" / "bench"))

# Tests use one core each, as workers do.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

# How long an example takes says more about what else the machine does than about the code. Each run draws the same
# examples, so that what fails is of the change that is tried; `--hypothesis-profile=search` looks for others.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The prepared data folder, `CANDLE_DATA_DIR` or `data/` at the project's root; set for child processes too."""
    from drug_response.preparation import prepare

    folder = Path(os.environ.setdefault("CANDLE_DATA_DIR", str(ROOT / "data")))
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder)
    return folder


@pytest.fixture(scope="session")
def benchmark_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data folder with a benchmark's `raw_data`, whose place is COMPARATOR_BENCHMARK_DATA."""
    from drug_response.preparation import prepare
    from drug_response.sources import find_benchmark

    place = os.environ.get("COMPARATOR_BENCHMARK_DATA")
    if not place:
        pytest.skip("COMPARATOR_BENCHMARK_DATA does not name a folder with an IMPROVE benchmark's raw_data")
    benchmark = find_benchmark(Path(place))
    assert benchmark is not None, f"{place} has no x_data, y_data, splits"
    folder = tmp_path_factory.mktemp("benchmark")
    (folder / "raw_data").symlink_to(benchmark.resolve())
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def quick_reports() -> Iterator[None]:
    """Few resamples: what they show is looked at by people, not in tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("comparator.evidence.reading.RESAMPLES", 4)
        yield
