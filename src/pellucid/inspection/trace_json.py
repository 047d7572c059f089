"""A traced row as plain JSON values: the numbers of the layers, and the arithmetic of their units.

A picture's network has very many units. Of its maps the strongest units are written, and all numbers on request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.trace import RowTrace
from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.answer import Outcome, answer_of
from pellucid.explanation.words.loss import loss_of, slope_of_loss
from pellucid.explanation.words.values import Derivatives, Parts, Sum, strongest
from pellucid.preprocessing.encoded_cells import EncodedCell

__all__ = ["cell_json", "json_value", "row_json", "unit_json"]

Array = NDArray[Any]

_TERMS = 10  # of a sum that are listed; the others are added up, and all are in the layer's arrays
_UNITS = 5  # of a map whose arithmetic is written: the strongest
_NUMBERS = 100  # of an array that is written without ``complete``, in a network of pictures


def row_json(row: RowTrace, steps: Sequence[NamedStep], outcome: Outcome, *, complete: bool = False) -> dict[str, Any]:
    """The row in the network, forward and backward.

    Parameters
    ----------
    row, steps, outcome
        The trace, its layers with names, and its outputs.
    complete
        Also arrays of more than 100 numbers, which a network of pictures leaves out otherwise. For columns all
        arrays are written.
    """
    of_columns = row.network.on_columns
    writing = _Writing(all_units=of_columns, complete=complete or of_columns)
    back = row.back
    return {
        "shape": list(row.network.shape),
        "layers": [writing.layer(step) for step in steps],
        "outputs": [
            {"name": name, "answer": _parts(answer_of(outcome, k)), "slope": _parts(slope_of_loss(outcome, k))}
            for k, name in enumerate(outcome.names)
        ],
        "loss": _parts(loss_of(outcome)),
        "back": None
        if back is None
        else {
            "loss": back.loss,
            "loss_after": back.loss_after,
            "optimizer": back.optimizer.name,
            "learning_rate": back.learning_rate,
            "d_logits": back.d_logits.tolist(),
            "gradients": {name: writing.array(g) for name, g in back.gradients.items()},
            "updated": {name: writing.array(w) for name, w in back.updated.items()},
        },
        "agreement": {
            "logits": row.agreement.logits,
            "gradients": row.agreement.gradients,
            "central_differences": row.agreement.central_differences,
            "n_nudged": row.agreement.n_nudged,
        },
    }


def unit_json(step: NamedStep, unit: int) -> dict[str, Any]:
    """One output of a layer with all terms of its arithmetic, and ∂L/∂ of it and of its parameters."""
    words, work = words_of(step.work.layer), step.work
    return {
        "layer": work.name,
        "text": work.text,
        "name": step.names_out[unit],
        "place": [int(i) for i in np.unravel_index(unit, work.shape_out)],
        "symbol": step.symbol,
        "value": float(work.outputs[unit]),
        "slope": None if work.d_outputs is None else float(work.d_outputs[unit]),
        "forward": _parts(words.forward(step, unit), None),
        "derivatives": [] if work.d_outputs is None else _parts(words.derivatives(step, unit), None),
    }


class _Writing:
    """What of a layer is written: every unit and every number, or those of maps within bounds."""

    def __init__(self, *, all_units: bool, complete: bool) -> None:
        self.all_units, self.complete = all_units, complete

    def array(self, values: Array | None, shape: Sequence[int] | None = None) -> Any:
        """An array as lists in its own shape; ``None`` where it is left out."""
        if values is None or (values.size > _NUMBERS and not self.complete):
            return None
        return (values if shape is None else values.reshape(shape)).tolist()

    def units(self, values: Array | None) -> Sequence[int]:
        """The units whose arithmetic is written."""
        if values is None:
            return ()
        return range(len(values)) if self.all_units or len(values) <= _UNITS else strongest(values, _UNITS)

    def layer(self, step: NamedStep) -> dict[str, Any]:
        """A layer's numbers, its parameters, and how its outputs and the derivatives arise."""
        work, words = step.work, words_of(step.work.layer)
        trained = work.d_outputs is not None
        return {
            "index": work.index,
            "layer": work.text,
            "shape": list(work.shape_out),
            "inputs": self.array(work.inputs, work.shape_in),
            "outputs": self.array(work.outputs, work.shape_out),
            "d_inputs": self.array(work.d_inputs, work.shape_in),
            "d_outputs": self.array(work.d_outputs, work.shape_out),
            **{name: self.array(array) for name, array in work.parameters.items()},
            "given": step.given,
            "symbol": step.symbol,
            "explanation": words.explain(step),
            "units": [
                {
                    "name": step.names_out[k],
                    "forward": _parts(words.forward(step, k)),
                    "derivatives": _parts(words.derivatives(step, k)) if trained else [],
                }
                for k in self.units(work.that_count(work.outputs))
            ],
            "backward": [
                {"name": step.names_in[k], "parts": _parts(words.backward(step, k))} for k in self.units(work.d_inputs)
            ],
            **({"inner": [self.layer(inner) for inner in step.inner]} if step.inner else {}),
        }


def _parts(parts: Parts, most: int | None = _TERMS) -> list[dict[str, Any]]:
    """Parts as plain JSON values; of sums the largest terms, or without ``most`` all."""
    return [
        part.to_json(most or max(1, len(part.values if isinstance(part, Sum) else part)))
        if isinstance(part, Sum | Derivatives)
        else part.to_json()
        for part in parts
    ]


def cell_json(cell: EncodedCell, *, complete: bool) -> dict[str, Any]:
    """A cell and its features; of a picture the pixels only if ``complete``."""
    if isinstance(cell.cell, np.ndarray) and not complete:
        return {"column": cell.column, "cell": {"shape": list(cell.cell.shape)}, "how": cell.how}
    return {
        "column": cell.column, "cell": json_value(cell.cell), "how": cell.how, "features": dict(cell.features),
    }  # fmt: skip


def json_value(value: object) -> object:
    """A cell as a JSON value: an image as lists, anything else that is not a plain value as text."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
