"""How good the network is: verdict, metrics, confusion or residuals, thresholds, calibration, the luck of the seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.artefact.report.blocks import Block, Code, Numbers, Paragraph
from pellucid.evaluation.curves import calibration, precision_recall, roc
from pellucid.evaluation.metrics import confusion_matrix
from pellucid.evaluation.verdict import DUMMY
from pellucid.plots.confusion import confusion_matrices
from pellucid.plots.outcome import calibration_curve, residuals, threshold_curves
from pellucid.workflow.report_parts.told import Told, number, picture

__all__ = ["answers", "calibrated", "curves", "metrics", "seeds", "verdict"]

_MOST_CLASSES = 20
_LINES = 6


def verdict(told: Told) -> Sequence[Block]:
    """The sentence, and the models that it compares."""
    found = told.run.verdict
    if found is None:
        return [Paragraph(text="No simpler model was trained beside it (--no-verdict).", strong=True)]
    blocks: list[Block] = [Paragraph(text=found.sentence, strong=True)]
    if found.peers and found.metric is not None:
        rows = [["this network", number(found.value), "", "", ""]]
        rows += [
            [
                "an answer that looks at no column" if peer.name == DUMMY else peer.name,
                number(peer.value),
                number(peer.difference),
                f"{number(peer.low)} to {number(peer.high)}",
                f"{peer.rows:,}",
            ]
            for peer in found.peers
        ]
        spoken = found.metric.replace("_", " ")
        blocks.append(
            Numbers(
                caption=f"{spoken} on {found.rows:,} test rows, paired",
                headings=["model", spoken, "the network is better by", "95 % interval", "rows trained on"],
                rows=rows,
                right=(1, 2, 3, 4),
            )
        )
    return [*blocks, *(Paragraph(text=note) for note in found.notes)]


def metrics(told: Told) -> Sequence[Block]:
    """Each with its interval, beside an answer that looks at no column."""
    base = told.run.summary.get("baseline", {})
    rows = [
        [
            name.replace("_", " "),
            number(found.value),
            f"{number(found.low)} – {number(found.high)}",
            number((base.get(name) or {}).get("value")),
        ]
        for name, found in told.run.metrics.items()
    ]
    held = told.run.summary.get("measured_on", "test")
    return [
        Numbers(
            caption=f"On {len(told.viewed.inputs):,} {held} rows",
            headings=["metric", "value", "95 % interval", "without the network"],
            rows=rows,
            right=(1, 2, 3),
        )
    ]


def answers(told: Told) -> Sequence[Block]:
    """The confusion matrix, or residuals."""
    task, truth = told.run.model.task, told.viewed.truth
    if truth is None or not len(truth):
        return []
    if not task.is_classification:
        return [
            picture(
                lambda: residuals(truth, told.answers, name=task.target),
                "residuals",
                f"Two scatter plots: predicted against actual {task.target}, and the errors against the prediction.",
                "Left: on the dotted line an answer is right. Right: a pattern is something the network missed.",
            )
        ]
    labels = [str(c) for c in task.classes]
    counts = confusion_matrix(truth.astype(np.int64), told.answers.argmax(axis=1), len(labels))
    if len(labels) > _MOST_CLASSES:
        off = counts - np.diag(np.diag(counts))
        worst = np.argsort(-off, axis=None)[:20]
        rows = [
            [labels[a], labels[b], f"{int(off[a, b]):,}"]
            for a, b in (np.unravel_index(w, off.shape) for w in worst)
            if off[a, b]
        ]
        caption = "What is taken for what, the commonest"
        return [Numbers(caption=caption, headings=["is", "answered", "rows"], rows=rows, right=(2,))]
    wrong = int(counts.sum() - np.trace(counts))
    return [
        picture(
            lambda: confusion_matrices({"": counts}, labels),
            "confusion",
            f"Confusion matrix of {len(labels)} classes: {wrong:,} of {int(counts.sum()):,} rows are wrong.",
        )
    ]


def curves(told: Told) -> Sequence[Block]:
    """ROC and precision–recall, of each class against the others."""
    task, truth = told.run.model.task, told.viewed.truth
    if not task.is_classification or truth is None:
        return []
    y = truth.astype(np.int64)
    counts = np.bincount(y, minlength=len(task.classes))
    chosen = [1] if len(task.classes) == 2 else [int(k) for k in np.argsort(-counts, kind="stable")[:_LINES]]
    chosen = [k for k in chosen if 0 < counts[k] < len(y)]
    if not chosen:
        return []
    names = {k: str(task.classes[k]) for k in chosen}
    left = {names[k]: roc(y == k, told.answers[:, k]) for k in chosen}
    right = {names[k]: precision_recall(y == k, told.answers[:, k]) for k in chosen}
    shares = {names[k]: counts[k] / len(y) for k in chosen}
    more = (
        "" if len(chosen) >= len(task.classes) - 1 else f" The {len(chosen)} commonest of {len(task.classes)} classes."
    )
    return [
        picture(
            lambda: threshold_curves(left, right, shares),
            "thresholds",
            f"ROC and precision-recall curves of {', '.join(names.values())}.",
            f"Each class against the others, over all thresholds; dotted: guessing.{more}",
        )
    ]


def calibrated(told: Told) -> Sequence[Block]:
    """Whether probabilities can be taken at their word."""
    task, truth = told.run.model.task, told.viewed.truth
    if not task.is_classification or truth is None or len(truth) < 20:
        return []
    y = truth.astype(np.int64)
    if len(task.classes) == 2:
        said, right, of = told.answers[:, 1], y == 1, f"probability of {task.classes[1]}"
    else:
        said, right, of = told.answers.max(axis=1), told.answers.argmax(axis=1) == y, "probability of the answer"
    found = calibration(right, said, bins=min(10, len(y) // 10))
    return [
        picture(
            lambda: calibration_curve(found.said, found.came, found.low, found.high, of=of, error=found.error),
            "calibration-curve",
            f"Calibration curve: on average the {of} is {found.error:.3f} away from the share that came true.",
            "On the dotted line, of the rows that are given 70 % seven in ten come true. Bars: 95 % intervals.",
        )
    ]


def seeds(told: Told) -> Sequence[Block]:
    """What other seeds or folds came to, or the command that finds out."""
    facts = told.run.summary.get("ensemble")
    command = Code(text=f"pellucid lottery {told.run.path}", caption="How far the outcome depends on chance:")
    if not isinstance(facts, dict):
        return [Paragraph(text="One network was trained, from one draw of first weights."), command]
    rows = [
        [name.replace("_", " "), *(number(each.get(part)) for part in ("together", "mean", "best", "worst"))]
        for name, each in _spread_of(facts).items()
    ]
    return [
        Paragraph(text=str(facts.get("sentence", ""))),
        Numbers(
            caption=f"The networks of this ensemble, each alone, on the {told.run.summary.get('measured_on')} rows",
            headings=["metric", "together", "one on average", "best", "worst"],
            rows=rows,
            right=(1, 2, 3, 4),
        ),
        command,
    ]


def _spread_of(facts: dict[str, object]) -> dict[str, dict[str, float]]:
    found = facts.get("metrics")
    return found if isinstance(found, dict) else {}
