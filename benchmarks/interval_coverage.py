"""How often the 95 % intervals of metrics hold the truth, and how often equally good models are told apart.

    python benchmarks/interval_coverage.py [--draws 300] [--processes 2]

The truth of classes is measured on 400,000 rows of the kind (the area is known in closed form), that of numbers is
known. A cell below what is promised is drawn again, 2,000 times, so that it is not the luck of three hundred. Writes
``benchmarks/COVERAGE.md``, with the tables of ``EXPLANATION_COVERAGE.md`` at its end.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
import platform
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from pellucid.evaluation.metrics import classification_metrics, regression_metrics
from pellucid.evaluation.paired import paired_differences

HERE = Path(__file__).resolve().parent
ROWS = (10, 20, 30, 50, 100, 200, 1_000)
SHARES, APART = (0.1, 0.2, 0.5), (0.0, 1.0, 2.0, 3.0, 4.0)
GROUPS, A_GROUP = (10, 20, 50), 5
AGAIN = 2_000
CLASSES = ("accuracy", "balanced_accuracy", "f1_macro", "f1[1]", "roc_auc", "log_loss", "brier")
NUMBERS = ("rmse", "mae", "median_absolute_error", "r2")
Array = Any

# How errors are drawn, their mean square, and their variance.
ERRORS: dict[str, tuple[Callable[[np.random.Generator, int], Array], float, float]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 1.0, 1.0),
    "Laplace": (lambda rng, n: rng.laplace(size=n), 2.0, 2.0),
    "t₃": (lambda rng, n: rng.standard_t(3, size=n), 3.0, 3.0),
    "lognormal": (lambda rng, n: rng.lognormal(size=n), math.e**2, math.e**2 - math.e),
    "lognormal, either sign": (lambda rng, n: rng.lognormal(size=n) * rng.choice([-1, 1], n), math.e**2, math.e**2),
    "lognormal less its mean": (
        lambda rng, n: rng.lognormal(size=n) - math.exp(0.5), math.e**2 - math.e, math.e**2 - math.e,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One kind of data and number of rows."""

    kind: str  # classes, numbers, classes in groups, numbers in groups, or paired
    what: tuple[Any, ...]
    rows: int


@dataclass
class Count:
    """How often a metric's interval was given, and held the truth."""

    told: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    draws: int = 0

    def add(self, name: str, low: float, high: float, true: float) -> None:
        """Count one interval."""
        if not math.isnan(low):
            self.told[name] = self.told.get(name, 0) + 1
            self.held[name] = self.held.get(name, 0) + (low <= true <= high)


# Classes ------------------------------------------------------------------------------------------------


def two_classes(rng: np.random.Generator, n: int, share: float, apart: float, sure: bool) -> tuple[Array, Array]:
    """Scores of two normal distributions, and probabilities: as sure as they should be, or always with even odds."""
    y = (rng.random(n) < share).astype(int)
    return y, probabilities(rng.normal(size=n) + apart * y, share, apart, sure)


def probabilities(scores: Array, share: float, apart: float, sure: bool) -> Array:
    """``[N, 2]``"""
    logits = apart * (scores - apart / 2) + math.log(share / (1 - share)) if sure else scores - apart / 2
    p = 1 / (1 + np.exp(-logits))
    return np.column_stack([1 - p, p])


@cache
def truth_of_classes(share: float, apart: float, sure: bool) -> dict[str, float]:
    """Each metric on 400,000 rows, the area in closed form."""
    found = classification_metrics(*two_classes(np.random.default_rng(0), 400_000, share, apart, sure))
    return {name: e.value for name, e in found.items()} | {"roc_auc": NormalDist().cdf(apart / math.sqrt(2))}


def classes(cell: Cell, draws: int, rng: np.random.Generator) -> Count:
    """Two classes of independent rows."""
    true, count = truth_of_classes(*cell.what), Count(draws=draws)
    for seed in range(draws):
        for name, e in classification_metrics(*two_classes(rng, cell.rows, *cell.what), seed=seed).items():
            count.add(name, e.low, e.high, true[name])
    return count


