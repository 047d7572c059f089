"""Find the class and the part (training, test) of each text from its folders.

::

    reviews/good/1.txt          a folder for each class
    reviews/bad/old/2.txt       a class may have folders of its own
    reviews/train/good/1.txt    or a training part and a test part,
    reviews/test/good/3.txt     each with a folder for each class

A folder that contains only one folder is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.errors import DataError, nearest

__all__ = ["WANTED", "TextLayout", "is_text_name", "lay_out_texts"]

WANTED = "training needs a folder for each class, such as reviews/good/1.txt and reviews/bad/2.txt"

_SUFFIXES = (".txt", ".text")
_TRAIN = frozenset({"train", "training", "val", "valid", "validation"})
_TEST = frozenset({"test", "testing"})
_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """The files of the training part and of the test part, each with its class, and notes for the user."""

    train: tuple[tuple[str, str], ...]
    test: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def is_text_name(name: str) -> bool:
    """Whether a file name ends like that of a text.

    >>> is_text_name("good/1.TXT"), is_text_name("README.md")
    (True, False)
    """
    return name.lower().endswith(_SUFFIXES)


def lay_out_texts(files: Sequence[str], source: str, *, expect_labels: bool = True) -> TextLayout:
    """Sort files into parts and classes; parts of their names are joined by ``/``.

    Without ``expect_labels``, texts that lie in no folder of a class have the class ``""``, and all classes may be new.

    Raises
    ------
    DataError
        No file lies in a folder of a class, or the test part has a class that is not in the training part.

    >>> lay_out_texts(["good/1.txt", "bad/2.txt", "about.txt"], "'reviews'").train
    (('bad/2.txt', 'bad'), ('good/1.txt', 'good'))
    """
    texts = sorted(file for file in files if is_text_name(file))
    base = _below_single_folders(texts)
    first = {_folder(file, base).lower() for file in texts} - {""}
    parted = bool(first & _TRAIN) and bool(first & _TEST) and first <= _TRAIN | _TEST
    train: list[tuple[str, str]] = []
    test: list[tuple[str, str]] = []
    outside = []
    for file in texts:
        part = _folder(file, base)
        label = _folder(file, f"{base}{part}/") if parted and part else part
        if label:
            (test if parted and part.lower() in _TEST else train).append((file, label))
        else:
            outside.append(file)
    if outside and not expect_labels:
        train, outside = sorted([*train, *((file, "") for file in outside)]), []
    if not train and not (test and not expect_labels):
        held = f"{len(outside):,} texts, but no folders of them" if outside else "no text, which ends in .txt"
        raise DataError(f"{source} holds {held}; {WANTED}")
    known, met = sorted({label for _, label in train}), sorted({label for _, label in test})
    if expect_labels and (strange := [label for label in met if label not in known]):
        raise DataError(
            f"{source}: the test part has the class {strange[0]!r}, which is not in the training part"
            f"{nearest(strange[0], known)}; both parts must have the same class folders"
        )
    others = sorted({*files} - {*texts})
    notes = []
    for names, one, many in (
        (outside, "text outside the class folders was", "texts outside the class folders were"),
        (others, "file that is no text was", "files that are no texts were"),
    ):
        if names:
            notes.append(f"{len(names):,} {one if len(names) == 1 else many} left out (first: {names[0]!r})")
    return TextLayout(train=tuple(train), test=tuple(test), notes=tuple(notes))


def _below_single_folders(texts: Sequence[str]) -> str:
    """The folder to start in, below folders that contain only one folder with folders in it."""
    base = ""
    while texts:
        names = {_folder(file, base) for file in texts}
        if len(names) > 1 or any(file[len(base) :].count("/") < 2 for file in texts):
            break
        base += f"{names.pop()}/"
    return base


def _folder(file: str, base: str) -> str:
    """The folder of a file below ``base`` (empty, or ending in /); empty if it is directly in ``base``."""
    head, slash, _ = file[len(base) :].partition("/")
    return head if slash else ""
