"""Training for the estimators: one network, several that differ by their seed, or one more epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pellucid.errors import DivergenceError

if TYPE_CHECKING:
    from pellucid.engines.fused.stack import StackEngine
    from pellucid.network import Network
    from pellucid.network.optimizer import Optimizer
    from pellucid.network.task import Loss
    from pellucid.training.engine import Engine
    from pellucid.training.history import Epoch
    from pellucid.training.loop import Outcome, Plan, Rows, State

__all__ = ["Way", "one_more_epoch", "train_networks"]

Array = NDArray[Any]

_SMALL_STEP = 30_000  # parameters × rows: with fewer, loading PyTorch takes longer than it saves
_FEW_STEPS = 20_000


@dataclass(frozen=True, kw_only=True)
class Way:
    """What is trained, by which rule, and where."""

    network: Network
    loss: Loss
    optimizer: Optimizer
    engine: str
    device: str
    dtype: str


def train_networks(
    way: Way,
    train: Rows,
    validation: Rows | Sequence[Rows],
    plan: Plan,
    starts: Sequence[Mapping[str, Array]],
    seeds: Sequence[int],
    on_epoch: Callable[[Epoch], None],
    *,
    members: Sequence[Array] | None = None,
) -> tuple[Outcome, ...]:
    """Train K networks.

    Parameters
    ----------
    way
        What is trained, by which rule, and where.
    train
        The rows to learn from, or out of which ``members`` choose.
    validation
        The rows that choose the best epoch: one set for all, or one for each network.
    plan
        For all; each network has a seed of its own.
    starts, seeds
        The initial weights of each network, and the seeds of its batches and dropout.
    on_epoch
        Called with each line of the first network's history.
    members
        For each network the numbers of the rows in ``train`` that it learns from; ``None``: all.

    Raises
    ------
    DivergenceError
        A network met a non-finite loss in its first epoch.
    """
    from pellucid.training.driver import train_members
    from pellucid.training.events import EpochEnded, Event
    from pellucid.training.loop import Rows, check_batches
    from pellucid.training.many import worth_stacking
    from pellucid.training.ways import Alone, Group, Learner, Stacked

    def first_only(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.member == 0:
            on_epoch(event.epoch)

    held = [validation] * len(starts) if isinstance(validation, Rows) else list(validation)
    count = len(train) if members is None else min(map(len, members))
    rows = min(plan.batch_size, count)
    check_batches(way.network, count, plan.batch_size)
    learners = [
        Learner(
            train=train,
            validation=held[k],
            plan=replace(plan, seed=seed),
            start=partial(dict, start),
            train_rows=None if members is None else members[k],
        )
        for k, (start, seed) in enumerate(zip(starts, seeds, strict=True))
    ]
    numbers, threads = range(len(starts)), partial(_threads_for, way.network, rows)
    stacked = way.engine in ("auto", "fused") and way.device in ("auto", "cpu", "cuda")
    if len(starts) > 1 and stacked and worth_stacking(way.network, rows):
        group = Group(Stacked(partial(_stack, way), around=threads), numbers)
    else:
        small = _is_small(way, rows) and plan.epochs * math.ceil(count / plan.batch_size) <= _FEW_STEPS
        group = Group(Alone(lambda learner: _engine(way, learner.start(), small=small), around=threads), numbers)
    return train_members(learners, [group], listener=first_only).outcomes


def one_more_epoch(
    way: Way,
    rows: Rows,
    plan: Plan,
    parameters: Mapping[str, Array],
    memory: Mapping[str, Array] | None,
    epoch: int,
) -> State:
    """The state after one pass over ``rows``, from these weights and what the update rule remembers.

    Parameters
    ----------
    way
        What is trained, by which rule, and where.
    rows
        The rows to learn from.
    plan
        Its ``epochs`` are one more than ``epoch``.
    parameters
        The weights to go on from.
    memory
        From the last call; ``None`` begins without any.
    epoch
        The number of epochs before, by which batches and dropout are drawn.

    Raises
    ------
    DivergenceError
        The loss was not finite.
    """
    from pellucid.training.driver import train_members
    from pellucid.training.ways import Alone, Group, Learner

    # Not by the number of rows, which may change from call to call: the optimizer's memory stays with its engine.
    small = way.network.n_trainable <= _SMALL_STEP // 16
    learner = Learner(train=rows, validation=rows, plan=plan, start=partial(dict, parameters))
    threads = partial(_threads_for, way.network, min(plan.batch_size, len(rows)))
    alone = Alone(lambda learner: _engine(way, learner.start(), small=small), around=threads)
    store = _Between(parameters, memory, epoch)
    outcome = train_members([learner], [Group(alone, [0])], store=store).outcomes[0]
    if outcome.problem is not None:
        raise DivergenceError(outcome.problem)
    assert store.last is not None
    return store.last


class _Between:
    """The state between two calls, as a store of the driver."""

    def __init__(self, parameters: Mapping[str, Array], memory: Mapping[str, Array] | None, epoch: int) -> None:
        self._parameters, self._memory, self._epoch = parameters, memory, epoch
        self.last: State | None = None

    def finished(self, member: int) -> Outcome | None:
        return None

    def state(self, member: int, engine: Engine, plan: Plan) -> State:
        from pellucid.training.loop import fresh

        memory = engine.memory() if self._memory is None else self._memory
        return replace(fresh(plan), epoch=self._epoch, parameters=dict(self._parameters), memory=dict(memory))

    def save(self, member: int, state: Callable[[], State]) -> None:
        self.last = state()

    def finish(self, member: int, outcome: Outcome) -> None:
        pass


def _engine(way: Way, start: Mapping[str, Array], *, small: bool) -> Engine:
    from pellucid.training.engine import make_engine

    name = "textbook" if way.engine == "auto" and way.device in ("auto", "cpu") and small else way.engine
    device = "cpu" if name == "textbook" else way.device
    return make_engine(name, way.network, way.loss, way.optimizer, start, dtype=way.dtype, device=device)


def _stack(way: Way, starts: Sequence[Mapping[str, Array]]) -> StackEngine:
    from pellucid.engines.fused.stack import StackEngine

    return StackEngine(way.network, way.loss, way.optimizer, starts, way.dtype, way.device)


def _is_small(way: Way, rows: int) -> bool:
    return way.network.n_trainable * rows <= _SMALL_STEP


@contextmanager
def _threads_for(network: Network, rows: int) -> Iterator[None]:
    """One thread for small steps, where several would wait for each other; afterwards as it was before."""
    from pellucid.runs.machine import worth_threads

    if worth_threads(network, rows):
        yield
        return
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1):
        yield
