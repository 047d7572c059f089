"""A network that continues texts, token by token: what it has read is remembered, and each token is read once.

The whole network would compute all earlier steps again for every new token. But a step depends on earlier ones through
little: in a recurrent layer through its state, in attention through their keys and values. Both are kept::

    recurrent layer   h[t] from x[t] and h[t−1], by the cell of `pellucid.engines.textbook.layers`
    attention         k[t], v[t] join those before; a[t] = softmax(q[t] Kᵀ / √d) V over all of them

Every other layer takes each step by itself, so the textbook's own rule serves, on one step.

Legend: T steps read so far, D numbers of a step, H heads, d = D / H numbers of a head, V tokens of the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pellucid.engines.textbook.activations import softmax
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.layers import gru, lstm, rnn, rule_of
from pellucid.engines.textbook.layers.positions import waves
from pellucid.engines.textbook.layers.recurrent import Cell, State, start
from pellucid.engines.textbook.layers.rule import Array, Parameters, Step, by_layer
from pellucid.errors import SettingError
from pellucid.network import GRU, LSTM, RNN, Embedding, Layer, Network, Positions, Residual, SelfAttention
from pellucid.network.continuing import reach_of, why_not_continuing
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["Reader"]

_OfStep = Callable[[Array], Array]
_CELLS: dict[type[Layer], Callable[[Any], Cell]] = {
    GRU: lambda layer: gru.CELL,
    LSTM: lambda layer: lstm.CELL,
    RNN: lambda layer: rnn.cell_of(layer.function),
}


class Reader:
    """Reads tokens one after the other and says after each what comes next.

    Attention and positions have a reach, the length of the rows that the network was trained on. When that many tokens
    are remembered, the latest half of them is read again as a new beginning, and the rest is forgotten.

    Parameters
    ----------
    network, parameters
        The description, of a network that continues texts, and its arrays by name.
    dtype
        In which numbers to compute.

    Raises
    ------
    SettingError
        The network cannot continue texts.

    >>> from pellucid.network import rnn
    >>> from pellucid.network.initialise import initialise
    >>> network = rnn((10,), (4,), 5, vocabulary=5, embedding=3, pool="none")
    >>> Reader(network, initialise(network, seed=0)).read(2).shape
    (5,)
    """

    def __init__(self, network: Network, parameters: Parameters, dtype: DTypeLike = np.float64) -> None:
        if (reason := why_not_continuing(network)) is not None:
            raise SettingError(f"this network cannot continue texts: {reason}")
        self.network, self.reach = network, reach_of(network)
        self._arrays = {name: np.asarray(array, dtype) for name, array in parameters.items()}
        self._here = _Here(self.reach or 0, np.dtype(dtype))
        self._of_step = _in_order(network.layers, self._arrays, self._here)
        self._latest: list[int] = []

    def read(self, token: int) -> Array:
        """Read the next token; returns the logits ``[V]`` of the one after it."""
        if self.reach is not None and len(self._latest) == self.reach:
            self._begin_again(self.reach)
        if self.reach is not None:
            self._latest.append(token)
        logits: Array = self._of_step(np.array([token]))[0]
        self._here.t += 1
        return logits

    def forget(self) -> None:
        """Begin a new text."""
        self._latest.clear()
        self._here.restart()

    def _begin_again(self, reach: int) -> None:
        """Remember the latest half of what was read, and nothing else: the whole network reads it at once."""
        latest = self._latest[reach - reach // 2 :]
        self.forget()
        self._latest += latest
        row = np.zeros((1, reach), np.int64)
        row[0, : len(latest)] = latest
        steps = forward(self.network, self._arrays, row).steps if latest else ()
        for attention, step in zip(self._here.attentions, _of_attention(steps), strict=False):
            attention.remember(step.kept, len(latest))
        self._here.t = len(latest)


@dataclass(eq=False)
class _Here:
    """Where the reader is in the text, and what it remembers."""

    reach: int
    dtype: np.dtype[Any]
    t: int = 0
    states: list[dict[int, State]] = field(default_factory=list)  # of each recurrent layer
    attentions: list[_Attention] = field(default_factory=list)

    def restart(self) -> None:
        """Back to the beginning."""
        self.t = 0
        for states in self.states:
            states.clear()


def _in_order(layers: Sequence[Layer], w: Parameters, here: _Here) -> _OfStep:
    """Layers one after the other as a function of one step ``[1, D]``."""
    own = by_layer(w)
    each = [_of(layer, own.get(str(index), {}), here) for index, layer in enumerate(layers)]

    def of_step(x: Array) -> Array:
        for layer in each:
            x = layer(x)
        return x

    return of_step


def _of(layer: Layer, w: dict[str, Array], here: _Here) -> _OfStep:
    """A layer as a function of one step."""
    match layer:
        case Recurrent():
            return _Recurrent(layer, w, here)
        case SelfAttention():
            return _Attention(layer, w, here)
        case Positions():
            p = w["weight"] if layer.learned else waves(layer.steps, layer.width).astype(here.dtype)
            return lambda x: x + p[here.t]
        case Embedding():
            rows = w["weight"].copy()
            rows[0] = 0  # padding
            return lambda token: rows[token]
        case Residual():
            inner = _in_order(layer.block, w, here)
            return lambda x: x + inner(x)
        case _:
            rule = rule_of(layer)
            return lambda x: rule.forward(layer, w, x, _WALK).outputs


class _OneStep:
    """The walk of a rule that takes each step by itself: nothing is dropped, and nothing is padding."""

    training, lengths = False, None

    def next_mask(self) -> Array:
        raise AssertionError("no mask is drawn at prediction")

    def inside(self, layers: Sequence[Layer], w: Parameters, x: Array) -> Any:
        raise AssertionError("composites are walked here")


_WALK = _OneStep()


class _Recurrent:
    """Recurrent layers upon each other, whose states are remembered."""

    def __init__(self, layer: Recurrent, w: Mapping[str, Array], here: _Here) -> None:
        self._cell = _CELLS[type(layer)](layer)
        suffixes = [suffix for index in range(layer.layers) for suffix in layer.suffixes(index)]
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self._own = [{name: w[f"{name}{suffix}"] for name in names} for suffix in suffixes]
        self._states: dict[int, State] = {}
        here.states.append(self._states)

    def __call__(self, x: Array) -> Array:
        for index, w in enumerate(self._own):
            state = self._states.get(index) or start(self._cell, 1, w)
            given = (w["weight_ih"] @ x[0] + w["bias_ih"])[np.newaxis]  # [1, G·H]
            recalled = (w["weight_hh"] @ state[0][0] + w["bias_hh"])[np.newaxis]
            self._states[index], _ = self._cell.forward(given, recalled, state)
            x = self._states[index][0]
        return x


class _Attention:
    """Attention from one step to itself and all before it, whose keys and values are remembered."""

    def __init__(self, layer: SelfAttention, w: Mapping[str, Array], here: _Here) -> None:
        self._w, self._here, self._heads = w, here, layer.heads
        shape = (layer.heads, here.reach, layer.width // layer.heads)  # [H, reach, d]
        self._keys, self._values = np.zeros(shape, here.dtype), np.zeros(shape, here.dtype)
        here.attentions.append(self)

    def remember(self, kept: Mapping[str, Array], many: int) -> None:
        """Take the keys and values of so many steps that the whole network has read."""
        self._keys[:, :many], self._values[:, :many] = kept["k"][0, :, :many], kept["v"][0, :, :many]

    def __call__(self, x: Array) -> Array:
        w, t = self._w, self._here.t
        projected = w["in_proj_weight"] @ x[0] + w["in_proj_bias"]  # [3D]
        q, self._keys[:, t], self._values[:, t] = projected.reshape(3, self._heads, -1)  # [H, d] each
        keys, values = self._keys[:, : t + 1], self._values[:, : t + 1]  # [H, t + 1, d]
        scores = keys @ q[:, :, np.newaxis] / math.sqrt(q.shape[-1])  # [H, t + 1, 1]
        weights = softmax(scores[:, :, 0])  # [H, t + 1]
        context = weights[:, np.newaxis] @ values  # [H, 1, d]
        outputs: Array = w["out_proj.weight"] @ context.reshape(-1) + w["out_proj.bias"]  # [D]
        return outputs[np.newaxis]


def _of_attention(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps of attention, those inside composites too, in order."""
    for step in steps:
        if isinstance(step.layer, SelfAttention):
            yield step
        yield from _of_attention(step.inner)
