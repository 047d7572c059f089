"""Cross-validation of one setting: trained on the rows outside each fold, measured on the fold."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, DivergenceError, SettingError, nearest
from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.fold_interval import mean_over_folds
from pellucid.evaluation.names import HIGHER_IS_BETTER
from pellucid.evaluation.paired import headline
from pellucid.model.measuring import measure
from pellucid.model.model import Model
from pellucid.network.task import Task
from pellucid.preparation.folds import ROW_SETTINGS, Folds, cut_folds, prepare_fold
from pellucid.preparation.members import check_folds, members_of, n_learned_from
from pellucid.preparation.prepare import Prepared, settings_for
from pellucid.runs.flips import with_flips
from pellucid.runs.machine import on_this_machine
from pellucid.runs.members import fit_members
from pellucid.runs.picture_epochs import with_picture_epochs
from pellucid.runs.plan import auto_batch_size, sized_for
from pellucid.runs.target_transform import with_target_transform
from pellucid.settings.presets import PRESETS
from pellucid.settings.settings import Settings
from pellucid.training.events import EpochEnded, Event, Listener, ignore
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome

__all__ = [
    "METRICS",
    "FoldBegan",
    "FoldScore",
    "FoldScores",
    "OnFold",
    "by_fold",
    "check_ensemble",
    "cross_validate",
    "metric_for",
]

Array = NDArray[Any]
OnFold = Callable[[int, float], bool | None]

_OF_CLASSES = ("roc_auc", "accuracy", "balanced_accuracy", "f1_macro", "log_loss", "brier")
_OF_NUMBERS = ("rmse", "mae", "median_absolute_error", "r2")
_OF_RECONSTRUCTIONS = ("mse", "mae", "r2")
_SHARES = HIGHER_IS_BETTER - {"r2"}
METRICS = tuple(dict.fromkeys((*_OF_CLASSES, *_OF_NUMBERS, *_OF_RECONSTRUCTIONS)))


@dataclass(frozen=True, kw_only=True)
class FoldBegan(Event):
    """The events that follow are of this fold, counted from 1."""

    fold: int
    of: int


def by_fold(tell: Callable[[int, Epoch], None]) -> Listener:
    """A listener to `cross_validate` that passes on each epoch with the number of its fold, from 1."""
    fold = 0

    def listen(event: Event) -> None:
        nonlocal fold
        match event:
            case FoldBegan():
                fold = event.fold
            case EpochEnded():
                tell(fold, event.epoch)
            case _:
                pass

    return listen


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """The result of one fold.

    Parameters
    ----------
    score
        The metric on the fold's rows; NaN where training diverged.
    best_epoch, epochs
        Counted from 1; of several networks, the median and the most.
    seconds
        Of wall clock, for training and preprocessing.
    n_train, n_held
        Rows learned from (without those that choose the best epoch), and rows of the fold.
    problem
        Why it diverged, if it did.
    """

    score: float
    best_epoch: int
    epochs: int
    seconds: float
    n_train: int
    n_held: int
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class FoldScores:
    """The scores of one setting.

    Parameters
    ----------
    metric
        Such as ``roc_auc``; ``higher_is_better`` says which way it goes.
    settings
        All settings, with engine, threads and products as chosen for this machine.
    folds
        One for each finished fold: fewer than ``n_folds`` after a divergence, or if ``on_fold`` asked to stop.
    n_parameters
        Of a network of the first fold, times the number of networks.
    size_ratio
        Rows held out for each row used in training, which the interval needs.
    """

    metric: str
    higher_is_better: bool
    settings: Settings
    folds: tuple[FoldScore, ...]
    n_folds: int
    n_parameters: int
    size_ratio: float

    @property
    def scores(self) -> tuple[float, ...]:
        """One a fold."""
        return tuple(fold.score for fold in self.folds)

    @property
    def best_epochs(self) -> tuple[int, ...]:
        """One a fold."""
        return tuple(fold.best_epoch for fold in self.folds)

    @property
    def seconds(self) -> float:
        """Of all folds together."""
        return sum(fold.seconds for fold in self.folds)

    @property
    def problem(self) -> str | None:
        """Why it diverged, and in which fold; None if it did not."""
        problems = ((k, fold.problem) for k, fold in enumerate(self.folds, start=1) if fold.problem is not None)
        return next((f"fold {k} of {self.n_folds}: {problem}" for k, problem in problems), None)

    @property
    def diverged(self) -> bool:
        """Whether training met a non-finite loss in some fold."""
        return self.problem is not None

    @property
    def is_complete(self) -> bool:
        """Whether every fold was trained and measured."""
        return len(self.folds) == self.n_folds and not self.diverged

    @property
    def mean(self) -> float:
        """Over the finished folds; NaN after a divergence."""
        return self.interval.value

    @property
    def interval(self) -> Estimate:
        """The mean with its 95 % interval over the folds (`mean_over_folds`)."""
        return mean_over_folds(self.scores, size_ratio=self.size_ratio, within=_range_of(self.metric))


def cross_validate(
    data: object,
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    folds: int = 5,
    metric: str | None = None,
    listener: Listener = ignore,
    on_fold: OnFold | None = None,
) -> FoldScores:
    """Score one setting: for each fold, train on the other rows and measure on the fold.

    Preprocessing is fitted on the training rows of each fold alone, and a part of them, the validation rows, chooses
    the best epoch. The folds depend on the table, on ``folds`` and on the settings named in `ROW_SETTINGS` (the seed
    among them), so they are the same for all settings that are compared. The test part is not used.

    Parameters
    ----------
    data
        What `pellucid.train` takes; or `Folds` from `cut_folds`, so that the table is not read and cut again.
    settings
        All settings, or those that differ from the defaults (where ``data`` are `Folds`: from theirs).
    folds
        How many; ignored where ``data`` are `Folds`.
    metric
        One of `METRICS`; else ROC AUC for two classes, accuracy for more, RMSE for numbers, MSE for a reconstruction.
    listener
        Called with a `FoldBegan` for each fold and then with each event of its trainings. What it raises ends
        everything.
    on_fold
        Called with the number of each finished fold, from 1, and its score, NaN if it diverged. If it returns true, the
        remaining folds are not trained (a search prunes this way); what it raises ends everything.

    Returns
    -------
    FoldScores
        With the mean, its interval, seconds and best epochs. A setting that diverges raises no error: it ends with that
        fold, and its mean is NaN.

    Raises
    ------
    SettingError
        A setting, ``folds`` or ``metric`` cannot be used, or differs from a setting that the `Folds` were cut by.
    DataError
        The table cannot be used, is too small for so many folds, or a fold has one class only.

    >>> found = cross_validate("iris", {"hidden": (8,), "epochs": 20, "learning_rate": 0.02}, folds=3)
    >>> found.metric, found.higher_is_better, len(found.scores), found.mean > 0.6
    ('accuracy', True, 3, True)
    """
    cut, chosen = _folds_and_settings(data, settings, folds)
    name = metric_for(cut.base.task, metric)
    _check_defined(name, cut)
    check_ensemble(chosen)
    done: list[FoldScore] = []
    n_parameters = 0
    for k in range(len(cut)):
        if not k:
            chosen, n_parameters = _decided(prepare_fold(cut, k, chosen))
        began = time.perf_counter()
        listener(FoldBegan(fold=k + 1, of=len(cut)))
        found = _score(prepare_fold(cut, k, chosen), name, listener)
        done.append(replace(found, seconds=time.perf_counter() - began))
        if (on_fold is not None and on_fold(k + 1, found.score)) or found.problem is not None:
            break
    return FoldScores(
        metric=name,
        higher_is_better=name in HIGHER_IS_BETTER,
        settings=chosen,
        folds=tuple(done),
        n_folds=len(cut),
        n_parameters=n_parameters,
        size_ratio=cut.size_ratio,
    )


def _range_of(metric: str) -> tuple[float, float]:
    """The range of a metric's possible values."""
    if metric in _SHARES:
        return 0.0, 1.0
    return (-math.inf, 1.0) if metric == "r2" else (0.0, math.inf)


