"""Small convolutional networks of all kinds of layers, traced, for the tests of what is said and shown of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.engines.torch_engine.module import build
from pellucid.explanation import RowTrace, trace_row
from pellucid.explanation.words import NamedStep, named_steps
from pellucid.explanation.words.unit_names import input_names
from pellucid.network import (
    Activation,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    BatchNorm2d,
    ChannelDropout,
    Conv1d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool1d,
    MaxPool2d,
    Network,
    Residual,
)
from pellucid.network.layers import Shape
from pellucid.network.layers.layer import shapes_after
from pellucid.network.task import Loss

__all__ = ["Theirs", "every_map_kind", "every_series_kind", "map_networks", "theirs_of", "traced_map"]

Array = NDArray[Any]


@st.composite
def map_networks(draw: Any, axes: int | None = None) -> Network:
    """Convolutions of any kernel, stride, padding, dilation and groups, with all that may stand between them."""
    axes = axes or draw(st.integers(1, 2))
    groups = draw(st.sampled_from((1, 2)))
    shape: Shape = (draw(st.sampled_from((1, 2))) * groups, *(draw(st.integers(4, 6)) for _ in range(axes)))
    layers: list[Layer] = [] if draw(st.booleans()) else [draw(pools(axes))]
    after = shapes_after(layers, shape)[-1] if layers else shape
    for _ in range(draw(st.integers(1, 2))):
        layers.append(draw(convolutions(axes, after, groups)))
        after = shapes_after(layers, shape)[-1]
        if min(after[1:]) >= 2 and draw(st.booleans()):
            layers.append(draw(pools(axes)))
            after = shapes_after(layers, shape)[-1]
        layers += draw(st.sampled_from(((), (norm_of(axes, after[0]),))))
        layers.append(Activation(function=draw(st.sampled_from(("relu", "tanh", "gelu")))))
        if draw(st.booleans()):
            layers += [residual(axes, after[0]), ChannelDropout(rate=0.2)]
    layers.append(draw(st.sampled_from((Flatten(), GlobalAvgPool()))))
    width = shapes_after(layers, shape)[-1][0]
    return Network(shape=shape, layers=(*layers, Dense(inputs=width, outputs=2)))


@st.composite
def convolutions(draw: Any, axes: int, shape: Shape, groups: int) -> Layer:
    kernel = tuple(draw(st.integers(1, min(3, extent))) for extent in shape[1:])
    same = draw(st.booleans())
    stride = 1 if same else draw(st.integers(1, 2))
    room = min(extent // max(1, k) for extent, k in zip(shape[1:], kernel, strict=True))
    dilation = draw(st.integers(1, 2)) if room >= 2 else 1
    kind = Conv1d if axes == 1 else Conv2d
    return kind(
        in_channels=shape[0], out_channels=2 * groups, kernel_size=kernel, stride=stride,
        padding="same" if same else draw(st.integers(0, 2)), dilation=dilation, groups=groups, bias=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def pools(draw: Any, axes: int) -> Layer:
    kinds = (MaxPool1d, AvgPool1d) if axes == 1 else (MaxPool2d, AvgPool2d)
    size = draw(st.integers(1, 2))
    padding = draw(st.integers(0, size // 2))
    return draw(st.sampled_from(kinds))(kernel_size=size, stride=draw(st.integers(1, 2)), padding=padding)


def norm_of(axes: int, channels: int) -> Layer:
    return BatchNorm(width=channels) if axes == 1 else BatchNorm2d(width=channels)


def residual(axes: int, channels: int) -> Residual:
    kind = Conv1d if axes == 1 else Conv2d
    inside = kind(in_channels=channels, out_channels=channels, kernel_size=3, padding="same", bias=False)
    return Residual(block=(inside, norm_of(axes, channels), Activation(function="relu")))


def every_map_kind() -> tuple[RowTrace, tuple[NamedStep, ...]]:
    """A network of pictures with every kind of layer that works on maps, and strides, paddings and groups that show."""
    layers = (
        Conv2d(in_channels=2, out_channels=4, kernel_size=(2, 3), stride=2, padding=(0, 2), dilation=(2, 1), groups=2),
        MaxPool2d(kernel_size=2, stride=1, padding=1),
        BatchNorm2d(width=4),
        Activation(function="tanh"),
        Residual(block=(Conv2d(in_channels=4, out_channels=4, kernel_size=3, padding="same", groups=4),)),
        AvgPool2d(kernel_size=2, stride=2, padding=1),
        ChannelDropout(rate=0.3),
        Conv2d(in_channels=4, out_channels=3, kernel_size=2),
        GlobalAvgPool(),
        Dense(inputs=3, outputs=2),
    )
    return traced_map(Network(shape=(2, 6, 7), layers=layers), 3)


def every_series_kind() -> tuple[RowTrace, tuple[NamedStep, ...]]:
    """The same for series."""
    layers = (
        Conv1d(in_channels=2, out_channels=4, kernel_size=3, stride=2, padding=2, dilation=2, groups=2),
        BatchNorm(width=4),
        Activation(function="gelu"),
        MaxPool1d(kernel_size=2, stride=1, padding=1),
        AvgPool1d(kernel_size=2, stride=2, padding=1),
        Flatten(),
        Dense(inputs=16, outputs=2),
    )
    return traced_map(Network(shape=(2, 11), layers=layers), 4)


def parameters_of(network: Network, seed: int) -> dict[str, Any]:
    """Numbers that are all different and none of which is 0, so that none can be forgotten unseen."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for parameter in network.parameters():
        if parameter.dtype == "int64":
            found[parameter.name] = np.asarray(7)
        elif parameter.name.endswith("running_var"):
            found[parameter.name] = rng.uniform(0.2, 2.0, parameter.shape)
        else:
            found[parameter.name] = rng.uniform(0.2, 1.2, parameter.shape) * rng.choice([-1, 1], parameter.shape)
    return found


def traced_map(network: Network, seed: int) -> tuple[RowTrace, tuple[NamedStep, ...]]:
    """A random picture through the network; one of its numbers is there twice, so that maxima are tied."""
    x = np.random.default_rng(seed + 1).normal(size=network.shape)
    x.ravel()[1] = x.ravel()[0]
    found = trace_row(
        network, parameters_of(network, seed), x, loss=Loss(name="mse"), target=np.array([[-1.0, 1.0]])
    )  # fmt: skip
    return found, named_steps(found, input_names(network.shape), ["y = a", "y = b"])


class Theirs:
    """The same row in PyTorch: what each layer received and gave, and autograd's derivatives, by the layer's name."""

    def __init__(self, found: RowTrace) -> None:
        self.inputs: dict[str, torch.Tensor] = {}
        self.outputs: dict[str, torch.Tensor] = {}
        module = build(found.network, found.parameters, torch.float64).eval()
        for name, each in module.named_modules():
            if name:
                each.register_forward_hook(self._keep(name))
        first = found.layers[0]
        x = torch.from_numpy(first.inputs.reshape(1, *first.shape_in).copy()).requires_grad_()
        goal = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)
        ((module(x) - goal) ** 2).mean().backward()
        self.d_picture = x.grad
        self.gradients = {name: parameter.grad for name, parameter in module.named_parameters()}

    def _keep(self, name: str) -> Any:
        def hook(module: Any, given: tuple[torch.Tensor, ...], gave: torch.Tensor) -> None:
            if gave.requires_grad:
                gave.retain_grad()
            self.inputs[name], self.outputs[name] = given[0], gave

        return hook


def theirs_of(found: RowTrace) -> Theirs:
    """PyTorch's numbers for a traced row."""
    return Theirs(found)
