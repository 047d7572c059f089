"""The events of a run around those of training: what was prepared, and what came of all networks."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.preparation.prepare import Prepared
from pellucid.training.driver import TrainedMembers
from pellucid.training.engine import Engine
from pellucid.training.events import Event
from pellucid.training.loop import Plan

__all__ = ["RunPrepared", "RunTrained"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RunPrepared(Event):
    """The rows are read and the network is built; training comes next.

    Attributes
    ----------
    resumed_after
        The epochs that a run of one network finished before it was stopped; ``None`` for a new run.
    """

    prepared: Prepared
    engine: Engine
    plan: Plan
    resumed_after: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunTrained(Event):
    """All networks are trained, or were interrupted; the comparison with simpler models comes next."""

    trained: TrainedMembers
