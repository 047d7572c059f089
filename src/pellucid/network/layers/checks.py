"""Checks of a layer's fields; each raises `SettingError`."""

from __future__ import annotations

from pellucid.errors import SettingError
from pellucid.network.layers.layer import Shape

__all__ = ["MAX_WIDTH", "check_bool", "check_columns", "check_real", "check_whole"]

MAX_WIDTH = 1_000_000


def check_whole(kind: str, field: str, value: object, low: int, high: int) -> None:
    """Check that a field is a whole number from ``low`` to ``high``.

    Parameters
    ----------
    kind, field
        For the message: the kind of layer, such as ``Dense``, and the name of its field.
    value
        What the field holds.
    low, high
        The limits, both allowed.

    Raises
    ------
    SettingError
        The value is not an ``int`` (``True`` is not one), or outside the limits.
    """
    if type(value) is not int or not low <= value <= high:
        raise SettingError(f"{kind}'s {field} must be a whole number from {low:,} to {high:,}, got {value!r}")


def check_real(kind: str, field: str, value: object, low: float, high: float) -> None:
    """Check that a field is a number from ``low`` to ``high``.

    Parameters
    ----------
    kind, field
        For the message: the kind of layer, such as ``Dense``, and the name of its field.
    value
        What the field holds.
    low, high
        The limits, both allowed.

    Raises
    ------
    SettingError
        The value is neither an ``int`` nor a ``float``, or outside the limits.
    """
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
        raise SettingError(f"{kind}'s {field} must be a number from {low:g} to {high:g}, got {value!r}")


def check_bool(kind: str, field: str, value: object) -> None:
    """Check that a field is ``True`` or ``False``."""
    if type(value) is not bool:
        raise SettingError(f"{kind}'s {field} must be true or false, got {value!r}")


def check_columns(words: str, wanted: int, shape: Shape) -> None:
    """Check that the input has ``wanted`` numbers per row, ``(wanted,)``; ``words`` names the layer."""
    if len(shape) != 1:
        raise SettingError(
            f"{words} takes {wanted} numbers per row, but what comes before it gives the shape {list(shape)}"
        )
    if shape[0] != wanted:
        raise SettingError(
            f"{words} takes {wanted} inputs, but what comes before it gives {shape[0]}: "
            f"set its input width to {shape[0]}"
        )
