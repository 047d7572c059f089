"""What the hidden units of a run learned: dead and saturated units, and the rows in the last hidden layer."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables import Table
from pellucid.errors import SettingError
from pellucid.explanation.channels import map_layers
from pellucid.explanation.units import Projection, activations, hidden_layers, project, statistics
from pellucid.inspection.channels import PATCH_SHEETS
from pellucid.inspection.rows import row_to_inspect, rows_to_inspect
from pellucid.inspection.units_as_pictures import exciting_pictures, first_weights, weights_as_images
from pellucid.inspection.units_found import FILES, OVER_EPOCHS, Units, groups_of, moments_of, said_of
from pellucid.inspection.units_of_continued import units_of_continued
from pellucid.inspection.units_of_positions import MOST_POINTS, units_of_pictures, units_of_rows_by_step
from pellucid.model.model import Model
from pellucid.runs.replay import Replay, replay
from pellucid.runs.rows_of_run import drawn_rows, rows_of_run, truth_of
from pellucid.training.events import Listener, ignore

__all__ = ["FILES", "Units", "units", "units_of"]

Array = NDArray[Any]

MOMENTS = 6
_MOST_ROWS = 20_000


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

    Of a convolutional network the channels are looked at: filters, what excites them, maps of one picture; of a network
    that reads texts or series step by step the states, gates and heads on one row, and the tokens in two dimensions.

    Parameters
    ----------
    run
        A run folder or a model file.
    data
        Rows, as `Model.predict` takes them, or for a model that continues texts a text file; default: the table that
        the run was trained on, for a convolutional network the pictures that measured it, of a text its last tenth.
    row, picture
        The picture whose feature maps are drawn: its number in ``data``, from 0 (default: 0), or an image file of its
        own. Of texts and series ``row`` is the one that is shown step by step.
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
    if model.task.kind == "continuation":
        return units_of_continued(run, model, data, row)
    if model.network.on_sequences and picture is None:
        rows = rows_to_inspect(run, data)
        given = row_to_inspect(run, model, data, row or 0, None)
        again = replay(run, most=MOMENTS, listener=listener) if replayed else None
        return units_of_rows_by_step(rows, given, replayed=again)
    if row is not None or picture is not None:
        raise SettingError(
            "this network has no feature maps and no steps, which row and picture choose: they belong to a "
            "convolutional network (train with network=cnn), or to one that reads texts or series step by step"
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
    if model.network.on_sequences:
        rows = rows_to_inspect(model, table)
        return units_of_rows_by_step(rows, row_to_inspect(model, model, table, 0, None), replayed=replayed)
    taken = drawn_rows(table.n_rows, _MOST_ROWS)
    notes = [f"network 1 of {len(model.members)}: each has its own units"] if model.more else []
    if len(taken) < table.n_rows:
        notes.append(f"{len(taken):,} of the {table.n_rows:,} rows were sampled at random")
        table = table.take(taken)
    features, truth = model.features(table), truth_of(model, table)
    inputs = features.flat
    groups, names = groups_of(model, truth)
    layers = statistics(model.network, model.parameters, inputs, groups, len(names))
    drawn = drawn_rows(len(inputs), MOST_POINTS)
    last = hidden_layers(model.network)[-1]
    projections: list[tuple[str, Projection]] = []
    moments = moments_of(model, replayed)
    for heading, moment in moments:
        before = projections[-1][1] if projections else None
        outputs = activations(model.network, moment.parameters, inputs[drawn], last)
        projections.append((heading, project(outputs, before)))
    weights, which = first_weights(model)
    few = np.array(which[:OVER_EPOCHS], dtype=np.int64) - 1
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
            *said_of(projections, last.units, replayed),
        ),
        notes=tuple(notes),
    )


def _check(model: Model) -> None:
    if not hidden_layers(model.network):
        raise SettingError("this network has no hidden layer, so it has no hidden units: train with hidden=(32,)")
