"""The elementwise functions."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Activation

__all__ = ["TABLE", "activation_module"]

_MODULES: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    # Above its threshold PyTorch returns z for ln(1 + eᶻ); at its default of 20 that is off by 2e-9.
    "softplus": lambda: nn.Softplus(threshold=40),
}


def activation_module(function: str) -> nn.Module:
    """PyTorch's module for an activation of `pellucid.network.ACTIVATIONS`."""
    return _MODULES[function]()


def module(layer: Activation, make: Make) -> nn.Module:
    """The module of that name."""
    return activation_module(layer.function)


TABLE = {Activation: Rule(module=module)}
