"""Many independent trainings of one setting, as stacks where that is faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from pellucid.preparation.prepare import Prepared
from pellucid.runs.plan import engine_of, first_weights, may_stack, plan_of, stack_of
from pellucid.training.driver import train_members
from pellucid.training.events import Listener, ignore
from pellucid.training.loop import Outcome
from pellucid.training.many import worth_stacking
from pellucid.training.ways import Alone, Group, Learner, Stacked

__all__ = ["Job", "most_in_memory", "train_jobs"]

_WORTH_A_STACK, _AT_ONCE = 4, 25
_CELLS = 20_000_000  # inputs of all rows of a stack


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A training: its rows and its network, and the seed of initial weights, batches and dropout."""

    prepared: Prepared
    seed: int


def train_jobs(jobs: Sequence[Job], listener: Listener = ignore) -> tuple[Outcome, ...]:
    """The outcome of each training, in order; a training that diverges has an outcome with a ``problem``."""
    learners = [
        Learner(
            train=job.prepared.train.rows,
            validation=job.prepared.validation.rows,
            plan=replace(plan_of(job.prepared.settings), seed=job.seed),
            start=partial(first_weights, job.prepared, job.seed),
        )
        for job in jobs
    ]
    groups = [_group(jobs, numbers) for numbers in _together(jobs)]
    return train_members(learners, groups, listener=listener, may_diverge=True).outcomes


def _group(jobs: Sequence[Job], numbers: Sequence[int]) -> Group:
    prepared = jobs[numbers[0]].prepared
    if len(numbers) == 1:
        return Group(Alone(lambda learner: engine_of(prepared, learner.plan.seed)), numbers)
    return Group(Stacked(partial(stack_of, prepared)), numbers)


def _together(jobs: Sequence[Job]) -> list[list[int]]:
    """The numbers of the jobs that are trained together, or one by one.

    The jobs of a stack have the same network and the same number of rows.
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
    batch_size = min(plan_of(prepared.settings).batch_size, len(prepared.train))
    if not may_stack(prepared.settings) or not worth_stacking(prepared.network, batch_size):
        return 1
    if all(job.prepared is prepared for job in jobs):
        return _AT_ONCE
    return most_in_memory(prepared)


def most_in_memory(prepared: Prepared) -> int:
    """How many trainings, each with its own rows (as many as these), fit into memory at once: 1 to 25."""
    return max(1, min(_AT_ONCE, _CELLS // max(1, prepared.train.inputs.size)))
