"""The description of a network and of its training, as frozen values: no arrays, no arithmetic."""

from pellucid.network.network import (
    ACTIVATIONS,
    MAX_LAYERS,
    SCHEMES,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    Network,
    Parameter,
    Scheme,
    autoencoder,
    describe,
    mlp,
)

__all__ = [
    "ACTIVATIONS",
    "MAX_LAYERS",
    "SCHEMES",
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Layer",
    "Network",
    "Parameter",
    "Scheme",
    "autoencoder",
    "describe",
    "mlp",
]
