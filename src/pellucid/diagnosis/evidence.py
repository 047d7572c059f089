"""The evidence for a diagnosis: settings, losses, snapshots of the layers, and rows as the network saw them.

Legend: ``n`` rows of a sample, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.diagnosis.file_evidence import FileEvidence
from pellucid.diagnosis.forecast_evidence import ForecastEvidence
from pellucid.diagnosis.sequence_evidence import SequenceEvidence
from pellucid.network import Embedding, Network
from pellucid.training.history import Epoch
from pellucid.training.signals import LayerSignal, Snapshot

__all__ = ["Columns", "Evidence", "Peer", "SampleRows", "SharedRows"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleRows:
    """A sample of rows.

    Attributes
    ----------
    inputs
        ``[n, F]``, as the network sees them.
    truth
        ``[n]`` class numbers, or numbers in the target's unit.
    answers
        Probabilities ``[n, C]`` or numbers ``[n]``.
    numbers
        ``[n]``: their row numbers in the table, from 0.
    every
        ``[N, F]``: the inputs of all rows that these were drawn from, if they are only a part.
    """

    inputs: Array
    truth: Array
    answers: Array
    numbers: Array
    every: Array | None = None

    @property
    def all_inputs(self) -> Array:
        """``[N, F]``: of all rows that these were drawn from."""
        return self.inputs if self.every is None else self.every

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns that the network reads, with the slices of their features, and the columns with a single value."""

    read: Mapping[str, slice]
    constant: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Peer:
    """By how much the network is better than a simpler model, with the 95 % interval."""

    name: str
    value: float  # of the metric, the simpler model's
    difference: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class SharedRows:
    """What training and test rows share but new rows would not: the same entity, or neighbours in time."""

    kind: Literal["entity", "time", "order", "copies"]
    fact: str
    column: str | None
    change: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """A run.

    Attributes
    ----------
    settings
        All of them, resolved, as plain values.
    kind, classes, target
        Of the task.
    n_train, n_validation, n_parameters, n_classes_train
        Counts; of the classes, how many training rows each has.
    history
        Of the first network.
    reason
        Why training ended.
    snapshots
        Into the first network; may be none.
    base_loss
        The loss of the best constant prediction, on the rows of `validation_losses`.
    train, measured, unseen
        Rows used for training; rows used for scoring; and the latter together with the validation rows, none of which
        were used for training.
    columns, peers, shared
        See `Columns`, `Peer` and `SharedRows`.
    network
        The description of the network.
    picture
        Of the pictures in the samples their height, width and channels; large ones are made smaller; ``None`` for
        tables.
    augmentation
        What may happen to a training picture, with the strengths: ``{"flip": "horizontal"}``; empty for nothing.
    sequence
        Of a network that reads texts or series step by step; ``None`` for others.
    """

    settings: Mapping[str, Any]
    kind: str
    classes: Sequence[str]
    target: str
    n_train: int
    n_validation: int
    n_parameters: int
    n_classes_train: Sequence[int]
    history: Sequence[Epoch]
    reason: str
    snapshots: Sequence[Snapshot]
    base_loss: float
    train: SampleRows
    measured: SampleRows
    unseen: SampleRows
    columns: Columns
    peers: Sequence[Peer] = ()
    shared: Sequence[SharedRows] = ()
    files: FileEvidence | None = None  # of images
    network: Network | None = None
    picture: tuple[int, int, int] | None = None
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    sequence: SequenceEvidence | None = None
    forecast: ForecastEvidence | None = None

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class."""
        return self.kind in ("binary", "multiclass")

    # ── losses ──

    @cached_property
    def train_losses(self) -> Array:
        """The training loss of each epoch, with dropout active, before the updates."""
        return np.array([epoch.train_loss for epoch in self.history])

    @cached_property
    def validation_losses(self) -> Array:
        """The validation loss after each epoch; without validation rows (``n_validation`` is 0), the training loss."""
        return np.array([epoch.validation_loss for epoch in self.history])

    @property
    def has_numbers(self) -> bool:
        """Whether inputs are quantities: distances and spreads of them mean something. Of tokens they do not."""
        return self.network is None or self.network.dtype == "float"

    @property
    def best(self) -> int:
        """The epoch, from 0, with the lowest loss after it."""
        return int(self.validation_losses.argmin())

    # ── layers ──

    @property
    def first_snapshot(self) -> Snapshot | None:
        """Before training."""
        return next((snapshot for snapshot in self.snapshots if snapshot.epoch == 0), None)

    @property
    def last_snapshot(self) -> Snapshot | None:
        """At the end of training, or the last one there is."""
        return self.snapshots[-1] if self.snapshots else None

    def hidden(self, snapshot: Snapshot | None) -> Sequence[LayerSignal]:
        """The signals of the hidden layers."""
        return self.weighted(snapshot)[:-1]

    def weighted(self, snapshot: Snapshot | None) -> Sequence[LayerSignal]:
        """The signals of the layers that multiply: not of an embedding, of which each row looks up a few places."""
        if snapshot is None:
            return ()
        layers = () if self.network is None else self.network.layers
        looked_up = {place for place, layer in enumerate(layers) if isinstance(layer, Embedding)}
        return tuple(layer for layer in snapshot.layers if layer.index not in looked_up)
