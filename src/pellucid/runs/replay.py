"""A run trained anew, to see what its network was at each epoch: the same rows, seeds and order come to the same bits.

Of an ensemble, network 1 is replayed. Where it was trained in a stack with others, the whole stack is trained again:
the last bits of its sums depend on what stands beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError
from pellucid.model.model import Model
from pellucid.network.initialise import initialise
from pellucid.preparation.members import Member, members_of, prepare_run, rows_of
from pellucid.preparation.prepare import Prepared
from pellucid.runs.folder import RunFolder
from pellucid.runs.members import stacks_of
from pellucid.runs.plan import engine_of, optimizer_of, plan_of, resolved
from pellucid.runs.rows_of_run import location_of_table
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome, fit
from pellucid.training.stacked_loop import fit_many

if TYPE_CHECKING:
    from pellucid.engines.fused.stack import StackEngine

__all__ = ["Moment", "Replay", "epochs_to_keep", "replay", "replay_of"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]
Seen = Callable[[Epoch, Callable[[], dict[str, Array]]], None]  # a line of the history, and how to copy the weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Moment:
    """The weights of network 1 after an epoch, 0 before the first; ``line`` is the epoch's line of the history."""

    epoch: int
    parameters: Parameters
    line: Epoch | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """A run's training once more.

    Attributes
    ----------
    moments
        Some of the epochs in order, the first, the last and the best among them.
    epochs, best_epoch
        How many there were, and the one whose weights the run kept.
    n_networks
        Of the run; network 1 was replayed.
    difference
        The largest difference between a weight that the replay ended with and the run's own: 0 where they are equal
        bit by bit.
    """

    moments: tuple[Moment, ...]
    epochs: int
    best_epoch: int
    n_networks: int
    difference: float

    @property
    def is_exact(self) -> bool:
        """Whether the replay ended with the weights of the model file, bit by bit."""
        return self.difference == 0.0

    @property
    def sentences(self) -> tuple[str, ...]:
        """Which network was replayed, and whether it came to the weights that it has."""
        which = f"network 1 of {self.n_networks}" if self.n_networks > 1 else "the network"
        if self.is_exact:
            return (f"replayed {which}, {self.epochs:,} epochs: it ended with the run's weights, bit by bit",)
        return (
            f"replayed {which}, {self.epochs:,} epochs: its weights differ from the run's by up to "
            f"{self.difference:.2g}, so what is seen on the way is like what was, not the same; the machine, a library "
            "or the table is another one",
        )


def replay(
    run: str | os.PathLike[str], *, most: int = 40, watcher: Callable[[int, int], None] = lambda epoch, of: None
) -> Replay:
    """Train a run anew from its own config, keeping the weights after some of its epochs.

    Parameters
    ----------
    run
        A run folder; its table is read again from where it was.
    most
        How many moments are kept at most, 2 or more; closer together at the start, where most happens.
    watcher
        Is told the epoch of network 1 that is done, and of how many.

    Raises
    ------
    SettingError, RunFolderError
        ``run`` is a model file, or its table was in memory.
    DataError
        The table cannot be read, or has changed so that another network would come of it.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=5, verdict=False, out=folder)
    >>> found = replay(folder)
    >>> [moment.epoch for moment in found.moments], found.is_exact
    ([0, 1, 2, 3, 4, 5], True)
    """
    source = location_of_table(run)
    model = Model.read(run)
    settings, _ = read_config(RunFolder.existing(run).file("config"))
    prepared = prepare_run(source, Settings.of(settings))
    return replay_of(replace(prepared, settings=resolved(prepared)), model, most=most, watcher=watcher)


def replay_of(
    prepared: Prepared,
    model: Model,
    *,
    most: int = 40,
    watcher: Callable[[int, int], None] = lambda epoch, of: None,
) -> Replay:
    """`replay` of a run in memory: what it was prepared from, its settings resolved, and the model that it came to."""
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise SettingError(f"most must be a whole number of at least 2, got {most!r}")
    if prepared.network != model.network:
        raise DataError(
            "the run cannot be replayed: its table is not what it was, and another network would come of it "
            f"({prepared.network.inputs:,} inputs in place of {model.network.inputs:,}, say); train anew"
        )
    epochs, best = _epochs_of(model)
    keep = epochs_to_keep(epochs, most, best)
    member = members_of(prepared)[0]
    start = initialise(
        prepared.network, member.seed,
        scheme=prepared.settings.init, scale=prepared.settings.init_scale,  # type: ignore[arg-type]
    )  # fmt: skip
    dtype = next(iter(model.parameters.values())).dtype
    first = {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in start.items()}
    moments = [Moment(epoch=0, parameters=first, line=None)]

    def seen(line: Epoch, parameters: Callable[[], dict[str, Array]]) -> None:
        watcher(line.epoch, epochs)
        if line.epoch in keep:
            moments.append(Moment(epoch=line.epoch, parameters=parameters(), line=line))

    ended = _train(prepared, epochs, seen).parameters if epochs else first
    return Replay(
        moments=tuple(moments),
        epochs=epochs,
        best_epoch=best,
        n_networks=len(model.members),
        difference=max(_difference(ended[name], model.parameters[name]) for name in model.parameters),
    )


