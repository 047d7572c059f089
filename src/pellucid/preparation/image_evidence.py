"""What is known of the images of a run besides their content, for the rules in `pellucid.diagnosis.image_files`.

Legend: ``N`` images, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.images import pixel_source
from pellucid.data.dependence.near_images import thumbnails
from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.files.pictures import FACTS
from pellucid.diagnosis.file_evidence import BorderEvidence, FileEvidence, TellingFact
from pellucid.preparation.prepare import FILE, Prepared

__all__ = ["border_evidence", "file_evidence", "telling_fact"]

Array = NDArray[Any]

_SAMPLE = 1_000  # images for the border
_SIDE, _RING = 32, 2  # of thumbnails, and of their border
_BINS = 10  # of lengths in bytes
_FOLDS = 5
_RIDGE = (0.01, 1.0)  # of the mean eigenvalue
_FEWEST = 20  # images
_PAIRS = 200


def file_evidence(prepared: Prepared) -> FileEvidence | None:
    """The evidence of a run on images; ``None`` for tables."""
    names = [column.name for column in prepared.schema.features if column.kind == "image"]
    if len(names) != 1:
        return None
    table, target = prepared.table, prepared.target
    pictures = table.report.pictures
    unreadable = () if pictures is None else tuple(one.name for one in pictures.unreadable)
    if target is None or not target.classes:
        return FileEvidence(unreadable=unreadable)
    rows, truth = target.keep_rows, target.values
    facts: list[TellingFact] = []
    if pictures is not None and FILE in table.names and len(rows) >= _FEWEST:
        place = {name: i for i, name in enumerate(pictures.names)}
        at = [place[name] for name in table.column(FILE).to_pylist()]
        for key in (key for key in FACTS if key in pictures.facts):
            values = [pictures.facts[key][at[row]] for row in rows]
            if key == "name":
                values = [_without_class(value, target.classes[k]) for value, k in zip(values, truth, strict=True)]
            fact = telling_fact(key, values, truth, target.classes)
            facts += [] if fact is None else [fact]
    pixels = pixel_source(table.column(names[0]))
    some = rows if len(rows) <= _SAMPLE else np.sort(np.random.default_rng(0).choice(rows, _SAMPLE, replace=False))
    border = border_evidence(pixels[some], target.at(some))
    return FileEvidence(
        facts=facts,
        border=border,
        contradicting=_contradicting(prepared, names[0]),
        unreadable=unreadable,
    )


def _without_class(pattern: str, name: str) -> str:
    """``cat.#.jpg`` of the class cat becomes ``@.#.jpg``: naming files after their class is no leak."""
    return pattern.lower().replace(str(name).lower(), "@") if name else pattern


# --- facts about files


def telling_fact(key: str, values: Sequence[Any], truth: Array, classes: Sequence[Any]) -> TellingFact | None:
    """How well one fact tells the class: the most frequent class of each value, from one half, tried on the other.

    Parameters
    ----------
    key
        Which fact.
    values, truth
        The fact and the class number of each of N files.
    classes
        Their names.

    Returns
    -------
    TellingFact or None
        None if all files have the same value.

    >>> truth = np.arange(40) % 2
    >>> fact = telling_fact("format", ["PNG" if k else "JPEG" for k in truth], truth, ["cat", "dog"])
    >>> fact.accuracy, fact.base, fact.is_telling, fact.example
    (1.0, 0.5, True, "'JPEG': 100% of 'cat', 0% of 'dog'")
    """
    if key == "bytes":
        cuts = np.unique(np.quantile(np.asarray(values, float), np.linspace(0, 1, _BINS + 1)[1:-1]))
        numbers = np.searchsorted(cuts, np.asarray(values, float))
        values = [f"about {int(np.median(np.asarray(values)[numbers == k])):,}" for k in numbers]
    shown, of_row = np.unique(np.asarray(values, dtype=object).astype(str), return_inverse=True)
    if len(shown) < 2:
        return None
    counts = np.zeros((len(shown), len(classes)))
    order = np.random.default_rng(0).permutation(len(truth))
    halves = order[::2], order[1::2]
    right, base_right = 0, 0
    for learned, tried in (halves, halves[::-1]):
        counts[:] = 0
        np.add.at(counts, (of_row[learned], truth[learned]), 1)
        usual = int(counts.sum(axis=0).argmax())
        rule = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), usual)
        right += int((rule[of_row[tried]] == truth[tried]).sum())
        base_right += int((truth[tried] == usual).sum())
    n = len(truth)
    base = max(base_right / n, float(np.bincount(truth).max()) / n)
    return TellingFact(
        key=key,
        what=FACTS[key],
        accuracy=right / n,
        base=base,
        n=n,
        example=_example(shown, of_row, truth, classes),
    )


