"""Repeating the last step: the peer of a network that continues chords, and how its notes are counted.

Of slow music most notes stay: repeating is right on most of them without knowing anything. So the share of notes that
are right is given twice: over all steps, and over the steps at which some note changes.

``M`` steps with one before them, ``V`` notes (voices) of a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError

__all__ = ["NotesRight", "notes_right", "pairs_of_steps", "repeated_answers"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class NotesRight:
    """Shares of notes that are right; NaN where there is no such step."""

    overall: float
    changing: float  # at steps that differ from the one before
    steps: int
    changing_steps: int


def pairs_of_steps(pieces: list[Array]) -> tuple[Array, Array]:
    """Each step of each piece, and the one that follows it: ``[steps, V]`` a piece → ``[M, V]`` twice.

    Raises
    ------
    DataError
        No piece has two steps.

    >>> before, after = pairs_of_steps([np.array([[60, 55], [62, 55], [62, 57]]), np.array([[70, 50]])])
    >>> before.tolist(), after.tolist()
    ([[60, 55], [62, 55]], [[62, 55], [62, 57]])
    """
    long = [piece for piece in pieces if len(piece) > 1]
    if not long:
        raise DataError("no piece has two steps, so none has a next one: give longer pieces")
    return np.concatenate([piece[:-1] for piece in long]), np.concatenate([piece[1:] for piece in long])


def repeated_answers(before: Array) -> Array:
    """What follows each step ``[M, V]``: the same again.

    >>> repeated_answers(np.array([[60, 55]])).tolist()
    [[60, 55]]
    """
    return before.copy()


def notes_right(found: Array, before: Array, after: Array) -> NotesRight:
    """The shares of notes that were predicted right.

    Parameters
    ----------
    found
        ``[M, V]`` the notes predicted.
    before, after
        ``[M, V]`` the steps before, and the true ones (`pairs_of_steps`).

    Raises
    ------
    DataError
        The shapes differ, or there is no step.

    >>> before, after = np.array([[60, 55], [62, 55], [62, 57]]), np.array([[62, 55], [62, 57], [62, 57]])
    >>> found = notes_right(repeated_answers(before), before, after)
    >>> round(found.overall, 3), found.changing, found.changing_steps
    (0.667, 0.5, 2)
    """
    if not found.shape == before.shape == after.shape or after.ndim != 2 or not after.size:
        raise DataError(
            f"predicted, previous and true steps must be tables of the same shape, steps × notes; "
            f"got {found.shape}, {before.shape} and {after.shape}"
        )
    right, changes = found == after, (before != after).any(axis=1)
    return NotesRight(
        overall=float(right.mean()),
        changing=float(right[changes].mean()) if changes.any() else float("nan"),
        steps=len(after),
        changing_steps=int(changes.sum()),
    )
