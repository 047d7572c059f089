"""The training loop for a stack of networks: each ends as it would have ended alone with `fit`.

Legend: K networks of a stack; a member is one of them, by its number in the stack.

Network k sees the batches and the dropout of its own seed, learns from its own rows, and keeps its own best weights.
A network that has stopped or diverged leaves the stack at the end of the epoch and costs no more time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError, SettingError
from pellucid.training.batches import batches, drawn_masks, n_batches
from pellucid.training.divergence import explain
from pellucid.training.engine import Engine
from pellucid.training.history import Epoch
from pellucid.training.loop import (
    Outcome,
    Plan,
    Reason,
    Rows,
    State,
    after_epoch,
    check_batches,
    fresh,
    rate_of,
    rows_a_batch,
)

if TYPE_CHECKING:
    from pellucid.engines.fused.stack import StackEngine

__all__ = ["fit_many"]

Array = NDArray[Any]
OnEpoch = Callable[[int, Epoch, Callable[[], dict[str, Array]]], None]


@np.errstate(over="ignore", invalid="ignore")  # losses may overflow; divergence is reported as a message
def fit_many(
    stack: StackEngine,
    train: Rows,
    validation: Rows | Sequence[Rows],
    plan: Plan,
    seeds: Sequence[int],
    *,
    train_rows: Sequence[Array] | None = None,
    learning_rates: Sequence[float] | None = None,
    on_epoch: OnEpoch = lambda member, epoch, weights: None,
) -> tuple[Outcome, ...]:
    """Train every network of ``stack`` as `fit` would train it alone.

    Parameters
    ----------
    stack
        Holds the K networks; at the end, the weights that the plan keeps.
    train
        The rows that all learn from, or from which ``train_rows`` select.
    validation
        The rows that choose the best epoch: one set for all, or one for each network.
    plan
        Shared by all, except that the seed and, with ``learning_rates``, the peak rate are each network's own.
    seeds
        K seeds, of the batches and of dropout.
    train_rows
        For each network the numbers of the rows in ``train`` that it learns from: a fold, a bootstrap sample. Networks
        with different numbers of rows have batches of different sizes, so there is one stack per number of rows,
        trained one after another.
    learning_rates
        K peak rates in place of the plan's.
    on_epoch
        Called with the number of the network, the line of its history, and a function that copies its current weights.

    Returns
    -------
    tuple of Outcome
        In the order of the stack. If a network's loss was not finite, its reason is ``diverged``, even in the first
        epoch, and the others are not affected. The seconds of an epoch are divided among the networks trained in it.

    Raises
    ------
    SettingError
        The number of seeds, sets of row numbers, rates or validation sets is not the number of networks, or BatchNorm
        would get a batch of one row, the plan asks for an average of the weights, or the
        rows for augmentation.
    """
    if plan.average != "none":
        raise SettingError(f"average {plan.average} is for networks that are trained one by one, not in a stack")
    if train.augmentation is not None:
        raise SettingError("augmentation is for networks that are trained one by one, not in a stack")
    many = stack.size
    parts = [validation] * many if isinstance(validation, Rows) else list(validation)
    rates = [plan.learning_rate] * many if learning_rates is None else list(learning_rates)
    rows = [np.arange(len(train))] * many if train_rows is None else [np.asarray(each) for each in train_rows]
    for what, given in (("seeds", seeds), ("train_rows", rows), ("learning_rates", rates), ("validation", parts)):
        if len(given) != many:
            raise SettingError(f"{what} must be one for each of the {many:,} networks, got {len(given):,}")
    runs = [
        _Run(
            rows=rows[k],
            validation=parts[k],
            plan=replace(plan, seed=seeds[k], learning_rate=rates[k]),
            is_whole=train_rows is None and len(train) <= plan.batch_size and not stack.network.masks(),
        )
        for k in range(many)
    ]
    for run in runs:
        check_batches(stack.network, len(run.rows), plan.batch_size)
    stack.load_rows(train.inputs, train.targets, train.weights)
    found: dict[int, Outcome] = {}
    for count in dict.fromkeys(len(run.rows) for run in runs):
        alike = [k for k, run in enumerate(runs) if len(run.rows) == count]
        found |= _fit_alike(stack if len(alike) == many else stack.subset(alike), alike, runs, train, on_epoch)
    kept = [found[k].parameters for k in range(many)]
    stack.load_parameters({name: np.stack([each[name] for each in kept]) for name in kept[0]})
    return tuple(found[k] for k in range(many))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """The task of one network."""

    rows: Array
    validation: Rows
    plan: Plan
    is_whole: bool  # each batch is the whole table, in any order


class _Member:
    """One network of a stack, with the parts of an `Engine` that the loop's functions use."""

    def __init__(self, stack: StackEngine, place: int, answers: Array | None = None) -> None:
        self.network, self.loss = stack.network, stack.loss
        self._stack, self._place, self._answers = stack, place, answers

    def logits(self, inputs: Array) -> Array:
        assert self._answers is not None
        return self._answers[: len(inputs)]

    def parameters(self) -> dict[str, Array]:
        return self._stack.parameters_of(self._place)

    def as_engine(self) -> Engine:
        return cast("Engine", self)


