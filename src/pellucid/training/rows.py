"""The rows of a training, and where an engine gets them.

Legend: N rows, B rows of a batch, I inputs, C outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pellucid.augmentation import Augmentation
from pellucid.training.batches import batches

__all__ = ["Resident", "RowSource", "Rows", "TakesRows"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Inputs ``[N, I]``, targets ``[N]`` class numbers or ``[N, C]`` numbers, and row weights ``[N]`` or ``None``.

    Where a network answers at each step, the targets are class numbers ``[N, T]``, and 0 does not count.

    The inputs may also be something that looks like an array and makes the numbers of the rows taken from it, such as
    `pellucid.preprocessing.encoded_images.EncodedImages`. With an ``augmentation``, training sees pictures changed;
    whatever else looks at the rows sees them as they are. ``pictures`` are then the same rows as pictures, where the
    inputs are lists of their pixels.
    """

    inputs: Array
    targets: Array
    weights: Array | None = None
    augmentation: Augmentation | None = None
    pictures: Any = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def is_resident(self) -> bool:
        """Whether the inputs are an array, and not made from something else where they are taken."""
        return isinstance(self.inputs, np.ndarray)

    def weighted(self, weights: Array | None, at: Array) -> Rows:
        """The same rows with the weights at these row numbers; ``None``: all rows count the same."""
        return self if weights is None else replace(self, weights=weights[at])

    def mass(self, at: Array | None = None) -> float:
        """The sum of the weights of these rows, or of all; without weights, their number."""
        if self.weights is None:
            return float(len(self) if at is None else len(at))
        return float((self.weights if at is None else self.weights[at]).sum())

    def take(self, at: Array) -> Rows:
        """The rows of these numbers."""
        inputs = self.inputs[at] if self.is_resident else self.inputs.take(at)
        targets = inputs if self.targets is self.inputs else self.targets[at]
        return replace(
            self,
            inputs=inputs,
            targets=targets,
            weights=None if self.weights is None else self.weights[at],
            pictures=None if self.pictures is None else self.pictures.take(at),
        )


class TakesRows(Protocol):
    """The part of an engine that a `RowSource` fills."""

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Take the training rows."""


class RowSource(Protocol):
    """Where the rows of a training come from, and in which order.

    `Resident` gives an engine all rows at once, `pellucid.training.pictures.AugmentedRows` those of each batch in
    `ready`. A source that distributes rows over processes would give each process its part of every batch in `batches`.
    """

    @property
    def n(self) -> int:
        """The number of rows."""

    def load(self, engine: TakesRows) -> None:
        """Prepare the engine, once, before the first step."""

    def batches(self, batch_size: int, seed: int, epoch: int, *, at_least: int = 1) -> Iterator[Array]:
        """The row numbers ``[B]`` of each step of an epoch, as `pellucid.training.batches.batches` draws them.

        Parameters
        ----------
        batch_size
            B, the rows of a step; the last batch may be smaller.
        seed, epoch
            The order depends on these alone.
        at_least
            A last batch with fewer rows than this joins the one before.
        """

    def ready(self, engine: TakesRows, rows: Array) -> Array:
        """Make sure that the engine holds these rows; returns their numbers in the engine."""

    def take(self, rows: Array) -> Rows:
        """The rows themselves."""

    def mass(self, rows: Array | None = None) -> float:
        """The sum of the weights of these rows, or of all."""


@dataclass(frozen=True, eq=False)
class Resident:
    """Rows in memory, all of which the engine holds during the whole training.

    With ``lengths``, the steps of each row, a batch has rows of about one length (`pellucid.training.batches.batches`).
    """

    rows: Rows
    lengths: Array | None = None

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def load(self, engine: TakesRows) -> None:
        """Give the engine all rows."""
        engine.load_rows(self.rows.inputs, self.rows.targets, self.rows.weights)

    def batches(self, batch_size: int, seed: int, epoch: int, *, at_least: int = 1) -> Iterator[Array]:
        """All rows in random order.

        Parameters
        ----------
        batch_size, seed, epoch, at_least
            As in `RowSource.batches`.
        """
        return batches(len(self.rows), batch_size, seed, epoch, at_least=at_least, lengths=self.lengths)

    def ready(self, engine: TakesRows, rows: Array) -> Array:
        """The same numbers: the engine has the rows already."""
        return rows

    def take(self, rows: Array) -> Rows:
        """The rows of these numbers."""
        return self.rows.take(rows)

    def mass(self, rows: Array | None = None) -> float:
        """The sum of the weights of these rows, or of all; without weights, their number."""
        return self.rows.mass(rows)
