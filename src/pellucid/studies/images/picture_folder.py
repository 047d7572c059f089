"""A folder or an archive of pictures as the studies take them: with a training and a test part, in bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pellucid.data.images.read import pixels_of, read_images
from pellucid.errors import DataError
from pellucid.studies.images.image_sets import ImageSet, stratified

__all__ = ["picture_set"]

_LONGEST = 64  # pixels along the longer side: larger pictures are reduced, so that a study takes minutes


def picture_set(source: str, *, seed: int = 0) -> ImageSet:
    """The pictures of a folder or a zip archive, with its test part, or with a fifth of each class held out.

    The test pictures are in random order.

    Parameters
    ----------
    source
        The path: with a folder for each class, perhaps within ``train`` and ``test``.
    seed
        Of the order, and of the pictures held out.

    Raises
    ------
    DataError
        There are none, or they have no classes.
    """
    tables = read_images(source, longer_side=_LONGEST)
    if not tables.labelled:
        raise DataError(f"{source!r} must hold a folder for each class, or images with labels")
    parts = [part for part in (tables.train, tables.test) if part is not None]
    pictures = [np.asarray(pixels_of(part.arrow["image"])) for part in parts]
    given = [np.array([str(label) for label in part.arrow["label"].to_pylist()]) for part in parts]
    names = tuple(sorted(set(given[0].tolist())))
    if len(names) < 2:
        raise DataError(f"{source!r} holds pictures of one class only, {names[0]!r}: a second one is needed")
    unknown = sorted(set(given[-1].tolist()) - set(names))
    if unknown:
        raise DataError(f"the test part of {source!r} has a class without training pictures: {unknown[0]!r}")
    labels = [np.searchsorted(names, each) for each in given]
    if len(parts) == 1:
        keep, held = stratified(labels[0], 0.2, seed)
        if not len(held):
            raise DataError(
                f"{source!r} holds too few pictures to keep some for the test: give 5 or more of each class"
            )
        pictures, labels = [pictures[0][keep], pictures[0][held]], [labels[0][keep], labels[0][held]]
    # The study shows the first test pictures: in the order of the folders all would be of one class.
    order = np.random.default_rng(seed).permutation(len(labels[1]))
    return ImageSet(
        title=Path(source).stem,
        names=names,
        white=255,
        train_images=pictures[0],
        train_labels=labels[0],
        test_images=pictures[1][order],
        test_labels=labels[1][order],
    )
