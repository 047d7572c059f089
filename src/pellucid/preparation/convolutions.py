"""How a convolutional network for series and texts is built, where that is left open."""

from __future__ import annotations

from typing import NamedTuple

from pellucid.network.layers import Shape

__all__ = ["Convolutions", "usual_convolutions"]

_STEPS = 320  # a longer series has one more stage each time it is twice as long
_STAGES, _MOST_STAGES = 4, 8
_FIRST, _GROWTH, _WIDEST = 32, 1.5, 128


class Convolutions(NamedTuple):
    """The channels of each stage, the convolutions in one, and what the dense layers see of the last."""

    channels: tuple[int, ...]
    depth: int
    head: str


def usual_convolutions(shape: Shape) -> Convolutions:
    """The network for series ``(steps, channels)``, or for tokens ``(steps,)``.

    Series of one channel are mostly cut around what they show, such as a heartbeat or a movement from its beginning to
    its end: where something is tells as much as what it is, so the head sees all positions. Several channels mostly
    come from sensors that go on and on, cut anywhere: there the mean over the steps serves better. (Four series of one
    channel and two of several, folds of their training parts.) Texts get one convolution, of which each channel says
    whether it found its words anywhere (Kim 2014).

    >>> usual_convolutions((150, 1))
    Convolutions(channels=(32, 48, 72, 108), depth=2, head='flatten')
    >>> usual_convolutions((1000, 6))
    Convolutions(channels=(32, 48, 72, 108, 128, 128), depth=2, head='average')
    >>> usual_convolutions((256,))
    Convolutions(channels=(128,), depth=1, head='average')
    """
    if len(shape) == 1:
        return Convolutions((128,), 1, "average")
    steps, channels = shape
    stages = _STAGES
    while steps > _STEPS and stages < _MOST_STAGES:
        steps, stages = steps // 2, stages + 1
    widths = tuple(min(_WIDEST, int(_FIRST * _GROWTH**stage)) for stage in range(stages))
    return Convolutions(widths, 2, "flatten" if channels == 1 else "average")
