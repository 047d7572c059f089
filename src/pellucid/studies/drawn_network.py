"""The network of a study as a picture: what goes in, the layers, what comes out."""

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
    """Tell a picture of a network; ``when`` says of which moment its weights are, such as ``before it learns``."""

    def draw() -> Figure:
        from pellucid.plots.architecture import layers_drawing

        return layers_drawing(network, parameters, outputs, inputs=inputs, title=title)

    story.draw(
        "network",
        draw,
        f"Each circle is a number, each line a weight {when}: blue above 0, vermilion below, thick where large; of "
        "many only the strongest are drawn. “+ 20” below a column: so many circles more.",
    )
