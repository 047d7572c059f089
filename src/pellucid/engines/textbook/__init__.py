"""The textbook: a neural network from nothing but NumPy. Read it in this order.

1. `perceptron`: one neuron, and the first learning rule for a neuron
2. `activations`: what a unit does with its sum, and the derivative of that
3. `losses`: how wrong an answer is, and in which direction it improves
4. `layers`: a file for each kind of layer, its forward and its backward rule side by side; begin with `layers.dense`,
   for pictures with `layers.conv2d`, for series with `layers.recurrent`, and for texts with `layers.embedding` and
   `layers.self_attention`
5. `forward`: from a row to an answer
6. `backprop`: from an error back to every weight
7. `optimizers`: from a gradient to a better weight
8. `gradient_check`: how to check that all this is right
9. `engine`: the five parts in one training step

Nothing here imports PyTorch, so nothing here can share a mistake with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pellucid.network import Network

__all__ = ["supports"]


def supports(network: Network) -> str | None:
    """Why the textbook cannot compute a network; ``None`` if it can.

    >>> from pellucid.network import mlp
    >>> supports(mlp(4, [8], 3, dropout=0.2))
    """
    from pellucid.engines.textbook.layers import RULES

    for layer in network.every_layer():
        if type(layer) not in RULES:
            return f"the textbook has no rule for {type(layer).__name__} layers"
    return None
