"""Pictures as training would see them: originals and augmented versions, before anything is trained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.augmentation import Augmentation
from pellucid.data.columns.images import pixel_source
from pellucid.data.given import image_columns
from pellucid.data.tables import Table
from pellucid.errors import DataError, SettingError
from pellucid.inspection.slice import check_picture
from pellucid.io.files import write_bytes
from pellucid.preparation.picture_network import usual_changes
from pellucid.preparation.prepare import examine, settings_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AugmentedPictures", "augmented", "augmented_of"]

Array = NDArray[Any]
Pixels = NDArray[np.uint8]

_TOGETHER = 3  # versions with everything at once
_TRIES = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class AugmentedPictures:
    """Versions of a few pictures.

    Attributes
    ----------
    augmentation
        What may happen to a picture in training.
    pixels
        ``[N, M, H, W, C]``: N pictures, each as it is and in M − 1 changed versions.
    versions
        The names of the M versions: ``original``, each kind alone, and several with all kinds at once.
    labels
        What each picture shows, if that is known; else its number.
    sentence
        The augmentation in words.
    """

    augmentation: Augmentation
    pixels: Pixels
    versions: tuple[str, ...]
    labels: tuple[str, ...]
    sentence: str

    def figure(self) -> Figure:
        """The sheet."""
        from pellucid.plots.augmentation import augmented_sheet

        return augmented_sheet(self.pixels, self.versions, self.labels, title=f"augment {self.augmentation.text}")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sheet as ``.png`` or ``.svg``."""
        from pellucid.plots.canvas import encode

        target = check_picture(path)
        write_bytes(target, encode(self.figure(), target.suffix.lower()[1:]))
        return target


def augmented(
    data: object, augment: str = "auto", *, pictures: int = 6, seed: int = 0, **settings: Any
) -> AugmentedPictures:
    """Show what an augmentation does to a few of the pictures, before anything is trained.

    Parameters
    ----------
    data
        Pictures, as `pellucid.train` takes them.
    augment
        As the setting: ``"shift,flip,rotate=15"``; ``"auto"`` shows what is tried, a small shift or rotation and a
        flip. Whether pictures are then mirrored is found when training begins.
    pictures
        How many, as evenly from all classes as they come.
    seed
        Of what is drawn.
    settings
        Settings that say how the data are read: ``target``, ``image_size``, ….

    Raises
    ------
    SettingError
        The augmentation changes nothing, or does not suit the size of the pictures.
    DataError
        The data hold no pictures.

    >>> pixels = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    >>> shown = augmented({"image": pixels, "label": ["cat", "dog"] * 10}, "flip,colour", target="label")
    >>> shown.versions, shown.labels, shown.pixels.shape
    (('original', 'flip', 'colour', 'all', 'all', 'all'), ('cat', 'dog', 'cat', 'dog', 'cat', 'dog'), (6, 6, 16, 16, 3))
    """
    table, _, _, asked = examine(data, settings_for(data, {**settings, "augment": augment}))
    return augmented_of(table, asked.augment, asked.target, pictures=pictures, seed=seed)


def augmented_of(
    table: Table, augment: str, target: str | None = None, *, pictures: int = 6, seed: int = 0
) -> AugmentedPictures:
    """The same for a table that was read.

    Parameters
    ----------
    table
        With a column of pictures, the first of which is shown.
    augment
        What may happen to them.
    target
        The column that says what they show.
    pictures, seed
        As for `augmented`.
    """
    columns = image_columns(table)
    if not columns:
        raise DataError(
            f"augment {augment} changes pictures, but {table.report.source} holds none; leave --augment out"
        )
    source = pixel_source(table.column(columns[0]))
    if not len(source):
        raise DataError(f"{table.report.source} holds no picture to show")
    n, height, width, channels = source.shape
    kinds = f"{usual_changes((channels, height, width), n)},flip" if augment == "auto" else augment
    augmentation = Augmentation.of(kinds, source.shape[1:])
    if augmentation.is_none:
        raise SettingError(f"augment {augment} changes nothing: name kinds such as shift,flip,rotate,crop,colour,erase")
    labels = None if target is None or target not in table.names else table.column(target).to_pylist()
    rows = _chosen(labels, len(source), pictures)
    originals: Pixels = np.asarray(source[rows])
    alone = [Augmentation(**{kind: strength}) for kind, strength in augmentation.given.items()]
    versions = [originals, *(_changed(each, originals, seed, 0) for each in alone)]
    names = ["original", *(each.text for each in alone)]
    if len(alone) > 1:
        versions += [_changed(augmentation, originals, seed, 1 + k) for k in range(_TOGETHER)]
        names += ["all"] * _TOGETHER
    sentence = f"in each epoch, a training picture is {augmentation.words()}, by a new draw"
    if augment == "auto":
        sentence += "; whether it may be mirrored is found when training begins"
    return AugmentedPictures(
        augmentation=augmentation,
        pixels=np.stack(versions, axis=1),
        versions=tuple(names),
        labels=tuple(str(i) if labels is None else str(labels[i]) for i in rows.tolist()),
        sentence=sentence,
    )


def _chosen(labels: Sequence[object] | None, n: int, many: int) -> Array:
    """Row numbers: the first picture of each class, then the second of each, …; without labels, evenly spaced."""
    if labels is None or n <= many:
        return np.linspace(0, n - 1, min(many, n)).astype(np.int64)
    seen: dict[object, int] = {}
    turns = []
    for i, label in enumerate(labels):
        turns.append((seen.get(label, 0), i))
        seen[label] = seen.get(label, 0) + 1
    return np.array([i for _, i in sorted(turns)[:many]])


def _changed(augmentation: Augmentation, originals: Pixels, seed: int, version: int) -> Pixels:
    """A version of each picture that differs from it, where one of a few draws does."""
    changed = originals.copy()
    for draw in range(_TRIES):
        same = (changed == originals).all(axis=(1, 2, 3))
        if not same.any():
            break
        drawn = augmentation.apply(originals, seed=seed, epoch=version, batch=draw)
        changed[same] = drawn[same]
    return changed
