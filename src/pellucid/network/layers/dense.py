"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.checks import MAX_WIDTH, check_bool, check_columns, check_whole
from pellucid.network.layers.layer import Fan, Layer, Parameter, Role, Shape

__all__ = ["Dense"]


@dataclass(frozen=True, kw_only=True)
class Dense(Layer):
    """A fully connected layer, ``z = x Wᵀ + b``: ``[B, inputs]`` to ``[B, outputs]``.

    Of a sequence it takes each step by itself, with the same weights: ``[B, T, inputs]`` to ``[B, T, outputs]``.
    """

    inputs: int
    outputs: int
    bias: bool = True

    role = Role.WEIGHTED
    steps_axis = 0

    def __post_init__(self) -> None:
        """Check the widths."""
        check_whole("Dense", "inputs", self.inputs, 1, MAX_WIDTH)
        check_whole("Dense", "outputs", self.outputs, 1, MAX_WIDTH)
        check_bool("Dense", "bias", self.bias)

    def output_shape(self, shape: Shape) -> Shape:
        """``(inputs,)`` to ``(outputs,)``, or ``(steps, inputs)`` to ``(steps, outputs)``."""
        check_columns(self.words(), self.inputs, shape[1:] if len(shape) == 2 else shape)
        return (*shape[:-1], self.outputs)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """The weight ``[O, I]`` and the bias ``[O]``."""
        weight = Parameter(name="weight", shape=(self.outputs, self.inputs), start="drawn")
        return (weight, Parameter(name="bias", shape=(self.outputs,))) if self.bias else (weight,)

    def fan(self, shape: Shape) -> Fan:
        """Each output sums all inputs."""
        return Fan(inputs=self.inputs, outputs=self.outputs)

    def words(self) -> str:
        """``Dense 4 → 8``."""
        return f"Dense {self.inputs} → {self.outputs}" + ("" if self.bias else ", no bias")
