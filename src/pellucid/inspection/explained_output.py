"""The one number of a prediction that is explained: a class's probability, or the predicted number.

Legend: ``N`` rows, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.errors import SettingError, nearest
from pellucid.model.model import Model
from pellucid.preprocessing.features import Features

__all__ = ["ExplainedOutput", "explained_output", "json_value"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainedOutput:
    """The number that is explained: one class's probability, or the predicted number.

    Attributes
    ----------
    model
        The model that predicts it.
    index
        The number of the class; ``None`` for a predicted number.
    """

    model: Model
    index: int | None

    @property
    def name(self) -> str:
        """``probability of yes``, or the target's name."""
        if self.index is None:
            return self.model.task.target
        return f"probability of {self.model.task.classes[self.index]}"

    def __call__(self, features: Features | Array) -> Array:
        """``[N]`` for the features of N rows, or the same as an array ``[N, F]``."""
        answers = self.model.answers_to(features)
        return answers if self.index is None else answers[:, self.index]

    def slopes(self, inputs: Array) -> tuple[Array, Array]:
        """The outputs ``[N]`` and their gradients ``[N, F]`` in float64, by the textbook engine."""
        x = inputs.astype(np.float64)
        scores, gradients = np.zeros(len(x)), np.zeros_like(x)
        for parameters in self.model.members:
            exact = {name: np.asarray(array, dtype=np.float64) for name, array in parameters.items()}
            passed = forward(self.model.network, exact, x)
            value, d_logits = self._link(passed.logits)
            scores += value / len(self.model.members)
            gradients += backward(exact, passed, d_logits).d_inputs[0] / len(self.model.members)
        return scores, gradients

    def _link(self, z: Array) -> tuple[Array, Array]:
        """From logits ``[N, C]`` to the output ``[N]`` and ∂output/∂logits ``[N, C]``."""
        if self.index is None:
            scaler = self.model.scaler
            if scaler is None:
                return z[:, 0], np.ones_like(z)
            return scaler.inverse(z[:, 0]), scaler.slope(z)
        if self.model.task.link == "sigmoid":
            p = np.exp(-np.logaddexp(0.0, -z[:, 0]))  # of the second class
            sign = 1.0 if self.index == 1 else -1.0
            return (p if self.index == 1 else 1 - p), (sign * p * (1 - p))[:, np.newaxis]
        p = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))  # [N, C]
        of = p[:, [self.index]]
        return of[:, 0], of * (np.eye(p.shape[1])[self.index] - p)  # ∂p_c/∂z_k = p_c (δ_ck − p_k)


def json_value(value: object) -> object:
    """A cell or a prediction as a JSON value.

    >>> json_value(np.float64(2.5)), json_value(None), json_value(complex(1, 2))
    (2.5, None, '(1+2j)')
    """
    value = value.item() if isinstance(value, np.generic) else value
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def explained_output(model: Model, label: object = None, *, inputs: Array | None = None) -> ExplainedOutput:
    """The output that is explained: the probability of a class, or the number.

    Without ``label`` it is the second of two classes; of several, the most probable class for ``inputs`` ``[F]``.

    Raises
    ------
    SettingError
        There is no such class.
    """
    task = model.task
    if not task.is_classification:
        if label is not None:
            raise SettingError(f"{task.target!r} is a number, so it has no class {label!r}: leave the class out")
        return ExplainedOutput(model=model, index=None)
    names = [str(c) for c in task.classes]
    if label is not None:
        if str(label) not in names:
            known = ", ".join(names[:10])
            raise SettingError(f"class must be one of {known}, got {label!r}{nearest(str(label), names)}")
        return ExplainedOutput(model=model, index=names.index(str(label)))
    if len(names) == 2 or inputs is None:
        return ExplainedOutput(model=model, index=1)
    return ExplainedOutput(model=model, index=int(model.answers_to(inputs[np.newaxis])[0].argmax()))
