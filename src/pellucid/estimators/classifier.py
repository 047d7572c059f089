"""A network for classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight

from pellucid.errors import DataError, SettingError
from pellucid.estimators.answers import outputs_of
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.held_out import THRESHOLD_METRICS, HoldoutRows, best_temperature, best_threshold
from pellucid.estimators.labels import check_are_classes, names_of

if TYPE_CHECKING:
    from pellucid.network.task import Task

__all__ = ["NeuralClassifier"]

Array = NDArray[Any]
_MANY = 1_000  # as in `data.target`: more different numbers than this are not classes


class NeuralClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """A multi-layer perceptron for classes.

    Parameters
    ----------
    class_weight
        ``None``, ``"balanced"`` or a weight by class, as in scikit-learn. A batch's loss is divided by the sum of its
        weights.
    calibrate
        Whether to divide the logits by the temperature with the lowest loss on the held-out rows. The most probable
        class of a single network stays the same.
    decision_threshold
        For two classes: the probability from which `predict` answers with the second; or ``accuracy``,
        ``balanced_accuracy`` or ``f1`` for the threshold that is best on the held-out rows.

    Further parameters and attributes are those of `NetworkEstimator`.

    Attributes
    ----------
    classes_
        In the order of the columns of `predict_proba`.
    threshold_
        The decision threshold in use (two classes only).
    temperatures_
        The temperature of each network; only with ``calibrate``. The weights of the last layer are already divided by
        it.
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | str = "auto",
        *,
        preset: str = "auto",
        activation: str = "auto",
        loss: str = "auto",
        optimizer: str = "auto",
        learning_rate: float | str = "auto",
        schedule: str = "auto",
        batch_size: int | str = "auto",
        max_iter: int | str = "auto",
        weight_decay: float | str = "auto",
        dropout: float | str = "auto",
        batch_norm: bool = False,
        early_stopping: bool | str = "auto",
        validation_fraction: float | str = "auto",
        n_iter_no_change: int | str | None = "auto",
        class_weight: Any = None,
        calibrate: bool = False,
        decision_threshold: float | str = 0.5,
        n_networks: int | str = "auto",
        ensemble: str = "auto",
        scaling: str = "auto",
        number_encoding: str = "auto",
        bins: int | str = "auto",
        bins_by: str = "auto",
        warm_start: bool = False,
        engine: str = "auto",
        device: str = "auto",
        precision: str = "float32",
        callbacks: Any = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            preset=preset,
            activation=activation,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            max_iter=max_iter,
            weight_decay=weight_decay,
            dropout=dropout,
            batch_norm=batch_norm,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            n_networks=n_networks,
            ensemble=ensemble,
            scaling=scaling,
            number_encoding=number_encoding,
            bins=bins,
            bins_by=bins_by,
            warm_start=warm_start,
            engine=engine,
            device=device,
            precision=precision,
            callbacks=callbacks,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.decision_threshold = decision_threshold

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Learn from rows ``X`` ``[N, I]`` (an array or a frame) and their classes ``y`` ``[N]``.

        Parameters
        ----------
        sample_weight
            ``[N]``: a weight of 2 counts as two equal rows, a weight of 0 as none.
        X_val, y_val
            Rows that choose the best epoch, instead of a share of ``X``.

        Raises
        ------
        SettingError, DataError
            A parameter or the data cannot be used; both are ``ValueError``.
        """
        needs = bool(self.calibrate) or isinstance(self.decision_threshold, str)
        if needs and self.early_stopping is False and X_val is None:
            raise SettingError(
                "calibrate and a decision_threshold by metric need held-out rows: set early_stopping=True, or pass "
                "X_val and y_val"
            )
        return self._fit(X, y, sample_weight, X_val, y_val)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows; the first call also fits the preprocessing, which is then kept.

        Parameters
        ----------
        X
            ``[N, I]``, an array or a frame.
        y
            ``[N]`` classes.
        classes
            All classes that will ever occur; without them, those of the first call.
        sample_weight
            ``[N]``: a weight of 2 counts as two equal rows, a weight of 0 as none.

        Raises
        ------
        SettingError, DataError
            A parameter or the data cannot be used; both are ``ValueError``.
        """
        if isinstance(self.class_weight, str):
            raise SettingError("partial_fit sees only some of the rows, so class_weight must be given for each class")
        first = not hasattr(self, "ensemble_")
        if first and classes is not None:
            self._set_classes(np.unique(classes))
        elif first:
            self.__dict__.pop("classes_", None)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise DataError("classes must be the same in each partial_fit; use a new estimator for other classes")
        self._partial_fit(X, y, sample_weight)
        if first:
            self._set_threshold(None)
        return self

    def predict(self, X: Any) -> Array:
        """The class of each row, ``[N]``."""
        p = self.predict_proba(X)
        if len(self.classes_) == 2 and self.threshold_ != 0.5:
            chosen: Array = self.classes_[(p[:, 1] >= self.threshold_).astype(np.intp)]
        else:
            chosen = self.classes_[p.argmax(axis=1)]
        return chosen

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class for each row, ``[N, classes]``: the mean over the networks."""
        mean: Array = self._answers(self._inputs(X)).mean(axis=0)
        return mean

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            logs: Array = np.log(self.predict_proba(X))
        return logs

    def _values(self, y: Any, *, known: bool) -> Array:
        if not known:
            _check_labels(y)
        check_are_classes(y)
        if not known:
            self._set_classes(np.unique(y))
        places = np.searchsorted(self.classes_, y)
        found = self.classes_[np.minimum(places, len(self.classes_) - 1)]
        if not np.all(found == y):
            other = np.asarray(y)[found != y].tolist()[0]
            raise DataError(f"y holds {other!r}, which is not one of the known classes ({self.classes_.tolist()[:8]})")
        codes: Array = places.astype(np.int64)
        return codes

    def _set_classes(self, classes: Array) -> None:
        if len(classes) < 2:
            raise DataError(
                f"y has only one class, {classes.tolist()}: there is nothing to predict; add rows of another class"
            )
        self.classes_ = classes

    def _extra_weights(self, y: Any) -> Array | None:
        if self.class_weight is None:
            return None
        weights: Array = compute_sample_weight(self.class_weight, y)
        if not (weights > 0).all():
            raise SettingError("class_weight must be above 0 for every class; leave the rows out instead")
        return weights

    def _task(self, width: int) -> Task:
        from pellucid.network.task import Loss, Task

        kind = "binary" if len(self.classes_) == 2 else "multiclass"
        default = "bce" if kind == "binary" else "cross_entropy"
        loss = Loss(name=default if self.loss == "auto" else self.loss)  # type: ignore[arg-type]
        return Task(kind=kind, target="y", classes=names_of(self.classes_), loss=loss)  # type: ignore[arg-type]

    def _conclude(self, held: HoldoutRows | None) -> None:
        if self.calibrate and held is not None:
            last = len(self.network_.layers) - 1
            found = []
            for k, member in enumerate(self.ensemble_):
                rows = held.of(k)
                logits = outputs_of(self.network_, [member], np.asarray(rows.inputs, np.float64), -1)[0]
                found.append(best_temperature(self.task_.loss, logits, rows))
                for name in (f"{last}.weight", f"{last}.bias"):
                    member[name] = (member[name] / found[-1]).astype(member[name].dtype)
            self.temperatures_ = np.array(found)
        self._set_threshold(held)

    def _set_threshold(self, held: HoldoutRows | None) -> None:
        wanted = self.decision_threshold
        if isinstance(wanted, str):
            if len(self.classes_) != 2:
                raise SettingError(f"a decision_threshold is for two classes, and y has {len(self.classes_)}")
            if held is None or held.values is None:
                raise SettingError(f"a decision_threshold by {THRESHOLD_METRICS} needs held-out rows: use fit")
            p = held.answers(self._answers(np.asarray(held.rows.inputs, np.float64)))[:, 1]
            self.threshold_ = best_threshold(wanted, p, held.values)
            return
        if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not 0 <= wanted <= 1:
            raise SettingError(f"decision_threshold must be a number from 0 to 1 or a metric, got {wanted!r}")
        if wanted != 0.5 and len(self.classes_) != 2:
            raise SettingError(f"a decision_threshold is for two classes, and y has {len(self.classes_)}")
        self.threshold_ = float(wanted)


def _check_labels(y: Any) -> None:
    """Raise `DataError` for what cannot be sorted, and for a quantity, of which each value would become a class."""
    if np.asarray(y).dtype == object and len({type(label) for label in y}) > 1 and not all(map(_is_text, y)):
        kinds = sorted({type(label).__name__ for label in y})
        raise DataError(f"the classes in y must be of one type, got {', '.join(kinds)}; leave out rows without a class")
    if np.asarray(y).dtype.kind in "iu":
        distinct = len(np.unique(y))
        if distinct > _MANY or (distinct > 50 and distinct > len(y) / 2):
            raise DataError(
                f"y holds {distinct:,} different whole numbers in {len(y):,} rows, too many to be classes; they look "
                "like a quantity: use NeuralRegressor"
            )


def _is_text(label: object) -> bool:
    return isinstance(label, str)
