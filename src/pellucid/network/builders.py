"""Networks that are asked for by their widths."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.network.layers import Activation, BatchNorm, Dense, Dropout, Layer
from pellucid.network.network import Network

__all__ = ["autoencoder", "mlp"]


def mlp(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> Network:
    """A multi-layer perceptron: each hidden layer is Dense → BatchNorm → activation → Dropout.

    Parameters
    ----------
    inputs, outputs
        Columns in, logits out.
    hidden
        The width of each hidden layer; empty for a linear model.
    activation
        One of `ACTIVATIONS`.
    batch_norm, dropout
        Whether to normalise, and the share of units to drop in training (0 for none).

    >>> [layer.words() for layer in mlp(4, [10], 3).layers]
    ['Dense 4 → 10', 'relu', 'Dense 10 → 3']
    """
    layers: list[Layer] = []
    width = inputs
    for units in hidden:
        # BatchNorm subtracts the mean, and with it any bias before it; its own β takes the bias's place.
        layers.append(Dense(inputs=width, outputs=units, bias=not batch_norm))
        if batch_norm:
            layers.append(BatchNorm(width=units))
        layers.append(Activation(function=activation))
        if dropout:
            layers.append(Dropout(rate=dropout))
        width = units
    layers.append(Dense(inputs=width, outputs=outputs))
    return Network(inputs=inputs, layers=tuple(layers))


def autoencoder(
    inputs: int,
    hidden: Sequence[int],
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> Network:
    """An `mlp` from ``inputs`` to ``inputs`` whose narrowest hidden layer, the waist, is linear: Dense alone.

    A ReLU there would leave each row described by the few units that it happens to switch on; in a waist of 16 units
    often none, for any row. Of several layers equally narrow the first is the waist.

    >>> [layer.words() for layer in autoencoder(8, [4, 2, 4]).layers]
    ['Dense 8 → 4', 'relu', 'Dense 4 → 2', 'Dense 2 → 4', 'relu', 'Dense 4 → 8']
    """
    network = mlp(inputs, hidden, inputs, activation=activation, batch_norm=batch_norm, dropout=dropout)
    layers = network.layers
    blocks = network.blocks()
    if len(blocks) < 2:
        return network
    shapes = ((inputs,), *network.shapes())
    waist = min(blocks[:-1], key=lambda block: shapes[block.start + 1])
    linear = Dense(inputs=shapes[waist.start][0], outputs=shapes[waist.start + 1][0])
    return Network(inputs=inputs, layers=(*layers[: waist.start], linear, *layers[waist.stop :]))
