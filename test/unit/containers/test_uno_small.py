"""Uno's small networks, which NumPy trains: the traced program's numbers, their dropout, and which they are."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from late import Late

from uno import HYPERPARAMETERS, network, passes, small, training

if TYPE_CHECKING:
    from uno.network import Shape

program = Late("uno.program")

SHAPE = network.Shape(encoders=((7, (6, 5)), (4, (3,)), (3, (4, 4, 2))), joint=(8, 9))
ROWS, BATCH, SEED = 50, 8, 3


def structure(shape: Shape, **changes: Any) -> network.Structure:
    return training.network_structure({**HYPERPARAMETERS.complete({}), "dropout": 0.0, **changes}, shape)


def random_rows(shape: Shape) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Tables, some of them in Fortran's order as features come, row numbers, and labels."""
    generator = np.random.default_rng(0)
    tables = [generator.normal(size=(9, width)).astype(np.float32, order="F") for width, _ in shape.encoders]
    numbers = generator.integers(0, 9, size=(ROWS, len(tables))).astype(np.int32)
    return tables, numbers, tables[0][numbers[:, 0], 0]


def trained(
    ours: Any, shape: Shape, dropout: float, epochs: int = 3
) -> tuple[list[float], list[np.ndarray], np.ndarray]:
    """Losses, weights and predictions."""
    tables, numbers, labels = random_rows(shape)
    held = ours.tables(tables)
    ours.start(network.draw_weights(shape, "glorot_normal", SEED))
    order = np.random.default_rng(1).permutation(ROWS).astype(np.int32)
    losses = [
        ours.train_epoch(held, numbers, labels, order, BATCH, (1e-2, 5e-3), dropout, epoch, SEED)
        for epoch in range(epochs)
    ]
    return losses, ours.weights(), ours.predict(held, numbers, dropout, SEED, network.PREDICTION_STREAM)


@pytest.mark.long
def test_a_small_network_has_the_numbers_of_the_traced_program() -> None:
    """Without dropout, whose draws are others: up to the order of sums."""
    ours = trained(small.SmallNetwork(SHAPE), SHAPE, 0.0)
    theirs = trained(program.program(structure(SHAPE)), SHAPE, 0.0)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4)
    for one, other in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    np.testing.assert_allclose(ours[2], theirs[2], atol=1e-3)


def test_a_network_that_is_started_again_has_the_same_numbers_to_the_last_bit() -> None:
    ours = small.SmallNetwork(SHAPE)
    first, again = (trained(ours, SHAPE, 0.2, epochs=20) for _ in range(2))
    assert first[0] == again[0] and first[0][-1] < first[0][0]
    np.testing.assert_array_equal(first[2], again[2])
    other = small.SmallNetwork(SHAPE)
    other.start(first[1])
    tables, numbers, _ = random_rows(SHAPE)
    predicted = other.predict(other.tables(tables), numbers, 0.2, SEED, network.PREDICTION_STREAM)
    np.testing.assert_array_equal(predicted, first[2])


@pytest.mark.parametrize(
    ("place", "value"), [("uno.small._WINDOW", 4), ("uno.small._BLOCK", 60), ("uno.passes._SMALL_RESULT", 16)]
)
def test_in_what_pieces_it_is_done_changes_no_number(monkeypatch: pytest.MonkeyPatch, place: str, value: int) -> None:
    """Steps between which the optimiser's memory grows, weights updated at once, numbers of a product made at once."""
    whole = trained(small.SmallNetwork(SHAPE), SHAPE, 0.2)
    monkeypatch.setattr(place, value)
    pieces = trained(small.SmallNetwork(SHAPE), SHAPE, 0.2)
    np.testing.assert_allclose(pieces[0], whole[0], rtol=1e-5)
    np.testing.assert_allclose(pieces[2], whole[2], rtol=1e-3, atol=1e-5)


def test_dropout_is_permanent_and_of_the_asked_rate() -> None:
    shape = network.Shape(((5, (40,)),), (4,))
    ours = small.SmallNetwork(shape)
    ours.start(network.draw_weights(shape, "glorot_normal", 1))
    tables = ours.tables([np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)])
    numbers = np.arange(200, dtype=np.int32)[:, None]
    first, again, stream, epoch = (ours.predict(tables, numbers, 0.25, 1, *at) for at in ((1,), (1,), (2,), (1, 1)))
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != stream) > 0.9 and np.mean(first != epoch) > 0.9
    dropped = np.empty((300, 333), np.float32)
    passes.Draws(0.25, 1, 1, 0).draw(dropped)
    assert set(np.unique(dropped)) == {0.0, 1.0}
    assert dropped.mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("sizes", "changes", "is_small"),
    [
        ((25,) * 5, {}, True),
        ((25,) * 5, {"dropout": 0.3}, True),
        ((1000,) * 5, {}, False),
        ((25,) * 5, {"activation": "tanh"}, False),
        ((25,) * 5, {"loss": "mae"}, False),
        ((25,) * 5, {"optimizer": "adam"}, False),
        ((25,) * 5, {"residual": True}, False),
    ],
)
def test_small_networks_of_the_default_kind_are_trained_by_numpy(
    sizes: tuple[int, ...], changes: dict[str, Any], is_small: bool
) -> None:
    shape = network.Shape(((500, (25,) * 3), (172, (25,) * 3)), sizes)
    assert small.serves(structure(shape, **changes), shape) == is_small


def test_small_networks_need_no_tensorflow() -> None:
    words = """
import sys
from uno import network, training
structure = network.Structure((1,), 1, False, (False,), "relu", True, "mse", "adamax")
print(type(training.network_of(structure, network.Shape(((5, (4,)),), (4,)))).__name__, "tensorflow" in sys.modules)
"""
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", words], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["SmallNetwork", "False"]


def test_layers_of_one_shape_start_equal_and_a_seed_draws_the_same() -> None:
    shape = network.Shape(((5, (6, 6)), (5, (6, 6))), (4,))
    weights, others = (network.draw_weights(shape, "he_normal", seed) for seed in (11, 12))
    np.testing.assert_array_equal(weights[0], weights[4])
    assert not weights[1].any() and not np.array_equal(weights[0], others[0])
