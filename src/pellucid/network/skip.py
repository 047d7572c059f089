"""A linear model with a network beside it: the network only has to learn what the linear model leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.network.layers import Activation, Dense, Dropout, Layer, Residual
from pellucid.network.network import Network

__all__ = ["beside_a_line", "started_from_line"]

Array = NDArray[Any]


def beside_a_line(
    inputs: int, hidden: Sequence[int], outputs: int, *, activation: str = "silu", dropout: float = 0.0
) -> Network:
    """``w · (x + g(x)) + b``: a linear model whose inputs a small network ``g`` corrects; without ``hidden``, a line.

    Parameters
    ----------
    inputs, outputs
        Columns in, logits out.
    hidden
        The widths of the hidden layers of ``g``.
    activation
        After each of them.
    dropout
        The share of their units to drop in training.

    >>> [layer.words() for layer in beside_a_line(3, [8], 1, activation="relu").layers]
    ['Residual of Dense 3 → 8, relu, Dense 8 → 3', 'Dense 3 → 1']
    """
    block: list[Layer] = []
    for before, after in pairwise((inputs, *hidden)):
        block += [Dense(inputs=before, outputs=after), Activation(function=activation)]
        block += [Dropout(rate=dropout)] if dropout else []
    last = Dense(inputs=inputs, outputs=outputs)
    if not hidden:
        return Network(inputs=inputs, layers=(last,))
    block.append(Dense(inputs=hidden[-1], outputs=inputs))
    return Network(inputs=inputs, layers=(Residual(block=tuple(block)), last))


def started_from_line(
    network: Network, drawn: Mapping[str, Array], weights: Array, constant: float
) -> dict[str, Array]:
    """Initial weights with which a network of `beside_a_line` answers ``weights · x + constant``.

    Parameters
    ----------
    network
        The description.
    drawn
        Initial weights of it; all but the last layer and the end of ``g``, which becomes 0, are kept.
    weights, constant
        The line, ``[inputs]`` and a number.

    Raises
    ------
    SettingError
        The network is of another kind.
    """
    names = [parameter.name for parameter in network.parameters()]
    if len(names) < 2 or drawn[names[-2]].shape != (1, len(weights)):
        raise SettingError("only a network that ends in a line of its inputs can begin with one")
    start = dict(drawn)
    start[names[-2]], start[names[-1]] = np.asarray(weights, np.float64)[np.newaxis], np.array([constant])
    for name in names[-4:-2]:
        start[name] = np.zeros_like(start[name])
    return start
