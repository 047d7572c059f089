"""The interpreter for small networks: whole training runs as one compiled function.

A step of a network with a few hundred weights is a few thousand multiplications and takes microseconds. In the other
engines, most of the time passes between operations. Here all steps of a run are inside one function that Numba compiles
to machine code, once for all networks: it reads the network as a table of numbers.

Everything is feature-major, as in the fused engine: ``[I, B]``, a row of numbers for each feature. So each inner loop
runs over the rows of a batch, which lie side by side in memory, and the processor takes eight or sixteen at once.

| file | what it does |
|---|---|
| `layers` | one file per kind of layer: its code, and its row of the table |
| `packing` | a network, a loss and an update rule as tables of numbers |
| `compiled` | Numba's settings |
| `code_cache` | compiled code on disk, and when it is loaded |
| `elementary` | exp, log(1 + u), tanh and erf in a form that can be vectorised |
| `compiled_dense` | sums of products: the forward and the backward pass of a Dense layer |
| `compiled_activations` | f, and ∂L/∂z from ∂L/∂a |
| `losses` | the loss of a batch and its gradient with respect to the logits |
| `updates` | the update rules |
| `training` | the compiled run |
| `runs` | many networks at once, on threads |
| `engine` | one step at a time: an `Engine` of `pellucid.training` |

No formula here comes from the other interpreters, so each checks the others.
"""

from __future__ import annotations

from importlib.util import find_spec

from pellucid.engines.kernel.layers import RULES
from pellucid.engines.support import missing_rule, not_columns
from pellucid.errors import SettingError
from pellucid.network import Network

__all__ = ["MOST_PARAMETERS", "available", "require", "supports", "too_large"]

MOST_PARAMETERS = 4_000  # with more, PyTorch's matrix products are as fast or faster


def available() -> bool:
    """Whether Numba is installed; it is not imported."""
    return find_spec("numba") is not None


def require() -> None:
    """Raise `SettingError` where Numba is missing."""
    if not available():
        raise SettingError("engine 'kernel' needs Numba: pip install 'pellucid[fast]', or use engine=auto")


def supports(network: Network, device: str = "cpu") -> str | None:
    """Why the kernel cannot train this network on this device; ``None`` if it can.

    >>> from pellucid.network import mlp
    >>> supports(mlp(2, [5, 2], 1)) is None
    True
    >>> supports(mlp(2, [5], 1, dropout=0.1))
    'the kernel has no rule for Dropout layers (Dropout 0.1), only for Activation, Dense'
    """
    if device not in ("auto", "cpu"):
        return f"the kernel runs on the cpu, not on {device}"
    return not_columns("the kernel", network) or missing_rule("the kernel", network, RULES)


def too_large(network: Network) -> str | None:
    """Why another engine is as fast or faster for this network; ``None`` if the kernel is faster.

    >>> from pellucid.network import mlp
    >>> too_large(mlp(784, [256], 10))
    'the network has 203,530 parameters, and the kernel is for at most 4,000'
    """
    if network.n_trainable > MOST_PARAMETERS:
        return f"the network has {network.n_trainable:,} parameters, and the kernel is for at most {MOST_PARAMETERS:,}"
    return None
