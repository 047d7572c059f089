"""The networks of a run, and the rows that each learns from: all training rows, or those outside its fold.

Legend: K networks. They have the same description and see the same preprocessed columns. With ``ensemble="seeds"`` they
differ in the seed of their initial weights, batches and dropout (``seed``, ``seed + 1``, …; Lakshminarayanan, Pritzel &
Blundell 2017) and share the validation rows. With ``"folds"`` the rows outside the test part are cut into K folds by
the rules of the split (classes spread evenly, groups and equal rows kept whole); network k chooses its best epoch on
fold k and learns from the others. The preprocessing is then fitted once, on the rows of all folds, so the scaling of
the columns has seen each fold, but no test row.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError
from pellucid.io.safe_tensors import MAX_TENSORS
from pellucid.preparation.folds import blocks_of, notes_on_rare_classes, usual_ensemble
from pellucid.preparation.forecasts import prepare_forecast
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.settings.settings import Settings
from pellucid.training.loop import Rows

__all__ = ["Member", "check_folds", "members_of", "n_learned_from", "prepare_run", "rows_of"]

Array = NDArray[Any]

_MOST_FOLDS, _FEWEST_ROWS = 100, 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One network of a run, and the rows that it learns from.

    Parameters
    ----------
    seed
        Seed of its initial weights, batches and dropout.
    train_rows
        Row numbers in ``prepared.train`` to learn from; ``None``: all of them.
    validation_rows
        Row numbers in ``prepared.train`` that choose the best epoch; ``None``: all rows of ``prepared.validation``.
    """

    seed: int
    train_rows: Array | None = None
    validation_rows: Array | None = None


def prepare_run(data: object, settings: Settings, *, test_data: object = None) -> Prepared:
    """`prepare` for one network or an ensemble; with folds, all rows outside the test part are in ``train``.

    Raises
    ------
    SettingError
        ``ensemble="folds"`` with one network, with more than 100, or with a split by time.
    DataError
        There are too few rows for so many folds.
    """
    if settings.forecast is not None:
        if test_data is not None:
            raise SettingError("test_data is not for forecasts, whose last steps are the test part: leave it out")
        return prepare_forecast(data, settings)
    if settings.ensemble == "auto":
        return _prepare_auto(data, settings, test_data)
    if settings.ensemble == "seeds":
        return prepare(data, settings, test_data=test_data)
    check_folds(settings)
    whole = prepare(data, replace(settings, validation=0.0), test_data=test_data)
    k, rows = settings.n_networks, len(whole.train)
    if rows < _FEWEST_ROWS * k:
        raise DataError(
            f"{rows:,} rows are left outside the test part, and {k} folds need {_FEWEST_ROWS * k:,}: use fewer "
            "networks, or ensemble=seeds (--ensemble seeds)"
        )
    notes = [note for note in whole.notes if not note.startswith("no validation rows")]
    notes += notes_on_rare_classes(whole.target, whole.split.train, k)
    notes.append(
        f"each of the {k} networks chooses its best epoch on a different one of {k} folds of the {rows:,} rows outside "
        "the test part and learns from the other folds; the preprocessing is fitted once, on all of these rows"
    )
    return replace(whole, settings=replace(whole.settings, validation=settings.validation), notes=tuple(notes))


def _prepare_auto(data: object, settings: Settings, test_data: object) -> Prepared:
    if usual_ensemble(settings) == "folds":
        with suppress(DataError):  # too few rows or groups for folds; any other error comes up again below
            prepared = prepare_run(data, replace(settings, ensemble="folds"), test_data=test_data)
            if settings.group is not None:
                members_of(prepared)
            return prepared
    return prepare_run(data, replace(settings, ensemble="seeds"), test_data=test_data)


def check_folds(settings: Settings) -> None:
    """Raise `SettingError` if ``ensemble="folds"`` is not possible: the number of networks, or a split by time."""
    if not 2 <= settings.n_networks <= _MOST_FOLDS:
        raise SettingError(
            f"ensemble folds needs n_networks from 2 to {_MOST_FOLDS}, one for each fold, got {settings.n_networks:,}; "
            "give --n-networks 5, or ensemble=seeds"
        )
    if settings.time is not None:
        raise SettingError(
            f"ensemble folds would let networks learn from rows later than those that choose their best epoch, but "
            f"the split is by time ({settings.time!r}): use ensemble=seeds (--ensemble seeds)"
        )


def members_of(prepared: Prepared) -> tuple[Member, ...]:
    """The networks of a run, each with the rows that it learns from.

    Raises
    ------
    SettingError
        A model file could not hold so many networks.
    DataError
        The rows cannot be cut into so many folds.
    """
    settings = prepared.settings
    arrays = len(prepared.network.parameters())
    if settings.n_networks > 1 and settings.n_networks * arrays > MAX_TENSORS:
        raise SettingError(
            f"{settings.n_networks:,} networks of {arrays} arrays each are more than the {MAX_TENSORS:,} arrays that a "
            f"model file holds: set n_networks to at most {MAX_TENSORS // arrays:,}"
        )
    seeds = range(settings.seed, settings.seed + settings.n_networks)
    if settings.ensemble == "seeds":
        return tuple(Member(seed=seed) for seed in seeds)
    rows = prepared.split.train
    try:
        folds, _ = blocks_of(prepared, rows, settings.n_networks)
    except DataError as error:
        raise DataError(
            f"the rows cannot be cut into {settings.n_networks} folds ({error}); use fewer networks, or ensemble=seeds"
        ) from error
    held = [np.searchsorted(rows, fold) for fold in folds]
    everything = np.arange(len(rows))
    return tuple(
        Member(seed=seed, train_rows=np.setdiff1d(everything, fold), validation_rows=np.sort(fold))
        for seed, fold in zip(seeds, held, strict=True)
    )


def n_learned_from(prepared: Prepared) -> int:
    """How many rows a network learns from; approximate if folds differ in size."""
    rows = len(prepared.train)
    k = prepared.settings.n_networks
    return rows * (k - 1) // k if prepared.settings.ensemble == "folds" else rows


def rows_of(prepared: Prepared, member: Member) -> tuple[Rows, Rows]:
    """The rows that a network learns from, and those that choose its best epoch."""
    train, validation = prepared.train, prepared.validation
    return (
        (train if member.train_rows is None else train.take(member.train_rows)).rows,
        (validation if member.validation_rows is None else train.take(member.validation_rows)).rows,
    )