def metric_for(task: Task, metric: str | None = None) -> str:
    """The metric that scores a task: the one asked for, if the task has it.

    >>> metric_for(Task.binary("ill", ("no", "yes"))), metric_for(Task.regression("price"), "mae")
    ('roc_auc', 'mae')
    """
    if task.kind == "reconstruction":
        known: tuple[str, ...] = _OF_RECONSTRUCTIONS
    else:
        known = _OF_CLASSES if task.is_classification else _OF_NUMBERS
    if metric is None:
        return "mse" if task.kind == "reconstruction" else headline(task)
    if metric not in known:
        raise SettingError(f"metric {metric!r} is not one of a {task.kind} task{nearest(str(metric), known)}")
    return metric


def check_ensemble(settings: Settings) -> None:
    """Raise `SettingError` for networks that cannot each have a fold of their own inside a fold."""
    if settings.ensemble == "folds":
        check_folds(settings)


def _folds_and_settings(
    data: object, settings: Settings | Mapping[str, Any] | None, folds: int
) -> tuple[Folds, Settings]:
    if not isinstance(data, Folds):
        chosen = settings if isinstance(settings, Settings) else settings_for(data, settings or {})
        cut = cut_folds(data, chosen, folds=folds)
        return cut, replace(chosen, **{name: getattr(cut.base.settings, name) for name in ROW_SETTINGS})
    own = data.base.settings
    if isinstance(settings, Settings):
        chosen = settings
    else:
        given = settings or {}
        preset = PRESETS.get(str(given.get("preset")), {})  # given here, it overrides the settings of the folds
        chosen = Settings.of(own.to_json(), preset, given)
    for name in ROW_SETTINGS:
        if getattr(chosen, name) != getattr(own, name):
            raise SettingError(
                f"the folds were cut with {name} {getattr(own, name)!r}, but {getattr(chosen, name)!r} would cut "
                "different ones: cut them again with cut_folds"
            )
    return data, chosen


