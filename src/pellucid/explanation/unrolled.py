"""A recurrent layer of a traced row, unrolled: its gates and states at each step, and the way back through time.

Legend: ``T`` steps, ``H`` units of one layer in one direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.trace import LayerAtWork
from pellucid.network import GRU, LSTM, RNN, Layer
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["STATES", "Unrolled", "strongest_stretch", "unrolled"]

Array = NDArray[Any]

# What a unit makes at a step, in the order in which it makes it; the last is its output.
STATES: dict[type[Layer], tuple[str, ...]] = {
    RNN: ("h",),
    GRU: ("r", "z", "n", "h"),
    LSTM: ("i", "f", "g", "o", "c", "h"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Unrolled:
    """One layer in one direction, step by step.

    Attributes
    ----------
    layer, backwards, suffix
        Which of the layers upon each other, from 0; whether the last step comes first; what the names of its arrays
        end in.
    title
        ``layer 2, backwards``; empty for the only one.
    values
        The gates and states by their letters (`STATES`), ``[T, H]`` each.
    before
        The state h that the step before left, ``[T, H]``.
    counts
        ``[T]``, false for padding.
    slopes
        ∂L/∂h[t] ``[T, H]``: from the step's own output and, through the state, from the steps after it; ``None`` if
        the row's target is not known.
    """

    layer: int
    backwards: bool
    suffix: str
    values: Mapping[str, Array]
    before: Array
    counts: Array
    slopes: Array | None
    title: str = ""

    @property
    def lengths_of_slopes(self) -> Array | None:
        """‖∂L/∂h[t]‖ ``[T]``: how much the loss depends on the state of each step."""
        return None if self.slopes is None else np.linalg.norm(self.slopes, axis=1)


def unrolled(work: LayerAtWork) -> tuple[Unrolled, ...]:
    """Every layer and direction of a recurrent layer at work, the lowest first."""
    layer = work.layer
    assert isinstance(layer, Recurrent)
    counts = work.kept["counts"][0]
    return tuple(
        Unrolled(
            layer=index,
            backwards=suffix.endswith("reverse"),
            suffix=suffix,
            values={name: _counted(work.kept[f"{name}{suffix}"][0], counts) for name in STATES[type(layer)]},
            before=work.kept[f"before{suffix}"][0],
            counts=counts,
            slopes=work.kept_back[f"d_h{suffix}"][0] if work.kept_back else None,
            title=_title(layer, index, backwards=suffix.endswith("reverse")),
        )
        for index in range(layer.layers)
        for suffix in layer.suffixes(index)
    )


def strongest_stretch(strength: Array | None, length: int, most: int) -> slice:
    """The stretch of at most ``most`` steps whose ``strength`` ``[L]`` is largest in all; without a strength the last.

    >>> strongest_stretch(np.array([0.0, 3.0, 2.0, 0.0]), 4, 2), strongest_stretch(None, 4, 2)
    (slice(1, 3, None), slice(2, 4, None))
    """
    many = min(most, length)
    if strength is None or not strength.any():
        return slice(length - many, length)
    sums = np.convolve(strength[:length], np.ones(many), mode="valid")
    start = int(sums.argmax())
    return slice(start, start + many)


def _title(layer: Recurrent, index: int, *, backwards: bool) -> str:
    parts = [f"layer {index + 1}"] * (layer.layers > 1)
    parts += ["backwards" if backwards else "forwards"] * layer.bidirectional
    return ", ".join(parts)


def _counted(values: Array, counts: Array) -> Array:
    """With zeros at padded steps, where a cell makes numbers that nothing reads."""
    return np.where(counts[:, np.newaxis], values, 0.0)
