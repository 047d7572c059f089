"""``pellucid report``: the page of a run, written anew."""

from __future__ import annotations

from typing import Annotated

import typer

from pellucid.cli.streams import say

__all__ = ["report"]


def report(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    *,
    rows: Annotated[
        bool, typer.Option("--rows/--no-rows", help="Show some rows of the table (at most 50), or none.")
    ] = True,
    out: Annotated[str | None, typer.Option(help="The file; else report.html in the run folder.")] = None,
) -> None:
    """Write the report of RUN: one page with everything, complete in itself."""
    from pellucid.reports.report import report as write

    say(f"The report is in {write(run, rows=rows, out=out)}")
