"""The rows of a table divided into training, validation and test rows, as the settings ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.images import pixel_source
from pellucid.data.dependence.copies import drop_rows_seen_in
from pellucid.data.dependence.near_images import SeveralSources, alike_sets, near_pairs
from pellucid.data.dependence.row_hashes import n_in_conflict, row_hashes
from pellucid.data.schema import Schema
from pellucid.data.splits import Split, split_rows
from pellucid.data.tables import Table
from pellucid.data.target import Target
from pellucid.errors import DataError, nearest
from pellucid.settings.settings import Settings

__all__ = ["split_of", "without_test_rows"]

Array = NDArray[Any]


def split_of(
    table: Table,
    schema: Schema,
    target: Target | None,
    settings: Settings,
    *,
    test: float,
    test_table: Table | None = None,
) -> Split:
    """Split the rows. Equal images stay in one part, whatever their labels: the answer to one reveals the other's.

    So do near copies of images: saved again with another quality, resized, or frames of one scene.

    A split by group or by time keeps groups or times whole, as asked; a note then reports equal images in two parts.

    Parameters
    ----------
    table, schema
        The table, and what its columns are.
    target
        What is predicted; ``None`` for a reconstruction.
    settings
        Those of the run: the share of validation rows and the seed are theirs.
    test
        The share of test rows, from 0 up to, but not including, 1.
    test_table
        A separate table with the test rows; near copies of its images are found as well.

    Raises
    ------
    DataError
        There are too few rows, groups or moments to split.
    """
    of_images = any(column.kind == "image" for column in schema.features)
    of_arrays = of_images or any(column.kind == "series" for column in schema.features)
    compared = schema
    if of_arrays:  # without the target
        columns = (c for c in schema.columns if c.role == "feature" or c.name in (schema.group, schema.time))
        compared = replace(schema, columns=tuple(columns))
    near, near_test = _near(table, schema, test_table) if of_images else (None, None)
    alike = None if near is None else alike_sets(near, table.n_rows)
    split = split_rows(
        table, compared, target, validation=settings.validation, test=test, seed=settings.seed, alike=alike
    )
    if not of_arrays:
        return split
    one, many = ("an image", "images") if of_images else ("a series", "series")
    hashes = row_hashes(table, [column.name for column in schema.features])
    notes = []
    if target is not None and (n := n_in_conflict(hashes[target.keep_rows], target.values)):
        notes.append(
            f"{n:,} rows hold {one} that another row gives a different {target.name!r}; no network can be right on "
            "all of them, so check which label is right"
        )
    held = np.concatenate([split.validation, split.test])
    if n := int(np.isin(hashes[held], hashes[split.train]).sum()):
        notes.append(
            f"{n:,} of the validation and test rows hold {many} that are also in training, because the split is by "
            f"{schema.group or schema.time!r}; the measured outcome may be too good"
        )
    if near is not None and len(near) and alike is not None:
        n = len(np.unique(near))
        together = len(np.unique(alike)) < len(alike)
        notes.append(
            f"{n:,} images are nearly the same as another (saved again, resized, or of one scene); "
            + (
                "such copies stay in the same part"
                if together
                else "they form large sets, which were not kept together"
            )
        )
    return replace(split, notes=(*split.notes, *notes), near=near, near_test=near_test)


def _near(table: Table, schema: Schema, test_table: Table | None) -> tuple[Array | None, Array | None]:
    """Pairs of near copies of images: within the table, and of its rows with those of the test table."""
    names = [column.name for column in schema.features if column.kind == "image"]
    if len(names) != 1 or len(schema.features) > 1:
        return None, None
    own = pixel_source(table.column(names[0]))
    if test_table is None or names[0] not in test_table.names:
        return near_pairs(own), None
    tested = pixel_source(test_table.column(names[0]))
    if tested.shape[1:] != own.shape[1:]:
        return near_pairs(own), None
    pairs = near_pairs(SeveralSources(own, tested))
    across = (pairs[:, 0] < len(own)) & (pairs[:, 1] >= len(own))
    return pairs[pairs[:, 1] < len(own)], pairs[across] - [0, len(own)]


def without_test_rows(
    split: Split,
    table: Table,
    schema: Schema,
    target: Target | None,
    test_table: Table,
    test_truth: Array | None,
    test_rows: Array,
) -> tuple[Split, list[str]]:
    """The split without the training and validation rows that are also among separate test rows, and notes on them.

    Parameters
    ----------
    split
        The split of ``table``.
    table, schema, target
        The table, what its columns are, and what is predicted; no target for a reconstruction.
    test_table
        The table with the test rows.
    test_truth
        The target of each of the ``test_rows``; ``None`` for a reconstruction.
    test_rows
        The numbers of the rows of ``test_table`` that measure the run.

    Raises
    ------
    DataError
        The test table lacks a feature, or every training row is also a test row.
    """
    lost = [column.name for column in schema.features if column.name not in test_table.names]
    if lost:
        shown = ", ".join(map(repr, lost[:6])) + (" …" if len(lost) > 6 else "")
        raise DataError(
            f"the test data {test_table.report.source} lack the column{'s' if len(lost) > 1 else ''} {shown} of the "
            f"training data{nearest(lost[0], test_table.names)}; both need the same columns"
        )
    targets = None
    if target is not None and test_truth is not None:
        targets = np.full(test_table.n_rows, np.nan), np.full(table.n_rows, np.nan)
        targets[0][test_rows], targets[1][target.keep_rows] = test_truth, target.values
    seen = drop_rows_seen_in(test_table, table, schema, targets=targets)
    train, validation = np.setdiff1d(split.train, seen), np.setdiff1d(split.validation, seen)
    dropped = len(split.train) + len(split.validation) - len(train) - len(validation)
    if not dropped:
        return split, []
    if not len(train):
        raise DataError("every training row is also a test row: give other test rows")
    notes = [f"{dropped:,} rows are also among the test rows and were left out of training"]
    if target is not None and target.classes:
        before, after = (np.bincount(target.at(rows), minlength=len(target.classes)) for rows in (split.train, train))
        gone = [repr(c) for c, b, a in zip(target.classes, before, after, strict=True) if b and not a]
        if gone:
            shown = ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else "")
            notes.append(
                f"without them no training row has the class {shown}: it cannot be learned; give other test rows"
            )
    return replace(split, train=train, validation=validation), notes
