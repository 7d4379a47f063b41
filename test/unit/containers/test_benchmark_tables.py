"""A benchmark folder as users write one: all its rows are prepared, or one line names file and id."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import long_but

from comparator.checks.tiny_benchmark import write_tiny_benchmark
from drug_response import improve, preparation
from drug_response.errors import DataError
from drug_response.sources import SOURCES

ROWS = {"CCLE": 480, "gCSI": 240}
EXPRESSION, SMILES = "x_data/cancer_gene_expression.tsv", "x_data/drug_SMILES.tsv"
MORDRED, RESPONSES = "x_data/drug_mordred.tsv", "y_data/response.tsv"
TABLES = (EXPRESSION, SMILES, MORDRED, "x_data/drug_ecfp4_nbits512.tsv", "x_data/cell_info.tsv", RESPONSES)
Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_benchmark(folder)
    return folder / "raw_data"


@pytest.fixture
def raw(tiny: Path, tmp_path: Path) -> Path:
    """A benchmark of its own, to be changed."""
    for path in tiny.rglob("*"):
        if path.is_file():
            (tmp_path / "raw_data" / path.relative_to(tiny)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "raw_data" / path.relative_to(tiny)).write_bytes(path.read_bytes())
    return tmp_path / "raw_data"


def replaced(pattern: str, by: str, *names: str) -> Change:
    """Replace everywhere in the tables of these names, in all without any."""

    def change(raw: Path) -> None:
        for name in names or TABLES:
            path = raw / name
            path.write_text(re.sub(pattern, by, path.read_text()))

    return change


def rewritten(name: str, of_lines: Callable[[list[str]], list[str]]) -> Change:
    def change(raw: Path) -> None:
        path = raw / name
        path.write_text("\n".join(of_lines(path.read_text().splitlines())) + "\n")

    return change


def all_of(*changes: Change) -> Change:
    def change(raw: Path) -> None:
        for each in changes:
            each(raw)

    return change


def holding(name: str, content: str) -> Change:
    """Put another content in the place of a file's."""

    def change(raw: Path) -> None:
        (raw / name).write_text(content, encoding="utf-8")

    return change


def in_latin_1(name: str) -> Change:
    def change(raw: Path) -> None:
        text = (raw / name).read_text()
        (raw / name).write_text(text.replace("Drug_003", "Müller"), encoding="latin-1")

    return change


def as_bytes(write: Callable[[bytes], bytes]) -> Change:
    def change(raw: Path) -> None:
        for name in TABLES:
            path = raw / name
            path.write_bytes(write(path.read_bytes()))

    return change


