"""Listeners that tests hand to a training."""

from __future__ import annotations

from pellucid.training.events import EpochEnded, Event

__all__ = ["StopAfter"]


class StopAfter:
    """Leaves training by an exception in place of the next epoch, as a crash would."""

    def __init__(self, epochs: int, error: type[Exception] = InterruptedError) -> None:
        self.left, self.error = epochs, error

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochEnded):
            self.left -= 1
            if self.left < 0:
                raise self.error
