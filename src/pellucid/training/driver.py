"""Trains networks, one or many: the only place that runs a training from the initial weights to the outcome.

The caller says three things. What each network learns from, where it starts and by which plan: one `Learner` each. How:
`Alone`, or `Stacked` where several are trained together (`pellucid.training.ways`). And where results go: a `Store`
that keeps states and outcomes, and a listener for the events. Interruption, resuming, snapshots and divergence are
handled here, in the same way for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pellucid.errors import DivergenceError
from pellucid.training.events import Listener, TrainingEnded, ignore
from pellucid.training.loop import Outcome
from pellucid.training.signals import SnapshotRecorder
from pellucid.training.ways import Group, Learner, Nothing, Session, Store, copy_of_start, without_history

__all__ = ["TrainedMembers", "train_members"]


@dataclass(frozen=True, kw_only=True)
class TrainedMembers:
    """The outcomes in order (fewer than asked for after an interruption), and what one network costs.

    ``seconds_of_one`` is the mean training time of a single network, if it was measured.
    """

    outcomes: tuple[Outcome, ...]
    seconds_of_one: float | None = None
    stacked: bool = False
    interrupted: bool = False


def train_members(
    learners: Sequence[Learner],
    groups: Sequence[Group],
    *,
    store: Store | None = None,
    listener: Listener = ignore,
    interrupted: Callable[[], bool] = lambda: False,
    recorder: SnapshotRecorder | None = None,
    may_diverge: bool = False,
) -> TrainedMembers:
    """Train every network, continuing from what ``store`` holds.

    Parameters
    ----------
    learners
        The networks; their numbers count from 0.
    groups
        Which networks are trained in which way, in this order; every number belongs to one group.
    store
        Keeps states and outcomes; ``None`` keeps nothing.
    listener
        Called with each event (see `pellucid.training.events`).
    interrupted
        Called after each batch of a single network, and after each epoch of a stack; true ends training.
    recorder
        Takes snapshots of the first network; in a stack, which is not paused for it, only at the start and the end.
    may_diverge
        Whether a network that diverges in its first epoch gives an outcome with a ``problem`` instead of an error.

    Returns
    -------
    TrainedMembers
        After an interruption: the networks with at least one finished epoch, or else the first with its initial
        weights.

    Raises
    ------
    DivergenceError
        A network's loss was not finite in its first epoch.

    >>> import numpy as np
    >>> from pellucid.network import mlp
    >>> from pellucid.network.initialise import initialise
    >>> from pellucid.network.optimizer import Optimizer
    >>> from pellucid.network.task import Loss
    >>> from pellucid.training.engine import make_engine
    >>> from pellucid.training.loop import Plan
    >>> from pellucid.training.rows import Rows
    >>> from pellucid.training.ways import Alone
    >>> net, x = mlp(1, [3], 1), np.linspace(0, 1, 20)[:, None]
    >>> rows, plan = Rows(inputs=x, targets=2 * x), Plan(learning_rate=0.1, batch_size=5, epochs=3)
    >>> learner = Learner(train=rows, validation=rows, plan=plan, start=lambda: initialise(net, seed=0))
    >>> loss, rule = Loss(name="mse"), Optimizer()
    >>> way = Alone(lambda learner: make_engine("textbook", net, loss, rule, learner.start()))
    >>> heard = []
    >>> trained = train_members([learner], [Group(way, [0])], listener=heard.append)
    >>> [type(event).__name__ for event in heard]
    ['TrainingBegan', 'EpochEnded', 'EpochEnded', 'EpochEnded', 'TrainingEnded']
    >>> trained.outcomes[0].reason
    'all epochs done'
    """
    session = Session(
        store=Nothing() if store is None else store, tell=listener, interrupted=interrupted, recorder=recorder
    )
    stacked = any(len(group.members) > 1 and not group.way.watches_epochs for group in groups)
    found: dict[int, Outcome] = {}
    for group in groups:
        for k, outcome in _trained_or_kept(group, learners, session):
            found[k] = outcome
            if outcome.problem is not None and not outcome.best_epoch and not may_diverge:
                name = learners[k].name
                raise DivergenceError(f"{name}: {outcome.problem}" if name else outcome.problem)
        if any(found[k].reason == "interrupted" for k in group.members if k in found):
            return TrainedMembers(outcomes=_usable(learners, found), interrupted=True, stacked=stacked)
    return TrainedMembers(outcomes=tuple(found[k] for k in range(len(learners))), stacked=stacked)


def _trained_or_kept(group: Group, learners: Sequence[Learner], session: Session) -> Iterator[tuple[int, Outcome]]:
    """The outcomes of a group, each saved and reported."""
    chosen = {k: learners[k] for k in group.members}
    if not group.way.watches_epochs:
        for k, learner in chosen.items():
            session.snapshot(k, 0, learner.start())
    kept = _kept(chosen, session.store)
    for k, outcome in kept.items():
        session.began(k, partial(copy_of_start, learners[k]), outcome.history)
    outcomes = kept or group.way.fit(chosen, session)
    for k, outcome in outcomes.items():
        usable = outcome.reason != "interrupted" and (outcome.problem is None or outcome.best_epoch)
        if not kept and usable:
            session.store.finish(k, outcome)
        if not group.way.watches_epochs and outcome.reason != "interrupted":
            session.snapshot(k, outcome.best_epoch, outcome.parameters)
        session.tell(TrainingEnded(member=k, outcome=outcome))
        yield k, outcome


def _kept(chosen: Mapping[int, Learner], store: Store) -> dict[int, Outcome]:
    """The outcomes of a group if all of its networks were trained before; else none: a stack is trained as a whole."""
    kept: dict[int, Outcome] = {}
    for k in chosen:
        outcome = store.finished(k)
        if outcome is None:
            return {}
        kept[k] = outcome
    return kept


def _usable(learners: Sequence[Learner], found: Mapping[int, Outcome]) -> tuple[Outcome, ...]:
    """What remains after an interruption: networks with at least one epoch, or else the untrained first."""
    usable = tuple(found[k] for k in sorted(found) if found[k].best_epoch)
    if usable:
        return usable
    return (found[0] if len(learners) == 1 else without_history(learners[0], "interrupted"),)
