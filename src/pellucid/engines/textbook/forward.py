"""The forward pass: from a batch of rows to logits, layer by layer, keeping what the backward pass will need.

Each kind of layer has its own file in `pellucid.engines.textbook.layers`, with its forward and its backward rule.

Legend: B rows, C outputs of the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from threading import Lock

import numpy as np

from pellucid.engines.support import blas
from pellucid.engines.textbook.layers import rule_of
from pellucid.engines.textbook.layers.rule import Array, Parameters, Step, by_layer
from pellucid.engines.textbook.sequences import steps_of
from pellucid.errors import DataError, SettingError
from pellucid.network import Layer, Network, describe
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.shapes import refuse_padding

__all__ = ["Parameters", "Step", "Trace", "forward", "logits_of", "rows_at_once"]

# What lies between the layers then stays in the cache: twice as many take a third to a half longer a row.
_ROWS_AT_ONCE = 8_192
_VALUES_AT_ONCE = 1 << 20  # in all maps together
_ROWS_OF_STEPS = 128  # a recurrent layer goes from step to step in Python: for fewer rows that takes most of the time
_WORTH_THREADS = 4  # parts
_LIMITING = Lock()


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The whole forward pass, one step per layer.

    ``running`` holds the new running statistics of BatchNorm layers (training only); nothing is changed in place.
    """

    steps: tuple[Step, ...]
    running: Mapping[str, Array]
    training: bool

    @property
    def logits(self) -> Array:
        """The output of the last layer, ``[B, C]``."""
        return self.steps[-1].outputs


def forward(
    network: Network,
    parameters: Parameters,
    x: Array,
    *,
    training: bool = False,
    masks: Sequence[Array] = (),
) -> Trace:
    """Send the rows ``x`` ``[B, *network.shape]`` through the network.

    Parameters
    ----------
    network, parameters
        The description and its arrays, by name.
    x
        A batch, ``[B, network.inputs]`` where rows are columns.
    training
        BatchNorm uses the batch's own statistics and Dropout drops; otherwise running statistics, nothing dropped.
    masks
        One array ``[B, width]`` for each Dropout (those with a rate above 0, in order), holding 0 or 1/(1 − rate).

    Raises
    ------
    DataError
        The rows have the wrong shape.

    >>> import numpy as np
    >>> from pellucid.network import Dense, Activation, Network
    >>> neuron = Network(inputs=2, layers=(Dense(inputs=2, outputs=1), Activation(function="relu")))
    >>> w = {"0.weight": np.array([[0.5, 1.0]]), "0.bias": np.array([0.25])}
    >>> forward(neuron, w, np.array([[2.0, -1.0]])).logits
    array([[0.25]])
    """
    if x.shape[1:] != network.shape:
        numbers = " × ".join(map(str, network.shape))
        raise DataError(
            f"layer 0 ({describe(network.layers[0])}) expects rows of {numbers} numbers, "
            f"[B, {', '.join(map(str, network.shape))}], got an array of shape {list(x.shape)}"
        )
    x, lengths = steps_of(x)
    if lengths is not None:
        refuse_padding(network)
    steps = _Walk(training, masks, lengths).inside(network.layers, parameters, x)
    return Trace(steps=steps, running=dict(_running(steps)) if training else {}, training=training)


def rows_at_once(network: Network) -> int:
    """How many rows are sent through a network together: maps are larger than lists of numbers.

    >>> from pellucid.network import cnn, mlp
    >>> rows_at_once(mlp(4, [10], 3)), rows_at_once(cnn((1, 28, 28), (16, 32), 10))
    (8192, 25)
    """
    if network.on_columns:
        return _ROWS_AT_ONCE
    values = sum(map(prod, (network.shape, *network.shapes()))) + network.between
    fewest = _ROWS_OF_STEPS if any(isinstance(layer, Recurrent) for layer in network.every_layer()) else 1
    return min(_ROWS_AT_ONCE, max(fewest, _VALUES_AT_ONCE // values))


def logits_of(network: Network, parameters: Parameters, inputs: Array) -> Array:
    """The answers for any number of rows ``[N, *network.shape]``, some at a time: ``[N, C]``, with nothing dropped.

    Maps are many small products and much copying, which a product's own threads do not share: parts of the rows do.
    """
    many = rows_at_once(network)
    starts = range(0, len(inputs), many)

    def part(start: int) -> Array:
        return forward(network, parameters, inputs[start : start + many]).logits

    if not starts:
        return np.zeros((0, *network.shapes()[-1]))
    # One call at a time: two that limit the threads of products would take each other's limit for the usual one.
    if network.on_columns or len(starts) < _WORTH_THREADS or not _LIMITING.acquire(blocking=False):
        return np.concatenate([part(start) for start in starts])
    try:
        threads = max((library["num_threads"] for library in blas().info()), default=1)
        with blas().limit(limits=1), ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(part, starts)))
    finally:
        _LIMITING.release()


class _Walk:
    """Walks through layers in order, including those inside composites."""

    __slots__ = ("_composite", "_masks", "lengths", "training")  # _composite: the name of the composite being walked

    def __init__(self, training: bool, masks: Sequence[Array], lengths: Array | None) -> None:
        self.training, self.lengths, self._masks, self._composite = training, lengths, iter(masks), ""

    def next_mask(self) -> Array:
        """The next of the given masks."""
        try:
            return next(self._masks)
        except StopIteration:
            raise SettingError("training needs one mask for each Dropout: fewer masks were given") from None

    def inside(self, layers: Sequence[Layer], w: Parameters, x: Array) -> tuple[Step, ...]:
        """Send ``x`` through ``layers``."""
        outer, own, steps = self._composite, by_layer(w), []
        for index, layer in enumerate(layers):
            place = str(index)
            self._composite = name = f"{outer}.{place}" if outer else place
            rule = rule_of(layer)
            given = rule.forward(layer, own.get(place, {}), x, self)
            if rule.lengths is not None and self.lengths is not None:
                self.lengths = rule.lengths(layer, self.lengths)
            steps.append(Step(name, layer, x, *given))
            x = given.outputs
        self._composite = outer
        return tuple(steps)


def _running(steps: Sequence[Step]) -> Iterator[tuple[str, Array]]:
    """The new running statistics of all layers, by full name."""
    for step in steps:
        yield from ((f"{step.name}.{name}", array) for name, array in step.running.items())
        yield from _running(step.inner)
