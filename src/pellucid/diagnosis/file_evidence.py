"""The evidence about image files: what tells the class besides the content, contradicting copies, unreadable files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SURE", "BorderEvidence", "FileEvidence", "TellingFact", "deviation"]

SURE = 4.0  # standard deviations; several facts are tried, so three would be met by chance too often
_GAIN, _GAIN_OF_BYTES = 0.2, 0.5  # of the largest possible gain; length in bytes also follows the content


@dataclass(frozen=True, kw_only=True)
class TellingFact:
    """How well one fact about the files alone tells the class: accuracy in halves that were not used for the rule.

    Attributes
    ----------
    key, what
        The fact (`pellucid.data.files.pictures.FACTS`).
    accuracy, base, n
        Of the rule and of always the most frequent class, on n files.
    example
        The value that differs most between two classes, in words.
    """

    key: str
    what: str
    accuracy: float
    base: float
    n: int
    example: str

    @property
    def is_telling(self) -> bool:
        """Whether the gain is large, and beyond chance."""
        gain = self.accuracy - self.base
        least = _GAIN_OF_BYTES if self.key == "bytes" else _GAIN
        return gain >= least * (1 - self.base) > 0 and gain > SURE * deviation(self.base, self.n)


@dataclass(frozen=True, kw_only=True)
class BorderEvidence:
    """Cross-validated accuracies of a linear model on the border, on the rest, and of always one class, on n images."""

    border: float
    centre: float
    base: float
    n: int


@dataclass(frozen=True, kw_only=True, eq=False)
class FileEvidence:
    """What is known of the images of a run besides what the network sees.

    Attributes
    ----------
    facts
        How well each fact about the files tells the class.
    border
        How well the outer pixels do; ``None`` where that was not measured.
    contradicting
        Pairs ``[P, 2]`` of rows whose images are equal or nearly so, with different labels.
    unreadable
        The names of files that were left out.
    """

    facts: Sequence[TellingFact] = ()
    border: BorderEvidence | None = None
    contradicting: NDArray[np.int64] | None = None
    unreadable: Sequence[str] = ()


def deviation(share: float, n: int) -> float:
    """The standard deviation of a share of n; never quite 0.

    >>> deviation(0.5, 100)
    0.05
    """
    return float(np.sqrt(max(share * (1 - share), 1 / max(n, 1)) / max(n, 1)))
