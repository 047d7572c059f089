"""How often a convolutional network is shown each picture: more often where similar pictures do not tell the class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.numerals import numeral
from pellucid.preparation.members import n_learned_from
from pellucid.preparation.prepare import Prepared
from pellucid.runs.plan import picture_batch_size, picture_epochs
from pellucid.training.flip_probe import thinned

__all__ = ["nearest_right", "with_picture_epochs"]

Array = NDArray[Any]

_PLAIN = 0.9  # of the pictures whose nearest one has the same class
_TENTH = 10  # of the pictures are asked about, the others are known
_AT_ONCE = 250


def with_picture_epochs(prepared: Prepared) -> Prepared:
    """The same with ``epochs`` decided where the settings leave it open and pictures may need more of them than usual.

    Of digits, nine of ten have a nearest picture of their own class: 300,000 pictures shown are enough. Of clothes or
    photographs fewer have, and a network goes on learning for longer.
    """
    settings, train = prepared.settings, prepared.train
    pictures: Any = train.inputs if train.pictures is None else train.pictures
    if settings.epochs is not None or settings.network != "cnn" or not prepared.task.classes:
        return prepared
    count = n_learned_from(prepared)
    batch = settings.batch_size or picture_batch_size(count)
    usual, more = (picture_epochs(count, batch, hard=hard) for hard in (False, True))
    if usual == more or not hasattr(pictures, "pixels"):
        return prepared
    right = nearest_right(*thinned(pictures, train.targets.ravel().astype(np.int64)))
    if right >= _PLAIN:
        return prepared
    note = (
        f"each picture is shown {more} times, in place of {usual}: the most similar training picture has the same "
        f"class for only {numeral(right)} of them (--epochs {usual} is faster)"
    )
    return replace(prepared, settings=replace(settings, epochs=more), notes=(*prepared.notes, note))


def nearest_right(pictures: Array, truth: Array) -> float:
    """For which share of every tenth picture the nearest of the others has its class.

    Parameters
    ----------
    pictures
        ``[N, H, W, C]``; the distance is Euclidean.
    truth
        Their classes ``[N]``.

    >>> nearest_right(np.arange(40.0).reshape(40, 1, 1, 1), np.arange(40) // 25)
    1.0
    """
    rows = pictures.reshape(len(pictures), -1).astype(np.float32)
    rows -= rows.mean(axis=0)
    asked = np.arange(len(rows)) % _TENTH == 0
    known, own = rows[~asked], truth[asked]
    squares, nearest = (known**2).sum(axis=1), np.zeros(len(own), np.int64)
    places = np.flatnonzero(asked)
    for i in range(0, len(own), _AT_ONCE):
        nearest[i : i + _AT_ONCE] = (squares - 2 * rows[places[i : i + _AT_ONCE]] @ known.T).argmin(axis=1)
    return float((truth[~asked][nearest] == own).mean())
