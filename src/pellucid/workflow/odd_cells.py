"""What to say of cells that a model takes, but that no training row prepared it for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.data.tables import Table
from pellucid.preprocessing.dates import DateStep
from pellucid.preprocessing.numeric import NumericStep
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.values import numbers

__all__ = ["notes_on_odd_cells"]

_FAR = 30.0  # standard deviations; of N training rows none lies further from the mean than √(N − 1)


def notes_on_odd_cells(recipe: Recipe, table: Table) -> tuple[str, ...]:
    """A note for each column with dates that cannot be read, or numbers far out that an answer would follow.

    Robust and quantile scaling hold a number that is far out, so nothing is said of those.

    >>> import pyarrow as pa
    >>> from pellucid.data.tables import read_table
    >>> from pellucid.preprocessing.numeric import fit_numeric
    >>> recipe = Recipe(steps=(fit_numeric("width", pa.array([4.0, 5.0, 6.0, 5.0])),))
    >>> notes_on_odd_cells(recipe, read_table({"width": [5.1, 58.9]}))[0].partition(";")[0]
    "column 'width': 1 cell lies over 30 standard deviations from the mean of the training rows (row 1, from 0: 58.9)"
    """
    notes = []
    for step in recipe.steps:
        column = table.column(step.name)
        if isinstance(step, NumericStep) and step.scaling == "standard" and step.scale > 0:
            values = numbers(column, step.name)
            far = np.flatnonzero(np.abs(values - step.centre) > _FAR * step.scale)  # of a missing cell it is not
            if far.size:
                first = f"(row {far[0]}, from 0: {values[far[0]]:g})"
                notes.append(
                    f"column {step.name!r}: {_cells(far)} over {_FAR:g} standard deviations from the mean of the "
                    f"training rows {first}; the answer follows it as far as it goes, so check it, or train with "
                    "--scaling robust"
                )
        elif isinstance(step, DateStep):
            lost = step.unread(column)
            if lost.size:
                count = "1 cell is no date and was" if lost.size == 1 else f"{lost.size:,} cells are no dates and were"
                notes.append(
                    f"column {step.name!r}: {count} taken as missing (first: row {lost[0]}, from 0: "
                    f"{str(column[int(lost[0])].as_py())[:40]!r}); write dates as in the training rows"
                )
    return tuple(notes)


def _cells(rows: Sequence[int] | np.ndarray) -> str:
    return "1 cell lies" if len(rows) == 1 else f"{len(rows):,} cells lie"
