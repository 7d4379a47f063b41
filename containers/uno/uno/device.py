"""The steps of many small networks on a GPU, by JAX: there one network's and many's take about as long.

Nothing of JAX is imported where there is none, or no GPU. How arrays lie is said in `stacked`.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from types import ModuleType
from typing import Any, NamedTuple

from uno.network import Shape
from uno.passes import hidden_places
from uno.small import BETA_1, BETA_2, EPSILON

#: Without trials of which kernels are fastest, compiling takes half as long, and the same ones are taken each time.
_COMPILER = {"xla_gpu_autotune_level": 0}


@functools.lru_cache(maxsize=1)
def sees_gpu() -> bool:
    """Tell whether JAX is installed, for a GPU, and sees one."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip()
    if given in ("", "-1") or not all(map(importlib.util.find_spec, ("jax", "jax_plugins"))):
        return False
    try:
        return str(_jax().default_backend()) == "gpu"
    except (ImportError, RuntimeError):  # its libraries do not fit, or the driver
        return False


def send(arrays: Any) -> Any:
    """Return arrays as they are on the device."""
    return _jax().device_put(arrays)


def train(*given: Any) -> Any:
    """Do steps of training; returns the new state, and the predictions before each step, [steps, networks, rows].

    Takes the shape, the state, which networks take part (those that do not keep their state), tables, what makes up for
    dropout, and of each step row numbers, dropped units in bits, labels and learning rates. A state is the weights,
    kernels and biases in turn, and of each of them the momentum, then the largest gradient. It is used up.
    """
    return _compiled().train(*given)


def predict(*given: Any) -> Any:
    """Return predictions, [steps, networks, rows]; takes the shape, weights, tables, and what follows to the bits."""
    return _compiled().predict(*given)


@functools.lru_cache(maxsize=1)
def _jax() -> ModuleType:
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # others have part of the device's memory
    import jax

    return jax


class _Compiled(NamedTuple):
    train: Any
    predict: Any


@functools.lru_cache(maxsize=1)
def _compiled() -> _Compiled:
    """Return what is compiled for each shape, number of networks and number of steps, when it is first asked for."""
    jax = _jax()
    jnp = jax.numpy

    def forward(shape: Shape, weights: Any, tables: Any, scale: Any, numbers: Any, dropped: Any) -> Any:
        """Return the predictions, [rows], of one network."""
        hidden, last = hidden_places(shape)
        bits = jnp.unpackbits(dropped, count=last.stop * len(numbers)).reshape(last.stop, len(numbers))
        kept = jnp.where(bits == 0, scale, 0.0)
        dense = ((kernel, bias) for kernel, bias in zip(weights[::2], weights[1::2], strict=True))
        outputs = iter([each for _, each in hidden])

        def apply(values: Any) -> Any:
            kernel, bias = next(dense)
            return jnp.matmul(values, kernel, precision="highest") + bias

        def through(values: Any, layers: int) -> Any:
            for _ in range(layers):  # this ReLU's slope at 0 is 0, as in `passes`; that of a maximum is 1/2
                values = jax.nn.relu(apply(values)) * kept[next(outputs)].T
            return values

        encoded = [
            through(table[of_table], len(sizes))
            for table, of_table, (_, sizes) in zip(tables, numbers.T, shape.encoders, strict=True)
        ]
        return apply(through(jnp.concatenate(encoded, axis=1), len(shape.joint)))[:, 0]

    def error(shape: Shape, weights: Any, tables: Any, scale: Any, numbers: Any, dropped: Any, labels: Any) -> Any:
        predicted = forward(shape, weights, tables, scale, numbers, dropped)
        return jnp.mean(jnp.square(predicted - labels)), predicted

    def adamax(weights: Any, momentum: Any, largest: Any, gradient: Any, rate: Any) -> Any:
        momentum = BETA_1 * momentum + (1 - BETA_1) * gradient
        largest = jnp.maximum(BETA_2 * largest, jnp.abs(gradient))
        return weights - rate * momentum / (largest + EPSILON), momentum, largest

    def step(shape: Shape, state: Any, tables: Any, scale: Any, *given: Any) -> Any:
        (weights, past), (*rows, rate) = state, given
        gradients, predicted = jax.grad(functools.partial(error, shape), has_aux=True)(weights, tables, scale, *rows)
        each = zip(weights, past[: len(weights)], past[len(weights) :], gradients, strict=True)
        weights, momentum, largest = (list(new) for new in zip(*(adamax(*one, rate) for one in each), strict=True))
        return (weights, momentum + largest), predicted

    def choose(active: Any, new: Any, old: Any) -> Any:
        return jnp.where(active.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    def train(shape: Shape, state: Any, active: Any, tables: Any, scales: Any, *given: Any) -> Any:
        steps = jax.vmap(functools.partial(step, shape), in_axes=(0, None, 0, 0, 0, 0, 0))
        new, predicted = jax.lax.scan(lambda held, each: steps(held, tables, scales, *each), state, given)
        return jax.tree.map(functools.partial(choose, active), new, state), predicted

    def predict(shape: Shape, weights: Any, tables: Any, scales: Any, *given: Any) -> Any:
        networks = jax.vmap(functools.partial(forward, shape), in_axes=(0, None, 0, 0, 0))
        return jax.lax.map(lambda each: networks(weights, tables, scales, *each), given)

    compiled = functools.partial(jax.jit, static_argnums=0, compiler_options=_COMPILER)
    return _Compiled(compiled(train, donate_argnums=1), compiled(predict))
