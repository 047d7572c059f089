"""A traced network as columns of units: the features, then each weighted layer with the layers up to the next one.

The layers inside a composite have columns of their own before it; its own column adds their last to its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words import NamedStep
from pellucid.explanation.words.values import strongest
from pellucid.inspection.trace import Traced
from pellucid.network.layers.layer import blocks

__all__ = ["Block", "blocks_of", "key_of"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """The units of one column.

    Attributes
    ----------
    number
        ``0`` for the features; ``2``; ``2.1`` inside the composite ``2``.
    names
        The names of its units.
    steps
        Its layers; for the features, those before the first weighted layer, often none.
    gives
        The symbol that the next layer has for its values.
    skips
        For a composite's own column, the place of the column that is added to the one before it.
    is_last
        Whether its units are the outputs.
    values, slopes
        Its outputs ``[O]``, and ∂L/∂ of them; ``None`` if the row's target is not known.
    drawn
        Which of its units are drawn, in their order.
    """

    number: str
    names: Sequence[str]
    steps: tuple[NamedStep, ...]
    gives: str
    skips: int | None
    is_last: bool
    values: Array
    slopes: Array | None
    drawn: tuple[int, ...]

    @property
    def is_features(self) -> bool:
        """Whether its units are the features."""
        return self.number == "0"

    def key(self, k: int) -> str | None:
        """The panel of a unit that is drawn."""
        return key_of(self.number, k) if k in self.drawn else None


def key_of(number: str, k: int) -> str:
    """The key of a unit's panel; units are counted from 1, as in ``unit 1.3``.

    >>> key_of("1", 2), key_of("2.1", 0)
    ('unit-1-3', 'unit-2-1-1')
    """
    return f"unit-{number.replace('.', '-')}-{k + 1}"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Segment:
    """The layers of one column, before the drawn units are chosen."""

    number: str
    steps: tuple[NamedStep, ...]
    skips: int | None = None


def blocks_of(found: Traced, most: int) -> tuple[Block, ...]:
    """The columns, each with at most ``most`` units drawn: the strongest by |value| and |∂L/∂z| together."""
    segments: list[_Segment] = []
    _add_segments(segments, found.steps)
    made: list[Block] = []
    for place, segment in enumerate(segments):
        own, first, is_last = segment.steps, found.row.layers[0], place == len(segments) - 1
        values = own[-1].work.outputs if own else first.inputs
        importance = _importance(found, own if place else (), values, is_last=is_last)
        made.append(
            Block(
                number=segment.number,
                names=own[-1].names_out if own else found.steps[0].names_in,
                steps=own,
                gives=_given_on(segments, place),
                skips=segment.skips,
                is_last=is_last,
                values=values,
                slopes=own[-1].work.d_outputs if own else first.d_inputs,
                drawn=tuple(sorted(strongest(importance, most))),
            )
        )
    return tuple(made)


def _add_segments(segments: list[_Segment], steps: Sequence[NamedStep], inside: str = "") -> None:
    """One segment a weighted layer, those inside a composite before its own; layers before the first are number 0."""
    weighted = blocks([step.work.layer for step in steps])
    leading = tuple(steps[: weighted[0].start] if weighted else steps)
    if leading or not inside:
        segments.append(_Segment(number=f"{inside}0", steps=leading))
    for number, own in enumerate(weighted, 1):
        source = len(segments) - 1
        first = steps[own.start]
        if first.inner:
            _add_segments(segments, first.inner, f"{inside}{number}.")
        skips = source if first.inner else None
        segments.append(_Segment(number=f"{inside}{number}", steps=tuple(steps[own.start : own.stop]), skips=skips))


def _given_on(segments: Sequence[_Segment], place: int) -> str:
    """The symbol that the next column has for this one's outputs; its own if there is no other."""
    own = segments[place].steps
    symbol = own[-1].symbol if own else "x"
    if place == len(segments) - 1 or segments[place + 1].skips is not None:
        return symbol
    return segments[place + 1].steps[0].given


def _importance(found: Traced, own: Sequence[NamedStep], values: Array, *, is_last: bool) -> Array:
    """How units are chosen: by |value| and |∂L/∂z|, each as a share of its largest, added.

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
