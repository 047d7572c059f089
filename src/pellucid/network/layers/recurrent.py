"""What the recurrent layers share: a state that is carried from step to step, in one direction or in two."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from pellucid.network.layers.checks import MAX_WIDTH, check_bool, check_whole
from pellucid.network.layers.layer import Fan, Layer, Parameter, Role, Shape
from pellucid.network.layers.steps import check_steps

__all__ = ["MAX_RECURRENT", "Recurrent"]

MAX_RECURRENT = 64  # layers of one kind upon each other


@dataclass(frozen=True, kw_only=True)
class Recurrent(Layer):
    """A recurrent layer; `RNN`, `LSTM` and `GRU` are its kinds.

    ``layers`` upon each other, each with ``width`` units in each direction; all but the first read the states of the
    one below. The state is zero at the start of every row, and padded steps give zeros.
    """

    inputs: int
    width: int
    layers: int = 1
    bidirectional: bool = False

    role = Role.WEIGHTED
    steps_axis = 0

    @property
    @abstractmethod
    def gates(self) -> int:
        """How many weighted sums each unit makes at a step."""

    def __post_init__(self) -> None:
        """Check the fields."""
        kind = type(self).__name__
        check_whole(kind, "inputs", self.inputs, 1, MAX_WIDTH)
        check_whole(kind, "width", self.width, 1, MAX_WIDTH)
        check_whole(kind, "layers", self.layers, 1, MAX_RECURRENT)
        check_bool(kind, "bidirectional", self.bidirectional)

    @property
    def outputs(self) -> int:
        """The numbers at each step: ``width`` in each direction."""
        return self.width * (2 if self.bidirectional else 1)

    def suffixes(self, layer: int) -> tuple[str, ...]:
        """What the names of the parameters of one of its ``layers`` end in, for each direction.

        >>> from pellucid.network import GRU
        >>> GRU(inputs=3, width=4, layers=2, bidirectional=True).suffixes(1)
        ('_l1', '_l1_reverse')
        """
        return (f"_l{layer}", f"_l{layer}_reverse")[: 2 if self.bidirectional else 1]

    def output_shape(self, shape: Shape) -> Shape:
        """``(steps, inputs)`` to ``(steps, width)``, or twice the width for two directions."""
        check_steps(self.words(), shape, self.inputs)
        return (shape[0], self.outputs)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """Of each layer and direction, as in PyTorch: the weights of the inputs ``[G·H, I]`` and of the state
        ``[G·H, H]``, and a bias ``[G·H]`` for each, with the G gates of all H units one after another.
        """  # fmt: skip
        rows, made = self.gates * self.width, list[Parameter]()
        for layer in range(self.layers):
            inputs = self.outputs if layer else self.inputs
            for suffix in self.suffixes(layer):
                made += [
                    Parameter(name=f"weight_ih{suffix}", shape=(rows, inputs), start="drawn"),
                    Parameter(name=f"weight_hh{suffix}", shape=(rows, self.width), start="drawn"),
                    Parameter(name=f"bias_ih{suffix}", shape=(rows,)),
                    Parameter(name=f"bias_hh{suffix}", shape=(rows,)),
                ]
        return tuple(made)

    def fan(self, shape: Shape) -> Fan:
        """Each sum is of the inputs and of the whole state."""
        return Fan(inputs=self.inputs + self.width, outputs=self.width)

    def between(self, shape: Shape) -> int:
        """At each step, of each unit its sums of inputs and state, and what its gates make of them."""
        return shape[0] * self.layers * self.outputs * 3 * self.gates

    def words(self) -> str:
        """``GRU 8 → 16, 2 layers, bidirectional``."""
        extra = [f"{self.layers} layers"] * (self.layers > 1) + ["bidirectional"] * self.bidirectional
        return ", ".join([f"{type(self).__name__} {self.inputs} → {self.width}", *extra])
