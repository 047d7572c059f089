"""Inside a network at work: what its layers give for some rows, and how a score of the answer depends on them.

Rows of columns go through the textbook. Rows with positions, such as pictures and texts, go through PyTorch, which is
many times faster at them, or through the textbook where PyTorch is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from numpy.typing import NDArray

from pellucid.engines.support import Inside
from pellucid.network import Network

__all__ = ["Inside", "look_inside"]

Array = NDArray[Any]


def look_inside(
    network: Network,
    parameters: Mapping[str, Array],
    inputs: Array,
    *,
    names: Sequence[str] = (),
    towards: Callable[[Array], Array] | None = None,
) -> Inside:
    """Send rows through a network in prediction mode and, if asked, the slopes of a score back.

    Parameters
    ----------
    network, parameters
        The description of the network, and its arrays by name; they are used in the type of ``inputs``, unless
        these are tokens.
    inputs
        A batch, ``[B, *network.shape]``.
    names
        The layers whose outputs are wanted, by their places: ``3``, or ``3.0`` inside a composite.
    towards
        Maps the logits ``[B, C]`` to ∂score/∂logits ``[B, C]``; ``None``: no way back.

    >>> import numpy as np
    >>> from pellucid.network import Activation, Dense, Network
    >>> neuron = Network(inputs=2, layers=(Dense(inputs=2, outputs=1), Activation(function="relu")))
    >>> w = {"0.weight": np.array([[0.5, 1.0]]), "0.bias": np.array([0.25])}
    >>> found = look_inside(neuron, w, np.array([[2.0, -1.0]]), names=["0"], towards=np.ones_like)
    >>> found.outputs["0"], found.d_inputs
    (array([[0.25]]), array([[0.5, 1. ]]))
    """
    if not network.on_columns and find_spec("torch") is not None:
        from pellucid.engines.torch_engine.inside import look_inside as by_torch

        return by_torch(network, parameters, inputs, names, towards)
    from pellucid.engines.textbook.inside import look_inside as by_textbook

    return by_textbook(network, parameters, inputs, names, towards)
