"""Findings about networks that read step by step: gradients over the steps, the future, lengths, tokens, copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pellucid.diagnosis.evidence import Evidence
from pellucid.diagnosis.finding import Finding, shown_share
from pellucid.diagnosis.sequence_evidence import FutureLeak
from pellucid.training.signals import LayerSignal, Snapshot

__all__ = [
    "copies_of_texts",
    "exploding_over_steps",
    "future_leaks",
    "leak_finding",
    "mostly_padding",
    "mostly_unknown",
    "sequences_cut",
    "vanishing_over_steps",
]

_FADES, _GROWS = 1e-4, 1e3  # ‖∂L/∂x‖ at the first step ÷ that at the last
_UNSOLVED = 0.5  # of the base loss
_ROUNDING = 1e-3  # of a logit, in float32
_MANY_CUT, _MANY_UNKNOWN = 0.1, 0.2
_USUAL_VOCABULARY = 10_000
_MOSTLY_PADDING = 0.1  # median length ÷ T
_FEWEST_STEPS = 20  # below, padding costs little
_COPIES, _FEWEST_COPIES = 0.02, 3
_MOST_STEPS = 1_024  # that a finding proposes
_ROWS = 20


def future_leaks(e: Evidence) -> Finding | None:
    """A network that answers at every step sees later steps."""
    return None if e.sequence is None else leak_finding(e.sequence.future, e.settings)


def leak_finding(leak: FutureLeak | None, settings: Mapping[str, Any]) -> Finding | None:
    """The same, from what came of changing later tokens and the settings of the run."""
    if leak is None or not leak.largest > _ROUNDING:
        return None
    return Finding(
        name="future-leaks",
        finding="The network sees the tokens that it is to predict.",
        evidence=(
            f"other tokens later in a row changed earlier answers in {leak.changed:,} of {leak.rows:,} rows, a logit "
            f"by up to {leak.largest:.2g}; none must change"
        ),
        consequence="its loss is far too good, and it cannot continue a text, whose next tokens are not there yet",
        fix="attention with a causal mask, recurrent layers in one direction, no pooling or normalising over steps",
        change={"bidirectional": False} if settings.get("bidirectional") else {},
    )


def copies_of_texts(e: Evidence) -> Finding | None:
    """Texts that measure the network are also in training, but for case, spaces, signs and digits."""
    s = e.sequence
    if s is None or len(s.copies) < max(_FEWEST_COPIES, _COPIES * s.unseen):
        return None
    return Finding(
        name="text-copies-across-the-split",
        finding="Texts that measure the network have near copies in training.",
        evidence=(
            f"{len(s.copies):,} of the {s.unseen:,} unseen texts ({shown_share(len(s.copies) / s.unseen)}) are also in "
            "training, but for case, spaces, signs and digits"
        ),
        consequence="the network has seen them, so the score is better than on new texts",
        fix="leave out the copies, or name a column that says which texts belong together (--group)",
        rows=tuple(row for row in s.copies if row >= 0)[:_ROWS],
    )


def exploding_over_steps(e: Evidence) -> Finding | None:
    """Back through the steps of a recurrent layer, the gradient grows."""
    found = _at_steps(e, lambda first, last: first > _GROWS * last, both=False)
    if found is None:
        return None
    snapshot, layer = found
    return Finding(
        name="gradients-explode-over-steps",
        finding="The gradient grows from step to step on its way back through the sequence.",
        evidence=_shown(e, snapshot, layer),
        consequence="a small change at the first steps changes everything after it, so training jumps and fails",
        fix="a limit on the gradient's norm, initial weights of the usual scale, and gates (gru or lstm)",
        change={"clip_norm": 1.0, "init_scale": 1.0, **_gated(e)},
    )


def vanishing_over_steps(e: Evidence) -> Finding | None:
    """Back through the steps of a recurrent layer, the gradient vanishes, and the network has not learned the task."""
    if not e.history or e.reason == "diverged" or not e.base_loss:
        return None
    if float(e.validation_losses[e.best]) <= _UNSOLVED * e.base_loss:
        return None
    found = _at_steps(e, lambda first, last: first < _FADES * last, both=True)
    if found is None:
        return None
    snapshot, layer = found
    pooled = {"step_pool": "max"} if e.settings.get("step_pool") == "last" else {}
    both_ways = {"bidirectional": True} if e.settings.get("bidirectional") is False else {}
    return Finding(
        name="gradients-vanish-over-steps",
        finding="The gradient vanishes on its way back to the first steps.",
        evidence=_shown(e, snapshot, layer),
        consequence="what stands at the beginning of a sequence has no effect on what the network learns",
        fix="the maximum or the mean over all steps instead of the last one, both directions, and gates (gru or lstm)",
        change={**pooled, **both_ways, **_gated(e)},
    )


def sequences_cut(e: Evidence) -> Finding | None:
    """Many rows are longer than what is read of them."""
    s = e.sequence
    if s is None or s.cut < _MANY_CUT:
        return None
    enough = _length_for(s.lengths)
    return Finding(
        name="sequences-cut",
        finding=f"Of {shown_share(s.cut)} of the rows only the beginning is read.",
        evidence=(
            f"{s.steps:,} {s.units} are read; the median row has {np.median(s.lengths):,.0f}, the longest "
            f"{s.lengths.max():,}"
        ),
        consequence="what comes after has no effect on the answer",
        fix=f"read more of each ({enough:,} {s.units}), which takes longer"
        if enough > s.steps
        else "shorter units (words or byte pairs instead of characters), or the part of each text that matters",
        change={"length": enough} if enough > s.steps else {},
    )


def mostly_unknown(e: Evidence) -> Finding | None:
    """Many tokens of unseen texts are not in the vocabulary."""
    s = e.sequence
    if s is None or s.unknown is None or s.unknown < _MANY_UNKNOWN:
        return None
    few = e.settings.get("vocabulary")
    small = few is not None and few < _USUAL_VOCABULARY  # then training texts have them, too
    pieces = not small and e.settings.get("text_units") != "byte-pairs"
    return Finding(
        name="mostly-unknown-tokens",
        finding=f"{shown_share(s.unknown)} of the tokens of unseen texts are unknown to the network.",
        evidence=f"of the training texts {shown_share(s.unknown_learned or 0.0)} are; tokens are {s.units}",
        consequence="all unknown tokens look the same to it",
        fix=f"a larger vocabulary, of up to {_USUAL_VOCABULARY:,} tokens"
        if small
        else "tokens that are pieces of words (byte pairs), or more texts to learn from"
        if pieces
        else "training texts of the same language and kind",
        change={"vocabulary": _USUAL_VOCABULARY} if small else {"text_units": "byte-pairs"} if pieces else {},
    )


def mostly_padding(e: Evidence) -> Finding | None:
    """A few long rows make all others mostly padding."""
    s = e.sequence
    if s is None or not len(s.lengths) or s.steps < _FEWEST_STEPS:
        return None
    middle, enough = float(np.median(s.lengths)), _length_for(s.lengths)
    if middle > _MOSTLY_PADDING * s.steps or enough > s.steps / 2:
        return None
    return Finding(
        name="mostly-padding",
        finding="A few long rows make all others mostly padding.",
        evidence=(
            f"{s.steps:,} {s.units} are read of a row, but the median row has {middle:,.0f}, and 95 % have at most "
            f"{enough:,}"
        ),
        consequence="it does not change the answers, but training takes longer and needs more memory than it has to",
        fix=f"read at most {enough:,} {s.units}",
        change={"length": enough},
    )


def _length_for(lengths: Any) -> int:
    """What is enough for 95 % of the rows, within reason."""
    return min(_MOST_STEPS, int(np.ceil(np.quantile(lengths, 0.95))))


def _gated(e: Evidence) -> dict[str, Any]:
    return {"network": "gru"} if e.settings.get("network") == "rnn" else {}


def _at_steps(e: Evidence, is_it: Callable[[float, float], bool], *, both: bool) -> tuple[Snapshot, LayerSignal] | None:
    """The last snapshot, or with ``both`` false any, in which a recurrent layer is so; with both, the first must be."""
    ends = [one for one in (e.first_snapshot, e.last_snapshot) if one is not None]
    found = [[layer for layer in one.layers if _is(layer, is_it)] for one in ends]
    if not ends or (both and not all(found)):
        return None
    return next(((one, layers[0]) for one, layers in zip(ends[::-1], found[::-1], strict=True) if layers), None)


def _is(layer: LayerSignal, is_it: Callable[[float, float], bool]) -> bool:
    first, last = layer.first_step, layer.last_step
    if first is None or last is None or not np.isfinite(first) or not np.isfinite(last):
        return False
    return max(first, last) > 0 and is_it(first, last)


def _shown(e: Evidence, snapshot: Snapshot, layer: LayerSignal) -> str:
    when = "before training" if snapshot.epoch == 0 else f"after epoch {snapshot.epoch}"
    long = "" if e.sequence is None else f" of {min(e.sequence.steps, int(np.median(e.sequence.lengths))):,} and more"
    return (
        f"{when}, the loss changes with the input of layer {layer.index} by {layer.last_step:.1e} at the last step and "
        f"by {layer.first_step:.1e} at the first{long}"
    )
