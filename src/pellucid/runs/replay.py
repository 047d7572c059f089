"""A run trained again, to see its network after each epoch; the same rows, seeds and order give bit-identical weights.

Of an ensemble, network 1 is replayed. If it was trained in a stack with others, the whole stack is trained again,
because the last bits of its sums depend on the networks beside it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError
from pellucid.model.model import Model
from pellucid.preparation.members import members_of, prepare_run
from pellucid.preparation.prepare import Prepared
from pellucid.runs.folder import RunFolder
from pellucid.runs.members import groups_of, learners_of
from pellucid.runs.plan import first_weights, resolved
from pellucid.runs.rows_of_run import location_of_table
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings
from pellucid.training.driver import train_members
from pellucid.training.events import EpochEnded, Event, Listener, Progress, ignore, to_all
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome
from pellucid.training.ways import Alone, Group

__all__ = ["Moment", "Replay", "epochs_to_keep", "replay", "replay_of"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class Moment:
    """The weights of network 1 after an epoch (0: before the first); ``line`` is the epoch's line of the history."""

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
        The largest difference between a weight of the replay and the run's own: 0 where they are bit-identical.
    """

    moments: tuple[Moment, ...]
    epochs: int
    best_epoch: int
    n_networks: int
    difference: float

    @property
    def is_exact(self) -> bool:
        """Whether the replay ended with weights bit-identical to the model file's."""
        return self.difference == 0.0

    @property
    def sentences(self) -> tuple[str, ...]:
        """Which network was replayed, and whether it reached the run's weights."""
        which = f"network 1 of {self.n_networks}" if self.n_networks > 1 else "the network"
        if self.is_exact:
            return (f"replayed {which}, {self.epochs:,} epochs: bit-identical with the run",)
        return (
            f"replayed {which}, {self.epochs:,} epochs: its weights differ from the run's by up to "
            f"{self.difference:.2g}, so the epochs shown are similar to the run's but not the same; the machine, a "
            "library or the table has changed",
        )


def replay(run: str | os.PathLike[str], *, most: int = 40, listener: Listener = ignore) -> Replay:
    """Train a run again from its own config, keeping the weights after some of its epochs.

    Parameters
    ----------
    run
        A run folder; its table is read again from where it was.
    most
        The most moments to keep, at least 2; they lie closer together at the start, where most happens.
    listener
        Called with each event of the training, and with a `Progress` in epochs of network 1.

    Raises
    ------
    SettingError, RunFolderError
        ``run`` is a model file, or its table was in memory.
    DataError
        The table cannot be read, or has changed so that the network would differ.

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
    return replay_of(replace(prepared, settings=resolved(prepared)), model, most=most, listener=listener)


def replay_of(
    prepared: Prepared,
    model: Model,
    *,
    most: int = 40,
    listener: Listener = ignore,
) -> Replay:
    """`replay` of a run in memory.

    Parameters
    ----------
    prepared
        What the run was prepared from, its settings resolved.
    model
        The model that the run came to.
    most, listener
        As in `replay`.

    Raises
    ------
    SettingError
        ``most`` is too small, or the model file does not say how many epochs there were.
    DataError
        The rows give another network than the model's.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise SettingError(f"most must be a whole number of at least 2, got {most!r}")
    if prepared.network != model.network:
        raise DataError(
            "the run cannot be replayed: its table has changed, and the network would differ "
            f"({prepared.network.outline()} instead of {model.network.outline()}); train a new run"
        )
    epochs, best = _epochs_of(model)
    keep = epochs_to_keep(epochs, most, best)
    start = first_weights(prepared, members_of(prepared)[0].seed)
    dtype = next(iter(model.parameters.values())).dtype
    first = {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in start.items()}
    moments = [Moment(epoch=0, parameters=first, line=None)]

    def keep_moments(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.member == 0:
            line = event.epoch
            if line.epoch in keep:
                moments.append(Moment(epoch=line.epoch, parameters=event.weights(), line=line))
            listener(Progress(what="epoch", done=line.epoch, of=epochs))

    ended = _train(prepared, epochs, to_all(listener, keep_moments)).parameters if epochs else first
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
    """The number of epochs of network 1, and the best one, from the model file."""
    facts = model.facts["metrics"]
    try:
        return int(facts["epochs"]), int(facts["best_epoch"])
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(
            "the model file does not say for how many epochs the run was trained, so it cannot be replayed"
        ) from error


def _difference(a: Array, b: Array) -> float:
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0.0))


def _train(prepared: Prepared, epochs: int, listener: Listener) -> Outcome:
    """Train network 1 as the run trained it: alone, or in its stack."""
    members, done = members_of(prepared), 0

    def count(event: Event) -> None:
        nonlocal done
        if isinstance(event, EpochEnded) and event.member == 0:
            done = event.epoch.epoch

    group = groups_of(prepared, members)[0]
    with_it = [members[k] for k in group.members]
    # Where the run was interrupted, its replay stops as well: in the first batch of the epoch that was not finished.
    stops = isinstance(group.way, Alone)
    trained = train_members(
        learners_of(prepared, with_it), [Group(group.way, range(len(with_it)))],
        listener=to_all(count, listener), interrupted=lambda: stops and done >= epochs,
    )  # fmt: skip
    return trained.outcomes[0]
