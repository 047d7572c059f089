"""What the layers that read a sequence step by step share: a row is ``(steps, width)``."""

from __future__ import annotations

from pellucid.errors import SettingError
from pellucid.network.layers.layer import Shape

__all__ = ["check_steps"]


def check_steps(words: str, shape: Shape, wanted: int | None = None) -> None:
    """Check that a row is ``(steps, width)``.

    Parameters
    ----------
    words
        Names the layer.
    shape
        Of a row.
    wanted
        The width that the layer takes; ``None``: any.

    Raises
    ------
    SettingError
        The row is no sequence, or its steps have another width.
    """
    if len(shape) != 2:
        raise SettingError(
            f"{words} takes sequences, rows of the shape (steps, width), but what comes before it gives the shape "
            f"{list(shape)}"
        )
    if wanted is not None and shape[1] != wanted:
        raise SettingError(
            f"{words} takes {wanted} numbers at each step, but what comes before it gives {shape[1]}: set its input "
            f"width to {shape[1]}"
        )
