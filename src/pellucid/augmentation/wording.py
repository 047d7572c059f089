"""How people ask for an augmentation: ``shift,flip``, or with strengths ``shift=3,rotate=15``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pellucid.errors import SettingError, nearest

__all__ = ["FLIPS", "KINDS", "as_text", "asked", "check_strength"]

FLIPS = ("horizontal", "vertical", "both")

# Each kind: its strength where none is given (None: decided by the size of the pictures), its limit, and what it is.
KINDS: dict[str, tuple[float | str | None, float, str]] = {
    "shift": (None, 4096.0, "pixels, or below 1 a share of the shorter side"),
    "flip": ("horizontal", 0.0, "horizontal, vertical or both"),
    "rotate": (10.0, 180.0, "degrees to either side"),
    "crop": (0.2, 0.9, "the share of each side that may be cut off"),
    "colour": (0.2, 1.0, "how far brightness, contrast and saturation may change, as a share"),
    "erase": (0.25, 1.0, "the side of the erased square, as a share of the picture's"),
}
_OTHER_NAMES = {"color": "colour", "cutout": "erase", "zoom": "crop", "mirror": "flip", "rotation": "rotate"}


def asked(text: str, name: str = "augment") -> dict[str, float | str | None]:
    """The kinds in ``text`` with the strengths given; ``None`` where the size of the pictures decides.

    Raises
    ------
    SettingError
        A kind is unknown or occurs twice, or a strength is out of its range.

    >>> asked("shift, flip, rotate=15")
    {'shift': None, 'flip': 'horizontal', 'rotate': 15.0}
    >>> asked("none")
    {}
    """
    found: dict[str, float | str | None] = {}
    if text.strip().lower() in ("none", ""):
        return found
    for part in text.replace(";", ",").split(","):
        word, equals, strength = (piece.strip().lower() for piece in part.partition("="))
        kind = _OTHER_NAMES.get(word, word)
        if kind not in KINDS:
            raise SettingError(
                f"{name} {word!r} is not known{nearest(word, KINDS)}: use auto, none, or a list of {', '.join(KINDS)}"
            )
        if kind in found:
            raise SettingError(f"{name} names {kind} twice; give each kind once")
        found[kind] = check_strength(kind, strength, name) if equals else KINDS[kind][0]
    return found


def check_strength(kind: str, strength: object, name: str = "augment") -> float | str:
    """The strength of a kind, if it is within its limits.

    Raises
    ------
    SettingError
        It is no number, or out of the range of its kind.

    >>> check_strength("rotate", "15"), check_strength("flip", "both")
    (15.0, 'both')
    """
    _, limit, unit = KINDS[kind]
    if kind == "flip":
        if strength not in FLIPS:
            raise SettingError(f"{name}: flip must be {unit}, got {strength!r}")
        return str(strength)
    try:
        number = float(strength) if not isinstance(strength, bool) else -1.0  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = -1.0
    whole = kind != "shift" or number < 1 or number.is_integer()
    if not 0 <= number <= limit or not whole:
        kinds = "a whole number of " if kind == "shift" else ""
        raise SettingError(f"{name}: {kind} must be from 0 to {limit:g} ({kinds}{unit}), got {strength!r}")
    return number


def as_text(strengths: Mapping[str, Any]) -> str:
    """What `asked` reads; kinds without a strength, or with their usual one, by name alone.

    >>> as_text({"shift": None, "flip": "horizontal", "rotate": 15.0})
    'shift,flip,rotate=15'
    >>> as_text({})
    'none'
    """
    words = []
    for kind, strength in strengths.items():
        usual = strength is None or strength == KINDS[kind][0]
        said = strength if isinstance(strength, str) or strength is None else f"{strength:g}"
        words.append(kind if usual else f"{kind}={said}")
    return ",".join(words) or "none"
