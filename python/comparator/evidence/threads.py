"""On how many threads matrices are computed.

Those of a search are so small that threads cost more than they bring: eight times the CPU time, beside trainings that
want the same cores. And a search that is resumed computes the same numbers on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from comparator.site.surroundings import variables_kept

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread(*, loads_scipy: bool = False) -> Iterator[None]:
    """Have NumPy and SciPy compute on one thread meanwhile, in all of this process.

    NumPy is loaded first, since what is not there is not held to it. SciPy's library is where it is there by now;
    `loads_scipy` has it loaded too.
    """
    import numpy  # noqa: F401

    if loads_scipy:
        from scipy import linalg  # noqa: F401
    with _controller("scipy.linalg" in sys.modules).limit(limits=1, user_api="blas"):
        yield


@lru_cache
def _controller(with_scipy: bool) -> ThreadpoolController:
    """To look for the libraries takes milliseconds; SciPy brings one of its own."""
    with variables_kept():
        from threadpoolctl import ThreadpoolController
    return ThreadpoolController()
