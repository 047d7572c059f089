"""Inputs of the loss: activations that the loss already applies, shapes that broadcast, dtypes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import LossCall, ShapeMismatch
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.value import Array

__all__ = [
    "activation_before_loss",
    "column_against_row",
    "missing_activation",
    "one_class",
    "softmax_of_one",
    "target_type",
]

_NAMES = {
    "cross_entropy": "cross-entropy", "nll": "the negative log-likelihood (NLLLoss)", "bce": "BCELoss",
    "bce_with_logits": "BCEWithLogitsLoss", "mse": "the squared error", "l1": "the absolute error",
    "smooth_l1": "the smooth L1 loss", "huber": "the Huber loss",
}  # fmt: skip


def _calls(script: Script, *kinds: str) -> Iterator[tuple[LossCall, Array]]:
    for e in script.of(LossCall):
        if e.kind in kinds and isinstance(e.prediction, Array):
            yield e, e.prediction


def activation_before_loss(script: Script) -> Iterator[ScriptFinding]:
    """A softmax or sigmoid (or ReLU) before a loss that applies its own.

    `CrossEntropyLoss` "is expected to contain the unnormalized logits" and equals log-softmax followed by NLLLoss;
    `BCEWithLogitsLoss` "combines a Sigmoid layer and the BCELoss in one single class" (PyTorch's documentation of
    both). A softmax of a softmax of K classes lies between 1/(K − 1 + e) and e/(K − 1 + e), so the loss can never
    come near zero, and its gradients are small. A log-softmax before cross-entropy changes nothing: log-softmax of
    log-softmax is itself, so it is not a finding.
    """
    for e, x in _calls(script, "cross_entropy", "bce_with_logits"):
        binary = e.kind == "bce_with_logits"
        if x.activation not in ("softmax", "sigmoid") and not (x.activation == "relu" and not binary):
            continue
        own = "sigmoid" if binary else "softmax"
        line = x.activation_line or e.where.line
        yield ScriptFinding(
            rule=f"{x.activation}-before-{'bce-with-logits' if binary else 'cross-entropy'}",
            line=line,
            finding=f"A {x.activation} is applied before {_NAMES[e.kind]}, which expects raw outputs (logits).",
            evidence=script.evidence(line, e.function_line, e.where.line),
            consequence=(
                "ReLU sets negative outputs to zero before the loss sees them, so those units get no gradient."
                if x.activation == "relu"
                else f"The loss applies its own {own} to values that are already between 0 and 1: it cannot come near "
                "zero, gradients stay small, and the network learns slowly and stays unsure."
            ),
            fix=(
                f"Return the last layer's output without the {x.activation}; to get probabilities: "
                + ("torch.sigmoid(output)" if binary else "output.softmax(dim=1)")
            ),
        )


def missing_activation(script: Script) -> Iterator[ScriptFinding]:
    """Raw outputs given to a loss that needs probabilities (BCELoss) or their logarithms (NLLLoss).

    "Using NLLLoss … obtaining log-probabilities in a neural network is easily achieved by adding a LogSoftmax layer";
    BCELoss takes probabilities and raises an error for values outside 0 to 1 (PyTorch's documentation).
    """
    for e, x in _calls(script, "bce", "nll"):
        wrong = ("linear",) if e.kind == "bce" else ("linear", "softmax", "sigmoid")
        if x.activation not in wrong:
            continue
        given = "the last layer's raw output" if x.activation == "linear" else f"the output of a {x.activation}"
        if e.kind == "bce":
            finding = f"BCELoss is given {given}, without a sigmoid."
            consequence = "Values outside 0 to 1 raise an error on the first batch."
            fix = (
                "Use nn.BCEWithLogitsLoss() (it includes the sigmoid and is stable), or end the model with nn.Sigmoid()"
            )
        else:
            finding = f"NLLLoss is given {given} instead of log-probabilities."
            consequence = (
                "It only averages −output[target]: the loss falls below zero without bound, or is not a likelihood."
            )
            fix = "Use nn.CrossEntropyLoss() on the raw outputs, or end the model with nn.LogSoftmax(dim=1)"
        yield ScriptFinding(
            rule=f"{e.kind}-without-{'sigmoid' if e.kind == 'bce' else 'log-softmax'}",
            line=e.where.line, finding=finding,
            evidence=script.evidence(x.activation_line, e.function_line, e.where.line),
            consequence=consequence, fix=fix,
        )  # fmt: skip


def column_against_row(script: Script) -> Iterator[ScriptFinding]:
    """Predictions of shape (n, 1) against targets of shape (n,), or the reverse.

    Broadcasting turns them into n × n differences: MSELoss warns ("Using a target size that is different to the input
    size … will likely lead to incorrect results due to broadcasting"), and its minimum is the mean of all targets for
    every row. BCELoss and BCEWithLogitsLoss raise an error.
    """
    seen = set()  # one finding per loss: the evaluation repeats what the training does
    for e, x in _calls(script, "mse", "l1", "smooth_l1", "huber", "bce", "bce_with_logits"):
        y = e.target
        if not isinstance(y, Array) or e.function_line in seen:
            continue
        column = x.last == 1 and x.ndim in (None, 2) and y.ndim == 1 and y.length != 1
        row = x.ndim == 1 and y.ndim == 2 and y.last == 1 and x.length != 1
        if column or row:
            seen.add(e.function_line)
            raises = e.kind in ("bce", "bce_with_logits")
            yield _shapes(script, e, x, column, raises=raises)
    for m in script.of(ShapeMismatch):
        yield ScriptFinding(
            rule="column-against-row", line=m.where.line,
            finding="This line combines predictions of shape (n, 1) with targets of shape (n,).",
            evidence=script.evidence(m.prediction.activation_line, m.where.line),
            consequence="Broadcasting compares every prediction with every target: n × n values instead of n.",
            fix="Give both the same shape: model(x).squeeze(1), or y.unsqueeze(1)",
        )  # fmt: skip


def _shapes(script: Script, e: LossCall, x: Array, column: bool, *, raises: bool) -> ScriptFinding:
    a, b = ("(n, 1)", "(n,)") if column else ("(n,)", "(n, 1)")
    return ScriptFinding(
        rule="column-against-row",
        line=e.where.line,
        finding=f"The predictions have the shape {a} and the targets {b}.",
        evidence=script.evidence(x.activation_line, e.function_line, e.where.line),
        consequence=(
            "The loss raises an error about the target's size."
            if raises
            else f"Broadcasting compares every prediction with every target, so {_NAMES[e.kind]} pulls every "
            "prediction towards the mean of all targets: the loss falls, but nothing is learned."
        ),
        fix=(
            "Give both the same shape: loss(output.squeeze(1), y), or y = y.unsqueeze(1) where the targets are created"
            if column
            else "Give both the same shape: remove the squeeze, or y = y.squeeze(1) where the targets are created"
        ),
    )


def one_class(script: Script) -> Iterator[ScriptFinding]:
    """Cross-entropy of a single output: the softmax of one number is 1, so the loss is 0 whatever the weights."""
    for e, x in _calls(script, "cross_entropy"):
        if x.last == 1 and x.activation in ("linear", "softmax", "sigmoid") and x.ndim in (None, 2):
            yield ScriptFinding(
                rule="one-output-cross-entropy", line=e.where.line,
                finding="Cross-entropy is given a single output per row.",
                evidence=script.evidence(x.activation_line, e.function_line, e.where.line),
                consequence="The softmax of one number is always 1, so the loss is 0 and no weight ever changes.",
                fix="For two classes: nn.BCEWithLogitsLoss() with float targets, or two outputs: nn.Linear(…, 2)",
            )  # fmt: skip


def softmax_of_one(script: Script) -> Iterator[ScriptFinding]:
    """A softmax of a single output: e^z / e^z is 1 whatever z is."""
    seen = set()
    for e, x in _calls(script, "bce", "mse", "l1", "smooth_l1", "huber"):
        text = script.lines[x.activation_line - 1] if 0 < x.activation_line <= len(script.lines) else ""
        over_rows = re.search(r"(dim|axis)\s*=\s*0|[Ss]oftmax\(([^()]*,\s*)?0\)", text)
        if (
            x.activation == "softmax"
            and x.last == 1
            and x.ndim in (None, 2)
            and not over_rows
            and x.activation_line not in seen
        ):
            seen.add(x.activation_line)
            yield ScriptFinding(
                rule="softmax-of-one-output", line=x.activation_line or e.where.line,
                finding="Softmax is applied to a single output per row.",
                evidence=script.evidence(x.activation_line, e.function_line, e.where.line),
                consequence="The softmax of one number is always 1: the network predicts 1 for every row, and no "
                "weight ever changes.",
                fix="Use torch.sigmoid instead of softmax (for two classes, with nn.BCELoss()), or no activation "
                "with nn.BCEWithLogitsLoss()",
            )  # fmt: skip


def target_type(script: Script) -> Iterator[ScriptFinding]:
    """Class indices must be int64 for cross-entropy; binary targets must be floats for BCE.

    PyTorch raises "expected scalar type Long but found Float", and "Found dtype Long but expected Float" or "result
    type Float can't be cast to Long".
    """
    for e, x in _calls(script, "cross_entropy", "nll", "bce", "bce_with_logits"):
        y = e.target
        if not isinstance(y, Array) or y.dtype is None:
            continue
        classes = e.kind in ("cross_entropy", "nll")
        if classes and y.dtype.startswith("float") and y.ndim == 1 and x.ndim != 1:
            seen, wanted, fix = y.dtype, "class indices (int64)", "y = torch.tensor(y, dtype=torch.long), or y.long()"
        elif not classes and y.dtype in ("int64", "int32"):
            seen, wanted, fix = y.dtype, "floats (0.0 or 1.0)", "y = torch.tensor(y, dtype=torch.float32), or y.float()"
        else:
            continue
        yield ScriptFinding(
            rule="target-type", line=e.where.line,
            finding=f"The targets of {_NAMES[e.kind]} are {seen}; it expects {wanted}.",
            evidence=script.evidence(e.function_line, e.where.line),
            consequence="The loss or its backward pass raises an error about the dtype.", fix=fix,
        )  # fmt: skip
