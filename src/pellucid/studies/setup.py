"""What studies that train ask before and after: are the widths widths, and did the training come to its end?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pellucid.errors import DivergenceError, SettingError
from pellucid.network import Network
from pellucid.studies.learning import Line, learn
from pellucid.training.engine import Engine
from pellucid.training.loop import Plan, Rows

__all__ = ["learn_to_the_end", "shape_of", "widths"]


def learn_to_the_end(
    engine: Engine, train: Rows, plan: Plan, *, watched: Mapping[str, Rows], every: int = 1
) -> tuple[Line, ...]:
    """`learn`, but a training that breaks off is an error: its figures would be compared with those of whole ones.

    Raises
    ------
    DivergenceError
        A loss was no number before the last epoch.
    """
    lines = learn(engine, train, plan, watched=watched, every=every)
    if lines[-1].epoch < plan.epochs:
        raise DivergenceError(
            f"training broke off after epoch {lines[-1].epoch:,} of {plan.epochs:,}, for a loss was no number: lower "
            f"the learning rate, which is {plan.learning_rate:g}"
        )
    return lines


def shape_of(network: Network) -> str:
    """The widths of a network in one line.

    >>> from pellucid.network import mlp
    >>> shape_of(mlp(2, [5, 2], 1))
    '2 → 5 → 2 → 1'
    """
    return network.outline()


def widths(name: str, value: Sequence[int], *, least: int = 1) -> tuple[int, ...]:
    """The widths of hidden layers as a tuple of whole numbers; raises `SettingError` where they are none.

    >>> widths("hidden", [5, 2])
    (5, 2)
    """
    whole = isinstance(value, list | tuple) and all(type(width) is int and width >= 1 for width in value)
    if not whole or len(value) < least:
        raise SettingError(f"{name} must be {least} or more whole numbers of at least 1, such as 16,8; got {value!r}")
    return tuple(value)
