"""How good the network is: verdict, metrics, confusion or residuals, curves, calibration, effect of the seed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.curves import calibration, precision_recall, roc
from pellucid.evaluation.metrics import confusion_matrix
from pellucid.evaluation.verdict import DUMMY
from pellucid.numerals import numerals
from pellucid.plots.confusion import confusion_matrices
from pellucid.plots.outcome import calibration_curve, precision_recall_curves, residuals, roc_curves
from pellucid.plots.words import wrapped
from pellucid.reports.blocks import Block, Code, Numbers, Paragraph, Pictures, Points
from pellucid.reports.parts.report_input import ReportInput, picture

__all__ = ["answers", "calibrated", "curves", "metrics", "seeds", "verdict"]

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[Any]

_MOST_CLASSES = 20
_LINES = 6


def verdict(given: ReportInput) -> Sequence[Block]:
    """The verdict's sentence, and the models compared."""
    found = given.run.verdict
    if found is None:
        return [Paragraph(text="No simpler models were trained for comparison (--no-verdict).", strong=True)]
    blocks: list[Block] = [Paragraph(text=found.sentence, strong=True)]
    if found.peers and found.metric is not None:
        first, *values = numerals([found.value, *(peer.value for peer in found.peers)])
        apart = numerals([number for peer in found.peers for number in (peer.difference, peer.low, peer.high)])
        rows = [["this network", first, "", "", ""]]
        for k, (peer, value) in enumerate(zip(found.peers, values, strict=True)):
            difference, low, high = apart[3 * k : 3 * k + 3]
            interval = "—" if np.isnan(peer.low) else f"{low} to {high}"
            name = "constant prediction" if peer.name == DUMMY else peer.name
            rows.append([name, value, difference, interval, f"{peer.rows:,}"])
        spoken = found.metric.replace("_", " ")
        blocks.append(
            Numbers(
                caption=f"{spoken} on the same {found.rows:,} test rows",
                headings=["model", spoken, "network better by", "95 % interval", "training rows"],
                rows=rows,
                right=(1, 2, 3, 4),
            )
        )
    return [*blocks, Points(texts=found.notes)] if found.notes else blocks


def metrics(given: ReportInput) -> Sequence[Block]:
    """Each metric with its interval, beside the baseline, a constant prediction."""
    base = given.run.summary.get("baseline", {})
    rows = []
    for name, found in given.run.metrics.items():
        value, low, high, without = numerals([found.value, found.low, found.high, (base.get(name) or {}).get("value")])
        interval = "—" if np.isnan(found.low) else f"{low} – {high}"
        rows.append([name.replace("_", " "), value, f"none: {found.why}" if found.why else interval, without])
    held = given.run.summary.get("measured_on", "test")
    return [
        Numbers(
            caption=f"On {len(given.measured.features):,} {held} rows",
            headings=["metric", "value", "95 % interval", "baseline"],
            rows=rows,
            right=(1, 2, 3),
        ),
        *([Points(texts=list(given.prepared.flattering))] if given.prepared.flattering else []),
    ]


def answers(given: ReportInput) -> Sequence[Block]:
    """The confusion matrix, the residuals, or how well each column is reconstructed."""
    task, truth = given.run.model.task, given.measured.truth
    if task.kind == "reconstruction":
        return _reconstructed(given)
    if truth is None or not (known := np.isfinite(truth)).any():
        return []
    if not task.is_classification:
        return _residuals(given, truth[known], given.answers[known])
    labels = [str(c) for c in task.classes]
    counts = confusion_matrix(truth[known].astype(np.int64), given.answers[known].argmax(axis=1), len(labels))
    if len(labels) > _MOST_CLASSES:
        off = counts - np.diag(np.diag(counts))
        worst = np.argsort(-off, axis=None)[:20]
        rows = [
            [labels[a], labels[b], f"{int(off[a, b]):,}"]
            for a, b in (np.unravel_index(w, off.shape) for w in worst)
            if off[a, b]
        ]
        caption = "The most frequent confusions"
        return [Numbers(caption=caption, headings=["actual", "predicted", "rows"], rows=rows, right=(2,))]
    wrong = int(counts.sum() - np.trace(counts))
    return [
        picture(
            lambda: _confusion(counts, labels),
            "confusion",
            f"Confusion matrix of {len(labels)} classes: {wrong:,} of {int(counts.sum()):,} rows are wrong. "
            + _shares_found(counts, labels),
            "Number of rows in each cell. Correct predictions are grey; the darker an error, the larger its share of "
            "the actual class.",
        )
    ]


