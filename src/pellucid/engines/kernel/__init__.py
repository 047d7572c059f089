"""The interpreter for small networks: whole training runs as one compiled function.

A step of a network with a few hundred weights is a few thousand multiplications, a matter of microseconds. What takes
the time elsewhere is going from one operation to the next. Here the steps of a run follow each other inside one
function that Numba compiles to machine code, once for every network: it reads the network as a table of numbers.

Everything is feature-major, as in the fused plan: ``[I, B]``, a row of numbers for each feature, so that each inner
loop runs over the rows of a batch, side by side in memory, and the processor takes eight or sixteen of them at once.

| file | what it does |
|---|---|
| `compiled` | Numba's settings |
| `kept` | compiled code on disk, and when it is used |
| `elementary` | exp, log(1 + u), tanh and erf written so that they can be vectorised |
| `dense` | sums of products: the way there and the way back through a Dense layer |
| `activations` | f, and ∂L/∂z from ∂L/∂a |
| `losses` | the loss of a batch and its gradient for the logits |
| `updates` | the rules |
| `plan` | a network, a loss and a rule as tables of numbers |
| `training` | the compiled run |
| `runs` | many networks at once, on threads |
| `engine` | a step at a time: an `Engine` of `pellucid.training` |

No formula here comes from the other interpreters, so that they check each other.
"""

from __future__ import annotations

from importlib.util import find_spec

from pellucid.errors import SettingError
from pellucid.network import Activation, Dense, Network, describe
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss

__all__ = ["MOST_PARAMETERS", "applies", "available", "missing_layer", "require"]

MOST_PARAMETERS = 4_000  # with more, PyTorch's products of matrices are as fast or faster


def available() -> bool:
    """Whether Numba is installed; it is not imported."""
    return find_spec("numba") is not None


def require() -> None:
    """Raise `SettingError` where Numba is missing."""
    if not available():
        raise SettingError("engine 'kernel' needs Numba: pip install 'pellucid[fast]', or use engine=auto")


def applies(network: Network, loss: Loss, optimizer: Optimizer) -> str | None:
    """Why the kernel is not for this network, in words; ``None`` where it is.

    Every loss and every update rule is there, so today only the network decides.

    >>> from pellucid.network import mlp
    >>> applies(mlp(2, [5, 2], 1), Loss(name="bce"), Optimizer()) is None
    True
    >>> applies(mlp(2, [5], 1, dropout=0.1), Loss(name="bce"), Optimizer())
    'layer 2 (Dropout 0.1) is not in the kernel, which has Dense layers and activations'
    >>> applies(mlp(784, [256], 10), Loss(name="cross_entropy"), Optimizer())
    'the network has 203,530 parameters, and the kernel is for at most 4,000'
    """
    missing = missing_layer(network)
    if missing is not None:
        return missing
    if network.n_trainable > MOST_PARAMETERS:
        return f"the network has {network.n_trainable:,} parameters, and the kernel is for at most {MOST_PARAMETERS:,}"
    return None


def missing_layer(network: Network) -> str | None:
    """The first layer that the kernel does not have, in words; ``None`` where it has all."""
    for index, layer in enumerate(network.layers):
        if not isinstance(layer, Dense | Activation):
            return f"layer {index} ({describe(layer)}) is not in the kernel, which has Dense layers and activations"
    return None
