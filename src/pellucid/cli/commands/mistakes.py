"""``pellucid mistakes``: the rows with the worst predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.streams import say
from pellucid.numerals import numeral

if TYPE_CHECKING:
    from pellucid.inspection.mistakes import Mistake

__all__ = ["mistakes"]


def mistakes(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[
        str | None, typer.Argument(help="Rows with their target; default: those that measured the run.")
    ] = None,
    *,
    most: Annotated[int, typer.Option("-n", "--most", min=1, help="How many to show.")] = 10,
    explain: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Find the columns that misled the network (Shapley values).")
    ] = True,
    out: Annotated[Path | None, typer.Option(help="For images: the picture (.png or .svg).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the worst mistakes, the rows near them, and the columns that misled the network."""
    from rich.markup import escape

    from pellucid.cli.console import console, notes
    from pellucid.errors import SettingError
    from pellucid.inspection.mistakes import mistakes as find
    from pellucid.runs.reads import check_output

    if out is not None and out.suffix.lower() not in (".png", ".svg"):
        raise SettingError(f"out must end in .png or .svg, got {str(out)!r}")
    if out is not None:
        check_output(out, run=run, data=data)
    found = find(run, data, most=most, explain=explain)
    if out is not None:
        from pellucid.io.files import write_bytes
        from pellucid.plots.canvas import encode

        drawing = found.figure()
        if drawing is None:
            raise SettingError("--out writes the pictures of an image model: leave it out")
        write_bytes(out, encode(drawing, out.suffix.lower()[1:]))
    if json:
        import json as json_

        say(json_.dumps(found.to_json()))
        return
    wrong = f"{found.n_wrong:,} of " if found.model.task.is_classification else ""
    console.print(f"[bold]Worst mistakes[/] in {escape(found.title)}: {wrong}{found.n_rows:,} rows", soft_wrap=True)
    for place, each in enumerate(found.found, 1):
        _show(place, each)
    if found.nearest:
        console.print(f"\n{found.nearest}", soft_wrap=True, highlight=False)
    notes(found.notes)
    if out is not None:
        console.print(f"\nThe picture is in {out}", soft_wrap=True, markup=False)


def _show(place: int, each: Mistake) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console
    from pellucid.inspection.mistakes import cells_that_matter, pushes

    sure = "" if each.sure is None else f" ({each.sure:.0%})"
    where = f"row {each.row}" + (f", {each.file}" if each.file else "")
    title = f"{place}. Actual {_value(each.truth)}, predicted {_value(each.prediction)}{sure}: {where}"
    console.print(f"\n[bold]{escape(title)}[/]", soft_wrap=True, highlight=False)
    shown = [f"{name} {'missing' if cell is None else _value(cell)}" for name, cell in cells_that_matter(each, most=12)]
    if len(each.cells) > len(shown):
        shown.append(f"and {len(each.cells) - len(shown):,} more")
    near = "; ".join(
        f"row {n.row}: {_value(n.truth)}, predicted {_value(n.prediction)}, distance {numeral(n.distance, 2)}"
        for n in each.neighbours
    )
    misled = ", ".join(f"{name} ({push})" for name, push in pushes(each))
    for name, text in (("Cells", ", ".join(shown)), ("Misled by", misled), ("Nearest rows", near)):
        if text:
            console.print(f"   {name}: {escape(text)}", soft_wrap=True, highlight=False)


def _value(value: object) -> str:
    return numeral(value, 5) if isinstance(value, float) else str(value)
