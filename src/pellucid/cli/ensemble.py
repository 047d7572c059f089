"""What the terminal shows of an ensemble: what averaging its networks gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from pellucid.cli.console import console
from pellucid.numerals import numerals

__all__ = ["show_ensemble"]


def show_ensemble(facts: Mapping[str, Any]) -> None:
    """Print the ensemble beside its networks, and a sentence on cost and gain."""
    how = "by folds" if facts["how"] == "folds" else "by seeds"
    count = facts["n_networks"]
    title = f"Ensemble of {count:,} network{'s' if count != 1 else ''}, {how}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("metric")
    for heading in ("ensemble", "mean network", "best", "worst"):
        table.add_column(heading, justify="right")
    for name, numbers in facts["metrics"].items():
        cells = numerals([numbers[key] for key in ("together", "mean", "best", "worst")])
        table.add_row(escape(name.replace("_", " ")), *cells)
    console.print(table)
    console.print(escape(facts["sentence"]))
