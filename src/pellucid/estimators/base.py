"""What the three estimators share: their parameters, and everything from ``fit`` to the weights.

Legend: N rows, I columns, C outputs of the network, K networks.
"""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from pellucid.errors import SettingError
from pellucid.estimators import inputs as inputs_
from pellucid.estimators import settings, stored
from pellucid.estimators.answers import outputs_of
from pellucid.estimators.division import Division, divide
from pellucid.estimators.held_out import HoldoutRows
from pellucid.estimators.learning import one_more_epoch, train_networks
from pellucid.estimators.reading import ReadingEstimator

if TYPE_CHECKING:
    from pellucid.network import Network
    from pellucid.network.task import Task
    from pellucid.preprocessing.target import TargetScaler
    from pellucid.training.history import Epoch
    from pellucid.training.loop import Outcome, Rows

__all__ = ["NetworkEstimator"]

Array = NDArray[Any]
_FLOATS = (np.float64, np.float32)


class NetworkEstimator(ReadingEstimator):
    """The parameters of every network, and fitting; the subclasses say what the outputs mean.

    Parameters
    ----------
    preset
        Values for the parameters that are ``"auto"``: ``best`` averages several networks, ``quick`` is one network,
        faster and usually worse, ``plain`` is simple (`pellucid.settings.presets`). ``auto`` is best, or plain for an
        autoencoder.
    hidden_layer_sizes
        The width of each hidden layer; empty for a linear model.
    activation
        The activation of the hidden layers, one of `pellucid.network.ACTIVATIONS`.
    loss
        ``auto``: cross-entropy for classes, mean squared error otherwise; also ``mae`` and ``huber`` for numbers.
    optimizer
        ``sgd``, ``momentum``, ``nesterov``, ``rmsprop``, ``adam`` or ``adamw``.
    learning_rate, schedule
        The peak rate (a number), and how it changes: ``constant``, ``step``, ``cosine``, ``flat_cosine``,
        ``one_cycle``, ``plateau``.
    batch_size
        Rows per step; ``auto`` is the power of two below 1.5 √N, from 16 to 1,024.
    max_iter
        The largest number of epochs; ``auto`` takes the preset's.
    weight_decay, dropout, batch_norm
        As in `pellucid.train`.
    early_stopping, validation_fraction
        Whether to hold out a share of the rows; ``auto`` does so with 20 rows or more. The weights of the epoch with
        the lowest loss on the held-out rows are kept; without held-out rows, the lowest training loss decides.
    n_iter_no_change
        Stop after so many epochs without a lower loss; ``None`` never stops early.
    n_networks, ensemble
        How many networks are trained and averaged, and how they differ: only by their ``seeds``, or also by
        ``folds``, where each holds out a different part of the rows.
    scaling, number_encoding, bins, bins_by
        How numbers are prepared for the network, as in `pellucid.train`.
    warm_start
        Whether another ``fit`` continues with the weights and the preprocessing of the last one.
    engine, device, precision
        ``auto``, ``fused``, ``kernel``, ``torch`` or ``textbook``; ``auto``, ``cpu`` or ``cuda``; ``float32`` or
        ``float64``. Very small trainings use NumPy automatically.
    callbacks
        Functions that are called after every epoch with its line of the history (`pellucid.training.history.Epoch`).
    random_state, verbose
        As in scikit-learn.

    Attributes
    ----------
    network_, task_, parameters_, recipe_
        The description of the network, its task, its weights (NumPy) and its preprocessing.
    ensemble_
        The weights of every network; ``parameters_`` are those of the first.
    history_, loss_curve_, n_iter_, best_epoch_
        A line per epoch; the training loss of each; their number; the epoch of the weights (from 1).
    notes_
        What was decided when a frame was read: columns left out, and why.
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.preset = preset
        self.activation = activation
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_networks = n_networks
        self.ensemble = ensemble
        self.scaling = scaling
        self.number_encoding = number_encoding
        self.bins = bins
        self.bins_by = bins_by
        self.warm_start = warm_start
        self.engine = engine
        self.device = device
        self.precision = precision
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    # ── what a class below says ──

    @abstractmethod
    def _values(self, y: Any, *, known: bool) -> Array | None:
        """The targets as class numbers or floats ``[N]``; with ``known``, as what was fitted before knows them."""

    @abstractmethod
    def _task(self, width: int) -> Task:
        """The question, for a network with so many inputs."""

    def _network(self, width: int, outputs: int, layers: dict[str, Any]) -> Network:
        from pellucid.network import mlp

        return mlp(width, settings.widths_of(self), outputs, **layers)

    def _extra_weights(self, y: Any) -> Array | None:
        """A weight for each row besides ``sample_weight``."""
        return None

    def _conclude(self, held: HoldoutRows | None) -> None:
        """What is decided by the rows held out, once the weights are there."""

    # ── fitting ──

    def _fit(self, X: Any, y: Any, sample_weight: Any, X_val: Any = None, y_val: Any = None) -> Self:
        settings.check_callbacks(self)
        goes_on = bool(self.warm_start) and hasattr(self, "ensemble_")
        if not goes_on:  # should training fail, no old weights stand beside new preprocessing
            for old in ("ensemble_", "parameters_"):
                self.__dict__.pop(old, None)
        X, y, weights = self._given(X, y, sample_weight, reset=not goes_on)
        values = self._values(y, known=goes_on)
        weights = self._with_extra(weights, y)
        seed = self._draw_seed()
        apart = Division()
        if X_val is None:
            codes = values if values is not None and values.dtype.kind == "i" else None
            apart = divide(self, inputs_.n_rows(X), codes, self._seed if goes_on else seed)
        out = tuple(inputs_.take(each, apart.held) for each in (X, values, weights)) if apart.held is not None else ()
        if apart.learns is not None:
            X, values, weights = (inputs_.take(each, apart.learns) for each in (X, values, weights))
        if goes_on:
            self._go_on()
        else:
            self._prepare(X, values, weights)
        train = self._rows(X, values, weights)
        held: HoldoutRows | None = None
        if X_val is not None:
            held = self._given_for_validation(X_val, None if values is None else self._known_values(y_val))
        elif out:
            held = HoldoutRows(rows=self._rows(*out), values=out[1])
        elif apart.folds:
            order = np.concatenate(apart.folds)
            network = np.repeat(np.arange(len(apart.folds)), [len(fold) for fold in apart.folds])
            held = HoldoutRows(rows=train.take(order), values=inputs_.take(values, order), network=network)
        starts = list(self.ensemble_) if goes_on else self._starts(seed)
        outcomes = train_networks(
            settings.way_of(self, self.network_, self.task_.loss),
            train,
            train if held is None else [held.of(k) for k in range(len(starts))],
            settings.plan_of(self, len(train), seed),
            starts,
            [seed + k for k in range(len(starts))],
            self._hear,
            members=apart.members(len(train)),
        )
        self._take_up(outcomes, seed)
        self._conclude(held)
        return self

    def _given_for_validation(self, X: Any, values: Array | None) -> HoldoutRows:
        X = self._read(X, reset=False)
        check_consistent_length(np.empty(inputs_.n_rows(X)), values)
        return HoldoutRows(rows=self._rows(X, values, None), values=values)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        first = not hasattr(self, "ensemble_")
        settings.check_callbacks(self)
        X, y, weights = self._given(X, y, sample_weight, reset=first)
        values = self._values(y, known=hasattr(self, "classes_"))
        weights = self._with_extra(weights, y)
        if first:
            self._seed = self._draw_seed()
            self._prepare(X, values, weights)
        else:
            self._go_on()
        starts = self._starts(self._seed) if first else self.ensemble_
        before: tuple[Epoch, ...] = () if first else self.history_
        rows = self._rows(X, values, weights)
        plan = settings.plan_of(self, len(rows), self._seed, only=len(before) + 1)
        way = settings.way_of(self, self.network_, self.task_.loss)
        memories = getattr(self, "_memory", [None] * len(starts))
        states = [
            one_more_epoch(way, rows, replace(plan, seed=self._seed + k), start, memory, len(before))
            for k, (start, memory) in enumerate(zip(starts, memories, strict=True))
        ]
        self._keep([state.parameters for state in states], (*before, *states[0].history), len(before) + 1)
        self._memory = [state.memory for state in states]
        self._hear(states[0].history[-1])
        return self

    def _known_values(self, y: Any) -> Array | None:
        """The targets of rows given for validation."""
        if y is None:
            raise SettingError("X_val needs y_val: the rows that choose the best epoch need a target")
        return self._values(self._finite_targets(y), known=True)

    def _with_extra(self, weights: Array | None, y: Any) -> Array | None:
        extra = self._extra_weights(y)
        weights = weights if extra is None else extra if weights is None else weights * extra
        # Only their ratios matter; float32 holds no numbers far below this.
        return None if weights is None else np.maximum(weights / weights.max(), 1e-30)

    def _draw_seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _prepare(self, X: Any, values: Array | None, weights: Array | None) -> None:
        """Fit the preprocessing to the rows to learn from, and describe the network."""
        self.notes_: tuple[str, ...] = ()
        scaling = settings.scaling_of(self)
        bins = settings.bins_of(self, values, inputs_.n_rows(X), classes=not self._wants_numbers)
        if self._by_table:
            from pellucid.preprocessing.steps.text import Words

            words = Words(target=values, classes=not self._wants_numbers)
            self.recipe_, schema = inputs_.recipe_of_table(X, scaling, bins, words)
            dropped = (f"column {c.name!r} is left out: {c.reason}" for c in schema.columns if c.role == "dropped")
            self.notes_ = (*X.report.notes, *schema.warnings, *dropped)
        else:
            self.recipe_ = inputs_.recipe_of_array(X, self._names, weights, scaling, bins)
        if self.verbose and self.notes_:
            print(*self.notes_, sep="\n")
        width = len(self.recipe_.feature_names)
        self.task_ = self._task(width)
        self._scaler: TargetScaler | None = None
        if self.task_.kind == "regression" and values is not None:
            self._scaler = inputs_.target_scaler(values, weights)
        self.network_ = self._network(width, self.task_.outputs, settings.layers_of(self))

    def _go_on(self) -> None:
        """Take up a changed loss; another network could not start from the weights there are."""
        width = self.network_.inputs
        self.task_ = self._task(width)
        described = self._network(width, self.task_.outputs, settings.layers_of(self))
        if described != self.network_ or settings.count_of_networks(self) != len(self.ensemble_):
            raise SettingError(
                "warm_start and partial_fit continue with the fitted networks; for other layers or another "
                "n_networks, fit a clone"
            )

    def _starts(self, seed: int) -> list[dict[str, Array]]:
        from pellucid.network.initialise import initialise

        return [initialise(self.network_, seed + k) for k in range(settings.count_of_networks(self))]

    def _rows(self, X: Any, values: Array | None, weights: Array | None) -> Rows:
        from pellucid.preparation.rows import training_rows

        encoded = inputs_.encode(self.recipe_, X, np.dtype(settings.precision_of(self)))
        return replace(training_rows(self.task_, self._scaler, encoded, values), weights=weights)

    def _hear(self, epoch: Epoch) -> None:
        if self.verbose:
            print(f"epoch {epoch.epoch}: loss {epoch.train_loss:.6g}, on the held-out rows {epoch.validation_loss:.6g}")
        for callback in self.callbacks or ():
            callback(epoch)

    def _take_up(self, outcomes: Sequence[Outcome], seed: int) -> None:
        for outcome in outcomes:
            if outcome.problem is not None:
                told = f"{outcome.problem}; the weights of epoch {outcome.best_epoch} are kept"
                warnings.warn(told, ConvergenceWarning, stacklevel=4)
        self._seed = seed
        self._keep([outcome.parameters for outcome in outcomes], outcomes[0].history, outcomes[0].best_epoch)

    def _keep(self, members: Sequence[Mapping[str, Array]], history: Sequence[Epoch], best_epoch: int) -> None:
        self.ensemble_ = tuple({name: np.array(a, order="C") for name, a in each.items()} for each in members)
        self.parameters_ = self.ensemble_[0]
        self.history_ = tuple(history)
        self.loss_curve_ = [epoch.train_loss for epoch in history]
        self.n_iter_, self.best_epoch_ = len(history), best_epoch
        for old in ("_memory", "residuals_", "temperatures_"):  # they belong to the weights before
            self.__dict__.pop(old, None)

    # ── answering ──

    def _inputs(self, X: Any) -> Array:
        check_is_fitted(self, "ensemble_")
        return inputs_.encode(self.recipe_, self._read(X, reset=False), np.float64)

    def _traces(self, inputs: Array, layer: int = -1) -> Array:
        """What a layer of every network gives, ``[K, N, C]``."""
        return outputs_of(self.network_, self.ensemble_, inputs, layer)

    def _answers(self, inputs: Array) -> Array:
        """Probabilities ``[K, N, C]``, values ``[K, N]`` in the target's unit, or inputs drawn again ``[K, N, I]``."""
        from pellucid.engines.textbook.engine import answer

        answers = np.stack([answer(self.task_, logits) for logits in self._traces(inputs)])
        return answers if self._scaler is None else self._scaler.inverse(answers)

    # ── the file ──

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file, which ``pellucid predict`` can also read: weights and preprocessing, no code."""
        check_is_fitted(self, "ensemble_")
        stored.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote, or the model of a run folder; every field is checked and nothing is executed.

        Raises
        ------
        ModelFileError
            The file is damaged, newer, hostile, or answers another kind of question.
        """
        return stored.load(cls, path)  # type: ignore[no-any-return]
