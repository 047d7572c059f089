"""Training and evaluation: dropout and batch norm in the right mode, no unused graph, no unregistered layers."""

from __future__ import annotations

from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import Backward, Forward, FunctionalDropout, HiddenLayers, Mode, Step
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.torch_objects import is_module
from pellucid.script_reader.values.value import Array, taints

__all__ = ["functional_dropout", "hidden_layers", "no_eval", "no_no_grad", "not_training_again"]

_SHOWN = 4  # lines of the same mistake


def _evaluations(script: Script) -> Iterator[Forward]:
    """Calls of a model on held-out rows whose outputs are not used for gradients."""
    used = frozenset().union(*(taints(b.of) for b in script.of(Backward)))
    blind = {b.where.loops[-1:] for b in script.of(Backward) if not isinstance(b.of, Array)}
    seen = set()
    for e in script.of(Forward):
        roles = taints(*e.inputs) & {"train", "val", "test"}
        held_out = bool(roles) and "train" not in roles
        unused = f"forward {e.number}" not in used and e.where.loops[-1:] not in blind
        own = e.where.called or e.mode == "eval"  # a function that is never called here decides on its own mode
        if held_out and own and unused and e.where.line not in seen:
            seen.add(e.where.line)
            yield e


def no_eval(script: Script) -> Iterator[ScriptFinding]:
    """Held-out rows scored by a network in training mode.

    "You must call model.eval() to set dropout and batch normalization layers to evaluation mode before running
    inference. Failing to do this will yield inconsistent inference results" (PyTorch, saving and loading models).
    """
    wrong = [
        e for e in _evaluations(script) if e.mode == "train" and e.mode_dependent is not None and is_module(e.module)
    ]
    if wrong:
        first = wrong[0]
        layer = next((n for n, text in enumerate(script.lines, 1) if str(first.mode_dependent) in text), 0)
        yield ScriptFinding(
            rule="eval-mode", line=first.where.line,
            finding=f"The model has {first.mode_dependent} but is scored on held-out rows in training mode.",
            evidence=script.evidence(layer, *(e.where.line for e in wrong[:_SHOWN])),
            consequence="Dropout keeps dropping units, and batch norm uses (and updates) the statistics of the test "
            "batches: scores are worse, differ from run to run, and depend on the batch size.",
            fix="model.eval()  # before scoring, and model.train() before the next epoch",
        )  # fmt: skip


def no_no_grad(script: Script) -> Iterator[ScriptFinding]:
    """Held-out rows scored while an unused graph is recorded.

    "Disabling gradient calculation is useful for inference, when you are sure that you will not call
    Tensor.backward(). It will reduce memory consumption" (PyTorch, torch.no_grad).
    """
    trained = bool(script.of(Backward) and script.of(Step))
    old = any("volatile" in text for text in script.lines)
    wrong = [e for e in _evaluations(script) if e.grad is True and is_module(e.module) and not _let_go(script, e)]
    if wrong and trained and not old:
        yield ScriptFinding(
            rule="no-grad", line=wrong[0].where.line,
            finding="Held-out rows are scored while PyTorch records a graph for gradients that are never used.",
            evidence=script.evidence(*(e.where.line for e in wrong[:_SHOWN])),
            consequence="Scoring takes more memory and time than necessary, with all test rows in one batch perhaps "
            "more memory than there is; the predictions are the same.",
            fix="with torch.no_grad():  # around the scoring (torch.inference_mode() is faster still)",
        )  # fmt: skip


def _let_go(script: Script, e: Forward) -> bool:
    """Whether the output is detached from its graph in the same line."""
    text = script.lines[e.where.line - 1] if e.where.line <= len(script.lines) else ""
    return ".detach()" in text or ".data" in text


def not_training_again(script: Script) -> Iterator[ScriptFinding]:
    """``model.eval()`` in the epoch loop and no ``train()`` after: from the second epoch on, dropout is off and batch
    norm's statistics stay fixed while training continues (PyTorch, Module.train and Module.eval).
    """
    used = frozenset().union(*(taints(b.of) for b in script.of(Backward)))
    first: dict[tuple[object, ...], Forward] = {}
    seen = set()
    for e in script.of(Forward):
        key = (e.module, e.where.line, e.where.loops)
        if not any(e.where.passes):
            first.setdefault(key, e)
            continue
        start = first.get(key)
        changed = (start is not None and start.mode == "train") or _scored_between(script, e, used)
        if not changed or e.mode not in ("eval", "maybe eval"):
            continue
        if e.mode_dependent and f"forward {e.number}" in used and e.mode_line not in seen:
            seen.add(e.mode_line)
            yield ScriptFinding(
                rule="train-mode", line=e.mode_line,
                finding="model.eval() is called in the loop, but model.train() is not called before training "
                "continues.",
                evidence=script.evidence(e.mode_line, e.where.line),
                consequence=f"After the first round the network ({e.mode_dependent}) trains in evaluation mode: "
                "dropout is off, and batch norm no longer updates its statistics.",
                fix="model.train()  # at the beginning of every epoch, or after every evaluation",
            )  # fmt: skip


def _scored_between(script: Script, training: Forward, used: frozenset[str]) -> bool:
    """Whether the same ``model.eval()``, in the same loop, was for an evaluation: a frozen network is not reported."""
    shared = any(
        m.where.line == training.mode_line and set(m.where.loops) & set(training.where.loops) for m in script.of(Mode)
    )
    return shared and any(
        f.module is training.module and f.mode_line == training.mode_line and f.grad is False
        for f in script.of(Forward)
        if f"forward {f.number}" not in used
    )


def functional_dropout(script: Script) -> Iterator[ScriptFinding]:
    """``F.dropout(x)`` without ``training=``: its default is True, whatever the module's mode (PyTorch, F.dropout)."""
    for e in script.of(FunctionalDropout):
        yield ScriptFinding(
            rule="functional-dropout", line=e.where.line,
            finding=f"F.{e.name} is called without training=, and its default is training=True.",
            evidence=script.evidence(e.where.line),
            consequence="model.eval() does not affect it, so units are dropped in evaluation and prediction as well.",
            fix=f"F.{e.name}(x, training=self.training), or an nn.Dropout layer",
        )  # fmt: skip


def hidden_layers(script: Script) -> Iterator[ScriptFinding]:
    """Layers in a plain list: "ModuleList can be indexed like a regular Python list, but modules it contains are
    properly registered" (PyTorch, ModuleList); in a list or dict they are not.
    """
    for e in script.of(HiddenLayers):
        box = "ModuleList" if e.container == "list" else "ModuleDict"
        yield ScriptFinding(
            rule="hidden-layers", line=e.where.line,
            finding=f"{e.owner}.{e.attribute} is a plain {e.container} of layers, so the model does not have their "
            "parameters.",
            evidence=script.evidence(e.where.line),
            consequence="parameters() does not include them: they are never trained, moved to a device or saved.",
            fix=f"self.{e.attribute} = nn.{box}({'[…]' if box == 'ModuleList' else '{…}'})",
        )  # fmt: skip