def _check_defined(metric: str, folds: Folds) -> None:
    """Refuse a metric that is not defined on some fold, before anything is trained."""
    target, task = folds.base.target, folds.base.task
    if metric != "roc_auc" or task.kind != "binary" or target is None:
        return
    for k, split in enumerate(folds.splits, start=1):
        counts = np.bincount(target.at(split.test), minlength=2)
        if not counts.all():
            missing = task.classes[int(counts.argmin())]
            n = int(sum(np.count_nonzero(target.at(s.test) == counts.argmin()) for s in folds.splits))
            raise DataError(
                f"fold {k} of {len(folds)} has no row of the class {missing!r} of {target.name!r} (all folds together "
                f"have {n:,}), so ROC AUC is not defined on it: use fewer folds, or another metric, such as log_loss"
            )


def _decided(fold: Prepared) -> tuple[Settings, int]:
    """The settings with engine, threads and products decided once for all folds, and the parameters to be trained.

    PyTorch is loaded here, so that the first fold's seconds do not include the import. The batch size stays as given.
    """
    count = n_learned_from(fold)
    rows = min(fold.settings.batch_size or auto_batch_size(count), count)
    settings = on_this_machine(fold.settings, fold.network, fold.task.loss, rows)
    if settings.engine in ("fused", "torch"):
        from pellucid.engines.device import use_threads

        assert settings.threads is not None
        use_threads(settings.threads)
    return settings, fold.network.n_trainable * settings.n_networks


def _score(fold: Prepared, metric: str, listener: Listener) -> FoldScore:
    """Train on one fold and measure on its rows; the caller measures the time."""
    facts: dict[str, Any] = {"seconds": 0.0, "n_train": len(fold.train), "n_held": len(fold.measured.rows)}
    try:
        fold = with_flips(with_target_transform(_sized(with_picture_epochs(fold))))
        outcomes = _train(fold, listener)
    except DivergenceError as error:
        return FoldScore(score=math.nan, best_epoch=0, epochs=0, problem=str(error), **facts)
    facts["best_epoch"] = round(float(np.median([outcome.best_epoch for outcome in outcomes])))
    facts["epochs"] = max(len(outcome.history) for outcome in outcomes)
    problem = next((outcome.problem for outcome in outcomes if outcome.problem is not None), None)
    if problem is not None:
        return FoldScore(score=math.nan, problem=problem, **facts)
    return FoldScore(score=_measured(fold, metric, _answers(fold, outcomes)), **facts)


def _train(fold: Prepared, listener: Listener) -> tuple[Outcome, ...]:
    """The networks of one fold, as `pellucid.train` trains them on its rows."""
    fold = _sized(fold)
    return fit_members(fold, members_of(fold), listener=listener).outcomes


def _sized(fold: Prepared) -> Prepared:
    return replace(fold, settings=sized_for(n_learned_from(fold), fold.settings))


def _answers(fold: Prepared, outcomes: tuple[Outcome, ...]) -> Array:
    """The joint answers of the networks for the held-out rows."""
    first, *more = (outcome.parameters for outcome in outcomes)
    model = Model(
        network=fold.network,
        task=fold.task,
        recipe=fold.recipe,
        scaler=fold.scaler,
        parameters=first,
        more=tuple(more),
        facts={},
    )
    return model.answers_to(fold.measured.inputs)


def _measured(fold: Prepared, metric: str, answers: Array) -> float:
    """The metric only: with all rows as one group, the bootstrap has nothing to draw."""
    held = fold.measured
    one_group = np.zeros(len(held.truth), dtype=np.int64)
    return measure(fold.task, held.truth, answers, groups=one_group)[metric].value
