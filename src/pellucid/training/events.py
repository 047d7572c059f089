"""What happens while networks train, as one stream of frozen values that any number of listeners receive.

For each network the stream holds `TrainingBegan`, an `EpochEnded` after each epoch, and `TrainingEnded`, each once and
in this order; `SnapshotTaken` follows the beginning or the epoch that it belongs to. The events of networks that are
trained together are interleaved. Other rooms add events of their own (`pellucid.runs.events`), so a listener ignores
those that it does not know.

Listeners are called one after another, on the training thread, between two epochs, so a slow listener delays training.
An exception from a listener ends training and reaches the caller; what was saved until then is kept, and
`pellucid.resume` continues from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome
from pellucid.training.signals import Snapshot

__all__ = [
    "EpochEnded",
    "Event",
    "Listener",
    "Progress",
    "SnapshotTaken",
    "TrainingBegan",
    "TrainingEnded",
    "Weights",
    "counting",
    "ignore",
    "to_all",
]

Weights = Callable[[], dict[str, NDArray[Any]]]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened."""


Listener = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class TrainingBegan(Event):
    """A network begins to train, or continues after a stop.

    Attributes
    ----------
    member
        The number of the network, from 0.
    history
        The epochs done before the stop; empty for a network that begins. Their `EpochEnded` are not repeated.
    weights
        Returns a copy of the initial weights; to be called before the listener returns.
    """

    member: int
    history: tuple[Epoch, ...] = ()
    weights: Weights = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class EpochEnded(Event):
    """A network has finished an epoch and was validated.

    Attributes
    ----------
    member
        The number of the network, from 0.
    epoch
        The line of its history.
    weights
        Returns a copy of its weights after this epoch; to be called before the listener returns.
    """

    member: int
    epoch: Epoch
    weights: Weights = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class SnapshotTaken(Event):
    """A snapshot of the layers of a network was taken, for the doctor."""

    member: int
    snapshot: Snapshot


@dataclass(frozen=True, kw_only=True)
class TrainingEnded(Event):
    """The training of a network has ended, perhaps by an interruption or a divergence; its outcome is saved.

    Of a stack that is interrupted nothing is kept: the outcomes of its networks have no history.
    """

    member: int
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """How many of how many are done; ``what`` says of what, such as ``"epoch"``."""

    what: str
    done: int
    of: int


def ignore(event: Event) -> None:
    """Ignore every event."""


def to_all(*listeners: Listener | None) -> Listener:
    """One listener that passes every event on to each of these, in order.

    >>> heard: list[Event] = []
    >>> to_all(heard.append, None, heard.append)(Progress(what="epoch", done=1, of=2))
    >>> len(heard)
    2
    """
    present = [each for each in listeners if each is not None]

    def tell(event: Event) -> None:
        for listener in present:
            listener(event)

    return tell


def counting(listener: Listener, what: str, *, of: int, before: int = 0) -> Listener:
    """A listener that passes events on, and adds a `Progress` after each network that has ended.

    Parameters
    ----------
    listener
        Receives the events.
    what
        What is counted, such as ``"seed"``.
    of
        How many there are in all.
    before
        How many were done before.

    >>> heard: list[Event] = []
    >>> count = counting(heard.append, "seed", of=5)
    >>> count(TrainingEnded(member=0, outcome=Outcome(parameters={}, history=(), best_epoch=0, reason="interrupted")))
    >>> heard[-1]
    Progress(what='seed', done=1, of=5)
    """
    done = before

    def tell(event: Event) -> None:
        nonlocal done
        listener(event)
        if isinstance(event, TrainingEnded):
            done += 1
            listener(Progress(what=what, done=done, of=of))

    return tell
