"""When the errors of accuracy.jsonl were measured, by which version, and from which commit of Pellucid's source.

New lines hold their date and commit. Older ones hold neither; of them the history of accuracy.jsonl says when they were
recorded. A version such as 0.1.0+c694d825 is no commit: its second part is a hash of Pellucid's source files.
"""

from __future__ import annotations

from collections import Counter

from accuracy_peers.comparison import Results

__all__ = ["SOURCES", "Measured", "measured"]

# Contestants that share the rest; the number of pairs of each, date, versions, commits.
Measured = tuple[tuple[str, ...], int, str, str, str]

# Source hashes of lines without a commit, and the commit whose src/pellucid has that hash.
SOURCES = {"c694d825": "f381279"}
# Lines without a date: the commit that recorded them, and its date. A whole contestant, or one of its seeds.
_RECORDED = {
    "quick": ("2026-11-22", "1f6e623"),
    "best": ("2026-11-22", "1f6e623"),
    ("RealMLP-TD", 1): ("2026-11-21", "3cbd34b"),
    ("RealMLP-TD", 2): ("2026-11-21", "3cbd34b"),
}
_FIRST = ("2026-11-21", "6d67429")


def measured(results: Results) -> list[Measured]:
    """Who was measured on how many pairs each, on which date, in which version, and the commits that say so.

    >>> old = {"versions": {"lightgbm": "4.7.0"}}
    >>> new = {"versions": {"pellucid": "0.1.0+01234567"}, "date": "2026-12-01", "commit": "abcdef0"}
    >>> for row in measured({("adult", 0, "LightGBM"): old, ("adult", 0, "best"): new, ("adult", 0, "quick"): new}):
    ...     print(row)
    (('LightGBM',), 1, '2026-11-21', 'lightgbm 4.7.0', 'recorded in 6d67429')
    (('best', 'quick'), 1, '2026-12-01', 'pellucid 0.1.0+01234567', 'source of abcdef0')
    """
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for (_, seed, who), line in results.items():
        versions = line.get("versions", {})
        version = ", ".join(f"{package} {number}" for package, number in sorted(versions.items())) or "unknown"
        if "date" in line:
            date, recorded, source = line["date"], "", line["commit"]
        else:
            date, recorded = _RECORDED.get((who, seed)) or _RECORDED.get(who) or _FIRST
            source = SOURCES.get(versions.get("pellucid", "").partition("+")[2], "")
        told = [f"source of {source}"] if source and "pellucid" in versions else []
        told += [f"recorded in {recorded}"] if recorded else []
        counts[who, date, version, ", ".join(told) or "–"] += 1
    shared: dict[tuple[int, str, str, str], list[str]] = {}
    for (who, *rest), count in counts.items():
        shared.setdefault((count, *rest), []).append(who)
    return [(tuple(names), *rest) for rest, names in shared.items()]
