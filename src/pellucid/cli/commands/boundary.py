"""``pellucid boundary``: a network's predictions over two columns, all others held constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.streams import say

if TYPE_CHECKING:
    from rich.table import Table

    from pellucid.inspection.slice import Slice

__all__ = ["boundary"]

_MOST_HELD = 30


def boundary(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[str | None, typer.Argument(help="Rows; default: the run's own table.")] = None,
    *,
    x: Annotated[str | None, typer.Option(metavar="COLUMN", help="Horizontal axis; default: one that matters.")] = None,
    y: Annotated[str | None, typer.Option(metavar="COLUMN", help="Vertical axis; default: one that matters.")] = None,
    row: Annotated[int | None, typer.Option(help="Hold the cells of this row, from 0; default: a typical row.")] = None,
    given: Annotated[str | None, typer.Option("--input", help='Hold these cells instead: "age=41,job=nurse".')] = None,
    label: Annotated[str | None, typer.Option("--class", help="The class whose probability is drawn.")] = None,
    out: Annotated[
        str | None, typer.Option(help="The picture, .png or .svg; default: boundary.png in the run folder.")
    ] = None,
    replay: Annotated[
        str | None, typer.Option(metavar="FILE", help="Retrain and draw every epoch: an animated .gif or .png.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; write pictures only on request.")
    ] = False,
) -> None:
    """Draw the network's predictions over two columns; all other columns are held constant."""
    from pathlib import Path

    from pellucid.cli.cells import cells_given
    from pellucid.cli.console import console, epochs_of, notes
    from pellucid.inspection.boundary import boundary_of, with_test_rows
    from pellucid.inspection.film import check_film, film_of
    from pellucid.inspection.slice import check_picture
    from pellucid.model.model import Model
    from pellucid.runs.reads import check_output
    from pellucid.runs.replay import replay as replay_run
    from pellucid.runs.rows_of_run import location_of_table, rows_of_run

    picture = None
    if out is not None:
        picture = check_picture(out)
    elif not json:
        picture = Path(run if Path(run).is_dir() else ".") / "boundary.png"
    if picture is not None:
        check_output(picture, run=run, data=data)
    if replay is not None:
        check_film(replay)
        check_output(replay, run=run, data=data)
        location_of_table(run)
    model = Model.read(run)
    table, name = rows_of_run(run, model, data)
    inputs = None if given is None else cells_given(given)
    found = boundary_of(model, table, name=name, x=x, y=y, row=row, inputs=inputs, label=label)
    if data is None and Path(run).is_dir():
        found = with_test_rows(found, run)
    if picture is not None:
        found.save(picture)
    said: tuple[str, ...] = ()
    if replay is not None:
        with console.status("retraining") as status:
            replayed = replay_run(run, listener=epochs_of(status))
            film_of(found, model, replayed).save(replay)
        said = replayed.sentences
    if json:
        import json as json_

        say(json_.dumps({**found.to_json(), "out": out, "replay": replay, "replayed": list(said)}))
        return
    _show(found)
    for sentence in (*found.sentences, *said):
        console.print(sentence, markup=False)
    notes(found.notes)
    console.print(f"The picture is {picture}", soft_wrap=True, markup=False)
    if replay is not None:
        console.print(f"The replay is {replay}", soft_wrap=True, markup=False)


def _show(found: Slice) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console

    console.print(f"[bold]{escape(found.title)}[/]\n", soft_wrap=True)
    console.print(f"over {found.x.column!r} (horizontal) and {found.y.column!r} (vertical)\n", markup=False)
    if found.held:
        console.print(_held_table(found))
        console.print()


def _held_table(found: Slice) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from pellucid.explanation.fixed_columns import cell_text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("held constant", "at", "source"):
        table.add_column(heading, overflow="fold")
    for each in found.held[:_MOST_HELD]:
        table.add_row(escape(each.column), escape(cell_text(each.cell)), escape(each.how))
    if len(found.held) > _MOST_HELD:
        table.caption = f"… and {len(found.held) - _MOST_HELD:,} more columns (see all with --json)"
        table.caption_justify = "left"
    return table