def epochs_to_keep(epochs: int, most: int, best: int) -> frozenset[int]:
    """Which epochs from 0 to ``epochs`` are kept: at most ``most``, with 0, the best and the last among them.

    >>> sorted(epochs_to_keep(5, 40, 3)), sorted(epochs_to_keep(100, 6, 90))
    ([0, 1, 2, 3, 4, 5], [0, 6, 25, 56, 90, 100])
    """
    if epochs < most:
        return frozenset(range(epochs + 1))
    wanted = {0, min(best, epochs), epochs}
    free = most - len(wanted)
    kept = {round(epochs * ((k + 1) / (free + 1)) ** 2) for k in range(free)}
    return frozenset(wanted | kept)


def _epochs_of(model: Model) -> tuple[int, int]:
    """How many epochs network 1 was trained for, and the best: as the model file says."""
    facts = model.facts["metrics"]
    try:
        return int(facts["epochs"]), int(facts["best_epoch"])
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(
            "the model file does not say how many epochs it was trained, so it cannot be replayed"
        ) from error


def _difference(a: Array, b: Array) -> float:
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0.0))


# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────


def _train(prepared: Prepared, epochs: int, seen: Seen) -> Outcome:
    """Network 1 by the way that the run took: alone, or in its stack."""
    members, plan = members_of(prepared), plan_of(prepared.settings)
    stack = stacks_of(prepared, plan, members).get(0) if len(members) > 1 else None
    if stack is not None:
        return _in_its_stack(prepared, [members[k] for k in stack], seen)
    engine = engine_of(prepared, members[0].seed)
    train, validation = rows_of(prepared, members[0])
    done = 0

    def on_epoch(line: Epoch) -> None:
        nonlocal done
        done = line.epoch
        seen(line, engine.parameters)

    # Where the run was interrupted, its replay is, too: in the first batch of the epoch that it did not finish.
    return fit(
        engine, train, validation, replace(plan, seed=members[0].seed),
        on_epoch=on_epoch, interrupted=lambda: done >= epochs,
    )  # fmt: skip


def _in_its_stack(prepared: Prepared, members: list[Member], seen: Seen) -> Outcome:
    from pellucid.engines.fused.stack import StackEngine

    settings = prepared.settings
    starts = [
        initialise(prepared.network, member.seed, scheme=settings.init, scale=settings.init_scale)  # type: ignore[arg-type]
        for member in members
    ]
    engine = StackEngine(
        prepared.network, prepared.task.loss, optimizer_of(settings), starts, settings.dtype, settings.device
    )
    first = _First(engine)

    def on_epoch(place: int, line: Epoch) -> None:
        if place == 0:
            seen(line, first.parameters)

    outcomes = fit_many(
        cast("StackEngine", first),
        prepared.train.rows,
        [rows_of(prepared, member)[1] for member in members],
        plan_of(settings),
        [member.seed for member in members],
        members=None
        if members[0].train_rows is None
        else [member.train_rows for member in members if member.train_rows is not None],
        on_epoch=on_epoch,
    )
    return outcomes[0]


class _First:
    """A stack that knows where its first network is, after others or it have left: all else is the stack's own."""

    def __init__(self, stack: StackEngine, newest: list[tuple[StackEngine, int]] | None = None) -> None:
        self._stack = stack
        self._newest = [(stack, 0)] if newest is None else newest  # the stack of the first network, its place there

    def only(self, places: list[int]) -> _First:
        """The stack of some of its networks."""
        part = self._stack.subset(places)
        stack, place = self._newest[-1]
        if stack is self._stack and place in places:
            self._newest.append((part, places.index(place)))
        return _First(part, self._newest)

    def parameters(self) -> dict[str, Array]:
        """The weights of the first network, as they are now."""
        stack, place = self._newest[-1]
        return stack.parameters_of(place)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stack, name)
