"""What a trained convolutional network finds in a picture: its first filters, feature maps, and where it looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.inside import look_inside
from pellucid.explanation.channels import feature_maps, map_layers
from pellucid.explanation.grad_cam import enlarged, grad_cam
from pellucid.network import Layer, Network
from pellucid.network.layers import Shape
from pellucid.studies.story import Story

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["attention", "draw_blocks", "n_trainable", "tell_attention", "tell_maps"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]

_FILTERS, _MAPS = 12, 8


def n_trainable(layer: Layer, shape: Shape) -> int:
    """How many numbers of a layer are learned, for rows of this shape.

    >>> from pellucid.network import Dense
    >>> n_trainable(Dense(inputs=3, outputs=2), (3,))
    8
    """
    return sum(parameter.size for parameter in layer.parameters(shape) if parameter.trainable)


def draw_blocks(story: Story, network: Network, names: Sequence[str]) -> None:
    """Draw a convolutional network as blocks of maps."""

    def draw() -> Figure:
        from pellucid.plots.maps import maps_drawing

        return maps_drawing(network, names, title="The network")

    story.draw(
        "network",
        draw,
        "From left to right: the maps become smaller and their number grows; the last block has one number for each "
        "class.",
    )


def tell_maps(story: Story, network: Network, parameters: Parameters, inputs: Array, picture: Array) -> None:
    """Tell what the first filters look like, and what each convolution gives for one picture.

    Parameters
    ----------
    story
        Is told.
    network, parameters
        A convolutional network, and its arrays by name.
    inputs
        One picture as the network takes it, ``[C, H, W]``.
    picture
        The same as bytes, ``[H, W, C]``.
    """
    layers = map_layers(network)
    story.heading("What the filters find")
    weight = parameters[f"{layers[0].name}.weight"]
    shown = weight[:_FILTERS].transpose(0, 2, 3, 1)
    story.say(
        f"The first convolution has {len(weight)} filters of {weight.shape[2]} × {weight.shape[3]} weights"
        + (f" for each of the {weight.shape[1]} colours" if weight.shape[1] > 1 else "")
        + ". They began as random numbers. Each gives a map of the picture, which is large where the filter fits; the "
        "next convolutions look at these maps, see more of the picture at once, and answer to larger patterns."
    )

    def draw_filters() -> Figure:
        from pellucid.plots.channels import filters_over_time

        return filters_over_time(
            [("trained", shown)], [str(i) for i in range(len(shown))], title="Filters of the first convolution"
        )

    story.draw(
        "filters",
        draw_filters,
        "Each square is a filter. "
        + (
            "Its colours are the weights of red, green and blue: grey is 0."
            if weight.shape[1] == 3
            else "Orange weights are above 0, purple ones below."
        ),
    )
    maps = feature_maps(network, parameters, inputs)

    def draw_maps() -> Figure:
        from pellucid.plots.channels import feature_map_sheet

        strongest = [each[np.argsort(-each.max(axis=(1, 2)), kind="stable")[:_MAPS]] for each in maps]
        captions = [f"convolution {layer.number}, {layer.shape[1]} × {layer.shape[2]}" for layer in layers]
        return feature_map_sheet(picture, [("trained", strongest)], captions, title="Feature maps of one test picture")

    story.draw(
        "maps",
        draw_maps,
        f"Of each convolution the {_MAPS} maps with the largest numbers, after the activation: light is large.",
    )


def attention(network: Network, parameters: Parameters, inputs: Array, classes: Array) -> Array:
    """Grad-CAM maps ``[N, H, W]`` of the last convolution, from 0 to 1: where each picture speaks for a class.

    Parameters
    ----------
    network, parameters
        A convolutional network, and its arrays by name.
    inputs
        Pictures as the network takes them, ``[N, C, H, W]``.
    classes
        The number of the class that is asked about, for each picture.
    """
    last = map_layers(network)[-1].last
    chosen = np.eye(network.outputs, dtype=inputs.dtype)[classes]
    found = look_inside(network, parameters, inputs, names=[last], towards=lambda logits: chosen)
    height, width = inputs.shape[2:]
    each = [
        enlarged(grad_cam(a, d), height, width) for a, d in zip(found.outputs[last], found.d_outputs[last], strict=True)
    ]
    return np.array([values / (values.max() or 1.0) for values in each])


def tell_attention(
    story: Story,
    maps: Array,
    pictures: Array,
    answers: Sequence[str],
    truth: Sequence[str],
) -> None:
    """Tell where the network looked, for some pictures.

    Parameters
    ----------
    story
        Is told.
    maps
        ``[N, H, W]``: `attention` for the answers.
    pictures
        Bytes ``[N, H, W, C]``.
    answers, truth
        The answer to each picture, and its class.
    """
    story.heading("Where it looked")
    story.say(
        "Grad-CAM (Selvaraju et al. 2017) asks the last convolution: which of its maps would raise the answer if they "
        "were larger, and where are they large? The result is a coarse map over the picture. It is no proof of a "
        "reason, but it shows whether the network looked at the thing or at the background."
    )

    def draw() -> Figure:
        from pellucid.plots.convolution import overlaid

        captions = [a if a == t else f"✗ {a}\nis {t}" for a, t in zip(answers, truth, strict=True)]
        return overlaid(pictures, maps, captions, title="Pictures and what spoke for the answer")

    story.draw(
        "attention",
        draw,
        "Above the pictures with the network's answers, a wrong one with ✗ and the true class below it; underneath, "
        "in orange, what spoke for the answer.",
    )
