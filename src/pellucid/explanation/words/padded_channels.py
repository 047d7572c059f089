"""What layers on the channels of a series say of padded steps: those beyond the end of a row that is shorter."""

from __future__ import annotations

from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.values import Equation, Note, Parts

__all__ = ["counting_steps", "of_padded_input", "of_padded_output"]


def counting_steps(step: NamedStep, kept: str = "lengths") -> int | None:
    """How many steps of the row count in what the layer takes; ``None`` where all do."""
    lengths = step.work.kept.get(kept)
    return None if lengths is None else int(lengths[0])


def of_padded_input(step: NamedStep, unit: int) -> Parts | None:
    """That nothing comes back to a padded step; ``None`` for a step that counts."""
    counting, steps = counting_steps(step), step.work.shape_in[-1]
    if counting is None or unit % steps < counting:
        return None
    return _zero(f"Step {unit % steps} is padding: it takes no part, so nothing comes back to it.", step.d_given)


def of_padded_output(step: NamedStep, unit: int, kept: str = "lengths") -> Parts | None:
    """That a step beyond the end of the row gives 0; ``None`` for one that counts."""
    counting, steps = counting_steps(step, kept), step.work.shape_out[-1]
    if counting is None or unit % steps < counting:
        return None
    return _zero(f"Step {unit % steps} is padding: it gives 0.", step.symbol)


def _zero(note: str, symbol: str) -> Parts:
    return [Note(text=note), Equation(symbol=symbol, calculation="{padding}", values={"padding": 0.0}, result=0.0)]
