"""Training as the estimators need it: one network, several that differ by their seed, or one more epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pellucid.errors import DivergenceError

if TYPE_CHECKING:
    from pellucid.network import Network
    from pellucid.network.optimizer import Optimizer
    from pellucid.network.task import Loss
    from pellucid.training.engine import Engine
    from pellucid.training.history import Epoch
    from pellucid.training.loop import Outcome, Plan, Rows, State

__all__ = ["Way", "one_more_epoch", "train_networks"]

Array = NDArray[Any]

_SMALL_STEP = 30_000  # parameters × rows: NumPy alone is then as fast as loading PyTorch is worth
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
    """Train a network from each of the first weights ``starts``; ``on_epoch`` is told of the first one's epochs.

    Parameters
    ----------
    validation
        The rows that choose the best epoch: one set for all, or one for each network.
    members
        For each network the numbers of the rows in ``train`` that it learns from; without, all.

    Raises
    ------
    DivergenceError
        A network met a loss that is no number in its first epoch.
    """
    from pellucid.training.engine import make_engine
    from pellucid.training.loop import Rows, check_batches, fit
    from pellucid.training.many import fit_many, worth_stacking

    def first_only(k: int, epoch: Epoch) -> None:
        if k == 0:
            on_epoch(epoch)

    held = [validation] * len(starts) if isinstance(validation, Rows) else list(validation)
    parts = [train] * len(starts) if members is None else [train.take(each) for each in members]
    count = min(map(len, parts))
    rows = min(plan.batch_size, count)
    check_batches(way.network, count, plan.batch_size)
    stacked = way.engine in ("auto", "fused") and way.device in ("auto", "cpu", "cuda")
    if len(starts) > 1 and stacked and worth_stacking(way.network, rows):
        from pellucid.engines.fused.stack import StackEngine

        stack = StackEngine(way.network, way.loss, way.optimizer, starts, way.dtype, way.device)
        with _threads_for(way.network, rows):
            found = fit_many(stack, train, held, plan, seeds, members=members, on_epoch=first_only)
        for outcome in found:
            if outcome.problem is not None and not outcome.best_epoch:
                raise DivergenceError(outcome.problem)
        return found
    steps = plan.epochs * math.ceil(count / plan.batch_size)
    outcomes = []
    for k, (start, seed) in enumerate(zip(starts, seeds, strict=True)):
        engine = _engine(way, make_engine, start, small=_is_small(way, rows) and steps <= _FEW_STEPS)
        with _threads_for(way.network, rows):
            heard = on_epoch if k == 0 else lambda epoch: None
            outcomes.append(fit(engine, parts[k], held[k], replace(plan, seed=seed), on_epoch=heard))
    return tuple(outcomes)


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
    memory
        From the last call; ``None`` begins with none.
    epoch
        How many there were before: batches and dropout are drawn by its number.
    """
    from pellucid.training.engine import make_engine
    from pellucid.training.loop import State, fit, fresh

    # Not by the number of rows, which may change from call to call: what a rule remembers stays with its engine.
    engine = _engine(way, make_engine, parameters, small=way.network.n_trainable <= _SMALL_STEP // 16)
    empty = fresh(engine, plan)
    start = State(
        epoch=epoch,
        parameters=dict(parameters),
        memory=dict(engine.memory() if memory is None else memory),
        best_parameters={},
        history=(),
        stopping=empty.stopping,
        plateau=empty.plateau,
    )
    states: list[State] = []
    with _threads_for(way.network, min(plan.batch_size, len(rows))):
        outcome = fit(engine, rows, rows, plan, start=start, save=lambda state: states.append(state()))
    if outcome.problem is not None:
        raise DivergenceError(outcome.problem)
    return states[-1]


def _engine(way: Way, make: Callable[..., Engine], start: Mapping[str, Array], *, small: bool) -> Engine:
    name = "textbook" if way.engine == "auto" and way.device in ("auto", "cpu") and small else way.engine
    device = "cpu" if name == "textbook" else way.device
    return make(name, way.network, way.loss, way.optimizer, start, dtype=way.dtype, device=device)


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
