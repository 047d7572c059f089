"""Networks built from their widths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pellucid.errors import SettingError
from pellucid.network.layers import Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Residual
from pellucid.network.network import Network

__all__ = ["autoencoder", "mlp"]


def mlp(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    layer_norm: bool = False,
    dropout: float = 0.0,
    residual: bool = False,
) -> Network:
    """A multi-layer perceptron: each hidden layer is Dense → BatchNorm or LayerNorm → activation → Dropout.

    Parameters
    ----------
    inputs, outputs
        Columns in, logits out.
    hidden
        The width of each hidden layer; empty for a linear model.
    activation
        One of `ACTIVATIONS`.
    batch_norm, layer_norm
        Whether to normalise over the batch, or each row over its units; not both.
    dropout
        The share of units to drop in training (0 for none).
    residual
        Whether each hidden layer that is as wide as its input becomes a `Residual`, which adds its input to its output.
        A layer that changes the width, such as the first, stays as it is.

    Raises
    ------
    SettingError
        A width or a name is wrong, both ways to normalise are set, or no layer can be a `Residual`.

    >>> [layer.words() for layer in mlp(4, [10], 3).layers]
    ['Dense 4 → 10', 'relu', 'Dense 10 → 3']
    >>> [layer.words() for layer in mlp(4, [8, 8], 3, residual=True).layers]
    ['Dense 4 → 8', 'relu', 'Residual of Dense 8 → 8, relu', 'Dense 8 → 3']
    """
    if batch_norm and layer_norm:
        raise SettingError("a layer can be normalised in one way only: give batch_norm or layer_norm, not both")
    widths = (inputs, *hidden)
    if residual and not any(before == after for before, after in pairwise(widths)):
        raise SettingError(
            "residual needs a hidden layer that is as wide as what it receives, such as the second of hidden=(64, 64); "
            f"here the widths are {' → '.join(map(str, widths))}"
        )
    layers: list[Layer] = []
    for before, after in pairwise(widths):
        # BatchNorm subtracts the mean, and with it any bias before it; its own β takes the bias's place.
        made: list[Layer] = [Dense(inputs=before, outputs=after, bias=not batch_norm)]
        if batch_norm:
            made.append(BatchNorm(width=after))
        if layer_norm:
            made.append(LayerNorm(width=after))
        made.append(Activation(function=activation))
        if dropout:
            made.append(Dropout(rate=dropout))
        layers += [Residual(block=tuple(made))] if residual and before == after else made
    layers.append(Dense(inputs=widths[-1], outputs=outputs))
    return Network(inputs=inputs, layers=tuple(layers))


def autoencoder(
    inputs: int,
    hidden: Sequence[int],
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    layer_norm: bool = False,
    dropout: float = 0.0,
    residual: bool = False,
) -> Network:
    """An `mlp` from ``inputs`` to ``inputs`` whose narrowest hidden layer, the waist, is linear: Dense alone.

    With a ReLU there, each row would be described only by the few units that it switches on: in a waist of 16 units
    often none, for every row. Of several equally narrow layers, the first is the waist.

    Parameters
    ----------
    inputs
        Columns in and out.
    hidden
        The width of each hidden layer, such as ``[4, 2, 4]``.
    activation, batch_norm, layer_norm, dropout, residual
        As in `mlp`; the waist has none of them.

    Raises
    ------
    SettingError
        As in `mlp`.

    >>> [layer.words() for layer in autoencoder(8, [4, 2, 4]).layers]
    ['Dense 8 → 4', 'relu', 'Dense 4 → 2', 'Dense 2 → 4', 'relu', 'Dense 4 → 8']
    """
    network = mlp(
        inputs, hidden, inputs, activation=activation, batch_norm=batch_norm, layer_norm=layer_norm, dropout=dropout,
        residual=residual,
    )  # fmt: skip
    layers = network.layers
    blocks = network.blocks()
    if len(blocks) < 2:
        return network
    shapes = ((inputs,), *network.shapes())
    waist = min(blocks[:-1], key=lambda block: shapes[block.start + 1])
    linear = Dense(inputs=shapes[waist.start][0], outputs=shapes[waist.start + 1][0])
    return Network(inputs=inputs, layers=(*layers[: waist.start], linear, *layers[waist.stop :]))
