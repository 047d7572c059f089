"""When to stop, and which epoch was the best."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["EarlyStopping"]


@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """Keeps the best validation loss and counts the epochs since then (Prechelt 1998).

    >>> stopping = EarlyStopping(patience=2)
    >>> for epoch, loss in enumerate([0.9, 0.5, 0.6, 0.7]):
    ...     stopping = stopping.after(epoch, loss)
    >>> stopping.best_epoch, stopping.best_loss, stopping.is_over
    (1, 0.5, True)
    """

    patience: int | None
    best_epoch: int = -1
    best_loss: float = math.inf
    waited: int = 0

    def after(self, epoch: int, loss: float) -> EarlyStopping:
        """The state after an epoch with this validation loss."""
        if loss < self.best_loss:
            return EarlyStopping(patience=self.patience, best_epoch=epoch, best_loss=loss)
        return EarlyStopping(
            patience=self.patience,
            best_epoch=self.best_epoch,
            best_loss=self.best_loss,
            waited=self.waited + 1,
        )

    @property
    def is_over(self) -> bool:
        """Whether ``patience`` epochs have passed without a better loss (never, if patience is ``None``)."""
        return self.patience is not None and self.waited >= self.patience