def numbers(cell: Cell, draws: int, rng: np.random.Generator) -> Count:
    """A signal twice as wide as normal errors are, and errors of a kind."""
    draw, square, variance = ERRORS[cell.what[0]]
    size = np.abs(draw(np.random.default_rng(0), 2_000_000))
    true = {
        "rmse": math.sqrt(square),
        "mae": float(size.mean()),
        "median_absolute_error": float(np.median(size)),
        "r2": 1 - square / (4 + variance),
    }
    count = Count(draws=draws)
    for seed in range(draws):
        guess = 2 * rng.normal(size=cell.rows)
        for name, e in regression_metrics(guess + draw(rng, cell.rows), guess, seed=seed).items():
            count.add(name, e.low, e.high, true[name])
    return count


# Groups -------------------------------------------------------------------------------------------------


def of_groups(cell: Cell) -> Array:
    """``[N]``: five rows a group; ``rows`` are groups here."""
    return np.repeat(np.arange(cell.rows), A_GROUP)


def classes_in_groups(cell: Cell, draws: int, rng: np.random.Generator) -> Count:
    """A group has one class and half of its score's variance in common."""
    share, apart, sure = cell.what
    true, groups, count = truth_of_classes(*cell.what), of_groups(cell), Count(draws=draws)
    for seed in range(draws):
        y = (rng.random(cell.rows) < share).astype(int)[groups]
        scores = (rng.normal(size=cell.rows)[groups] + rng.normal(size=len(groups))) / math.sqrt(2) + apart * y
        p = probabilities(scores, share, apart, sure)
        for name, e in classification_metrics(y, p, groups=groups, seed=seed).items():
            count.add(name, e.low, e.high, true[name])
    return count


def numbers_in_groups(cell: Cell, draws: int, rng: np.random.Generator) -> Count:
    """All rows of a group have one and the same error."""
    draw, square, _ = ERRORS[cell.what[0]]
    size = np.abs(draw(np.random.default_rng(0), 2_000_000))
    true = {"rmse": math.sqrt(square), "mae": float(size.mean()), "median_absolute_error": float(np.median(size))}
    groups, count = of_groups(cell), Count(draws=draws)
    for seed in range(draws):
        guess = 2 * rng.normal(size=len(groups))
        found = regression_metrics(guess + draw(rng, cell.rows)[groups], guess, groups=groups, seed=seed)
        for name, value in true.items():
            count.add(name, found[name].low, found[name].high, value)
    return count


# Two models ---------------------------------------------------------------------------------------------


