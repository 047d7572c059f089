"""One row through a network and back: every number, and how far three ways of computing them agree.

Forward, the network computes as at prediction: Dropout is inactive, BatchNorm uses its running statistics. Backward,
the chain rule goes from the row's loss to every weight; then come the first optimizer step on this row alone, and the
row's loss after it.

Arrays of a picture or a series are flattened, channel by channel and in each row by row, with their shape beside them:
unit ``k`` is the ``k``-th number, in a map as in a list.

Legend: ``I`` inputs and ``O`` outputs of a layer, ``F`` features, ``C`` outputs of the network; one row, so no batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.backprop import StepBack, backward
from pellucid.engines.textbook.forward import Step, forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.optimizers import update
from pellucid.engines.textbook.sequences import padding_as
from pellucid.explanation.own_tokens import length_of
from pellucid.network import Layer, Network, Shape
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.parity import difference

__all__ = ["Agreement", "Back", "LayerAtWork", "RowTrace", "trace_row"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]
Place = tuple[Any, ...]  # of an element in an array

_NUDGED = 100  # weights whose derivative is also computed by central differences: the steepest of each layer
_NUDGED_OF_LARGE = 20  # the same where a row has many units or steps: two forward passes each
_LARGE, _LONG = 20_000, 64  # units; steps, which are computed one after the other
_H = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerAtWork:
    """A layer with its inputs and outputs for one row.

    Attributes
    ----------
    index, name, layer
        Its place among its neighbours, from 0; what its parameters' names begin with, ``3`` or ``3.0`` inside a
        composite; and its description.
    inputs, outputs
        ``[I]`` and ``[O]``, flattened.
    shape_in, shape_out
        Their shapes for one row, such as ``(channels, height, width)``.
    d_inputs, d_outputs
        The derivatives of L with respect to both; ``None`` if the row's target is not known.
    kept, kept_back
        What the layer's rule wrote down for a reader on the way there and back, by name, for a batch of this one row.
    parameters
        The layer's own arrays under their short names, such as ``weight``.
    gradients, updated
        The gradients of the trained ones, and their values after one step; empty if the row's target is not known.
    inner
        The layers inside a composite.
    steps
        How many steps of a text or series count; ``None`` for other rows, and if all do.
    """

    index: int
    name: str
    layer: Layer
    inputs: Array
    outputs: Array
    shape_in: Shape
    shape_out: Shape
    d_inputs: Array | None = None
    d_outputs: Array | None = None
    parameters: Mapping[str, Array] = field(default_factory=dict)
    gradients: Mapping[str, Array] = field(default_factory=dict)
    updated: Mapping[str, Array] = field(default_factory=dict)
    kept: Mapping[str, Array] = field(default_factory=dict)
    kept_back: Mapping[str, Array] = field(default_factory=dict)
    inner: tuple[LayerAtWork, ...] = ()
    steps: int | None = None

    def that_count(self, values: Array) -> Array:
        """The same numbers of its inputs or outputs with 0 for those of padded steps, which nothing depends on."""
        shape = self.shape_out if values.size == np.prod(self.shape_out) else self.shape_in
        if self.steps is None or len(shape) != 2 or shape[0] <= self.steps:
            return values
        found = values.reshape(shape).copy()
        found[self.steps :] = 0
        return found.ravel()

    @property
    def text(self) -> str:
        """One short phrase, such as ``Dense 4 → 8``."""
        return self.layer.words()


@dataclass(frozen=True, kw_only=True, eq=False)
class Back:
    """The backward pass of a row whose target is known.

    Attributes
    ----------
    loss, loss_after
        The loss of the row, now and after one step.
    d_logits
        ∂L/∂z ``[C]`` for the network's outputs.
    gradients, updated
        ∂L/∂θ of every trainable parameter, and the parameters after the step.
    optimizer, learning_rate
        Of the step.
    """

    loss: float
    d_logits: Array
    gradients: Mapping[str, Array]
    updated: Mapping[str, Array]
    loss_after: float
    optimizer: Optimizer
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The largest differences from other ways of computing the same values: |a − b| / max(1, |a|, |b|).

    Attributes
    ----------
    logits, gradients
        From PyTorch's values, with gradients by autograd; ``None`` if PyTorch is not installed.
    central_differences
        Of the ``n_nudged`` steepest derivatives, from (L(θ + h) − L(θ − h)) / 2h.
    """

    logits: float | None
    gradients: float | None
    central_differences: float | None
    n_nudged: int


