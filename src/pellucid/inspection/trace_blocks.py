"""A traced network as columns of units: the features, then each dense layer with what follows it, up to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.trace import LayerAtWork
from pellucid.inspection.trace import Traced
from pellucid.network import Activation, BatchNorm, Dense

__all__ = ["Block", "blocks_of", "key_of", "strongest"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Units that stand in one column.

    Attributes
    ----------
    number
        From 0, the features.
    names
        Of its units.
    dense, after
        Its dense layer, ``None`` for the features; and the layers between that and the next dense one.
    next
        The dense layer that it feeds; ``None`` for the outputs.
    values, slopes
        What it gives, ``[O]``, and ∂L/∂ of that, ``None`` where the row's target is not known.
    drawn
        Which of its units are drawn, in their order.
    """

    number: int
    names: tuple[str, ...]
    dense: LayerAtWork | None
    after: tuple[LayerAtWork, ...]
    next: LayerAtWork | None
    values: Array
    slopes: Array | None
    drawn: tuple[int, ...]

    @property
    def layers(self) -> tuple[LayerAtWork, ...]:
        """All of its layers."""
        return self.after if self.dense is None else (self.dense, *self.after)

    @property
    def symbols(self) -> tuple[str, ...]:
        """What each layer gives is called: z (Dense), u (BatchNorm), a (activation), x (the features)."""
        found, now = [], "x"
        for layer in self.layers:
            if isinstance(layer.layer, Dense):
                now = "z"
            elif isinstance(layer.layer, BatchNorm):
                now = "u"
            elif isinstance(layer.layer, Activation):
                now = "a"
            found.append(now)
        return tuple(found) or ("x",)

    @property
    def gives(self) -> str:
        """What the next layer calls its values: x (features) or a; z of outputs."""
        return self.symbols[-1] if self.dense is None or self.next is None else "a"

    def key(self, k: int) -> str | None:
        """The panel of a unit that is drawn."""
        return key_of(self.number, k) if k in self.drawn else None


def key_of(block: int, k: int) -> str:
    """The key of a unit's panel; units are counted from 1, as in ``unit 1.3``.

    >>> key_of(1, 2)
    'unit-1-3'
    """
    return f"unit-{block}-{k + 1}"


def strongest(values: Array, most: int) -> list[int]:
    """The places of the largest absolute values, the largest first; equal ones in their order.

    >>> strongest(np.array([1.0, -3.0, 2.0]), 2)
    [1, 2]
    """
    return [int(k) for k in np.argsort(-np.abs(values), kind="stable")[:most]]


def blocks_of(found: Traced, most: int) -> tuple[Block, ...]:
    """The columns, each with at most ``most`` units drawn: the strongest by |value| and |∂L/∂z| together."""
    layers = found.row.layers
    places = [layer.index for layer in layers if isinstance(layer.layer, Dense)]
    starts = [0, *places]
    made = []
    for number, (start, end) in enumerate(zip(starts, [*places, len(layers)], strict=True)):
        own = layers[start:end]
        dense = own[0] if number else None
        following = layers[end] if end < len(layers) else None
        values = own[-1].outputs if own else layers[0].inputs
        slopes = own[-1].d_outputs if own else layers[0].d_inputs
        names = found.names_of_outputs(own[-1].index) if own else found.names_of_inputs(0)
        made.append(
            Block(
                number=number,
                names=names,
                dense=dense,
                after=own[1:] if number else own,
                next=following,
                values=values,
                slopes=slopes,
                drawn=tuple(sorted(strongest(_importance(found, own, values, last=following is None), most))),
            )
        )
    return tuple(made)


def _importance(found: Traced, own: Sequence[LayerAtWork], values: Array, *, last: bool) -> Array:
    """By which units are chosen: |value| and |∂L/∂z|, each as a share of its largest, added.

    Not |∂L/∂a|, which is large for many a unit that rests: its loss would change if it gave more, but no weight of it
    makes it do so.
    """
    slopes = own[0].d_outputs if own and isinstance(own[0].layer, Dense) else found.row.layers[0].d_inputs
    if last and found.model.task.kind == "multiclass" and not isinstance(found.answer, float):
        shares = _share(np.array(list(found.answer.values())))
    else:
        shares = _share(values)
    return shares if slopes is None else shares + _share(slopes)


def _share(values: Array) -> Array:
    size = np.abs(values)
    most = float(size.max())
    return size / most if most > 0 else size
