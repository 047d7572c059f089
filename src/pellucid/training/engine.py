"""What the training loop needs from an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pellucid.errors import SettingError, nearest
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss

__all__ = [
    "ENGINES",
    "ENGINE_ALIASES",
    "FASTEST_FIRST",
    "Engine",
    "check_engine",
    "engine_for",
    "make_engine",
    "unsupported",
    "why_chosen",
]

if TYPE_CHECKING:  # the command line reads ENGINES from here and should not load NumPy to print its help
    from numpy.typing import NDArray

    Array = NDArray[Any]

ENGINES = ("auto", "fused", "kernel", "torch", "textbook")
FASTEST_FIRST = ("fused", "torch")  # the engines that ``auto`` can choose
ENGINE_ALIASES = {"numpy": "textbook"}  # also accepted in settings: the name in older versions


class Engine(Protocol):
    """Something that holds weights and can learn from rows."""

    name: str
    device: str
    network: Network
    loss: Loss
    optimizer: Optimizer

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Take the training rows: inputs ``[N, I]``, targets ``[N]`` or ``[N, C]``, row weights ``[N]``."""

    def backward(self, rows: Array, masks: Sequence[Array]) -> float:
        """The loss of these distinct rows; fills the gradients and moves BatchNorm's running statistics.

        Parameters
        ----------
        rows
            Numbers of training rows ``[B]``.
        masks
            What `pellucid.training.batches.dropout_masks` returns for them.
        """

    def update(self, learning_rate: float) -> None:
        """Update the weights with the gradients of `backward` (or `load_gradients`), which this may overwrite."""

    def step(self, rows: Array, masks: Sequence[Array], learning_rate: float) -> float:
        """`backward`, then `update`; returns the loss before the update.

        A non-finite loss leaves the weights unchanged.
        """

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients that `backward` left, by parameter name."""

    def load_gradients(self, gradients: Mapping[str, Array]) -> None:
        """Copy these arrays over the gradients: a place for an all-reduce between `backward` and `update`."""

    def gradients(self, rows: Array, masks: Sequence[Array]) -> tuple[float, dict[str, Array]]:
        """The loss of these distinct rows, and its gradient for each trainable parameter; nothing changes."""

    def logits(self, inputs: Array) -> Array:
        """Logits ``[N, C]`` for inputs ``[N, I]``, as at prediction: nothing dropped, running statistics used."""

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""

    def memory(self) -> dict[str, Array]:
        """The update rule's state, as named arrays."""

    def load_memory(self, memory: Mapping[str, Array]) -> None:
        """Restore what `memory` returned."""


def make_engine(
    name: str,
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Mapping[str, Array],
    *,
    dtype: str = "float32",
    device: str = "auto",
    products: str = "blas",
) -> Engine:
    """The engine of this name; ``auto`` is the one that `engine_for` chooses.

    Parameters
    ----------
    name
        One of `ENGINES`.
    network, loss, optimizer
        The descriptions.
    parameters
        The initial weights, by name; copied.
    dtype
        ``float32`` or ``float64``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    products
        How the fused engine multiplies matrices (`pellucid.engines.fused.products.WAYS`); the others have one way only.

    Raises
    ------
    SettingError
        The engine or the device is unknown or not available, or the engine does not support the network; the message
        gives the reason and what to set instead.

    >>> from pellucid.network import mlp
    >>> from pellucid.network.initialise import initialise
    >>> net = mlp(2, [4], 1)
    >>> make_engine("textbook", net, Loss(name="bce"), Optimizer(), initialise(net, seed=0)).name
    'textbook'
    """
    name = ENGINE_ALIASES.get(name, name)
    if name not in ENGINES:
        raise SettingError(f"engine {name!r} is not known{nearest(str(name), ENGINES)}")
    if name == "auto":
        name, _ = engine_for(network, device)
    else:
        check_engine(name, network, device)
    if name == "textbook":
        from pellucid.engines.textbook.engine import TextbookEngine

        return TextbookEngine(network, loss, optimizer, parameters, dtype)
    if name == "kernel":
        from pellucid.engines.kernel.engine import KernelEngine

        return KernelEngine(network, loss, optimizer, parameters, dtype, device)
    if name == "fused":
        from pellucid.engines.fused.engine import FusedEngine

        return FusedEngine(network, loss, optimizer, parameters, dtype, device, products=products)
    from pellucid.engines.torch_engine.engine import TorchEngine

    return TorchEngine(network, loss, optimizer, parameters, dtype, device)


def engine_for(network: Network, device: str = "auto") -> tuple[str, str]:
    """The engine that ``auto`` chooses: the fastest that supports the network on the device, and why.

    The kernel and the textbook are used only on request; `pellucid.training.many` chooses the kernel by itself.

    Raises
    ------
    SettingError
        No engine supports the network; the message gives each one's reason.

    >>> from pellucid.network import mlp
    >>> engine_for(mlp(2, [4], 1), "cpu")
    ('fused', 'it is the fastest that supports this network')
    >>> engine_for(mlp(2, [4], 1), "mps")
    ('torch', 'it is the fastest that supports this network; the fused engine is not tested on mps')
    """
    reasons: list[str] = []
    for name in FASTEST_FIRST:
        reason = unsupported(name, network, device)
        if reason is None:
            return name, "; ".join(["it is the fastest that supports this network", *reasons])
        reasons.append(reason)
    raise SettingError(f"no engine can train this network: {'; '.join(reasons)}")


def check_engine(name: str, network: Network, device: str = "auto") -> None:
    """Raise `SettingError` if the engine of this name was requested and cannot train the network."""
    reason = unsupported(name, network, device)
    if reason is not None:
        raise SettingError(f"engine {name!r} cannot train this network: {reason}; use engine=auto")


def why_chosen(engine: Engine) -> str:
    """Why a run uses this engine: the reason from `engine_for`, or that it was asked for."""
    if engine.name in FASTEST_FIRST:
        usual, why = engine_for(engine.network, engine.device)
        if engine.name == usual:
            return why
    return "it was asked for"


def unsupported(name: str, network: Network, device: str = "auto") -> str | None:
    """Why the engine of this name cannot train the network on the device; ``None`` if it can."""
    if name == "fused":
        from pellucid.engines import fused

        return fused.supports(network, device)
    if name == "kernel":
        from pellucid.engines import kernel

        return kernel.supports(network, device)
    if name == "torch":
        from pellucid.engines import torch_engine

        return torch_engine.supports(network)
    from pellucid.engines import textbook

    if device not in ("auto", "cpu"):
        return f"the textbook runs on the cpu, not on {device}"
    return textbook.supports(network)
