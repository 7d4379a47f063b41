"""Uno's network: its shape, the same network in Keras, its optimisers, its dropout, its learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from late import Late, needs

import uno

if TYPE_CHECKING:
    from uno.network import Shape, Structure

pytestmark = pytest.mark.long  # TensorFlow alone takes seconds to load

needs("keras")
keras = Late("keras")
network, optimizers, program, schedule, training = (
    Late(f"uno.{name}") for name in ("network", "optimizers", "program", "schedule", "training")
)

complete = uno.HYPERPARAMETERS.complete
SEED = 3


def small_shape() -> Shape:
    return network.Shape(encoders=((7, (6, 5)), (4, (3, 3))), joint=(8, 8, 8), raw_width=2)


def small_structure(shape: Shape, **changes: Any) -> Structure:
    settings = {"residual": True, "activation": "elu", "dropout": 0.0, "loss": "mse", "optimizer": "adamax", **changes}
    return training.network_structure(settings, shape)


def random_weights(shape: Shape) -> list[np.ndarray]:
    generator = np.random.default_rng(SEED)
    return [
        generator.normal(size=size).astype(np.float32)
        for inputs, outputs in shape.layers
        for size in ((inputs, outputs), (outputs,))
    ]


def keras_network(shape: Shape) -> Any:
    """Write the same network in Keras layers: towers, junction, residual joint layers, one output."""
    inputs = [keras.Input((width,)) for width, _ in shape.encoders]
    raw = keras.Input((shape.raw_width,))
    joined = [raw]
    for values, (_, sizes) in zip(inputs, shape.encoders, strict=True):
        for size in sizes:
            values = keras.layers.Dense(size, activation="relu")(values)
        joined.append(values)
    values = keras.layers.Concatenate()(joined)
    for size in shape.joint:
        layer = keras.layers.Dense(size, activation="elu")(values)
        values = keras.layers.Add()([layer, values]) if values.shape[-1] == size else layer
    return keras.Model([*inputs, raw], keras.layers.Dense(1)(values))


def test_with_the_same_weights_keras_layers_give_the_same_output() -> None:
    shape = small_shape()
    generator = np.random.default_rng(0)
    tables = [generator.normal(size=(9, width)).astype(np.float32) for width in (7, 4, 2)]
    numbers = generator.integers(0, 9, size=(50, 3)).astype(np.int32)
    weights = random_weights(shape)
    ours = program.program(small_structure(shape))
    ours.start(weights)
    model = keras_network(shape)
    by_size = {layer.kernel.shape: layer for layer in model.layers if isinstance(layer, keras.layers.Dense)}
    assert {tuple(size) for size in by_size} == set(shape.layers)
    dense = iter(weights)
    for layer in sorted_layers(model, shape):
        layer.set_weights([next(dense), next(dense)])
    expected = model.predict_on_batch([table[numbers[:, place]] for place, table in enumerate(tables)])[:, 0]
    predicted = ours.predict(tables, numbers, 0.0, SEED, network.PREDICTION_STREAM)
    np.testing.assert_allclose(predicted, expected, rtol=2e-5, atol=2e-5)


def sorted_layers(model: Any, shape: Shape) -> list[Any]:
    """Return Keras's dense layers in the order of `shape.layers`; they were created in this order."""
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    dense.sort(key=lambda layer: int(layer.name.split("_")[-1]) if "_" in layer.name else 0)
    assert [tuple(layer.kernel.shape) for layer in dense] == shape.layers
    return dense


@pytest.mark.parametrize("name", uno.HYPERPARAMETERS.descriptions["optimizer"]["choices"])
def test_optimisers_follow_keras(name: str) -> None:
    tf = program.tf
    generator = np.random.default_rng(1)
    start = generator.normal(size=(3, 2)).astype(np.float32)
    ours = tf.Variable(start, shape=tf.TensorShape([None, None]))
    optimizer = optimizers.Optimizer(name, [ours])
    optimizer.reset()
    theirs = keras.Variable(start)
    reference = keras.optimizers.get(name)
    assert float(reference.learning_rate) == pytest.approx(schedule.LEARNING_RATES[name])
    for step in range(1, 6):
        gradient = tf.constant(generator.normal(size=(3, 2)).astype(np.float32))
        optimizer.apply([gradient], tf.constant(schedule.LEARNING_RATES[name]), tf.constant(float(step)))
        reference.apply([gradient], [theirs])
        np.testing.assert_allclose(ours.numpy(), np.asarray(theirs), rtol=1e-4, atol=1e-6)


