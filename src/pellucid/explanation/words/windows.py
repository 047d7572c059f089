"""Where the windows of a convolution or a pooling layer stand: which positions each covers, and which cover a position.

Legend: ``K`` positions of a window, ``A`` axes. Positions of a map are counted row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep
from pellucid.network import Shape
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling
from pellucid.network.layers.windows import Sides

__all__ = ["Windows", "windows_of"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The windows of a layer.

    Attributes
    ----------
    before, after
        The grids of its input and its output: height and width, or steps.
    kernel, strides, dilations, pads
        Of the layer, for each axis.

    >>> windows = Windows(before=(4,), after=(4,), kernel=(3,), strides=(1,), dilations=(1,), pads=((1, 1),))
    >>> windows.covered(0).tolist(), windows.coordinates(0).tolist()
    ([-1, 0, 1], [[-1], [0], [1]])
    >>> [found.tolist() for found in windows.covering(0)]
    [[1, 0], [0, 1]]
    """

    before: Shape
    after: Shape
    kernel: Sequence[int]
    strides: Sequence[int]
    dilations: Sequence[int]
    pads: Sides

    @cached_property
    def offsets(self) -> Array:
        """The window's positions, ``[K, A]``, from 0."""
        return np.stack(np.unravel_index(np.arange(prod(self.kernel)), tuple(self.kernel)), axis=1)

    @cached_property
    def _padded(self) -> Array:
        return np.array([first for first, _ in self.pads])

    def coordinates(self, position: int) -> Array:
        """Where the window of an output position lies in the input, ``[K, A]``; in the padding it is outside."""
        corner = np.array(np.unravel_index(position, self.after)) * self.strides - self._padded
        found: Array = corner + self.offsets * self.dilations
        return found

    def covered(self, position: int) -> Array:
        """The input positions in the window of an output position, ``[K]``; −1 in the padding."""
        return self._flat(self.coordinates(position), self.before)

    def covering(self, position: int) -> tuple[Array, Array]:
        """The output positions whose windows cover an input position, and its place in each of these windows."""
        moved = np.array(np.unravel_index(position, self.before)) + self._padded - self.offsets * self.dilations
        outputs = np.where((moved % self.strides == 0).all(axis=1), self._flat(moved // self.strides, self.after), -1)
        places = np.flatnonzero(outputs >= 0)
        return outputs[places], places

    @staticmethod
    def _flat(coordinates: Array, grid: Shape) -> Array:
        inside = ((coordinates >= 0) & (coordinates < np.array(grid))).all(axis=1)
        clipped = np.clip(coordinates, 0, np.array(grid) - 1)
        return np.where(inside, np.ravel_multi_index(tuple(clipped.T), grid), -1)


def windows_of(step: NamedStep) -> Windows:
    """The windows of a convolution or a pooling layer at work."""
    layer = step.work.layer
    assert isinstance(layer, Convolution | Pooling)
    return Windows(
        before=step.work.shape_in[1:],
        after=step.work.shape_out[1:],
        kernel=layer.kernel,
        strides=layer.strides,
        dilations=layer.dilations if isinstance(layer, Convolution) else (1,) * len(layer.kernel),
        pads=layer.pads,
    )
