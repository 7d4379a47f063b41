"""What counts as a slip of the hand, and what as another name."""

from __future__ import annotations

import pytest

from comparator.formats.slips import misspelt, slip_of


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("lrr", "lr", "lr"),
        ("rl", "lr", "lr"),
        ("Lrr", "LR", "LR"),
        ("noize", "noise", "noise"),
        ("nosie", "noise", "noise"),
        ("learning_rat", "learning_rate", "learning_rate"),
        ("LR", "lr", None),
        ("lr2", "lr", None),
        ("lr", "wr", None),
        ("l1", "l2", None),
        ("dense1", "dense2", None),
        ("l", "lr", None),
        ("lrs", "lr", None),
        ("clr", "lr", None),
        ("dims", "dim", "dim"),
        ("lr_d", "lr_g", None),
        ("dim_x", "dim_y", None),
        ("dropout1", "dropout", None),
        ("dropout", "dropout_1", None),
        ("num_layers_1", "num_layers_2", None),
        ("quite_another", "noise", None),
    ],
)
def test_a_slip_is_a_letter_or_so(name: str, known: str, meant: str | None) -> None:
    assert slip_of(name, [known]) == meant
    assert slip_of(name, ["width", known]) == meant


def test_what_every_model_takes_is_no_slip() -> None:
    assert misspelt("run_id", {"run_ids": 1}) is None
    assert misspelt("ckpt_directory", {"ckpt_director": 1}) is None
