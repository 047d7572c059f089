"""The description of a network and of its training, as frozen values: no arrays, no arithmetic."""

from pellucid.network.builders import autoencoder, mlp
from pellucid.network.layers import (
    ACTIVATIONS,
    KINDS,
    MAX_LAYERS,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Leaf,
    Mask,
    Parameter,
    Residual,
    Role,
    Shape,
    batch_shape,
)
from pellucid.network.network import SCHEMES, Network, Scheme, describe

__all__ = [
    "ACTIVATIONS",
    "KINDS",
    "MAX_LAYERS",
    "SCHEMES",
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Layer",
    "LayerNorm",
    "Leaf",
    "Mask",
    "Network",
    "Parameter",
    "Residual",
    "Role",
    "Scheme",
    "Shape",
    "autoencoder",
    "batch_shape",
    "describe",
    "mlp",
]
