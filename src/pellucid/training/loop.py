"""The training loop: mini-batch → forward → loss → backward → update → repeat, and validate after each epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.errors import DivergenceError, SettingError
from pellucid.network import Network
from pellucid.training.averaging import AVERAGES, AverageName, WeightAverage, average_in_place
from pellucid.training.batches import drawn_masks, n_batches
from pellucid.training.divergence import explain
from pellucid.training.engine import Engine
from pellucid.training.history import Epoch
from pellucid.training.rows import Rows, RowSource
from pellucid.training.schedules import Plateau, Schedule
from pellucid.training.sources import source_of
from pellucid.training.stopping import EarlyStopping

__all__ = [
    "Outcome",
    "Plan",
    "Reason",
    "Rows",
    "State",
    "after_epoch",
    "check_batches",
    "fit",
    "fresh",
    "rate_of",
    "rows_a_batch",
]

Array = NDArray[Any]

_LOGITS_AT_ONCE = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how fast to train.

    Parameters
    ----------
    learning_rate
        The peak that ``schedule`` starts from or rises to.
    batch_size
        Rows in a step; more than there are means all of them.
    epochs
        The most passes over the training rows.
    patience
        Stop after this many epochs without a better validation loss; ``None`` never stops early.
    keep
        Which weights are kept: the ``best`` by validation loss, or the ``last``.
    seed
        Seed of the batches and of dropout.
    average
        ``ema``: the validation rows measure, and the outcome keeps, an average of the weights of many steps
        (`pellucid.training.averaging`).
    """

    learning_rate: float
    batch_size: int
    epochs: int
    schedule: Schedule = field(default_factory=Schedule)
    patience: int | None = None
    keep: Literal["best", "last"] = "best"
    seed: int = 0
    average: AverageName = "none"

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.average not in AVERAGES:
            raise SettingError(f"average must be one of {', '.join(AVERAGES)}, got {self.average!r}")
        if self.keep not in ("best", "last"):
            raise SettingError(f"keep must be 'best' or 'last', got {self.keep!r}")
        if not 0 < self.learning_rate < math.inf:
            raise SettingError(f"learning_rate must be above 0 and finite, got {self.learning_rate!r}")
        for name in ("batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)!r}")
        if self.patience is not None and self.patience < 1:
            raise SettingError(f"patience must be at least 1 epoch, or none, got {self.patience!r}")


@dataclass(frozen=True, kw_only=True)
class State:
    """The state of a run after an epoch: all that is needed to continue as if it had never stopped."""

    epoch: int  # epochs done
    parameters: dict[str, Array]
    memory: dict[str, Array]
    best_parameters: dict[str, Array]
    history: tuple[Epoch, ...]
    stopping: EarlyStopping
    plateau: Plateau
    average: dict[str, Array] = field(default_factory=dict)  # of the weights, if the plan asks for one


