"""``pellucid check``: do the textbook and PyTorch agree on this run's network and rows?"""

from __future__ import annotations

from typing import Annotated

import typer

from pellucid.cli.streams import say

__all__ = ["check"]


def check(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    data: Annotated[str | None, typer.Argument(help="Rows with the target; default: the run's own table.")] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=100_000, help="Number of updates before the weights are compared; default: 200, for a cnn 20."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare the textbook engine with the others in float64; the exit code is 1 if they differ too much."""
    from pellucid.workflow.check import check as check_run

    parity = check_run(run, data, n_steps=steps)
    if json:
        import json as json_
        from dataclasses import asdict

        say(json_.dumps({**asdict(parity), "agrees": parity.agrees}))
    else:
        from pellucid.cli.console import console, parity_table

        console.print(parity_table(parity))
        verdict = "[green]The engines agree.[/]" if parity.agrees else "[red]The engines do not agree.[/]"
        console.print(f"\n{verdict}")
    if not parity.agrees:
        raise typer.Exit(1)
