"""The first screen: is it good, is it worth it, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.notes import LeakNote
from pellucid.numerals import numerals
from pellucid.preparation.grid import changed_command
from pellucid.reports.blocks import Article, Block
from pellucid.reports.parts.report_input import ReportInput
from pellucid.settings.config import CONFIG_FILE

__all__ = ["in_short"]

_FLATTERED = {
    "validation": "These rows also chose the best epoch, so expect slightly worse results on new rows.",
    "training": "These are the training rows, so this says nothing about new rows: set test rows aside (--test).",
}


def in_short(given: ReportInput) -> Sequence[Block]:
    """Three questions, each with its answer."""
    next_step, command = _next_step(given)
    return [
        Article(title="Is it good?", text=_how_good(given), parts=()),
        Article(title="Is it worth it?", text=_worth(given), parts=()),
        Article(title="What to do next?", text=next_step, parts=(), command=command),
    ]


# ── how good ──────────────────────────────────────────────────────────────────────────────────────────────────


def _how_good(given: ReportInput) -> str:
    said = [_measured(given)]
    held = str(given.run.summary.get("measured_on", "test"))
    if held in _FLATTERED:
        said.append(_FLATTERED[held])
    known = next((note for note in given.prepared.notes if isinstance(note, LeakNote)), None)
    if known is not None and given.shows_rows:
        said.append(f"But {known}.")
    if given.prepared.doubts:
        said.append(f"But it may be too optimistic for new rows: {given.prepared.doubts[0].fact}.")
    return " ".join(said)


def _measured(given: ReportInput) -> str:
    """The most telling figures, beside those of a constant prediction."""
    task, metrics = given.run.model.task, given.run.metrics
    held, n = given.run.summary.get("measured_on", "test"), f"{len(given.measured.features):,}"
    rows = f"{n} rows that it has not seen" if held == "test" else f"{n} {held} rows"
    base = given.run.summary.get("baseline", {})
    if task.is_classification:
        found = metrics["accuracy"]
        usual = _value(base, "accuracy")
        said = f"It correctly predicts {_share(found.value)} of {rows}{_interval(found, _share)}"
        said += f"; always predicting the most frequent class would give {_share(usual)}." if usual else "."
        area = metrics.get("roc_auc")
        if area is not None and np.isfinite(area.value) and len(task.classes) == 2:
            said += f" Its ROC AUC is {area.value:.3f} (0.5 is guessing, 1 is perfect)."
        return said
    if task.kind == "reconstruction":
        value = f"{metrics['r2'].value:.3f}"
        return f"The reconstruction of {rows} has an R² of {value} (1 is perfect, 0 is no better than the mean)."
    ahead = given.run.summary.get("forecast")
    if ahead:
        return _of_forecast(ahead, given.run.model.task.target)
    found, usual = metrics["mae"], _value(base, "mae")
    value, low, high, without = numerals([found.value, found.low, found.high, usual])
    said = f"On {rows}, the mean absolute error is {value}"
    said += f" (95 % interval: {low} to {high})" if np.isfinite(found.low) else ""
    said += f"; always predicting the mean would give {without}." if usual else "."
    r2 = metrics.get("r2")
    return said + (f" R² is {r2.value:.3f} (1 is perfect, 0 is no better than the mean)." if r2 is not None else "")


def _of_forecast(ahead: Sequence[Any], target: str) -> str:
    """The errors at the first and the last step ahead, beside persistence."""
    said = []
    for each in (ahead[0], ahead[-1])[: len(ahead)]:
        error, last = numerals([each["rmse"], each["persistence"]])
        steps = "one step" if each["steps"] == 1 else f"{each['steps']} steps"
        said.append(f"{error} {steps} ahead ({last} for the last value in its place)")
    return f"On the test part, forecasts of {target!r} have an RMSE of {' and '.join(said)}."


def _value(metrics: Any, name: str) -> float | None:
    found = (metrics.get(name) or {}).get("value")
    return None if found is None else float(found)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(found: Any, shown: Any) -> str:
    return f" (95 % interval: {shown(found.low)} to {shown(found.high)})" if np.isfinite(found.low) else ""


# ── worth it ──────────────────────────────────────────────────────────────────────────────────────────────────


def _worth(given: ReportInput) -> str:
    found = given.run.verdict
    return "No simpler models were trained for comparison (--no-verdict)." if found is None else found.sentence


# ── next ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _next_step(given: ReportInput) -> tuple[str, str | None]:
    """A sentence and a command: the doctor's first finding, or else to use the network."""
    run = given.run
    path = None if run.path is None else shlex.quote(str(run.path))
    if run.findings:
        first = run.findings[0]
        said = f"{first.finding} {first.fix[0].upper()}{first.fix[1:]}."
        if len(run.findings) > 1:
            n = len(run.findings) - 1
            said += f" The doctor has {n} more finding{'s' * (n > 1)}, below."
        config = None if run.path is None else run.path / CONFIG_FILE
        changed = changed_command(first.change, given.table_name, given.prepared.settings, config)
        return said, changed if first.change else None
    if run.model.forecaster is not None:
        said = "The doctor found no problems. Look at the forecasts, below; then continue the series:"
        if run.verdict is not None and run.verdict.winner not in ("network", None):
            said = "A simpler model forecasts as well or better; the pictures below show where the network is wrong. "
            said += "Its own forecast:"
        return said, None if path is None else f"pellucid predict {path} -o predictions.csv"
    if run.verdict is not None and run.verdict.winner not in ("network", None):
        return "Look at its worst mistakes, below, and try other settings. This command searches for better ones:", (
            None if path is None else f"pellucid search -c {path}/{CONFIG_FILE} --trials 30"
        )
    said = "The doctor found no problems. Look at the worst mistakes, below; then predict new rows:"
    new = "new.csv" if given.run.model.image is None else "new-pictures/"
    return said, None if path is None else f"pellucid predict {path} {new} -o predictions.csv"
