"""`comparator data check` counts what tables hold and names what is wrong, in each layout that it knows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comparator.checks.data import NOTE, DataFound, StudyRows, check_data
from comparator.checks.tiny_benchmark import write_tiny_benchmark
from comparator.cli import data as _registers  # noqa: F401
from comparator.cli.app import app
from comparator.errors import InputError
from comparator.formats.finding import FAILS


def write(path: Path, *rows: str) -> None:
    """Write a table; its columns are separated by blanks here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    separator = "," if ".csv" in path.name else "\t"
    text = "".join(separator.join(row.split(" ")) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def study(found: DataFound, name: str) -> StudyRows:
    return next(each for each in found.studies if each.study == name)


def left_out(of_study: StudyRows) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {step.reason: (step.rows, step.ids) for step in of_study.left_out}


def said(found: DataFound, outcome: str) -> list[str]:
    return [f"{each.what}: {each.words}" for each in found.findings if each.outcome == outcome]


@pytest.fixture
def improve(tmp_path: Path) -> Path:
    write_tiny_benchmark(tmp_path)
    return tmp_path


def test_a_benchmark_that_is_whole_is_counted_and_nothing_is_wrong(improve: Path) -> None:
    found = check_data(improve)
    assert found.layout == "IMPROVE" and found.findings == []
    assert {each.file: each.rows for each in found.tables}["y_data/response.tsv"] == 720
    ccle = study(found, "CCLE")
    assert (ccle.rows, ccle.kept, ccle.cell_lines, ccle.drugs, ccle.splits) == (480, 480, 30, 16, 10)
    assert ccle.measured["auc"] == 480


def test_what_is_wrong_in_a_benchmark_is_named_by_file_line_and_id(improve: Path) -> None:
    raw = improve / "raw_data"
    responses = (raw / "y_data" / "response.tsv").read_text().splitlines()
    responses[1] = responses[1].replace("ACH-900000", "")
    responses[2] = responses[2].replace("CCLE", "", 1)
    responses[3] = responses[3].replace("Drug_003", "drug_003")
    (raw / "y_data" / "response.tsv").write_text("\n".join(responses) + "\n")
    smiles = (raw / "x_data" / "drug_SMILES.tsv").read_text()
    (raw / "x_data" / "drug_SMILES.tsv").write_text(smiles + "Drug_016\tCCO\nDrug_017\t\nDrug_018\tC(\n")
    (raw / "splits" / "gCSI_split_0_val.txt").write_text("480\n900\n")
    (raw / "splits" / "CCLE_split_3_val.txt").unlink()
    found = check_data(improve)
    fails = said(found, FAILS)
    for part in (
        "x_data/drug_SMILES.tsv: lines 17 and 18: improve_chem_id 'Drug_016' stands twice, with different values",
        "x_data/drug_SMILES.tsv: line 19: drug 'Drug_017' has no canSMILES",
        "x_data/drug_SMILES.tsv: line 20: RDKit cannot read canSMILES 'C(' of drug 'Drug_018'",
        "y_data/response.tsv: line 2: improve_sample_id is empty",
        "y_data/response.tsv: line 3: source is empty",
        "splits/gCSI_split_0_val.txt: line 2: '900' is no row of response.tsv, which has 720",
    ):
        assert any(line.startswith(part) for line in fails), (part, fails)
    [note] = [line for line in said(found, NOTE) if line.startswith("splits/")]
    assert note == "splits/CCLE_split_3_val.txt: there is no such file, though this split has others"
    [note] = [line for line in said(found, NOTE) if "drug_SMILES" in line]
    assert "1 of 17 drugs not in x_data/drug_SMILES.tsv, 1 row: 'drug_003' (line 4)" in note
    assert note.endswith("'drug_003' may be 'Drug_003' there")
    assert left_out(study(found, "CCLE")) == {
        "no cell line's id": (1, ()),
        "drug without structure": (1, ("drug_003",)),
    }
    assert found.fails


def test_a_table_that_cannot_be_read_does_not_hide_the_others(improve: Path) -> None:
    (improve / "raw_data" / "x_data" / "cancer_gene_expression.tsv").write_bytes(b"\tA\nx\xff\t1\n")
    (improve / "raw_data" / "x_data" / "drug_mordred.tsv").write_text("")
    found = check_data(improve)
    assert len(said(found, FAILS)) == 2 and study(found, "gCSI").rows == 240
    assert any(line.startswith("x_data/drug_mordred.tsv: the file is empty") for line in said(found, FAILS))


@pytest.fixture
def coderdata(tmp_path: Path) -> Path:
    """Ids are numbers there; a drug has a row for each of its names, a sample one for each gene."""
    names = "source improve_sample_id improve_drug_id study time time_unit dose_response_metric dose_response_value"
    write(
        tmp_path / "beataml_experiments.tsv.gz",
        names,
        "synapse 3909 SMI_1 BeatAML 72 hrs fit_auc 0.5",
        "synapse 3909 SMI_1 BeatAML 72 hrs fit_ic50 5.5",
        "synapse 3910.0 SMI_2 BeatAML 72 hrs fit_auc 0.6",
        "synapse 3911 SMI_1 BeatAML 72 hrs fit_auc 0.7",
        "synapse 3910 SMI_3 BeatAML 72 hrs fit_auc 0.8",
    )
    write(tmp_path / "beataml_samples.csv", "common_name improve_sample_id", "a 3909", "a2 3909", "b 3910", "c 3911")
    write(
        tmp_path / "beataml_drugs.tsv.gz",
        "improve_drug_id chem_name canSMILES",
        "SMI_1 one CCO",
        "SMI_1 uno CCO",
        "SMI_2 two CC",
    )
    expression = ["7157 3909 1.5", "1956 3909 2.5", "7157 3910 0.5", "1956 3910 0.1"]
    write(tmp_path / "beataml_transcriptomics.csv.gz", "entrez_id improve_sample_id transcriptomics", *expression)
    return tmp_path


def test_coderdatas_long_tables_with_numbers_for_ids_are_joined(coderdata: Path) -> None:
    found = check_data(coderdata)
    assert found.layout == "coderdata" and not found.fails
    of_study = study(found, "BeatAML")
    assert left_out(of_study) == {
        "cell line without expression": (1, ("3911",)),
        "drug without structure": (1, ("SMI_3",)),
    }
    assert of_study.kept == 3 and of_study.measured == {"fit_auc": 2, "fit_ic50": 1} and of_study.repeated == 0
    assert any("1 id with blanks" in line for line in said(found, NOTE))


def test_a_drug_of_coderdata_with_two_structures_is_wrong(coderdata: Path) -> None:
    write(coderdata / "beataml_drugs.tsv.gz", "improve_drug_id chem_name canSMILES", "SMI_1 one CCO", "SMI_1 uno CC")
    [line] = said(check_data(coderdata), FAILS)
    assert line == "beataml_drugs.tsv.gz: lines 2 and 3: improve_drug_id 'SMI_1' stands twice, with different values"


def test_drevalpys_folders_are_a_study_each(tmp_path: Path) -> None:
    folder = tmp_path / "TOYv1"
    write(
        folder / "TOYv1.csv",
        "cell_line_name pubchem_id LN_IC50_curvecurator AUC tissue",
        *("NA 3385 1.5 0.5 Blood", "NA 5328940 2.5 0.5 Blood", "K562 3385 1 inf Blood", "HL60 3385 0 0.1 Blood"),
    )
    write(folder / "gene_expression.csv", "cellosaurus_id cell_line_name TP53", "C1 NA 1", "C2 K562 2", "C3 K562 3")
    write(folder / "drug_smiles.csv", "pubchem_id canonical_smiles", "3385 CCO", "5328940 CC")
    write(folder / "drug_fingerprints" / "pubchem_id_to_demorgan_128_map.csv", "3385 7", "0 1", "1 1")
    found = check_data(tmp_path)
    toy = study(found, "TOYv1")
    assert found.layout == "drevalpy" and not found.fails
    assert (toy.rows, toy.kept, toy.measured) == (4, 3, {"LN_IC50_curvecurator": 3, "AUC": 2})
    assert left_out(toy) == {"cell line without expression": (1, ("HL60",))}
    assert any("1 of 2 drugs not in TOYv1/drug_fingerprints" in line for line in said(found, NOTE))


def test_depmaps_screen_is_joined_with_its_expression(tmp_path: Path) -> None:
    write(tmp_path / "Model.csv", "ModelID CellLineName", "ACH-1 one", "ACH-2 two", "ACH-3 three")
    write(tmp_path / "OmicsExpressionProteinCodingGenesTPMLogp1.csv", " TP53(7157)", "ACH-1 1", "ACH-2 2")
    write(
        tmp_path / "secondary-screen-dose-response-curve-parameters.csv",
        "broad_id depmap_id screen_id auc ic50 name smiles",
        *("BRD-1 ACH-1 HTS002 0.9 1 a CCO", "BRD-1 ACH-3 HTS002 0.8 NA a CCO", "BRD-1 ACH-1 MTS005 0.7 1 a CCO"),
        "BRD-2 ACH-2 MTS005 0.6 1 b ",
    )
    found = check_data(tmp_path)
    assert found.layout == "DepMap" and [each.study for each in found.studies] == ["HTS002", "MTS005"]
    assert left_out(study(found, "HTS002")) == {"cell line without expression": (1, ("ACH-3",))}
    assert left_out(study(found, "MTS005")) == {"drug without structure": (1, ("BRD-2",))}
    [line] = said(found, FAILS)
    assert "line 5: drug 'BRD-2' has no smiles" in line


def test_ids_that_never_match_are_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "A"
    write(folder / "A.csv", "cell_line_name pubchem_id AUC", "k-562 1 0.5")
    write(folder / "gene_expression.csv", "cell_line_name TP53", "K562 1")
    write(folder / "drug_smiles.csv", "pubchem_id canonical_smiles", "1 CCO")
    fails = said(check_data(tmp_path), FAILS)
    assert any("1 of 1 cell line not in A/gene_expression.csv" in each and "'K562'" in each for each in fails)
    assert any("study 'A': none of its 1 row is left" in each for each in fails)


def test_a_folder_of_no_known_layout_says_what_there_could_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no layout that is known: IMPROVE .* coderdata .* drevalpy .* DepMap"):
        check_data(tmp_path)


def test_the_command_prints_a_table_or_json_and_its_exit_status_says_whether_something_is_wrong(improve: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["data", "check", str(improve)])
    assert done.exit_code == 0
    (improve / "raw_data" / "x_data" / "drug_SMILES.tsv").write_text("improve_chem_id\tcanSMILES\n")
    wrong = runner.invoke(app, ["data", "check", str(improve), "--json"])
    assert wrong.exit_code == 1
    read = json.loads(wrong.stdout)
    assert read["layout"] == "IMPROVE" and read["findings"][0]["outcome"] == FAILS
    assert {each["study"] for each in read["studies"]} == {"CCLE", "gCSI"}
