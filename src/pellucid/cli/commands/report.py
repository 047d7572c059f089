"""``pellucid report``: write the report of a run again."""

from __future__ import annotations

from typing import Annotated

import typer

from pellucid.cli.streams import say

__all__ = ["report"]


def report(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    *,
    rows: Annotated[bool, typer.Option("--rows/--no-rows", help="Show up to 50 rows of the table, or none.")] = True,
    out: Annotated[str | None, typer.Option(help="The file; default: report.html in the run folder.")] = None,
) -> None:
    """Write the report of RUN: one self-contained page with all results."""
    from pellucid.reports.report import report as write

    say(f"The report is in {write(run, rows=rows, out=out)}")
