"""Uno's small networks that are trained together: each has the numbers that it has alone."""

from __future__ import annotations

import functools
import re
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import on_host
import pytest

import uno
from uno import device, network, passes, small, together

SHAPE = network.Shape(encoders=((7, (6, 5)), (4, (3,)), (3, (4, 4, 2))), joint=(8, 9))
STRUCTURE = network.Structure((2, 1, 3), 2, False, (False, False), "relu", True, "mse", "adamax")
ROWS, BATCH = 50, 8
#: Of each training: seed, dropout, rates, epochs, and the seed of its tables.
UNLIKE = [
    (3, 0.2, (1e-2, 5e-3), 3, 0),
    (4, 0.0, (1e-2, 1e-2), 3, 0),
    (5, 0.3, (2e-2, 1e-3), 2, 0),
    (6, 0.2, (1e-2, 0.0), 3, 1),
]


@pytest.fixture
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("send", "train", "predict"):
        monkeypatch.setattr(device, name, getattr(on_host, name))
    monkeypatch.setattr(device, "sees_gpu", lambda: True)
    monkeypatch.setattr(together, "FEWEST", 2)


def trained(ours: Any, seed: int, dropout: float, rates: tuple[float, float], epochs: int, tables_seed: int) -> Any:
    """Losses, predictions after each epoch, and weights."""
    generator = np.random.default_rng(tables_seed)
    tables = ours.tables([generator.normal(size=(9, width)).astype(np.float32) for width, _ in SHAPE.encoders])
    generator = np.random.default_rng(seed)
    numbers = generator.integers(0, 9, size=(ROWS, 3)).astype(np.int32)
    labels = generator.normal(size=ROWS).astype(np.float32)
    ours.start(network.draw_weights(SHAPE, "glorot_normal", seed))
    losses, predicted = [], []
    for epoch in range(epochs):
        order = generator.permutation(ROWS).astype(np.int32)
        losses.append(ours.train_epoch(tables, numbers, labels, order, BATCH, rates, dropout, epoch, seed))
        predicted.append(ours.predict(tables, numbers, dropout, seed, network.VALIDATION_STREAM, epoch))
    return {"losses": losses, "predicted": predicted, "weights": ours.weights()}


def assert_each_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By networks that have been trained before, in several pieces of an epoch and of a prediction."""
    for place, value in (("small.PREDICTION_ROWS", 16), ("stacked.PREDICTION_ROWS", 16), ("stacked.MOST_STEPS", 4)):
        monkeypatch.setattr(f"uno.{place}", value)

    def again(one: Any, make: Any) -> Any:
        ours = make(STRUCTURE, SHAPE)
        trained(ours, *UNLIKE[0])
        return trained(ours, *one)

    both = together.train_together([functools.partial(again, one) for one in UNLIKE])
    for one, found in zip(UNLIKE, both, strict=True):
        assert not isinstance(found, Exception), found
        alone = trained(small.SmallNetwork(SHAPE), *one)
        np.testing.assert_allclose(found["losses"], alone["losses"], rtol=1e-4)
        for name in ("predicted", "weights"):
            for ours, theirs in zip(found[name], alone[name], strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.usefixtures("_host")
def test_trainings_that_go_on_together_have_the_numbers_that_each_has_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their seeds, rows, dropout, rates and tables are unlike, and one ends before the others."""
    assert_each_as_alone(monkeypatch)


@pytest.mark.long
@pytest.mark.skipif(find_spec("jax") is None, reason="there is no package jax, of which its processor's part would do")
def test_so_they_have_them_by_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_each_as_alone(monkeypatch)


def test_draws_in_bits_are_those_of_a_pass() -> None:
    drawn, bits = (passes.Draws(0.3, 7, 1, 2) for _ in range(2))
    dropped = [np.empty((5, 7), np.float32) for _ in range(3)]
    for each in dropped:
        drawn.draw(each)
    packed = bits.packed(3, 5, 7, width=9)
    unpacked = np.unpackbits(packed, axis=1, count=45).reshape(3, 5, 9)
    np.testing.assert_array_equal(unpacked[:, :, :7], dropped)
    assert not unpacked[:, :, 7:].any()


SMALL = {"match_studies": ["CCLE", "GDSC1"], "layer_force": 8, "epochs": 2, "row_limit": 200, "val_row_limit": 100}
#: Trainings that are wrong, or cannot go together with others.
APART: list[dict[str, Any]] = [
    *({"batch_size": "x"}, {"row_limit": 10}, {"layer_force": 6}, {"timeout": 1000}),
    *({"cv": 2, "epochs": 1}, {"cv": 2, "epochs": 1, "rng_seed": 2}),
]


def ran(params: dict[str, Any]) -> Any:
    try:
        return uno.run(params)
    except ValueError as error:
        return error


def assert_alike(ours: Any, theirs: Any, **within: float) -> None:
    assert type(ours) is type(theirs), ours
    if isinstance(theirs, Exception):
        assert str(ours) == str(theirs)
    else:
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            np.testing.assert_allclose(ours[name], value, err_msg=name, **(within or {"rtol": 0}))


@pytest.mark.usefixtures("_host", "data_folder")
def test_many_trainings_give_in_order_what_each_gives_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that fail, or diverge, or cannot go together with others harm none."""
    changes: list[dict[str, Any]] = [
        *({"rng_seed": 1}, {"rng_seed": 2, "noise": 20, "warmup_lr": True}, *APART),
        *({"learning_rate": 1e12}, {"rng_seed": 3, "epochs": 4, "es": True, "patience": 1, "reduce_lr": True}),
    ]
    many = [{**SMALL, **each} for each in changes]
    alone = [ran(each) for each in many]
    logs = capsys.readouterr().out
    networks: list[int] = []
    train = device.train
    monkeypatch.setattr(device, "train", lambda *given: (networks.append(int(given[2].sum())), train(*given))[1])
    found = uno.run_many(many)
    assert max(networks) == 4, "those that are alike were trained at once"
    for change, ours, theirs in zip(changes, found, alone, strict=True):
        assert_alike(ours, theirs, **({} if change in APART else {"rtol": 1e-3, "atol": 1e-3}))

    assert words_of_each(capsys.readouterr().out) == words_of_each(logs)


def words_of_each(log: str) -> list[str]:
    """What each training prints, which begins alike, without numbers: their last digits differ, and seconds."""
    return sorted(re.sub(r"[-+]?[0-9][0-9.]*", "", log).split("CCLE from")[1:])


@pytest.mark.usefixtures("_host", "data_folder")
def test_where_the_device_fails_each_is_trained_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(device, "train", full)
    many = [{**SMALL, "epochs": 1, "rng_seed": seed} for seed in (1, 2)]
    for ours, params in zip(uno.run_many(many), many, strict=True):
        assert_alike(ours, uno.run(params))


def test_without_a_device_it_declines_and_nothing_of_jax_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    device.sees_gpu.cache_clear()
    before = "jax" in sys.modules
    with pytest.raises(NotImplementedError, match="CUDA_VISIBLE_DEVICES, SITE_DEVICES"):
        uno.run_many([{**SMALL, "rng_seed": seed} for seed in (1, 2)])
    assert ("jax" in sys.modules) == before
    device.sees_gpu.cache_clear()
