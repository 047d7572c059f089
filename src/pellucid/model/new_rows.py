"""New rows made to fit a model: headings are matched, missing columns named or filled, unreadable cells emptied.

The table's report tells everything that was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.headings import matched_headings, with_headings
from pellucid.data.notes import ColumnNote
from pellucid.data.tables import Table
from pellucid.errors import DataError, nearest
from pellucid.model.trained import TrainedModel
from pellucid.preprocessing.readable import made_readable
from pellucid.preprocessing.recipe import Recipe

__all__ = ["made_to_fit", "strictly_read", "with_columns"]

Array = NDArray[Any]

_TYPES = {"boolean": pa.bool_(), "date": pa.timestamp("us"), "categorical": pa.dictionary(pa.int32(), pa.string())}
_SHOWN = 6
_NEARLY_ALL = 0.9  # of what single columns are worth


def made_to_fit(model: TrainedModel, read: Table, *, strict: bool = False, fill_missing: bool = False) -> Table:
    """Rows as they were read, with the columns and cells that the model needs.

    Headings that differ only in case, spaces or punctuation are matched. Missing columns are filled if asked for. Cells
    that are not numbers or dates, where the model needs them, count as missing.

    Parameters
    ----------
    model
        The trained model.
    read
        The new rows.
    strict
        Whether a cell that cannot be read is an error.
    fill_missing
        Whether columns that are missing count as missing in every row; otherwise they are an error.

    Raises
    ------
    DataError
        A heading may be two columns, or two headings one; columns are missing; with ``strict``, a cell cannot be read.
    """
    recipe = model.recipe
    names = [step.name for step in recipe.steps if step.kind not in ("image", "series")]
    others = {model.task.target, (model.facts.get("settings") or {}).get("group")}
    spared = [name for name in sorted(map(str, others - {None, ""})) if name not in names]
    table = with_headings(read, matched_headings([*names, *spared], read.names, spared=spared))
    lost = [step.name for step in recipe.steps if step.name not in set(table.names)]
    if lost:
        worth, said = worth_of(model)
        table = with_columns(table, recipe, lost, worth, said, fill=fill_missing)
    table = made_readable(table, recipe)
    if strict:
        strictly_read(table)
    return table


def with_columns(
    table: Table, recipe: Recipe, lost: Sequence[str], worth: dict[str, float], said: str, *, fill: bool
) -> Table:
    """The table with columns of missing cells for the columns in ``lost``.

    Parameters
    ----------
    table
        The new rows.
    recipe
        How the model reads its columns.
    lost
        The columns that the table lacks.
    worth, said
        How much each column of the recipe matters, and how that was measured: "log loss on 300 test rows".
    fill
        Whether to fill them; otherwise they are an error.

    Raises
    ------
    DataError
        ``fill`` is not asked for, all columns are lost, or one of them holds images or series.
    """
    whole = [step.name for step in recipe.steps if step.kind in ("image", "series") and step.name in lost]
    if not lost or whole:  # the recipe itself says what is missing
        return table
    if len(lost) == len(recipe.steps):
        if table.report.format in ("array", "frame") and table.names == _unnamed(len(table.names)):
            raise DataError(
                f"the columns of {table.report.source} have no names, and the model knows its columns by name: give a "
                f"frame, or a dict, with the columns {_listed(lost)}"
            )
        raise DataError(
            f"none of the {len(lost):,} columns that the model was trained on is in {table.report.source} "
            f"({_listed(lost)}): is it the right table?"
        )
    weighed = _weighed(lost, worth, said)
    if not fill:
        what = f"column {lost[0]!r} is" if len(lost) == 1 else f"{len(lost):,} columns are"
        listed = "" if len(lost) == 1 else f": {_listed(lost)}"
        it, cells = ("it", "its cells") if len(lost) == 1 else ("them", "their cells")
        hint = nearest(lost[0], table.names)
        raise DataError(
            f"{what} missing in the table, and the model needs every column that it was trained on{listed}"
            f"{hint}{'' if hint.endswith('?') else '.'} {weighed}Add {it}, or treat {cells} as missing: --fill-missing "
            "(fill_missing=True)"
        )
    arrow = table.arrow
    for step in recipe.steps:
        if step.name in lost:
            arrow = arrow.append_column(step.name, pa.nulls(table.n_rows, _TYPES.get(step.kind, pa.float64())))
    what = f"column {lost[0]!r} is" if len(lost) == 1 else f"{len(lost):,} columns ({_listed(lost)}) are"
    note = f"{what} not in the table and treated as missing in every row. {weighed}".rstrip()
    notes = (*table.report.notes, ColumnNote(note, columns=tuple(lost), what="filled", cells=table.n_rows))
    return Table(arrow=arrow, report=replace(table.report, notes=notes))


def _unnamed(n: int) -> tuple[str, ...]:
    """What columns without names are called."""
    return tuple(f"column_{i}" for i in range(1, n + 1))


def worth_of(model: TrainedModel) -> tuple[dict[str, float], str]:
    """How much each column matters, and by what: as the run found out, else by the weights of the first layer."""
    if (worth := model.seen.worth) is not None:
        metric = {"log_loss": "log loss", "rmse": "RMSE"}[worth.metric]
        return dict(
            worth.rises
        ), f"the increase of the {metric} on {worth.n_rows:,} {worth.part} rows without a column,"
    first = next((p.name for p in model.network.parameters() if len(p.shape) == 2), None)
    if first is None or not model.network.on_columns:  # of pictures and texts there is one column
        return {}, ""
    size = np.mean([np.linalg.norm(parameters[first], axis=0) for parameters in model.members], axis=0)  # [features]
    sizes = model.recipe.features_of(size[np.newaxis])
    found = {name: float(np.linalg.norm(sizes.column(name).flat)) for name in sizes.columns}
    return found, "the size of the weights in the first layer,"


def _weighed(lost: Sequence[str], worth: dict[str, float], said: str) -> str:
    """Which of the columns matter most."""
    known = {name: max(worth.get(name, 0.0), 0.0) for name in lost}
    total = sum(max(value, 0.0) for value in worth.values())
    if total <= 0 or set(known) - set(worth):
        return ""
    places = {name: place for place, name in enumerate(sorted(worth, key=lambda name: -worth[name]), start=1)}
    ordered = sorted(lost, key=lambda name: places[name])
    share, most = sum(known.values()) / total, f"of the importance of all {len(worth):,} columns"
    if len(lost) == 1:
        sentence = f"By {said} it is number {places[lost[0]]:,} of {len(worth):,}, with {share:.0%} {most}"
    else:
        shown = ", ".join(f"{name!r} {known[name] / total:.0%}" for name in ordered[:3])
        rest = "" if len(ordered) <= 3 else f", all {len(ordered):,} of them {share:.0%}"
        sentence = f"By {said} {shown}{rest} {most}"
    if share >= _NEARLY_ALL:
        sentence += "; nearly everything important is missing, so there is little left to predict from"
    return f"{sentence}. "


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more


# ── cells that cannot be read ─────────────────────────────────────────────────────────────────────────────────


def strictly_read(table: Table) -> None:
    """Raise for the first cell that reading took as missing because it is not what its column holds.

    Raises
    ------
    DataError
        Names the column, the cell and the row.
    """
    for note in table.report.notes:
        if isinstance(note, ColumnNote) and note.what == "unread":
            said = note.replace(" and taken as missing", "").replace(" were taken as missing", "")
            said = said.replace(" was taken as missing", "").rpartition("; ")[0]
            raise DataError(f"{said}; mend or empty such cells, or leave --strict out to take them as missing")
