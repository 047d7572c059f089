"""A layer of a traced row with the names of its inputs and outputs, and what a kind of layer says about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pellucid.explanation.trace import LayerAtWork
from pellucid.explanation.words.unit_names import MapNames
from pellucid.explanation.words.values import Parts
from pellucid.network import Shape

__all__ = ["NamedStep", "Words"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedStep:
    """A layer at work, with names.

    Attributes
    ----------
    work
        The numbers.
    given, symbol
        The letters for its input and output: ``x`` (features), ``z``, ``u``, ``a``.
    names_in, names_out
        Of its units: the features' names, ``unit 1.3``, the answers' names.
    inner
        The layers inside a composite.
    begins_block
        Whether it is the first layer inside a composite: ∂L/∂ of its inputs is then only the part that comes through
        the block.
    """

    work: LayerAtWork
    given: str
    symbol: str
    names_in: Sequence[str]
    names_out: Sequence[str]
    inner: tuple[NamedStep, ...] = ()
    begins_block: bool = False

    @property
    def d_given(self) -> str:
        """``∂L/∂x``."""
        return f"∂L/∂{self.given}" + " through the block" * self.begins_block

    @property
    def d_symbol(self) -> str:
        """``∂L/∂z``."""
        return f"∂L/∂{self.symbol}"

    @property
    def d_inputs(self) -> Array:
        """∂L/∂ of what it received, of a row whose target is known."""
        assert self.work.d_inputs is not None
        return self.work.d_inputs

    @property
    def d_outputs(self) -> Array:
        """∂L/∂ of what it gave, of a row whose target is known."""
        assert self.work.d_outputs is not None
        return self.work.d_outputs


class Words(ABC):
    """How one kind of layer writes its arithmetic.

    Results are the network's own numbers, never computed again; terms and factors let a reader check them.
    """

    @abstractmethod
    def symbol(self, given: str) -> str:
        """The letter of the layer's output, for the input letter ``given``."""

    @abstractmethod
    def explain(self, step: NamedStep) -> str:
        """What the layer computes, in a sentence or two."""

    @abstractmethod
    def forward(self, step: NamedStep, unit: int) -> Parts:
        """How output ``unit`` is computed from the layer's inputs."""

    @abstractmethod
    def backward(self, step: NamedStep, unit: int) -> Parts:
        """How ∂L/∂ of input ``unit`` is computed from ∂L/∂ of the outputs."""

    def names(self, given: Sequence[str], shape_out: Shape) -> Sequence[str]:
        """The names of the outputs of a layer that begins no block: those of its inputs, if it does not change them."""
        return given

    def names_of_block(self, number: str, shape_out: Shape, outputs: Sequence[str] = ()) -> Sequence[str]:
        """The names of the outputs of a layer that begins block ``number``: units, or channels at each position.

        ``outputs`` are the answers' names, of the last block.
        """
        what = "channel" if len(shape_out) > 1 else "unit"
        return MapNames(outputs or [f"{what} {number}.{k + 1}" for k in range(shape_out[0])], shape_out[1:])

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The units whose `derivatives` name every parameter once; where positions share them, one of each channel."""
        return range(len(step.work.outputs)) if step.work.gradients else ()

    def backward_of_block(self, step: NamedStep, unit: int) -> Parts:
        """How ∂L/∂ of what a composite's last inner layer gave arises; other layers have none."""
        return ()

    def title(self, step: NamedStep) -> str:
        """A heading above the layer's units."""
        return step.work.text

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂ of the parameters of output ``unit``; a layer without parameters has none."""
        return ()

    def columns(self, step: NamedStep) -> tuple[tuple[str, Array], ...]:
        """What a table of all units shows of the layer: a heading and one number per unit."""
        return ((step.symbol, step.work.outputs),)
