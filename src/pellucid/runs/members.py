"""The networks of a run, one or an ensemble: how they are trained, kept and resumed.

What each learns from is said in `pellucid.preparation.members`.
Small networks are trained together as a stack (`pellucid.training.many.worth_stacking`), others one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.preparation.members import Member, n_learned_from, rows_of
from pellucid.preparation.prepare import Prepared
from pellucid.training.checkpoint import Checkpointer, read_outcome, read_state, write_outcome
from pellucid.training.engine import Engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome, Plan, State, fit
from pellucid.training.many import worth_stacking
from pellucid.training.signals import SnapshotRecorder
from pellucid.training.stacked_loop import fit_many

__all__ = [
    "Keep",
    "TrainedMembers",
    "fit_members",
    "stacks_of",
]

Array = NDArray[Any]
OnEpoch = Callable[[int, Epoch], None]

_AT_ONCE = 8  # networks of a stack: it cannot be saved half-way, so a kill costs the time of these at the most
_WORTH_A_STACK = 4


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Where finished networks and the state of the one in training are kept, and which run they belong to."""

    folder: Path
    fingerprint: str

    def finished(self, k: int) -> Path:
        """The file of network k (from 0) once it is trained."""
        return self.folder / f"network-{k + 1}.safetensors"

    def state(self, k: int) -> Path:
        """The file of network k while it is being trained."""
        return self.folder / f"network-{k + 1}-last.safetensors"


@dataclass(frozen=True, kw_only=True)
class TrainedMembers:
    """The outcomes in order, fewer than asked for after an interruption, and what one network costs.

    ``seconds_of_one`` is the mean training time of a network by itself; for a stack it is taken from an epoch of one
    network, times the mean number of epochs. ``None`` after an interruption.
    """

    outcomes: tuple[Outcome, ...]
    seconds_of_one: float | None = None
    stacked: bool = False
    interrupted: bool = False


class _Stopped(Exception):  # noqa: N818  # no error: the user asked for it
    """Leaves a stack in training."""


def fit_members(
    prepared: Prepared,
    members: Sequence[Member],
    plan: Plan,
    optimizer: Optimizer,
    new_engine: Callable[[int], Engine],
    *,
    keep: Keep | None = None,
    on_epoch: OnEpoch = lambda k, epoch: None,
    interrupted: Callable[[], bool] = lambda: False,
    recorder: SnapshotRecorder | None = None,
) -> TrainedMembers:
    """Train every network, going on from what ``keep`` holds.

    Parameters
    ----------
    prepared
        From `prepare_run`, its settings resolved.
    members
        From `members_of`.
    plan
        For all; each network has a seed of its own.
    new_engine
        Makes the engine of a network from its seed.
    on_epoch
        Is told the network, from 0, and its line of the history.
    recorder
        Looks at the first network; in a stack, which is not to be stopped for it, before and after training only.

    Raises
    ------
    DivergenceError
        A network met a loss that is no number in its first epoch.
    """
    together = stacks_of(prepared, plan, members)
    found: dict[int, Outcome] = {}
    for k in range(len(members)):
        if k in found:
            continue
        stack = together.get(k)
        if stack is None:
            snapshots = recorder if k == 0 else None
            found[k] = _fit_one(prepared, plan, members, k, new_engine, keep, on_epoch, interrupted, snapshots)
        else:
            if recorder is not None and k == 0:
                recorder.look(0, _start(prepared, members[0].seed))
            found |= _fit_stack(prepared, plan, optimizer, members, stack, keep, on_epoch, interrupted)
            if recorder is not None and k == 0 and k in found:
                recorder.look(found[k].best_epoch, found[k].parameters)
        if k not in found or found[k].reason == "interrupted":
            return TrainedMembers(outcomes=_usable(prepared, members, found), interrupted=True, stacked=bool(together))
    outcomes = tuple(found[k] for k in range(len(members)))
    if together:
        alone = _epoch_alone(prepared, plan, members[0], new_engine)
        seconds = [alone * len(outcome.history) for outcome in outcomes]
    else:
        seconds = [sum(epoch.seconds for epoch in outcome.history) for outcome in outcomes]
    return TrainedMembers(outcomes=outcomes, seconds_of_one=sum(seconds) / len(seconds), stacked=bool(together))


def _usable(prepared: Prepared, members: Sequence[Member], found: dict[int, Outcome]) -> tuple[Outcome, ...]:
    """What an interruption leaves: the networks with at least one epoch, or else the first as it was drawn."""
    first = Outcome(parameters=_start(prepared, members[0].seed), history=(), best_epoch=0, reason="interrupted")
    return tuple(found[k] for k in sorted(found) if found[k].best_epoch) or (first,)


def _start(prepared: Prepared, seed: int) -> dict[str, Array]:
    settings = prepared.settings
    return initialise(prepared.network, seed, scheme=settings.init, scale=settings.init_scale)  # type: ignore[arg-type]


