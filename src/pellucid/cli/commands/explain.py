"""``pellucid explain``: what each column adds to a prediction, for one row or over many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.cells import row_asked
from pellucid.cli.streams import say
from pellucid.numerals import numeral

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pellucid.inspection.explained_columns import ExplainedColumns
    from pellucid.inspection.explained_image import ExplainedImage
    from pellucid.inspection.explained_row import ExplainedRow

__all__ = ["explain"]

_SHOWN = 15


def explain(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[str | None, typer.Argument(help="Rows; default: those that measured the run.")] = None,
    *,
    row: Annotated[
        int | None, typer.Option(help="Explain this row, counted from 0, of DATA or of the run's own table.")
    ] = None,
    given: Annotated[
        str | None,
        typer.Option("--input", help='Explain the row given here: "age=41,job=nurse"; other columns are missing.'),
    ] = None,
    label: Annotated[str | None, typer.Option("--class", help="The class whose probability is explained.")] = None,
    budget: Annotated[
        int,
        typer.Option(
            min=1,
            help="About how many predictions may be made to explain a row; at least two pairs of orders are drawn.",
        ),
    ] = 200_000,
    cover: Annotated[
        str | None,
        typer.Option(
            help="What occlusion puts in the place of a part of an image, grey or blur, or of a token, padding "
            "or unknown. (grey; padding)"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed for the rows and the column orders.")] = 0,
    out: Annotated[Path | None, typer.Option(help="A folder for the pictures (PNG and SVG).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what each column adds to one prediction (--row, --input), or to all: importance, effects, interactions.

    Of an image (--row) it shows what each pixel adds: integrated gradients, occlusion, and Grad-CAM for a convolutional
    network; of a text or a series that is read step by step, what each token, or each step of each channel, adds to
    this row, or without --row on average over many.
    """
    import json as json_

    from pellucid.errors import SettingError
    from pellucid.plots.canvas import save
    from pellucid.runs.reads import check_output
    from pellucid.runs.rows_of_run import model_of

    number, cells = row_asked(row, given)
    if out is not None:
        pictures = ("row.png", "row.svg", "importance.png", "importance.svg", "dependence.png", "dependence.svg")
        check_output(out, run=run, data=data, names=pictures)
    asked: dict[str, Any] = {"label": label, "seed": seed}
    found: Any
    show: Any
    over_rows = row is None and given is None
    if model_of(run).network.on_sequences:
        found, show = _of_steps(run, data, number, cells, cover, over_rows=over_rows, **asked)
    elif over_rows:
        from pellucid.inspection.explained_columns import explain_columns

        found, show = explain_columns(run, data, **asked), _show_columns
    elif (model := model_of(run)).image is not None and model.task.kind != "reconstruction":
        if given is not None:
            raise SettingError("an image cannot be typed: use --row N of DATA instead of --input")
        from pellucid.inspection.explained_image import COVERS, explain_image

        found, show = explain_image(run, data, row=number, cover=cover or COVERS[0], **asked), _show_image
    else:
        from pellucid.inspection.explained_row import explain_row

        found, show = explain_row(run, data, row=number, inputs=cells, budget=budget, **asked), _show_row
    if json:
        say(json_.dumps(found.to_json()))
    else:
        show(found)
    if out is not None:
        _folder(out)
        for name, figure in _figures(found, over_rows=over_rows).items():
            save(figure(), out / name)
        if not json:
            say(f"\nThe pictures are in {out}")


def _figures(found: Any, *, over_rows: bool) -> dict[str, Any]:
    """What draws each picture, by its name."""
    if hasattr(found, "importance_figure"):
        return {"importance": found.importance_figure, "dependence": found.dependence_figure}
    return {"importance" if over_rows else "row": found.figure}


def _of_steps(
    run: str,
    data: str | None,
    row: int,
    cells: dict[str, object] | None,
    cover: str | None,
    *,
    over_rows: bool,
    **asked: Any,
) -> tuple[Any, Any]:
    """What is found of a text or series, or of many, and what shows it."""
    from pellucid.cli.explained_steps import show_sequence, show_sequences
    from pellucid.inspection.explained_sequence import explain_sequence
    from pellucid.inspection.explained_sequences import explain_sequences

    if over_rows:
        return explain_sequences(run, data, **asked), show_sequences
    return explain_sequence(run, data, row=row, inputs=cells, cover=cover, **asked), show_sequence


def _folder(out: Path) -> None:
    from pellucid.errors import StorageError
    from pellucid.io.files import could_not

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(could_not("write", out, error)) from error


