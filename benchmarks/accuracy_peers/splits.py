"""One split of a table for everybody: 80 % to learn from, 20 % to be measured on, drawn by a seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from accuracy_peers.tables import Kind, Loaded, load

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOST_TEST", "MOST_TRAIN", "Split", "split", "split_of"]

MOST_TRAIN = 5_000  # rows to learn from; of more, so many are drawn
MOST_TEST = 10_000
_FOLDS = 5  # one of them is the test part

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Split:
    """``N`` rows to learn from, ``M`` to be measured on; classes are the numbers from 0, in both parts the same."""

    x_train: pd.DataFrame
    y_train: NDArray[np.int64] | NDArray[np.float64]
    x_test: pd.DataFrame
    y_test: NDArray[np.int64] | NDArray[np.float64]
    groups_test: Rows | None
    task: Kind
    n_classes: int


def split(name: str, data: Path, seed: int) -> Split:
    """A table's split by a seed: the same rows in the same order, whoever asks."""
    return split_of(load(name, data), seed)


def split_of(table: Loaded, seed: int) -> Split:
    """The split of a table in memory, with at most `MOST_TRAIN` and `MOST_TEST` rows by a draw of the same seed."""
    train, test = _parts(table, seed)
    generator = np.random.default_rng(seed)
    train, test = _drawn(train, MOST_TRAIN, generator), _drawn(test, MOST_TEST, generator)
    return Split(
        x_train=table.frame.iloc[train].reset_index(drop=True),
        y_train=table.target[train],
        x_test=table.frame.iloc[test].reset_index(drop=True),
        y_test=table.target[test],
        groups_test=None if table.groups is None else table.groups[test],
        task=table.task,
        n_classes=table.n_classes,
    )


def _parts(table: Loaded, seed: int) -> tuple[Rows, Rows]:
    """All rows in two parts: stratified for classes, groups kept together."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, train_test_split

    rows = np.arange(len(table.target))
    classes = None if table.task == "regression" else table.target
    if table.groups is None:
        train, test = train_test_split(rows, test_size=1 / _FOLDS, random_state=seed, stratify=classes)
        return train, test
    kind = GroupKFold if classes is None else StratifiedGroupKFold
    folds = kind(n_splits=_FOLDS, shuffle=True, random_state=seed)
    train, test = next(iter(folds.split(rows[:, None], table.target, table.groups)))
    generator = np.random.default_rng(seed)  # folds come in the order of the file
    return generator.permutation(train), generator.permutation(test)


def _drawn(rows: Rows, most: int, generator: np.random.Generator) -> Rows:
    return rows if len(rows) <= most else generator.choice(rows, most, replace=False)
