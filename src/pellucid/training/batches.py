"""Which rows a step learns from, and which units its dropout drops.

Everything random depends on (seed, epoch, batch) alone, not on what was drawn before. So a resumed run sees the same
batches, and no generator's state has to be saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.network import Network
from pellucid.network.layers.layer import Mask

__all__ = ["batches", "drawn_masks", "dropout_masks", "n_batches"]

Array = NDArray[Any]

# Two keys, so that the masks of a batch are independent of the order of its epoch.
_ORDER, _MASKS = 1, 2
_POOL = 32  # batches that share their rows out by length


def batches(
    n_rows: int, batch_size: int, seed: int, epoch: int, *, at_least: int = 1, lengths: Array | None = None
) -> Iterator[Array]:
    """The rows of one epoch in random order, ``batch_size`` at a time; the last batch may be smaller.

    Parameters
    ----------
    n_rows
        N.
    batch_size
        B; more than there are rows means all of them.
    seed, epoch
        The order depends on these alone; epochs count from 0.
    at_least
        A last batch with fewer rows than this joins the one before (BatchNorm cannot train on one row).
    lengths
        The steps of each row, ``[N]``: the rows of some batches are drawn at random, as always, but shared out by their
        lengths, so that a batch needs little padding; then the batches of the epoch come in random order.

    >>> [b.tolist() for b in batches(5, 2, seed=0, epoch=0)]
    [[0, 2], [4, 1], [3]]
    """
    generator = _generator(seed, _ORDER, epoch, 0)
    order = generator.permutation(n_rows)
    edges = [*range(0, n_rows, batch_size), n_rows]
    if len(edges) > 2 and edges[-1] - edges[-2] < at_least:
        del edges[-2]
    spans = list(pairwise(edges))
    if lengths is not None:
        for start in range(0, len(spans), _POOL):
            pool = slice(spans[start][0], spans[min(start + _POOL, len(spans)) - 1][1])
            order[pool] = order[pool][np.argsort(lengths[order[pool]], kind="stable")]
        spans = [spans[place] for place in generator.permutation(len(spans))]
    for start, end in spans:
        yield order[start:end]


def n_batches(n_rows: int, batch_size: int, *, at_least: int = 1) -> int:
    """The number of batches that `batches` yields.

    >>> n_batches(5, 2), n_batches(5, 2, at_least=2)
    (3, 2)
    """
    whole, rest = divmod(n_rows, batch_size)
    return max(1, whole + (rest >= at_least and rest > 0))


def dropout_masks(network: Network, rows: int, seed: int, epoch: int, batch: int) -> list[Array]:
    """The masks of a batch of ``rows`` rows, as `drawn_masks` returns them for a network.

    Parameters
    ----------
    network
        Its masks are drawn, one for each Dropout with a rate above 0.
    rows
        B, the rows of the batch.
    seed, epoch, batch
        The masks depend on these alone.
    """
    return drawn_masks(network.masks(), rows, seed, epoch, batch)


def drawn_masks(wanted: Sequence[Mask], rows: int, seed: int, epoch: int, batch: int) -> list[Array]:
    """For each mask a float32 array ``[rows, width]`` of 0 (a share ``rate``) and 1/(1 − rate).

    Each cell uses 16 random bits, so a rate is exact to within 1/65,536.

    Parameters
    ----------
    wanted
        What ``network.masks()`` gives, which is to be asked once: it would slow small steps down.
    rows
        B, the rows of the batch.
    seed, epoch, batch
        The masks depend on these alone.

    >>> from pellucid.network import mlp
    >>> (mask,) = drawn_masks(mlp(4, [3], 1, dropout=0.5).masks(), rows=2, seed=0, epoch=0, batch=0)
    >>> mask.shape, sorted(set(mask.ravel().tolist()))
    ((2, 3), [0.0, 2.0])
    """
    if not wanted:
        return []
    bits = _generator(seed, _MASKS, epoch, batch).bit_generator
    masks = []
    for mask in wanted:
        width = prod(mask.shape)
        cells = rows * width
        drawn = np.asarray(bits.random_raw(-(-cells // 4))).view(np.uint16)[:cells].reshape(width, rows)
        keep = drawn >= round(mask.rate * 65_536)
        numbers = np.multiply(keep, np.float32(1 / (1 - mask.rate)), dtype=np.float32).T  # as the fused plan lays it
        masks.append(numbers if len(mask.shape) == 1 else numbers.reshape(rows, *mask.shape))
    return masks


def _generator(seed: int, purpose: int, epoch: int, batch: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=[0, 0, batch, epoch]))
