"""Mistakes that the text alone shows: methods that are not called, outdated arguments, misspelt hooks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.script import Script

__all__ = [
    "NOT_CALLED",
    "index_of_a_number",
    "loss_not_returned",
    "misspelt_hook",
    "no_super_init",
    "not_called",
    "volatile",
]

NOT_CALLED = "not called: the parentheses are missing."
_EFFECT = {
    "zero_grad": ("zero-grad", "the gradients are never set to zero and add up from batch to batch"),
    "backward": ("backward", "no gradients are computed, and the steps change nothing"),
    "step": ("step", "no step is taken"),
    "eval": ("eval-mode", "dropout and batch norm stay in training mode"),
    "train": ("train-mode", "dropout and batch norm stay in evaluation mode"),
    "detach_": ("not-called", "the tensor stays in the graph"),
    "cuda": ("not-called", "nothing is moved"),
}


def not_called(script: Script) -> Iterator[ScriptFinding]:
    """``optimizer.zero_grad`` on a line of its own: without parentheses, Python only looks up the method."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute):
            name = node.value.attr
            if name in _EFFECT and not (name in ("train", "eval", "step") and _stores_value(script, node.value)):
                rule, effect = _EFFECT[name]
                yield _bare(script, node.lineno, rule, ast.unparse(node.value), effect)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                text = ast.unparse(item.context_expr)
                if text in ("torch.no_grad", "torch.inference_mode", "torch.enable_grad"):
                    effect = "the script stops here: the class is not a context manager, only an instance is"
                    yield _bare(script, item.context_expr.lineno, "no-grad", text, effect)


def _stores_value(script: Script, node: ast.Attribute) -> bool:
    """Whether the script stores a value under this name, so that it need not be a method."""
    return any(
        isinstance(n, ast.Attribute) and n.attr == node.attr and isinstance(n.ctx, ast.Store)
        for n in ast.walk(script.tree)
    )


def _bare(script: Script, line: int, rule: str, text: str, effect: str) -> ScriptFinding:
    return ScriptFinding(
        rule=rule, line=line,
        finding=f"{text} is {NOT_CALLED}",
        evidence=script.evidence(line),
        consequence=f"Python only looks it up, so {effect}.",
        fix=f"{text}()",
    )  # fmt: skip


# ── outdated arguments ──────────────────────────────────────────────────────────────────────────────────────


def volatile(script: Script) -> Iterator[ScriptFinding]:
    """``Variable(x, volatile=True)``: "volatile was removed and now has no effect. Use `with torch.no_grad():`
    instead" (PyTorch's warning, since 0.4).
    """
    lines = [
        node.lineno
        for node in ast.walk(script.tree)
        if isinstance(node, ast.Call)
        for k in node.keywords
        if k.arg == "volatile" and not (isinstance(k.value, ast.Constant) and not k.value.value)
    ]
    if lines:
        yield ScriptFinding(
            rule="no-grad", line=min(lines),
            finding="volatile=True has had no effect since PyTorch 0.4.",
            evidence=script.evidence(*sorted(lines)[:4]),
            consequence="PyTorch records a graph that is never used: scoring takes more memory and time than "
            "necessary.",
            fix="with torch.no_grad():  # around the scoring; remove volatile=True",
        )  # fmt: skip


_LOSS = re.compile(r"(?i)loss|^err(or)?(_?[dg])?$|^cost$")


def index_of_a_number(script: Script) -> Iterator[ScriptFinding]:
    """``loss.data[0]``: since 0.4 a loss has no dimension, and indexing it is an error (PyTorch, migration guide)."""
    unreduced = any("reduction='none'" in t or 'reduction="none"' in t or "reduce=False" in t for t in script.lines)
    for node in ast.walk(script.tree):
        if unreduced or not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Attribute):
            continue
        zero = isinstance(node.slice, ast.Constant) and node.slice.value == 0
        base = node.value.value
        name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
        if zero and node.value.attr == "data" and _LOSS.search(name) and not name.endswith("es"):
            yield ScriptFinding(
                rule="index-of-a-number", line=node.lineno,
                finding=f"{ast.unparse(node)} indexes a loss, which has been a tensor without dimensions since "
                "PyTorch 0.4.",
                evidence=script.evidence(node.lineno),
                consequence="The script stops with “invalid index of a 0-dim tensor”.",
                fix=f"{ast.unparse(base)}.item()",
            )  # fmt: skip
            return


# ── classes ───────────────────────────────────────────────────────────────────────────────────────────────────

_HOOKS = (
    "training_step", "validation_step", "test_step", "predict_step", "configure_optimizers", "train_dataloader",
    "val_dataloader", "test_dataloader", "predict_dataloader", "on_train_epoch_end", "on_train_epoch_start",
    "on_validation_epoch_end", "on_validation_epoch_start", "on_test_epoch_end", "on_train_start", "on_train_end",
    "prepare_data", "setup", "teardown", "forward", "configure_callbacks", "optimizer_step", "on_fit_start",
    "training_epoch_end", "validation_epoch_end", "test_epoch_end", "training_step_end", "validation_step_end",
    "test_step_end", "on_test_epoch_start", "on_train_batch_end", "on_train_batch_start", "on_validation_batch_end",
    "on_validation_start", "on_validation_end", "on_test_start", "on_test_end", "on_epoch_end", "on_epoch_start",
    "on_predict_epoch_end", "lr_scheduler_step", "configure_model", "on_test_batch_end", "on_fit_end",
    "on_before_optimizer_step", "on_before_zero_grad", "configure_gradient_clipping", "on_save_checkpoint",
    "on_load_checkpoint", "on_after_backward", "optimizer_zero_grad", "backward", "transfer_batch_to_device",
)  # fmt: skip
_ALMOST = 0.9


