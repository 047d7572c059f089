"""``pellucid data``: the built-in data sets."""

from __future__ import annotations

from typing import Annotated

import typer

from pellucid.cli.streams import say

__all__ = ["data"]


def data(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the built-in data sets and their targets."""
    from pellucid.data.builtin import BUILTIN

    if json:
        import json as json_

        facts = {
            name: {
                "rows": s.rows,
                "task": s.task,
                "target": s.target,
                "description": s.description,
                "source": s.source,
            }
            for name, s in BUILTIN.items()
        }
        say(json_.dumps(facts))
        return
    from rich.table import Table

    from pellucid.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "rows", "task", "target", "description"):
        table.add_column(heading, justify="right" if heading == "rows" else "left")
    for name, s in BUILTIN.items():
        table.add_row(name, f"{s.rows:,}", s.task, s.target, s.description)
    console.print(table)
    console.print("\nTo train on one: pellucid train iris")
