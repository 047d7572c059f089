"""The network of a study as a picture: inputs, layers, outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from pellucid.network import Network
from pellucid.studies.story import Story

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_network"]


def draw_network(
    story: Story,
    network: Network,
    parameters: Mapping[str, ArrayLike],
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    when: str,
    title: str = "The network",
) -> None:
    """Add a picture of a network to a story.

    Parameters
    ----------
    story
        Is told the picture.
    network, parameters
        The description and its arrays, by name.
    inputs, outputs
        Names of the inputs and of the outputs; the circles of a side without names are not labelled.
    when
        The state of the weights for the caption, such as ``before training``.
    title
        Above the picture.
    """

    def draw() -> Figure:
        from pellucid.plots.architecture import layers_drawing

        return layers_drawing(network, parameters, outputs, inputs=inputs, title=title)

    story.draw(
        "network",
        draw,
        f"Each circle is a unit, each line a weight {when}: blue if positive, vermilion if negative, thicker if "
        "larger. If there are many weights, only the strongest are drawn. “+ 20” below a column means 20 more units.",
    )
