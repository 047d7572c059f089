"""Which networks can continue a text: those whose answer at a step depends on that step and the ones before alone."""

from __future__ import annotations

from pellucid.network.layers import (
    Activation,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    Positions,
    Residual,
    SelfAttention,
)
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.network import Network

__all__ = ["reach_of", "why_not_continuing"]

_OF_ONE_STEP = (Activation, Dense, Dropout, Embedding, LayerNorm, Positions, Residual)


def why_not_continuing(network: Network) -> str | None:
    """Why a network cannot learn which token comes next; ``None`` if it can.

    >>> from pellucid.network import rnn
    >>> why_not_continuing(rnn((20,), (8,), 50, vocabulary=50, pool="none"))
    >>> why_not_continuing(rnn((20,), (8,), 50, vocabulary=50, bidirectional=True, pool="none"))
    'layer 1 (GRU 32 → 8, bidirectional) also reads backwards, so it would see the tokens that it is to predict'
    """
    first = network.layers[0]
    if not isinstance(first, Embedding) or not network.answers_steps:
        return "it must take tokens and answer at each step: build it with vocabulary=… and pool='none'"
    if network.outputs != first.vocabulary:
        return f"it knows {first.vocabulary:,} tokens and answers with {network.outputs:,}: give it as many outputs"
    for leaf in network.leaves():
        place, layer = f"layer {leaf.name} ({leaf.layer.words()})", leaf.layer
        if isinstance(layer, Recurrent):
            if layer.bidirectional:
                return f"{place} also reads backwards, so it would see the tokens that it is to predict"
        elif isinstance(layer, SelfAttention):
            if not layer.causal:
                return f"{place} looks at later steps, at the tokens that it is to predict: build it with causal=True"
        elif not isinstance(layer, _OF_ONE_STEP):
            return f"{place} looks at several steps at once, also at later ones"
    return None


def reach_of(network: Network) -> int | None:
    """The most tokens that a network can look back on; ``None`` if nothing limits them, as in a recurrent network.

    >>> from pellucid.network import rnn, transformer
    >>> reach_of(rnn((20,), (8,), 50, vocabulary=50, pool="none"))
    >>> reach_of(transformer((20,), 8, 50, vocabulary=50, causal=True, pool="none"))
    20
    """
    limited = any(isinstance(layer, Positions | SelfAttention) for layer in network.every_layer())
    return network.shape[0] if limited else None
