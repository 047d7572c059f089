"""Gated recurrent units."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.recurrent import Recurrent

__all__ = ["GRU"]


@dataclass(frozen=True, kw_only=True)
class GRU(Recurrent):
    """Gated recurrent units (Cho et al. 2014): ``[B, T, inputs]`` to ``[B, T, width]``.

    An update gate mixes the old state with a candidate, for which a reset gate weakens the old state. Parameters are
    named and stacked as in ``torch.nn.GRU``: reset gate, update gate, candidate.

    >>> layer = GRU(inputs=3, width=8, layers=2)
    >>> layer.words(), layer.output_shape((20, 3))
    ('GRU 3 → 8, 2 layers', (20, 8))
    """

    gates = 3
