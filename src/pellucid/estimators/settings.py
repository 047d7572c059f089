"""An estimator's parameters, checked at ``fit`` and turned into the descriptions that training takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.errors import DataError, SettingError
from pellucid.estimators.learning import Way
from pellucid.network import Network
from pellucid.task import Loss

__all__ = [
    "batch_size_of",
    "check_callbacks",
    "count_of_networks",
    "layers_of",
    "plan_of",
    "precision_of",
    "way_of",
    "widths_of",
]


def widths_of(estimator: Any) -> tuple[int, ...]:
    """The widths of the hidden layers; one number alone is one layer."""
    from pellucid.workflow.settings import widths

    given = estimator.hidden_layer_sizes
    given = [given] if np.ndim(given) == 0 else list(given)
    return tuple(widths("hidden_layer_sizes", [_plain(each) for each in given]))


def count_of_networks(estimator: Any) -> int:
    """How many networks are averaged."""
    from pellucid.workflow.settings import whole

    return int(whole(1, 10_000)("n_networks", _plain(estimator.n_networks)))


def precision_of(estimator: Any) -> str:
    """``float32`` or ``float64``."""
    from pellucid.workflow.settings import Choice

    return Choice(("float32", "float64"))("precision", estimator.precision)


def check_callbacks(estimator: Any) -> None:
    """Raise `SettingError` where they are no functions."""
    given = estimator.callbacks
    if given is not None and (not isinstance(given, list | tuple) or not all(map(callable, given))):
        raise SettingError(f"callbacks must be a list of functions, got {given!r}")


def layers_of(estimator: Any) -> dict[str, Any]:
    """What stands between the dense layers, as keywords of `pellucid.network.mlp`."""
    from pellucid.workflow.settings import flag, real

    return {
        "activation": estimator.activation,
        "batch_norm": flag("batch_norm", _plain(estimator.batch_norm)),
        "dropout": real(0, 1, below=True)("dropout", _plain(estimator.dropout)),
    }


def way_of(estimator: Any, network: Network, loss: Loss) -> Way:
    """What is trained, by which rule, and where."""
    from pellucid.optimizer import Optimizer
    from pellucid.workflow.settings import real

    decay = real(0, 1e6)("weight_decay", _plain(estimator.weight_decay))
    return Way(
        network=network,
        loss=loss,
        optimizer=Optimizer(name=estimator.optimizer, weight_decay=decay),
        engine=estimator.engine,
        device=estimator.device,
        dtype=precision_of(estimator),
    )


def batch_size_of(estimator: Any, n_rows: int) -> int:
    """Rows a step."""
    from pellucid.workflow.settings import whole
    from pellucid.workflow.train import auto_batch_size

    if estimator.batch_norm and n_rows < 2:
        raise DataError("batch_norm takes the variance of a batch, which n_samples = 1 has not; give more rows")
    size = estimator.batch_size
    if isinstance(size, str) and size == "auto":
        return auto_batch_size(n_rows)
    return int(whole(1)("batch_size", _plain(size)))


def plan_of(estimator: Any, n_rows: int, seed: int, *, only: int | None = None) -> Any:
    """How to train (a `pellucid.training.loop.Plan`).

    ``only`` is for one epoch at a constant rate: its number, from 1.
    """
    from pellucid.training.loop import Plan
    from pellucid.training.schedules import Schedule
    from pellucid.workflow.settings import real, whole

    patience = estimator.n_iter_no_change
    return Plan(
        learning_rate=real(0, 1e6, above=True)("learning_rate", _plain(estimator.learning_rate)),
        batch_size=batch_size_of(estimator, n_rows),
        epochs=only or whole(1)("max_iter", _plain(estimator.max_iter)),
        schedule=Schedule(name="constant" if only else estimator.schedule),
        patience=None if only or patience is None else whole(1)("n_iter_no_change", _plain(patience)),
        keep="last" if only else "best",
        seed=seed,
    )


def _plain(value: Any) -> Any:
    """A NumPy number as Python's own: grids of parameters are often made by NumPy."""
    return value.item() if isinstance(value, np.generic) else value
