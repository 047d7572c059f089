"""Rows as preparation leaves them: features, targets and weights, which belong together row by row.

Legend: N rows, F features, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.augmentation import Augmentation
from pellucid.data.tables import Table
from pellucid.network.layers import Shape
from pellucid.network.task import Task
from pellucid.preprocessing.encoded_images import EncodedImages
from pellucid.preprocessing.features import Features, StoredImages, rows_for
from pellucid.preprocessing.target import TargetScaler
from pellucid.training.loop import Rows

__all__ = ["EvaluationRows", "PreparedRows", "prepared_rows", "training_rows"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedRows:
    """Encoded rows with their targets.

    Attributes
    ----------
    features
        What the network sees of the N rows.
    targets
        As the loss takes them: class numbers ``[N]`` or numbers ``[N, C]``; for a reconstruction, `inputs` itself.
    weights
        How much each row counts, ``[N]``; ``None``: all the same.
    shape
        That of a row of the network, which decides what `inputs` are; ``None``: a list of numbers.
    augmentation
        How training changes these pictures; ``None``: not at all.
    """

    features: Features
    targets: Array
    weights: Array | None = None
    shape: Shape | None = None
    augmentation: Augmentation | None = None

    def __len__(self) -> int:
        return self.features.n

    @property
    def inputs(self) -> Array:
        """The features as the network takes them: ``[N, F]``, or pictures ``[N, C, H, W]``; no copy (`rows_for`)."""
        return self.features.flat if self.shape is None else rows_for(self.shape, self.features)

    @property
    def pictures(self) -> EncodedImages | None:
        """The rows as pictures, if they are nothing else."""
        arrays = tuple(self.features.arrays.values())
        return arrays[0].encoded if len(arrays) == 1 and isinstance(arrays[0], StoredImages) else None

    @cached_property
    def rows(self) -> Rows:
        """The same arrays as training takes them."""
        return Rows(
            inputs=self.inputs,
            targets=self.targets,
            weights=self.weights,
            augmentation=self.augmentation,
            pictures=None if self.augmentation is None else self.pictures,
        )

    def weighted(self, weights: Array | None, at: Array) -> PreparedRows:
        """The same rows with the weights of these numbers; ``None``: all count the same."""
        return self if weights is None else replace(self, weights=weights[at])

    def take(self, at: Array) -> PreparedRows:
        """The rows of these numbers."""
        features = self.features.take(at)
        return replace(
            self,
            features=features,
            targets=features.flat if self.targets is self.inputs else self.targets[at],
            weights=None if self.weights is None else self.weights[at],
        )


@dataclass(frozen=True, kw_only=True)
class EvaluationRows:
    """The rows on which the result is measured: test rows, or the rows that take their place."""

    name: str  # "test", "validation" or "training"
    source: Table  # that they are rows of
    rows: Array  # [N] row numbers of their table
    features: Features  # what the network sees of them
    truth: Array  # [N] class numbers, or values in the target's own unit; of a reconstruction the inputs themselves
    groups: Array | None = None  # [N] which rows belong together
    weights: Array | None = None  # [N] how much each counts
    files: Any = None  # [N] Arrow text: which file each image was read from
    shape: Shape | None = None  # of a row of the network; None: a list of numbers

    def __len__(self) -> int:
        return self.features.n

    @property
    def inputs(self) -> Array:
        """The features as the network takes them: ``[N, F]``, or pictures ``[N, C, H, W]``; no copy (`rows_for`)."""
        return self.features.flat if self.shape is None else rows_for(self.shape, self.features)


def prepared_rows(
    task: Task, scaler: TargetScaler | None, features: Features, values: Array | None, shape: Shape | None = None
) -> PreparedRows:
    """Rows with targets in the shape that the loss takes.

    Parameters
    ----------
    task, scaler
        What is predicted, and how a number to predict is scaled (``None`` for classes).
    features
        The N rows.
    values
        ``[N]`` class numbers, or values in the target's own unit; ``None`` for a reconstruction, whose targets are its
        inputs.
    shape
        That of a row of the network; ``None``: a list of numbers.

    >>> features, ill = Features.of_columns(np.eye(2), ["age", "weight"]), np.array([1, 0])
    >>> rows = prepared_rows(Task.binary("ill", ("no", "yes")), None, features, ill)
    >>> rows.targets.tolist(), rows.inputs.tolist()
    ([[1.0], [0.0]], [[1.0, 0.0], [0.0, 1.0]])
    """
    targets = features.flat if values is None else _targets(task, scaler, values)
    return PreparedRows(features=features, targets=targets, shape=shape)


def training_rows(task: Task, scaler: TargetScaler | None, inputs: Array, values: Array | None) -> Rows:
    """`prepared_rows` for inputs that are already an array, as training takes them.

    Parameters
    ----------
    task, scaler, values
        As for `prepared_rows`.
    inputs
        ``[N, F]``, or ``[N, C, H, W]``.
    """
    return Rows(inputs=inputs, targets=inputs if values is None else _targets(task, scaler, values))


def _targets(task: Task, scaler: TargetScaler | None, values: Array) -> Array:
    """Class numbers ``[N]`` or numbers ``[N, 1]``."""
    if task.kind == "multiclass":
        return values.astype(np.int64)
    scaled = values.astype(np.float64) if scaler is None else scaler.transform(values)
    return scaled[:, None]
