"""The images that a finding of the doctor names, as a sheet of thumbnails with their files and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pellucid.data.columns.images import pixels_of
from pellucid.data.given import image_columns
from pellucid.diagnosis.finding import Finding
from pellucid.preparation.prepare import FILE
from pellucid.reports.blocks import Picture
from pellucid.reports.parts.report_input import ReportInput, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["pictures_of"]

_LONGEST = 18  # characters of a file's name


def pictures_of(given: ReportInput, finding: Finding, rows: Sequence[int]) -> Picture | None:
    """A sheet of these rows of the training table; None for tables, and where rows may be those of another table."""
    prepared = given.prepared
    names = image_columns(prepared.table)
    own = prepared.measured.source is prepared.table or finding.name == "copies-with-different-labels"
    if len(names) != 1 or not rows or not own or max(rows) >= prepared.table.n_rows:
        return None
    return picture(
        lambda: _sheet(given, names[0], rows),
        f"doctor-{finding.name}",
        f"The images of the rows {', '.join(map(str, rows))}",
        "The images of these rows: their file, or row number, and their label.",
    )


def _sheet(given: ReportInput, name: str, rows: Sequence[int]) -> Figure:
    import numpy as np

    from pellucid.plots.images import image_grid

    prepared = given.prepared
    some = prepared.table.take(np.asarray(rows))
    pixels = pixels_of(some.column(name))
    above = some.column(FILE).to_pylist() if FILE in some.names else [f"row {row}" for row in rows]
    target = prepared.target
    labels = [""] * len(rows) if target is None else [str(cell) for cell in some.column(target.name).to_pylist()]
    captions = [f"{_short(file)}\n{_short(label)}" for file, label in zip(above, labels, strict=True)]
    return image_grid(pixels[..., 0] if pixels.shape[3] == 1 else pixels, captions, columns=6)


def _short(text: str) -> str:
    """The end of a long name, where it differs from others.

    >>> _short("holiday/2021/summer/IMG_0001.jpg")
    '…mmer/IMG_0001.jpg'
    """
    return text if len(text) <= _LONGEST else f"…{text[-_LONGEST + 1 :]}"