def compressed(raw: Path) -> None:
    for name in TABLES:
        path = raw / name
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def first_field(by: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    """Change the first field of every line."""
    return lambda lines: [by(line.split("\t", 1)[0]) + "\t" + line.split("\t", 1)[1] for line in lines]


WHOLE: dict[str, Change] = {
    "integer ids of samples": replaced(r"ACH-9000(\d\d)", r"9000\1"),
    "integer ids of drugs": replaced(r"Drug_(\d+)", r"5328\1"),
    "leading zeros": replaced(r"ACH-9000(\d\d)", r"00\1"),
    "integers that a program made fractions": all_of(
        replaced(r"ACH-9000(\d\d)", r"9000\1"), replaced(r"\t9000(\d\d)\t", r"\t9000\1.0\t", RESPONSES)
    ),
    "a cell line NA and a drug None": all_of(replaced("ACH-900003", "NA"), replaced("Drug_003", "None")),
    "a study NA": replaced(r"(?m)^CCLE\t", "NA\t", RESPONSES),
    "blanks around ids": rewritten(EXPRESSION, first_field(lambda name: f" {name}  ")),
    "marks of order and Windows": as_bytes(lambda content: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")),
    "UTF-16": as_bytes(lambda content: content.decode().encode("utf-16")),
    "compressed": compressed,
    "commas": replaced(r"\t", ",", RESPONSES, EXPRESSION),
    "a tab in a quoted id": replaced("Drug_003", '"Drug\t003"'),
    "other alphabets": all_of(replaced("Drug_003", "β-lapachone"), replaced("ACH-900003", 'Müller "3"')),
    "a cell line twice, with the same values": rewritten(EXPRESSION, lambda lines: [*lines, lines[-1]]),
    "a drug twice, with the same values": rewritten(MORDRED, lambda lines: [*lines, lines[-1]]),
    "a program's own count of rows": rewritten(
        RESPONSES, lambda lines: [f"{number or ''}\t{line}" for number, line in enumerate(lines)]
    ),
}


#: Of several that are alike one each.
ORDINARY = (
    *("integer ids of samples", "leading zeros", "a cell line NA and a drug None", "blanks around ids", "UTF-16"),
    *("compressed", "commas", "a cell line twice, with the same values", "a program's own count of rows"),
)


@pytest.mark.parametrize("change", long_but(ORDINARY, WHOLE))
def test_all_rows_are_read_however_ids_look(raw: Path, change: str) -> None:
    WHOLE[change](raw)
    source = improve.read(raw)
    rows = {study: len(records) for study, records in source.responses.items()}
    assert sorted(rows.values()) == sorted(ROWS.values())
    assert (len(source.cell_lines), len(source.drugs)) == (30, 16)
    assert source.left_out == {study: {} for study in rows} and set(source.drug_features) > {"mordred"}
    assert source.cell_types is not None and "" not in source.cell_types
    assert source.measures(source.studies[0]) == ["AUC", "IC50", "EC50", "EC50SE", "R2FIT"]


REFUSED: dict[str, tuple[Change, str]] = {
    "a cell line twice, with other values": (
        rewritten(EXPRESSION, lambda lines: [*lines, lines[-1].replace("ACH-900029", "ACH-900028")]),
        rf"{EXPRESSION}, lines 32 and 34: column 1 'ACH-900028' stands twice, with different values",
    ),
    "a drug with two structures": (
        rewritten(SMILES, lambda lines: [*lines, "Drug_016\tCCO"]),
        rf"{SMILES}, lines 17 and 18: improve_chem_id 'Drug_016' stands twice, with different values",
    ),
    "a row without a study": (
        rewritten(RESPONSES, lambda lines: [*lines[:5], lines[5].replace("CCLE", "", 1), *lines[6:]]),
        rf"{RESPONSES}, line 6: 'ACH-900000' with 'Drug_005': source is empty",
    ),
    "a study whose name is no part of a path": (
        replaced(r"(?m)^CCLE\t", "Beat AML/2\t", RESPONSES),
        rf"{RESPONSES}, line 2: .*source 'Beat AML/2': .*call it 'Beat_AML_2'",
    ),
    "a structure that is none": (replaced("CC[(]=O[)]OC1", "CC(=O", SMILES), rf"{SMILES}: drug 'Drug_015': RDKit"),
    "decimal commas": (replaced(r"(\d)\.(\d)", r"\1,\2", RESPONSES), rf"{RESPONSES}, line 2: auc '0,\d+': a decimal"),
    "no expression value": (replaced("ACH-900003\t", "ACH-900003\tx", EXPRESSION), rf"{EXPRESSION}, line 7: GENE1 'x"),
    "a row cut off": (
        rewritten(EXPRESSION, lambda lines: [*lines[:-1], lines[-1][:300]]),
        rf"{EXPRESSION}, line 33: \d+ f",
    ),
    "Latin-1": (
        in_latin_1(RESPONSES),
        rf"{RESPONSES}, line 4: the text is not UTF-8",
    ),
    "an empty file": (holding(SMILES, ""), rf"{SMILES}: the file is empty"),
    "a header alone": (rewritten(EXPRESSION, lambda lines: lines[:3]), rf"{EXPRESSION}: has a header and no rows"),
    "no table": (lambda raw: (raw / SMILES).unlink(), rf"{SMILES}: no such file"),
    "no column": (replaced("improve_chem_id", "chem", RESPONSES), rf"{RESPONSES}: has no column 'improve_chem_id'"),
    "no structure of any drug": (replaced("Drug", "drug", SMILES), rf"{RESPONSES}: none of its 720 rows can be used"),
    "a split of other rows": (
        holding("splits/gCSI_split_3_val.txt", "500\n720\n"),
        r"splits/gCSI_split_3_val.txt, line 2: '720' is no row of response.tsv, which has 720",
    ),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_is_one_line_that_names_file_and_id(raw: Path, change: Change, said: str) -> None:
    change(raw)
    with pytest.raises(DataError, match=said) as raised:
        improve.read(raw)
    assert "\n" not in str(raised.value)


def prepared(raw: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in set(SOURCES) - {"improve"}:
        monkeypatch.delitem(SOURCES, name)
    preparation.prepare(raw.parent, tell=lambda line: None)
    manifest = json.loads((raw.parent / "prepared" / "manifest.json").read_text())
    assert isinstance(manifest, dict)
    return manifest


def test_rows_that_are_left_out_are_counted_in_the_manifest(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewritten(EXPRESSION, lambda lines: [*lines[:-1], lines[-2]])(raw)  # without ACH-900029, ACH-900028 twice
    rewritten(SMILES, lambda lines: [*lines[:-1], "Drug_016\t"])(raw)
    replaced("ACH-900000\tDrug_001\tCCLE", "\tDrug_001\tCCLE", RESPONSES)(raw)
    replaced(r"(ACH-900001\tDrug_001\tCCLE\w*)\t[\d.]+", r"\1\tinf", RESPONSES)(raw)
    manifest = prepared(raw, monkeypatch)
    improved = manifest["sources"]["improve"]
    ccle, gcsi = (improved["studies"][study] for study in ("CCLE", "gCSI"))
    reasons = {"cell line without expression": 16, "drug without structure": 29, "no cell line's id": 1}
    assert ccle["left_out"] == reasons and ccle["rows"] == 480 - sum(reasons.values())
    assert ccle["measured"]["AUC"] == ccle["rows"] - 1 and ccle["measured"]["IC50"] == ccle["rows"]
    assert gcsi["left_out"] == {} and gcsi["rows"] == 240
    assert improved["tables"]["cancer_gene_expression.tsv"] == {"repeated": 1, "rows": 30}
    assert improved["tables"]["drug_SMILES.tsv"] == {"rows": 16, "without_structure": 1}
    [line] = [line for line in preparation.summarise(manifest) if "CCLE" in line]
    assert "of 480 given" in line and "16 cell line without expression" in line


def test_ids_of_splits_are_text_too(raw: Path) -> None:
    rewritten(
        RESPONSES, lambda lines: [lines[0] + "\tsplit_id", *(f"{line}\t{n:04}" for n, line in enumerate(lines[1:]))]
    )(raw)
    for path in (raw / "splits").iterdir():
        path.write_text("".join(f"{int(word):04}\n" for word in path.read_text().split()))
    source = improve.read(raw)
    assert [np.bincount(source.splits[study][0]).tolist() for study in ROWS] == [[0, 384, 48, 48], [0, 192, 24, 24]]
