"""How a network for pictures is built, and what it is shown, where that is left open: by their size and number."""

from __future__ import annotations

from pellucid.network.layers import Shape

__all__ = ["SMALLEST_SIDE", "usual_changes", "usual_channels", "usual_head"]

SMALLEST_SIDE = 8  # pixels: smaller pictures get a fully connected network
_SMALL, _MEDIUM = 15, 32  # pixels
_FEW = 2_000  # pictures
_MANY = 20_000  # pictures
_WIDEST_MAP = 8  # positions along the smaller side of the last map


def usual_channels(shape: Shape, n_rows: int) -> tuple[int, ...]:
    """The channels of each stage, for pictures ``(channels, height, width)`` of which ``n_rows`` are learned from.

    Each stage but the last halves its maps, so a larger picture has more stages: the last map is 4 to 8 wide. Grey
    pictures, and fewer than 2,000 in colour, begin with half as many channels, and few pictures end with at most 128.

    >>> usual_channels((1, 8, 8), 1_000), usual_channels((1, 28, 28), 60_000), usual_channels((3, 32, 32), 5_000)
    ((32, 64), (16, 32, 64), (32, 64, 128))
    >>> usual_channels((3, 224, 224), 5_000)
    (32, 64, 128, 256, 256, 256)
    >>> usual_channels((3, 224, 224), 500)
    (16, 32, 64, 128, 128, 128)
    """
    colours, height, width = shape
    side = min(height, width)
    if side <= _SMALL:
        return (32, 64)
    first, most = (16 if colours == 1 or n_rows < _FEW else 32), (128 if n_rows < _FEW else 256)
    if side <= _MEDIUM:
        return (first, 2 * first, 4 * first)
    channels, side = [first], side // 2
    while side > _WIDEST_MAP:
        channels.append(min(2 * channels[-1], most))
        side //= 2
    return (*channels, min(2 * channels[-1], most))


def usual_head(shape: Shape, n_rows: int) -> str:
    """``flatten`` for many small pictures, else ``average``.

    With all positions of the last maps the network knows where something is, which many pictures can teach it. The
    average of each map does not change if the picture is shifted, which few pictures cannot teach.

    >>> usual_head((1, 28, 28), 60_000), usual_head((1, 28, 28), 5_000), usual_head((3, 128, 128), 60_000)
    ('flatten', 'average', 'average')
    """
    return "flatten" if _many_small(shape, n_rows) else "average"


def usual_changes(shape: Shape, n_rows: int) -> str:
    """How training pictures are changed, as ``augment`` says it: whether they are mirrored too is found later.

    They are shifted by a tenth of their sides, or by one pixel where many of them show by themselves where things may
    be. A pixel is too far in pictures of a few pixels, and what is reflected at the border too much: they are rotated.

    >>> usual_changes((3, 64, 64), 500), usual_changes((1, 28, 28), 60_000), usual_changes((1, 8, 8), 3_000)
    ('shift', 'shift=1', 'rotate')
    """
    if min(shape[1:]) <= _SMALL:
        return "rotate"
    return "shift=1" if _many_small(shape, n_rows) else "shift"


def _many_small(shape: Shape, n_rows: int) -> bool:
    return min(shape[1:]) <= _MEDIUM and n_rows >= _MANY
