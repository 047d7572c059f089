"""Wins, ties and losses on the same test rows, by the paired bootstrap of `pellucid.evaluation.paired`.

The answers for the test rows lie in a folder that is not committed, with the outcomes of earlier tests beside them. How
many pairs were won and lost is committed, with a digest of the errors that it belongs to, so that a report can be
written without the answers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from accuracy_peers.tables import TABLES, names_of
from accuracy_peers.worker import answers_file, truth_file

__all__ = ["Tallies", "Tally", "outcomes", "tallied", "tallies"]

Pair = tuple[str, int]
Outcome = tuple[float, float, float]  # by how much better, and the 95 % interval
Tallies = dict[str, dict[str, dict[str, "Tally"]]]  # half, one of ours, peer
_METRICS = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}
_STORE = "paired.json"


@dataclass
class Tally:
    """Over pairs of table and seed, how often the interval lies above 0, around it, below it; and untested pairs."""

    wins: int = 0
    ties: int = 0
    losses: int = 0
    untested: int = 0

    def add(self, outcome: Outcome | None) -> None:
        """Count one more.

        >>> tally = Tally()
        >>> tally.add((0.1, 0.05, 0.2)); tally.add((0.1, -0.05, 0.2)); tally.add(None)
        >>> tally
        Tally(wins=1, ties=1, losses=0, untested=1)
        """
        if outcome is None:
            self.untested += 1
        elif outcome[1] > 0:
            self.wins += 1
        elif outcome[2] < 0:
            self.losses += 1
        else:
            self.ties += 1


def tallies(
    found: Mapping[tuple[Pair, str], Outcome | None], tables: Iterable[str], peers: Sequence[str]
) -> dict[str, Tally]:
    """The outcomes against each peer, counted on some tables."""
    inside = set(tables)
    made = {peer: Tally() for peer in peers}
    for ((table, _), peer), outcome in found.items():
        if table in inside and peer in made:
            made[peer].add(outcome)
    return made


def tallied(
    tested: Mapping[str, Mapping[tuple[Pair, str], Outcome | None]],
    results: Mapping[tuple[str, int, str], dict[str, Any]],
    peers: Sequence[str],
    store: Path,
) -> Tallies:
    """The tallies of each half, of each of ours, against each peer.

    They are kept in ``store`` when all pairs could be tested, and read from it when answers are missing and the errors
    are still the ones that the kept tallies belong to.
    """
    found: Tallies = {
        half: {who: tallies(each, names_of(half), peers) for who, each in tested.items()}
        for half in ("development", "second")
    }
    every = [outcome for each in tested.values() for outcome in each.values()]
    errors = hashlib.sha256(json.dumps(sorted((*key, line.get("error")) for key, line in results.items())).encode())
    if every and None not in every:
        plain = {
            half: {
                who: {peer: asdict(tally) for peer, tally in each.items() if tally != Tally()}
                for who, each in ours.items()
            }
            for half, ours in found.items()
        }
        text = json.dumps({"errors": errors.hexdigest(), "tallies": plain}, indent=1)
        store.write_text(text + "\n", encoding="utf-8")
    elif None in every:
        kept = _read(store)
        if kept.get("errors") == errors.hexdigest():
            return {
                half: {who: {peer: Tally(**tally) for peer, tally in each.items()} for who, each in ours.items()}
                for half, ours in kept["tallies"].items()
            }
    return found


def outcomes(
    folder: Path, results: Mapping[tuple[str, int, str], dict[str, Any]], who: str, peers: Sequence[str]
) -> dict[tuple[Pair, str], Outcome | None]:
    """By how much ``who`` is better than each peer on each pair that both succeeded on; None without their answers."""
    store = _read(folder / _STORE)
    found: dict[tuple[Pair, str], Outcome | None] = {}
    changed = False
    for table, seed, name in results:
        if name != who or results[(table, seed, who)]["status"] != "ok":
            continue
        rivals = [peer for peer in peers if results.get((table, seed, peer), {}).get("status") == "ok"]
        marks = {peer: _mark(folder, table, seed, who, peer) for peer in rivals}
        new = [peer for peer, mark in marks.items() if mark and mark not in store]
        if new:
            compared = _compared(folder, table, seed, who, new)
            store |= {str(marks[peer]): outcome for peer, outcome in zip(new, compared, strict=True)}
            changed = True
        for peer, mark in marks.items():
            found[(table, seed), peer] = tuple(store[mark]) if mark else None  # type: ignore[assignment]
    if changed:
        (folder / _STORE).write_text(json.dumps(store), encoding="utf-8")
    return found


def _compared(folder: Path, table: str, seed: int, who: str, peers: Sequence[str]) -> list[Outcome]:
    from pellucid.evaluation.paired import paired_bootstrap

    with np.load(truth_file(folder, table, seed)) as kept:
        truth, groups = kept["truth"], kept.get("groups")
    answers = []
    for name in (who, *peers):
        with np.load(answers_file(folder, table, seed, name)) as kept:
            answers.append(kept["answers"].astype(np.float64))
    metric: Any = _METRICS[TABLES[table].task]
    _, differences = paired_bootstrap(metric, truth, answers, groups=groups, seed=seed)
    return [(each.value, each.low, each.high) for each in differences]


def _mark(folder: Path, table: str, seed: int, who: str, peer: str) -> str | None:
    """A name for a comparison that changes with the answers; None where answers are missing."""
    files = [truth_file(folder, table, seed), *(answers_file(folder, table, seed, each) for each in (who, peer))]
    if not all(file.exists() for file in files):
        return None
    return f"{table} {seed} {who} {peer} " + " ".join(str(file.stat().st_mtime_ns) for file in files[1:])


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
