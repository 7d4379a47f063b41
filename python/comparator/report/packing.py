"""What a page draws, made small: its figures and its table by columns, each text once, compressed.

`begin.js` undoes in the browser what is done here; it is the only reader. The content is JSON, of which gzip's base64
stands in the page:

| key | holds |
|---|---|
| texts | texts that columns point to by their places here |
| lists | what columns of lists of evaluations point to: `numbers`, as steps, and for each the number of its `rows` |
| charts | the figures' specifications by name; the rows of a layer are columns where they are many |
| table | the table of evaluations: `names` of its columns, `axes`, and columns |

Columns have the `count` of their rows, and by name one of these forms:

| form | means |
|---|---|
| a list | the values |
| `{"all": value}` | the same value in every row |
| `{"steps": [...]}` | whole numbers, each as how much it is more than the one before |
| `{"texts": [...]}` | places of texts |
| `{"lists": place}` | lists of evaluations |
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from os.path import commonprefix
from typing import Any

FEW = 12  # rows that stay as they are, and evaluations that they stand for
#: Of the range of a column of places: what is less is not seen.
STEP = 5e-4
DIGITS = 4  # significant digits that a place keeps in any case: an axis may be logarithmic
PLACES = ("x", "y", "x2", "y2", "v", "low", "high")

Row = Mapping[str, Any]
Columns = dict[str, Any]


def packed(figures: Mapping[str, Mapping[str, Any]], table: Mapping[str, Any]) -> str:
    """Return specifications by name and the table (`page.evaluations_content`) as a page has them."""
    packing = _Packing()
    charts = {name: packing.chart(chart) for name, chart in figures.items()}
    content = {"charts": charts, "table": packing.table(table), "texts": packing.sorted_texts(), "lists": packing.lists}
    return compressed(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def compressed(text: str) -> str:
    """Return gzip's base64 of a text; the same for the same text."""
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), mtime=0)).decode()


class _Packing:
    """What is packed into one page, with what its parts have in common."""

    def __init__(self) -> None:
        self.lists: list[dict[str, list[int]]] = []
        self._places_of_lists: dict[tuple[tuple[int, int], ...], int] = {}
        self._texts_seen: dict[str, int] = {}
        self._text_columns: list[list[int]] = []

    def chart(self, chart: Mapping[str, Any]) -> dict[str, Any]:
        layers = {"layer": [self.chart(each) for each in chart["layer"]]} if "layer" in chart else {}
        rows = chart.get("data", {}).get("values", ())
        has_many = len(rows) > FEW or sum(len(row.get("evaluations", ())) for row in rows) > FEW
        is_even = has_many and all(row.keys() == rows[0].keys() for row in rows)
        data = {"data": {"columns": self._columns(rows), "count": len(rows)}} if is_even else {}
        return {**chart, **layers, **data}

    def table(self, table: Mapping[str, Any]) -> dict[str, Any]:
        rows = table["rows"]
        numbers, statuses, cells, logs, reasons = zip(*rows, strict=True) if rows else [()] * 5
        named = [[name for name, _ in each] for each in logs]
        addresses = [address for each in logs for _, address in each]
        head = commonprefix(addresses)  # noqa: RUF071 (characters, not folders)
        tail = commonprefix([each[len(head) :][::-1] for each in addresses])[::-1]  # noqa: RUF071
        end = -len(tail) or None
        return {
            "names": table["columns"],
            "shares": table["shares"],
            "axes": table["axes"],
            "count": len(rows),
            "number": _steps(numbers),
            "status": self._texts(statuses),
            "cells": [self._column("", column) for column in zip(*cells, strict=True)],
            "logs": {
                "names": self._texts(["\n".join(each) for each in named]),
                "head": head,
                "tail": tail,
                "addresses": "\n".join(each[len(head) : end] for each in addresses),
            },
            "reason": self._texts(["" if each is None else each for each in reasons]),
        }

    def _columns(self, rows: Sequence[Row]) -> Columns:
        return {name: self._column(name, [row[name] for row in rows]) for name in rows[0]}

    def _column(self, name: str, values: Sequence[Any]) -> Any:
        if name == "evaluations":
            return self._evaluations(values)
        first = values[0] if values else None
        if not isinstance(first, (list, dict)) and all(type(each) is type(first) and each == first for each in values):
            return {"all": first}
        if all(isinstance(each, str) for each in values):
            return self._texts(values)
        if all(type(each) is int for each in values) and all(a < b for a, b in pairwise(values)):
            return {"steps": _steps(values)}
        return _shortened(values) if name in PLACES else list(values)

    def _texts(self, values: Sequence[str]) -> Any:
        if len(set(values)) == 1:
            return {"all": values[0]}
        places = [self._texts_seen.setdefault(each, len(self._texts_seen)) for each in values]
        self._text_columns.append(places)
        return {"texts": places}

    def sorted_texts(self) -> list[str]:
        """Return all texts, those beside each other that say the same of a point, and have columns point to them so."""
        texts = sorted(self._texts_seen, key=lambda text: (text.split("\n")[1:], text))
        now = {self._texts_seen[text]: place for place, text in enumerate(texts)}
        for column in self._text_columns:
            column[:] = [now[place] for place in column]
        return texts

    def _evaluations(self, lists: Sequence[Sequence[int]]) -> Columns:
        pairs = tuple(sorted((number, row) for row, numbers in enumerate(lists) for number in numbers))
        if pairs not in self._places_of_lists:
            self._places_of_lists[pairs] = len(self.lists)
            self.lists.append({"numbers": _steps([number for number, _ in pairs]), "rows": [row for _, row in pairs]})
        return {"lists": self._places_of_lists[pairs]}


def _steps(numbers: Sequence[int]) -> list[int]:
    """Return the first number, then how much each is more than the one before."""
    return [number - before for before, number in zip((0, *numbers), numbers, strict=False)]


def _shortened(values: Sequence[Any]) -> list[Any]:
    """Return places with no more digits than are seen; what is no number stays."""
    numbers = [each for each in values if isinstance(each, float) and math.isfinite(each)]
    width = max(numbers, default=0.0) - min(numbers, default=0.0)
    by_range = math.ceil(-math.log10(STEP * width)) if width else 17
    return [_rounded(each, by_range) if isinstance(each, float) and each else each for each in values]


def _rounded(number: float, by_range: int) -> float | int:
    by_size = DIGITS - 1 - math.floor(math.log10(abs(number)))
    short = round(number, max(by_range, by_size))
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
