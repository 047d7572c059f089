"""The arithmetic of a convolution: at each position a patch times a filter, plus a bias.

Legend: ``C`` input channels of a group, ``K`` positions of the kernel, ``P`` positions of an output channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.padded_channels import of_padded_input
from pellucid.explanation.words.shared_parameter import sum_over_places
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import at, channel_name, names_of
from pellucid.explanation.words.values import Derivative, Derivatives, Parts, Sum
from pellucid.explanation.words.windows import windows_of
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.windows import times

__all__ = ["ConvolutionWords"]

Array = NDArray[Any]


class ConvolutionWords(Words):
    """z = Σ w · x + b over a patch; ∂L/∂x = Σ ∂L/∂z · w over the windows that cover it, ∂L/∂w = Σ ∂L/∂z · x over the
    positions.
    """  # fmt: skip

    def symbol(self, given: str) -> str:
        """The letter of what comes out: z."""
        return "z"

    def explain(self, step: NamedStep) -> str:
        """The formula, the size of a patch, and how many parameters there are."""
        layer = _layer(step)
        size = sum(array.size for array in step.work.parameters.values())
        bias = " + b" if layer.bias else ", without a bias"
        group, many = layer.in_channels // layer.groups, prod(step.work.shape_out[1:])
        channels = "1 channel" if group == 1 else f"{group:,} channels"
        of = " of its group" if layer.groups > 1 else ""
        padded = " Positions in the padding are 0." if any(map(any, layer.pads)) else ""
        return (
            f"z = Σ w · {step.given}{bias}, over a patch of {times(layer.kernel)} positions in {channels}{of}: at each "
            f"of {many:,} positions with the same weights, {size:,} parameters in all.{padded}"
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """z = Σ w · x + b, over the patch; in the padding x is 0."""
        channel, position = divmod(unit, prod(step.work.shape_out[1:]))
        places = _places(step, channel, position)
        weights = step.work.parameters["weight"][channel].ravel()
        inputs = _at(step.work.inputs, places)
        biases = step.work.parameters.get("bias")
        return [
            Sum(
                symbol=step.symbol,
                formula=f"Σ w · {step.given}" + ("" if biases is None else " + b"),
                origin="from",
                calculation=f"{{w}} · {{{step.given}}}",
                names=_patch_names(step, places, position),
                factors=(weights, inputs),
                values=weights * inputs,
                side="inputs",
                places=places,
                bias=None if biases is None else float(biases[channel]),
                result=float(step.work.outputs[unit]),
            )
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂x = Σ ∂L/∂z · w, over the outputs whose windows cover it, in every channel that it feeds."""
        if padding := of_padded_input(step, unit):
            return padding
        layer = _layer(step)
        channel, position = divmod(unit, prod(step.work.shape_in[1:]))
        group, within = divmod(channel, layer.in_channels // layer.groups)
        fed = layer.out_channels // layer.groups
        outputs, kernel = windows_of(step).covering(position)
        channels = np.arange(group * fed, (group + 1) * fed)
        kernels = step.work.parameters["weight"][channels, within].reshape(fed, -1)
        places = (channels[:, np.newaxis] * prod(step.work.shape_out[1:]) + outputs).ravel()
        slopes, weights = step.d_outputs[places], kernels[:, kernel].ravel()
        return [
            Sum(
                symbol=step.d_given,
                formula=f"Σ {step.d_symbol} · w",
                origin="through",
                calculation=f"{{{step.d_symbol}}} · {{w}}",
                names=names_of(step.names_out, places),
                factors=(slopes, weights),
                values=slopes * weights,
                side="outputs",
                places=places,
                result=float(step.d_inputs[unit]),
            )
        ]

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The first position of each channel: all positions share its weights."""
        many = prod(step.work.shape_out[1:])
        return range(0, len(step.work.outputs), many)

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂w = Σ ∂L/∂z · x and ∂L/∂b = Σ ∂L/∂z, over the positions of the unit's channel."""
        work, many = step.work, prod(step.work.shape_out[1:])
        channel = unit // many
        slope = float(step.d_outputs[channel * many : (channel + 1) * many].sum())
        own: tuple[Derivative, ...] = ()
        if "bias" in work.parameters:
            own = (
                Derivative(
                    sign="b",
                    name="bias b",
                    factor=1.0,
                    gradient=float(work.gradients["bias"][channel]),
                    old=float(work.parameters["bias"][channel]),
                    new=float(work.updated["bias"][channel]),
                ),
            )
        return [
            Derivatives(
                caption=f"Its weights, ∂L/∂w = Σ {step.d_symbol} · {step.given} over {many:,} positions",
                unit=channel_name(step.names_out, channel),
                symbol=f"Σ {step.d_symbol}",
                slope=slope,
                factor=step.given,
                own=own,
                names=_weight_names(step, channel),
                gradients=work.gradients["weight"][channel].ravel(),
                old=work.parameters["weight"][channel].ravel(),
                new=work.updated["weight"][channel].ravel(),
                positions=many,
                sum_of=partial(_weight, step, channel),
            )
        ]


def _weight(step: NamedStep, channel: int, i: int) -> Sum:
    """∂L/∂w of one weight of a channel: Σ ∂L/∂z · x over all positions."""
    many = prod(step.work.shape_out[1:])
    inputs = _at(step.work.inputs, np.array([_places(step, channel, p)[i] for p in range(many)]))
    places = np.arange(channel * many, (channel + 1) * many)
    gradient = float(step.work.gradients["weight"][channel].ravel()[i])
    return sum_over_places(step, "∂L/∂w", step.given, inputs, places, gradient)


def _places(step: NamedStep, channel: int, position: int) -> Array:
    """The inputs under the filter of a channel, ``[C · K]``; −1 in the padding."""
    layer, before = _layer(step), prod(step.work.shape_in[1:])
    many = layer.in_channels // layer.groups
    first = channel // (layer.out_channels // layer.groups) * many
    covered = windows_of(step).covered(position)
    channels = np.arange(first, first + many)[:, np.newaxis] * before
    return np.where(covered < 0, -1, channels + covered).ravel()


def _patch_names(step: NamedStep, places: Array, position: int) -> list[str]:
    coordinates = windows_of(step).coordinates(position)
    return [
        step.names_in[k] if k >= 0 else f"padding {at([int(c) for c in coordinates[i % len(coordinates)]])}"
        for i, k in enumerate(places)
    ]


def _weight_names(step: NamedStep, channel: int) -> list[str]:
    """The places of a filter: the channel that it reads, and the place in the kernel."""
    layer = _layer(step)
    many = layer.in_channels // layer.groups
    first = channel // (layer.out_channels // layer.groups) * many
    offsets = [at([int(t) for t in offset]) for offset in windows_of(step).offsets]
    return [
        f"{channel_name(step.names_in, c)}, kernel {offset}" for c in range(first, first + many) for offset in offsets
    ]


def _at(values: Array, places: Array) -> Array:
    """The values at places; 0 in the padding."""
    return np.where(places < 0, 0.0, values[places])


def _layer(step: NamedStep) -> Convolution:
    assert isinstance(step.work.layer, Convolution)
    return step.work.layer
