"""Windows of one long sequence of tokens, for networks that say at each step which token comes next.

To learn from, a sequence is cut into windows of T tokens that begin elsewhere in each epoch, so that a network does not
always see the same tokens first. To measure, windows overlap by half, and the first half counts only where nothing
comes before it: every token is predicted once, with at least half a window before it.

Legend: L tokens of the sequence, T of a window, N windows, B of a batch. The target of a step is the token after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError
from pellucid.training.batches import batches
from pellucid.training.rows import Rows, TakesRows

__all__ = ["LearnedWindows", "measured_windows"]

Array = NDArray[Any]

_OFFSET = 3  # a key beside those of `pellucid.training.batches`


@dataclass(frozen=True, eq=False)
class LearnedWindows:
    """Windows to learn from (a `RowSource` of `pellucid.training.rows`).

    A row's number is the place of its first token. What is drawn depends on the seed and the epoch alone.

    Parameters
    ----------
    tokens
        The sequence, ``[L]`` whole numbers from 1.
    length
        T.

    Raises
    ------
    DataError
        The sequence has no token after a whole window.

    >>> windows = LearnedWindows(np.array([5, 6, 7, 8, 9, 5, 6]), 3)
    >>> [rows.tolist() for rows in windows.batches(2, seed=0, epoch=0)]
    [[0]]
    >>> windows.take(np.array([0])).inputs.tolist(), windows.take(np.array([0])).targets.tolist()
    ([[5, 6, 7]], [[6, 7, 8]])
    """

    tokens: Array
    length: int

    def __post_init__(self) -> None:
        """Check that there is a window."""
        if len(self.tokens) <= self.length:
            raise DataError(
                f"a window of {self.length:,} tokens and the one after it do not fit into {len(self.tokens):,} tokens"
            )

    @property
    def n(self) -> int:
        """N, the windows of an epoch: all that fit wherever the first begins."""
        return max(1, (len(self.tokens) - self.length) // self.length)

    def load(self, engine: TakesRows) -> None:
        """Nothing: an engine gets the windows of each batch in `ready`."""

    def batches(self, batch_size: int, seed: int, epoch: int, *, at_least: int = 1) -> Iterator[Array]:
        """The places of the windows in random order, after an offset that is drawn for the epoch.

        Parameters
        ----------
        batch_size, seed, epoch, at_least
            As in `pellucid.training.rows.RowSource.batches`.
        """
        spare = len(self.tokens) - 1 - self.n * self.length
        generator = np.random.Generator(np.random.Philox(key=[seed, _OFFSET], counter=[0, 0, 0, epoch]))
        offset = int(generator.integers(0, spare + 1))
        for rows in batches(self.n, batch_size, seed, epoch, at_least=at_least):
            yield offset + self.length * rows

    def ready(self, engine: TakesRows, rows: Array) -> Array:
        """Give the engine these windows; returns their numbers there."""
        batch = self.take(rows)
        engine.load_rows(batch.inputs, batch.targets)
        return np.arange(len(rows))

    def take(self, rows: Array) -> Rows:
        """The windows that begin at these places."""
        places = np.asarray(rows)[:, np.newaxis] + np.arange(self.length)  # [B, T]
        return Rows(inputs=self.tokens[places], targets=self.tokens[places + 1])

    def mass(self, rows: Array | None = None) -> float:
        """The number of these windows, or of all."""
        return float(self.n if rows is None else len(rows))


def measured_windows(tokens: Array, length: int, start: int, end: int) -> Rows:
    """Windows in which each token from ``start`` to before ``end`` is a target once.

    Parameters
    ----------
    tokens
        The sequence, ``[L]`` whole numbers from 1; tokens before ``start`` are what is known before.
    length
        T.
    start, end
        Which tokens are to be predicted. The very first of a sequence, with nothing before it, is not.

    Returns
    -------
    Rows
        Inputs and targets ``[N, T]``; targets are 0 where they do not count, and both are 0 after ``end``.

    >>> rows = measured_windows(np.array([5, 6, 7, 8, 9]), 2, 2, 5)
    >>> rows.inputs.tolist(), rows.targets.tolist()
    ([[5, 6], [6, 7], [7, 8]], [[0, 7], [0, 8], [0, 9]])
    """
    first, stride = max(start, 1), max(1, length // 2)
    if end <= first:
        raise DataError("there is no token to predict: give a longer text, or a larger share of it to measure on")
    begin = max(0, first - 1 - (length - stride))
    many = 1 + max(0, -((begin + length - (end - 1)) // stride))  # the last window's last target is the last token
    begins = begin + stride * np.arange(many)[:, np.newaxis]  # [N, 1]
    news = np.maximum(first, begins + length + 1 - stride)  # where those begin that the window before did not predict
    news[0] = first
    places = begins + np.arange(length)  # [N, T], of the inputs
    tokens = np.append(tokens[:end], 0)
    inputs, targets = tokens[np.minimum(places, end)], tokens[np.minimum(places + 1, end)]
    last = places == end - 1  # the last token is a target alone
    return Rows(inputs=np.where(last, 0, inputs), targets=np.where(places + 1 >= news, targets, 0))
