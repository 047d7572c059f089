"""The arithmetic of a traced row in words and numbers: one file a kind of layer, forwards and backwards.

A new kind of layer needs a file here, with a `Words` of its own, and a line in `WORDS`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.explanation.trace import RowTrace
from pellucid.explanation.words.activation import ActivationWords
from pellucid.explanation.words.batch_norm import BatchNormWords
from pellucid.explanation.words.dense import DenseWords
from pellucid.explanation.words.dropout import DropoutWords
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Network

__all__ = ["WORDS", "NamedStep", "Words", "block_starts", "named_steps", "words_of"]

WORDS: dict[type, Words] = {
    Dense: DenseWords(),
    Activation: ActivationWords(),
    BatchNorm: BatchNormWords(),
    Dropout: DropoutWords(),
}


def words_of(layer: object) -> Words:
    """The words of a layer's kind.

    Raises
    ------
    NotImplementedError
        The kind has no file in ``explanation/words`` yet.

    >>> words_of(Dropout(rate=0.5)).symbol("a")
    'a'
    """
    try:
        return WORDS[type(layer)]
    except KeyError:
        kind = type(layer).__name__
        raise NotImplementedError(
            f"a row cannot be traced through a {kind} layer: add its words to explanation/words and name it in WORDS; "
            f"there are words for {', '.join(known.__name__ for known in WORDS)}"
        ) from None


def block_starts(network: Network) -> tuple[int, ...]:
    """The indices of the weighted layers: each begins a column of units."""
    return tuple(i for i, layer in enumerate(network.layers) if isinstance(layer, Dense))


def named_steps(row: RowTrace, features: Sequence[str], outputs: Sequence[str]) -> tuple[NamedStep, ...]:
    """The layers of a traced row with the names of their units and the letters of their values.

    Parameters
    ----------
    row
        The trace.
    features
        The names of the network's inputs, ``[F]``.
    outputs
        The names of its outputs, ``[C]``.
    """
    starts = block_starts(row.network)
    made: list[NamedStep] = []
    given, names, number = "x", tuple(features), 0
    for work in row.layers:
        names_in = names
        if work.index in starts:
            given = "a" if number else given  # to the next layer, what it receives is always called a
            number += 1
            last = number == len(starts)
            names = tuple(outputs) if last else tuple(f"unit {number}.{k + 1}" for k in range(len(work.outputs)))
        symbol = words_of(work.layer).symbol(given)
        made.append(NamedStep(work=work, given=given, symbol=symbol, names_in=names_in, names_out=names))
        given = symbol
    return tuple(made)