@dataclass(frozen=True, kw_only=True, eq=False)
class RowTrace:
    """One row, forward and, if its target is known, backward.

    Of a text or series ``steps`` is how many steps count; the others are padding.
    """

    network: Network
    parameters: Parameters
    layers: tuple[LayerAtWork, ...]
    back: Back | None
    agreement: Agreement
    steps: int | None = None

    @property
    def logits(self) -> Array:
        """The output of the last layer, ``[C]``."""
        return self.layers[-1].outputs


def trace_row(
    network: Network,
    parameters: Parameters,
    x: Array,
    *,
    loss: Loss,
    target: Array | None = None,
    optimizer: Optimizer | None = None,
    learning_rate: float = 0.01,
    compared: bool = True,
) -> RowTrace:
    """Follow one row forward and, if its target is known, backward.

    Parameters
    ----------
    network, parameters
        The description and its arrays, by name.
    x
        The row in the shape of ``network.shape``: features ``[F]``, tokens ``[T]``, a picture ``[C, H, W]``.
    loss
        The loss that training minimised.
    target
        The row's target as the loss takes it: a class number ``[1]`` or numbers ``[1, C]``; ``None`` if it is not
        known, and then there is no backward pass.
    optimizer, learning_rate
        For the one step; by default plain gradient descent.
    compared
        Whether the numbers are computed in other ways too, which takes most of the time.

    Raises
    ------
    DataError
        ``x`` does not have the shape that the network takes.

    >>> from pellucid.network import mlp
    >>> line = mlp(1, [], 1)
    >>> weights = {"0.weight": np.array([[3.0]]), "0.bias": np.array([1.0])}
    >>> found = trace_row(line, weights, np.array([2.0]), loss=Loss(name="mse"), target=np.array([[5.0]]))
    >>> found.logits.tolist(), found.back.loss, found.back.gradients["0.weight"].tolist()
    ([7.0], 4.0, [[8.0]])
    >>> found.back.updated["0.weight"].round(2).tolist()
    [[2.92]]
    """
    exact = {name: np.asarray(a, np.float64) if a.dtype.kind == "f" else a for name, a in parameters.items()}
    rows = np.asarray(x, np.int64 if network.dtype == "int64" else np.float64)[np.newaxis]
    passed = forward(network, exact, rows)
    back: Back | None = None
    handed_back: tuple[StepBack | None, ...] = (None,) * len(passed.steps)
    if target is not None:
        judged = loss_and_gradient(loss, passed.logits, target)
        found = backward(exact, passed, judged.d_logits)
        handed_back = found.steps
        rule = optimizer or Optimizer(name="sgd")
        updated = {name: update(rule, exact[name], g, {}, learning_rate, 1) for name, g in found.parameters.items()}
        back = Back(
            loss=judged.value,
            d_logits=judged.d_logits[0],
            gradients=found.parameters,
            updated=updated,
            loss_after=_loss(network, loss, rows, target, {**exact, **updated}),
            optimizer=rule,
            learning_rate=learning_rate,
        )
    gradients: Parameters = {} if back is None else back.gradients
    arrays = _Arrays(exact, gradients, {} if back is None else back.updated)
    steps = length_of(rows[0]) if network.on_sequences else None
    layers = _layers_at_work(passed.steps, handed_back, arrays, steps if network.shape[0] != steps else None)
    large = sum(step.outputs.size for step in passed.steps) > _LARGE or (network.on_sequences and rows.shape[1] > _LONG)
    nudged = _NUDGED_OF_LARGE if large else _NUDGED
    agreement = Agreement(logits=None, gradients=None, central_differences=None, n_nudged=0)
    if compared:
        agreement = _agreement(network, exact, rows, loss, target, passed.logits, gradients, nudged)
    return RowTrace(
        network=network,
        parameters=exact,
        layers=layers,
        back=back,
        agreement=agreement,
        steps=steps,
    )


