"""Diagnosis: from the record of a training to findings in words, each with its evidence and its fix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pellucid.diagnosis import forecasts, image_files, layers, pictures, rows, sequences, training
from pellucid.diagnosis.evidence import Evidence
from pellucid.diagnosis.finding import Finding

__all__ = ["NAMES", "RULES", "Evidence", "Finding", "diagnose"]

RULES: tuple[Callable[[Evidence], Finding | None], ...] = (
    # The most serious first: what makes all scores worthless, then what keeps the network from learning.
    rows.leak,
    sequences.future_leaks,
    image_files.files_tell_class,
    image_files.border_tells_class,
    rows.near_copies,
    image_files.copies_of_images,
    sequences.copies_of_texts,
    rows.shared_entities,
    rows.neighbours_in_time,
    forecasts.future_known,
    rows.wrong_loss,
    training.diverging,
    rows.no_signal,
    forecasts.repeats_last_value,
    rows.features_not_scaled,
    layers.bad_first_scale,
    layers.exploding_gradients,
    layers.vanishing_gradients,
    sequences.exploding_over_steps,
    sequences.vanishing_over_steps,
    layers.dead_units,
    pictures.dead_channels,
    layers.saturated_units,
    layers.tiny_norm_batches,
    pictures.shrunk_too_early,
    pictures.kernels_on_padding,
    pictures.small_receptive_field,
    pictures.augmentation_hurts,
    sequences.mostly_unknown,
    sequences.sequences_cut,
    training.rate_too_high,
    training.rate_too_low,
    training.stopped_early,
    rows.too_small,
    training.overfitting,
    rows.majority_collapse,
    rows.imbalance,
    image_files.contradicting_copies,
    rows.wrong_labels,
    rows.shifted_rows,
    rows.too_few_rows,
    pictures.too_few_pictures,
    image_files.unreadable_files,
    sequences.mostly_padding,
    rows.useless_columns,
)


# The names of all findings, in that order.
NAMES = (
    "leak", "future-leaks", "files-tell-the-class", "border-tells-the-class", "copies-across-the-split",
    "image-copies-across-the-split", "text-copies-across-the-split", "known-ones-in-the-test",
    "neighbours-in-the-test", "future-known", "wrong-loss", "diverging", "no-signal", "repeats-the-last-value",
    "features-not-scaled", "bad-initial-scale", "exploding-gradients", "vanishing-gradients",
    "gradients-explode-over-steps", "gradients-vanish-over-steps", "dead-units", "dead-channels", "saturated-units",
    "tiny-batches-with-batch-norm", "shrunk-too-early", "kernel-wider-than-its-input", "receptive-field-too-small",
    "augmentation-hurts", "mostly-unknown-tokens", "sequences-cut", "learning-rate-too-high", "learning-rate-too-low",
    "stopped-too-early", "network-too-small", "overfitting", "majority-collapse", "class-imbalance",
    "copies-with-different-labels", "labels-look-wrong", "shifted-rows", "too-few-rows", "too-few-pictures",
    "unreadable-files", "mostly-padding", "useless-columns",
)  # fmt: skip

# Rules on columns of a table, which the windows of a series are not: the last value is no leak.
_NOT_OF_FORECASTS = (rows.leak, rows.neighbours_in_time, rows.near_copies, rows.useless_columns)

# Findings that follow from another finding are not reported again.
_FOLLOWS: dict[str, tuple[str, ...]] = {
    "features-not-scaled": (
        "bad-initial-scale", "exploding-gradients", "saturated-units", "dead-units", "dead-channels", "diverging",
        "learning-rate-too-high", "labels-look-wrong",
    ),
    "future-leaks": ("overfitting",),
    "no-signal": ("labels-look-wrong", "overfitting", "majority-collapse", "class-imbalance", "network-too-small"),
    "learning-rate-too-low": ("stopped-too-early",),
    # Weights that jump, or no longer move, make training pictures look harder than they are.
    "learning-rate-too-high": ("augmentation-hurts",),
    "dead-channels": ("augmentation-hurts",),
    "bad-initial-scale": ("learning-rate-too-low", "learning-rate-too-high", "stopped-too-early", "labels-look-wrong"),
    # The weights learn almost nothing: its symptoms are not separate mistakes, and a lower rate makes it worse.
    "vanishing-gradients": (
        "saturated-units", "learning-rate-too-high", "learning-rate-too-low", "stopped-too-early", "network-too-small",
        "majority-collapse", "labels-look-wrong",
    ),
    "exploding-gradients": ("learning-rate-too-low", "diverging", "stopped-too-early", "labels-look-wrong"),
    "gradients-vanish-over-steps": (
        "learning-rate-too-low", "stopped-too-early", "majority-collapse", "vanishing-gradients",
    ),
    "gradients-explode-over-steps": ("diverging", "learning-rate-too-high", "majority-collapse", "saturated-units"),
    "saturated-units": ("learning-rate-too-low",),
    "diverging": ("learning-rate-too-high", "dead-units", "dead-channels", "majority-collapse"),
    "too-few-rows": ("labels-look-wrong",),
    "shrunk-too-early": ("kernel-wider-than-its-input",),
}  # fmt: skip


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """Return what the doctor finds, the most serious first; empty if all is well.

    The change of each finding includes those of the findings above it, so that a second fix never undoes the first.
    """
    if not evidence.history and evidence.reason != "diverged":
        return ()
    rules = [rule for rule in RULES if evidence.forecast is None or rule not in _NOT_OF_FORECASTS]
    found = [finding for rule in rules if (finding := rule(evidence)) is not None]
    follow = {name for finding in found for name in _FOLLOWS.get(finding.name, ())}
    return _together([finding for finding in found if finding.name not in follow])


def _together(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings with cumulative changes; if two want different values, the more serious finding wins."""
    above: dict[str, Any] = {}
    together = []
    for finding in findings:
        if finding.change:
            more = {name: value for name, value in finding.change.items() if name not in above}
            above = {**above, **more}
            if "drop" in finding.change:  # columns add up
                above["drop"] = tuple(dict.fromkeys((*above["drop"], *finding.change["drop"])))
        together.append(replace(finding, change=dict(above) if finding.change else {}))
    return tuple(together)
