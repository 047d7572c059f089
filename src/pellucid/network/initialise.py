"""The initial weights, the same for every engine.

Drawn in float64 from one seeded generator, layer by layer, so that a float32 run starts from the rounded weights of
the float64 run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError, nearest
from pellucid.network.layers import Fan, Leaf, Role, Shape
from pellucid.network.network import SCHEMES, Network, Scheme

__all__ = ["initialise"]

_RELU_LIKE = ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus")


def initialise(network: Network, seed: int, *, scheme: Scheme = "auto", scale: float = 1.0) -> dict[str, NDArray[Any]]:
    """Draw weights for ``network``; biases start at 0, except with ``uniform``.

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
        - ``uniform``: U(±1/√inputs), biases too: the default of ``torch.nn.Linear``
        - ``auto``: by the activation that follows the layer
    scale
        Multiplies everything that is drawn.

    Returns
    -------
    dict
        float64 arrays under the names of `Network.parameters`; BatchNorm starts as the identity, the embedding
        of padding as zeros.

    >>> from pellucid.network import mlp
    >>> initialise(mlp(2, [4], 1), seed=0)["0.weight"].shape
    (4, 2)
    """
    if scheme not in SCHEMES:
        raise SettingError(f"init {scheme!r} is not known{nearest(str(scheme), SCHEMES)}")
    generator = np.random.default_rng(seed)
    arrays: dict[str, NDArray[Any]] = {}
    for leaf, chosen in _with_schemes(network, scheme):
        fan = leaf.layer.fan(leaf.shape)
        for parameter in leaf.layer.parameters(leaf.shape):
            drawn = parameter.start == "drawn" or (chosen == "uniform" and parameter.trainable)
            if fan is not None and drawn:
                array = scale * _draw(generator, chosen, fan, parameter.shape)
            else:
                array = _START[parameter.start](parameter.shape, np.int64 if parameter.dtype == "int64" else np.float64)
            if parameter.zero_row:
                array[0] = 0
            arrays[f"{leaf.name}.{parameter.name}"] = array
    return arrays


_START: dict[str, Any] = {"zeros": np.zeros, "ones": np.ones}


def _with_schemes(network: Network, scheme: Scheme) -> Iterator[tuple[Leaf, Scheme]]:
    """Each layer and its scheme: ``auto`` depends on the next activation before another weighted layer."""
    leaves = network.leaves()
    for place, leaf in enumerate(leaves):
        yield leaf, _suits(leaves[place + 1 :]) if scheme == "auto" else scheme


def _suits(after: Sequence[Leaf]) -> Scheme:
    for leaf in after:
        if leaf.layer.role is Role.WEIGHTED:
            break
        if leaf.layer.role is Role.ACTIVATING:
            function = leaf.layer.words()
            if function in _RELU_LIKE:
                return "he"
            return "glorot" if function in ("sigmoid", "tanh") else "lecun"
    return "lecun"


def _draw(generator: np.random.Generator, scheme: Scheme, fan: Fan, shape: Shape) -> NDArray[Any]:
    if scheme in ("glorot", "uniform"):
        limit = math.sqrt(6 / (fan.inputs + fan.outputs)) if scheme == "glorot" else 1 / math.sqrt(fan.inputs)
        return generator.uniform(-limit, limit, shape)
    deviation = {"he": math.sqrt(2 / fan.inputs), "lecun": math.sqrt(1 / fan.inputs), "normal": 1.0}[scheme]
    return generator.normal(0.0, deviation, shape)
