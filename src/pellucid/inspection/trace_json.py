"""A traced row as plain JSON values: every number of the layers, and the arithmetic of each unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.explanation.trace import RowTrace
from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.answer import Outcome, answer_of
from pellucid.explanation.words.loss import loss_of, slope_of_loss
from pellucid.explanation.words.values import Derivatives, Parts, Sum

__all__ = ["json_value", "row_json"]

_TERMS = 10  # of a sum that are listed; the others are added up, and all are in the layer's arrays


def row_json(row: RowTrace, steps: Sequence[NamedStep], outcome: Outcome) -> dict[str, Any]:
    """Everything about the row in the network, forward and backward."""
    back = row.back
    return {
        "layers": [_layer(step) for step in steps],
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
            "gradients": {name: g.tolist() for name, g in back.gradients.items()},
            "updated": {name: w.tolist() for name, w in back.updated.items()},
        },
        "agreement": {
            "logits": row.agreement.logits,
            "gradients": row.agreement.gradients,
            "central_differences": row.agreement.central_differences,
            "n_nudged": row.agreement.n_nudged,
        },
    }


def _layer(step: NamedStep) -> dict[str, Any]:
    """A layer's numbers, its parameters, and how each of its outputs and of the derivatives arises."""
    work, words = step.work, words_of(step.work.layer)
    trained = work.d_outputs is not None
    return {
        "index": work.index,
        "layer": work.text,
        "inputs": work.inputs.tolist(),
        "outputs": work.outputs.tolist(),
        "d_inputs": None if work.d_inputs is None else work.d_inputs.tolist(),
        "d_outputs": None if work.d_outputs is None else work.d_outputs.tolist(),
        **{name: array.tolist() for name, array in work.parameters.items()},
        "given": step.given,
        "symbol": step.symbol,
        "explanation": words.explain(step),
        "units": [
            {
                "name": name,
                "forward": _parts(words.forward(step, k)),
                "derivatives": _parts(words.derivatives(step, k)) if trained else [],
            }
            for k, name in enumerate(step.names_out)
        ],
        "backward": [
            {"name": name, "parts": _parts(words.backward(step, k))} for k, name in enumerate(step.names_in) if trained
        ],
        **({"inner": [_layer(inner) for inner in step.inner]} if step.inner else {}),
    }


def _parts(parts: Parts) -> list[dict[str, Any]]:
    return [part.to_json(_TERMS) if isinstance(part, Sum | Derivatives) else part.to_json() for part in parts]


def json_value(value: object) -> object:
    """A cell as a JSON value: an image as lists, anything else that is not a plain value as text."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
