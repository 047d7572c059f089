"""Where padding may be cut off, and how long rows are without it."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.network import Dense, Flatten, Network, StepPool, Transpose, conv1d, mlp, rnn, transformer
from pellucid.network.padding import can_cut_padding, lengths_of

CUT = {
    "LSTM of a series": rnn((9, 2), (4, 4), 2, cell="lstm", bidirectional=True, pool="mean", dropout=0.1),
    "GRU of tokens": rnn((9,), (4,), 2, vocabulary=20, hidden=(5,)),
    "transformer": transformer((9,), 8, 2, heads=2, vocabulary=20, dropout=0.1, positions="learned"),
}
KEPT = {
    "columns": mlp(9, [4], 2),
    "convolutions": conv1d((9, 2), (4,), 2),
    "all steps at once": Network(shape=(9, 2), layers=(Flatten(), Dense(inputs=18, outputs=2))),
    "logits at each step": transformer((9,), 8, 20, heads=2, vocabulary=20, pool="none"),
    "steps and channels changed": Network(
        shape=(9, 9), layers=(Transpose(), Dense(inputs=9, outputs=9), StepPool(), Dense(inputs=9, outputs=1))
    ),
}


@pytest.mark.parametrize("name", [*CUT, *KEPT])
def test_padding_is_cut_where_no_layer_reads_it(name: str) -> None:
    assert can_cut_padding({**CUT, **KEPT}[name]) == (name in CUT)


def test_lengths_of_tokens() -> None:
    rows = np.array([[1, 2, 3, 0, 0, 0, 0, 0, 0], [0] * 9, [1, 0, 0, 0, 4, 0, 0, 0, 0]])
    assert lengths_of(CUT["GRU of tokens"], rows).tolist() == [3, 1, 5]  # type: ignore[union-attr]


def test_lengths_of_a_series() -> None:
    """A step counts if any of its channels is known; a gap before such a step is no end."""
    rows = np.ones((3, 9, 2))
    rows[0, 4:] = np.nan
    rows[1, 2:4] = rows[1, 8:, 0] = rows[2] = np.nan
    assert lengths_of(CUT["LSTM of a series"], rows).tolist() == [4, 9, 1]  # type: ignore[union-attr]


def test_nothing_to_cut() -> None:
    full = np.ones((2, 9), np.int64)
    assert lengths_of(CUT["GRU of tokens"], full) is None
    full[:, 5:] = 0
    assert lengths_of(KEPT["logits at each step"], full) is None
    assert lengths_of(CUT["GRU of tokens"], full[:0]) is None
