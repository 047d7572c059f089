"""``pellucid units``: what the hidden units of a run learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.streams import say
from pellucid.numerals import numeral

if TYPE_CHECKING:
    from rich.table import Table

    from pellucid.inspection.units import Units

__all__ = ["units"]


def units(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[str | None, typer.Argument(help="Rows; default: the run's own table.")] = None,
    *,
    row: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="The picture whose feature maps are drawn, or the text or series that is shown step by step, counted "
            "from 0; default: 0.",
        ),
    ] = None,
    picture: Annotated[
        str | None, typer.Option(help="An image file whose feature maps are drawn, instead of --row.")
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="A folder for pictures and numbers; default: units in the run folder.")
    ] = None,
    replay: Annotated[
        bool,
        typer.Option("--replay/--no-replay", help="Retrain to show earlier epochs; otherwise only the final network."),
    ] = True,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; write pictures only with --out.")
    ] = False,
) -> None:
    """Show dead and saturated units, histograms of outputs by class, and the rows in the last hidden layer.

    Of a convolutional network also its filters, the patches that excite each channel most, the feature maps of a
    picture, and receptive fields; of a network that reads texts or series step by step its states and gates, the
    weights of its heads, and its tokens in two dimensions.
    """
    from pathlib import Path

    from pellucid.cli.console import console, epochs_of, notes
    from pellucid.inspection.units import FILES
    from pellucid.inspection.units import units as units_of_run
    from pellucid.runs.folder import refuse_link
    from pellucid.runs.reads import check_output

    in_run = Path(run if Path(run).is_dir() else ".") / "units"
    if out is None and not json:
        refuse_link(in_run)
    if out is not None or not json:
        check_output(out if out is not None else in_run, run=run, data=data, names=FILES)
    if json:
        import json as json_

        found = units_of_run(run, data, row=row, picture=picture, replayed=replay)
        if out is not None:
            found.save(out)
        say(json_.dumps({**found.to_json(), "out": out}))
        return
    with console.status("retraining" if replay else "running the network") as status:
        found = units_of_run(run, data, row=row, picture=picture, replayed=replay, listener=epochs_of(status))
    folder = found.save(out if out is not None else in_run)
    console.print(f"{found.title}\n", soft_wrap=True, markup=False)
    console.print(_table(found))
    console.print()
    for sentence in found.sentences:
        console.print(sentence, markup=False)
    notes(found.notes)
    console.print(f"The pictures and the numbers are in {folder}", soft_wrap=True, markup=False)


def _table(found: Units) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("hidden layer")
    for heading in (
        "units" if found.channels is None else "channels",
        "dead",
        "saturated",
        "zero outputs",
        "mean",
        "standard deviation",
    ):
        table.add_column(heading, justify="right")
    for each in found.layers:
        mean, deviation = float(each.means.mean()), float((each.deviations**2).mean() ** 0.5)
        table.add_row(
            f"{each.layer.number}  {each.layer.text if found.sequence else each.layer.function}",
            f"{each.layer.units:,}",
            f"{int(each.dead.sum()):,}",
            f"{int(each.saturated.sum()):,}",
            f"{each.zeros:.0%}",
            numeral(mean, 3),
            numeral(deviation, 3),
        )
    return table
