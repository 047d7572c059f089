"""The rows of a table cut into folds, on which settings are compared.

The test part is the one that `pellucid.train` would take with the same seed. It stays out of every fold, so that the
setting chosen by the folds can be measured on it once. The other rows are cut into K folds. Each fold is held out once;
of the remaining rows, some are validation rows, as in any training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.splits import Split
from pellucid.data.target import Target
from pellucid.errors import DataError, SettingError
from pellucid.preparation.augmenting import with_augmentation
from pellucid.preparation.division import split_of
from pellucid.preparation.edited import check_editable, fit_to_split
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.preparation.rows import EvaluationRows, PreparedRows
from pellucid.preparation.weights import weights_of
from pellucid.preprocessing.features import Features
from pellucid.settings.settings import Settings

__all__ = [
    "ROW_SETTINGS",
    "Folds",
    "blocks_of",
    "cut_folds",
    "notes_on_rare_classes",
    "prepare_fold",
    "usual_ensemble",
    "with_split",
]

Array = NDArray[Any]

_FEWEST = 5  # rows a fold
_FEWEST_IN_ALL = 20
_MOST = 100  # folds

# What decides which rows and columns there are and how they are split: the same for all that share the folds.
ROW_SETTINGS = (
    "target", "task", "test_data", "image_size", "image_channels", "header", "separator", "encoding", "missing",
    "numeric", "categorical", "boolean", "date", "text", "decimal", "thousands", "day_first", "drop", "keep",
    "validation", "test", "group", "time", "seed", "max_unpacked", "sample_weight", "header_row", "names", "comment",
    "trim", "sheet", "table", "skip_unreadable", "series", "series_id", "series_time",
    "forecast", "horizon", "window", "season", "known",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Folds:
    """A table whose rows are cut into folds.

    Parameters
    ----------
    base
        The table as `pellucid.preparation.prepare.prepare` leaves it, with the test part that no fold holds.
    splits
        For each fold the rows to learn from, those that choose the best epoch, and as ``test`` the fold itself.
    how
        A few words: stratified, by group, by time, at random.
    notes
        Sentences for the user.
    """

    base: Prepared
    splits: tuple[Split, ...]
    how: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many folds there are."""
        return len(self.splits)

    @property
    def size_ratio(self) -> float:
        """Rows held out for each row that is used to train or to choose the best epoch, on average over the folds."""
        return float(np.mean([len(s.test) / (len(s.train) + len(s.validation)) for s in self.splits]))


