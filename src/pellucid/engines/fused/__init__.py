"""The fused engine, the fast one: forward, backward and update as operations on buffers that are allocated once.

With autograd, a training step of a small network spends most of its time between operations: building the graph,
allocating results, updating each parameter separately. Here a network becomes a plan, a list of operations on fixed
buffers, made once for each batch size. Parameters are views of one flat tensor; so are gradients and moments.

Everything is feature-major, with one column per row of data: z = W x with x ``[I, B]``, which makes products of small
matrices several times faster than ``[B, I]``. Below each activation lies a row of ones, and beside each weight its bias
as one more column, so that z = [W b] [x; 1] and ∂L/∂[W b] = d [x; 1]ᵀ are one product each.

Pictures are ``[B, C, H, W]`` in PyTorch's channels-last format until a layer makes columns of them. Their convolutions
are PyTorch's; everything around them works on fixed buffers as above.

| file | what it does |
|---|---|
| `flat` | all parameters, and all gradients, in one tensor each |
| `products` | matrix products, by the library that is faster here, or in lower precision |
| `layers` | one file per kind of layer: forward and backward operations side by side, and prediction |
| `activations` | f and f′ as operations on buffers |
| `plan` | the forward and the backward pass of a network |
| `losses` | the loss and its gradient with respect to the logits |
| `graph` | on a CUDA device, all operations of a step launched by one call |
| `updates` | the update rules, for all parameters at once |
| `engine` | trains by a plan: an `Engine` of `pellucid.training` |
| `stack` | K networks with the same description in one plan |
| `rates` | a learning rate for each of these |
| `answers` | prediction: the logits of one network or of a stack |
| `folding` | batch normalisation folded into the convolution before it, for prediction |
| `batch` | the plan for batches of one size, and how their rows get into its buffers |

No derivative here comes from autograd or from the textbook, so each of the three checks the others.
"""

from __future__ import annotations

from pellucid.engines.support import missing_rule, not_columns, not_pictures
from pellucid.network import Network

__all__ = ["supports"]


def supports(network: Network, device: str = "cpu") -> str | None:
    """Why the fused engine cannot train this network on this device; ``None`` where it can.

    >>> from pellucid.network import mlp
    >>> supports(mlp(2, [5], 1, batch_norm=True, dropout=0.1)) is None
    True
    >>> supports(mlp(2, [5], 1), "mps")
    'the fused engine is not tested on mps'
    >>> from pellucid.network import cnn
    >>> supports(cnn((3, 32, 32), [16, 32], 10)) is None
    True
    """
    from pellucid.engines.device import choose_device
    from pellucid.engines.fused.layers import RULES

    where = choose_device(device).type if device == "auto" else device.partition(":")[0]
    if where == "mps":
        return "the fused engine is not tested on mps"
    who = "the fused engine"
    if len(network.shape) == 3 and where == "cuda":
        return f"{who} learns pictures on the cpu only"
    wrong = not_pictures(who, network) if len(network.shape) == 3 else not_columns(who, network)
    return wrong or missing_rule(who, network, RULES)
