"""What Pellucid sets out to reach, and how far it has come, in words."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from accuracy_peers.comparison import Results, behind, fields, mean_errors, mean_ranks, peers_of, time_ratio

__all__ = ["targets"]

FASTER = {"RealMLP-TD": 5, "TabM-D": 15}  # how many times as fast best is to fit
WORSE = 0.03  # of the dummy's error
SHARE, HALF = 0.8, 0.5  # of the tables, and of the time
MLP = "scikit-learn MLP"
_NOT_YET = "not measured yet"


def targets(
    results: Results, tables: Sequence[str], contestants: Sequence[str], labels: dict[str, str]
) -> list[tuple[str, str]]:
    """Each target with what was found on some tables; ``contestants`` are all that should be measured."""
    return [
        ("best has a better mean rank than every single peer", _ranks(results, tables, contestants, labels)),
        (
            f"on no table is best worse than the best peer by more than {100 * WORSE:.0f} % of the dummy's error",
            _behind(results, tables, contestants, labels),
        ),
        *(
            (f"best fits at least {times} times as fast as {other}", _faster(results, tables, other, times))
            for other, times in FASTER.items()
        ),
        (
            f"quick has a lower error than {labels[MLP]} on at least {100 * SHARE:.0f} % of the tables",
            _beats(results, tables),
        ),
        (f"quick fits in at most half the time of {labels[MLP]}", _half(results, tables)),
    ]


def _ranks(results: Results, tables: Sequence[str], contestants: Sequence[str], labels: dict[str, str]) -> str:
    """The verdict on ranks, one for each field of contestants."""
    told = []
    compared: set[str] = set()
    for field in fields(results, tables, contestants):
        if "best" not in field.contestants:
            continue
        ranks = mean_ranks(results, field)
        peers = peers_of(field.contestants)
        compared |= set(peers)
        ahead = [f"{labels[peer]} ({ranks[peer]:.2f})" for peer in peers if ranks[peer] <= ranks["best"]]
        verdict = f"missed: {', '.join(ahead)} not behind best" if ahead else "reached"
        told.append(f"{verdict} ({ranks['best']:.2f}) among {len(peers)} peers on {len(field.pairs)} pairs")
    missing = [labels[peer] for peer in peers_of(contestants) if peer not in compared]
    if not told:
        return _NOT_YET
    return "; ".join(told) + (f"; {_NOT_YET}: {', '.join(missing)}" if missing else "")


def _behind(results: Results, tables: Sequence[str], contestants: Sequence[str], labels: dict[str, str]) -> str:
    """The tables where best is worse, named, with by how much and than whom."""
    found = {table: behind(results, table, "best", peers_of(contestants)) for table in tables}
    known = {table: each for table, each in found.items() if each}
    if not known:
        return _NOT_YET
    late = [
        f"{table} ({100 * gap.share:.1f} %, {labels[gap.peer]}{'' if gap.learnt else '; the dummy is better than all'})"
        for table, gap in known.items()
        if gap.share > WORSE
    ]
    said = f"missed on {len(late)} of {len(known)}: {', '.join(late)}" if late else f"reached on {len(known)} tables"
    return said + _rest(len(tables) - len(known))


def _faster(results: Results, tables: Collection[str], other: str, times: int) -> str:
    ratio, pairs = time_ratio(results, tables, other, "best")
    if not pairs:
        return _NOT_YET
    return f"{'reached' if ratio >= times else 'missed'}: {ratio:.1f} times, geometric mean of {pairs} pairs"


def _beats(results: Results, tables: Sequence[str]) -> str:
    wins, losses = [], []
    for table in tables:
        means = mean_errors(results, table, ("quick", MLP))
        ours, theirs = means["quick"], means[MLP]
        if ours and theirs:
            (wins if ours[0] < theirs[0] else losses).append(table)
    together = len(wins) + len(losses)
    if not together:
        return _NOT_YET
    said = "reached" if len(wins) >= SHARE * together else "missed"
    rest = f"; not on {', '.join(losses)}" if losses else ""
    return f"{said}: on {len(wins)} of {together}{rest}" + _rest(len(tables) - together)


def _half(results: Results, tables: Collection[str]) -> str:
    ratio, pairs = time_ratio(results, tables, "quick", MLP)
    if math.isnan(ratio):
        return _NOT_YET
    return f"{'reached' if ratio <= HALF else 'missed'}: {ratio:.2f} of it, geometric mean of {pairs} pairs"


def _rest(count: int) -> str:
    return f"; {count} {'table' if count == 1 else 'tables'} not measured yet" if count else ""
