"""What the hidden units of a run learned: dead and saturated units, and the rows in the last hidden layer."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables import Table
from pellucid.errors import SettingError, StorageError
from pellucid.explanation.channels import map_layers
from pellucid.explanation.units import LayerStatistics, Projection, activations, hidden_layers, project, statistics
from pellucid.inspection.channels import (
    PATCH_SHEETS,
    Channels,
    channels_of,
    layers_of_pictures,
    outputs_of,
    pictures_to_take,
)
from pellucid.inspection.rows import RowsToInspect, row_to_inspect, rows_to_inspect
from pellucid.inspection.units_as_pictures import (
    ExcitingPictures,
    exciting_pictures,
    first_weights,
    weights_as_images,
)
from pellucid.io.files import could_not, write_text
from pellucid.model.model import Model
from pellucid.preprocessing.features import rows_for
from pellucid.runs.replay import Moment, Replay, replay
from pellucid.runs.rows_of_run import drawn_rows, rows_of_run, truth_of
from pellucid.training.events import Listener, ignore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Units", "units", "units_of"]

Array = NDArray[Any]

_PICTURES = ("activations", "representation", "weights", "weights-over-epochs", "filters", "maps", "fields",
             *(f"patches-{k + 1}" for k in range(PATCH_SHEETS)))  # fmt: skip
FILES = ("units.json", *(f"{name}{ending}" for name in _PICTURES for ending in (".png", ".svg")))

MOMENTS = 6
_MOST_POINTS = 2_000
_MOST_ROWS = 20_000
_OVER_EPOCHS = 16
_WIDE, _POINTS_OF_WIDE = 1_024, 500  # numbers of a last hidden layer, of which a projection takes long
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
                [str(number) for number in self.weight_units[:_OVER_EPOCHS]],
                title="Weights of first-layer units",
            )
        found |= {f"patches-{each.layer.number}": each.figure() for each in self.exciting}
        return found if self.channels is None else {**found, **self.channels.figures()}

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


def units(
    run: str | os.PathLike[str],
    data: object = None,
    *,
    row: int | None = None,
    picture: object = None,
    replayed: bool = True,
    listener: Listener = ignore,
) -> Units:
    """Statistics and pictures of the hidden units of a run; for an ensemble, of network 1.

    Of a convolutional network the channels are looked at: filters, what excites them, maps of one picture.

    Parameters
    ----------
    run
        A run folder or a model file.
    data
        Rows, as `Model.predict` takes them; default: the table that the run was trained on, and for a convolutional
        network the pictures that measured it.
    row, picture
        The picture whose feature maps are drawn: its number in ``data``, from 0 (default: 0), or an image file of its
        own.
    replayed
        Whether to retrain the run, to show several epochs.
    listener
        Called with each event of that training (see `pellucid.runs.replay.replay`).

    Raises
    ------
    SettingError
        The network has no hidden layer; or it has no feature maps, and a picture is chosen for them.
    DataError
        The rows cannot be read, or there is no such row.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=3, verdict=False, out=folder)
    >>> found = units(folder, replayed=False)
    >>> [layer.layer.text for layer in found.layers], found.projections[0][1].places.shape
    (['4 relu'], (150, 2))
    """
    model = Model.read(run)
    _check(model)
    if map_layers(model.network):
        rows = rows_to_inspect(run, data)
        given = row_to_inspect(run, model, data if picture is None else picture, row or 0, None)
        again = replay(run, most=MOMENTS, listener=listener) if replayed else None
        return units_of_pictures(rows, given, replayed=again)
    if row is not None or picture is not None:
        raise SettingError(
            "this network has no feature maps, which row and picture choose: they belong to a convolutional network "
            "(train with network=cnn)"
        )
    table, name = rows_of_run(run, model, data)
    return units_of(
        model, table, name=name, replayed=replay(run, most=MOMENTS, listener=listener) if replayed else None
    )


def units_of(model: Model, table: Table, *, name: str = "the table", replayed: Replay | None = None) -> Units:
    """`units` of a model and a table in memory.

    Parameters
    ----------
    model, table
        The model, and the rows that pass through it: at most 20,000, drawn at random.
    name
        What the title calls the table.
    replayed
        The run's training, replayed, to show the last hidden layer at several epochs; without it, only the final
        network is shown.

    Raises
    ------
    SettingError
        The network has no hidden layer.
    """
    _check(model)
    if map_layers(model.network):
        rows = rows_to_inspect(model, table)
        return units_of_pictures(rows, row_to_inspect(model, model, table, 0, None), replayed=replayed)
    taken = drawn_rows(table.n_rows, _MOST_ROWS)
    notes = [f"network 1 of {len(model.members)}: each has its own units"] if model.more else []
    if len(taken) < table.n_rows:
        notes.append(f"{len(taken):,} of the {table.n_rows:,} rows were sampled at random")
        table = table.take(taken)
    features, truth = model.features(table), truth_of(model, table)
    inputs = features.flat
    groups, names = _groups(model, truth)
    layers = statistics(model.network, model.parameters, inputs, groups, len(names))
    drawn = drawn_rows(len(inputs), _MOST_POINTS)
    last = hidden_layers(model.network)[-1]
    projections: list[tuple[str, Projection]] = []
    moments = _moments(model, replayed)
    for heading, moment in moments:
        before = projections[-1][1] if projections else None
        outputs = activations(model.network, moment.parameters, inputs[drawn], last)
        projections.append((heading, project(outputs, before)))
    weights, which = first_weights(model)
    few = np.array(which[:_OVER_EPOCHS], dtype=np.int64) - 1
    which_network = f"network 1 of {len(model.members)} on " if model.more else ""
    return Units(
        title=f"{which_network}{len(inputs):,} rows of {name}",
        layers=layers,
        groups=names,
        projections=tuple(projections),
        target=model.task.target or "",
        classes=tuple(str(c) for c in model.task.classes) if model.task.is_classification else (),
        values=None if truth is None else truth[drawn],
        weights=weights,
        weight_units=which,
        weights_over_epochs=()
        if weights is None
        else tuple(
            (heading, weights_as_images(model, moment.parameters["0.weight"][few])) for heading, moment in moments
        ),
        exciting=exciting_pictures(
            model,
            features.take(drawn),
            [(heading, moment.parameters) for heading, moment in moments],
            hidden_layers(model.network)[:PATCH_SHEETS],
        ),
        sentences=(
            *(found.sentence for found in layers),
            *_said_of(projections, last.units, replayed),
        ),
        notes=tuple(notes),
    )


def units_of_pictures(rows: RowsToInspect, given: RowsToInspect, *, replayed: Replay | None = None) -> Units:
    """`units` of pictures in memory, for a model whose network has convolutions.

    Parameters
    ----------
    rows
        The pictures; as many are drawn at random as can be looked at in some seconds.
    given
        The picture whose feature maps are drawn.
    replayed
        As in `units_of`.
    """
    model = rows.model
    moments = _moments(model, replayed)
    kept = next((k for k, (heading, _) in enumerate(moments) if heading.endswith(", kept")), len(moments) - 1)
    weights = [moment.parameters for _, moment in moments]
    weights[kept] = model.parameters
    some = rows.sample(pictures_to_take(model.network, len(moments)))
    notes = [f"network 1 of {len(model.members)}: each has its own units"] if model.more else []
    notes += [f"{some.features.n:,} of these pictures were sampled at random"] if some is not rows else []
    headings = [heading for heading, _ in moments]
    channels = channels_of(
        model, list(zip(headings, weights, strict=True)), kept, some.features, some.numbers, given.features, given.title
    )
    groups, names = _groups(model, some.truth)
    inputs = rows_for(model.network.shape, some.features)
    last = hidden_layers(model.network)[-1]
    points = drawn_rows(
        len(inputs), _MOST_POINTS if prod(model.network.shapes()[last.last]) <= _WIDE else _POINTS_OF_WIDE
    )
    projections: list[tuple[str, Projection]] = []
    for heading, parameters in zip(headings, weights, strict=True):
        before = projections[-1][1] if projections else None
        outputs = outputs_of(model.network, parameters, inputs[points], last)
        projections.append((heading, project(outputs, before)))
    which_network = f"network 1 of {len(model.members)} on " if model.more else ""
    layers = layers_of_pictures(model, channels, inputs, groups, len(names))
    return Units(
        title=f"{which_network}{'' if some is rows else f'{len(inputs):,} of '}{rows.title}",
        layers=layers,
        groups=names,
        projections=tuple(projections),
        target=model.task.target or "",
        classes=tuple(str(c) for c in model.task.classes) if model.task.is_classification else (),
        values=None if some.truth is None else some.truth[points],
        weights=None,
        weight_units=(),
        sentences=(
            *channels.sentences,
            *(found.sentence for found in layers[len(channels.fields) :]),
            *_said_of(projections, prod(model.network.shapes()[last.last]), replayed),
        ),
        notes=tuple(notes),
        channels=channels,
    )


def _said_of(projections: Sequence[tuple[str, Projection]], units: int, replayed: Replay | None) -> tuple[str, ...]:
    shares = projections[-1][1].shares
    return (
        f"two directions explain {sum(shares):.0%} of the variance of the last hidden layer's {units:,} units",
        *(replayed.sentences if replayed is not None else ()),
    )


def _check(model: Model) -> None:
    if not hidden_layers(model.network):
        raise SettingError("this network has no hidden layer, so it has no hidden units: train with hidden=(32,)")


def _groups(model: Model, truth: Array | None) -> tuple[Array | None, tuple[str, ...]]:
    """``[N]`` the group of each row (-1: none), and the names of the groups."""
    if truth is None or not np.isfinite(truth).any():
        return None, ("all rows",)
    known = np.isfinite(truth)
    if model.task.is_classification:
        return np.where(known, np.nan_to_num(truth), -1).astype(np.int64), tuple(str(c) for c in model.task.classes)
    cuts = np.quantile(truth[known], [1 / 3, 2 / 3])
    thirds = tuple(f"{third} of {model.task.target}" for third in _THIRDS)
    return np.where(known, np.searchsorted(cuts, truth), -1), thirds


def _moments(model: Model, replayed: Replay | None) -> list[tuple[str, Moment]]:
    """What is drawn, with headings: the snapshots of the replay, or the weights that the run kept."""
    end = Moment(epoch=0, parameters=model.parameters, line=None)
    if replayed is None:
        return [("as trained", end)]
    found = []
    for moment in replayed.moments:
        kept = moment.epoch == replayed.best_epoch
        found.append((f"epoch {moment.epoch} of {replayed.epochs}" + (", kept" if kept else ""), moment))
    return found


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
