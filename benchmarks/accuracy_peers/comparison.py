"""From lines of results to ranks, normalised scores and ratios of times: only sums, no files.

A pair is a table with a seed. Contestants are compared only on pairs that all of them were measured on; a fit that
failed or ran out of time counts as measured, as wrong as the dummy, and behind everybody that did not fail.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accuracy_peers.contestants import OURS

__all__ = [
    "Field",
    "Gap",
    "behind",
    "error_of",
    "fields",
    "mean_errors",
    "mean_ranks",
    "normalised",
    "peers_of",
    "time_ratio",
    "time_ratios",
    "within_seeds",
]

Key = tuple[str, int, str]
Line = dict[str, Any]
Results = Mapping[Key, Line]
Pair = tuple[str, int]
_LEARNABLE = 0.01  # a table on which nobody beats the dummy by so much of its error says nothing about scores
_CLOCK = 0.001  # seconds; shorter times are noise


@dataclass(frozen=True, kw_only=True)
class Field:
    """Contestants, and the pairs that all of them were measured on."""

    contestants: tuple[str, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """By which share of the dummy's error one is worse than the best of its peers; whether anybody beats the dummy."""

    share: float
    peer: str
    learnt: bool


def peers_of(contestants: Collection[str]) -> list[str]:
    """Those that are neither ours nor the dummy.

    >>> peers_of(["best", "dummy", "LightGBM"])
    ['LightGBM']
    """
    return [who for who in contestants if who not in (*OURS, "dummy")]


def error_of(results: Results, pair: Pair, who: str) -> float:
    """The error of a contestant on a pair; the dummy's, or 1, where the fit failed."""
    line = results[(*pair, who)]
    if line["status"] == "ok":
        return float(line["error"])
    dummy = results.get((*pair, "dummy"), {})
    return float(dummy.get("error", 1.0))


def fields(results: Results, tables: Collection[str], contestants: Sequence[str]) -> list[Field]:
    """Whom to compare on what: those measured on at least half as many pairs as the most, and then everybody.

    The second one is left out where it is the same or has no pairs.
    """
    measured = {
        who: {key[:2] for key in results if key[2] == who and key[0] in tables}
        for who in contestants
        if any(key[2] == who and key[0] in tables for key in results)
    }
    if not measured:
        return []
    most = max(len(pairs) for pairs in measured.values())
    many = [who for who, pairs in measured.items() if 2 * len(pairs) >= most]
    found = []
    for chosen in (many, list(measured)):
        pairs = sorted(set.intersection(*(measured[who] for who in chosen)))
        made = Field(contestants=tuple(chosen), pairs=tuple(pairs))
        if pairs and made not in found:
            found.append(made)
    return found


def mean_ranks(results: Results, field: Field) -> dict[str, float]:
    """The mean over pairs of each contestant's rank; 1 is best, equal errors share their ranks."""
    ranks: dict[str, list[float]] = {who: [] for who in field.contestants}
    for pair in field.pairs:
        place = {
            who: (results[(*pair, who)]["status"] != "ok", error_of(results, pair, who)) for who in field.contestants
        }
        for who, mine in place.items():
            before = sum(other < mine for other in place.values())
            equal = sum(other == mine for other in place.values())
            ranks[who].append(before + (equal + 1) / 2)
    return {who: statistics.fmean(found) for who, found in ranks.items()}


def normalised(results: Results, field: Field) -> tuple[dict[str, float], list[str]]:
    """The mean over pairs of (dummy − error) / (dummy − least error), between 0 and 1; and the tables left out.

    Left out are tables on which no contestant beats the dummy by a hundredth of its error.
    """
    found: dict[str, list[float]] = {who: [] for who in field.contestants}
    left_out = set()
    for pair in field.pairs:
        errors = {who: error_of(results, pair, who) for who in field.contestants}
        dummy, best = errors.get("dummy", math.nan), min(errors.values())
        if not dummy - best > _LEARNABLE * dummy:
            left_out.add(pair[0])
            continue
        for who, error in errors.items():
            found[who].append(min(1.0, max(0.0, (dummy - error) / (dummy - best))))
    means = {who: statistics.fmean(scores) if scores else math.nan for who, scores in found.items()}
    return means, sorted(left_out)


def within_seeds(results: Results, table: str, who: str) -> list[int]:
    """The seeds that a contestant was measured with on a table."""
    return sorted(seed for (name, seed, other) in results if (name, other) == (table, who))


def mean_errors(
    results: Results, table: str, contestants: Sequence[str], measure: str = "error"
) -> dict[str, tuple[float, int] | None]:
    """The mean over seeds of each contestant on a table, and how many seeds; None where no fit succeeded."""
    found: dict[str, tuple[float, int] | None] = {}
    for who in contestants:
        lines = [results[(table, seed, who)] for seed in within_seeds(results, table, who)]
        values = [line[measure] for line in lines if line["status"] == "ok" and measure in line]
        found[who] = (statistics.fmean(values), len(values)) if values else None
    return found


def time_ratios(results: Results, tables: Collection[str], who: str, other: str) -> list[float]:
    """How many times as long ``who`` fits as ``other``, for each pair on which both were timed."""
    found = []
    for (table, seed, name), line in results.items():
        beside = results.get((table, seed, other), {})
        if name == who and table in tables and line["status"] == "ok" and beside.get("status") == "ok":
            found.append(max(line["fit_cpu_s"], _CLOCK) / max(beside["fit_cpu_s"], _CLOCK))
    return found


def time_ratio(results: Results, tables: Collection[str], who: str, other: str) -> tuple[float, int]:
    """The geometric mean of `time_ratios`, and of how many pairs it is."""
    found = time_ratios(results, tables, who, other)
    return (statistics.geometric_mean(found), len(found)) if found else (math.nan, 0)


def behind(results: Results, table: str, who: str, peers: Sequence[str]) -> Gap | None:
    """How far a contestant is behind the best of its peers on a table; below 0 where it is ahead.

    Only seeds with which all of those were measured that have a line on the table at all; None where there is none.
    """
    there = [peer for peer in (who, "dummy", *peers) if within_seeds(results, table, peer)]
    if who not in there or "dummy" not in there or len(there) < 3:
        return None
    seeds = set.intersection(*(set(within_seeds(results, table, each)) for each in there))
    if not seeds:
        return None
    means = {each: statistics.fmean(error_of(results, (table, seed), each) for seed in seeds) for each in there}
    best = min((peer for peer in there if peer not in (who, "dummy")), key=means.__getitem__)
    share = (means[who] - means[best]) / means["dummy"]
    return Gap(share=share, peer=best, learnt=min(means[who], means[best]) < means["dummy"])
