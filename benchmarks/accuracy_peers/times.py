"""Who is timed on what, in which order, and the file of times: one run, in which all contestants take turns.

Other work on the machine changes all times by the hour, so a ratio of times is only taken within one run. All that are
timed on a table are timed on it one after another; those that take a minute a fit are timed on a few tables of each
size.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from accuracy_peers.contestants import contestant
from accuracy_peers.jobs import Key

__all__ = ["ORDER", "SEED", "SLOW", "in_turn", "source_commit", "today"]

SEED = 0
# What takes a minute a fit, and on which tables it is timed: a small, a medium and a large one of each half.
SLOW: Mapping[str, Sequence[str]] = {
    "RealMLP-TD": ("concrete", "german_credit", "wine_quality", "abalone", "diamonds", "california_housing"),
    "TabM-D": ("pima_diabetes",),
}
# Tables that cost little come first, and the halves take turns, so that a run that ends early has some of both.
ORDER = (
    "pima_diabetes", "concrete", "german_credit", "wine_quality", "abalone", "diamonds", "california_housing",
    "cps_wages", "titanic", "give_me_some_credit", "automobile", "beijing_pm25", "ctg", "telco_churn",
    "parkinsons_telemonitoring", "adult", "inst_eval", "hotel_rates", "higgs_sample", "lending_club", "nyc_taxis",
    "optdigits", "covtype_20k", "pd_speech",
)  # fmt: skip


def in_turn(tables: Iterable[str], contestants: Sequence[str]) -> list[Key]:
    """What is to be timed: table by table, on each the contestants one after another.

    >>> [who for _, _, who in in_turn(["titanic"], ["best", "RealMLP-TD", "linear"])]
    ['best', 'linear']
    >>> in_turn(["concrete"], ["RealMLP-TD"])
    [('concrete', 0, 'RealMLP-TD')]
    """
    there = set(tables)
    return [
        (table, SEED, who)
        for table in ORDER
        if table in there
        for who in contestants
        if not contestant(who).cost or table in SLOW[who]
    ]


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def source_commit() -> str:
    """The last commit that changed Pellucid's source, and whether the source differs from it."""
    root = Path(__file__).resolve().parents[2]

    def git(*command: str) -> str:
        return subprocess.run(["git", *command], cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    try:
        commit = git("log", "-1", "--format=%h", "--abbrev=7", "--", "src/pellucid")
        return f"{commit} with changes" if git("status", "--porcelain", "--", "src/pellucid") else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