def cut_folds(data: object, settings: Settings, *, folds: int = 5) -> Folds:
    """Read ``data``, set its test part aside and cut the other rows into ``folds``.

    Equal rows, rows of one group and of one moment stay together; classes are spread evenly. With a time column the
    window expands: the other rows are cut into ``folds + 1`` blocks in the order of time, and each block but the first
    is a fold that is predicted from the blocks before it.

    Raises
    ------
    SettingError
        ``folds`` is not a whole number from 2 to 100.
    DataError
        There are too few rows, groups, moments or rows of a class for so many folds.

    >>> cut = cut_folds("iris", Settings(target="species"), folds=4)
    >>> len(cut), sum(len(split.test) for split in cut.splits), len(cut.base.measured.rows)
    (4, 120, 30)
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= _MOST:
        raise SettingError(f"folds must be a whole number from 2 to {_MOST}, got {folds!r}; 5 and 10 are usual")
    base = prepare(data, replace(settings, edit_labels=False))  # each fold leaves out rows of its own
    base = replace(base, settings=replace(base.settings, edit_labels=settings.edit_labels))
    check_editable(settings, base.task)
    rows = np.sort(np.concatenate([base.split.train, base.split.validation]))
    needed = max(_FEWEST * folds, _FEWEST_IN_ALL)
    if len(rows) < needed:
        raise DataError(
            f"there are {len(rows):,} rows outside the test part, and {folds} folds need {needed:,}: use fewer folds, "
            "or pass --test 0"
        )
    try:
        splits, how = _cut(base, rows, folds)
    except DataError as error:
        raise DataError(f"the rows cannot be cut into {folds} folds ({error}); use fewer folds") from error
    return Folds(
        base=base,
        splits=splits,
        how=f"{folds} folds, {how}",
        notes=(*base.notes, *notes_on_rare_classes(base.target, rows, folds)),
    )


def prepare_fold(folds: Folds, fold: int, settings: Settings) -> Prepared:
    """The rows of a fold (counted from 0), prepared: everything that is fitted is fitted on its training rows.

    The fold's own rows are the ``measured`` ones. With ``ensemble="folds"`` each network chooses its best epoch on rows
    of its own, so there are no validation rows: all other rows are training rows.
    """
    split = folds.splits[fold]
    settings = replace(settings, ensemble=usual_ensemble(settings, len(split.train) + len(split.validation)))
    if settings.ensemble == "folds":
        together = np.sort(np.concatenate([split.train, split.validation]))
        split = replace(split, train=together, validation=together[:0])
    return with_split(replace(folds.base, settings=settings), split)


def usual_ensemble(settings: Settings, n_rows: int | None = None) -> str:
    """What ``ensemble="auto"`` stands for: ``folds`` if several networks can each have one, else ``seeds``.

    >>> usual_ensemble(Settings(n_networks=4, ensemble="auto")), usual_ensemble(Settings(ensemble="auto"))
    ('folds', 'seeds')
    """
    if settings.ensemble != "auto":
        return settings.ensemble
    enough = n_rows is None or n_rows >= _FEWEST * settings.n_networks
    return "folds" if enough and settings.time is None and 2 <= settings.n_networks <= _MOST else "seeds"


def with_split(base: Prepared, split: Split) -> Prepared:
    """``base`` as `prepare` would have made it with this split."""
    settings, table, target = base.settings, base.table, base.target
    split, fitted = fit_to_split(split, table, base.schema, target, settings)

    def encoded(rows: Array) -> Features:
        return fitted.recipe.transform(table, rows=rows, dtype=np.dtype(settings.dtype))

    weights = weights_of(table, settings)

    def seen(rows: Array) -> PreparedRows:
        return fitted.rows(encoded(rows), None if target is None else target.at(rows)).weighted(weights, rows)

    train = seen(split.train)
    asked = encoded(split.test)
    truth = asked.flat if target is None else target.at(split.test)
    return replace(
        base,
        settings=fitted.settings,
        split=split,
        recipe=fitted.recipe,
        scaler=fitted.scaler,
        task=fitted.task,
        network=fitted.network,
        train=with_augmentation(train, fitted.settings, fitted.task),
        validation=seen(split.validation) if len(split.validation) else train,
        measured=EvaluationRows(
            name="test",
            source=table,
            rows=split.test,
            features=asked,
            truth=truth,
            weights=None if weights is None else weights[split.test],
            shape=fitted.network.shape,
        ),
        notes=(),
    )


# ── cutting ───────────────────────────────────────────────────────────────────────────────────────────────────


def _cut(base: Prepared, rows: Array, folds: int) -> tuple[tuple[Split, ...], str]:
    by_time = base.schema.time is not None
    blocks, how = blocks_of(base, rows, folds + by_time)
    share = base.settings.validation / (1 - (base.settings.test if len(base.split.test) else 0.0))
    splits = []
    for k, fold in enumerate(blocks):
        if by_time and not k:
            continue  # there is nothing before the first block
        others = np.sort(np.concatenate(blocks[:k])) if by_time else np.setdiff1d(rows, fold)
        splits.append(replace(_divided(base, others, validation=share, test=0.0), test=fold))
    return tuple(splits), how


def blocks_of(base: Prepared, rows: Array, many: int) -> tuple[list[Array], str]:
    """The rows in ``many`` parts: each part is the test part in a split of the rows that are left.

    So every part follows the rules of `split_rows`. With a time column the latest rows are taken first, and the parts
    are returned in order of time.
    """
    left, taken, how = rows, [], ""
    for remaining in range(many, 1, -1):
        split = _divided(base, left, validation=0.0, test=1 / remaining)
        taken.append(split.test)
        left, how = split.train, split.how
    taken.append(left)
    if base.schema.time is not None:
        return taken[::-1], f"by time: each {base.schema.time!r} window is predicted from all earlier ones"
    return taken, how


def _divided(base: Prepared, rows: Array, *, validation: float, test: float) -> Split:
    """The split of some rows of the table, in the table's own row numbers."""
    target, settings = base.target, replace(base.settings, validation=validation, test=0.0)
    if target is not None:
        target = replace(target, values=target.at(rows), keep_rows=np.arange(len(rows), dtype=np.int64))
    split = split_of(base.table.take(rows), base.schema, target, settings, test=test)
    return replace(split, train=rows[split.train], validation=rows[split.validation], test=rows[split.test])


def notes_on_rare_classes(target: Target | None, rows: Array, folds: int) -> list[str]:
    """A note on classes with fewer rows than there are folds."""
    if target is None or not target.classes:
        return []
    counts = np.bincount(target.at(rows), minlength=len(target.classes))
    rare = [repr(label) for label, n in zip(target.classes, counts, strict=True) if n < folds]
    if not rare:
        return []
    shown = ", ".join(rare[:5]) + (f" and {len(rare) - 5} more" if len(rare) > 5 else "")
    return [f"fewer than {folds} rows outside the test part have the class {shown}, so some folds hold none of it"]
