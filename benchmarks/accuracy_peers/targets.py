"""What Pellucid sets out to reach, and how far it has come, in words."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence

from accuracy_peers.comparison import Results, behind, fields, mean_errors, mean_ranks, peers_of, time_ratios

__all__ = ["targets"]

FASTER = {"RealMLP-TD": 5, "TabM-D": 15}  # how many times as fast best is to fit
WORSE = 0.03  # of the dummy's error
SHARE, HALF = 0.8, 0.5  # of the tables, and of the time
MLP = "scikit-learn MLP"
_NOT_YET = "not measured yet"


def targets(
    results: Results, times: Results, tables: Sequence[str], contestants: Sequence[str], labels: dict[str, str]
) -> list[tuple[str, str]]:
    """Each target with what was found on some tables; ``contestants`` are all that should be measured.

    ``times`` are of one run, as the ratio of times of two runs says little.
    """
    return [
        ("best has a better mean rank than every single peer", _ranks(results, tables, contestants, labels)),
        (
            f"on no table is best worse than the best peer by more than {100 * WORSE:.0f} % of the dummy's error",
            _behind(results, tables, contestants, labels),
        ),
        *(
            (f"best fits at least {least} times as fast as {other}", _faster(times, tables, other, least))
            for other, least in FASTER.items()
        ),
        (
            f"quick has a lower error than {labels[MLP]} on at least {100 * SHARE:.0f} % of the tables",
            _beats(results, tables),
        ),
        (f"quick fits in at most half the time of {labels[MLP]}", _half(times, tables)),
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


def _faster(times: Results, tables: Collection[str], other: str, least: int) -> str:
    found = time_ratios(times, tables, other, "best")
    return _judged(found, statistics.geometric_mean(found) >= least, "times", 1) if found else _NOT_YET


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


def _half(times: Results, tables: Collection[str]) -> str:
    found = time_ratios(times, tables, "quick", MLP)
    return _judged(found, statistics.geometric_mean(found) <= HALF, "of it", 2) if found else _NOT_YET


def _judged(ratios: Sequence[float], reached: bool, unit: str, digits: int) -> str:
    """The verdict with the mean, of how many pairs it is, and from where to where they go."""
    said = f"{'reached' if reached else 'missed'}: {statistics.geometric_mean(ratios):.{digits}f} {unit}"
    if len(ratios) == 1:
        return f"{said}, on 1 pair alone"
    spread = f"{min(ratios):.{digits}f} to {max(ratios):.{digits}f}"
    return f"{said}, geometric mean of {len(ratios)} pairs ({spread})"


def _rest(count: int) -> str:
    return f"; {count} {'table' if count == 1 else 'tables'} not measured yet" if count else ""
