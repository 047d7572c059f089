"""How many numbers a network computes for one row, and a limit to it.

A description may come from a file, and a few bytes can describe maps that no memory holds: a small kernel with a large
padding, or one that is as large as the picture. So the limit is checked before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from pellucid.errors import SettingError
from pellucid.network.layers import Layer, Shape
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.layer import leaves_of
from pellucid.network.layers.pooling import Pooling

__all__ = ["MAX_PATCHES", "MAX_VALUES", "check_sizes"]

MAX_VALUES = 1 << 28  # in all maps together: ResNet-50 has a tenth of them for 224 × 224 pixels
MAX_PATCHES = 1 << 30  # of one layer: each window's numbers, as the product of patches needs them


def check_sizes(layers: Sequence[Layer], shape: Shape) -> None:
    """Raise `SettingError` where layers would compute more numbers for one row than memory should hold.

    Parameters
    ----------
    layers
        In the order in which a row passes them.
    shape
        Of a row.

    >>> from pellucid.network import Conv2d
    >>> try:
    ...     check_sizes([Conv2d(in_channels=1, out_channels=4, kernel_size=1, padding=9_000)], (1, 8, 8))
    ... except SettingError as error:
    ...     print(str(error).partition(",")[0], str(error).partition("needs ")[2][:13])
    layer 0 (Conv2d 1 → 4 1,621,440,384
    """
    total = prod(shape)
    for leaf in leaves_of(layers, shape):
        layer, after = leaf.layer, leaf.layer.output_shape(leaf.shape)
        here, patches = prod(after) + layer.between(leaf.shape), 0
        if isinstance(layer, Convolution | Pooling):
            padded = (n + before + behind for n, (before, behind) in zip(leaf.shape[1:], layer.pads, strict=True))
            here += leaf.shape[0] * prod(padded)
            patches = leaf.shape[0] * prod(layer.kernel) * prod(after[1:])
        total += here
        for needed, most in ((total, MAX_VALUES), (patches, MAX_PATCHES)):
            if needed > most:
                raise SettingError(
                    f"layer {leaf.name} ({layer.words()}) needs {needed:,} numbers for one row, and a network has at "
                    f"most {most:,}: give smaller pictures, shorter sequences, a smaller padding or fewer channels"
                )
