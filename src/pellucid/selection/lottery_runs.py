"""Many independent trainings of one setting, as stacks where that is faster.

Legend: K trainings of a stack, N training rows of each, I inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError
from pellucid.network.initialise import initialise
from pellucid.preparation.prepare import Prepared
from pellucid.runs.plan import engine_of, optimizer_of, plan_of
from pellucid.training.loop import Outcome, Plan, Rows, fit
from pellucid.training.many import worth_stacking
from pellucid.training.stacked_loop import fit_many

__all__ = ["Job", "most_in_memory", "train_jobs"]

Array = NDArray[Any]

_WORTH_A_STACK, _AT_ONCE = 4, 25
_CELLS = 20_000_000  # inputs of all rows of a stack


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A training: its rows and its description, and the seed of first weights, batches and dropout."""

    prepared: Prepared
    seed: int


def train_jobs(jobs: Sequence[Job], done: Callable[[int], None]) -> tuple[Outcome, ...]:
    """The outcome of each training, in order; one that diverges ends as an outcome with a ``problem``.

    ``done`` is told how many have come to their end.
    """
    found: dict[int, Outcome] = {}
    for group in _groups(jobs):
        mine = [jobs[k] for k in group]
        outcomes = _stacked(mine) if len(group) >= _WORTH_A_STACK else [_alone(job) for job in mine]
        found |= dict(zip(group, outcomes, strict=True))
        done(len(found))
    return tuple(found[k] for k in range(len(jobs)))


def _groups(jobs: Sequence[Job]) -> list[list[int]]:
    """The numbers of the jobs that are trained together, or one by one.

    A stack takes jobs with one description and equally many rows; those on different rows are laid out one after
    another in a table of all.
    """
    alike: dict[Any, list[int]] = {}
    for k, job in enumerate(jobs):
        prepared = job.prepared
        alike.setdefault((prepared.network, repr(prepared.task.loss), len(prepared.train)), []).append(k)
    groups: list[list[int]] = []
    for numbers in alike.values():
        at_once = _most_at_once([jobs[k] for k in numbers])
        if at_once < _WORTH_A_STACK:
            groups += [[k] for k in numbers]
        else:
            chunks = np.array_split(numbers, -(-len(numbers) // at_once))
            groups += [[int(k) for k in chunk] for chunk in chunks]
    return [part for group in groups for part in ([group] if len(group) >= _WORTH_A_STACK else [[k] for k in group])]


def _most_at_once(jobs: Sequence[Job]) -> int:
    prepared = jobs[0].prepared
    settings, plan = prepared.settings, plan_of(prepared.settings)
    fits = settings.engine == "fused" and settings.products == "blas" and settings.reduced_products is None
    fits = fits and settings.device in ("auto", "cpu", "cuda")
    if not fits or not worth_stacking(prepared.network, min(plan.batch_size, len(prepared.train))):
        return 1
    if _share_rows(jobs):
        return _AT_ONCE
    return most_in_memory(prepared)


def most_in_memory(prepared: Prepared) -> int:
    """How many trainings on rows of their own, each as many as these, may be held at once: 1 to 25."""
    return max(1, min(_AT_ONCE, _CELLS // max(1, prepared.train.inputs.size)))


def _share_rows(jobs: Sequence[Job]) -> bool:
    return all(job.prepared is jobs[0].prepared for job in jobs)


def _plan_of(job: Job) -> Plan:
    return replace(plan_of(job.prepared.settings), seed=job.seed)


def _alone(job: Job) -> Outcome:
    try:
        return fit(
            engine_of(job.prepared, job.seed), job.prepared.train.rows, job.prepared.validation.rows, _plan_of(job)
        )
    except DivergenceError as error:
        start = _start(job)
        return Outcome(parameters=start, history=(), best_epoch=0, reason="diverged", problem=str(error))


def _start(job: Job) -> dict[str, Array]:
    settings = job.prepared.settings
    return initialise(job.prepared.network, job.seed, scheme=settings.init, scale=settings.init_scale)  # type: ignore[arg-type]


def _weights(rows: Rows) -> Array:
    return np.ones(len(rows)) if rows.weights is None else rows.weights


def _stacked(jobs: Sequence[Job]) -> tuple[Outcome, ...]:
    from pellucid.engines.device import use_threads
    from pellucid.engines.fused.stack import StackEngine

    first = jobs[0].prepared
    settings = first.settings
    assert settings.threads is not None
    use_threads(settings.threads)
    starts = [_start(job) for job in jobs]
    stack = StackEngine(first.network, first.task.loss, optimizer_of(settings), starts, settings.dtype, settings.device)
    seeds, plan = [job.seed for job in jobs], plan_of(settings)
    if _share_rows(jobs):
        return fit_many(stack, first.train.rows, first.validation.rows, plan, seeds)
    count = len(first.train)
    every = Rows(
        inputs=np.concatenate([job.prepared.train.inputs for job in jobs]),
        targets=np.concatenate([job.prepared.train.targets for job in jobs]),
        weights=None
        if first.train.weights is None
        else np.concatenate([_weights(job.prepared.train.rows) for job in jobs]),
    )
    members = [np.arange(k * count, (k + 1) * count) for k in range(len(jobs))]
    validation = [job.prepared.validation.rows for job in jobs]
    return fit_many(stack, every, validation, plan, seeds, members=members)
