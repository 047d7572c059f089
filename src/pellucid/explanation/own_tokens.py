"""A text as vectors: the answer for any vectors in the places of its tokens, and how it depends on them.

A token is the number of a row of the embedding's matrix, so there is nothing between two tokens. Between their vectors
there is: here each vector is made a token of its own, whose row of a longer matrix it is. Padding stays padding, and
every engine computes such a network as it computes the run's own.

Legend: ``T`` steps, ``L`` of them count, ``D`` numbers of a vector, ``P`` rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.network import Embedding, Network

__all__ = ["length_of", "vectors_as_tokens"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]


def length_of(row: Array) -> int:
    """How many steps of a row count: tokens ``[T]`` up to the last that is not 0, or ``[T, C]`` up to the last known.

    >>> length_of(np.array([5, 0, 7, 0])), length_of(np.array([[1.0], [np.nan]]))
    (3, 1)
    """
    there = row != 0 if row.ndim == 1 else ~np.isnan(row).all(axis=1)
    known = np.flatnonzero(there)
    return int(known[-1]) + 1 if len(known) else 1


def vectors_as_tokens(network: Network, parameters: Parameters, vectors: Array) -> tuple[Network, Parameters, Array]:
    """A network, its weights and rows ``[P, T]`` of tokens that stand for the vectors.

    Parameters
    ----------
    network, parameters
        A network that begins with an `Embedding`.
    vectors
        ``[P, L, D]``; the steps after are padding.

    >>> from pellucid.network import rnn
    >>> net = rnn((4,), (2,), 1, vocabulary=9, embedding=3)
    >>> other, _, rows = vectors_as_tokens(net, {"0.weight": np.zeros((9, 3))}, np.ones((2, 3, 3)))
    >>> other.layers[0].words(), rows.tolist()
    ('Embedding 7 → 3', [[1, 2, 3, 0], [4, 5, 6, 0]])
    """
    first, *others = network.layers
    assert isinstance(first, Embedding)
    many, length, width = vectors.shape
    own = Network(
        shape=network.shape, dtype=network.dtype, layers=[replace(first, vocabulary=many * length + 1), *others]
    )
    matrix = np.concatenate([np.zeros((1, width), vectors.dtype), vectors.reshape(-1, width)])
    rows = np.zeros((many, network.shape[0]), np.int64)
    rows[:, :length] = np.arange(1, many * length + 1).reshape(many, length)
    return own, {**parameters, "0.weight": matrix}, rows
