"""The search computes on one thread, and leaves the threads of others as they were."""

from __future__ import annotations

import numpy  # noqa: F401  each of these brings a library
import scipy.linalg  # noqa: F401
from threadpoolctl import threadpool_info

from comparator.evidence.threads import one_thread


def threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_matrices_are_computed_on_one_thread_meanwhile() -> None:
    before = threads()
    with one_thread():
        assert threads() and set(threads()) == {1}
    assert threads() == before
