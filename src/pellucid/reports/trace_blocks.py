"""A traced network as columns of units: the features, then each weighted layer with what follows it, up to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words import NamedStep, block_starts
from pellucid.explanation.words.values import strongest
from pellucid.inspection.trace import Traced

__all__ = ["Block", "blocks_of", "key_of"]

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
    steps
        Its layers; of the features those before the first weighted layer, often none.
    is_last
        Whether its units are the outputs.
    values, slopes
        What it gives, ``[O]``, and ∂L/∂ of that, ``None`` where the row's target is not known.
    drawn
        Which of its units are drawn, in their order.
    """

    number: int
    names: Sequence[str]
    steps: tuple[NamedStep, ...]
    is_last: bool
    values: Array
    slopes: Array | None
    drawn: tuple[int, ...]

    @property
    def is_features(self) -> bool:
        """Whether its units are the features."""
        return self.number == 0

    @property
    def gives(self) -> str:
        """What the next layer calls its values: x (features) or a; z of outputs."""
        last = self.steps[-1].symbol if self.steps else "x"
        return last if self.is_features or self.is_last else "a"

    def key(self, k: int) -> str | None:
        """The panel of a unit that is drawn."""
        return key_of(self.number, k) if k in self.drawn else None


def key_of(block: int, k: int) -> str:
    """The key of a unit's panel; units are counted from 1, as in ``unit 1.3``.

    >>> key_of(1, 2)
    'unit-1-3'
    """
    return f"unit-{block}-{k + 1}"


def blocks_of(found: Traced, most: int) -> tuple[Block, ...]:
    """The columns, each with at most ``most`` units drawn: the strongest by |value| and |∂L/∂z| together."""
    steps = found.steps
    starts = block_starts(found.row.network)
    made = []
    for number, (start, end) in enumerate(zip((0, *starts), (*starts, len(steps)), strict=True)):
        own, first = steps[start:end], found.row.layers[0]
        values = own[-1].work.outputs if own else first.inputs
        slopes = own[-1].work.d_outputs if own else first.d_inputs
        is_last = end == len(steps)
        importance = _importance(found, own if number else (), values, is_last=is_last)
        made.append(
            Block(
                number=number,
                names=own[-1].names_out if own else steps[0].names_in,
                steps=own,
                is_last=is_last,
                values=values,
                slopes=slopes,
                drawn=tuple(sorted(strongest(importance, most))),
            )
        )
    return tuple(made)


def _importance(found: Traced, own: Sequence[NamedStep], values: Array, *, is_last: bool) -> Array:
    """By which units are chosen: |value| and |∂L/∂z|, each as a share of its largest, added.

    Not |∂L/∂a|, which is large for many a unit that is off: the loss would change if it gave more, but none of its
    weights makes it do so.
    """
    slopes = own[0].work.d_outputs if own else found.row.layers[0].d_inputs
    if is_last and found.model.task.kind == "multiclass" and not isinstance(found.answer, float):
        shares = _share(np.array(list(found.answer.values())))
    else:
        shares = _share(values)
    return shares if slopes is None else shares + _share(slopes)


def _share(values: Array) -> Array:
    size = np.abs(values)
    most = float(size.max())
    return size / most if most > 0 else size
