"""``pellucid lottery``: how much a metric varies with the seed, and how much with the split."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say
from pellucid.numerals import numerals

if TYPE_CHECKING:
    from rich.table import Table

    from pellucid.errors import NotKeptError
    from pellucid.selection.lottery import Lottery

__all__ = ["lottery"]

_DRAWN = {"seed": "another seed", "split": "another split"}


@with_settings
def lottery(
    data: Annotated[
        str | None, typer.Argument(metavar="RUN|DATA", help="A run folder, a table, images, or a built-in data set.")
    ] = None,
    *,
    seeds: Annotated[
        str, typer.Option(metavar="N", help="How many other seeds, and how many other splits (default: 50).")
    ] = "50",
    metric: Annotated[
        str | None, typer.Option(metavar="WORD", help="The metric; default: ROC AUC, accuracy or RMSE, by task.")
    ] = None,
    config: Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")] = None,
    out: Annotated[str | None, typer.Option(help="A folder for the runs and the picture: CSV, JSON, PNG, SVG.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    settings: dict[str, Any],
) -> None:
    """Train one setting many times, with other seeds and with other splits, and show how much the results vary."""
    from pellucid.cli.console import console, notes
    from pellucid.selection.lottery import lottery as workflow
    from pellucid.settings.rules import whole
    from pellucid.training.events import Event, Progress

    count = whole(5, 1000)("seeds", seeds)
    if json:
        import json as json_

        found, unwritten = _result(workflow, data, seeds=count, metric=metric, config=config, out=out, **settings)
        say(json_.dumps({**found.to_json(), "out": out}))
        if unwritten is not None:
            raise unwritten
        return
    with console.status("reading") as status:

        def show(event: Event) -> None:
            if isinstance(event, Progress):
                status.update(f"{_DRAWN[event.what]}: {event.done:,} of {event.of:,} runs")

        found, unwritten = _result(
            workflow, data, seeds=count, metric=metric, config=config, out=out, listener=show, **settings
        )
    console.print(_table(found))
    console.print()
    for sentence in found.sentences:
        console.print(sentence, markup=False)
    notes(found.notes)
    if unwritten is not None:
        raise unwritten
    if out is not None:
        console.print(f"The runs and the picture are in {out}", soft_wrap=True, markup=False)
    console.print(f"Next: {found.command}", soft_wrap=True, markup=False)


def _result(workflow: Callable[..., Lottery], *rows: Any, **given: Any) -> tuple[Lottery, NotKeptError | None]:
    """The lottery, also where its files could not be written."""
    from pellucid.errors import NotKeptError

    try:
        return workflow(*rows, **given), None
    except NotKeptError as error:
        return error.result, error


def _table(found: Lottery) -> Table:
    from rich.markup import escape
    from rich.table import Table

    title = f"{found.spoken} on the test rows"
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("drawn anew")
    for heading in ("runs", "failed", "least", "2.5 %", "median", "97.5 %", "most", "±"):
        table.add_column(heading, justify="right")
    for name, draws in (("seed", found.seeds), ("split", found.splits)):
        if draws is not None:
            quantiles = [draws.quantile(share) for share in (0, 0.025, 0.5, 0.975, 1)]
            failed = f"{draws.n_failed / len(draws):.0%}"
            table.add_row(name, f"{len(draws):,}", failed, *numerals([*quantiles, draws.spread]))
    return table
