"""How long the sequences of a batch are: rows that are shorter than the longest are padded at their ends.

Token 0 is padding and nothing else; a step of a series that is NaN in every channel is padding. Layers that look at
several steps (recurrent layers, attention, pooling over steps) leave padded ones out, so that what a row gives never
depends on how long the others are.

Legend: B rows, T steps, C channels.
"""

from __future__ import annotations

import numpy as np

from pellucid.engines.textbook.layers.rule import Array
from pellucid.errors import DataError

__all__ = ["mask_of", "padding_as", "steps_of"]


def steps_of(x: Array) -> tuple[Array, Array | None]:
    """The batch with zeros for padding, and how many steps of each row count, ``[B]``; ``None`` where all do.

    Parameters
    ----------
    x
        Tokens ``[B, T]`` of whole numbers, or a series ``[B, T, C]``; anything else is returned as it is. A row of
        padding alone counts as one step.

    Raises
    ------
    DataError
        A number is missing within a series.

    >>> steps_of(np.array([[5, 7, 0, 0], [3, 0, 2, 1]]))[1]
    array([2, 4])
    >>> steps_of(np.array([[[1.0], [np.nan]]]))
    (array([[[1.],
            [0.]]]), array([1]))
    """
    if x.dtype.kind == "i" and x.ndim == 2:
        there = np.not_equal(x, 0)
    elif x.dtype.kind == "f" and x.ndim == 3 and np.isnan(x).any():
        there = np.asarray(~np.isnan(x).all(axis=2))
        x = np.where(there[:, :, np.newaxis], x, 0)
        if np.isnan(x).any():
            row, step, channel = (int(each[0]) for each in np.nonzero(np.isnan(x)))
            raise DataError(
                f"row {row} of the batch lacks channel {channel} of step {step}: a step is either whole, or NaN in "
                "all channels, at the end of a row"
            )
    else:
        return x, None
    lengths = np.maximum(1, x.shape[1] - there[:, ::-1].argmax(axis=1))
    lengths[~there.any(axis=1)] = 1
    return x, None if (lengths == x.shape[1]).all() else lengths


def mask_of(lengths: Array | None, steps: int) -> Array | None:
    """``[B, T]``, true where a step counts; ``None`` where all do.

    >>> mask_of(np.array([1, 3]), 3).tolist()
    [[True, False, False], [True, True, True]]
    """
    return None if lengths is None else np.arange(steps) < lengths[:, np.newaxis]


def padding_as(value: float, x: Array, lengths: Array | None) -> Array:
    """Channels ``[B, C, T]`` with this value at the steps that do not count.

    >>> padding_as(0, np.array([[[5.0, 7.0, 4.0]]]), np.array([2])).tolist()
    [[[5.0, 7.0, 0.0]]]
    """
    mask = mask_of(lengths, x.shape[2])
    return x if mask is None else np.where(mask[:, np.newaxis], x, np.asarray(value, x.dtype))
