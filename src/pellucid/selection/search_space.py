"""The search space: the range of each setting, the settings that a trial stands for, and the default.

A setting that the user gives is fixed and not searched.

===================  ==========================================================================================
setting              searched
===================  ==========================================================================================
hidden               1 to 3 layers; the first has 16, 32 … 512 units; the others equal, or each halved
activation           relu, leaky_relu, silu, tanh
dropout              0 to 0.5 in steps of 0.05
batch_norm           yes or no
learning_rate        1e-4 to 3e-2, for sgd, momentum and nesterov 1e-3 to 1; logarithmic
weight_decay         none, or 1e-6 to 1e-1; logarithmic
batch_size           powers of two from a quarter of the usual size to four times it
loss                 for regression: mse or huber
label_smoothing      for classes: 0 to 0.2 in steps of 0.02
class_weight         for classes, if the metric weighs them equally: none or balanced
scaling              if there are numbers: standard, robust or quantile
number_encoding      if there are numbers: plain; piecewise or both, with 2, 4, 8, 16, 32 or 64 bins
===================  ==========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pellucid.data.given import holds_images
from pellucid.data.schema import Schema
from pellucid.errors import SettingError
from pellucid.network.task import Task
from pellucid.preprocessing.steps.piecewise import auto_bins
from pellucid.runs.plan import auto_batch_size, auto_rate
from pellucid.settings.sections import NUMBER_ENCODINGS
from pellucid.settings.settings import Settings, setting_names

if TYPE_CHECKING:
    from pellucid.preparation.folds import Folds

__all__ = ["Asks", "Choice", "Range", "Space", "name_of_setting", "searched_settings", "space_for", "starting_values"]

Value = str | int | float | bool | None
Values = tuple[Value, ...]
_WITH_BINS = ("piecewise", "both")
_COUNT_CLASSES_ALIKE = ("balanced_accuracy", "f1_macro")
_WIDTHS = (16, 32, 64, 128, 256, 512)


class Asks(Protocol):
    """What proposes a value for a dimension: a trial of Optuna."""

    def suggest_categorical(self, name: str, choices: Any, /) -> Any:
        """One of these."""

    def suggest_float(
        self, name: str, low: float, high: float, /, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number between two others.

        Parameters
        ----------
        name
            Of the setting.
        low, high
            The ends, both included.
        step
            Take only ``low`` plus multiples of this.
        log
            Draw evenly in the logarithm.
        """


def _condition(when: tuple[str, Values] | None) -> list[Any] | None:
    return None if when is None else [when[0], list(when[1])]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of a few unordered values."""

    name: str
    values: tuple[Value, ...]
    when: tuple[str, Values] | None = None  # only if this dimension has one of these values

    def ask(self, trial: Asks) -> Any:
        """A value for this trial."""
        return trial.suggest_categorical(self.name, self.values)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"name": self.name, "values": list(self.values), "when": _condition(self.when)}


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number from ``low`` to ``high``, in steps or on a logarithmic scale."""

    name: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    when: tuple[str, Values] | None = None

    def ask(self, trial: Asks) -> float:
        """A value for this trial."""
        return trial.suggest_float(self.name, self.low, self.high, step=self.step, log=self.log)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        facts = {"low": self.low, "high": self.high, "step": self.step, "log": self.log}
        return {"name": self.name, **facts, "when": _condition(self.when)}


@dataclass(frozen=True, kw_only=True)
class Space:
    """The dimensions of a search, and all other settings.

    Parameters
    ----------
    dimensions
        In the order in which they are proposed: a condition comes before the dimensions that depend on it.
    fixed
        All other settings.
    default
        The values of the default setting, with which a search starts.
    """

    dimensions: tuple[Choice | Range, ...]
    fixed: Settings
    default: Mapping[str, Value]

    def ask(self, trial: Asks) -> dict[str, Any]:
        """A value for each dimension that applies in this trial."""
        values: dict[str, Any] = {}
        for each in self.dimensions:
            if each.when is None or values.get(each.when[0]) in each.when[1]:
                values[each.name] = each.ask(trial)
        return values

    def settings(self, values: Mapping[str, Any]) -> Settings:
        """The settings that a trial's values stand for.

        Raises
        ------
        SettingError
            The values do not belong to this space.
        """
        return Settings.of(self.fixed.to_json(), self.changed(values))

    def changed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Only the settings that a trial's values decide."""
        known = {each.name for each in self.dimensions}
        if strange := sorted(set(values) - known):
            raise SettingError(f"a trial of the study has {strange[0]!r}, which this search does not vary")
        try:
            return _settings_of(values)
        except (KeyError, TypeError, ValueError) as error:
            raise SettingError(f"a trial of the study cannot be read ({error!r})") from error

    def to_json(self) -> list[dict[str, Any]]:
        """As plain JSON values."""
        return [each.to_json() for each in self.dimensions]


