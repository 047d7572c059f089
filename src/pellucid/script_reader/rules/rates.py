"""Learning rates that are far too high or not positive, and schedulers that are stepped wrongly."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import Step
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.torch_objects import is_optimizer, is_trained_layer, modules_in
from pellucid.script_reader.values.value import Const, Object, Value

__all__ = ["early_scheduler", "plateau", "rate"]

_LARGEST = {
    "Adam": 0.1, "AdamW": 0.1, "NAdam": 0.1, "RAdam": 0.1, "Adamax": 0.1, "RMSprop": 0.1, "SGD": 10.0, "ASGD": 10.0,
}  # fmt: skip


def rate(script: Script) -> Iterator[ScriptFinding]:
    """A learning rate of zero, below zero, or so high that no network is known to learn with it.

    Adam moves every weight by about the rate at each step, whatever the gradient (Kingma & Ba 2015, section 2.1), and
    initial weights are a few hundredths: a rate of 0.1 overwrites them in one step.
    """
    changed = any(word in text for text in script.lines for word in ("sched", "param_groups", "warmup", "LambdaLR"))
    clipped = any("clip" in text for text in script.lines)
    for made in script.objects:
        name = made.kind.rpartition(".")[2]
        lr = made.kwargs.get("lr") or (made.args[1] if len(made.args) > 1 else None)
        option = 0
        if is_optimizer(made) and not isinstance(lr, Const):
            lr, option = _by_default(script, made.line)
        if not is_optimizer(made) or not isinstance(lr, Const) or not isinstance(lr.value, (int, float)):
            continue
        if isinstance(lr.value, bool) or changed or not _of_a_network(made.args[0] if made.args else None):
            continue
        largest = _LARGEST.get(name)
        if name == "SGD" and lr.value > 0 and (clipped or _recurrent(made.args[0] if made.args else None)):
            continue  # with clipped gradients the rate has another scale: language models use 20
        if lr.value > 0 and (largest is None or lr.value < largest):
            continue
        usual = "typical values are 0.01 to 0.1" if name in ("SGD", "ASGD") else "a typical value is 0.001"
        low = lr.value <= 0
        yield ScriptFinding(
            rule="learning-rate", line=made.line,
            finding=f"The learning rate of {name} is {lr.value}; {usual}.",
            evidence=script.evidence(option, made.line),
            consequence=(
                ("The weights never change." if lr.value == 0 else "PyTorch stops with “Invalid learning rate”.")
                if low
                else "One step changes the weights by more than their own size, so the loss jumps, rises or becomes "
                    "NaN."
            ),
            fix=f"torch.optim.{name}(model.parameters(), lr={'0.01' if name in ('SGD', 'ASGD') else '1e-3'})",
        )  # fmt: skip


def _by_default(script: Script, line: int) -> tuple[Const | None, int]:
    """The default of ``args.lr``, which ``add_argument("--lr", default=0.5)`` gives, and its line."""
    calls = [n for n in ast.walk(script.tree) if isinstance(n, ast.Call)]
    given = [k.value for n in calls if n.lineno == line for k in n.keywords if k.arg == "lr"]
    given += [n.args[1] for n in calls if n.lineno == line and len(n.args) > 1]
    set_later = {n.attr for n in ast.walk(script.tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    name = next((v.attr for v in given if isinstance(v, ast.Attribute) and isinstance(v.value, ast.Name)), None)
    if name in set_later or any("set_defaults" in text for text in script.lines):
        return None, 0
    for n in calls:
        if name is None or not isinstance(n.func, ast.Attribute) or n.func.attr != "add_argument":
            continue
        options = [
            a.value.lstrip("-").replace("-", "_")
            for a in n.args
            if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
        default = next((k.value for k in n.keywords if k.arg == "default"), None)
        if name in options and isinstance(default, ast.Constant):
            return Const(value=default.value), n.lineno
    return None, 0


def _of_a_network(given: Value | None) -> bool:
    """Parameters of a network with more than one layer: a linear model, a Gaussian process or an image may take
    larger steps.
    """
    if not isinstance(given, Object) or given.kind != "parameters":
        return False
    parts = list(modules_in(given.args[0]))
    known = any(p.kind.startswith("torchvision.models.") for p in parts)
    return known or sum(is_trained_layer(p) for p in parts) > 1


def _recurrent(given: Value | None) -> bool:
    parts = modules_in(given.args[0]) if isinstance(given, Object) and given.args else ()
    return any(p.kind.endswith((".LSTM", ".GRU", ".RNN")) for p in parts)


def plateau(script: Script) -> Iterator[ScriptFinding]:
    """``ReduceLROnPlateau.step`` takes the metric that it monitors: "step(metrics)" (PyTorch)."""
    for e in script.observed("scheduler"):
        kind = e.value.kind if isinstance(e.value, Object) and e.value.cls is None else ""
        if kind == "torch.optim.lr_scheduler.ReduceLROnPlateau" and e.text == "bare" and isinstance(e.value, Object):
            yield ScriptFinding(
                rule="scheduler-metric", line=e.where.line,
                finding="ReduceLROnPlateau.step() is called without the metric that it monitors.",
                evidence=script.evidence(e.value.line, e.where.line),
                consequence="The script stops with “step() missing 1 required positional argument: 'metrics'”.",
                fix="scheduler.step(validation_loss)",
            )  # fmt: skip


def early_scheduler(script: Script) -> Iterator[ScriptFinding]:
    """``scheduler.step()`` at the beginning of an epoch: "you should call them in the opposite order:
    `optimizer.step()` before `lr_scheduler.step()`" (PyTorch's warning since 1.1).
    """
    seen = set()
    for e in script.observed("scheduler"):
        known = isinstance(e.value, Object) and e.value.kind.startswith("torch.optim.lr_scheduler.")
        if not known or not e.where.loops or e.value in seen or "Plateau" in getattr(e.value, "kind", ""):
            continue
        seen.add(e.value)
        outer = e.where.loops[0]
        steps = [s for s in script.of(Step) if outer in s.where.loops]
        before = [s for s in script.of(Step) if s.where.order < e.where.order]
        if steps and not before and not e.where.guarded and steps[0].where.order > e.where.order:
            yield ScriptFinding(
                rule="scheduler-order", line=e.where.line,
                finding="scheduler.step() is called before the first optimizer.step().",
                evidence=script.evidence(e.where.line, steps[0].where.line),
                consequence="The first value of the schedule is skipped: every epoch trains with the rate of the next "
                "epoch, and PyTorch warns about it.",
                fix="scheduler.step()  # at the end of the epoch, after the optimizer's steps",
            )  # fmt: skip
