"""What the engines share: whether they can train a network, and what they show of its inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from pellucid.network import Layer, Network

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

__all__ = ["Inside", "blas", "missing_rule", "not_columns", "not_pictures", "rows_at_once"]

_MOST_ROWS, _MOST_VALUES = 16_384, 2**21
_NOTHING: Mapping[str, NDArray[Any]] = MappingProxyType({})


class Inside(NamedTuple):
    """What was seen inside a network while rows passed through it.

    Attributes
    ----------
    logits
        The output of the last layer, ``[B, C]``.
    outputs
        The outputs of the layers that were asked for, by their places.
    d_inputs
        ∂score/∂x in the shape of the rows; ``None`` without a way back.
    d_outputs
        ∂score/∂a of the same layers.
    """

    logits: NDArray[Any]
    outputs: Mapping[str, NDArray[Any]] = _NOTHING
    d_inputs: NDArray[Any] | None = None
    d_outputs: Mapping[str, NDArray[Any]] = _NOTHING


def missing_rule(who: str, network: Network, kinds: Iterable[type[Layer]]) -> str | None:
    """Why an engine with rules for these kinds of layers cannot train the network; ``None`` if it can.

    >>> from pellucid.network import Dense, mlp
    >>> missing_rule("the engine", mlp(2, [5], 1), [Dense])
    'the engine has no rule for Activation layers (relu), only for Dense'
    """
    known = tuple(kinds)
    for layer in network.every_layer():
        if type(layer) not in known:
            has = ", ".join(kind.__name__ for kind in known)
            return f"{who} has no rule for {type(layer).__name__} layers ({layer.words()}), only for {has}"
    return None


def not_columns(who: str, network: Network) -> str | None:
    """Why an engine that only takes columns cannot train the network; ``None`` if it can.

    >>> from pellucid.network import mlp
    >>> not_columns("the engine", mlp(2, [5], 1)) is None
    True
    """
    if network.dtype != "float":
        return f"{who} takes rows of numbers, not of {network.dtype}"
    for shape in (network.shape, *network.shapes()):
        if len(shape) != 1:
            return f"{who} takes rows of columns, not of the shape {list(shape)}"
    return None


def not_pictures(who: str, network: Network) -> str | None:
    """Why an engine that takes pictures and columns cannot train the network; ``None`` if it can.

    >>> from pellucid.network import cnn
    >>> not_pictures("the engine", cnn((1, 8, 8), [4], 2)) is None
    True
    """
    if network.dtype != "float":
        return f"{who} takes rows of numbers, not of {network.dtype}"
    for shape in (network.shape, *network.shapes()):
        if len(shape) not in (1, 3):
            return f"{who} takes pictures and columns, not the shape {list(shape)}"
    return None


def rows_at_once(network: Network) -> int:
    """How many rows to answer at once, so that the largest array of a layer stays small.

    >>> from pellucid.network import cnn, mlp
    >>> rows_at_once(mlp(4, [8], 1)), rows_at_once(cnn((1, 28, 28), [16, 32], 10))
    (16384, 167)
    """
    largest = max(prod(shape) for shape in (network.shape, *network.shapes())) + network.between
    return max(1, min(_MOST_ROWS, _MOST_VALUES // largest))


@cache
def blas() -> ThreadpoolController:
    """The libraries of matrix products that are loaded, and their threads; finding them takes longer than a look."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
