"""What the page of a traced row says of the whole row: answer, loss, agreement, and the picture itself."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.loss import loss_of, why_it_rose
from pellucid.explanation.words.values import Note, n, strongest
from pellucid.inspection.trace import Traced
from pellucid.numerals import numeral
from pellucid.reports.trace_panels import UNITS, folded
from pellucid.reports.trace_values import Formulas, PagePart, PageParts, Panel, Picture

__all__ = ["overview", "pictures_of"]

Array = NDArray[Any]
KeyOf = Callable[[int], str | None]

_LISTED = 1_000  # classes of the table of probabilities


def overview(found: Traced, key_of: KeyOf, units: int) -> Panel:
    """The panel of the whole row: its answer, its loss and how far other computations agree; links by output."""
    sections: list[tuple[str, PageParts]] = [("Answer", _answers(found, key_of)), ("Loss", _loss(found, key_of, units))]
    return Panel(key="overview", title="Overview", below="", sections=[*sections, ("Agreement", _agreement(found))])


def _answers(found: Traced, key_of: KeyOf) -> PageParts:
    alone, together, several = found.answer, found.together, found.n_networks > 1
    task = found.model.task
    if not isinstance(alone, Mapping) or not isinstance(together, Mapping):
        assert isinstance(alone, float)
        assert isinstance(together, float)
        all_of_them = f"; all {found.n_networks} networks together: {numeral(together, 6)}" if several else ""
        truth = "" if found.truth is None else f" The row's own {task.target} is {found.truth}."
        return [Note(text=f"{task.target}: {numeral(alone, 6)}{all_of_them}.{truth}")]
    if task.kind == "reconstruction":
        seen = found.row.layers[0].inputs
        order = strongest(found.row.logits - seen, UNITS)
        rows: list[tuple[str, ...]] = [
            (found.model.recipe.feature_names[k], n(seen[k]), n(found.row.logits[k])) for k in order
        ]
        headings: tuple[str, ...] = ("furthest off", "input", "reconstructed")
        keys = [key_of(k) for k in order]
    else:
        names = sorted(alone, key=lambda name: -alone[name])
        rows = [(name, n(alone[name]), *([n(together[name])] if several else [])) for name in names[:_LISTED]]
        headings = (task.target, "probability", *([f"all {found.n_networks} networks"] if several else []))
        at = {str(label): k for k, label in enumerate(task.classes)}
        keys = [key_of(at[name] if task.kind == "multiclass" else 0) for name in names[:_LISTED]]
    rest = len(alone) - len(rows)
    made: list[PagePart] = [Formulas(caption="Of this network", headings=headings, rows=rows, keys=keys)]
    if rest:
        made.append(Note(text=f"and {rest:,} more"))
    if found.truth is not None:
        made.append(Note(text=f"The row's own {task.target} is {found.truth}."))
    return made


def _loss(found: Traced, key_of: KeyOf, units: int) -> PageParts:
    back = found.row.back
    if back is None:
        return [Note(text="The row's target is not known, so there is no loss and no backward pass.")]
    step = (
        f"One step of {back.optimizer.name} with learning rate {back.learning_rate:g}, its first and on this row "
        f"alone, takes the loss from {n(back.loss)} to {n(back.loss_after)}. Each unit's panel has its weights before "
        "and after."
    )
    rose = why_it_rose(back)
    arithmetic = folded(loss_of(found.outcome), units, key_of)
    return [*arithmetic, Note(text=step), *([Note(text=rose)] if rose else [])]


def _agreement(found: Traced) -> PageParts:
    a = found.row.agreement
    rows = []
    if a.logits is not None:
        rows.append(("the outputs", "PyTorch's", f"{a.logits:.1g}"))
    if a.gradients is not None:
        rows.append(("∂L/∂ of every weight", "PyTorch's autograd", f"{a.gradients:.1g}"))
    if a.central_differences is not None:
        rows.append((f"the {a.n_nudged} steepest of them", "central differences", f"{a.central_differences:.1g}"))
    if not rows:
        return [Note(text="PyTorch is not installed, so nothing was compared.")]
    return [
        Formulas(
            caption="Measured on this row", headings=("computed here", "compared with", "differ by at most"), rows=rows
        ),
        Note(text="The difference of a and b is |a − b| / max(1, |a|, |b|)."),
    ]


def pictures_of(found: Traced) -> list[Picture]:
    """The image, and beside it its reconstruction."""
    step = found.model.image
    cell = next((c.cell for c in found.cells if step is not None and c.column == step.name), None)
    if step is None or not isinstance(cell, np.ndarray):
        return []
    made = [Picture(png=_png(cell), caption="the image")]
    if found.model.task.kind == "reconstruction" and len(found.cells) == 1:
        made.append(Picture(png=_png(step.decode(found.row.logits[np.newaxis])[0]), caption="reconstructed"))
    return made


def _png(pixels: Array) -> bytes:
    """Pixels ``[H, W, C]`` of bytes as a PNG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()
