"""Predictions and targets swapped, and targets of another kind than the loss expects."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import LossCall
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.value import Array, Unknown, Value, taints

__all__ = ["class_numbers", "made_not_called", "several_columns", "swapped"]

_ASKED = re.compile(
    r"(?i)^(y|ys|yb|y_?(true|batch|train|b|t|real)|yy|t|tgt|targets?|.*_?labels?|.*_targets?|gt|truth|batch_y|by|masks?|ones|zeros)$"
)
_ANSWERED = re.compile(
    r"(?i)^(out|outs|outputs?|.*_outputs?|preds?|predictions?|.*_preds?|logits?|.*_logits|y_?pred.*|y_?hat|yhat|scores?)$"
)


def _call_at(script: Script, line: int) -> ast.Call | None:
    """The call of the loss on a line, if there is one with two arguments."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Call) and node.lineno == line and len(node.args) >= 2:
            text = ast.unparse(node.func).lower()
            if any(word in text for word in ("loss", "crit", "cross_entropy", "entropy", "bce")):
                return node
    return None


def _name(node: ast.expr) -> str:
    while isinstance(node, (ast.Call, ast.Subscript)):
        inner = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(inner, ast.Attribute) and isinstance(node, ast.Call):
            inner = inner.value
        if inner is node or not isinstance(inner, (ast.Call, ast.Subscript, ast.Name, ast.Attribute)):
            break
        node = inner
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def swapped(script: Script) -> Iterator[ScriptFinding]:
    """``criterion(y, output)``: PyTorch's losses take the prediction first, scikit-learn's metrics the truth."""
    for e in script.of(LossCall):
        if e.kind not in ("cross_entropy", "nll", "bce", "bce_with_logits"):
            continue
        node = _call_at(script, e.where.line)
        if node is None or any(t.startswith("forward ") for t in taints(e.prediction)):
            continue
        first, second = _name(node.args[0]), _name(node.args[1])
        answer = any(t.startswith("forward ") for t in taints(e.target)) or _ANSWERED.match(second)
        fixed = isinstance(e.prediction, Array) and e.prediction.graph is False and not e.where.guarded
        live = isinstance(e.target, Array) and bool(e.target.graph)
        if (
            (_ASKED.match(first) or (fixed and live))
            and not _ANSWERED.match(first)
            and answer
            and not _ASKED.match(second)
        ):
            yield ScriptFinding(
                rule="swapped-arguments", line=e.where.line,
                finding=f"The arguments are swapped: {first!r} is given as the prediction and {second!r} as the "
                "target.",
                evidence=script.evidence(e.function_line, e.where.line),
                consequence="The loss raises an error about types or shapes, or computes something else: only the "
                "squared and absolute errors are symmetric.",
                fix=f"{ast.unparse(node.func)}({ast.unparse(node.args[1])}, {ast.unparse(node.args[0])})",
            )  # fmt: skip


def class_numbers(script: Script) -> Iterator[ScriptFinding]:
    """Several outputs per row and class indices as targets in a squared error."""
    seen = set()
    for e in script.of(LossCall):
        x, y = e.prediction, e.target
        if e.kind not in ("mse", "l1", "smooth_l1", "huber") or e.function_line in seen:
            continue
        if not isinstance(x, Array) or not isinstance(y, Array) or x.last is None or x.last < 2:
            continue
        numbers = y.dtype in ("int64", None) or x.ndim == 2
        if y.ndim == 1 and x.ndim in (None, 2) and x.activation is not None and numbers:
            seen.add(e.function_line)
            kind = "class indices" if y.dtype == "int64" else "one number per row"
            yield ScriptFinding(
                rule="class-numbers-mse", line=e.where.line,
                finding=f"A regression loss is given {x.last} outputs per row, and {kind} as the target.",
                evidence=script.evidence(x.activation_line, e.function_line, e.where.line),
                consequence="The shapes do not match, or are broadcast; and a squared error treats classes as "
                "quantities, "
                "with class 2 between 1 and 3.",
                fix="nn.CrossEntropyLoss() on the raw outputs and class indices",
            )  # fmt: skip


def several_columns(script: Script) -> Iterator[ScriptFinding]:
    """BCE of several outputs per row against one number per row."""
    seen = set()
    for e in script.of(LossCall):
        x, y = e.prediction, e.target
        if e.kind not in ("bce", "bce_with_logits") or not isinstance(x, Array) or not isinstance(y, Array):
            continue
        batch = x.ndim == 2 or (x.ndim is None and any(loop.loader is not None for loop in e.where.loops))
        one = y.ndim == 1 or (y.ndim == 2 and y.last == 1)
        if batch and one and x.last is not None and x.last > 1 and e.function_line not in seen:
            seen.add(e.function_line)
            yield ScriptFinding(
                rule="bce-several-columns", line=e.where.line,
                finding=f"The predictions have {x.last} columns, but the targets one number per row.",
                evidence=script.evidence(x.activation_line, e.function_line, e.where.line),
                consequence="The loss raises an error about the target's size.",
                fix=f"For {x.last} classes: nn.CrossEntropyLoss() on the raw outputs, with class indices (int64); for "
                "two classes: one output, nn.Linear(…, 1)",
            )  # fmt: skip


def made_not_called(script: Script) -> Iterator[ScriptFinding]:
    """``nn.CrossEntropyLoss(output, y)`` creates a loss and computes none: the arguments are taken as settings."""
    seen = set()
    for made in script.objects:
        loss = made.kind.startswith("torch.nn.") and made.kind.endswith("Loss")
        if loss and len(made.args) >= 2 and made.line not in seen and all(_data(v) for v in made.args[:2]):
            seen.add(made.line)
            name = made.kind.rpartition(".")[2]
            yield ScriptFinding(
                rule="loss-not-called", line=made.line,
                finding=f"nn.{name} is a class: its constructor is given the data instead of settings.",
                evidence=script.evidence(made.line),
                consequence="No loss is computed, and the script stops with an error.",
                fix=f"nn.{name}()(output, y)",
            )  # fmt: skip


def _data(value: Value) -> bool:
    return isinstance(value, Array) or (isinstance(value, Unknown) and bool(value.taint))
