"""What the network does with the columns: importance, dependence, a slice, its worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.artefact.report.blocks import Article, Block, Code, Numbers, Paragraph
from pellucid.errors import PellucidError
from pellucid.workflow.boundary import boundary_of
from pellucid.workflow.mistakes import Mistake, mistakes_of
from pellucid.workflow.report_parts.told import Told, number, picture

__all__ = ["boundary", "dependence", "importance", "worst"]

_MISTAKES = 8
_EXPLAINED_ROWS = 2_000  # rows that the mistakes are sought among
_CELLS = 12


def importance(told: Told) -> Sequence[Block]:
    """How much the error rises when a column is shuffled."""
    found = told.overview
    if found is None:
        return []
    top = [found.columns[i] for i in found.order[:3]]
    rows = [[a, b, f"{h:.2f}"] for a, b, h in found.interactions[:4]]
    blocks: list[Block] = [
        picture(
            found.importance_figure,
            "importance-bars",
            f"Bars of importance; the largest are those of {', '.join(top)}.",
            "Of two columns that say the same each may look unimportant, because the other is still there.",
        )
    ]
    if rows:
        blocks.append(
            Numbers(
                caption=f"Columns that work together (Friedman and Popescu's H; {found.score.name})",
                headings=["column", "with", "H"],
                rows=rows,
                right=(2,),
            )
        )
    return blocks


def dependence(told: Told) -> Sequence[Block]:
    """The mean answer as each of the most important columns varies."""
    found = told.overview
    if found is None or not found.dependences:
        return []
    names = ", ".join(found.columns[i] for i, _, _ in found.dependences)
    return [
        picture(
            found.dependence_figure,
            "dependence-panels",
            f"Mean {found.explained} as {names} vary, one panel each.",
            "Thick: the mean over rows when all of them have that value. Thin: single rows. Ticks: where the rows are.",
        )
    ]


def boundary(told: Told) -> Sequence[Block]:
    """A slice through two of the columns."""
    if not told.of_columns or sum(1 for step in told.run.model.recipe.steps if step.features) < 2:
        return []
    try:
        found = boundary_of(told.run.model, told.viewed.table, name=told.viewed.title)
    except PellucidError as error:  # columns that cannot be drawn: the page does without
        return [Paragraph(text=f"There is no slice of this model: {error}")]
    return [
        picture(
            lambda: found.figure(points=False),
            "slice",
            f"The model's answers over {found.x.column} and {found.y.column}, the other columns held.",
        ),
        Code(text=f"pellucid boundary {told.run.path} --x … --y …", caption="Other columns, or through one row:"),
    ]


def worst(told: Told) -> Sequence[Block]:
    """The rows that it is most wrong about."""
    task = told.run.model.task
    if task.kind == "reconstruction" or told.viewed.truth is None:
        return []
    known = told.viewed.known().sample(_EXPLAINED_ROWS)
    found = mistakes_of(known, most=_MISTAKES, explain=told.rows)
    if not found.found:
        return [Paragraph(text=f"None of {found.n_rows:,} rows is answered wrongly.")]
    many = f"Of {found.n_rows:,} rows"
    if task.is_classification:
        many = f"{found.n_wrong:,} of {found.n_rows:,} rows are answered wrongly"
    if not told.rows:
        return [Paragraph(text=f"{many}; the rows themselves were left out of this page (--no-rows).")]
    blocks: list[Block] = [Paragraph(text=f"{many}; these are the worst.")]
    drawing = found.figure()
    if drawing is not None:
        alt = f"{len(found.found)} images, each with what it is and what was answered."
        blocks.append(picture(lambda: drawing, "mistaken-images", alt))
    blocks += [_article(each) for each in found.found]
    blocks.append(Code(text=f"pellucid mistakes {told.run.path}", caption="More of them:"))
    return blocks


def _article(each: Mistake) -> Article:
    shown = [f"{name} {'missing' if cell is None else cell}" for name, cell in list(each.cells.items())[:_CELLS]]
    if len(each.cells) > _CELLS:
        shown.append(f"and {len(each.cells) - _CELLS} more")
    said = _value(each.prediction) + ("" if each.sure is None else f" ({each.sure:.0%} sure)")
    parts = [("Row", f"{each.row}" + (f", {each.file}" if each.file else ""))]
    if shown:
        parts.append(("Cells", ", ".join(shown)))
    if each.reasons:
        steps = (f"{name} ({value:+.3g})".replace("-", "−") for name, value in each.reasons)
        parts.append(("Misled by", ", ".join(steps)))
    if each.neighbours:
        near = (f"row {n.row} is {_value(n.truth)}, at {n.distance:.2g}" for n in each.neighbours)
        parts.append(("Nearest rows", "; ".join(near)))
    return Article(title=f"{_value(each.truth)}, answered {said}", parts=parts)


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)
