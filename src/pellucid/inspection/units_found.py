"""What is found of a run's hidden units: statistics, pictures, and what they are grouped and headed by."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import StorageError
from pellucid.explanation.units import LayerStatistics, Projection
from pellucid.inspection.channels import PATCH_SHEETS, Channels
from pellucid.inspection.units_as_pictures import ExcitingPictures
from pellucid.inspection.units_of_sequences import LAYERS_DRAWN, SequenceUnits
from pellucid.io.files import could_not, write_text
from pellucid.model.model import Model
from pellucid.runs.replay import Moment, Replay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FILES", "OVER_EPOCHS", "Units", "groups_of", "moments_of", "moments_with_kept", "said_of"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]

_ONCE = ("activations", "representation", "weights", "weights-over-epochs", "filters", "maps", "fields", "slopes",
         "attention", "attention-over-epochs", "embedding")  # fmt: skip
_EACH = tuple(f"{what}-{k + 1}" for what in ("states", "gates", "text") for k in range(LAYERS_DRAWN))
_PICTURES = (*_ONCE, *_EACH, *(f"patches-{k + 1}" for k in range(PATCH_SHEETS)))
FILES = ("units.json", *(f"{name}{ending}" for name in _PICTURES for ending in (".png", ".svg")))

OVER_EPOCHS = 16
_THIRDS = ("lowest third", "middle third", "highest third")


@dataclass(frozen=True, kw_only=True, eq=False)
class Units:
    """The hidden units of a network on some rows.

    Attributes
    ----------
    title
        Which network, on which rows.
    layers
        Statistics of the units of each hidden layer.
    groups
        The groups of rows in the histograms: classes, or thirds of the predicted number.
    projections
        ``(heading, projection)``: sampled rows along the two main directions of the last hidden layer, at several
        epochs or at the end.
    target, classes, values
        The target column, its classes, and the class number or value ``[M]`` of each sampled row.
    weights
        ``[U, H, W, channels]``: for an image model, the weights of the first layer's units, the largest first.
    weight_units
        ``[U]``: the numbers of these units, from 1.
    weights_over_epochs
        Headings, and the first of these weights at each of the epochs.
    exciting
        For images, the ones that excite units of dense layers most.
    channels
        For a convolutional network, what its channels see; its convolutions are among the ``layers``.
    sequence
        For a network that reads step by step, one row in it.
    sentences, notes
        What the pictures show, and notes.
    """

    title: str
    layers: tuple[LayerStatistics, ...]
    groups: tuple[str, ...]
    projections: tuple[tuple[str, Projection], ...]
    target: str
    classes: tuple[str, ...]
    values: Array | None
    weights: Array | None
    weight_units: tuple[int, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]
    weights_over_epochs: tuple[tuple[str, Array], ...] = ()
    exciting: tuple[ExcitingPictures, ...] = ()
    channels: Channels | None = None
    sequence: SequenceUnits | None = None

    def figures(self) -> dict[str, Figure]:
        """The pictures by name: ``activations``, ``representation``, for images ``weights`` or those of channels."""
        from pellucid.plots.channels import filters_over_time
        from pellucid.plots.units import activation_histograms, representation, weight_images

        last = self.layers[-1].layer
        found = {
            "activations": activation_histograms(
                self.layers, self.groups, title=f"Outputs of hidden units, {self.title}"
            ),
            "representation": representation(
                self.projections,
                self.classes,
                self.values,
                target=self.target,
                title=f"The last hidden layer ({last.text}) in two dimensions, {self.title}",
            ),
        }
        if self.weights is not None:
            captions = [f"unit {number}" for number in self.weight_units]
            found["weights"] = weight_images(self.weights, captions, title="Weights of first-layer units")
        if len(self.weights_over_epochs) > 1:
            found["weights-over-epochs"] = filters_over_time(
                self.weights_over_epochs,
                [str(number) for number in self.weight_units[:OVER_EPOCHS]],
                title="Weights of first-layer units",
            )
        found |= {f"patches-{each.layer.number}": each.figure() for each in self.exciting}
        for seen in (self.channels, self.sequence):
            found |= {} if seen is None else seen.figures()
        return found

    def figure(self) -> Figure:
        """The rows in the last hidden layer, in two dimensions."""
        return self.figures()["representation"]

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        return {
            "title": self.title,
            "layers": [_layer_to_json(found, self.groups) for found in self.layers],
            "representation": [
                {"moment": heading, "variance_shares": list(found.shares), "places": found.places.round(6).tolist()}
                for heading, found in self.projections
            ],
            "target": self.target,
            "classes": list(self.classes),
            "values": None if self.values is None else [None if np.isnan(v) else float(v) for v in self.values],
            "sentences": list(self.sentences),
            "notes": list(self.notes),
            **({} if self.channels is None else {"channels": self.channels.to_json()}),
            **({} if self.sequence is None else {"sequence": self.sequence.to_json()}),
        }

    def save(self, out: str | os.PathLike[str]) -> Path:
        """Write the pictures (PNG and SVG) and ``units.json`` to a folder."""
        from pellucid.plots.canvas import save

        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(could_not("write", folder, error)) from error
        for name, figure in self.figures().items():
            save(figure, folder / name)
        write_text(folder / "units.json", json.dumps(self.to_json(), ensure_ascii=False) + "\n")
        return folder


def groups_of(model: Model, truth: Array | None) -> tuple[Array | None, tuple[str, ...]]:
    """``[N]`` the group of each row (-1: none), and the names of the groups."""
    if truth is None or not np.isfinite(truth).any():
        return None, ("all rows",)
    known = np.isfinite(truth)
    if model.task.is_classification:
        return np.where(known, np.nan_to_num(truth), -1).astype(np.int64), tuple(str(c) for c in model.task.classes)
    cuts = np.quantile(truth[known], [1 / 3, 2 / 3])
    thirds = tuple(f"{third} of {model.task.target}" for third in _THIRDS)
    return np.where(known, np.searchsorted(cuts, truth), -1), thirds


def moments_of(model: Model, replayed: Replay | None) -> list[tuple[str, Moment]]:
    """What is drawn, with headings: the snapshots of the replay, or the weights that the run kept."""
    end = Moment(epoch=0, parameters=model.parameters, line=None)
    if replayed is None:
        return [("as trained", end)]
    found = []
    for moment in replayed.moments:
        kept = moment.epoch == replayed.best_epoch
        found.append((f"epoch {moment.epoch} of {replayed.epochs}" + (", kept" if kept else ""), moment))
    return found


def moments_with_kept(model: Model, replayed: Replay | None) -> tuple[list[tuple[str, Parameters]], int]:
    """Headings and weights of what is drawn, the model's own among them, and their place."""
    moments = moments_of(model, replayed)
    kept = next((k for k, (heading, _) in enumerate(moments) if heading.endswith(", kept")), len(moments) - 1)
    return [
        (heading, model.parameters if k == kept else moment.parameters) for k, (heading, moment) in enumerate(moments)
    ], kept


def said_of(projections: Sequence[tuple[str, Projection]], units: int, replayed: Replay | None) -> tuple[str, ...]:
    shares = projections[-1][1].shares
    return (
        f"two directions explain {sum(shares):.0%} of the variance of the last hidden layer's {units:,} units",
        *(replayed.sentences if replayed is not None else ()),
    )


def _layer_to_json(found: LayerStatistics, groups: tuple[str, ...]) -> dict[str, Any]:
    return {
        "layer": found.layer.number,
        "units": found.layer.units,
        "function": found.layer.function,
        "dead": np.flatnonzero(found.dead).tolist(),
        "saturated": np.flatnonzero(found.saturated).tolist(),
        "share_dead": float(found.dead.mean()),
        "share_saturated": float(found.saturated.mean()),
        "share_zero": found.zeros,
        "means": found.means.tolist(),
        "deviations": found.deviations.tolist(),
        "histogram": {
            "edges": found.edges.tolist(),
            **{name: c.tolist() for name, c in zip(groups, found.counts, strict=True)},
        },
    }
