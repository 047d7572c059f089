"""The evidence about texts and series that are read step by step: lengths, unknown tokens, copies, the future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FutureLeak", "SequenceEvidence"]


@dataclass(frozen=True, kw_only=True)
class FutureLeak:
    """Answers at a step that changed when only later tokens were changed.

    Attributes
    ----------
    rows, changed
        How many rows were tried, and in how many an earlier answer changed.
    largest
        The largest change of a logit.
    """

    rows: int
    changed: int
    largest: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceEvidence:
    """What is known of the texts or series of a run.

    Attributes
    ----------
    units
        What a step is, in words: ``words``, ``characters``, ``byte pairs`` or ``steps``.
    steps
        T: how many are read of a row.
    lengths
        ``[n]`` of a sample of the training rows, before they are cut.
    unknown, unknown_learned
        The share of unknown tokens in unseen and in training texts; ``None`` for series.
    unseen
        How many texts were not used for training.
    copies
        The rows of those that are the same as a training text but for case, spaces, signs and digits, by number; −1
        where they belong to another table.
    future
        What came of changing later tokens, where a network answers at every step; ``None`` elsewhere.
    """

    units: str
    steps: int
    lengths: NDArray[np.int64]
    unknown: float | None = None
    unknown_learned: float | None = None
    unseen: int = 0
    copies: tuple[int, ...] = ()
    future: FutureLeak | None = None

    @property
    def what(self) -> str:
        """What the rows are: ``series`` or ``texts``."""
        return "series" if self.units == "steps" else "texts"

    @property
    def cut(self) -> float:
        """The share of training rows that are longer than what is read of them."""
        return float((self.lengths > self.steps).mean()) if len(self.lengths) else 0.0