def _show_row(found: ExplainedRow) -> None:
    import numpy as np
    from rich.markup import escape
    from rich.table import Table

    from pellucid.cli.console import console, notes
    from pellucid.inspection.trace import shown_cell

    values, slopes = found.shapley.values, found.by_column
    base, answer, what = found.shapley.base, found.shapley.answer, found.output.name
    truth = "" if found.truth is None else f"; it is {found.truth}"
    console.print(f"[bold]{escape(found.title)}[/]: {escape(str(found.prediction))}{escape(truth)}", soft_wrap=True)
    console.print(
        f"The {escape(what)} is {numeral(answer)}; its mean over {escape(found.background_title)} is {numeral(base)}. "
        "What each column adds to the difference:\n", soft_wrap=True,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("column", overflow="fold")
    table.add_column("cell", overflow="fold")
    for heading in ("Shapley value", "± (95 %)", "integrated gradients"):
        table.add_column(heading, justify="right")
    order = np.argsort(-np.abs(values), kind="stable")
    halves: list[float] = []
    for i in order[:_SHOWN]:
        cell = found.cells[i]
        shown = shown_cell(cell.cell)
        halves.append(found.shapley.half_width([i]))
        table.add_row(escape(cell.column), escape(shown), _signed(values[i]), _half(halves[-1]), _signed(slopes[i]))
    if len(rest := order[_SHOWN:]):
        halves.append(found.shapley.half_width(rest))
        sums = _signed(values[rest].sum()), _half(halves[-1]), _signed(slopes[rest].sum())
        table.add_row(f"{len(rest):,} others", "", *sums)
    console.print(table)
    if any(map(math.isnan, halves)):
        console.print("—: no interval, because all drawn orders gave the column the same value", soft_wrap=True)
    for cell in found.cells:
        if words := found.words_of(cell.column):
            here = dict(cell.features)
            said = ", ".join(
                f'"{word}" {_signed(value)}' + ("" if here[f'{cell.column}: "{word}"'] else " (absent)")
                for word, value in words
            )
            console.print(f"\nWords of {escape(cell.column)} that add most: {escape(said)}", soft_wrap=True,
                          highlight=False)  # fmt: skip
    notes(found.notes)
    how = (
        "all coalitions of columns were evaluated"
        if found.shapley.exact
        else "column orders were drawn for each of those rows, each with its reverse"
    )
    console.print(
        f"\nShapley values: {how} ({found.shapley.asked:,} predictions); their sum misses the difference by "
        f"{numeral(abs(found.shapley.gap), 1)}.\n"
        f"Integrated gradients: {found.gradients.points:,} points on the way from the mean of those rows, whose "
        f"{escape(what)} is {numeral(found.gradients.reference)}; completeness gap "
        f"{numeral(abs(found.gradients.gap), 1)}.",
        soft_wrap=True, highlight=False,
    )  # fmt: skip


def _half(width: float) -> str:
    return "—" if math.isnan(width) else numeral(width, 2) if width else "exact"


def _show_image(found: ExplainedImage) -> None:
    from rich.markup import escape
    from rich.table import Table

    from pellucid.cli.console import console, notes

    gradients, what = found.gradients, found.output.name
    truth = "" if found.truth is None else f"; it is {found.truth}"
    console.print(f"[bold]{escape(found.title)}[/]: {escape(str(found.prediction))}{escape(truth)}", soft_wrap=True)
    console.print(
        f"The {escape(what)} is {numeral(gradients.answer)}; that of the mean of {escape(found.background_title)} is "
        f"{numeral(gradients.reference)}. What each part of the image adds:\n", soft_wrap=True,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False, show_header=False)
    values = list(found.by_part.values())
    for start in (0, 3, 6):
        table.add_row(*(_signed(value) for value in values[start : start + 3]))
    console.print(table)
    for name, value in found.others.items():
        console.print(f"besides the image: {escape(name)} {_signed(value)}", highlight=False)
    console.print()
    for sentence in found.sentences:
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    notes(found.notes)
    console.print(
        f"\nIntegrated gradients of every pixel, summed over nine parts of the image, in {gradients.points:,} points; "
        f"completeness gap {numeral(abs(gradients.gap), 1)}. --out FOLDER draws them, --json prints them all.",
        soft_wrap=True, highlight=False,
    )  # fmt: skip


def _show_columns(found: ExplainedColumns) -> None:
    from rich.markup import escape
    from rich.table import Table

    from pellucid.cli.console import console

    importance = found.importance
    rows_of_importance, rows_of_dependence, rows_of_pairs = found.sampled
    console.print(
        f"[bold]Importance[/] on {rows_of_importance:,} of {escape(found.title)}: how much {found.rise} "
        f"({numeral(importance.error)}) rises when a column is shuffled", soft_wrap=True, highlight=False,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("column", overflow="fold")
    for heading in ("rise", "95 % interval"):
        table.add_column(heading, justify="right")
    for i in found.order[:_SHOWN]:
        ends = importance.low[i], importance.high[i]
        interval = "—" if math.isnan(ends[0]) else " – ".join(map(_signed, ends))
        table.add_row(escape(found.columns[i]), _signed(importance.values[i]), interval)
    console.print(table)
    if any(math.isnan(importance.low[i]) for i in found.order[:_SHOWN]):
        console.print("—: no interval, because shuffling the column changes the error of all rows equally, or of none",
                      soft_wrap=True)  # fmt: skip
    if len(found.order) > _SHOWN:
        console.print(f"{len(found.order) - _SHOWN:,} more columns are less important (see them with --json)")
    console.print(f"\n[bold]Dependence[/] of the {escape(found.explained)}, over {rows_of_dependence:,} rows")
    for i, grid, each in found.dependences:
        console.print(f"{escape(found.columns[i])}: {escape(_ends(grid.values, each.mean))}", soft_wrap=True)
    if found.interactions:
        console.print(
            f"\n[bold]Interactions[/], by Friedman and Popescu's H on {rows_of_pairs:,} rows "
            f"({escape(found.output.name)}): 0 is no interaction, 1 is interaction only", soft_wrap=True,
        )  # fmt: skip
        for first, second, h in found.interactions[:3]:
            console.print(f"{escape(first)} × {escape(second)}: {h:.2f}", highlight=False)


def _ends(values: Sequence[float] | Sequence[str], mean: NDArray[Any]) -> str:
    """Where the mean prediction is lowest and highest."""
    import numpy as np

    if mean.ndim == 2:  # of several classes, the one that varies most
        mean = mean[:, int(np.argmax(np.ptp(mean, axis=0)))]
    low, high = int(mean.argmin()), int(mean.argmax())
    show = [v if isinstance(v, str) else numeral(v) for v in values]
    return f"from {numeral(mean[low], 3)} at {show[low]} to {numeral(mean[high], 3)} at {show[high]}"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−") if abs(value) < 1000 else f"{value:+,.0f}".replace("-", "−")
