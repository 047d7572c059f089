"""The one number of a prediction that is explained: a class's probability, or the predicted number.

Legend: ``N`` rows, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.inside import Inside, look_inside
from pellucid.engines.support import rows_at_once
from pellucid.errors import SettingError, nearest
from pellucid.explanation.channels import pictures_at_once
from pellucid.explanation.own_tokens import length_of, vectors_as_tokens
from pellucid.model.model import Model
from pellucid.network.shapes import typed
from pellucid.preprocessing.features import Features, rows_for

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
        """The outputs ``[N]`` and their gradients ``[N, F]`` for features ``[N, F]``, or for series ``[N, T, C]``.

        In float64 by the textbook engine; series too in float64, but by PyTorch where it is installed (`look_inside`);
        pictures, which have millions of products, by PyTorch in the type of the weights.
        """
        scores, gradients = np.zeros(len(inputs)), np.zeros((len(inputs), prod(inputs.shape[1:])))
        for part, seen in self._seen(inputs, towards=lambda z: self._link(z)[1]):
            assert seen.d_inputs is not None
            slopes = seen.d_inputs.transpose(0, 2, 3, 1) if seen.d_inputs.ndim == 4 else seen.d_inputs
            scores[part] += self._link(seen.logits.astype(np.float64))[0] / len(self.model.members)
            gradients[part] += slopes.reshape(len(slopes), -1) / len(self.model.members)
        return scores, gradients

    def values(self, inputs: Array) -> Array:
        """The outputs ``[N]`` for features ``[N, F]``, series or tokens, by the same engines as `slopes`."""
        scores = np.zeros(len(inputs))
        for part, seen in self._seen(inputs):
            scores[part] += self._link(seen.logits.astype(np.float64))[0] / len(self.model.members)
        return scores

    def vectors_of(self, tokens: Array) -> Array:
        """The vectors ``[K, L, D]`` that the K networks have for the tokens of a row ``[T]``."""
        few = tokens[: length_of(tokens)]
        found: Array = np.stack([parameters["0.weight"][few] for parameters in self.model.members]).astype(np.float64)
        found[:, few == 0] = 0.0
        return found

    def slopes_of_vectors(self, vectors: Array) -> tuple[Array, Array]:
        """The outputs ``[P]`` and their gradients ``[P, K, L, D]`` for vectors in the places of a row's tokens.

        Parameters
        ----------
        vectors
            ``[P, K, L, D]``: for each of P rows what each network's embedding would give.
        """
        scores, gradients = np.zeros(len(vectors)), np.zeros(vectors.shape)
        many = len(self.model.members)
        for k, parameters in enumerate(self.model.members):
            for part in self._parts(len(vectors)):
                own, weights, rows = vectors_as_tokens(self.model.network, _exact(parameters), vectors[part, k])
                seen = look_inside(own, weights, rows, names=["0"], towards=lambda z: self._link(z)[1])
                scores[part] += self._link(seen.logits)[0] / many
                gradients[part, k] = seen.d_outputs["0"][:, : vectors.shape[2]] / many
        return scores, gradients

    def inside(self, inputs: Array, layer: str) -> tuple[Array, Array]:
        """A layer's outputs and the slopes of the class's score with them, of every network: ``[K, N, *shape]`` each.

        The score is the class's logit (of the first of two classes its negative), or the number as the network gives
        it: not the probability, whose slopes vanish where the network is certain (Selvaraju et al. 2017).
        """
        outputs, slopes = [], []
        for _, seen in self._seen(inputs, names=[layer], towards=self._of_logits):
            outputs.append(seen.outputs[layer])
            slopes.append(seen.d_outputs[layer])
        shape = (len(self.model.members), len(inputs), *outputs[0].shape[1:])
        return np.concatenate(outputs).reshape(shape), np.concatenate(slopes).reshape(shape)

    def _seen(self, inputs: Array, **more: Any) -> Iterator[tuple[slice, Inside]]:
        """What is seen inside every network in turn, a part of the rows after the other."""
        network = self.model.network
        for parameters in self.model.members:
            in_full = network.on_columns or network.on_sequences
            dtype = np.float64 if in_full else next(iter(parameters.values())).dtype
            weights = _exact(parameters) if network.dtype == "int64" else parameters
            for part in self._parts(len(inputs)):
                rows = np.asarray(rows_for(network.shape, typed(network, inputs[part], dtype)))
                yield part, look_inside(network, weights, rows, **more)

    def _parts(self, many: int) -> Iterator[slice]:
        """Parts of the rows that pass together."""
        network = self.model.network
        at_once = max(1, many if network.on_columns else min(pictures_at_once(network) // 4, rows_at_once(network)))
        for i in range(0, many, at_once):
            yield slice(i, i + at_once)

    def _of_logits(self, z: Array) -> Array:
        slopes = np.zeros_like(z)
        if self.index is None:
            slopes[:, 0] = 1.0
        elif self.model.task.link == "sigmoid":
            slopes[:, 0] = 1.0 if self.index == 1 else -1.0
        else:
            slopes[:, self.index] = 1.0
        return slopes

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


def _exact(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """The weights in float64."""
    return {name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in parameters.items()}


def json_value(value: object) -> object:
    """A cell or a prediction as a JSON value.

    >>> json_value(np.float64(2.5)), json_value(None), json_value(complex(1, 2))
    (2.5, None, '(1+2j)')
    """
    value = value.item() if isinstance(value, np.generic) else value
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def explained_output(model: Model, label: object = None, *, inputs: Array | None = None) -> ExplainedOutput:
    """The output that is explained: the probability of a class, or the number.

    Without ``label`` it is the second of two classes; of several, the most probable class for the row ``inputs``.

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
