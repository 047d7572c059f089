"""What is known of the texts or series of a run, for the rules in `pellucid.diagnosis.sequences`.

``n`` sampled rows, ``T`` steps, ``V`` tokens of the vocabulary.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.series import series_lengths, series_of
from pellucid.diagnosis.sequence_evidence import FutureLeak, SequenceEvidence
from pellucid.engines.textbook.forward import Parameters, forward
from pellucid.network import Embedding, Network
from pellucid.preparation.prepare import Prepared
from pellucid.preprocessing.steps.tokenizer import UNKNOWN
from pellucid.runs.sequence_peers import sequence_step, texts_of

__all__ = ["TRIED", "bare", "future_leak", "sequence_evidence"]

Array = NDArray[Any]

_SAMPLE = 1_000  # rows
TRIED = 8  # rows whose later tokens are exchanged
_FEWEST_WORDS = 4  # of a text whose copy says something: "ok" is said by many
_UNITS = {"byte-pairs": "byte pairs"}
_SIGNS, _DIGITS = re.compile(r"[\W_]+"), re.compile(r"\d")


def sequence_evidence(prepared: Prepared, parameters: Parameters) -> SequenceEvidence | None:
    """The evidence of a run on one column of texts or series; ``None`` for others.

    Parameters
    ----------
    prepared
        The run's rows.
    parameters
        Of the trained network: where it answers at every step, later tokens are exchanged.
    """
    step = sequence_step(prepared)
    if step is None:
        return None
    table, split, held = prepared.table, prepared.split, prepared.measured
    some = _spread(split.train)
    if step.kind == "series":
        lengths = series_lengths(series_of(table.take(some).column(step.name)))
        return SequenceEvidence(units="steps", steps=step.steps, lengths=lengths.astype(np.int64))
    unseen = texts_of(held.source.take(held.rows).column(step.name))
    numbers = np.full(len(unseen), -1) if held.source is not table else np.asarray(held.rows)
    if held.name != "test":
        unseen, numbers = [], numbers[:0]
    unseen += texts_of(table.take(split.validation).column(step.name))
    numbers = np.concatenate([numbers, split.validation])
    learned = list(step.tokenizer.encode_each(texts_of(table.take(some).column(step.name))))
    read = list(step.tokenizer.encode_each([unseen[row] for row in _spread(np.arange(len(unseen)))]))
    known = {bare(text) for text in texts_of(table.take(split.train).column(step.name))}
    again = [row for row, text in zip(numbers, unseen, strict=True) if (b := bare(text)) is not None and b in known]
    at_every_step = len(prepared.network.shapes()[-1]) == 2
    units = step.tokenizer.units
    return SequenceEvidence(
        units=_UNITS.get(units, units),
        steps=step.length,
        lengths=np.array([len(ids) for ids in learned], dtype=np.int64),
        unknown=_unknown(read),
        unknown_learned=_unknown(learned),
        unseen=len(unseen),
        copies=tuple(int(row) for row in again),
        future=future_leak(prepared.network, parameters, prepared.train.inputs[:TRIED]) if at_every_step else None,
    )


def bare(text: str) -> str | None:
    """A text without case, spaces, signs and the values of digits; ``None`` if fewer than four words have no digit.

    >>> bare("Call 0800-123 NOW, you won!"), bare("ok"), bare("see rooms 12 13 14 15")
    ('call 0000 000 now you won', None, None)
    """
    words = _DIGITS.sub("0", _SIGNS.sub(" ", text.casefold())).split()
    return " ".join(words) if sum("0" not in word for word in words) >= _FEWEST_WORDS else None


def future_leak(network: Network, parameters: Parameters, ids: Array) -> FutureLeak | None:
    """Put other tokens into the second half of each row, and see whether an answer of the first half changes.

    Parameters
    ----------
    network
        It reads tokens and gives logits at every step, ``[n, T, V]``.
    parameters
        Its arrays, by name.
    ids
        ``[n, T]`` tokens, 0 for padding.

    Returns
    -------
    FutureLeak or None
        ``None`` where no row has two tokens.
    """
    embedding = network.layers[0]
    assert isinstance(embedding, Embedding)
    lengths = np.count_nonzero(ids, axis=1)
    rows, halves = ids[lengths > 1], lengths[lengths > 1] // 2
    if not len(rows):
        return None
    later = (np.arange(rows.shape[1]) >= halves[:, np.newaxis]) & (rows != 0)
    other = np.where(later, 1 + rows % (embedding.vocabulary - 1), rows)  # the next token, the last one's is 1
    before, after = (forward(network, parameters, each).logits for each in (rows, other))
    noise = float(np.finfo(before.dtype).eps) * 1e3
    changes = [float(np.abs(one[:h] - two[:h]).max()) for one, two, h in zip(before, after, halves, strict=True)]
    return FutureLeak(rows=len(rows), changed=sum(change > noise for change in changes), largest=max(changes))


def _unknown(read: list[Array]) -> float | None:
    """The share of unknown tokens."""
    n = sum(map(len, read))
    return sum(int(np.count_nonzero(ids == UNKNOWN)) for ids in read) / n if n else None


def _spread(rows: Array) -> Array:
    """Some of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(np.int64)] if len(rows) else rows
