"""Where somebody else was better, in sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from peers.entries import OURS, entry
from peers.measure import Measured, Table
from peers.summary import number
from peers.tables import against

__all__ = ["Contest", "losses"]

_WORTH_SAYING = 1.03


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One column of one table.

    Parameters
    ----------
    name
        What is measured, as it stands in a sentence.
    unit, scale
        Of the shown numbers.
    found
        The contestants; less is better.
    ours
        Which of them are ours.
    """

    name: str
    unit: str
    found: Table
    scale: float = 1.0
    ours: tuple[str, ...] = OURS


def losses(contests: Sequence[Contest]) -> list[str]:
    """A line for each contest that our best lost by more than three in a hundred, worst first."""
    lines: list[tuple[float, str]] = []
    for contest in contests:
        there = {name: m for name, m in contest.found.items() if m.is_there}
        mine = {name: m for name, m in there.items() if name in contest.ours}
        peers = {name: m for name, m in there.items() if name not in contest.ours and name != "products"}
        if not mine or not peers:
            continue
        best = min(mine, key=lambda name: mine[name].median)
        won = sorted(
            ((against(mine[best], m), name) for name, m in peers.items() if against(mine[best], m) > _WORTH_SAYING),
            reverse=True,
        )
        if won:
            others = ", ".join(f"{_label(name)} {_shown(there[name], contest)}" for _, name in won)
            ours = f"ours at best {_shown(mine[best], contest)} ({_label(best)})"
            lines.append((won[0][0], f"- {contest.name}: {ours}; {others}: {won[0][0]:.2f} times as much."))
    return [line for _, line in sorted(lines, reverse=True)]


def _label(name: str) -> str:
    return entry(name).label.strip("*")


def _shown(measured: Measured, contest: Contest) -> str:
    return f"{number(measured.median * contest.scale)} {contest.unit}"
