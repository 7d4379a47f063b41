"""Every row is kept, or counted by the first reason to leave it out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.tables.joins import collect_ids, distinct_rows, keep_joined, study_mistake
from comparator.tables.reading import TableError, read_table

some_ids = st.sampled_from(["", "A", "B", "C", "NA"])


@given(st.lists(st.tuples(some_ids, some_ids, st.booleans())), st.sets(some_ids), st.sets(some_ids))
def test_no_row_vanishes_without_being_counted(
    rows: list[tuple[str, str, bool]], with_expression: set[str], with_structure: set[str]
) -> None:
    cell_lines, drugs = [row[0] for row in rows], [row[1] for row in rows]
    asked = np.array([row[2] for row in rows], dtype=bool)
    has_expression = np.array([name in with_expression for name in cell_lines], dtype=bool)
    has_structure = np.array([name in with_structure for name in drugs], dtype=bool)
    kept = keep_joined(cell_lines, has_expression, drugs, has_structure, asked)
    assert kept.rows.sum() + sum(kept.counts().values()) == asked.sum()
    for number in np.flatnonzero(kept.rows):
        assert cell_lines[number] in with_expression - {""} and drugs[number] in with_structure - {""}
    named = {name for step in kept.left_out for name in step.ids}
    assert named <= set(cell_lines) | set(drugs) and "" not in named


@given(st.lists(some_ids))
def test_every_row_of_a_column_is_an_id_a_repeat_or_has_none(names: list[str]) -> None:
    ids = collect_ids(enumerate(names, start=2))
    assert ids.rows == len(names)
    assert set(ids.first) == set(names) - {""}
    assert all(names[line - 2] == names[first - 2] for line, first in ids.repeats)


def test_an_id_that_stands_twice_is_taken_once_where_its_rows_agree(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\tsmiles\tname\nA\tCCO\tone\nB\tC\tone\n A \tCCO\ttwo\nA\tCCO\tone\n")
    table = read_table(path, ids=["id"])
    assert distinct_rows(table, "id", ["smiles"]) == [0, 1]
    with pytest.raises(TableError, match=r"t\.tsv, lines 2 and 4: id 'A' stands twice, with different values"):
        distinct_rows(table, "id")


def test_a_row_of_a_feature_table_without_an_id_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\tx\nA\t1\n \t2\n")
    with pytest.raises(TableError, match=r"t\.tsv, line 3: id is empty"):
        distinct_rows(read_table(path, ids=["id"]), "id")


@pytest.mark.parametrize("name", ["CCLE", "gCSI", "GDSCv2", "NA", "None", "my-lab_2.1", "Zürich"])
def test_names_of_studies_that_can_be_used(name: str) -> None:
    assert study_mistake(name) is None


@pytest.mark.parametrize(
    ("name", "instead"), [("Beat AML/2", "Beat_AML_2"), ("../x", "x"), ("a+b", "a_b"), ("-x", "x"), ("//", "STUDY")]
)
def test_a_study_whose_name_cannot_be_part_of_a_path_is_refused_with_another_name(name: str, instead: str) -> None:
    mistake = study_mistake(name)
    assert mistake is not None and name in mistake and f"call it '{instead}'" in mistake