def space_for(folds: Folds, metric: str, given: Collection[str]) -> Space:
    """The search space for this table: every suitable setting that is not among the ``given`` ones.

    Raises
    ------
    SettingError
        Every setting that could be searched was given.

    >>> from pellucid.preparation.folds import cut_folds
    >>> folds = cut_folds("iris", Settings(target="species"), folds=3)
    >>> [each.name for each in space_for(folds, "accuracy", ["hidden", "scaling", "number_encoding"]).dimensions][:4]
    ['activation', 'dropout', 'batch_norm', 'learning_rate']
    """
    base = folds.base
    n_rows = len(folds.splits[0].train)
    found = [
        *(_of_network() if len(base.network.shape) == 1 else _of_convolutions(base.settings)),
        *_of_training(base.settings.optimizer, n_rows),
        *_of_task(base.task, metric),
        *_of_numbers(base.schema, given),
    ]
    free = tuple(each for each in found if name_of_setting(each.name) not in given)
    if not free:
        raise SettingError("all settings that could be searched are given: leave out some, such as --hidden or --lr")
    default = _default(base.settings, n_rows)
    return Space(
        dimensions=free,
        fixed=base.settings,
        default={each.name: _within(each, default[each.name]) for each in free if each.name in default},
    )


def starting_values(data: object, given: Mapping[str, Any]) -> dict[str, Any]:
    """The preset that a search starts from: the usual one for convolutional networks on pictures, else ``quick``.

    Parameters
    ----------
    data
        What is learned from.
    given
        The settings that the user gave.

    >>> starting_values("iris", {})
    {'preset': 'quick'}
    """
    return {} if holds_images(data) and given.get("network") != "mlp" else {"preset": "quick"}


def searched_settings(space: Space) -> tuple[str, ...]:
    """The names of the searched settings, each once.

    A network's depth, width and shape are one setting: ``hidden``.
    """
    return tuple(dict.fromkeys(name_of_setting(each.name) for each in space.dimensions))


def _within(dimension: Choice | Range, value: Any) -> Value:
    """The value, or the nearest one in the dimension."""
    if isinstance(dimension, Choice):
        return value if value in dimension.values else dimension.values[0]
    return float(min(max(value, dimension.low), dimension.high))


# ── the dimensions ────────────────────────────────────────────────────────────────────────────────────────────


def _of_network() -> Iterable[Choice | Range]:
    yield Range(name="layers", low=1, high=3, step=1)
    yield Range(name="log2_width", low=math.log2(_WIDTHS[0]), high=math.log2(_WIDTHS[-1]), step=1)
    yield Choice(name="shape", values=("same", "funnel"))
    yield from _of_both()


def _of_convolutions(settings: Settings) -> Iterable[Choice | Range]:
    """Of a convolutional network: how its stages are made; their channels stay."""
    yield Choice(name="depth", values=(2, 3) if settings.residual else (1, 2, 3))
    yield Choice(name="kernel", values=(3, 5))
    yield from _of_both()


def _of_both() -> Iterable[Choice | Range]:
    yield Choice(name="activation", values=("relu", "leaky_relu", "silu", "tanh"))
    yield Range(name="dropout", low=0.0, high=0.5, step=0.05)
    yield Choice(name="batch_norm", values=(False, True))