def _fit_alike(
    stack: StackEngine, alive: list[int], runs: Sequence[_Run], train: Rows, on_epoch: OnEpoch
) -> dict[int, Outcome]:
    """Train networks with the same number of rows; ``alive`` are their numbers, in the order of the stack."""
    plan = runs[alive[0]].plan
    states = {k: fresh(runs[k].plan) for k in alive}
    found: dict[int, Outcome] = {}
    for _ in range(plan.epochs):
        for j, k in enumerate(alive):
            if states[k].stopping.is_over:
                found[k] = _conclude(stack, j, states[k], runs[k].plan, "early stopping")
        stack, alive = _without(stack, alive, found)
        if not alive:
            return found
        began = time.perf_counter()
        learned = _run_epoch(stack, alive, runs, train, states, found)
        answers = _answers(stack, [runs[k].validation for k in alive])
        seconds = (time.perf_counter() - began) / len(alive)
        for j, k in enumerate(alive):
            if k in found:
                continue
            member = _Member(stack, j, answers[j]).as_engine()
            try:
                states[k] = after_epoch(member, runs[k].validation, runs[k].plan, states[k], learned[j], seconds)
            except DivergenceError as error:
                found[k] = _conclude(stack, j, states[k], runs[k].plan, "diverged", str(error))
                continue
            on_epoch(k, states[k].history[-1], partial(stack.parameters_of, j))
    for j, k in enumerate(alive):
        if k not in found:
            found[k] = _conclude(stack, j, states[k], runs[k].plan, "all epochs done")
    return found


def _without(stack: StackEngine, alive: list[int], found: dict[int, Outcome]) -> tuple[StackEngine, list[int]]:
    """The stack without the networks that are done."""
    places = [j for j, k in enumerate(alive) if k not in found]
    if not places or len(places) == len(alive):
        return stack, [alive[j] for j in places]
    return stack.subset(places), [alive[j] for j in places]


def _run_epoch(
    stack: StackEngine,
    alive: list[int],
    runs: Sequence[_Run],
    train: Rows,
    states: dict[int, State],
    found: dict[int, Outcome],
) -> list[tuple[float, float]]:
    """Learn from every row once; the mean loss and last rate of each. Networks that diverge go to ``found``."""
    plan, count, epoch = runs[alive[0]].plan, len(runs[alive[0]].rows), states[alive[0]].epoch
    at_least = rows_a_batch(stack.network)
    steps = n_batches(count, plan.batch_size, at_least=at_least)
    is_whole = runs[alive[0]].is_whole

    def order(k: int) -> list[Array]:
        return list(batches(count, plan.batch_size, runs[k].plan.seed, epoch, at_least=at_least))

    orders = [] if is_whole else [order(k) for k in alive]
    wanted = stack.network.masks()
    total, rates = np.zeros(len(alive)), [0.0] * len(alive)
    for batch in range(steps):
        drawn = None if is_whole else np.stack([runs[k].rows[orders[j][batch]] for j, k in enumerate(alive)])
        size = count if drawn is None else drawn.shape[1]
        masks = [drawn_masks(wanted, size, runs[k].plan.seed, epoch, batch) for k in alive]
        rates = [rate_of(runs[k].plan, states[k], batch, steps) for k in alive]
        losses = stack.step(drawn, masks, rates[0] if len(set(rates)) == 1 else np.array(rates))
        for j in np.flatnonzero(~np.isfinite(losses)).tolist():
            k = alive[j]
            if k not in found:
                seen = runs[k].rows[order(k)[batch]]
                cause = explain(
                    _Member(stack, j).as_engine(), train.inputs[seen], train.targets[seen], masks[j], rates[j]
                )
                problem = f"training met {losses[j]} in epoch {epoch + 1}, batch {batch + 1} of {steps}: {cause}"
                found[k] = _conclude(stack, j, states[k], runs[k].plan, "diverged", problem)
        total += losses * [train.mass(runs[k].rows if drawn is None else drawn[j]) for j, k in enumerate(alive)]
    mass = np.array([train.mass(runs[k].rows) for k in alive])
    return list(zip((total / mass).tolist(), rates, strict=True))


def _answers(stack: StackEngine, parts: list[Rows]) -> Array:
    """The logits ``[K, N, C]`` for the validation rows; with fewer than N rows, the last ones mean nothing."""
    if all(part is parts[0] for part in parts):
        return stack.logits(parts[0].inputs)
    padded = np.zeros((len(parts), max(map(len, parts)), stack.network.inputs))
    for place, part in enumerate(parts):
        padded[place, : len(part)] = part.inputs
    return stack.logits(padded)


def _conclude(
    stack: StackEngine, place: int, state: State, plan: Plan, reason: Reason, problem: str | None = None
) -> Outcome:
    best = state.epoch and plan.keep == "best"
    return Outcome(
        parameters=state.best_parameters if best else stack.parameters_of(place),
        history=state.history,
        best_epoch=state.stopping.best_epoch + 1,
        reason=reason,
        problem=problem,
    )
