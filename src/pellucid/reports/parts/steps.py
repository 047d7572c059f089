"""What single tokens and steps add to the predictions of a network that reads texts or series step by step."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pellucid.inspection.explained_sequence import ExplainedSequence, sequence_explained
from pellucid.inspection.rows import BACKGROUND, RowsToInspect
from pellucid.network.shapes import products_of
from pellucid.reports.blocks import Block, Code, Paragraph
from pellucid.reports.parts.report_input import ReportInput, picture

__all__ = ["rows_by_step"]

_ROWS = 3
_MOST_PRODUCTS = 3e8  # multiplications of a row, of which its explanation takes hundreds of times as many


def rows_by_step(given: ReportInput) -> Sequence[Block]:
    """A row of each class, or a few rows, with what each of their steps adds."""
    model, rows = given.run.model, given.measured
    if not model.network.on_sequences or model.task.kind not in ("binary", "multiclass", "regression"):
        return []
    if not given.shows_rows:
        return [Paragraph(text="Rows are not shown on this page (--no-rows).")]
    if products_of(model.network) * rows.features.n > _MOST_PRODUCTS * _ROWS * rows.features.n:
        return [Paragraph(text="The network is too large to explain rows here in some seconds: see pellucid explain.")]
    background = rows.sample(BACKGROUND) if model.network.dtype == "float" else None
    explained = [_explained(rows, place, background) for place in _places(rows)]
    where = "a text of the same length without words" if background is None else "the mean of other series"
    return [
        Paragraph(
            text=f"Compared with {where}: integrated gradients say what each step adds to the answer, occlusion what "
            "is lost where it is covered."
        ),
        *(
            picture(
                found.figure,
                f"steps-{number}",
                f"Row {rows.numbers[place]}, answered {found.prediction}: {'; '.join(found.sentences)}.",
            )
            for number, (place, found) in enumerate(zip(_places(rows), explained, strict=True), 1)
        ),
        Code(
            text=f"pellucid explain {shlex.quote(str(given.run.path))} --row {rows.numbers[_places(rows)[0]]}",
            caption="To see more:",
        ),
    ]


def _explained(rows: RowsToInspect, place: int, background: RowsToInspect | None) -> ExplainedSequence:
    one = replace(rows.take(np.array([place])), title=f"row {rows.numbers[place]:,}")
    return sequence_explained(one, background)


def _places(rows: RowsToInspect) -> list[int]:
    """The first row of each class; of numbers, those nearest to the quartiles."""
    truth = rows.truth
    if truth is None or np.isnan(truth).all():
        return list(range(min(_ROWS, rows.features.n)))
    if rows.model.task.is_classification:
        _, first = np.unique(truth[~np.isnan(truth)], return_index=True)
        return [int(np.flatnonzero(~np.isnan(truth))[k]) for k in first[:_ROWS]]
    quartiles = np.nanquantile(truth, (0.25, 0.5, 0.75))
    return list(dict.fromkeys(int(np.nanargmin(np.abs(truth - q))) for q in quartiles))
