"""``pellucid lr``: which learning rate to train with, by a range test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say

if TYPE_CHECKING:
    from rich.table import Table

    from pellucid.training.range_test import RangeTest

__all__ = ["lr"]

_BAR = 32  # characters of the longest bar


@with_settings
def lr(
    data: Annotated[str | None, typer.Argument(help="A table, images, or a built-in data set.")] = None,
    *,
    config: Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")] = None,
    out: Annotated[str | None, typer.Option(help="A folder for the curve: CSV, JSON, PNG and SVG.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    settings: dict[str, Any],
) -> None:
    """Find a learning rate: raise it from 1e-7 to 10 over about an epoch of DATA and watch the loss."""
    from pellucid.errors import NotKeptError
    from pellucid.selection.range_test import lr_range_test

    unwritten = None
    try:
        found = lr_range_test(data, config=config, out=out, **settings)
    except NotKeptError as error:
        found, unwritten = error.result, error
    if json:
        import json as json_

        say(json_.dumps({**found.to_json(), "out": out}))
        if unwritten is not None:
            raise unwritten
        return
    from pellucid.cli.console import console, notes

    test = found.test
    console.print(
        f"{len(test.rates):,} steps of {found.batch_size:,} rows ({found.n_rows:,} to train on), "
        f"{found.loss}, {found.settings.optimizer}\n"
    )
    console.print(_curve(test))
    end = f"exploded at {test.blew_up:.2g}" if test.blew_up is not None else f"no explosion up to {test.rates[-1]:g}"
    console.print(f"\nsteepest fall at {test.steepest:.2g}; minimum at {test.bottom:.2g}; {end}")
    console.print(f"[bold]learning rate {found.learning_rate:g}[/], {_rule(test)}")
    notes(found.notes)
    if unwritten is not None:
        raise unwritten
    if out is not None:
        console.print(f"The curve is in {out}", soft_wrap=True, markup=False)
    console.print(f"Next: {found.command}", soft_wrap=True, markup=False)


def _rule(test: RangeTest) -> str:
    limited = test.blew_up is not None and test.blew_up / 10 < test.bottom / 2
    return "a tenth of the rate at which the loss exploded" if limited else "half of the rate at the minimum"


def _curve(test: RangeTest) -> Table:
    """Two lines a decade: the rate, the smoothed loss there, and a bar."""
    import math

    import numpy as np
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("learning rate", "loss"):
        table.add_column(heading, justify="right")
    table.add_column("")
    first, last = math.log10(test.rates[0]), math.log10(test.rates[-1])
    wanted = np.append(np.arange(first, last, 0.5), last)
    shown = sorted({int(np.abs(np.log10(test.rates) - at).argmin()) for at in wanted})
    longest = max(test.smoothed[i] for i in shown)
    for i in shown:
        bar = "█" * max(1, round(_BAR * test.smoothed[i] / longest))
        table.add_row(f"{test.rates[i]:.1e}", f"{test.smoothed[i]:.4f}", bar)
    return table