def _confusion(counts: Array, labels: Sequence[str]) -> Figure:
    """Without a colour bar, which would take half the width of a phone: the numbers are in the cells."""
    short = [wrapped(label, 16, 2) for label in labels]
    figure = confusion_matrices({"": counts}, short)
    axes = figure.axes[0]
    if (bar := axes.images[0].colorbar) is not None:
        bar.remove()
    letters = 0.09 * max(len(line) for label in short for line in label.split("\n"))  # inches
    turned = any(tick.get_rotation() for tick in axes.get_xticklabels())
    side, beside = max(2.0, 0.42 * len(labels), 0 if turned else letters * len(labels)), letters + 0.5
    figure.set_size_inches(side + beside + 0.1, side + (0.72 * beside + 0.2 if turned else 0.6))
    return figure


def _shares_found(counts: Array, labels: Sequence[str]) -> str:
    """How much of each class is recognised, in words."""
    totals = counts.sum(axis=1)
    return ", ".join(
        f"{100 * counts[k, k] / totals[k]:.0f} % of {label}" for k, label in enumerate(labels) if totals[k]
    ) + " are recognised."  # fmt: skip


def _residuals(given: ReportInput, truth: Array, answers: Array) -> Sequence[Block]:
    target = given.run.model.task.target
    left, right = residuals(truth, answers, name=target, hidden=not given.shows_rows)
    errors = answers - truth
    middle, low, high = np.quantile(errors, [0.5, 0.05, 0.95])
    middle, low, high = numerals([middle, low, high])
    spread = f"the median error is {middle}, and 90 % of the errors lie between {low} and {high}"
    hidden = (
        ""
        if given.shows_rows
        else " Groups of fewer than five rows, and the outermost rows, are not drawn (--no-rows)."
    )
    return [
        Pictures(
            pictures=[
                picture(
                    lambda: left, "predicted", f"Predicted against actual {target}, as counts of rows.",
                    "On the dotted line, a prediction is exact.",
                ),
                picture(
                    lambda: right, "residuals", f"Errors against the prediction, as counts of rows: {spread}.",
                    "A pattern means that the network missed something.",
                ),
            ],
            caption=f"{spread[0].upper()}{spread[1:]}.{hidden}",
        )
    ]  # fmt: skip


def _reconstructed(given: ReportInput) -> Sequence[Block]:
    """The share of each column's variance that is reconstructed, the worst first."""
    recipe = given.run.model.recipe
    inputs, outputs = given.measured.inputs.astype(np.float64), given.answers.astype(np.float64)
    if given.run.model.image is not None or inputs.shape != outputs.shape or not len(inputs):
        return []
    rows = []
    wanted, found = recipe.features_of(inputs), recipe.features_of(outputs)
    for name in wanted.columns:
        cells = wanted.column(name).flat
        varies = float(((cells - cells.mean(axis=0)) ** 2).sum())
        lost = float(((cells - found.column(name).flat) ** 2).sum())
        if varies > 0:
            rows.append((1 - lost / varies, name))
    shown = sorted(rows)[:_MOST_CLASSES]
    return [
        Numbers(
            caption="How much of each column is reconstructed" + (", the worst" if len(shown) < len(rows) else ""),
            headings=["column", "share of its variance"],
            rows=[[name, share] for (_, name), share in zip(shown, numerals([s for s, _ in shown]), strict=True)],
            right=(1,),
        )
    ]


