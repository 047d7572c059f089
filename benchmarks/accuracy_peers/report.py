"""ACCURACY.md from the lines of results and the outcomes of the paired tests."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from accuracy_peers.comparison import Field, Results, fields, mean_errors, mean_ranks, normalised, peers_of, time_ratio
from accuracy_peers.contestants import CONTESTANTS, OURS
from accuracy_peers.jobs import SEEDS
from accuracy_peers.paired import Outcome, tallies
from accuracy_peers.scores import MEASURES
from accuracy_peers.splits import MOST_TEST, MOST_TRAIN
from accuracy_peers.tables import TABLES, names_of
from accuracy_peers.targets import targets

__all__ = ["written"]

Outcomes = Mapping[str, Mapping[tuple[tuple[str, int], str], Outcome | None]]
LABELS = {who.name: who.label for who in CONTESTANTS}
HEADINGS = {
    "development": "Development tables, on which defaults may be chosen",
    "held out": "Held-out tables, looked at only here",
}


def written(results: Results, outcomes: Outcomes) -> str:
    """The whole file; ``outcomes`` are of the paired tests of each of ours."""
    names = [who.name for who in CONTESTANTS]
    lines = ["# How right Pellucid is, beside what one might use instead", "", *_how(results), ""]
    lines += _targets(results, names)
    for half, heading in HEADINGS.items():
        tables = names_of(half)  # type: ignore[arg-type]
        lines += [f"## {heading}", "", *_compared(results, tables, names), *_errors(results, tables, names)]
        lines += [*_tested(outcomes, tables, names), *_times(results, tables, names)]
    lines += _missing(results, names)
    return "\n".join(lines).rstrip() + "\n"


def _how(results: Results) -> list[str]:
    """How it was measured."""
    seeds = sorted({key[1] for key in results}.union(SEEDS))
    return [
        f"{len(TABLES)} tables; seeds {', '.join(map(str, seeds))}. A seed draws the split, 80 % to learn "
        "from (stratified by class) and 20 % to be measured on, and is the seed of the contestant. Of more than "
        f"{MOST_TRAIN:,} training rows so many are drawn, of more than {MOST_TEST:,} test rows likewise: what is "
        "compared is learning from little. Everybody is given the same frame and the same rows, "
        "with default settings, one thread, and the preprocessing it cannot do without (`accuracy_peers/contestants.py`"
        " says which). Numbers are floats with NaN, text is a category, dates are numbers; ids, row numbers and what "
        "gives the target away are left out (`accuracy_peers/tables.py`). In beijing_pm25 the hours of a day stay on "
        "one side of the split, in ctg a recording and in parkinsons_telemonitoring a person; equal rows of concrete, "
        "diamonds and wine_quality are thrown away.",
        "",
        "The tables are in two halves, every other one by the alphabet: defaults may be chosen on the development "
        "tables, the held-out ones are for this report. Many of both were used earlier to compare number encodings "
        "([ENCODINGS.md](ENCODINGS.md)), so the held-out half is new to the choice of these defaults, not to the "
        "project.",
        "",
        f"The error is {MEASURES['binary']} for two classes, the {MEASURES['multiclass']} for more, "
        f"{MEASURES['regression']} of the test target for numbers; lower is better for all. Ranks are taken for each "
        "pair of table and seed, among contestants that were measured on all pairs named; a fit that failed or ran "
        "out of time is last. The normalised score of a pair is 0 for the dummy and below, 1 for the best. Wins and "
        "losses are pairs on which the 95 % interval of a paired bootstrap of the test rows leaves out 0; one test in "
        "forty of two equals is a win by chance, and three seeds of one table are not independent. Defaults are "
        "defaults: some peers stop at what is not the metric of this report (RealMLP-TD and TabM-D at the error rate "
        "of classes, smoothed labels in the former's loss), and would gain from being told.",
        "",
        "Times are seconds of processor of one fit, preprocessing included, importing not, in a process of its own "
        f"that has fitted 100 rows before. {len(os.sched_getaffinity(0))} cores of an {platform.machine()} server "
        f"processor, shared with other work, Python {platform.python_version()}, {_versions(results)}.",
    ]


def _versions(results: Results) -> str:
    found: dict[str, set[str]] = {}
    for line in results.values():
        for package, number in line.get("versions", {}).items():
            found.setdefault(package, set()).add(number)
    return ", ".join(f"{package} {' and '.join(sorted(numbers))}" for package, numbers in sorted(found.items()))


def _targets(results: Results, names: Sequence[str]) -> list[str]:
    columns = [targets(results, names_of(half), names, LABELS) for half in HEADINGS]  # type: ignore[arg-type]
    lines = ["## Targets", "", "| target | development | held out |", "|---|---|---|"]
    for (text, one), (_, other) in zip(*columns, strict=True):
        lines.append(f"| {text} | {one} | {other} |")
    return [*lines, ""]


def _compared(results: Results, tables: Sequence[str], names: Sequence[str]) -> list[str]:
    """Mean ranks and normalised scores."""
    lines = []
    for field in fields(results, tables, names):
        ranks = mean_ranks(results, field)
        scores, left_out = normalised(results, field)
        n_tables = len({table for table, _ in field.pairs})
        lines += [
            f"Among {len(field.contestants)} contestants on the {len(field.pairs)} pairs of {n_tables} tables that all "
            "of them were measured on:",
            "",
            "| | mean rank | normalised score | seconds a fit, median |",
            "|---|---:|---:|---:|",
        ]
        for who in sorted(ranks, key=ranks.__getitem__):
            lines.append(
                f"| {LABELS[who]} | {ranks[who]:.2f} | {_number(scores[who], 3)} | {_seconds(results, field, who)} |"
            )
        lines.append("")
        if left_out:
            lines += [f"Nobody learns {', '.join(left_out)} with some seed; such a pair is not in the scores.", ""]
    return lines or ["Nothing is measured on these tables yet.", ""]


def _seconds(results: Results, field: Field, who: str) -> str:
    times = [results[(*pair, who)].get("fit_cpu_s") for pair in field.pairs]
    there = [each for each in times if each is not None]
    return f"{statistics.median(there):.2f}" if there else "–"


def _errors(results: Results, tables: Sequence[str], names: Sequence[str]) -> list[str]:
    """The errors of each table, and the log losses of classes."""
    if not any(key[0] in tables for key in results):
        return []
    lines = ["Errors, the mean over seeds; in brackets the number of seeds where a contestant lacks some:", ""]
    lines += _grid(results, tables, names, "error")
    classes = [table for table in tables if TABLES[table].task != "regression"]
    return [
        *lines,
        "",
        "Log loss of the same classes' probabilities:",
        "",
        *_grid(results, classes, names, "log_loss"),
        "",
    ]


def _grid(results: Results, tables: Sequence[str], names: Sequence[str], measure: str) -> list[str]:
    there = [who for who in names if any(key[2] == who and key[0] in tables for key in results)]
    planned = len({key[1] for key in results}.union(SEEDS))
    lines = [f"| | {' | '.join(LABELS[who] for who in there)} |", "|---|" + "---:|" * len(there)]
    for table in tables:
        means = mean_errors(results, table, there, measure)
        seeds = len({key[1] for key in results if key[0] == table})
        full = [each[0] for each in means.values() if each and each[1] == seeds]
        cells = [_cell(results, table, who, means[who], seeds, min(full, default=math.nan)) for who in there]
        some = f", {seeds} of {planned} seeds" if seeds < planned else ""
        of = f" ({MEASURES[TABLES[table].task]})" if measure == "error" else ""
        lines.append(f"| {table}{of}{some} | {' | '.join(cells)} |")
    return lines


def _cell(results: Results, table: str, who: str, mean: tuple[float, int] | None, seeds: int, best: float) -> str:
    if mean is None:
        return "failed" if any(key[0] == table and key[2] == who for key in results) else "–"
    value, count = mean
    text = f"{value:.4f}"
    if count < seeds:
        return f"{text} ({count})"
    return f"**{text}**" if value == best else text


def _tested(outcomes: Outcomes, tables: Sequence[str], names: Sequence[str]) -> list[str]:
    """Wins, ties and losses of each of ours."""
    lines = []
    for ours, found in outcomes.items():
        counted = {
            peer: tally for peer, tally in tallies(found, tables, peers_of(names)).items() if any(vars(tally).values())
        }
        if not counted:
            continue
        lines += [f"{LABELS[ours]} against each peer, pairs of table and seed by the paired test:", ""]
        lines += ["| | wins | ties | losses | answers not kept |", "|---|---:|---:|---:|---:|"]
        lines += [
            f"| {LABELS[peer]} | {each.wins} | {each.ties} | {each.losses} | {each.untested} |"
            for peer, each in counted.items()
        ]
        lines.append("")
    return lines


def _times(results: Results, tables: Sequence[str], names: Sequence[str]) -> list[str]:
    """How many times as long ours fit."""
    ours = [who for who in names if who in OURS and any(key[2] == who for key in results)]
    rows = []
    for peer in peers_of(names):
        ratios = [time_ratio(results, tables, who, peer) for who in ours]
        if any(pairs for _, pairs in ratios):
            cells = [f"{_number(ratio, 2)} ({pairs})" if pairs else "–" for ratio, pairs in ratios]
            rows.append(f"| {LABELS[peer]} | {' | '.join(cells)} |")
    if not rows:
        return []
    head = f"| | {' | '.join(LABELS[who] for who in ours)} |"
    told = "Time of a fit as a multiple of the peer's, geometric mean; in brackets the number of pairs:"
    return [told, "", head, "|---|" + "---:|" * len(ours), *rows, ""]


def _missing(results: Results, names: Sequence[str]) -> list[str]:
    """What is not measured yet, and what failed."""
    seeds = sorted({key[1] for key in results}.union(SEEDS))
    lines = []
    for who in names:
        absent = [(table, seed) for table in sorted(TABLES) for seed in seeds if (table, seed, who) not in results]
        if absent:
            of = len(TABLES) * len(seeds)
            few = ": " + ", ".join(f"{table} {seed}" for table, seed in absent) if len(absent) <= 6 else ""
            lines.append(f"- {LABELS[who]}: {len(absent)} of {of} pairs not measured yet{few}.")
    lines += [
        f"- {LABELS[key[2]]} on {key[0]}, seed {key[1]}: {line['status']}."
        for key, line in sorted(results.items())
        if line["status"] != "ok" and key[2] in names
    ]
    return ["## Missing", "", *(lines or ["Nothing."])]


def _number(value: Any, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"