Reason = Literal["all epochs done", "early stopping", "interrupted", "diverged"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The weights that the plan keeps, how they were reached, and why training ended."""

    parameters: dict[str, Array]
    history: tuple[Epoch, ...]
    best_epoch: int  # counted from 1; 0 if no epoch was finished
    reason: Reason
    problem: str | None = None  # why it diverged, if that was the reason


@np.errstate(over="ignore", invalid="ignore")  # losses may overflow; divergence is reported as a message
def fit(
    engine: Engine,
    train: Rows | RowSource,
    validation: Rows,
    plan: Plan,
    *,
    start: State | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    save: Callable[[Callable[[], State]], None] = lambda state: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Train until the plan is done, patience runs out, or ``interrupted`` returns true.

    Parameters
    ----------
    engine
        Holds the weights; at the end, those that the plan keeps.
    train
        The rows to learn from, or where they come from.
    validation
        The rows that choose the best epoch (the training rows if none are held out).
    start
        The state to go on from; ``None`` begins.
    on_epoch
        Called with the history's line of each epoch.
    save
        Called after each epoch with a function that gives the state; it is copied only if that is called.
    interrupted
        Called after each batch; true ends training.

    Raises
    ------
    DivergenceError
        A loss was not finite in the first epoch; the message names the layer, the batch and the likely cause. Later,
        the outcome carries that message and the best weights so far.
    """
    source = source_of(train, engine.network)
    check_batches(engine.network, source.n, plan.batch_size)
    source.load(engine)
    state = start or fresh(plan)
    if start is not None:
        engine.load_parameters(state.parameters)
        engine.load_memory(state.memory)
    average = _average(engine, source, plan, state)
    reason: Reason = "all epochs done"
    problem = None
    while state.epoch < plan.epochs:
        if state.stopping.is_over:
            reason = "early stopping"
            break
        began = time.perf_counter()
        try:
            learned = _run_epoch(engine, source, plan, state, interrupted, average)
            if learned is None:
                reason = "interrupted"
                break
            with average_in_place(engine, average):
                state = after_epoch(engine, validation, plan, state, learned, time.perf_counter() - began)
        except DivergenceError as error:
            if not state.epoch:
                raise
            reason, problem = "diverged", str(error)
            break
        on_epoch(state.history[-1])
        done = state
        save(lambda: _saved(done, engine, average))  # noqa: B023
    last = engine.parameters if average is None else average.copy
    kept = state.best_parameters if state.epoch and plan.keep == "best" else last()
    engine.load_parameters(kept)
    return Outcome(
        parameters=kept,
        history=state.history,
        best_epoch=state.stopping.best_epoch + 1,
        reason=reason,
        problem=problem,
    )


def check_batches(network: Network, n_rows: int, batch_size: int) -> None:
    """Raise `SettingError` where a network cannot learn from batches this small."""
    if min(n_rows, batch_size) < rows_a_batch(network):
        raise SettingError(
            "BatchNorm cannot train on one row at a time: give a batch_size of at least 2 (and at least 2 rows), or "
            "switch batch_norm off"
        )


def rows_a_batch(network: Network) -> int:
    """The fewest rows that a network can learn from: 2 with BatchNorm, which needs their variance."""
    return 2 if network.has_batch_norm else 1


def fresh(plan: Plan) -> State:
    """The state before the first epoch."""
    return State(
        epoch=0,
        parameters={},
        memory={},
        best_parameters={},
        history=(),
        stopping=EarlyStopping(patience=plan.patience),
        plateau=Plateau(),
    )


def _average(engine: Engine, source: RowSource, plan: Plan, state: State) -> WeightAverage | None:
    """The average of the weights so far, if the plan asks for one."""
    if plan.average == "none":
        return None
    steps = state.epoch * n_batches(source.n, plan.batch_size, at_least=rows_a_batch(engine.network))
    return WeightAverage(state.average or engine.parameters(), steps)


def _saved(state: State, engine: Engine, average: WeightAverage | None) -> State:
    """The state with all that the engine and the average hold."""
    averaged = {} if average is None else average.copy()
    return replace(state, parameters=engine.parameters(), memory=engine.memory(), average=averaged)


def _run_epoch(
    engine: Engine,
    source: RowSource,
    plan: Plan,
    state: State,
    interrupted: Callable[[], bool],
    average: WeightAverage | None = None,
) -> tuple[float, float] | None:
    """Learn from every row once; the mean loss and the last learning rate, or ``None`` if interrupted."""
    at_least = rows_a_batch(engine.network)
    steps = n_batches(source.n, plan.batch_size, at_least=at_least)
    wanted = engine.network.masks()
    total, rate = 0.0, 0.0
    for batch, rows in enumerate(source.batches(plan.batch_size, plan.seed, state.epoch, at_least=at_least)):
        masks = drawn_masks(wanted, len(rows), plan.seed, state.epoch, batch)
        rate = rate_of(plan, state, batch, steps)
        loss = engine.step(source.ready(engine, rows), masks, rate)
        if not math.isfinite(loss):
            where = f"epoch {state.epoch + 1}, batch {batch + 1} of {steps}"
            seen = source.take(rows)
            cause = explain(engine, np.asarray(seen.inputs), seen.targets, masks, rate)
            raise DivergenceError(f"training met {loss} in {where}: {cause}")
        if average is not None:
            average.stepped(engine.parameters)
        total += loss * source.mass(rows)
        if interrupted():
            return None
    if average is not None:
        average.catch_up(engine.parameters)
    return total / source.mass(), rate


def after_epoch(
    engine: Engine, validation: Rows, plan: Plan, state: State, learned: tuple[float, float], seconds: float
) -> State:
    """The state one epoch later: measured on the validation rows, with a line of history and the best weights.

    Parameters
    ----------
    engine
        Holds the weights after the epoch.
    validation
        The rows to measure them on.
    plan, state
        The plan, and the state before the epoch.
    learned
        The epoch's mean training loss and its last learning rate.
    seconds
        How long the epoch took.

    Raises
    ------
    DivergenceError
        The validation loss is not finite.
    """
    train_loss, rate = learned
    loss, score = _validate(engine, validation)
    if not math.isfinite(loss):
        cause = explain(engine, validation.inputs, validation.targets, (), rate, training=False)
        raise DivergenceError(f"the validation loss is {loss} after epoch {state.epoch + 1}: {cause}")
    stopping = state.stopping.after(state.epoch, loss)
    line = Epoch(
        epoch=state.epoch + 1,
        learning_rate=rate,
        train_loss=train_loss,
        validation_loss=loss,
        validation_score=score,
        seconds=seconds,
    )
    improved = stopping.best_epoch == state.epoch
    return replace(
        state,
        epoch=state.epoch + 1,
        best_parameters=engine.parameters() if improved else state.best_parameters,
        history=(*state.history, line),
        stopping=stopping,
        plateau=state.plateau.after(loss, plan.schedule),
    )


def rate_of(plan: Plan, state: State, batch: int, steps: int) -> float:
    """The learning rate of a batch, by the plan's schedule.

    Parameters
    ----------
    plan
        Has the peak learning rate, the schedule and the number of epochs.
    state
        Has the number of epochs done and the state of the plateau schedule.
    batch, steps
        The batch in its epoch, from 0, and the number of batches in an epoch.
    """
    return plan.schedule.rate(
        plan.learning_rate,
        epoch=state.epoch,
        epochs=plan.epochs,
        batch=batch,
        n_batches=steps,
        scale=state.plateau.scale,
    )


def _validate(engine: Engine, rows: Rows) -> tuple[float, float]:
    """The loss of these rows, and accuracy or, for numbers, R²."""
    if engine.network.answers_steps:
        return _validate_steps(engine, rows)
    logits = engine.logits(rows.inputs).astype(np.float64)
    loss = loss_and_gradient(engine.loss, logits, rows.targets, rows.weights).value
    if engine.loss.name == "cross_entropy":
        return loss, _mean(logits.argmax(axis=1) == rows.targets, rows.weights)
    if engine.loss.name == "bce":
        return loss, _mean(((logits > 0) == (rows.targets > 0.5)).mean(axis=1), rows.weights)
    if (rows.targets == rows.targets[0]).all():
        return loss, math.nan
    each = None if rows.weights is None else rows.weights[:, None]
    middle = rows.targets.mean(axis=0) if each is None else (each * rows.targets).sum(axis=0) / rows.mass()
    missed, spread = (logits - rows.targets) ** 2, (rows.targets - middle) ** 2
    if each is not None:
        missed, spread = missed * each, spread * each
    return loss, 1 - float(missed.sum()) / float(spread.sum())


def _validate_steps(engine: Engine, rows: Rows) -> tuple[float, float]:
    """The mean loss and the accuracy of all steps that count, some rows at a time: logits ``[N, T, C]`` are many."""
    at_once = max(1, _LOGITS_AT_ONCE // math.prod(engine.network.shapes()[-1]))
    losses, right, mass = 0.0, 0.0, 0.0
    for start in range(0, len(rows), at_once):
        part = rows.take(np.arange(start, min(start + at_once, len(rows))))
        counts = part.targets != 0
        if not counts.any():
            continue
        logits, truth = engine.logits(part.inputs)[counts].astype(np.float64), part.targets[counts]  # [n, C], [n]
        weights = np.ones(len(truth))
        if part.weights is not None:
            weights = np.broadcast_to(part.weights[:, np.newaxis], counts.shape)[counts]
        losses += loss_and_gradient(engine.loss, logits, truth, weights).value * weights.sum()
        right += float(weights @ (logits.argmax(axis=1) == truth))
        mass += float(weights.sum())
    return losses / mass, right / mass


def _mean(values: Array, weights: Array | None) -> float:
    return float(values.mean()) if weights is None else float(weights @ values / weights.sum())