def curves(given: ReportInput) -> Sequence[Block]:
    """ROC and precision–recall curves, of each class against the others."""
    task, truth = given.run.model.task, given.measured.truth
    if not task.is_classification or truth is None:
        return []
    known = np.isfinite(truth)
    y, scores = truth[known].astype(np.int64), given.answers[known]
    counts = np.bincount(y, minlength=len(task.classes))
    chosen = [1] if len(task.classes) == 2 else [int(k) for k in np.argsort(-counts, kind="stable")[:_LINES]]
    chosen = [k for k in chosen if 0 < counts[k] < len(y)]
    if not chosen:
        return []
    names = {k: str(task.classes[k]) for k in chosen}
    rates = {names[k]: roc(y == k, scores[:, k]) for k in chosen}
    precisions = {names[k]: precision_recall(y == k, scores[:, k]) for k in chosen}
    shares = {names[k]: counts[k] / len(y) for k in chosen}
    areas = {name: _area(across, up) for name, (across, up) in rates.items()}
    more = (
        ""
        if len(chosen) >= len(task.classes) - 1
        else f" Shown: the {len(chosen)} most frequent of {len(task.classes)} classes."
    )
    each = "Each class against the others" if len(chosen) > 1 else f"{names[chosen[0]]} against the other"
    said = ", ".join(f"{name} {area:.3f}" for name, area in areas.items())
    return [
        Pictures(
            pictures=[
                picture(lambda: roc_curves(rates), "roc", f"ROC curves; areas under them: {said}."),
                picture(
                    lambda: precision_recall_curves(precisions, shares),
                    "precision-recall",
                    f"Precision against recall for {', '.join(names.values())}.",
                ),
            ],
            caption=f"{each}, at all thresholds; dotted: guessing. Area under the ROC curve: {said}.{more}",
        )
    ]


def _area(x: Array, y: Array) -> float:
    return float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())


def calibrated(given: ReportInput) -> Sequence[Block]:
    """Whether predicted probabilities match observed frequencies."""
    task, truth = given.run.model.task, given.measured.truth
    if not task.is_classification or truth is None or np.isfinite(truth).sum() < 20:
        return []
    known = np.isfinite(truth)
    y, p = truth[known].astype(np.int64), given.answers[known]
    if len(task.classes) == 2:
        said, right, of = p[:, 1], y == 1, f"probability of {task.classes[1]}"
    else:
        said, right, of = p.max(axis=1), p.argmax(axis=1) == y, "probability of the predicted class"
    found = calibration(right, said, bins=min(10, len(y) // 10))
    return [
        picture(
            lambda: calibration_curve(found.said, found.came, found.low, found.high, of=of, error=found.error),
            "calibration-curve",
            f"Calibration curve: on average the {of} is {found.error:.3f} away from the observed frequency.",
            "On the dotted line, probabilities are exact: of the rows predicted with 70 %, 70 % come true. Bars: 95 % "
            "intervals.",
        )
    ]


def seeds(given: ReportInput) -> Sequence[Block]:
    """The results of other seeds or folds, or the command that measures them."""
    facts = given.run.summary.get("ensemble")
    if given.prepared.forecast is not None and not isinstance(facts, dict):
        return []
    command = Code(
        text=f"pellucid lottery {shlex.quote(str(given.run.path))}", caption="How much the result depends on the seed:"
    )
    if not isinstance(facts, dict):
        return [Paragraph(text="One network was trained, from one draw of initial weights."), command]
    rows = [
        [name.replace("_", " "), *numerals([each.get(part) for part in ("together", "mean", "best", "worst")])]
        for name, each in _spread_of(facts).items()
    ]
    return [
        Paragraph(text=str(facts.get("sentence", ""))),
        Numbers(
            caption=f"The ensemble and its networks alone, on the {given.run.summary.get('measured_on')} rows",
            headings=["metric", "ensemble", "one network, mean", "best", "worst"],
            rows=rows,
            right=(1, 2, 3, 4),
        ),
        *([command] if given.prepared.forecast is None else []),
    ]


def _spread_of(facts: dict[str, object]) -> dict[str, dict[str, float]]:
    found = facts.get("metrics")
    return found if isinstance(found, dict) else {}