def _fit_one(
    prepared: Prepared,
    plan: Plan,
    members: Sequence[Member],
    k: int,
    new_engine: Callable[[int], Engine],
    keep: Keep | None,
    on_epoch: OnEpoch,
    interrupted: Callable[[], bool],
    recorder: SnapshotRecorder | None,
) -> Outcome:
    if keep is not None and keep.finished(k).exists():
        return read_outcome(keep.finished(k), keep.fingerprint, prepared.network)
    engine, plan = new_engine(members[k].seed), replace(plan, seed=members[k].seed)
    start: State | None = None
    save: Callable[[Callable[[], State]], None] = lambda state: None  # noqa: E731
    if keep is not None:
        if keep.state(k).exists():
            start = read_state(keep.state(k), keep.fingerprint, engine, plan)
        save = Checkpointer(keep.state(k), keep.fingerprint)
    train, validation = rows_of(prepared, members[k])
    if recorder is not None:
        recorder.after(0, engine.parameters)

    def told(epoch: Epoch) -> None:
        if recorder is not None:
            recorder.after(epoch.epoch, engine.parameters)
        on_epoch(k, epoch)

    try:
        outcome = fit(
            engine, train, validation, plan,
            start=start, on_epoch=told, save=save, interrupted=interrupted,
        )  # fmt: skip
    except DivergenceError as error:
        raise DivergenceError(f"network {k + 1} of {len(members)} (seed {members[k].seed}): {error}") from error
    if keep is not None and outcome.reason != "interrupted":
        write_outcome(keep.finished(k), outcome, keep.fingerprint)
        keep.state(k).unlink(missing_ok=True)
    return outcome


def stacks_of(prepared: Prepared, plan: Plan, members: Sequence[Member]) -> dict[int, list[int]]:
    """Which networks are trained together: for each of them, all of its stack. Those with equally many rows can be."""
    settings = prepared.settings
    rows = min(plan.batch_size, n_learned_from(prepared))
    fits = settings.engine == "fused" and settings.products == "blas" and settings.reduced_products is None
    if not fits or settings.device not in ("auto", "cpu", "cuda") or not worth_stacking(prepared.network, rows):
        return {}
    counts = [len(prepared.train) if member.train_rows is None else len(member.train_rows) for member in members]
    stacks: dict[int, list[int]] = {}
    for count in dict.fromkeys(counts):
        alike = [k for k, other in enumerate(counts) if other == count]
        for chunk in np.array_split(alike, -(-len(alike) // _AT_ONCE)):
            if len(chunk) >= _WORTH_A_STACK:
                stacks |= {int(k): [int(other) for other in chunk] for k in chunk}
    return stacks


def _fit_stack(
    prepared: Prepared,
    plan: Plan,
    optimizer: Optimizer,
    members: Sequence[Member],
    stack: list[int],
    keep: Keep | None,
    on_epoch: OnEpoch,
    interrupted: Callable[[], bool],
) -> dict[int, Outcome]:
    """The outcomes of the networks of a stack; none after an interruption."""
    if keep is not None and all(keep.finished(k).exists() for k in stack):
        return {k: read_outcome(keep.finished(k), keep.fingerprint, prepared.network) for k in stack}
    from pellucid.engines.fused.stack import StackEngine

    settings, mine = prepared.settings, [members[k] for k in stack]
    starts = [_start(prepared, member.seed) for member in mine]
    engine = StackEngine(prepared.network, prepared.task.loss, optimizer, starts, settings.dtype, settings.device)

    def told(place: int, epoch: Epoch) -> None:
        on_epoch(stack[place], epoch)
        if interrupted():
            raise _Stopped

    validation = [
        prepared.validation.rows if member.validation_rows is None else rows_of(prepared, member)[1] for member in mine
    ]
    rows = (
        None if mine[0].train_rows is None else [member.train_rows for member in mine if member.train_rows is not None]
    )
    seeds = [member.seed for member in mine]
    try:
        outcomes = fit_many(engine, prepared.train.rows, validation, plan, seeds, members=rows, on_epoch=told)
    except _Stopped:
        return {}
    for k, outcome in zip(stack, outcomes, strict=True):
        if outcome.problem is not None and not outcome.best_epoch:
            raise DivergenceError(f"network {k + 1} of {len(members)} (seed {members[k].seed}): {outcome.problem}")
        if keep is not None:
            write_outcome(keep.finished(k), outcome, keep.fingerprint)
    return dict(zip(stack, outcomes, strict=True))


def _epoch_alone(prepared: Prepared, plan: Plan, member: Member, new_engine: Callable[[int], Engine]) -> float:
    """Seconds of an epoch of one network by itself: the second of two, for the first also warms up."""
    seconds: list[float] = []
    train, validation = rows_of(prepared, member)
    few = replace(plan, epochs=2, patience=None, seed=member.seed)
    fit(new_engine(member.seed), train, validation, few, on_epoch=lambda epoch: seconds.append(epoch.seconds))
    return min(seconds)
