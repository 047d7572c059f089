"""Why a loss became NaN or infinite: the first layer where it shows, and the likely cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.sequences import steps_of
from pellucid.network import describe
from pellucid.network.shapes import typed
from pellucid.training.engine import Engine

__all__ = ["explain"]

Array = NDArray[Any]

FAR_FROM_STANDARD = 20.0  # a standardised column rarely holds a value beyond


def explain(
    engine: Engine,
    inputs: Array,
    targets: Array,
    masks: Sequence[Array],
    learning_rate: float,
    *,
    training: bool = True,
) -> str:
    """Name the place and the likely cause, for a batch with a non-finite loss.

    Parameters
    ----------
    engine
        Holds the weights as they were before the batch.
    inputs, targets, masks
        The batch, ``[B, I]`` and ``[B]`` or ``[B, C]``.
    learning_rate
        Of this step.
    training
        Whether the batch was trained on; otherwise the network only answered it.
    """
    if bad := _first_bad(steps_of(inputs)[0]):  # without the padding of series
        return f"the inputs hold {bad}; look at that column of the data"
    if bad := _first_bad(targets):
        return f"the targets hold {bad}; look at the target column"
    parameters = engine.parameters()
    for parameter in engine.network.trainable():
        array = parameters[parameter.name]
        if not np.isfinite(array).all():
            layer = describe(engine.network.layers[int(parameter.name.partition(".")[0])])
            return (
                f"the weights {parameter.name!r} ({layer}) are no longer finite; the update before it was too large "
                f"at learning rate {learning_rate:g}: {_remedy(learning_rate, inputs)}"
            )
    dtype = next(iter(parameters.values())).dtype
    with np.errstate(all="ignore"):
        trace = forward(
            engine.network, parameters, typed(engine.network, inputs, dtype), training=training, masks=masks
        )
    for step in trace.steps:
        if not np.isfinite(step.outputs).all():
            largest = float(np.abs(step.inputs).max())
            return (
                f"layer {step.name} ({describe(step.layer)}) gave a number too large for {dtype} (its inputs reach "
                f"{largest:.3g}), so the weights have grown out of bounds at learning rate {learning_rate:g}: "
                f"{_remedy(learning_rate, inputs)}"
            )
    largest = float(np.abs(trace.logits).max())
    return (
        f"every layer is finite, but the loss of logits up to {largest:.3g} is not, so the last layer has grown out "
        f"of bounds at learning rate {learning_rate:g}: {_remedy(learning_rate, inputs)}"
    )


def _remedy(learning_rate: float, inputs: Array) -> str:
    largest = float(np.abs(inputs).max())
    # A weight's gradient grows with its column, and the largest rate that converges shrinks with its square.
    scale = f"standardised inputs (they reach {largest:.3g}), " if largest > FAR_FROM_STANDARD else ""
    return f"try {scale}a learning rate of {learning_rate / 10:g}, or clip_norm 1"


def _first_bad(array: Array) -> str | None:
    bad = np.argwhere(~np.isfinite(array))
    if not len(bad):
        return None
    place = tuple(int(i) for i in bad[0])
    column = f", column {place[1]}" if len(place) > 1 else ""
    return f"{array[place]} (row {place[0]} of the batch{column})"
