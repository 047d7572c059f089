"""The ways to train networks, alone or as a stack, and what a way shares with the driver.

Networks that learn from folds are learners with their own row numbers, in either way. A way that trains in several
processes would be another class with a `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError
from pellucid.training.engine import Engine
from pellucid.training.events import EpochEnded, Listener, SnapshotTaken, TrainingBegan, Weights, ignore
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome, Plan, Reason, State, fit
from pellucid.training.rows import Rows, RowSource
from pellucid.training.signals import SnapshotRecorder
from pellucid.training.stacked_loop import fit_many

if TYPE_CHECKING:
    from pellucid.engines.fused.stack import StackEngine

__all__ = [
    "Alone",
    "Group",
    "Learner",
    "Nothing",
    "Session",
    "Stacked",
    "Store",
    "Way",
    "copy_of_start",
    "without_history",
]

Array = NDArray[Any]
Start = Mapping[str, Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class Learner:
    """One network to be trained.

    Parameters
    ----------
    train
        The rows to learn from, or from which ``train_rows`` select; or where they come from, for a
        network that is trained alone. Networks of a stack should share one table.
    validation
        The rows that choose the best epoch, unless ``validation_rows`` select them from ``train``.
    plan
        How to train; its seed is that of the network's batches and dropout.
    start
        Returns the initial weights.
    train_rows, validation_rows
        Row numbers in ``train``; ``None``: all of ``train``, and ``validation``.
    name
        The network's name in messages, such as ``network 2 of 5 (seed 1)``; empty if there is only one.
    """

    train: Rows | RowSource
    validation: Rows
    plan: Plan
    start: Callable[[], Start]
    train_rows: Array | None = None
    validation_rows: Array | None = None
    name: str = ""

    def learns_from(self) -> Rows | RowSource:
        """The rows to learn from."""
        return self.train if self.train_rows is None else self.train.take(self.train_rows)

    def chooses_by(self) -> Rows:
        """The rows that choose the best epoch."""
        return self.validation if self.validation_rows is None else self.train.take(self.validation_rows)


class Store(Protocol):
    """Where states and outcomes are kept, so that a training can continue after a stop. Members count from 0."""

    def finished(self, member: int) -> Outcome | None:
        """The outcome of a network that was trained before the stop."""

    def state(self, member: int, engine: Engine, plan: Plan) -> State | None:
        """The state of a network at the stop."""

    def save(self, member: int, state: Callable[[], State]) -> None:
        """Called after each epoch of a network that is trained alone; the state is copied only on request."""

    def finish(self, member: int, outcome: Outcome) -> None:
        """Keep the outcome of a network that has ended, in place of its state."""


class Nothing:
    """A store that keeps nothing."""

    def finished(self, member: int) -> Outcome | None:
        """Always ``None``: no outcome is stored."""
        return None

    def state(self, member: int, engine: Engine, plan: Plan) -> State | None:
        """Always ``None``: no state is stored."""
        return None

    def save(self, member: int, state: Callable[[], State]) -> None:
        """Let it go."""

    def finish(self, member: int, outcome: Outcome) -> None:
        """Let it go."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """What a way of training shares with the driver: where it reports, saves and asks whether to stop."""

    store: Store = field(default_factory=Nothing)
    tell: Listener = ignore
    interrupted: Callable[[], bool] = lambda: False
    recorder: SnapshotRecorder | None = None

    def began(self, member: int, weights: Weights, history: tuple[Epoch, ...] = ()) -> None:
        """Report that a network begins or continues."""
        self.tell(TrainingBegan(member=member, history=history, weights=weights))

    def epoch_ended(self, member: int, epoch: Epoch, weights: Weights) -> None:
        """Report that an epoch is done."""
        self.tell(EpochEnded(member=member, epoch=epoch, weights=weights))

    def snapshot_if_due(self, member: int, epoch: int, weights: Weights) -> None:
        """Take a snapshot of the first network, after the epochs at which one is due."""
        if self.recorder is not None and member == 0:
            snapshot = self.recorder.after(epoch, weights)
            if snapshot is not None:
                self.tell(SnapshotTaken(member=member, snapshot=snapshot))

    def snapshot(self, member: int, epoch: int, weights: Start) -> None:
        """Take a snapshot of the first network now."""
        if self.recorder is not None and member == 0:
            self.tell(SnapshotTaken(member=member, snapshot=self.recorder.take(epoch, weights)))


class Way(Protocol):
    """How a group of networks is trained."""

    watches_epochs: ClassVar[bool]  # whether snapshots are taken during training, or only at the start and the end

    def fit(self, group: Mapping[int, Learner], session: Session) -> Mapping[int, Outcome]:
        """Train these networks, by their numbers; reports all events except `TrainingEnded`.

        A network that diverged in its first epoch has an outcome without a history. After an interruption the outcomes
        say so.
        """


@dataclass(frozen=True, eq=False)
class Alone:
    """One network after another, each in its own engine; the state is offered for saving after each epoch.

    ``around`` is a context entered while a network trains, for example to limit threads.
    """

    new_engine: Callable[[Learner], Engine]
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    watches_epochs: ClassVar[bool] = True

    def fit(self, group: Mapping[int, Learner], session: Session) -> Mapping[int, Outcome]:
        """Train these networks until one is interrupted."""
        found: dict[int, Outcome] = {}
        for k, learner in group.items():
            found[k] = self._fit_one(k, learner, session)
            if found[k].reason == "interrupted":
                break
        return found

    def _fit_one(self, k: int, learner: Learner, session: Session) -> Outcome:
        engine = self.new_engine(learner)
        state = session.store.state(k, engine, learner.plan)
        session.began(k, engine.parameters, () if state is None else state.history)
        session.snapshot_if_due(k, 0, engine.parameters)

        def on_epoch(line: Epoch) -> None:
            session.epoch_ended(k, line, engine.parameters)
            session.snapshot_if_due(k, line.epoch, engine.parameters)

        with self.around():
            try:
                return fit(
                    engine, learner.learns_from(), learner.chooses_by(), learner.plan,
                    start=state, on_epoch=on_epoch, save=lambda state: session.store.save(k, state),
                    interrupted=session.interrupted,
                )  # fmt: skip
            except DivergenceError as error:
                return without_history(learner, "diverged", str(error))


class _Stopped(Exception):  # noqa: N818  # no error: the user asked for it
    """Ends the training of a stack."""


@dataclass(frozen=True, eq=False)
class Stacked:
    """All networks of a group together, in one plan of operations; no state is saved on the way.

    They have the same description, and plans that differ only in seed and learning rate. ``around`` is a context
    entered while they train.
    """

    new_stack: Callable[[Sequence[Start]], StackEngine]
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    watches_epochs: ClassVar[bool] = False

    def fit(self, group: Mapping[int, Learner], session: Session) -> Mapping[int, Outcome]:
        """Train these networks; after an interruption, checked after each epoch of each, none of them is kept."""
        numbers, learners = list(group), list(group.values())
        starts = [learner.start() for learner in learners]
        stack = self.new_stack(starts)
        for k, learner in group.items():
            session.began(k, partial(copy_of_start, learner))

        def on_epoch(place: int, line: Epoch, weights: Weights) -> None:
            session.epoch_ended(numbers[place], line, weights)
            if session.interrupted():
                raise _Stopped

        table, train_rows = _one_table(learners)
        plans = [learner.plan for learner in learners]
        rates = [plan.learning_rate for plan in plans]
        with self.around():
            try:
                outcomes = fit_many(
                    stack, table, [learner.chooses_by() for learner in learners], plans[0],
                    [plan.seed for plan in plans], train_rows=train_rows, on_epoch=on_epoch,
                    learning_rates=None if len(set(rates)) == 1 else rates,
                )  # fmt: skip
            except _Stopped:
                outcomes = tuple(without_history(learner, "interrupted") for learner in learners)
        return dict(zip(numbers, outcomes, strict=True))


@dataclass(frozen=True, eq=False)
class Group:
    """Some of the learners, by number, and the way in which they are trained."""

    way: Way
    members: Sequence[int]


def copy_of_start(learner: Learner) -> dict[str, Array]:
    return {name: array.copy() for name, array in learner.start().items()}


def without_history(learner: Learner, reason: Reason, problem: str | None = None) -> Outcome:
    """The outcome of a network without an epoch worth keeping."""
    return Outcome(parameters=dict(learner.start()), history=(), best_epoch=0, reason=reason, problem=problem)


def _one_table(learners: Sequence[Learner]) -> tuple[Rows, list[Array] | None]:
    """The table of a stack and each network's row numbers in it; ``None``: all networks learn from all rows.

    Different tables are stacked one below the other.
    """
    first = learners[0].train
    assert isinstance(first, Rows), "a stack learns from rows in memory"
    if all(learner.train is first for learner in learners):
        if all(learner.train_rows is None for learner in learners):
            return first, None
        every = np.arange(len(first))
        return first, [every if learner.train_rows is None else learner.train_rows for learner in learners]
    tables = [learner.train for learner in learners if isinstance(learner.train, Rows)]
    weighted = any(table.weights is not None for table in tables)
    below = np.cumsum([0, *map(len, tables)])
    rows = [
        np.arange(len(table)) if learner.train_rows is None else learner.train_rows
        for learner, table in zip(learners, tables, strict=True)
    ]
    joined = Rows(
        inputs=np.concatenate([table.inputs for table in tables]),
        targets=np.concatenate([table.targets for table in tables]),
        weights=np.concatenate([_weights(table) for table in tables]) if weighted else None,
    )
    return joined, [each + start for each, start in zip(rows, below[:-1], strict=True)]


def _weights(rows: Rows) -> Array:
    return np.ones(len(rows)) if rows.weights is None else rows.weights