def paired(cell: Cell, draws: int, rng: np.random.Generator) -> Count:
    """Two models that are equally good: what they share, and as much that each has of its own."""
    metric, what, n_groups = cell.what
    rows = cell.rows if n_groups is None else n_groups * max(1, cell.rows // n_groups)
    groups = None if n_groups is None else np.repeat(np.arange(n_groups), rows // n_groups)
    count = Count(draws=draws)

    def own(draw: Callable[[np.random.Generator, int], Array]) -> Array:
        if groups is None:
            return draw(rng, rows)
        return draw(rng, int(groups.max()) + 1)[groups] + draw(rng, rows) / 2

    for _ in range(draws):
        if metric == "rmse":
            draw = ERRORS[what][0]
            shared = draw(rng, rows)
            truth, answers = np.zeros(rows), [shared + own(draw) for _ in "ab"]
        else:
            share, apart = what
            truth = (rng.random(rows) < share).astype(int)
            shared = rng.normal(size=rows) + apart * truth
            normal = partial(lambda rng, n: rng.normal(size=n))
            answers = [probabilities(shared + own(normal), share, apart, False) for _ in "ab"]
        _, (found,) = paired_differences(metric, truth, answers, groups=groups)
        low, high = (-1.0, 1.0) if math.isnan(found.low) else (found.low, found.high)
        count.add(metric, low, high, 0.0)
    return count


RUN = {
    "classes": classes,
    "numbers": numbers,
    "classes in groups": classes_in_groups,
    "numbers in groups": numbers_in_groups,
    "paired": paired,
}


def cells() -> Iterator[Cell]:
    """All of them."""
    for share, apart, sure in itertools.product(SHARES, APART, (True, False)):
        if apart or not sure:
            yield from (Cell(kind="classes", what=(share, apart, sure), rows=n) for n in ROWS)
            yield from (Cell(kind="classes in groups", what=(share, apart, sure), rows=n) for n in GROUPS)
    for name in ERRORS:
        yield from (Cell(kind="numbers", what=(name,), rows=n) for n in ROWS)
        yield from (Cell(kind="numbers in groups", what=(name,), rows=n) for n in GROUPS)
        yield from (Cell(kind="paired", what=("rmse", name, g), rows=n) for g in (None, 10) for n in ROWS)
    for metric, share, apart, g in itertools.product(("roc_auc", "accuracy"), (0.2, 0.5), (1.0, 2.0, 3.0), (None, 10)):
        yield from (Cell(kind="paired", what=(metric, (share, apart), g), rows=n) for n in ROWS)


def promised(cell: Cell) -> float:
    """What a cell has to reach; 0 where nothing is promised."""
    if cell.kind == "paired":
        return 0.93
    return 0.93 if cell.rows >= 50 else 0.90 if cell.rows >= 20 else 0.0


def measured(cell: Cell, draws: int) -> tuple[Cell, Count]:
    """A cell, drawn again where it seems to fall short."""
    seed = zlib.crc32(repr(cell).encode())
    count = RUN[cell.kind](cell, draws, np.random.default_rng(seed))
    short = any(count.held[m] < (promised(cell) + 0.01) * count.told[m] for m in count.told)
    if promised(cell) and short and draws < AGAIN:
        count = RUN[cell.kind](cell, AGAIN, np.random.default_rng(seed + 1))
    return cell, count


# The page -----------------------------------------------------------------------------------------------


def shown(count: Count | None, metric: str) -> str:
    """A share with two digits; in brackets how often an interval was given, where not always."""
    if count is None or not count.told.get(metric):
        return "none"
    often = count.told[metric] / count.draws
    return f"{count.held[metric] / count.told[metric]:.3f}" + (f" ({often:.2f})" if often < 0.995 else "")


def table(found: dict[Cell, Count], kind: str, metric: str, rows: tuple[int, ...], words: Callable[..., str]) -> str:
    """A line a kind of data, a column a number of rows."""
    whats = dict.fromkeys(cell.what for cell in found if cell.kind == kind)
    lines = [f"| {words()} | " + " | ".join(f"{n:,}" for n in rows) + " |", "|---|" + "---:|" * len(rows)]
    for what in whats:
        at = [found.get(Cell(kind=kind, what=what, rows=n)) for n in rows]
        if any(count is not None and metric in count.told for count in at):
            lines.append(f"| {words(*what)} | " + " | ".join(shown(count, metric) for count in at) + " |")
    return "\n".join(lines)


def summary(found: dict[Cell, Count]) -> str:
    """For each metric the least coverage."""
    lines = ["| metric | cells | least from 50 rows on | least at 20 and 30 | least at 10 | below what is promised |"]
    lines.append("|---|---:|---:|---:|---:|---|")
    for kind, names in (("classes", CLASSES), ("numbers", NUMBERS)):
        for name in names:
            some = {c: k for c, k in found.items() if c.kind == kind and k.told.get(name, 0) >= 0.1 * k.draws}
            cover = {c: k.held[name] / k.told[name] for c, k in some.items()}
            parts = [
                min(v for c, v in cover.items() if low <= c.rows <= high)
                for low, high in ((50, 10**9), (20, 30), (10, 10))
            ]
            short = [c for c, v in cover.items() if v < promised(c)]
            said = f"{len(short)}: " + "; ".join(dict.fromkeys(named(c) for c in short)) if short else "none"
            lines.append(f"| {name} | {len(some)} | " + " | ".join(f"{p:.3f}" for p in parts) + f" | {said} |")
    return "\n".join(lines)


def named(cell: Cell) -> str:
    """A cell in words."""
    return f"{in_classes(*cell.what) if cell.kind == 'classes' else cell.what[0]}, {cell.rows:,} rows"


def in_classes(share: float | None = None, apart: float = 0.0, sure: bool = False) -> str:
    """A line's words, or its heading."""
    if share is None:
        return "share · apart · probabilities"
    return f"{share:.0%} · {apart:g} · {'calibrated' if sure else 'too unsure' if apart > 1 else 'even odds'}"


def in_numbers(name: str | None = None) -> str:
    """The same of errors."""
    return name or "errors"


def in_pairs(metric: str | None = None, what: Any = None, groups: int | None = None) -> str:
    """The same of two models."""
    if metric is None:
        return "metric · data · groups"
    data = what if isinstance(what, str) else f"{what[0]:.0%} positive, {what[1]:g} apart"
    return f"{metric} · {data} · {groups or '–'}"


def page(found: dict[Cell, Count], draws: int) -> str:
    """The whole of it."""
    told_apart = {
        cell: Count(told=c.told, held={m: c.told[m] - h for m, h in c.held.items()}, draws=c.draws)
        for cell, c in found.items()
        if cell.kind == "paired"
    }
    most = max(c.held[m] / c.told[m] for c in told_apart.values() for m in c.told)
    pieces = [
        "# How often a 95 % interval holds the truth",
        f"`python benchmarks/interval_coverage.py`: {draws} draws of each kind of data, {AGAIN:,} where the first "
        "seemed to fall short of 0.93 from 50 rows on, or 0.90 from 20; the standard error of 0.95 is then 0.013 or "
        "0.005. In "
        "brackets: how often an interval was given at all, where not always; where none is, the line says why (a class "
        "with one row, or none). *Share* is that of the positive class, *apart* the distance of the classes' scores in "
        "standard deviations (2 is an area of 0.921, 3 of 0.983, 4 of 0.998). Probabilities are *calibrated*, or "
        "1 / (1 + exp(apart/2 − score)), which ignores the share.",
        summary(found),
    ]
    for name in CLASSES:
        pieces += [f"## {name}", table(found, "classes", name, ROWS, in_classes)]
    for name in NUMBERS:
        pieces += [f"## {name}", table(found, "numbers", name, ROWS, in_numbers)]
    pieces += [
        "## Groups",
        f"Numbers of groups of {A_GROUP} rows each. The rows of a group have one class and half of their score's "
        "variance in common, or one and the same error; the intervals know the groups.",
    ]
    for name in CLASSES:
        pieces += [f"### {name}, whole groups", table(found, "classes in groups", name, GROUPS, in_classes)]
    for name in NUMBERS[:3]:
        pieces += [f"### {name}, whole groups", table(found, "numbers in groups", name, GROUPS, in_numbers)]
    pieces += [
        "## Equally good models told apart",
        "How often the interval of the difference leaves out 0 although both models are equally good: 0.05 is "
        f"promised, 0.07 allowed; the most is {most:.3f}. Each model's errors are what both share and as much of its "
        "own; with groups, what is its own is the group's, and a row's in part.",
    ]
    for metric in ("rmse", "roc_auc", "accuracy"):
        some = {c: k for c, k in told_apart.items() if c.what[0] == metric}
        pieces.append(table(some, "paired", metric, ROWS, in_pairs))
    explained = (HERE / "EXPLANATION_COVERAGE.md").read_text()
    pieces.append(explained.replace("\n## ", "\n### ").replace("# What", "## What", 1).strip())
    pieces.append(
        f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, NumPy "
        f"{np.__version__}."
    )
    return "\n\n".join(pieces) + "\n"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    with multiprocessing.Pool(given.processes) as pool:
        found = dict(pool.imap_unordered(partial(measured, draws=given.draws), list(cells()), chunksize=4))
    ordered = {cell: found[cell] for cell in cells()}
    (HERE / "COVERAGE.md").write_text(page(ordered, given.draws))


if __name__ == "__main__":
    main()
