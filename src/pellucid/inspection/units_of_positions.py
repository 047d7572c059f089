"""What the hidden units of a run learned whose rows have positions: pictures, texts and series."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.units import Projection, hidden_layers, project
from pellucid.inspection.channels import channels_of, layers_of_pictures, outputs_of, pictures_to_take
from pellucid.inspection.rows import RowsToInspect
from pellucid.inspection.units_found import Units, groups_of, moments_with_kept, said_of
from pellucid.inspection.units_of_sequences import (
    last_outputs,
    layers_of_sequences,
    sequence_units,
    sequences_to_take,
)
from pellucid.preprocessing.features import rows_for
from pellucid.runs.replay import Replay
from pellucid.runs.rows_of_run import drawn_rows

__all__ = ["MOST_POINTS", "units_of_pictures", "units_of_rows_by_step"]

Array = NDArray[Any]

MOST_POINTS = 2_000
_WIDE, _POINTS_OF_WIDE = 1_024, 500  # numbers of a last hidden layer, of which a projection takes long


def units_of_rows_by_step(rows: RowsToInspect, given: RowsToInspect, *, replayed: Replay | None = None) -> Units:
    """`units` of texts or series in memory, for a model that reads them step by step.

    Parameters
    ----------
    rows
        The rows; as many are drawn at random as can be looked at in some seconds.
    given
        The row that is shown step by step.
    replayed
        As in `units_of`.
    """
    model = rows.model
    moments, kept = moments_with_kept(model, replayed)
    some = rows.sample(sequences_to_take(model.network, len(moments)))
    notes = [f"network 1 of {len(model.members)}: each has its own units"] if model.more else []
    notes += [f"{some.features.n:,} of these rows were sampled at random"] if some is not rows else []
    groups, names = groups_of(model, some.truth)
    inputs = np.asarray(rows_for(model.network.shape, some.features))
    layers = layers_of_sequences(model, inputs, groups, len(names))
    projections: list[tuple[str, Projection]] = []
    for heading, parameters in moments:
        before = projections[-1][1] if projections else None
        projections.append((heading, project(last_outputs(model.network, parameters, inputs), before)))
    sequence = sequence_units(model, moments, kept, some, given)
    which_network = f"network 1 of {len(model.members)} on " if model.more else ""
    return Units(
        title=f"{which_network}{'' if some is rows else f'{len(inputs):,} of '}{rows.title}",
        layers=layers,
        groups=names,
        projections=tuple(projections),
        target=model.task.target or "",
        classes=tuple(str(c) for c in model.task.classes) if model.task.is_classification else (),
        values=some.truth,
        weights=None,
        weight_units=(),
        sentences=(
            *(found.sentence for found in layers if found.layer.function != "identity"),
            *sequence.sentences,
            *said_of(projections, layers[-1].layer.units, replayed),
        ),
        notes=tuple(notes),
        sequence=sequence,
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
    moments, kept = moments_with_kept(model, replayed)
    some = rows.sample(pictures_to_take(model.network, len(moments)))
    notes = [f"network 1 of {len(model.members)}: each has its own units"] if model.more else []
    notes += [f"{some.features.n:,} of these pictures were sampled at random"] if some is not rows else []
    channels = channels_of(model, moments, kept, some.features, some.numbers, given.features, given.title)
    groups, names = groups_of(model, some.truth)
    inputs = rows_for(model.network.shape, some.features)
    last = hidden_layers(model.network)[-1]
    points = drawn_rows(
        len(inputs), MOST_POINTS if prod(model.network.shapes()[last.last]) <= _WIDE else _POINTS_OF_WIDE
    )
    projections: list[tuple[str, Projection]] = []
    for heading, parameters in moments:
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
            *said_of(projections, prod(model.network.shapes()[last.last]), replayed),
        ),
        notes=tuple(notes),
        channels=channels,
    )
