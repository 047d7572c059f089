"""The first weights, the same for every engine.

Drawn in float64 from one seeded generator, layer by layer, so that a float32 run starts from the rounded weights of
the float64 run.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError, nearest
from pellucid.network import SCHEMES, Activation, BatchNorm, Dense, Dropout, Network, Scheme

__all__ = ["initialise"]

_RELU_LIKE = ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus")


def initialise(network: Network, seed: int, *, scheme: Scheme = "auto", scale: float = 1.0) -> dict[str, NDArray[Any]]:
    """Draw weights for ``network``; biases start at 0, but for ``uniform``.

    Parameters
    ----------
    network
        The description.
    seed
        A whole number; the same seed gives the same weights on every machine.
    scheme
        - ``he``: N(0, 2/inputs), for ReLU and its kin (He et al. 2015)
        - ``glorot``: U(±√(6/(inputs + outputs))), for sigmoid and tanh (Glorot & Bengio 2010)
        - ``lecun``: N(0, 1/inputs), for SELU and linear outputs (LeCun et al. 1998)
        - ``normal``: N(0, 1)
        - ``uniform``: U(±1/√inputs), biases too: what ``torch.nn.Linear`` does if nothing is said
        - ``auto``: by the activation that follows the layer
    scale
        Multiplies everything that is drawn.

    Returns
    -------
    dict
        float64 arrays under the names of `Network.parameters`; BatchNorm starts as the identity.

    >>> from pellucid.network import mlp
    >>> initialise(mlp(2, [4], 1), seed=0)["0.weight"].shape
    (4, 2)
    """
    if scheme not in SCHEMES:
        raise SettingError(f"init {scheme!r} is not known{nearest(str(scheme), SCHEMES)}")
    generator = np.random.default_rng(seed)
    arrays: dict[str, NDArray[Any]] = {}
    for index, layer in enumerate(network.layers):
        match layer:
            case Dense():
                chosen = _suits(network, index) if scheme == "auto" else scheme
                arrays[f"{index}.weight"] = scale * _draw(generator, chosen, layer)
                if layer.bias and chosen == "uniform":
                    limit = 1 / math.sqrt(layer.inputs)
                    arrays[f"{index}.bias"] = scale * generator.uniform(-limit, limit, layer.outputs)
                elif layer.bias:
                    arrays[f"{index}.bias"] = np.zeros(layer.outputs)
            case BatchNorm():
                arrays[f"{index}.weight"] = np.ones(layer.width)
                arrays[f"{index}.bias"] = np.zeros(layer.width)
                arrays[f"{index}.running_mean"] = np.zeros(layer.width)
                arrays[f"{index}.running_var"] = np.ones(layer.width)
                arrays[f"{index}.num_batches_tracked"] = np.array(0)
            case Activation() | Dropout():
                pass
    return arrays


def _suits(network: Network, index: int) -> Scheme:
    """The scheme for the activation that follows layer ``index``; the last layer is followed by none."""
    for layer in network.layers[index + 1 :]:
        if isinstance(layer, Dense):
            break
        if isinstance(layer, Activation):
            if layer.function in _RELU_LIKE:
                return "he"
            return "glorot" if layer.function in ("sigmoid", "tanh") else "lecun"
    return "lecun"


def _draw(generator: np.random.Generator, scheme: Scheme, layer: Dense) -> NDArray[Any]:
    shape = (layer.outputs, layer.inputs)
    if scheme in ("glorot", "uniform"):
        limit = math.sqrt(6 / (layer.inputs + layer.outputs)) if scheme == "glorot" else 1 / math.sqrt(layer.inputs)
        return generator.uniform(-limit, limit, shape)
    deviation = {"he": math.sqrt(2 / layer.inputs), "lecun": math.sqrt(1 / layer.inputs), "normal": 1.0}[scheme]
    return generator.normal(0.0, deviation, shape)
