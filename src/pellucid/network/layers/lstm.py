"""Long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.recurrent import Recurrent

__all__ = ["LSTM"]


@dataclass(frozen=True, kw_only=True)
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997): ``[B, T, inputs]`` to ``[B, T, width]``.

    Beside its state, each unit has a cell, of which gates decide what is forgotten, written and shown. Parameters are
    named and stacked as in ``torch.nn.LSTM``: input gate, forget gate, candidate, output gate.

    >>> layer = LSTM(inputs=3, width=8, bidirectional=True)
    >>> layer.words(), layer.output_shape((20, 3))
    ('LSTM 3 → 8, bidirectional', (20, 16))
    """

    gates = 4
