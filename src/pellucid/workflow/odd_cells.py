"""What to say of cells that a model takes, but that no training row prepared it for."""

from __future__ import annotations

import numpy as np

from pellucid.data.tables import Table
from pellucid.preprocessing.dates import DateStep
from pellucid.preprocessing.numeric import NumericStep
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.values import IntArray, numbers

__all__ = ["notes_on_odd_cells"]

_FAR = 30.0  # standard deviations; of N training rows none lies further from the mean than √(N − 1)


def notes_on_odd_cells(recipe: Recipe, table: Table) -> tuple[str, ...]:
    """A note for each column with dates that cannot be read, or numbers far out that an answer would follow.

    Rows are counted from 0. Robust and quantile scaling hold a number that is far out, so nothing is said of those.

    >>> import pyarrow as pa
    >>> from pellucid.data.tables import read_table
    >>> from pellucid.preprocessing.numeric import fit_numeric
    >>> recipe = Recipe(steps=(fit_numeric("width", pa.array([4.0, 5.0, 6.0, 5.0])),))
    >>> notes_on_odd_cells(recipe, read_table({"width": [5.1, 58.9]}))[0].partition(" (")[0]
    "column 'width': 1 cell far out, over 30 standard deviations from the mean of the training rows"
    """
    notes = []
    for step in recipe.steps:
        column = table.column(step.name)
        if isinstance(step, NumericStep) and step.scaling == "standard" and step.scale > 0:
            values = numbers(column, step.name)
            odd: IntArray = np.flatnonzero(np.abs(values - step.centre) > _FAR * step.scale)  # a missing cell is not
            what = f"far out, over {_FAR:g} standard deviations from the mean of the training rows"
            remedy = "the answer follows it as far as it goes, so check it, or train with --scaling robust"
        elif isinstance(step, DateStep):
            odd = step.unread(column)
            what, remedy = "without a date, taken as missing", "write dates as in the training rows"
        else:
            continue
        if odd.size:
            first = f"first: row {odd[0]}, from 0: {str(column[int(odd[0])].as_py())[:40]!r}"
            notes.append(f"column {step.name!r}: {odd.size:,} cell{'s' * (odd.size > 1)} {what} ({first}); {remedy}")
    return tuple(notes)
