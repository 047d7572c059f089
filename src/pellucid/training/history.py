"""The history of a training: one line an epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

__all__ = ["Epoch", "to_csv"]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of ``history.csv``.

    Attributes
    ----------
    epoch
        Counted from 1.
    learning_rate
        That of the epoch's last step.
    train_loss
        The mean loss of the epoch's batches, each before its update, with dropout active.
    validation_loss
        The loss of the validation rows after the epoch; of the training rows if there are no validation rows.
    validation_score
        Accuracy on those rows, or R² for regression.
    seconds
        Wall-clock time of the epoch.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float
    validation_score: float
    seconds: float


def to_csv(history: Sequence[Epoch]) -> str:
    """The history as CSV with a header.

    >>> print(to_csv([Epoch(epoch=1, learning_rate=0.1, train_loss=1.0, validation_loss=2.0,
    ...                     validation_score=0.5, seconds=0.25)]).strip())
    epoch,learning_rate,train_loss,validation_loss,validation_score,seconds
    1,0.1,1.0,2.0,0.5,0.25
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in history)
    return text.getvalue()
