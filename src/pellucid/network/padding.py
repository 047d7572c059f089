"""Padding that need not be computed: where the ends of short rows can be cut off before a network reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.network.layers import (
    Activation,
    Dense,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Positions,
    Residual,
    SelfAttention,
    StepPool,
)
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.network import Network

__all__ = ["can_cut_padding", "lengths_of"]

_ANY_LENGTH = (Activation, Dense, Dropout, Embedding, LayerNorm, Positions, Recurrent, SelfAttention)


def can_cut_padding(network: Network) -> bool:
    """Whether a batch may be cut to its longest row: padding is read by no layer until a StepPool leaves it out.

    >>> from pellucid.network import conv1d, rnn, transformer
    >>> can_cut_padding(rnn((20, 3), (8,), 2)), can_cut_padding(transformer((20,), 8, 2, heads=2, vocabulary=9))
    (True, True)
    >>> can_cut_padding(conv1d((20, 3), (8,), 2))
    False
    """
    for index, layer in enumerate(network.layers):
        if isinstance(layer, StepPool):
            return _any_length(network.layers[:index])
    return False


def lengths_of(network: Network, inputs: Any) -> NDArray[np.int64] | None:
    """The steps of each row up to its padding, ``[N]``, at least 1; ``None`` where nothing can be cut off.

    >>> from pellucid.network import rnn
    >>> lengths_of(rnn((4,), (8,), 2, vocabulary=9), np.array([[5, 7, 0, 0], [3, 0, 2, 0]])).tolist()
    [2, 3]
    """
    if not isinstance(inputs, np.ndarray) or not len(inputs) or not can_cut_padding(network):
        return None
    there = np.asarray(inputs != 0 if network.dtype == "int64" else ~np.isnan(inputs).all(axis=-1))
    steps = there.shape[1]
    lengths: NDArray[np.int64] = np.where(there.any(axis=1), steps - there[:, ::-1].argmax(axis=1), 1)
    return None if (lengths == steps).all() else lengths


def _any_length(layers: Iterable[Layer]) -> bool:
    return all(
        _any_length(layer.block) if isinstance(layer, Residual) else isinstance(layer, _ANY_LENGTH) for layer in layers
    )
