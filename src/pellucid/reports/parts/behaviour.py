"""How the network uses the columns: importance, dependence, predictions over two columns, worst mistakes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import PellucidError
from pellucid.explanation.dependence import Dependence
from pellucid.explanation.fixed_columns import held_text
from pellucid.explanation.grids import Grid
from pellucid.inspection.boundary import boundary_of
from pellucid.inspection.mistakes import Mistake, cells_that_matter, mistakes_of, pushes
from pellucid.numerals import numeral
from pellucid.plots.attribution import Varied, dependence_panels
from pellucid.reports.blocks import Article, Block, Code, Folded, Numbers, Paragraph, Picture, Pictures
from pellucid.reports.parts.report_input import MOST_ROWS, ROWS_OF_DOCTOR, ReportInput, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.inspection.slice import Slice

__all__ = ["boundary", "dependence", "importance", "worst"]

_EXPLAINED_ROWS = 2_000  # among which mistakes are looked for
_SHOWN_OF_A_MISTAKE = 4  # rows: itself, and three near it, whose targets are shown
_MISTAKES = min(6, (MOST_ROWS - ROWS_OF_DOCTOR) // _SHOWN_OF_A_MISTAKE)
_OPEN_MISTAKES = 2
_CLASSES = 7  # lines of a picture
_BAND = (0.1, 0.9)
_PLACES = 80  # of a slice, along an axis: contours run smoothly between them
_INNER = (0.05, 0.95)  # quantiles of the rows: the range of a slice that must not reveal single rows


def importance(given: ReportInput) -> Sequence[Block]:
    """How much the error rises when a column is shuffled."""
    found = given.columns
    if found is None:
        return []
    top = [found.columns[i] for i in found.order[:3]]
    rows = [[a, b, f"{h:.2f}"] for a, b, h in found.interactions[:4]]
    blocks: list[Block] = [
        picture(
            found.importance_figure,
            "importance-bars",
            f"The importance of each column; the most important are {', '.join(top)}.",
            f"How much {found.rise} rises when a column is shuffled among {found.sampled[0]:,} rows. If two columns "
            "hold the same information, each may look unimportant because the other is still there.",
        )
    ]
    if rows:
        together = Numbers(
            caption=f"Friedman and Popescu's H for the {found.output.name}: 0 is no interaction",
            headings=["column", "with", "H"],
            rows=rows,
            right=(2,),
        )
        blocks.append(Folded(title="Interactions between columns", blocks=[together]))
    return blocks


def dependence(given: ReportInput) -> Sequence[Block]:
    """The mean prediction as each of the most important columns varies."""
    found = given.columns
    if found is None or not found.dependences:
        return []
    classes = [str(c) for c in given.run.model.task.classes]
    varied = [_varied(found.columns[i], grid, each, classes) for i, grid, each in found.dependences]
    ends = [end for each in varied for _, mean in each.means for end in (np.min(mean), np.max(mean))]
    ends += [end for each in varied if each.band for end in (np.min(each.band[0]), np.max(each.band[1]))]
    room = 0.05 * (max(ends) - min(ends)) or 0.05
    limits = (float(min(ends) - room), float(max(ends) + room))

    answer = "probability" if classes else found.explained  # the caption says of which class

    def panel(k: int, each: Varied) -> Picture:
        alt = _course(each, found.explained)
        return picture(lambda: dependence_panels([each], name=answer, limits=limits), f"dependence-{k}", alt)

    band = "" if varied[0].band is None else "; grey: 80 % of the rows"
    return [
        Pictures(
            pictures=[panel(k, each) for k, each in enumerate(varied)],
            caption=f"Line: the mean {found.explained} of {found.sampled[1]:,} rows when all of them are given that "
            f"value{band}. Ticks: deciles of the column. All panels share one scale.",
        )
    ]


def _varied(column: str, grid: Grid, found: Dependence, classes: Sequence[str]) -> Varied:
    """What is drawn of one column: no single row."""
    if found.rows.ndim == 3:
        shown = [(classes[k], found.mean[:, k]) for k in range(min(_CLASSES, len(classes)))]
        return Varied(column=column, values=grid.values, means=shown, at=grid.seen)
    low, high = np.quantile(found.rows, _BAND, axis=0)
    return Varied(column=column, values=grid.values, means=[("mean", found.mean)], band=(low, high), at=grid.seen)


def _course(each: Varied, what: str) -> str:
    """The picture of one column in words."""
    first, last = each.values[0], each.values[-1]
    ends = f"from {numeral(first)} to {numeral(last)}" if isinstance(first, float) and isinstance(last, float) else ""
    said = []
    for name, mean in each.means[:3]:
        values = np.asarray(mean, dtype=float)
        of = f" of {name}" if len(each.means) > 1 else ""
        if ends:
            said.append(f"the mean {what}{of} goes from {numeral(float(values[0]))} to {numeral(float(values[-1]))}")
        else:
            least, most = str(each.values[int(values.argmin())]), str(each.values[int(values.argmax())])
            said.append(f"the mean {what}{of} is lowest at {least} and highest at {most}")
    return f"As {each.column} varies {ends}".rstrip() + ": " + "; ".join(said) + "."


def boundary(given: ReportInput) -> Sequence[Block]:
    """A slice through two of the columns."""
    if not given.of_columns or sum(1 for step in given.run.model.recipe.steps if step.features) < 2:
        return []
    try:
        found = boundary_of(given.run.model, given.prepared.table, places=_PLACES, real=given.shows_rows)
    except PellucidError as error:  # columns that cannot be drawn
        return [Paragraph(text=f"Predictions over two columns cannot be drawn: {error}")]
    said = found.sentences if given.shows_rows else ()
    line = "; on the black line the prediction changes" if found.classes else ""
    pale = "Grey: no rows nearby. " if given.shows_rows and found.empty.any() else ""
    held = held_text(found.held).removeprefix("held: ")
    return [
        *(Paragraph(text=sentence) for sentence in said),
        picture(
            lambda: _slice(found, rows=given.shows_rows),
            "slice",
            f"Predictions over {found.x.column} and {found.y.column}, the other columns constant. {' '.join(said)}",
            f"Colours show the prediction{line}. {pale}Held constant: {held}.",
        ),
        Code(text=f"pellucid boundary {_path(given)} --x … --y …", caption="For other columns, or around one row:"),
    ]


def _slice(found: Slice, *, rows: bool) -> Figure:
    """The picture without its rows; with ``rows=False`` also without anything that reveals single rows."""
    x, y = (replace(axis, rows=np.zeros(0)) for axis in (found.x, found.y))  # neither points nor their density
    empty = found.empty if rows else np.zeros_like(found.empty)
    words = [found.target, found.classes[found.label]] if found.label is not None else [found.target]
    shown = replace(found, x=x, y=y, empty=empty, truth=None, held=())
    figure = shown.figure(title=": ".join(words), size=(5.4, 4.7))
    axes = figure.axes[0]
    axes.set_title("", loc="left")
    if not rows:
        for axis, limit in ((found.x, axes.set_xlim), (found.y, axes.set_ylim)):
            inside = axis.rows[np.isfinite(axis.rows)]
            low, high = np.quantile(inside, _INNER) if len(inside) else (0.0, 0.0)
            if axis.kind != "bands" and high > low:
                limit(low, high)
    return figure


def worst(given: ReportInput) -> Sequence[Block]:
    """The rows with the worst predictions."""
    task = given.run.model.task
    if task.kind == "reconstruction" or given.measured.truth is None or np.isnan(given.measured.truth).all():
        return []
    known = given.measured.known().sample(_EXPLAINED_ROWS)
    found = mistakes_of(known, most=_MISTAKES, explain=given.shows_rows)
    if not found.found:
        return [Paragraph(text=f"All {found.n_rows:,} rows are predicted correctly.")]
    n = len(found.found)
    many = (
        f"These are the {n} largest errors" if n > 1 else "This is the largest error"
    ) + f" of {found.n_rows:,} rows"
    if task.is_classification:
        many = f"{found.n_wrong:,} of {found.n_rows:,} rows {'is' if found.n_wrong == 1 else 'are'} predicted wrongly"
    if not given.shows_rows:
        count = f"{many}. " if task.is_classification else ""
        return [Paragraph(text=f"{count}Rows are not shown on this page (--no-rows).")]
    shown = ": this one" if len(found.found) == 1 else f"; these {len(found.found)} are the worst"
    if not task.is_classification:
        shown = ""
    blocks: list[Block] = [Paragraph(text=f"{many}{shown}.")]
    drawing = found.figure()
    if drawing is not None:
        alt = f"{len(found.found)} images, each with its actual and its predicted class"
        led = "the pixels" if found.where is None else "the pixels, and the parts of the image (Grad-CAM),"
        alt += "." if found.maps is None else f", and below it {led} that led to the prediction."
        blocks.append(picture(lambda: drawing, "mistaken-images", alt))
    leading = () if given.columns is None else [given.columns.columns[i] for i in given.columns.order]
    articles = [_article(each, leading) for each in found.found]
    blocks += articles[:_OPEN_MISTAKES]
    if found.nearest:
        blocks.append(Paragraph(text=found.nearest))
    if len(articles) > _OPEN_MISTAKES:
        blocks.append(Folded(title=f"{len(articles) - _OPEN_MISTAKES} more", blocks=articles[_OPEN_MISTAKES:]))
    blocks.append(Code(text=f"pellucid mistakes {_path(given)}", caption="To see more:"))
    return blocks


def _article(each: Mistake, leading: Sequence[str]) -> Article:
    """A mistake with the cells that matter: those that misled the network, then those of the important columns."""
    shown = [f"{name} {'missing' if cell is None else _value(cell)}" for name, cell in cells_that_matter(each, leading)]
    if len(each.cells) > len(shown):
        shown.append(f"and {len(each.cells) - len(shown)} more")
    said = _value(each.prediction) + ("" if each.sure is None else f" ({100 * each.sure:.0f} %)")
    parts = [("Row", f"{each.row}" + (f", {each.file}" if each.file else ""))]
    if shown:
        parts.append(("Cells", ", ".join(shown)))
    if each.reasons:
        parts.append(("Misled by", ", ".join(f"{name} ({push})" for name, push in pushes(each))))
    if each.neighbours:
        near = (f"row {n.row}: {_value(n.truth)}, distance {numeral(n.distance, 2)}" for n in each.neighbours)
        parts.append(("Nearest rows", "; ".join(near)))
    return Article(title=f"Actual {_value(each.truth)}, predicted {said}", parts=parts)


def _value(value: object) -> str:
    return numeral(value, 5) if isinstance(value, float) else str(value)


def _path(given: ReportInput) -> str:
    return shlex.quote(str(given.run.path))
