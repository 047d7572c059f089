"""What the training loop asks of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pellucid.errors import SettingError, nearest
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss

__all__ = ["ENGINES", "ENGINE_ALIASES", "Engine", "engine_for", "make_engine"]

if TYPE_CHECKING:  # the command line reads ENGINES from here, and should not load NumPy to print its help
    from numpy.typing import NDArray

    Array = NDArray[Any]

ENGINES = ("auto", "fused", "kernel", "torch", "textbook")
ENGINE_ALIASES = {"numpy": "textbook"}  # what a setting may also say: the name of older versions


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
        """The loss of these rows, none twice; fills the gradients and moves BatchNorm's running statistics."""

    def update(self, learning_rate: float) -> None:
        """Change the weights by the gradients that `backward` (or `load_gradients`) left; may overwrite them."""

    def step(self, rows: Array, masks: Sequence[Array], learning_rate: float) -> float:
        """`backward`, then `update`; returns the loss before the update.

        A non-finite loss leaves the weights unchanged.
        """

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients that `backward` left, by parameter name."""

    def load_gradients(self, gradients: Mapping[str, Array]) -> None:
        """Copy these arrays over the gradients: a place for an all-reduce between `backward` and `update`."""

    def gradients(self, rows: Array, masks: Sequence[Array]) -> tuple[float, dict[str, Array]]:
        """The loss of these rows, none twice, and its gradient for each trainable parameter; nothing changes."""

    def logits(self, inputs: Array) -> Array:
        """Logits ``[N, C]`` for inputs ``[N, I]``, nothing dropped, running statistics used."""

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""

    def memory(self) -> dict[str, Array]:
        """What the update rule remembers, as named arrays."""

    def load_memory(self, memory: Mapping[str, Array]) -> None:
        """Take up what `memory` gave."""


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
    """The engine of this name; ``auto`` is the one that `engine_for` names.

    ``products`` says how the fused engine multiplies matrices (`pellucid.engines.fused.products.WAYS`); the
    others have one way only.

    >>> from pellucid.network import mlp
    >>> from pellucid.network.initialise import initialise
    >>> net = mlp(2, [4], 1)
    >>> make_engine("textbook", net, Loss(name="bce"), Optimizer(), initialise(net, seed=0)).name
    'textbook'
    """
    name = ENGINE_ALIASES.get(name, name)
    if name not in ENGINES:
        raise SettingError(f"engine {name!r} is not known{nearest(str(name), ENGINES)}")
    if name == "textbook":
        if device not in ("auto", "cpu"):
            raise SettingError(f"the textbook engine runs on the cpu, not on {device!r}: use engine=torch")
        from pellucid.engines.textbook.engine import TextbookEngine

        return TextbookEngine(network, loss, optimizer, parameters, dtype)
    if name == "kernel":
        from pellucid.engines.kernel.engine import KernelEngine

        return KernelEngine(network, loss, optimizer, parameters, dtype, device)
    if name == "auto":
        name, _ = engine_for(device)
    if name == "fused":
        from pellucid.engines.fused.engine import FusedEngine

        return FusedEngine(network, loss, optimizer, parameters, dtype, device, products=products)
    from pellucid.engines.torch_engine.engine import TorchEngine

    return TorchEngine(network, loss, optimizer, parameters, dtype, device)


def engine_for(device: str) -> tuple[str, str]:
    """The engine that ``auto`` stands for on a device, and why.

    >>> engine_for("cpu")[0]
    'fused'
    """
    if device == "mps":
        return "torch", "the fused plan is not tried on mps"
    return "fused", "it has every layer, loss and rule, and is the fastest"
