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
    Leaf,
    Mask,
    Parameter,
    Role,
    Shape,
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
    "Leaf",
    "Mask",
    "Network",
    "Parameter",
    "Role",
    "Scheme",
    "Shape",
    "autoencoder",
    "describe",
    "mlp",
]
