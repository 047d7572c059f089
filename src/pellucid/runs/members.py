"""The networks of a run, one or an ensemble: which are trained together, and what one of them costs.

`pellucid.preparation.members` says what each learns from; `pellucid.training.driver` trains them. Small networks
are trained together as a stack (`pellucid.training.many.worth_stacking`), others one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from pellucid.preparation.members import Member, n_learned_from
from pellucid.preparation.prepare import Prepared
from pellucid.runs.plan import engine_of, first_weights, may_stack, plan_of, stack_of
from pellucid.training.driver import TrainedMembers, train_members
from pellucid.training.engine import Engine
from pellucid.training.events import Listener, ignore
from pellucid.training.loop import fit
from pellucid.training.many import worth_stacking
from pellucid.training.signals import SnapshotRecorder
from pellucid.training.ways import Alone, Group, Learner, Stacked, Store

__all__ = ["TrainedMembers", "fit_members", "groups_of", "learners_of"]

_AT_ONCE = 8  # networks per stack: a stack cannot be saved half-way, so a kill costs at most the time of these
_WORTH_A_STACK = 4

NewEngine = Callable[[int], Engine]


def fit_members(
    prepared: Prepared,
    members: Sequence[Member],
    *,
    new_engine: NewEngine | None = None,
    store: Store | None = None,
    listener: Listener = ignore,
    interrupted: Callable[[], bool] = lambda: False,
    recorder: SnapshotRecorder | None = None,
) -> TrainedMembers:
    """Train every network of a run, continuing from what ``store`` holds.

    Parameters
    ----------
    prepared
        From `prepare_run`, its settings resolved.
    members
        From `members_of`.
    new_engine
        Makes the engine of a network from its seed; by default the one from the settings.
    store, listener, interrupted, recorder
        As of `pellucid.training.driver.train_members`.

    Returns
    -------
    TrainedMembers
        With the seconds of one network, unless interrupted: the time it took or, for a stack, the time of one epoch of
        one network times the mean number of epochs.

    Raises
    ------
    DivergenceError
        A network's loss was not finite in its first epoch.

    >>> from pellucid.preparation.members import members_of, prepare_run
    >>> from pellucid.runs.plan import resolved
    >>> from pellucid.settings.settings import Settings
    >>> prepared = prepare_run("iris", Settings(target="species", hidden=(4,), epochs=3, n_networks=2))
    >>> prepared = replace(prepared, settings=resolved(prepared))
    >>> trained = fit_members(prepared, members_of(prepared))
    >>> [len(outcome.history) for outcome in trained.outcomes]
    [3, 3]
    """
    make = partial(engine_of, prepared) if new_engine is None else new_engine
    learners = learners_of(prepared, members)
    trained = train_members(
        learners, groups_of(prepared, members, make),
        store=store, listener=listener, interrupted=interrupted, recorder=recorder,
    )  # fmt: skip
    if trained.interrupted:
        return trained
    if trained.stacked:
        alone = _epoch_alone(learners[0], make)
        seconds = [alone * len(outcome.history) for outcome in trained.outcomes]
    else:
        seconds = [sum(epoch.seconds for epoch in outcome.history) for outcome in trained.outcomes]
    return replace(trained, seconds_of_one=sum(seconds) / len(seconds))


def learners_of(prepared: Prepared, members: Sequence[Member]) -> tuple[Learner, ...]:
    """The networks of a run, as the driver trains them."""
    plan, many = plan_of(prepared.settings), len(members)
    return tuple(
        Learner(
            train=prepared.train.rows,
            validation=prepared.validation.rows,
            plan=replace(plan, seed=member.seed),
            start=partial(first_weights, prepared, member.seed),
            train_rows=member.train_rows,
            validation_rows=member.validation_rows,
            name=f"network {k} of {many} (seed {member.seed})" if many > 1 else "",
        )
        for k, member in enumerate(members, start=1)
    )


def groups_of(prepared: Prepared, members: Sequence[Member], new_engine: NewEngine | None = None) -> list[Group]:
    """Which networks are trained together and which alone, ordered by the first of each group."""
    make = partial(engine_of, prepared) if new_engine is None else new_engine
    alone, stacked = Alone(lambda learner: make(learner.plan.seed)), Stacked(partial(stack_of, prepared))
    stacks = _stacks(prepared, members)
    groups: dict[int, Group] = {}
    for k in range(len(members)):
        chosen = stacks.get(k)
        first = k if chosen is None else chosen[0]
        groups.setdefault(first, Group(alone, [k]) if chosen is None else Group(stacked, chosen))
    return list(groups.values())


def _stacks(prepared: Prepared, members: Sequence[Member]) -> dict[int, list[int]]:
    """For each network trained with others, its whole stack: networks with the same number of rows can share one."""
    rows = min(plan_of(prepared.settings).batch_size, n_learned_from(prepared))
    if not may_stack(prepared.settings) or not worth_stacking(prepared.network, rows):
        return {}
    counts = [len(prepared.train) if member.train_rows is None else len(member.train_rows) for member in members]
    stacks: dict[int, list[int]] = {}
    for count in dict.fromkeys(counts):
        alike = [k for k, other in enumerate(counts) if other == count]
        for chunk in np.array_split(alike, -(-len(alike) // _AT_ONCE)):
            if len(chunk) >= _WORTH_A_STACK:
                stacks |= {int(k): [int(other) for other in chunk] for k in chunk}
    return stacks


def _epoch_alone(learner: Learner, new_engine: NewEngine) -> float:
    """Seconds of one epoch of a single network: the second of two, because the first also warms up."""
    few = replace(learner.plan, epochs=2, patience=None)
    outcome = fit(new_engine(few.seed), learner.learns_from(), learner.chooses_by(), few)
    return min(epoch.seconds for epoch in outcome.history)
