"""A published table beside a cross-study: its forms, what is refused, what is compared."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from comparator.errors import InputError
from comparator.studies import beside, tables
from comparator.studies.tables import CrossTest

ROOT = Path(__file__).resolve().parents[3]
PRINTED = "met,model,src,trg,mean,std\n"
BY_SPLIT = "met,split,value,src,trg,model\n"
CELLS = [f"r2,{model},{src},{trg},0.5,0.1\n" for model in ("lgbm", "uno") for src in "AB" for trg in "AB"]


def written(folder: Path, text: str) -> Path:
    path = folder / "published.csv"
    path.write_text(text)
    return path


def ours(values: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    tests = [
        CrossTest(source, target, split, {"r2": value})
        for (source, target), each in values.items()
        for split, value in enumerate(each)
    ]
    return tables.cross_study_scores(tests, "Ours")


def test_scores_of_splits_and_printed_cells_are_read_alike(tmp_path: Path) -> None:
    splits = "".join(f"r2,{split},{value},A,B,lgbm\n" for split, value in enumerate((0.4, 0.5, 0.6)))
    of_splits = beside.read(written(tmp_path, BY_SPLIT + splits))
    assert of_splits[["mean", "std", "splits"]].to_numpy().tolist() == [[pytest.approx(0.5), pytest.approx(0.1), 3]]
    printed = beside.read(written(tmp_path, PRINTED + "r2,lgbm,A,B,0.5,0.1\n"))
    assert printed[[*beside.CELL, "mean", "std"]].to_numpy().tolist() == [["r2", "lgbm", "A", "B", 0.5, 0.1]]
    assert of_splits[beside.CELL].equals(printed[beside.CELL])


def test_a_crossstudys_own_scores_can_stand_beside_another(tmp_path: Path) -> None:
    scores = ours({("A", "A"): [0.4, 0.6], ("A", "B"): [0.1, 0.3]})
    path = written(tmp_path, scores.to_csv(index=False))
    compared = beside.compare(beside.read(path), scores)
    assert compared.difference.tolist() == pytest.approx([0, 0]) and compared.our_splits.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["published.csv", "empty"]),
        ("met,model,src,mean,std\nr2,lgbm,A,0.5,0.1\n", ["no column 'trg'"]),
        ("met,split,value,source,trg,model\nr2,0,0.5,A,B,lgbm\n", ["no column 'src'", "'source'"]),
        ("met,model,src,trg,means,std\nr2,lgbm,A,B,0.5,0.1\n", ["no column 'mean'", "did you mean 'means'"]),
        (PRINTED + 'r2,lgbm,A,A,"0,5",0.1\n', ["line 2", "a decimal comma"]),
        (PRINTED + "r2,lgbm,A,A,0.5,-0.1\n", ["line 2", "std '-0.1'", "no deviation"]),
        (PRINTED + "r2,lgbm,A,A,0.5,inf\n", ["line 2", "std 'inf'", "no deviation"]),
        (BY_SPLIT + "r2,0,1e308,A,A,lgbm\nr2,1,1e308,A,A,lgbm\n", ["line 2", "value '1e308'", "too large"]),
        (PRINTED + "r2,lgbm,A,A,,0.1\n", ["line 2", "mean ''", "no number"]),
        (PRINTED + CELLS[0] * 2, ["line 3", "r2, lgbm, A, A: stands twice"]),
        (BY_SPLIT + "r2,0,0.5,A,A,lgbm\n" * 2, ["line 3", "r2, lgbm, A, A, 0: stands twice"]),
        (PRINTED + "r2,lgbm,GDSCv2,GDSCv2,0.5,0.1\n", ["no study 'A'", "there are GDSCv2"]),
        (PRINTED + "r_2,lgbm,A,A,0.5,0.1\n", ["tests have no metric 'r_2' (did you mean 'r2'?)", "mse"]),
    ],
)
def test_what_could_not_stand_beside_is_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        beside.read_for(written(tmp_path, text), ["A", "B"], None, "x.toml: [cross_study]")
    message = str(raised.value)
    assert message.startswith("x.toml: [cross_study] beside: ") and "\n" not in message
    assert all(word in message for word in words)


def test_a_file_that_is_not_there_and_a_model_that_it_lacks_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x.toml beside: .*nowhere.csv"):
        beside.read_for(tmp_path / "nowhere.csv", ["A"], None, "x.toml")
    path = written(tmp_path, PRINTED + "".join(CELLS))
    with pytest.raises(InputError, match=r"has no model 'lgmb' \(did you mean 'lgbm'\?\); there are lgbm, uno"):
        beside.read_for(path, ["A"], ["lgmb"], "x.toml")
    cells, notices = beside.read_for(path, ["A", "B"], ["uno"], "x.toml")
    assert set(cells.model) == {"uno"} and len(cells) == 4 and not notices


def test_a_study_or_metric_that_one_side_alone_has_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, PRINTED + "".join(CELLS) + "cindex,lgbm,A,A,0.7,0.1\n")
    cells, notices = beside.read_for(path, ["A", "Own"], None, "x.toml")
    assert set(cells.src) == {"A"}
    assert "no study 'Own'" in notices[0] and "no metric 'cindex'" in notices[1] and len(notices) == 2


def test_a_difference_is_beyond_where_it_is_larger_than_the_published_deviation(tmp_path: Path) -> None:
    rows = ["r2,lgbm,A,A,0.5,0.1\n", "r2,lgbm,A,B,0.5,0.1\n", "r2,lgbm,B,A,0.5,\n", "r2,lgbm,B,B,0.5,0.1\n"]
    published = beside.read(written(tmp_path, PRINTED + "".join(rows)))
    scores = ours({("A", "A"): [0.55, 0.57], ("A", "B"): [0.2, 0.24], ("B", "A"): [0.9, 0.9]})
    compared = beside.compare(published, scores)
    assert compared.beyond.tolist() == [False, True, None]
    assert compared.difference.tolist() == pytest.approx([0.06, -0.28, 0.4])
    assert beside.sentence(compared, "r2", "p.csv").startswith("Beside p.csv, 1 of 2 cells of R2 differ")
    lines = {tuple(line[1:3]): line for line in beside.section(compared, "r2", "p.csv").rows}
    assert lines["A", "B"][3:] == ["0.50 ± 0.10", "0.22 ± 0.03", "-0.28 (2.8)", "yes"]
    assert lines["B", "A"][3:] == ["0.50", "0.90 ± 0.00", "+0.40", "not told"]
    assert math.isnan(compared["std"].tolist()[2])


def test_the_published_table_of_cfg_holds_the_benchmarks_five_studies() -> None:
    cells = beside.read(ROOT / "cfg" / "published-cross-study.csv")
    assert len(cells) == 5 * 5 * 7 and set(cells.met) == {"r2"} and cells["std"].notna().all()
    own = cells[(cells.src == "CCLE") & (cells.trg == "CCLE") & (cells.model == "lgbm")]
    assert own[["mean", "std"]].to_numpy().tolist() == [[0.8014, 0.011]]