@dataclass(frozen=True)
class _Arrays:
    """Every parameter by its full name, its gradient, and its value after one step."""

    parameters: Parameters
    gradients: Parameters
    updated: Parameters


def _layers_at_work(
    steps: Sequence[Step], handed_back: Sequence[StepBack | None], arrays: _Arrays, counting: int | None
) -> tuple[LayerAtWork, ...]:
    """Forward and backward steps joined, also for the layers inside a composite."""
    return tuple(
        LayerAtWork(
            index=int(step.name.rpartition(".")[2]),
            name=step.name,
            layer=step.layer,
            inputs=_taken(step).ravel(),
            outputs=step.outputs[0].ravel(),
            shape_in=step.inputs.shape[1:],
            shape_out=step.outputs.shape[1:],
            d_inputs=None if handed is None else handed.d_inputs[0].ravel(),
            d_outputs=None if handed is None else handed.d_outputs[0].ravel(),
            parameters=_own(arrays.parameters, step.name),
            gradients=_own(arrays.gradients, step.name),
            updated=_own(arrays.updated, step.name),
            kept=step.kept,
            kept_back={} if handed is None else handed.kept,
            inner=_layers_at_work(
                step.inner, (None,) * len(step.inner) if handed is None else handed.inner, arrays, counting
            ),
            steps=counting,
        )
        for step, handed in zip(steps, handed_back, strict=True)
    )


def _taken(step: Step) -> Array:
    """What the layer takes: padded steps of channels are zeros to it, whatever lies there."""
    x, lengths = step.inputs, step.kept.get("lengths")
    taken: Array = (x if lengths is None else padding_as(0, x, lengths))[0]
    return taken


def _own(arrays: Parameters, place: str) -> dict[str, Array]:
    """The arrays of the layer at a place, by their short names."""
    prefix = f"{place}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _loss(network: Network, loss: Loss, rows: Array, target: Array, parameters: Parameters) -> float:
    return loss_and_gradient(loss, forward(network, parameters, rows).logits, target).value


# ── other ways to the same numbers ────────────────────────────────────────────────────────────────────────────


def _agreement(
    network: Network,
    parameters: Parameters,
    rows: Array,
    loss: Loss,
    target: Array | None,
    logits: Array,
    gradients: Mapping[str, Array],
    nudged: int,
) -> Agreement:
    of_logits = of_gradients = None
    if find_spec("torch") is not None:
        from pellucid.engines.torch_engine.module import evaluated

        theirs, slopes = evaluated(network, parameters, rows, loss, target)
        of_logits = difference(logits, theirs)
        of_gradients = max((difference(g, slopes[name]) for name, g in gradients.items()), default=None)
    apart: list[float] = []
    if target is not None:
        at = partial(_loss, network, loss, rows, target)
        apart = [difference(gradients[name][place], _by_nudging(at, parameters, name, place))
                 for name, place in _steepest(gradients, nudged)]  # fmt: skip
    return Agreement(
        logits=of_logits,
        gradients=of_gradients,
        central_differences=max(apart, default=None),
        n_nudged=len(apart),
    )


def _steepest(gradients: Mapping[str, Array], many: int) -> list[tuple[str, Place]]:
    """For each parameter, the elements with the largest derivatives."""
    share = max(1, many // max(1, len(gradients)))
    return [
        (name, np.unravel_index(place, gradient.shape))
        for name, gradient in gradients.items()
        for place in np.argsort(-np.abs(gradient), axis=None, kind="stable")[:share]
    ]


def _by_nudging(loss_at: Callable[[Parameters], float], parameters: Parameters, name: str, place: Place) -> Array:
    """(L(θ + h) − L(θ − h)) / 2h for one element of one parameter."""
    up, down = parameters[name].copy(), parameters[name].copy()
    up[place] += _H
    down[place] -= _H
    return np.asarray((loss_at({**parameters, name: up}) - loss_at({**parameters, name: down})) / (2 * _H))
