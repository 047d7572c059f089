"""The outputs of networks for rows, by the textbook's forward pass, so that predicting needs no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.network import Network

__all__ = ["outputs_of"]

Array = NDArray[Any]
_ROWS_AT_ONCE = 16_384


def outputs_of(network: Network, members: Sequence[Mapping[str, Array]], inputs: Array, layer: int = -1) -> Array:
    """The outputs of one layer of each of K networks: ``[K, N, outputs of the layer]``.

    They are computed in float64, whatever the weights are, so that a row's answer does not depend on the other rows.

    Parameters
    ----------
    network
        The description that all networks share.
    members
        The parameters of each network, by name.
    inputs
        ``[N, I]``.
    layer
        The place of the layer; −1 is the last.
    """
    from pellucid.engines.textbook.forward import forward

    found = []
    for member in members:
        exact = {name: np.asarray(a, np.float64) if a.ndim else a for name, a in member.items()}
        parts = [
            forward(network, exact, inputs[i : i + _ROWS_AT_ONCE]).steps[layer].outputs
            for i in range(0, len(inputs), _ROWS_AT_ONCE)
        ]
        found.append(np.concatenate(parts))
    return np.stack(found)
