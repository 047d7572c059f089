"""What a report is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.inspection.explained_columns import ExplainedColumns, columns_explained
from pellucid.inspection.rows import RowsToInspect
from pellucid.plots.canvas import inline_svg
from pellucid.preparation.prepare import Prepared
from pellucid.reports.blocks import Picture
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MOST_ROWS", "ROWS_OF_DOCTOR", "ReportInput", "picture"]

Array = NDArray[Any]

MOST_ROWS = 50  # of the user's table on a page
ROWS_OF_DOCTOR = 18  # of these, numbers of rows in its findings; the others are the mistakes' and their neighbours'
_ROWS_OF_OVERVIEW = 1_000


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportInput:
    """What a report is made from: a run and its rows.

    Attributes
    ----------
    run, prepared
        The run, and its rows as they were prepared.
    measured, answers
        The rows that measured it, and the model's answers to them.
    source
        Where its table is.
    shows_rows
        Whether the page may show rows of the table.
    """

    run: Run
    prepared: Prepared
    measured: RowsToInspect
    answers: Array
    source: object
    shows_rows: bool

    @property
    def table_name(self) -> object:
        """The table's file name without its folder, which readers of the page need not know."""
        return Path(self.source).name if isinstance(self.source, str) else self.source

    @property
    def of_columns(self) -> bool:
        """Whether the model reads columns of a table and answers about a target."""
        model = self.run.model
        of_arrays = model.image is not None or model.series is not None
        return model.task.kind != "reconstruction" and model.network.on_columns and not of_arrays

    @cached_property
    def columns(self) -> ExplainedColumns | None:
        """Importance and dependence; ``None`` for images, texts as tokens, series and reconstructions."""
        if not self.of_columns or self.measured.truth is None or np.isnan(self.measured.truth).all():
            return None
        return columns_explained(self.measured.known().sample(_ROWS_OF_OVERVIEW))


def picture(make: Callable[[], Figure], name: str, alt: str, caption: str = "") -> Picture:
    """A figure as part of the page.

    Parameters
    ----------
    make
        Draws the figure.
    name
        A name that no other picture of the page has.
    alt
        A description for those who cannot see the picture.
    caption
        The text below it.
    """
    return Picture(svg=inline_svg(make(), name), alt=alt, caption=caption)
