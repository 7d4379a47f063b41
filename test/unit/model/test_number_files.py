"""The numbers of files that other programs write: TensorBoard's events, MLflow's database."""

from __future__ import annotations

import math
import sqlite3
import struct
from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.model.described import MetricDescription
from comparator.model.described_results import described_results
from comparator.model.number_files import numbers_in


def field(number: int, content: bytes | float, kind: int = 2) -> bytes:
    """A field of a message: bytes of a length, or a number of four bytes."""
    body = bytes([len(content)]) + content if isinstance(content, bytes) else struct.pack("<f", content)
    return bytes([number << 3 | kind]) + body


def record(*values: bytes) -> bytes:
    """An event at a time and a step, with its length and two checksums, which are not looked at."""
    event = b"\x09" + struct.pack("<d", 1.5) + b"\x10\x85\x01" + field(5, b"".join(field(1, each) for each in values))
    return struct.pack("<Q", len(event)) + b"csum" + event + b"csum"


def test_scalars_of_tensorboard_are_read_by_their_tags_in_either_form(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    simple = field(1, b"loss/val") + field(2, 0.5, 5)
    tensor = field(1, b"epoch_loss") + field(8, b"\x08\x01" + field(4, struct.pack("<f", 0.25)))
    packed = field(1, b"acc") + field(8, b"\x08\x01" + field(5, struct.pack("<f", 0.75)))
    whole_number = field(1, b"rows") + field(8, b"\x08\x09" + field(4, struct.pack("<q", 5)))
    two = field(1, b"two") + field(8, b"\x08\x01" + field(4, struct.pack("<ff", 1, 2)))
    picture = field(1, b"picture") + field(4, b"png")
    path.write_bytes(
        record(field(1, b"loss/val") + field(2, 9.0, 5))
        + record(simple, tensor, picture, whole_number, two)
        + record(packed)
        + b"\x07half"
    )
    assert numbers_in(path) == {"loss/val": 0.5, "epoch_loss": 0.25, "acc": 0.75}


def test_metrics_of_mlflow_are_read_from_its_database(tmp_path: Path) -> None:
    (tmp_path / "a#b?100%20").mkdir()
    path = tmp_path / "a#b?100%20" / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE metrics (key TEXT, value REAL, timestamp INT, step INT, is_nan INT)")
        rows = [("loss", 0.25, 2, 1, 0), ("loss", 0.5, 1, 0, 0), ("bad", 0.0, 1, 0, 1)]
        database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", rows)
    database.close()
    found = numbers_in(path)
    assert found.pop("loss") == 0.25
    assert math.isnan(found["bad"])
    (tmp_path / "other.db").write_text("no database")
    with pytest.raises(InputError, match=r"other.db: has no metrics of MLflow's"):
        numbers_in(tmp_path / "other.db")


@pytest.mark.parametrize(
    ("name", "text", "numbers"),
    [
        ("one.json", "5", {"": 5.0}),
        ("list.json", "[1, 2, 3]", {"": 3.0}),
        ("rows.json", '[{"loss": 2}, {"loss": 1}]', {"0.loss": 2.0, "1.loss": 1.0, "loss": 1.0}),
        ("any.json", '{"val/loss": 1, "macro avg": {"f1-score": 0.5}}', {"val/loss": 1.0, "macro avg.f1-score": 0.5}),
        ("lines.jsonl", '{"val/loss": 2}\n{"val/loss": 1}\n', {"val/loss": 1.0}),
    ],
)
def test_numbers_have_any_name_or_none(tmp_path: Path, name: str, text: str, numbers: dict[str, float]) -> None:
    (tmp_path / name).write_text(text)
    assert numbers_in(tmp_path / name) == numbers


def test_a_database_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "a%20b?c#d.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE metrics (key TEXT, value REAL, timestamp INT, step INT, is_nan INT)")
        database.execute("INSERT INTO metrics VALUES ('loss', 0.5, 1, 1, 0)")
    database.close()
    assert numbers_in(path) == {"loss": 0.5}


def test_a_number_in_the_name_of_a_file_without_an_ending_is_whole(tmp_path: Path) -> None:
    (tmp_path / "best-loss=0.12").touch()
    described = {"m": MetricDescription(kind="error", file="best*", printed="loss=")}
    assert list(described_results(tmp_path / "log", tmp_path, described)) == [("m", 0.12)]
