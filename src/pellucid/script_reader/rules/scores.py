"""Scores that measure something else: the wrong dimension, the wrong threshold, the wrong average."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import Backward, Decision, Forward, Loop, LossCall, Step
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.rules.loss import activation_before_loss, one_class
from pellucid.script_reader.values.torch_objects import is_module
from pellucid.script_reader.values.value import Array, Const, Object, taints

__all__ = ["argmax_axis", "averages", "test_each_epoch", "thresholds"]


def _same_model(script: Script, f: Forward, loop: Loop) -> bool:
    """Whether the loop goes on with the same model: a loop over folds makes a new one in each round."""
    later = (o for o in script.of(Forward) if o.module is f.module and loop in o.where.loops)
    return len({o.where.passes[o.where.loops.index(loop)] for o in later}) > 1


def _forwards(script: Script) -> dict[str, Forward]:
    return {f"forward {f.number}": f for f in script.of(Forward)}


def argmax_axis(script: Script) -> Iterator[ScriptFinding]:
    """The predicted class of a row is the index of its largest output: along dimension 1 of (rows, classes)."""
    forwards = _forwards(script)
    seen = set()
    if next(one_class(script), None) is not None:
        return  # the loss has the same mistake and explains more
    steps = [
        (n.lineno, n.end_lineno or n.lineno)
        for n in ast.walk(script.tree)
        if isinstance(n, ast.FunctionDef) and n.name in ("training_step", "validation_step", "test_step")
    ]
    for e in script.observed("argmax"):
        x, axis = e.value, e.other
        if not isinstance(x, Array) or not isinstance(axis, Const) or e.where.line in seen or x.last is None:
            continue
        answer = any(t in forwards and forwards[t].output is x for t in x.taint)
        batches = any(loop.loader is not None and not _single(loop.loader) for loop in e.where.loops)
        batches = batches or any(a <= e.where.line <= b for a, b in steps)
        table = x.ndim == 2 or (x.ndim is None and answer and batches)
        if axis.value == 0 and x.last > 1 and table and x.length != 1:
            finding = "The argmax is taken along dimension 0, which is the rows of the batch."
            consequence = f"It gives one row for each of the {x.last} classes instead of one class for each row: "
            consequence += "the accuracy is wrong, or the comparison raises an error."
            fix = "output.argmax(dim=1)"
        elif axis.value in (1, -1) and x.last == 1 and x.ndim in (None, 2):
            finding = "The argmax is taken over a single output per row, so it is always 0."
            consequence = "Every row is predicted as class 0, so the accuracy is the share of that class."
            fix = "(output.squeeze(1) > 0).long()  # for logits; > 0.5 for probabilities"
        else:
            continue
        seen.add(e.where.line)
        yield ScriptFinding(
            rule="argmax-dimension", line=e.where.line, finding=finding,
            evidence=script.evidence(x.activation_line, e.where.line), consequence=consequence, fix=fix,
        )  # fmt: skip


def _single(loader: Object) -> bool:
    size = loader.kwargs.get("batch_size") or (loader.args[1] if len(loader.args) > 1 else None)
    return isinstance(size, Const) and size.value is None


def thresholds(script: Script) -> Iterator[ScriptFinding]:
    """Probabilities are compared with 0.5, logits with 0: sigmoid(0) = 0.5."""
    forwards = _forwards(script)
    logits = {
        forwards[t].module
        for e in script.of(LossCall)
        if e.kind == "bce_with_logits" and isinstance(e.prediction, Array) and e.prediction.activation == "linear"
        for t in e.prediction.taint
        if t in forwards
    }
    seen = set()
    doubled = next(activation_before_loss(script), None) is not None  # the sigmoid is the mistake, not the zero
    for e in script.observed("threshold"):
        x, limit = e.value, e.other
        if not isinstance(x, Array) or not isinstance(limit, Const) or e.where.line in seen:
            continue
        modules = {forwards[t].module for t in x.taint if t in forwards}
        if x.activation in ("sigmoid", "softmax") and limit.value == 0 and type(limit.value) in (int, float):
            if doubled:
                continue
            finding = f"The output of a {x.activation} lies between 0 and 1, but it is compared with 0."
            consequence = "Every row is predicted as positive, so the accuracy is the share of the positive class."
            fix = "output > 0.5"
        elif x.activation == "linear" and limit.value in (0.5, "round") and modules and modules <= logits:
            how = "rounded" if limit.value == "round" else "compared with 0.5"
            finding = f"Logits are {how} without a sigmoid."
            consequence = (
                "A logit of 0.5 is a probability of 0.62: rows between 0.5 and 0.62 are predicted as negative."
            )
            fix = "output > 0  # or torch.sigmoid(output) > 0.5"
        else:
            continue
        seen.add(e.where.line)
        yield ScriptFinding(
            rule="threshold", line=e.where.line, finding=finding,
            evidence=script.evidence(x.activation_line, e.where.line),
            consequence=consequence, fix=fix,
        )  # fmt: skip


def averages(script: Script) -> Iterator[ScriptFinding]:
    """Correct predictions are counted in rows, but ``len(loader)`` is the number of batches."""
    seen = set()
    for e in script.observed("average"):
        text = script.lines[e.where.line - 1]
        if e.where.line not in seen and not re.search(r"(?i)batch_?size|\bbs\b", text):
            seen.add(e.where.line)
            yield ScriptFinding(
                rule="wrong-average", line=e.where.line,
                finding="A number of rows is divided by len(loader), which is the number of batches.",
                evidence=script.evidence(e.where.line),
                consequence="The accuracy is too high by a factor of the batch size, and can exceed 1.",
                fix="correct / len(loader.dataset)",
            )  # fmt: skip


def test_each_epoch(script: Script) -> Iterator[ScriptFinding]:
    """The test rows are scored in every epoch, and nothing else is held out: whoever looks at these scores also chooses
    by them (scikit-learn, Cross-validation).
    """
    if any("scored test" in e.taint for e in script.of(Decision)):
        return
    trained = {loop for e in script.events if isinstance(e, (Step, Backward)) for loop in e.where.loops}
    used = frozenset().union(*(taints(b.of) for b in script.of(Backward)))
    for f in script.of(Forward):
        roles = taints(*f.inputs) & {"train", "val", "test"}
        if roles != {"test"} or not is_module(f.module) or not f.where.called or f"forward {f.number}" in used:
            continue
        epochs = [loop for loop in f.where.loops if loop in trained and _same_model(script, f, loop)]
        if not epochs or f.where.guarded_in(epochs[0]):
            continue
        if any("val" in taints(*o.inputs) for o in script.of(Forward)):
            return
        yield ScriptFinding(
            rule="test-each-epoch", line=f.where.line, remark=True,
            finding="The test rows are scored in every epoch, and there are no validation rows.",
            evidence=script.evidence(epochs[0].line, f.where.line),
            consequence="Once an epoch or a setting is chosen by these scores, they are too optimistic for new rows.",
            fix="Split validation rows off the training rows, watch their score, and score the test rows once, last",
        )  # fmt: skip
        return
