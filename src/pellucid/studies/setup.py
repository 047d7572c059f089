"""Checks of studies that train: are the widths valid, and did training reach its last epoch?"""

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
    """`learn`, but training that stops early is an error: its figures would be compared with those of full runs.

    Parameters
    ----------
    engine
        Holds the network; it is trained in place.
    train
        The training rows.
    plan
        Learning rate, batch size, epochs and so on; give one that keeps the last weights.
    watched
        The sets of rows to measure, by name.
    every
        Measure after every so many epochs, besides before the first and after the last.

    Raises
    ------
    DivergenceError
        A loss was not finite before the last epoch.
    """
    lines = learn(engine, train, plan, watched=watched, every=every)
    if lines[-1].epoch < plan.epochs:
        raise DivergenceError(
            f"training stopped after epoch {lines[-1].epoch:,} of {plan.epochs:,} because a loss was not finite: lower "
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
    """The widths of hidden layers as a tuple of whole numbers; raises `SettingError` if they are not.

    >>> widths("hidden", [5, 2])
    (5, 2)
    """
    whole = isinstance(value, list | tuple) and all(type(width) is int and width >= 1 for width in value)
    if not whole or len(value) < least:
        raise SettingError(f"{name} must be {least} or more whole numbers of at least 1, such as 16,8; got {value!r}")
    return tuple(value)
