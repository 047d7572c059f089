"""A forecast in the terminal: its errors by how far ahead it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from pellucid.numerals import numerals

__all__ = ["horizon_table"]

_MOST = 12  # lines


def horizon_table(errors: Sequence[Mapping[str, Any]]) -> Table:
    """The errors at each step ahead; of many steps, some."""
    table = Table(title="Forecasts from every step of the test part", title_justify="left", box=None, pad_edge=False,
                  header_style="bold")  # fmt: skip
    headings = ("steps ahead", "RMSE", "of persistence", "MAE", "MASE", "in the 90 % interval", "forecasts")
    for heading in headings:
        table.add_column(heading, justify="right")
    every = max(1, -(-len(errors) // _MOST))
    for each in errors[::every] if every == 1 else [*errors[:1], *errors[every - 1 :: every]]:
        rmse, other, mae = numerals([each["rmse"], each["persistence"], each["mae"]])
        scaled = "—" if each["mase"] is None else f"{each['mase']:.2f}"
        covered = "—" if each["coverage"] is None else f"{each['coverage']:.0%}"
        table.add_row(str(each["steps"]), rmse, other, mae, scaled, covered, f"{each['count']:,}")
    return table
