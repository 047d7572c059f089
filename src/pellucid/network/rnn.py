"""Recurrent networks built from their widths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pellucid.errors import SettingError, nearest
from pellucid.network.layers import (
    GRU,
    LSTM,
    RNN,
    STEP_POOLS,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Layer,
    Shape,
    StepPool,
)
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.network import Network

__all__ = ["CELLS", "RNN_POOLS", "rnn"]

CELLS: dict[str, type[Recurrent]] = {"gru": GRU, "lstm": LSTM, "rnn": RNN}
RNN_POOLS = (*STEP_POOLS, "none")


def rnn(
    shape: Shape,
    widths: Sequence[int],
    outputs: int,
    *,
    cell: str = "gru",
    vocabulary: int | None = None,
    embedding: int = 32,
    bidirectional: bool = False,
    pool: str = "last",
    hidden: Sequence[int] = (),
    dropout: float = 0.0,
    activation: str = "relu",
) -> Network:
    """A recurrent network: recurrent layers upon each other, a `StepPool`, and a dense head.

    Parameters
    ----------
    shape
        Of a row: ``(steps, channels)`` of a series, or ``(steps,)`` of tokens.
    widths
        The units of each recurrent layer in each direction, such as ``(64,)``.
    outputs
        Logits out.
    cell
        ``gru``, ``lstm`` or ``rnn``.
    vocabulary
        How many tokens there are, with 0 for padding: the rows are tokens, and an `Embedding` comes first.
    embedding
        The numbers that stand for a token.
    bidirectional
        Whether each recurrent layer also goes from the last step to the first.
    pool
        ``last``, ``mean`` or ``max`` over the steps; ``none`` keeps them, with logits at each step.
    hidden
        The widths of dense layers before the last.
    dropout
        The share of numbers to drop before each dense layer.
    activation
        Of the dense layers, one of `ACTIVATIONS`.

    Raises
    ------
    SettingError
        A number or a name is wrong, or the shape is not that of tokens or of a series.

    >>> [layer.words() for layer in rnn((20, 3), (16, 8), 2, cell="lstm", bidirectional=True).layers]
    ['LSTM 3 → 16, bidirectional', 'LSTM 32 → 8, bidirectional', 'StepPool last, bidirectional', 'Dense 16 → 2']
    >>> rnn((50,), (64,), 3, vocabulary=1000).outline()
    '50 → 50×32 → 50×64 → 3'
    >>> rnn((50,), (64,), 1000, vocabulary=1000, pool="none").outline()
    '50 → 50×32 → 50×64 → 50×1000'
    """
    _check(shape, widths, cell, pool, vocabulary)
    layers: list[Layer] = []
    width = shape[-1]
    if vocabulary is not None:
        layers.append(Embedding(vocabulary=vocabulary, width=embedding))
        width = embedding
    for units in widths:
        layer = CELLS[cell](inputs=width, width=units, bidirectional=bidirectional)
        layers.append(layer)
        width = layer.outputs
    if pool != "none":
        layers.append(StepPool(how=pool, bidirectional=bidirectional and pool == "last"))  # type: ignore[arg-type]
    for before, after in pairwise((width, *hidden)):
        layers += [Dropout(rate=dropout)] if dropout else []
        layers += [Dense(inputs=before, outputs=after), Activation(function=activation)]
    layers += [Dropout(rate=dropout)] if dropout else []
    layers.append(Dense(inputs=(width, *hidden)[-1], outputs=outputs))
    return Network(shape=shape, layers=layers, dtype="float" if vocabulary is None else "int64")


def _check(shape: Shape, widths: Sequence[int], cell: str, pool: str, vocabulary: int | None) -> None:
    axes, example = (2, "(steps, channels)") if vocabulary is None else (1, "(steps,)")
    if not isinstance(shape, tuple) or len(shape) != axes:
        rows = "a series" if vocabulary is None else "tokens"
        remedy = ": for tokens give vocabulary" if vocabulary is None else ": for a series leave vocabulary out"
        raise SettingError(f"a recurrent network takes rows of {rows}, of the shape {example}, got {shape!r}{remedy}")
    if not isinstance(widths, Sequence) or not widths:
        raise SettingError(f"widths must name at least one recurrent layer, such as (64,), got {widths!r}")
    if cell not in tuple(CELLS):
        raise SettingError(f"cell {cell!r} is not known{nearest(str(cell), CELLS)}")
    if pool not in RNN_POOLS:
        raise SettingError(f"pool {pool!r} is not known{nearest(str(pool), RNN_POOLS)}")
