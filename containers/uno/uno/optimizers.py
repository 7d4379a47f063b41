"""Keras's optimisers as TensorFlow's fused updates: same rules, same constants, one operation a weight.

Source of rules and constants: keras/src/optimizers (Keras 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

_BETA_1, _BETA_2, _EPSILON, _RHO = 0.9, 0.999, 1e-7, 0.9


class Optimizer:
    """Updates variables of unknown shape in place.

    `slots` are the optimiser's own variables, zero before the first step; `apply` does one step, inside or
    outside a traced function.
    """

    def __init__(self, name: str, variables: Sequence[Any]) -> None:
        self._name = name
        self._variables = variables
        slots_each = {"sgd": 0, "rmsprop": 2}.get(name, 2)
        self.slots = [[_like(variable) for _ in range(slots_each)] for variable in variables]

    def reset(self) -> None:
        """Set every slot to zeros of its variable's present shape."""
        for variable, slots in zip(self._variables, self.slots, strict=True):
            for slot in slots:
                slot.assign(tf.zeros(tf.shape(variable)))

    def apply(self, gradients: Sequence[Any], learning_rate: Any, step: Any) -> None:
        """Do one step; `learning_rate` is a float32 scalar, `step` counts from 1, a float32 scalar."""
        update = getattr(self, f"_{self._name}")
        for variable, slots, gradient in zip(self._variables, self.slots, gradients, strict=True):
            update(variable.handle, [slot.handle for slot in slots], gradient, learning_rate, step)

    def _sgd(self, variable: Any, slots: list[Any], gradient: Any, learning_rate: Any, step: Any) -> None:
        tf.raw_ops.ResourceApplyGradientDescent(var=variable, alpha=learning_rate, delta=gradient)

    def _rmsprop(self, variable: Any, slots: list[Any], gradient: Any, learning_rate: Any, step: Any) -> None:
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable, ms=slots[0], mom=slots[1], lr=learning_rate, rho=_RHO, momentum=0.0,
            epsilon=_EPSILON, grad=gradient,
        )  # fmt: skip

    def _adam(self, variable: Any, slots: list[Any], gradient: Any, learning_rate: Any, step: Any) -> None:
        tf.raw_ops.ResourceApplyAdam(
            var=variable, m=slots[0], v=slots[1], beta1_power=tf.pow(_BETA_1, step),
            beta2_power=tf.pow(_BETA_2, step), lr=learning_rate, beta1=_BETA_1, beta2=_BETA_2,
            epsilon=_EPSILON, grad=gradient,
        )  # fmt: skip

    def _adamax(self, variable: Any, slots: list[Any], gradient: Any, learning_rate: Any, step: Any) -> None:
        tf.raw_ops.ResourceApplyAdaMax(
            var=variable, m=slots[0], v=slots[1], beta1_power=tf.pow(_BETA_1, step), lr=learning_rate,
            beta1=_BETA_1, beta2=_BETA_2, epsilon=_EPSILON, grad=gradient,
        )  # fmt: skip


def _like(variable: Any) -> Any:
    """Return a float32 variable of the same rank and unknown shape."""
    rank = variable.shape.rank
    return tf.Variable(tf.zeros([0] * rank), shape=tf.TensorShape([None] * rank), trainable=False)
