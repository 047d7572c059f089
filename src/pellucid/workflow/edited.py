"""What is fitted to the training rows, once rows whose label looks wrong were left out, if that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.schema import Schema
from pellucid.data.splits import Split
from pellucid.data.tables import Table
from pellucid.data.target import Target
from pellucid.errors import SettingError
from pellucid.preprocessing.neighbours import NEIGHBOURS, votes_of_neighbours
from pellucid.workflow.fitted import Fitted, fit_to
from pellucid.workflow.settings import Settings

__all__ = ["fit_to_split"]

Array = NDArray[Any]

_AGAINST = 7  # of the ten nearest rows that have one and the same other label


def fit_to_split(
    split: Split, table: Table, schema: Schema, target: Target | None, settings: Settings
) -> tuple[Split, Fitted]:
    """Fit everything to the training rows of a split; with ``edit_labels`` to those whose label may be right.

    Then training and validation rows go of which seven of the ten nearest have one and the same other label (edited
    nearest neighbours, Wilson 1972), in the space that the network sees, and all is fitted anew. Test rows stay.

    Returns
    -------
    The split, with a note on what was left out, and what was fitted.

    Raises
    ------
    DataError, SettingError
        As `fit_to`; ``edit_labels`` where no classes are predicted.
    """
    fitted = fit_to(split.train, table, schema, target, settings)
    if not settings.edit_labels:
        return split, fitted
    if target is None or not fitted.task.is_classification:
        raise SettingError(
            f"edit_labels leaves out rows whose class the rows around them contradict, but this is a "
            f"{fitted.task.kind}: leave it out (--no-edit-labels)"
        )
    edited = _edited(split, fitted, table, target, settings)
    if len(edited.train) == len(split.train):
        return edited, fitted
    return edited, fit_to(edited.train, table, schema, target, settings)


def _edited(split: Split, fitted: Fitted, table: Table, target: Target, settings: Settings) -> Split:
    rows = np.concatenate([split.train, split.validation])
    truth = target.at(rows).astype(np.int64)
    inputs = fitted.recipe.transform(table.take(rows), dtype=np.dtype(settings.dtype))
    votes = votes_of_neighbours(inputs, truth, classes=len(target.classes))
    own = votes[np.arange(len(rows)), truth]
    out = (votes.max(axis=1) >= _AGAINST) & (own < votes.max(axis=1))
    learned = np.arange(len(rows)) < len(split.train)
    for k in np.unique(truth[learned]):  # a class of rows that are far apart stays, for else it could not be learned
        if out[learned & (truth == k)].all():
            out[truth == k] = False
    n_learned, n_held = int(out[learned].sum()), int(out[~learned].sum())
    note = (
        f"{n_learned:,} of {len(split.train):,} training rows and {n_held:,} of {len(split.validation):,} validation "
        f"rows were left out: {_AGAINST} of the {NEIGHBOURS} rows nearest to each, or more, have another label; test "
        "rows keep theirs, so wrong ones among them still count as mistakes"
    )
    return replace(split, train=rows[learned & ~out], validation=rows[~learned & ~out], notes=(*split.notes, note))
