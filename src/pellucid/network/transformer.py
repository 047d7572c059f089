"""Transformers, built from their width and depth."""

from __future__ import annotations

from pellucid.errors import SettingError, nearest
from pellucid.network.layers import (
    STEP_POOLS,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Positions,
    Residual,
    SelfAttention,
    Shape,
    StepPool,
)
from pellucid.network.network import Network

__all__ = ["POSITIONS", "TRANSFORMER_POOLS", "transformer"]

POSITIONS = ("sinusoidal", "learned")
TRANSFORMER_POOLS = (*STEP_POOLS, "none")


def transformer(
    shape: Shape,
    width: int,
    outputs: int,
    *,
    heads: int = 4,
    depth: int = 2,
    vocabulary: int | None = None,
    causal: bool = False,
    pool: str = "mean",
    feed: int = 4,
    dropout: float = 0.0,
    positions: str = "sinusoidal",
) -> Network:
    """A Transformer of text or series (Vaswani et al. 2017), normalised before each part (Xiong et al. 2020).

    Embedding of the tokens, or Dense of a series' channels → Positions → ``depth`` blocks → LayerNorm → pooling over
    the steps → Dense. A block adds to each step first what it finds at others (LayerNorm → SelfAttention), then what it
    makes of itself (LayerNorm → Dense → GELU → Dense).

    Parameters
    ----------
    shape
        Of a row: ``(steps,)`` of tokens, ``(steps, channels)`` of a series.
    width
        The numbers of a step between the blocks.
    outputs
        Logits out.
    heads
        Of each attention; they divide the width.
    depth
        The number of blocks.
    vocabulary
        How many tokens there are, with padding (token 0); ``None`` for a series.
    causal
        Whether no step may look at a later one, as a network needs that continues a text.
    pool
        How the steps become one list of numbers: their ``mean`` or ``max``, or the ``last``; ``none`` keeps them, with
        logits at each step.
    feed
        How many times as wide as the steps the second part of a block is inside.
    dropout
        The share of numbers to drop at the end of each part of a block.
    positions
        ``sinusoidal`` or ``learned``.

    Raises
    ------
    SettingError
        A number or a name is wrong, or a row is no sequence.

    >>> network = transformer((20,), 16, 3, vocabulary=100, heads=2, depth=1)
    >>> [layer.words() for layer in network.layers][:3]
    ['Embedding 100 → 16', 'Positions 20 × 16', 'Residual of LayerNorm 16, SelfAttention 16, 2 heads']
    >>> network.outputs, transformer((50, 3), 8, 1, heads=2, pool="none").shapes()[-1]
    (3, (50, 1))
    """
    _check(shape, vocabulary, depth=depth, feed=feed, pool=pool, positions=positions)
    dropped = (Dropout(rate=dropout),) if dropout else ()

    def block() -> tuple[Layer, Layer]:
        attention = SelfAttention(width=width, heads=heads, causal=causal)
        wider = Dense(inputs=width, outputs=feed * width), Activation(function="gelu")
        back = Dense(inputs=feed * width, outputs=width)
        return (
            Residual(block=(LayerNorm(width=width), attention, *dropped)),
            Residual(block=(LayerNorm(width=width), *wider, back, *dropped)),
        )

    layers: list[Layer] = [
        Dense(inputs=shape[1], outputs=width) if vocabulary is None else Embedding(vocabulary=vocabulary, width=width),
        Positions(steps=shape[0], width=width, learned=positions == "learned"),
    ]
    for _ in range(depth):
        layers += block()
    layers.append(LayerNorm(width=width))
    if pool != "none":
        layers.append(StepPool(how=pool))  # type: ignore[arg-type]
    layers.append(Dense(inputs=width, outputs=outputs))
    return Network(shape=shape, dtype="float" if vocabulary is None else "int64", layers=layers)


def _check(shape: Shape, vocabulary: int | None, *, depth: int, feed: int, pool: str, positions: str) -> None:
    wanted = 2 if vocabulary is None else 1
    if not isinstance(shape, tuple) or len(shape) != wanted:
        raise SettingError(
            "a transformer takes series, rows of the shape (steps, channels), or with vocabulary=… tokens, rows of the "
            f"shape (steps,), got {shape!r}"
        )
    for name, value, known in (("pool", pool, TRANSFORMER_POOLS), ("positions", positions, POSITIONS)):
        if value not in known:
            raise SettingError(f"{name} must be one of {', '.join(known)}, got {value!r}{nearest(str(value), known)}")
    for name, number in (("depth", depth), ("feed", feed)):
        if type(number) is not int or number < 1:
            raise SettingError(f"{name} must be a whole number from 1, got {number!r}")
