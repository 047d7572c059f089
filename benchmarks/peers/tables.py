"""Markdown tables of what was measured: a row a contestant, a column a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from peers.entries import Entry
from peers.measure import Measured, Table
from peers.summary import median_ratio, times

__all__ = ["against", "factors", "grid", "medians", "reasons", "words"]

Cell = Callable[[Table, str], str]


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table; the first column is text, the others are set to the right.

    >>> grid(["a", "b"], [["x", "1"]])
    ['| a | b |', '|---|---:|', '| x | 1 |']
    """
    lines = [list(head), *map(list, rows)]
    shown = [f"| {' | '.join(line)} |" for line in lines]
    return [shown[0], "|---|" + "---:|" * (len(head) - 1), *shown[1:]]


def against(one: Measured, other: Measured) -> float:
    """How many times as long ``one`` took: by rounds, where both have the same number of them."""
    if len(one.values) == len(other.values):
        return median_ratio(one.values, other.values)
    return one.median / other.median


def words(measured: Measured) -> str:
    """A status that fits into a cell."""
    return "" if measured.is_there else measured.status.partition(":")[0]


def _rows(entries: Sequence[Entry], jobs: Mapping[str, Table], cell: Cell) -> list[list[str]]:
    rows = []
    for who in entries:
        if any(who.name in found for found in jobs.values()):
            cells = [
                (words(found[who.name]) or cell(found, who.name)) if who.name in found else "–"
                for found in jobs.values()
            ]
            rows.append([who.label, *cells])
    return rows


def factors(entries: Sequence[Entry], jobs: Mapping[str, Table], base: str, head: str) -> list[str]:
    """How many times as fast as ``base`` each contestant is."""

    def cell(found: Table, name: str) -> str:
        if base not in found or not found[base].is_there:
            return "–"
        return f"{against(found[base], found[name]):.2f}×"

    return grid([head, *jobs], _rows(entries, jobs, cell))


def medians(entries: Sequence[Entry], jobs: Mapping[str, Table], head: str, *, scale: float = 1.0) -> list[str]:
    """Medians with the middle half of the rounds."""
    return grid([head, *jobs], _rows(entries, jobs, lambda found, name: times([v * scale for v in found[name].values])))


def reasons(entries: Sequence[Entry], jobs: Mapping[str, Table]) -> list[str]:
    """For each contestant without a number, why."""
    lines = [
        f"- {who.label} on {job}: {found[who.name].status}."
        for job, found in jobs.items()
        for who in entries
        if who.name in found and ":" in found[who.name].status
    ]
    return [*lines, ""] if lines else []