def _of_training(optimizer: str, n_rows: int) -> Iterable[Choice | Range]:
    adaptive = optimizer in ("adam", "adamw", "rmsprop")
    low, high = (1e-4, 3e-2) if adaptive else (1e-3, 1.0)
    yield Range(name="learning_rate", low=low, high=high, log=True)
    yield Choice(name="decays", values=(False, True))
    yield Range(name="weight_decay", low=1e-6, high=1e-1, log=True, when=("decays", (True,)))
    middle = round(math.log2(auto_batch_size(n_rows)))
    most = max(middle, min(middle + 2, int(math.log2(max(2, n_rows)))))
    yield Range(name="log2_batch_size", low=max(2, middle - 2), high=most, step=1)


def _of_task(task: Task, metric: str) -> Iterable[Choice | Range]:
    if task.kind == "regression":
        yield Choice(name="loss", values=("auto", "huber"))
    if task.is_classification:
        yield Range(name="label_smoothing", low=0.0, high=0.2, step=0.02)
        if metric in _COUNT_CLASSES_ALIKE:
            yield Choice(name="class_weight", values=("none", "balanced"))


def _of_numbers(schema: Schema, given: Collection[str]) -> Iterable[Choice | Range]:
    if not any(column.kind == "numeric" for column in schema.features):
        return
    yield Choice(name="scaling", values=("standard", "robust", "quantile"))
    yield Choice(name="number_encoding", values=NUMBER_ENCODINGS)
    # Bins apply only to piecewise numbers; with a given encoding, there is no dimension for them to depend on.
    if "number_encoding" not in given:
        yield Range(name="log2_bins", low=1, high=6, step=1, when=("number_encoding", _WITH_BINS))


_SETTING = {
    "layers": "hidden",
    "log2_width": "hidden",
    "shape": "hidden",
    "decays": "weight_decay",
    "log2_batch_size": "batch_size",
    "log2_bins": "bins",
}


def name_of_setting(name: str) -> str:
    """The setting that a dimension decides, alone or together with others.

    >>> name_of_setting("log2_width"), name_of_setting("dropout")
    ('hidden', 'dropout')
    """
    return _SETTING.get(name, name)


def _settings_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a trial's values stand for."""
    found = {name: value for name, value in values.items() if name not in _SETTING and name != "weight_decay"}
    if "layers" in values:
        first, factor = 2 ** round(values["log2_width"]), {"same": 1, "funnel": 2}[values["shape"]]
        found["hidden"] = tuple(max(1, first // factor**k) for k in range(round(values["layers"])))
    if "decays" in values:
        found["weight_decay"] = values["weight_decay"] if values["decays"] else 0.0
    for name in ("batch_size", "bins"):
        if f"log2_{name}" in values:
            found[name] = 2 ** round(values[f"log2_{name}"])
    for name in ("dropout", "label_smoothing"):
        if name in found:
            found[name] = round(float(found[name]), 4)  # 0.15, not 0.15000000000000002
    for name in ("learning_rate", "weight_decay"):
        if found.get(name):
            found[name] = float(f"{found[name]:.3g}")
    return {name: found[name] for name in setting_names() if name in found}


def _default(settings: Settings, n_rows: int) -> dict[str, Value]:
    """The default setting as values of the space, as closely as possible."""
    hidden = settings.hidden or (_WIDTHS[0],)
    width = min(max(round(math.log2(hidden[0])), math.log2(_WIDTHS[0])), math.log2(_WIDTHS[-1]))
    decays = settings.weight_decay > 0
    bins = settings.bins or auto_bins(n_rows)
    return {
        "layers": min(len(hidden), 3),
        "log2_width": width,
        "shape": "same" if hidden[0] == hidden[-1] else "funnel",
        "depth": settings.depth or 1,
        "kernel": settings.kernel,
        "activation": settings.activation,
        "dropout": settings.dropout,
        "batch_norm": settings.batch_norm,
        "learning_rate": settings.learning_rate or auto_rate(auto_batch_size(n_rows)),
        "decays": decays,
        **({"weight_decay": settings.weight_decay} if decays else {}),
        "log2_batch_size": round(math.log2(settings.batch_size or auto_batch_size(n_rows))),
        "loss": settings.loss,
        "label_smoothing": settings.label_smoothing,
        "class_weight": settings.class_weight,
        "scaling": settings.scaling,
        "number_encoding": settings.number_encoding,
        **({"log2_bins": round(math.log2(bins))} if settings.number_encoding in _WITH_BINS else {}),
    }
