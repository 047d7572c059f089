"""How large a convolutional network for pictures is, where that is left open: by their size and their number."""

from __future__ import annotations

from pellucid.network.layers import Shape

__all__ = ["SMALLEST_SIDE", "usual_channels", "usual_depth"]

SMALLEST_SIDE = 8  # pixels: smaller pictures get a fully connected network
_SMALL, _MEDIUM = 15, 32  # pixels
_WIDEST_MAP = 8  # positions along the smaller side of the last map
_MOST_CHANNELS = 256


def usual_channels(shape: Shape, n_rows: int) -> tuple[int, ...]:
    """The channels of each stage, for pictures ``(channels, height, width)`` of which ``n_rows`` are learned from.

    Each stage but the last halves its maps, so a larger picture has more stages: the last map is 4 to 8 wide.

    >>> usual_channels((1, 8, 8), 1_000), usual_channels((1, 28, 28), 60_000), usual_channels((3, 32, 32), 5_000)
    ((32, 64), (16, 32, 64), (32, 64, 128))
    >>> usual_channels((3, 224, 224), 5_000)
    (32, 64, 128, 256, 256, 256)
    """
    colours, height, width = shape
    side = min(height, width)
    if side <= _SMALL:
        return (32, 64)
    if side <= _MEDIUM:
        return (16, 32, 64) if colours == 1 else (32, 64, 128)
    channels, side = [32], side // 2
    while side > _WIDEST_MAP:
        channels.append(min(2 * channels[-1], _MOST_CHANNELS))
        side //= 2
    return (*channels, min(2 * channels[-1], _MOST_CHANNELS))


def usual_depth(shape: Shape, n_rows: int) -> int:
    """Convolutions in a stage.

    >>> usual_depth((1, 28, 28), 60_000)
    1
    """
    return 1
