"""Read every table of a data folder, join them as the preparation does, and say what is wrong, by file, line and id."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from comparator.checks.data.found import NOTE, DataFound, StudyRows, TableIds
from comparator.checks.data.layouts import CELL_LINES, DRUGS, Features, Responses, find_layout
from comparator.errors import nearest
from comparator.formats.finding import FAILS, UNTESTED
from comparator.formats.numbers import how_many
from comparator.formats.text import shortened
from comparator.tables.joins import Ids, collect_ids, differing, keep_joined, study_mistake
from comparator.tables.reading import (
    Column,
    Table,
    TableError,
    numbers,
    place_of,
    read_header,
    read_list,
    read_table,
    records,
    tidy_id,
)

#: Examples that are shown of what is wrong.
SHOWN = 3
ONE = {CELL_LINES: "cell line", DRUGS: "drug"}
_SPLIT_FILE = re.compile(r"(?P<study>.+)_split_(?P<number>\d+)_(?P<part>train|val|test)\.txt")


def check_data(folder: Path) -> DataFound:
    """Look through a data folder.

    Raises `InputError` where it has no layout that is known.
    """
    layout = find_layout(folder)
    found = DataFound(layout.name, str(layout.folder))
    check = _Check(layout.folder, found)
    for responses in layout.responses:
        check.responses(responses)
    for features in layout.features:
        check.features(features)
    if not layout.responses:
        found.say("responses", UNTESTED, "there are none in this folder, so nothing was joined")
    return found


class _Check:
    """What is shared by the tables of a folder: where they are, what was read of them, and what was found."""

    def __init__(self, root: Path, found: DataFound) -> None:
        self.root = root
        self.found = found
        self._read: dict[Features, Ids | None] = {}

    def name(self, path: Path) -> str:
        """A file as findings name it: from the folder of the layout on."""
        return path.relative_to(self.root).as_posix()

    def fail(self, path: Path, words: str) -> None:
        self.found.say(self.name(path), FAILS, words)

    def failed(self, path: Path, error: TableError) -> None:
        """Say what could not be read, without the path twice."""
        words = str(error).removeprefix(str(path)).removeprefix(",").removeprefix(":").strip()
        self.fail(path, words)

    # Tables of features ---------------------------------------------------------------------------------------------

    def features(self, features: Features) -> Ids | None:
        """Read the ids of a table of features, once; None where it cannot be read."""
        if features not in self._read:
            try:
                self._read[features] = self._look_at(features)
            except TableError as error:
                self.failed(features.path, error)
                self._read[features] = None
        return self._read[features]

    def _look_at(self, features: Features) -> Ids:
        path, kind = features.path, features.kind
        if features.column is None:
            ids = collect_ids(enumerate((tidy_id(name) for name in read_header(path)), start=1))
            self.found.tables.append(
                TableIds(self.name(path), sum(1 for _ in records(path)) - 1, {kind: len(ids.first)})
            )
            return ids
        written = 0
        having: dict[str, str] = {}
        stream = records(path)
        header = [next(stream)[1] for _ in range(features.header_rows)][-1]
        names = [name.strip() for name in header]
        place = place_of(path, names, features.column)
        needed = None if features.needs is None else place_of(path, names, features.needs)

        def rows() -> Iterable[tuple[int, str]]:
            nonlocal written
            for line, fields in stream:
                identifier = tidy_id(fields[place])
                written += identifier != fields[place]
                if needed is not None and fields[needed].strip():
                    having.setdefault(identifier, fields[needed].strip())
                yield line, identifier

        ids = collect_ids(rows())
        if not ids.rows:
            raise TableError(f"{path}: has a header and no rows")
        self.found.tables.append(
            TableIds(self.name(path), ids.rows, {kind: len(ids.first)}, len(ids.repeats), len(ids.without))
        )
        self._say_ids(features, ids, names[place] or f"column {place + 1}", written)
        return ids if needed is None else self._with_structure(features, ids, having)

    def _say_ids(self, features: Features, ids: Ids, column: str, written: int) -> None:
        path = features.path
        if written:
            self.found.say(self.name(path), NOTE, _written(written))
        if ids.without:
            self.fail(path, f"line {ids.without[0]}: {column} is empty{_more(ids.without, 'line')}")
        by_line = {line: name for name, line in ids.first.items()}
        differ = differing(path, ids.repeats, _compared(features, path)) if features.alike != () else []
        if differ:
            line, first = differ[0]
            words = f"lines {first} and {line}: {column} '{by_line[first]}' stands twice, with different values"
            self.fail(path, words + _more(differ, "id"))
        same = len(ids.repeats) - len(differ)
        if same and not features.repeats:
            line, first = next(pair for pair in ids.repeats if pair not in differ)
            example = f"'{by_line[first]}' of line {first} in line {line}"
            rows = how_many(same, "row")
            self.found.say(self.name(path), NOTE, f"{rows} with id and values of another, as {example}")

    def _with_structure(self, features: Features, ids: Ids, structures: Mapping[str, str]) -> Ids:
        """Leave out the ids without a structure in any of their rows, and say which RDKit cannot read."""
        without = [name for name in ids.first if name not in structures]
        if without:
            words = f"line {ids.first[without[0]]}: drug '{without[0]}' has no {features.needs}"
            self.fail(features.path, words + _more(without, "drug"))
        if importlib.util.find_spec("rdkit") is None:
            self.found.say(self.name(features.path), UNTESTED, "RDKit, which reads structures, is not installed here")
        else:
            unread = [name for name, smiles in structures.items() if _unreadable(smiles)]
            if unread:
                smiles = shortened(structures[unread[0]])
                words = (
                    f"line {ids.first[unread[0]]}: RDKit cannot read {features.needs} '{smiles}' of drug '{unread[0]}'"
                )
                self.fail(features.path, words + _more(unread, "drug"))
        return Ids({name: line for name, line in ids.first.items() if name in structures}, ids.repeats, ids.without)

    # Responses ------------------------------------------------------------------------------------------------------

    def responses(self, responses: Responses) -> None:
        """Look at a table of responses, at the features that go with it, and at what is left when they are joined."""
        for file in responses.missing:
            self.found.say(file, FAILS, "there is no such file")
        known = {features: self.features(features) for features in responses.features}
        try:
            table = self._read_responses(responses)
        except TableError as error:
            self.failed(responses.path, error)
            return
        cell_lines, drugs = table.columns[responses.cell_line], table.columns[responses.drug]
        ids = {
            CELL_LINES: collect_ids(zip(table.lines, cell_lines, strict=True)),
            DRUGS: collect_ids(zip(table.lines, drugs, strict=True)),
        }
        without = sum(not cell_line or not drug for cell_line, drug in zip(cell_lines, drugs, strict=True))
        counts = {kind: len(each.first) for kind, each in ids.items()}
        self.found.tables.insert(0, TableIds(self.name(responses.path), len(table), counts, 0, without))
        self._say_response_ids(responses, table, ids)
        for features, of_features in known.items():
            if of_features is not None and features.path != responses.path:
                self._say_unmatched(responses, features, of_features, ids[features.kind], table)
        self._studies(responses, table, known)

    def _read_responses(self, responses: Responses) -> Table:
        if not responses.path.is_file():
            raise TableError(f"{responses.path}: there is no such file")
        names = read_header(responses.path)
        wanted: list[Column] = [name for name in responses.measures if name in names]
        wanted += responses.long or ()
        wanted += ["split_id"] if "split_id" in names else []
        ids: list[Column] = [responses.cell_line, responses.drug]
        ids += [responses.study] if responses.study is not None else []
        return read_table(responses.path, wanted, ids)

    def _say_response_ids(self, responses: Responses, table: Table, ids: Mapping[str, Ids]) -> None:
        for kind, column in ((CELL_LINES, responses.cell_line), (DRUGS, responses.drug)):
            lines = ids[kind].without
            if lines:
                self.fail(responses.path, f"line {lines[0]}: {column} is empty{_more(lines, 'line')}")
        written = sum(table.tidied.values())
        if written:
            self.found.say(self.name(responses.path), NOTE, _written(written))
        if responses.study is None:
            return
        # IMPROVE's studies are parts of names of files; of others' it matters only that there is one.
        first: dict[str, int] = {}
        for line, name in zip(table.lines, table.columns[responses.study], strict=True):
            first.setdefault(name, line)
        for name, line in first.items():
            mistake = study_mistake(name)
            if mistake is not None and (responses.splits is not None or not name):
                rows = table.columns[responses.study].count(name)
                self.fail(responses.path, f"line {line}: {responses.study} {mistake} ({how_many(rows, 'row')})")

    def _say_unmatched(self, responses: Responses, features: Features, known: Ids, asked: Ids, table: Table) -> None:
        column = responses.cell_line if features.kind == CELL_LINES else responses.drug
        unmatched = [name for name in asked.first if name not in known.first]
        if not unmatched:
            return
        gone = set(unmatched)
        rows = sum(name in gone for name in table.columns[column])
        shown = ", ".join(f"'{name}' (line {asked.first[name]})" for name in unmatched[:SHOWN])
        more = f" and {len(unmatched) - SHOWN} more" if len(unmatched) > SHOWN else ""
        words = (
            f"{len(unmatched)} of {how_many(len(asked.first), ONE[features.kind])} not in {self.name(features.path)}, "
            f"{how_many(rows, 'row')}: {shown}{more}{_alike(unmatched, known.first)}"
        )
        none_matches = features.deciding and len(unmatched) == len(asked.first)
        self.found.say(self.name(responses.path), FAILS if none_matches else NOTE, words)

    def _studies(self, responses: Responses, table: Table, known: Mapping[Features, Ids | None]) -> None:
        cell_lines, drugs = table.columns[responses.cell_line], table.columns[responses.drug]
        has = {
            kind: _among(names, _deciding(known, kind))
            for kind, names in ((CELL_LINES, cell_lines), (DRUGS, drugs))
        }  # fmt: skip
        measured = self._measured(responses, table)
        splits = self._splits(responses, table)
        in_study = _by_study(responses, table)
        for study, rows in in_study.items():
            kept = keep_joined(cell_lines, has[CELL_LINES], drugs, has[DRUGS], rows)
            pairs = pd.DataFrame({"cell_line": cell_lines, "drug": drugs})
            if responses.long is not None:
                pairs["measure"] = table.columns[responses.long[0]]
            left = pairs[kept.rows]
            self.found.studies.append(
                StudyRows(
                    study=study or "(none)",
                    file=self.name(responses.path),
                    rows=int(rows.sum()),
                    left_out=[step for step in kept.left_out if step.rows],
                    kept=len(left),
                    cell_lines=left["cell_line"].nunique(),
                    drugs=left["drug"].nunique(),
                    repeated=int(left.duplicated().sum()),
                    measured={name: int((is_there & kept.rows).sum()) for name, is_there in measured.items()},
                    splits=splits.get(study, 0),
                )
            )
            if not len(left):
                self.fail(responses.path, f"study '{study}': none of its {how_many(int(rows.sum()), 'row')} is left")

    def _measured(self, responses: Responses, table: Table) -> dict[str, NDArray[np.bool_]]:
        """Which rows have a finite value of each measure."""
        found = {}
        columns = responses.measures if responses.long is None else [responses.long[1]]
        for name in columns:
            if name not in table.columns:
                continue
            try:
                found[name] = np.isfinite(numbers(table, name))
            except TableError as error:
                self.failed(responses.path, error)
        if responses.long is None:
            return found
        kinds = np.array(table.columns[responses.long[0]], dtype=object)
        is_there = found.get(responses.long[1], np.zeros(len(table), dtype=bool))
        return {kind: is_there & (kinds == kind) for kind in sorted(set(kinds.tolist()))}

    def _splits(self, responses: Responses, table: Table) -> dict[str, int]:
        """Look at IMPROVE's split files; gives how many splits each study has."""
        if responses.splits is None or not responses.splits.is_dir() or responses.study is None:
            return {}
        labels = [tidy_id(label) for label in table.columns.get("split_id", map(str, range(len(table))))]
        known, studies = set(labels), set(table.columns[responses.study])
        numbers_of: dict[str, set[str]] = {}
        parts: dict[tuple[str, str], dict[str, set[str]]] = {}
        for path in sorted(responses.splits.iterdir()):
            match = _SPLIT_FILE.fullmatch(path.name)
            if match is None:
                continue
            of_split = parts.setdefault((match["study"], match["number"]), {})
            of_split[match["part"]] = set()
            try:
                listed = read_list(path)
            except TableError as error:
                self.failed(path, error)
                continue
            unknown = [label for label in listed if label not in known]
            if unknown:
                words = f"line {listed[unknown[0]]}: '{unknown[0]}' is no row of {responses.path.name}"
                self.fail(path, f"{words}, which has {len(table)}{_more(unknown, 'row')}")
            if match["study"] not in studies:
                self.found.say(
                    self.name(path), NOTE, f"there is no study '{match['study']}'{nearest(match['study'], studies)}"
                )
            numbers_of.setdefault(match["study"], set()).add(match["number"])
            of_split[match["part"]] = set(listed)
        for (study, number), of_split in parts.items():
            for part in ("train", "val", "test"):
                if part not in of_split and study in studies:
                    words = "there is no such file, though this split has others"
                    self.found.say(f"splits/{study}_split_{number}_{part}.txt", NOTE, words)
            for held_out in ("val", "test"):
                both = of_split.get("train", set()) & of_split.get(held_out, set())
                if both:
                    words = f"{len(both)} rows stand in train and {held_out}, '{min(both)}' among them"
                    self.found.say(f"splits/{study}_split_{number}", FAILS, words)
        return {study: len(found) for study, found in numbers_of.items()}


