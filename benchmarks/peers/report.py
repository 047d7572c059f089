"""RESULTS.md from what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from peers.entries import ENTRIES, MIXED, PLAIN, PRODUCTS
from peers.losing import Contest, losses
from peers.machine import described
from peers.measure import Measured, Table
from peers.summary import number
from peers.tables import against, factors, grid, medians, reasons

__all__ = ["Results", "written"]

_FASTER = "times as fast as the plain PyTorch loop"
_COMPILING = (
    "JAX and Keras on JAX compile anew in each fit, as they would in a new process; the kernel is compiled once for "
    "all networks and kept on disk. First weights are each library's own, which shows in the accuracy after few epochs."
)


@dataclass
class Results:
    """All that was measured so far; what is empty is left out."""

    threads: int
    how: str
    steps: dict[str, Table] = field(default_factory=dict)
    fits: dict[str, Table] = field(default_factory=dict)
    cold: Table = field(default_factory=dict)
    answers: dict[str, Table] = field(default_factory=dict)
    mixed: dict[str, Table] = field(default_factory=dict)
    mixed_fit: Table = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def written(results: Results) -> str:
    """The whole file."""
    lines = ["# Pellucid against what one might use instead", "", described(results.threads), "", results.how, ""]
    lines += [f"- {line}" for line in results.left_out] + [""] * bool(results.left_out)
    lines += ["## Where we lose", "", *_losing(results), ""]
    for section in (_steps, _fits, _memory, _cold, _answers, _mixed):
        lines += section(results)
    return "\n".join(lines).rstrip() + "\n"


def _losing(results: Results) -> list[str]:
    contests = [Contest(name=f"a step of {job}", unit="µs", found=found) for job, found in results.steps.items()]
    contests += [Contest(name=f"a whole fit of {job}", unit="s", found=found) for job, found in results.fits.items()]
    contests += [Contest(name="a first fit, cold", unit="s", found=results.cold)] * bool(results.cold)
    if "mnist" in results.fits:
        contests.append(Contest(name="peak memory, mnist", unit="MiB", found=_peaks(results.fits["mnist"])))
    if results.cold:
        contests.append(Contest(name="peak memory of a cold fit", unit="MiB", found=_peaks(results.cold)))
    contests += [
        Contest(name=f"predicting {size} as a matrix", unit="ms", scale=1e3, found=found)
        for size, found in results.answers.items()
    ]
    contests += [
        Contest(name=f"predicting {size} of mixed columns", unit="ms", scale=1e3, found=found, ours=("mixed_pellucid",))
        for size, found in results.mixed.items()
    ]
    return losses(contests) or ["Nowhere in what was measured, by more than three in a hundred."]


def _peaks(found: Table) -> Table:
    """The peak memory as if it were the measured number."""
    return {
        name: Measured(status=m.status, values=m.facts.get("peak_mib_by_round", [])[:1]) for name, m in found.items()
    }


def _steps(results: Results) -> list[str]:
    jobs = results.steps
    if not jobs:
        return []
    everybody = (*ENTRIES, PRODUCTS)
    lines = ["## A training step", "", f"How many {_FASTER}; medians of the rounds' ratios.", ""]
    lines += [*factors(ENTRIES, jobs, PLAIN, "network, rows a step"), ""]
    lines += ["Microseconds a step, with the middle half of the rounds in brackets:", ""]
    lines += [*medians(everybody, jobs, "µs a step"), "", *reasons(ENTRIES, jobs)]
    lines += [
        "The share of a step that its own matrix products would take, alone and each in the fastest way that PyTorch "
        "has for it in float32; 100 % is the limit for whoever multiplies with these libraries. Above it are those "
        "that multiply in other ways, or loops so small that calling PyTorch at all takes longer than the arithmetic.",
        "",
        *grid(["share of the limit", *jobs], _shares(jobs)),
        "",
        *_compiling(jobs),
        "What was timed:",
        "",
    ]
    first: dict[str, str] = {}
    for found in jobs.values():
        first |= {name: m.facts["timed"] for name, m in found.items() if m.is_there and name not in first}
    lines += [f"- {who.label}: {first[who.name]}." for who in everybody if who.name in first]
    return [*lines, ""]


def _shares(jobs: dict[str, Table]) -> list[list[str]]:
    rows = []
    for who in ENTRIES:
        cells = []
        for found in jobs.values():
            limit, m = found.get(PRODUCTS.name), found.get(who.name)
            there = limit is not None and m is not None and limit.is_there and m.is_there
            cells.append(f"{against(limit, m):.0%}" if there else "–")
        if any(cell != "–" for cell in cells):
            rows.append([who.label, *cells])
    return rows


def _compiling(jobs: dict[str, Table]) -> list[str]:
    rows = []
    for job, found in jobs.items():
        for who in ENTRIES:
            m = found.get(who.name)
            if m is not None and m.is_there and m.facts.get("compile_seconds"):
                seconds = m.facts["compile_seconds"]
                run, plain = seconds + m.median / 1e3, found.get(PLAIN)
                other = number(plain.median / 1e3) if plain is not None and plain.is_there else "–"
                rows.append([who.label, job, number(seconds), number(run), other])
    if not rows:
        return []
    head = ["compiled loops", "network", "compiling, s", "a run of 1,000 steps with compiling, s", "plain loop, s"]
    return [*grid(head, rows), ""]


def _fits(results: Results) -> list[str]:
    jobs = results.fits
    if not jobs:
        return []
    lines = ["## Whole fits", "", f"How many {_FASTER}. {_COMPILING}", ""]
    lines += [*factors(ENTRIES, jobs, PLAIN, "fit"), "", *medians(ENTRIES, jobs, "seconds"), ""]
    lines += [*reasons(ENTRIES, jobs), "Accuracy on the test rows, the median of the fits:", ""]
    rows = []
    for who in ENTRIES:
        told = [found[who.name].facts.get("accuracy_by_round") for found in jobs.values() if who.name in found]
        if any(told):
            rows.append([who.label, *(f"{statistics.median(t):.4f}" if t else "–" for t in told)])
    lines += [*grid(["test accuracy", *jobs], rows), ""]
    notes = {(who.label, m.facts["note"]) for who in ENTRIES for f in jobs.values() if _note(m := f.get(who.name))}
    return [*lines, *(f"- {label} {note}." for label, note in sorted(notes)), ""]


def _note(measured: Measured | None) -> bool:
    return measured is not None and bool(measured.facts.get("note"))


def _memory(results: Results) -> list[str]:
    found = results.fits.get("mnist")
    if not found:
        return []
    rows = []
    for who in ENTRIES:
        if who.name in found and found[who.name].is_there:
            facts = found[who.name].facts
            peak = facts["peak_mib_by_round"][0]
            rows.append([who.label, *(f"{v:,.0f}" for v in (peak - facts["import_mib"], peak, facts["import_mib"]))])
    head = ["MiB", "added by data and fit", "peak of the process", "after importing"]
    said = "The first fit in its process; the arrays themselves (210 MiB) are read by all in the same way."
    return ["## Memory of the MNIST fit", "", said, "", *grid(head, rows), ""]


def _cold(results: Results) -> list[str]:
    if not results.cold:
        return []
    jobs = {"start, import, 1 epoch of adult, exit": results.cold}
    lines = ["## The first fit, cold", "", f"Whole processes, how many {_FASTER}:", ""]
    lines += [*factors(ENTRIES, jobs, PLAIN, "process"), "", *medians(ENTRIES, jobs, "seconds"), ""]
    rows = [
        [who.label, f"{max(results.cold[who.name].facts['peak_mib_by_round']):,.0f}"]
        for who in ENTRIES
        if who.name in results.cold and results.cold[who.name].is_there
    ]
    return [*lines, *reasons(ENTRIES, jobs), *grid(["peak memory", "MiB"], rows), ""]


def _answers(results: Results) -> list[str]:
    if not results.answers:
        return []
    lines = ["## Prediction, a matrix in and probabilities out", "", f"The network of adult; how many {_FASTER}:", ""]
    lines += [*factors(ENTRIES, results.answers, PLAIN, "rows"), "", "Milliseconds a call:", ""]
    lines += [*medians(ENTRIES, results.answers, "ms", scale=1e3), "", *reasons(ENTRIES, results.answers)]
    said = "Ours is the model as read from its file, NumPy alone, whichever engine trained it."
    return [*lines, said, "", *_rates(results.answers, ENTRIES), ""]


def _mixed(results: Results) -> list[str]:
    if not results.mixed:
        return []
    base = MIXED[1].name
    right = [
        f"{who.label} {m.facts['accuracy_by_round'][0]:.4f}"
        for who in MIXED
        if (m := results.mixed_fit.get(who.name)) and m.facts.get("accuracy_by_round")
    ]
    return [
        "## Prediction, twelve mixed columns in and probabilities out",
        "",
        "From rows as a web service gets them (dicts with numbers, texts and missing values) to probabilities. How "
        "many times as fast as a pandas frame, scikit-learn's `ColumnTransformer` (impute, scale, one-hot) and a "
        "PyTorch module:",
        "",
        *factors(MIXED, results.mixed, base, "rows"),
        "",
        "Milliseconds a call:",
        "",
        *medians(MIXED, results.mixed, "ms", scale=1e3),
        "",
        *reasons(MIXED, results.mixed),
        *_rates(results.mixed, MIXED),
        "",
        f"Test accuracy: {', '.join(right) or 'not known'}.",
        "",
    ]


def _rates(jobs: dict[str, Table], entries: Sequence[object]) -> list[str]:
    """Rows a second."""
    rows = []
    for who in entries:
        cells = [
            number(m.facts["rows_by_round"][0] / m.median) if (m := found.get(who.name)) and m.is_there else "–"
            for found in jobs.values()
        ]
        rows.append([who.label, *cells])
    return grid(["rows a second", *jobs], rows)