def _example(shown: Array, of_row: Array, truth: Array, classes: Sequence[Any]) -> str:
    """The value whose share differs most between two classes."""
    counts = np.zeros((len(shown), len(classes)))
    np.add.at(counts, (of_row, truth), 1)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    there = counts.sum(axis=0) > 0
    high, low = np.where(there, shares, -1).argmax(axis=1), np.where(there, shares, 2).argmin(axis=1)
    at = np.arange(len(shown))
    value = int((shares[at, high] - shares[at, low]).argmax())
    first, last = high[value], low[value]
    text = repr(str(shown[value])) if shown[value] else "none"
    return (
        f"{text}: {shares[value, first]:.0%} of {str(classes[first])!r}, {shares[value, last]:.0%} of "
        f"{str(classes[last])!r}"
    )


# --- the border


def border_evidence(pixels: NDArray[np.uint8], truth: Array) -> BorderEvidence | None:
    """How well the outer pixels of images ``[N, H, W, C]`` tell the class, and the rest; None for few or small ones."""
    if len(pixels) < 5 * _FEWEST or min(pixels.shape[1:3]) < 16:
        return None
    thumbs = thumbnails(pixels, _SIDE)
    ring = np.ones(thumbs.shape[1:3], bool)
    ring[_RING:-_RING, _RING:-_RING] = False
    border, centre = thumbs[:, ring].reshape(len(thumbs), -1), thumbs[:, ~ring].reshape(len(thumbs), -1)
    return BorderEvidence(
        border=_accuracy(border, truth),
        centre=_accuracy(centre, truth),
        base=float(np.bincount(truth).max()) / len(truth),
        n=len(truth),
    )


def _accuracy(x: Array, truth: Array) -> float:
    """The accuracy in five folds of ridge regression on the classes; the better of two penalties."""
    x = x.astype(np.float64) - x.mean(axis=0)
    spread = float(x.std())
    if not spread:
        return float(np.bincount(truth).max()) / len(truth)
    products = (x / spread) @ (x / spread).T  # [N, N]
    wanted = np.eye(int(truth.max()) + 1)[truth]
    fold = np.random.default_rng(0).permutation(len(truth)) % _FOLDS
    right = dict.fromkeys(_RIDGE, 0)
    for k in range(_FOLDS):
        learned, tried = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        inner = products[np.ix_(learned, learned)]
        mean = wanted[learned].mean(axis=0)
        for penalty in _RIDGE:
            ridge = penalty * float(np.trace(inner)) / len(learned)
            weights = np.linalg.solve(inner + ridge * np.eye(len(learned)), wanted[learned] - mean)
            answers = products[np.ix_(tried, learned)] @ weights + mean
            right[penalty] += int((answers.argmax(axis=1) == truth[tried]).sum())
    return max(right.values()) / len(truth)


# --- copies


def _contradicting(prepared: Prepared, name: str) -> NDArray[np.int64]:
    """Pairs ``[P, 2]`` of rows whose images are equal or nearly so, with different labels."""
    target = prepared.target
    assert target is not None
    rows = target.keep_rows
    label = np.full(prepared.table.n_rows, -1)
    label[rows] = target.values
    near = prepared.split.near if prepared.split.near is not None else np.zeros((0, 2), np.int64)
    _, first, of_row = np.unique(row_hashes(prepared.table, [name])[rows], return_index=True, return_inverse=True)
    equal = np.column_stack([rows[first[of_row]], rows])
    pairs = np.concatenate([near, equal[equal[:, 0] != equal[:, 1]]]).astype(np.int64)
    there = (label[pairs] >= 0).all(axis=1)
    found: NDArray[np.int64] = pairs[there & (label[pairs[:, 0]] != label[pairs[:, 1]])][:_PAIRS]
    return found
