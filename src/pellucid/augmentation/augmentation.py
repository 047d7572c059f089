"""The description of an augmentation: which changes may happen to a training picture, and how strong they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from pellucid.augmentation.wording import as_text, asked, check_strength
from pellucid.errors import SettingError

if TYPE_CHECKING:  # the command line checks settings without loading NumPy
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Augmentation"]

_SHIFT = 10  # the usual shift is a tenth of the shorter side


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What may happen to a training picture; each picture gets its own random draw, within these limits.

    Parameters
    ----------
    shift
        Pixels to each side, up and down; what comes in at the border is the picture reflected.
    flip
        Mirrored with probability ½: ``horizontal`` (left and right change places), ``vertical`` or ``both``, each on
        its own; empty for never.
    rotate
        Degrees to either side.
    crop
        The largest share of each side that is cut off; the window that is left is enlarged to the size of the picture.
    colour
        How far brightness, contrast and saturation may change: 0.2 for factors from 0.8 to 1.2.
    erase
        The side of a square filled with the picture's mean colour, as a share of the picture's sides (Cutout, DeVries &
        Taylor 2017). Its centre is anywhere in the picture, so part of it may lie outside.

    Raises
    ------
    SettingError
        A strength is out of its range.

    >>> Augmentation(shift=2, flip="horizontal").words()
    'shifted by up to 2 pixels, mirrored left to right in half of the cases'
    >>> Augmentation().is_none
    True
    """

    shift: int = 0
    flip: str = ""
    rotate: float = 0.0
    crop: float = 0.0
    colour: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        """Check the strengths."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "flip" and value == "":
                continue
            check_strength(each.name, value)
        if type(self.shift) is not int:
            raise SettingError(f"shift must be a whole number of pixels, got {self.shift!r}")

    @classmethod
    def of(cls, text: str, shape: Sequence[int]) -> Augmentation:
        """What ``text`` asks for, such as ``shift,flip,rotate=15``, for pictures of this height and width.

        Raises
        ------
        SettingError
            A kind is unknown, a strength is out of its range, or the pictures are too small to be shifted so far.

        >>> Augmentation.of("shift,flip", (32, 32))
        Augmentation(shift=3, flip='horizontal', rotate=0.0, crop=0.0, colour=0.0, erase=0.0)
        """
        strengths: dict[str, Any] = dict(asked(text))
        side = min(shape[:2])
        if "shift" in strengths:
            far = strengths["shift"]
            if far is None:
                far = max(1, side // _SHIFT) if side > 1 else 0
            strengths["shift"] = round(far * side) if 0 < far < 1 else int(far)
        made = cls(**strengths)
        made.check(shape)
        return made

    def check(self, shape: Sequence[int]) -> None:
        """Raise `SettingError` if pictures of this height and width are too small to be shifted so far."""
        if self.shift >= max(1, min(shape[:2])):
            raise SettingError(
                f"augment: pictures of {shape[0]} × {shape[1]} pixels cannot be shifted by {self.shift}; give a shift "
                f"of at most {min(shape[:2]) - 1}"
            )

    @property
    def is_none(self) -> bool:
        """Whether nothing is changed."""
        return not self.given

    @property
    def given(self) -> dict[str, Any]:
        """The kinds that change something, with their strengths.

        >>> Augmentation(rotate=10.0).given
        {'rotate': 10.0}
        """
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def text(self) -> str:
        """What `of` reads.

        >>> Augmentation(shift=2, rotate=10.0, flip="both").text
        'shift=2,flip=both,rotate'
        """
        return as_text(self.given)

    def words(self) -> str:
        """The changes in words."""
        sides = {"horizontal": "left to right", "vertical": "upside down", "both": "left to right and upside down"}
        said = {
            "shift": f"shifted by up to {self.shift} pixel{'s' if self.shift != 1 else ''}",
            "flip": f"mirrored {sides.get(self.flip, '')} in half of the cases",
            "rotate": f"rotated by up to {self.rotate:g}°",
            "crop": f"cropped by up to {self.crop:.0%} of each side and enlarged again",
            "colour": f"brightness, contrast and saturation changed by up to {self.colour:.0%}",
            "erase": f"a square of {self.erase:.0%} of the sides erased",
        }
        return ", ".join(said[kind] for kind in self.given) or "unchanged"

    def apply(self, pixels: NDArray[np.uint8], *, seed: int, epoch: int, batch: int) -> NDArray[np.uint8]:
        """The pictures of a batch, changed; each by its own draw, which depends on its place in the batch.

        Parameters
        ----------
        pixels
            ``[B, H, W, C]``; not changed, and returned as they are if nothing may happen to them.
        seed, epoch, batch
            What is drawn depends on these alone.

        >>> import numpy as np
        >>> picture = np.arange(12, dtype=np.uint8).reshape(1, 3, 4, 1)
        >>> Augmentation(flip="horizontal").apply(picture, seed=0, epoch=0, batch=2)[0, 0, :, 0].tolist()
        [3, 2, 1, 0]
        """
        from pellucid.augmentation.pictures import augmented

        if self.is_none:
            return pixels
        self.check(pixels.shape[1:])
        return augmented(self.given, pixels, seed=seed, epoch=epoch, batch=batch)

    def to_json(self) -> dict[str, Any]:
        """The description as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Augmentation:
        """Read what `to_json` wrote; raises `SettingError`."""
        names = set(cls.__dataclass_fields__)
        if not isinstance(value, Mapping) or set(value) != names:
            raise SettingError(f"augmentation must have exactly the fields {sorted(names)}")
        return cls(**value)