def _compared(features: Features, path: Path) -> Sequence[Column] | None:
    """The columns in which rows of one id have to agree: those named, else all but the id's."""
    if features.alike is not None:
        return features.alike
    names = read_header(path)
    own = place_of(path, names, features.column if features.column is not None else 0)
    return [place for place in range(len(names)) if place != own]


def _deciding(known: Mapping[Features, Ids | None], kind: str) -> Collection[str] | None:
    """The ids that the table which decides over a kind has; None where there is no such table."""
    found = [ids for features, ids in known.items() if features.deciding and features.kind == kind]
    return None if not found or found[0] is None else found[0].first


def _among(names: Sequence[str], known: Collection[str] | None) -> NDArray[np.bool_]:
    """Which names are known; all where nothing tells."""
    if known is None:
        return np.ones(len(names), dtype=bool)
    return np.fromiter((name in known for name in names), dtype=bool, count=len(names))


def _by_study(responses: Responses, table: Table) -> dict[str, NDArray[np.bool_]]:
    if responses.study is None:
        name = responses.path.name.split(".")[0]
        return {name: np.ones(len(table), dtype=bool)}
    studies = np.array(table.columns[responses.study], dtype=object)
    return {study: studies == study for study in sorted(set(studies.tolist()))}


def _written(ids: int) -> str:
    return f"{how_many(ids, 'id')} with blanks around, or a whole number as a fraction (12.0); taken without"


def _alike(names: Sequence[str], known: Iterable[str]) -> str:
    """Say which of some names is there with other marks, or in another case."""
    by_letters = {_letters(name): name for name in known}
    for name in names:
        if other := by_letters.get(_letters(name)):
            return f"; '{name}' may be '{other}' there"
    return ""


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _more(found: Sequence[object], word: str) -> str:
    """How many more there are of what an example was given of."""
    more = len(found) - 1
    return f", and {how_many(more, f'more {word}')}" if more else ""


def _unreadable(smiles: str) -> bool:
    """Whether RDKit cannot read a SMILES; some tables have several in a field, with a comma and a blank between."""
    from rdkit import Chem, rdBase

    rdBase.DisableLog("rdApp.*")
    return any(Chem.MolFromSmiles(each) is None for each in smiles.split(", "))
