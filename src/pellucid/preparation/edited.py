"""Fit everything to the training rows; with ``edit_labels``, leave out rows whose label looks wrong first."""

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
from pellucid.network.task import Task
from pellucid.preparation.fitted import Fitted, fit_to
from pellucid.preprocessing.neighbours import NEIGHBOURS, votes_of_neighbours
from pellucid.settings.settings import Settings

__all__ = ["check_editable", "fit_to_split"]

Array = NDArray[Any]

_AGAINST = 7  # of the ten nearest rows that have one and the same other label


def fit_to_split(
    split: Split, table: Table, schema: Schema, target: Target | None, settings: Settings
) -> tuple[Split, Fitted]:
    """Fit everything to the training rows of a split; with ``edit_labels`` only to those whose label seems right.

    A training or validation row is left out if seven of its ten nearest neighbours share one other label (edited
    nearest neighbours, Wilson 1972), measured on the features that the network sees; then everything is fitted again.
    Test rows stay.

    Parameters
    ----------
    split
        Which rows are training, validation and test rows.
    table, schema
        The table, and what its columns are.
    target
        What is predicted; ``None`` for a reconstruction.
    settings
        Those of the run.

    Returns
    -------
    tuple
        The split, with a note on the rows left out, and what was fitted.

    Raises
    ------
    DataError, SettingError
        As for `fit_to`; or ``edit_labels`` is set and no classes are predicted.
    """
    fitted = fit_to(split.train, table, schema, target, settings)
    if not settings.edit_labels:
        return split, fitted
    check_editable(settings, fitted.task)
    assert target is not None
    edited = _edited(split, fitted, table, target, settings)
    if len(edited.train) == len(split.train):
        return edited, fitted
    return edited, fit_to(edited.train, table, schema, target, settings)


def check_editable(settings: Settings, task: Task) -> None:
    """Raise `SettingError` if ``edit_labels`` is set and no classes are predicted."""
    if settings.edit_labels and not task.is_classification:
        raise SettingError(
            f"edit_labels leaves out rows whose class disagrees with their neighbours, but this is a {task.kind}: "
            "leave it out (--no-edit-labels)"
        )


def _edited(split: Split, fitted: Fitted, table: Table, target: Target, settings: Settings) -> Split:
    rows = np.concatenate([split.train, split.validation])
    truth = target.at(rows).astype(np.int64)
    inputs = fitted.recipe.transform(table, rows=rows, dtype=np.dtype(settings.dtype)).flat
    votes = votes_of_neighbours(inputs, truth, classes=len(target.classes))
    own = votes[np.arange(len(rows)), truth]
    out = (votes.max(axis=1) >= _AGAINST) & (own < votes.max(axis=1))
    learned = np.arange(len(rows)) < len(split.train)
    spared = []
    for k in np.unique(truth[learned]):  # otherwise a class that lies among others would disappear
        mine = truth == k
        if out[learned & mine].mean() > 0.5:
            out[mine] = False
            spared.append(repr(target.classes[k]))
    n_learned, n_held = int(out[learned].sum()), int(out[~learned].sum())
    note = (
        f"{n_learned:,} of {len(split.train):,} training rows and {n_held:,} of {len(split.validation):,} validation "
        f"rows were left out: at least {_AGAINST} of the {NEIGHBOURS} nearest rows of each share another label; the "
        "test rows keep their labels, so wrong labels among them still count as mistakes"
    )
    if spared:
        note += f"; all rows of {', '.join(spared)} are kept, because most of them lie among other classes"
    return replace(split, train=rows[learned & ~out], validation=rows[~learned & ~out], notes=(*split.notes, note))