def test_first_weights_are_of_keras_distributions() -> None:
    parts = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1]
    for name in network.INITIALIZATIONS:
        ours = network.draw_weights(network.Shape((), (200,), raw_width=300), name, seed=11)[0]
        theirs = np.asarray(keras.initializers.get({"class_name": name, "config": {"seed": 11}})((300, 200)))
        expected = np.quantile(theirs, parts)
        np.testing.assert_allclose(np.quantile(ours, parts), expected, atol=0.03 * theirs.std())


def test_dropout_is_permanent_and_of_the_asked_rate() -> None:
    shape = network.Shape(((5, (400,)),), (4,))
    model = program.program(small_structure(shape, dropout=0.25, residual=False))
    model.start(network.draw_weights(shape, "glorot_normal", 1))
    table = [np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)]
    numbers = np.arange(200, dtype=np.int32)[:, None]
    first, again, other = (model.predict(table, numbers, 0.25, 1, stream) for stream in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)
    masks = model._draw_masks(200, 0.25, np.array([1, 1], dtype=np.int64))[0].numpy()
    assert set(np.unique(masks)) == {0.0, np.float32(1 / 0.75)}
    assert (masks == 0).mean() == pytest.approx(0.25, abs=0.01)


def test_weight_counts_of_the_original() -> None:
    settings = complete({})
    auc = training.network_shape(settings, [("rnaseq", 942), ("descriptors", 5270)], 0)
    assert auc.weight_count == 16_224_001
    default = {**settings, "dense": [1000] * 3}
    # Two drugs share their encoders; two doses go in raw: joined are five towers' outputs and two doses.
    encoders = training.network_shape(default, [("rnaseq", 942), ("descriptors", 5270), ("fingerprints", 2048)], 0)
    towers = sum(inputs * outputs + outputs for inputs, outputs in encoders.layers[:9])
    joint = network.Shape((), (1000, 1000, 1000), raw_width=5 * 1000 + 2)
    assert towers + joint.weight_count == 21_275_001


def test_layer_force_sets_every_layer_but_the_output() -> None:
    settings = {**uno.initialize_parameters(), "layer_force": 12, "dense_drug_feature_layers": [7, 7]}
    shape = training.network_shape(settings, [("rnaseq", 5), ("descriptors", 4)], 0)
    assert shape.encoders == ((5, (12, 12, 12)), (4, (12, 12)))
    assert shape.joint == (12,) * 5
    assert shape.layers[-1] == (12, 1)


def test_warm_up_goes_down_to_the_learning_rate_and_decay_to_zero() -> None:
    rate = schedule.LearningRate(complete({}))
    rates = [round(rate.of_epoch(epoch)[0] / 1e-4, 6) for epoch in range(8)]
    assert rates == [10, 8.2, 6.4, 4.6, 2.8, 1, 1, 1]
    falling = schedule.LearningRate(complete({"warmup_lr": False, "reduce_lr": False, "lr_decay": True, "epochs": 4}))
    assert falling.of_epoch(0) == pytest.approx((1e-4, 0.75e-4))
    assert falling.of_epoch(3) == pytest.approx((0.25e-4, 0.0))


def test_the_plateau_rule_halves_down_to_its_floor() -> None:
    rate = schedule.LearningRate(complete({"warmup_lr": False, "epochs": 100}))
    seen = []
    for epoch in range(26):
        seen.append(rate.of_epoch(epoch)[0])
        rate.tell(0.5)
    assert seen[:6] == [1e-4] * 6 and seen[6] == 0.5e-4 and seen[11] == 0.25e-4
    assert seen[25] == 1e-5
