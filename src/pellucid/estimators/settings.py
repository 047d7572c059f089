"""Check an estimator's parameters at ``fit``, and turn them into the descriptions that training needs.

A parameter that is ``"auto"`` takes the value of the estimator's preset, which is the same as for `pellucid.train`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.errors import DataError, SettingError
from pellucid.estimators.learning import Way
from pellucid.network import Network
from pellucid.network.task import Loss

__all__ = [
    "batch_size_of",
    "bins_of",
    "check_callbacks",
    "chosen",
    "count_of_networks",
    "encoding_of",
    "layers_of",
    "plain",
    "plan_of",
    "precision_of",
    "preset_of",
    "scaling_of",
    "way_of",
    "widths_of",
]

# Where scikit-learn has a name of its own for a setting of `pellucid.train`.
_SETTINGS = {
    "hidden_layer_sizes": "hidden",
    "max_iter": "epochs",
    "n_iter_no_change": "patience",
    "validation_fraction": "validation",
}


def preset_of(estimator: Any) -> str:
    """The requested preset, or the default for this estimator."""
    from pellucid.settings.presets import PRESETS, usual_preset
    from pellucid.settings.rules import Choice

    if estimator.preset == "auto":
        return usual_preset("table" if estimator.__sklearn_tags__().target_tags.required else "reconstruction")
    return Choice(tuple(PRESETS))("preset", estimator.preset)


def chosen(estimator: Any, name: str) -> Any:
    """The value of a parameter, or the preset's if it is ``"auto"``.

    >>> from pellucid import NeuralClassifier
    >>> chosen(NeuralClassifier(preset="plain"), "max_iter"), chosen(NeuralClassifier(max_iter=7), "max_iter")
    (200, 7)
    """
    from pellucid.settings.presets import PRESETS
    from pellucid.settings.settings import Settings

    preset = PRESETS[preset_of(estimator)]
    given = getattr(estimator, name)
    if not (isinstance(given, str) and given == "auto"):
        return plain(given)
    setting = _SETTINGS.get(name, name)
    return preset.get(setting, Settings.__dataclass_fields__[setting].default)


def widths_of(estimator: Any) -> tuple[int, ...]:
    """The widths of the hidden layers; a single number is one layer."""
    from pellucid.settings.rules import widths

    given = chosen(estimator, "hidden_layer_sizes")
    given = [given] if np.ndim(given) == 0 else list(given)
    return tuple(widths("hidden_layer_sizes", [plain(each) for each in given]))


def count_of_networks(estimator: Any) -> int:
    """How many networks are averaged."""
    from pellucid.settings.rules import whole

    return int(whole(1, 10_000)("n_networks", chosen(estimator, "n_networks")))


def scaling_of(estimator: Any) -> str:
    """How numbers are scaled."""
    from pellucid.preprocessing.steps.numeric import SCALINGS
    from pellucid.settings.rules import Choice

    return Choice(SCALINGS)("scaling", chosen(estimator, "scaling"))


def encoding_of(estimator: Any) -> str:
    """Whether a number stays one feature, ``plain``, becomes bins, ``piecewise``, or ``both``."""
    from pellucid.settings.rules import Choice
    from pellucid.settings.sections import NUMBER_ENCODINGS

    return Choice(NUMBER_ENCODINGS)("number_encoding", chosen(estimator, "number_encoding"))


def bins_of(estimator: Any, values: Any, n_rows: int, *, classes: bool) -> Any:
    """How numbers become bins (`pellucid.preprocessing.steps.piecewise.Bins`), or ``None`` if each stays one feature.

    Parameters
    ----------
    estimator
        The estimator, for its settings.
    values
        ``[N]`` targets of the training rows.
    n_rows
        The number of training rows.
    classes
        Whether the targets are classes.
    """
    from pellucid.preprocessing.steps.piecewise import Bins, auto_bins

    encoding = encoding_of(estimator)
    if encoding == "plain":
        return None
    most, by = chosen(estimator, "bins") or auto_bins(n_rows), chosen(estimator, "bins_by")
    return Bins(most=most, by=by, target=values, classes=classes, scaled_too=encoding == "both")


def precision_of(estimator: Any) -> str:
    """``float32`` or ``float64``."""
    from pellucid.settings.rules import Choice

    return Choice(("float32", "float64"))("precision", estimator.precision)


def check_callbacks(estimator: Any) -> None:
    """Raise `SettingError` where they are no functions."""
    given = estimator.callbacks
    if given is not None and (not isinstance(given, list | tuple) or not all(map(callable, given))):
        raise SettingError(f"callbacks must be a list of functions, got {given!r}")


def layers_of(estimator: Any) -> dict[str, Any]:
    """What stands between the dense layers, as keywords of `pellucid.network.mlp`."""
    from pellucid.settings.rules import flag, real

    return {
        "activation": chosen(estimator, "activation"),
        "batch_norm": flag("batch_norm", plain(estimator.batch_norm)),
        "dropout": real(0, 1, below=True)("dropout", chosen(estimator, "dropout")),
    }


def way_of(estimator: Any, network: Network, loss: Loss) -> Way:
    """What is trained, by which rule, and where."""
    from pellucid.network.optimizer import Optimizer
    from pellucid.settings.rules import real

    decay = real(0, 1e6)("weight_decay", chosen(estimator, "weight_decay"))
    return Way(
        network=network,
        loss=loss,
        optimizer=Optimizer(name=chosen(estimator, "optimizer"), weight_decay=decay),
        engine=estimator.engine,
        device=estimator.device,
        dtype=precision_of(estimator),
    )


def batch_size_of(estimator: Any, n_rows: int) -> int:
    """Rows a step."""
    from pellucid.runs.plan import auto_batch_size
    from pellucid.settings.rules import whole

    if estimator.batch_norm and n_rows < 2:
        raise DataError("batch_norm takes the variance of a batch, which n_samples = 1 has not; give more rows")
    size = estimator.batch_size
    if isinstance(size, str) and size == "auto":
        size = chosen(estimator, "batch_size") or auto_batch_size(n_rows)
    return int(whole(1)("batch_size", plain(size)))


def plan_of(estimator: Any, n_rows: int, seed: int, *, only: int | None = None) -> Any:
    """How to train (a `pellucid.training.loop.Plan`).

    Parameters
    ----------
    estimator
        The estimator, for its settings.
    n_rows
        The number of training rows.
    seed
        The seed of the training.
    only
        The number, from 1, of a single epoch at a constant rate; None for a whole training.
    """
    from pellucid.settings.rules import real, whole
    from pellucid.training.loop import Plan
    from pellucid.training.schedules import Schedule

    patience = chosen(estimator, "n_iter_no_change")
    return Plan(
        learning_rate=real(0, 1e6, above=True)("learning_rate", chosen(estimator, "learning_rate")),
        batch_size=batch_size_of(estimator, n_rows),
        epochs=only or _epochs_of(estimator, n_rows),
        schedule=Schedule(name="constant" if only else chosen(estimator, "schedule")),
        patience=None if only or patience is None else whole(1)("n_iter_no_change", patience),
        keep="last" if only else "best",
        seed=seed,
    )


def _epochs_of(estimator: Any, n_rows: int) -> int:
    from pellucid.runs.plan import auto_epochs
    from pellucid.settings.rules import whole

    epochs = chosen(estimator, "max_iter")
    return auto_epochs(n_rows) if epochs is None else int(whole(1)("max_iter", epochs))


def plain(value: Any) -> Any:
    """A NumPy number as Python's own: grids of parameters are often made by NumPy."""
    return value.item() if isinstance(value, np.generic) else value
