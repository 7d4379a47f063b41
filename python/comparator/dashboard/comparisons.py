"""Comparisons that are asked for, each made once in the maker's process, and again where an experiment has changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.dashboard.maker import Maker
from comparator.dashboard.overview import FILES
from comparator.errors import ComparatorError, InputError
from comparator.experiment.listing import stamp_of
from comparator.formats.names import check_name
from comparator.results.experiments import experiment_path

KEPT = 8
MOST = 6  # experiments


@dataclass
class _Made:
    stamp: Any = None
    html: str = ""
    failure: str = ""
    is_being_made: bool = False


class Comparisons:
    """The pages of comparisons; from any thread."""

    def __init__(self, experiments: Path, maker: Maker) -> None:
        self._experiments, self._maker = experiments, maker
        self._made: OrderedDict[tuple[Any, ...], _Made] = OrderedDict()
        self._turn = threading.Lock()

    def page(self, ids: str) -> tuple[str, str]:
        """The page that compares `A,B:METRIC`, and why it could not be made; both empty while it is made.

        Raises `InputError` where that names no experiments.
        """
        asked = self._asked(ids)
        stamp = tuple(stamp_of(path, FILES) for path, _ in asked)
        with self._turn:
            made = self._made.setdefault(asked, _Made())
            self._made.move_to_end(asked)
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
            if made.stamp != stamp and not made.is_being_made:
                made.is_being_made = True
                threading.Thread(target=self._make, args=(made, stamp, asked), daemon=True).start()
            return made.html, made.failure

    def _asked(self, ids: str) -> tuple[tuple[Path, str | None], ...]:
        given = [each for each in ids.split(",") if each]
        if not 2 <= len(given) <= MOST:
            raise InputError(f"a comparison is of 2 to {MOST} experiments: /compare?ids=A,B")
        asked = []
        for each in given:
            name, _, metric = each.partition(":")
            asked.append((experiment_path(self._experiments, name), check_name(metric, "metric") if metric else None))
        return tuple(asked)

    def _make(self, made: _Made, stamp: Any, asked: tuple[tuple[Path, str | None], ...]) -> None:
        try:
            made.html, made.failure = self._maker(_compared, asked), ""
        except ComparatorError as error:
            made.html, made.failure = "", str(error)
        finally:
            made.stamp, made.is_being_made = stamp, False


def _compared(asked: tuple[tuple[Path, str | None], ...]) -> str:
    from comparator.dashboard.compare import compare
    from comparator.dashboard.pages import compare_page

    return compare_page(compare(asked))