def misspelt_hook(script: Script) -> Iterator[ScriptFinding]:
    """A method whose name is nearly that of one the framework calls: it is never called."""
    called = {n.attr for n in ast.walk(script.tree) if isinstance(n, ast.Attribute)}
    for cls in (n for n in ast.walk(script.tree) if isinstance(n, ast.ClassDef)):
        bases = [ast.unparse(b).rpartition(".")[2] for b in cls.bases]
        lightning = any(b.startswith("Lightning") for b in bases)
        if not lightning and "Module" not in bases:
            continue
        methods = [m for m in cls.body if isinstance(m, ast.FunctionDef)]
        names = {m.name for m in methods}
        for method in methods:
            right = _almost(method.name, _HOOKS if lightning else ("forward",))
            if right is None or right in names or method.name in called:
                continue
            yield ScriptFinding(
                rule="misspelt-hook", line=method.lineno,
                finding=f"{cls.name} defines {method.name}, but {'Lightning' if lightning else 'PyTorch'} calls "
                f"{right}.",
                evidence=script.evidence(cls.lineno, method.lineno),
                consequence="The method is never called: its work is skipped, or the base class raises an error.",
                fix=f"def {right}(…)",
            )  # fmt: skip


def _almost(name: str, wanted: tuple[str, ...]) -> str | None:
    if name in wanted or name.startswith("__") or len(name) < 5:
        return None
    best = max(wanted, key=lambda w: SequenceMatcher(None, name, w).ratio())
    same = SequenceMatcher(None, name, best).ratio() >= _ALMOST
    words = [len(n.strip("_").split("_")) for n in (name, best)]
    return best if same and words[0] == words[1] and abs(len(name) - len(best)) <= 2 else None


def loss_not_returned(script: Script) -> Iterator[ScriptFinding]:
    """Lightning's ``training_step`` must return the loss; without it "the training will skip to the next batch"
    (Lightning, training_step).
    """
    for cls in (n for n in ast.walk(script.tree) if isinstance(n, ast.ClassDef)):
        if not any(ast.unparse(base).endswith("LightningModule") for base in cls.bases):
            continue
        text = ast.unparse(cls)
        if "automatic_optimization" in text or "backward(" in text:
            continue
        for step in (n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "training_step"):
            inside = list(ast.walk(step))
            given = any(isinstance(n, (ast.Return, ast.Yield, ast.Raise)) and _says(n) for n in inside)
            losses = [n for n in inside if isinstance(n, ast.Assign) and "loss" in ast.unparse(n.targets[0]).lower()]
            if losses and not given:
                name = ast.unparse(losses[-1].targets[0])
                yield ScriptFinding(
                    rule="loss-not-returned", line=step.lineno,
                    finding="training_step computes a loss but does not return it.",
                    evidence=script.evidence(step.lineno, losses[-1].lineno),
                    consequence="Lightning skips every batch whose training_step returns None, so no weight ever "
                    "changes.",
                    fix=f"return {name if name.isidentifier() else 'loss'}  # the last line of training_step",
                )  # fmt: skip


def _says(node: ast.Return | ast.Yield | ast.Raise) -> bool:
    return isinstance(node, ast.Raise) or node.value is not None


def no_super_init(script: Script) -> Iterator[ScriptFinding]:
    """Layers created before ``super().__init__()`` is called, or without it: "cannot assign module before
    Module.__init__() call" (PyTorch's error).
    """
    for cls in (n for n in ast.walk(script.tree) if isinstance(n, ast.ClassDef)):
        bases = [ast.unparse(b) for b in cls.bases]
        if not any(b in ("nn.Module", "torch.nn.Module") or b.endswith("LightningModule") for b in bases):
            continue
        start = next((m for m in cls.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"), None)
        if start is None:
            continue
        begun = [n.lineno for n in ast.walk(start) if isinstance(n, ast.Call) and _is_init(n)]
        layers = [n.lineno for n in ast.walk(start) if isinstance(n, ast.Assign) and _sets_layer(n)]
        if layers and (not begun or min(layers) < min(begun)):
            yield ScriptFinding(
                rule="super-init", line=min(layers),
                finding=f"{cls.name} creates its layers "
                + ("before it calls super().__init__()." if begun else "but never calls super().__init__()."),
                evidence=script.evidence(start.lineno, min(layers), *begun),
                consequence="The script stops with “cannot assign module before Module.__init__() call”.",
                fix="super().__init__()  # the first line of __init__",
            )  # fmt: skip


def _is_init(node: ast.Call) -> bool:
    text = ast.unparse(node.func)
    return text.endswith(".__init__")


def _sets_layer(node: ast.Assign) -> bool:
    if not isinstance(node.value, ast.Call):
        return False
    target = node.targets[0]
    own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    made = ast.unparse(node.value.func)
    return own and bool(re.fullmatch(r"(torch\.)?nn\.[A-Z]\w+", made)) and not made.endswith("Loss")
