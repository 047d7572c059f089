"""Networks that no step changes: the wrong parameters in the optimizer, frozen weights, a detached loss."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import (
    Backward,
    Event,
    Forward,
    Loop,
    Mode,
    Observation,
    PassedToUnknown,
    Step,
)
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.torch_objects import (
    is_lightning,
    is_module,
    is_optimizer,
    is_trained_layer,
    modules_in,
)
from pellucid.script_reader.values.value import Array, Dictionary, Items, Object, Value, taints

__all__ = ["all_frozen", "cut_graph", "new_layers", "no_gradients", "others_parameters", "unchanged_part"]

_GIVEN_GRADIENT = re.compile(r"\._?grad(\.data)?\s*[-+]?=[^=]|\.grad\.(data\.)?(copy|add)_")
_GRADIENT = re.compile(r"\.grad\b")
_KEPT_ON_PURPOSE = ("teacher", "target", "frozen", "fixed", "pretrained", "ema", "momentum", "random", "ref", "old")


def covered(value: Value | None) -> set[Object] | None:
    """The layers whose parameters an optimizer was given, as of that moment; None if unknown."""
    if isinstance(value, Object) and value.kind in ("parameters", "parameter"):
        inside = value.attrs.get("parts")
        return {v for v in inside.items if isinstance(v, Object)} if isinstance(inside, Items) else None
    if isinstance(value, Dictionary):
        return covered(value.entries.get("params"))
    several: tuple[Value, ...] | None = None
    if isinstance(value, Items):
        several = tuple(value.items)
    elif isinstance(value, Object) and value.kind in (
        "builtins.list",
        "builtins.tuple",
        "builtins.iter",
        "itertools.chain",
    ):
        several = value.args
    if not several:
        return None
    parts = [covered(v) for v in several]
    if any(p is None for p in parts):
        return None
    return {layer for p in parts if p is not None for layer in p}


def _coverage(optimizer: Object) -> set[Object] | None:
    layers = covered(optimizer.args[0] if optimizer.args else optimizer.kwargs.get("params"))
    return layers if layers and any(_learns(p) for p in layers) else None


def _learned(module: Value | None) -> set[Object]:
    return {p for p in modules_in(module) if _learns(p)} if module is not None else set()


def _learns(part: Object) -> bool:
    return is_trained_layer(part) or part.kind.startswith("torchvision.models.")


def _trained_by(script: Script, loop: Loop) -> list[Forward] | None:
    """The models whose outputs go into the losses of a loop; None if one is unknown."""
    inside = list(script.inside(loop))
    if any(isinstance(e, PassedToUnknown) and _hides(e) for e in inside):
        return None
    forwards = {f"forward {f.number}": f for f in script.of(Forward)}
    found: list[Forward] = []
    for e in inside:
        if isinstance(e, Backward):
            into = [forwards[t] for t in taints(e.of) if t in forwards and forwards[t].grad is not False]
            into = [f for f in into if f.module is None or not f.module.kind.endswith("Loss")]
            if not into or not isinstance(e.of, Array):
                return None
            for f in into:  # the list grows while it is read: an encoder's output is a decoder's input
                earlier = [forwards[t] for t in taints(*f.inputs) if t in forwards]
                into += [o for o in earlier if o not in into and o.grad is not False]
            found += into
    return found or None


def _hides(e: PassedToUnknown) -> bool:
    return any(is_module(v) or is_optimizer(v) or (isinstance(v, Array) and v.loss) for v in e.values)


def _made_at(script: Script, obj: Object) -> int:
    return script.objects.index(obj) if obj in script.objects else -1


def _copies_gradients(script: Script) -> bool:
    """Whether gradients are carried from one network to another by hand, as in A3C or Reptile."""
    return any(_GIVEN_GRADIENT.search(text) for text in script.lines)


def others_parameters(script: Script) -> Iterator[ScriptFinding]:
    """An optimizer steps in a loop in which only other networks are used: it finds no gradients there."""
    if _copies_gradients(script):
        return
    seen = set()
    for step in script.of(Step):
        optimizer = step.optimizer
        again = any(step.where.passes[:-1])  # a later round of a loop around: the first one has said it
        if optimizer is None or not step.where.loops or again or not is_optimizer(optimizer):
            continue
        layers, answered = _coverage(optimizer), _trained_by(script, step.where.loops[-1])
        if layers is None or answered is None:
            continue
        modules = {f.module for f in answered}
        if not all(is_module(m) and _learned(m) for m in modules) or any(
            set(modules_in(m)) & layers for m in modules if m is not None
        ):
            continue
        first = min(answered, key=lambda f: f.where.order)
        assert first.module is not None
        if (optimizer, first.module) in seen:
            continue
        seen.add((optimizer, first.module))
        line, what = _whose(script, optimizer, first.module, step.where.loops[-1])
        yield ScriptFinding(
            rule="other-parameters", line=line,
            finding=f"The optimizer that steps here has the parameters of another network{what}.",
            evidence=script.evidence(line, optimizer.line, first.module.line, first.where.line, step.where.line),
            consequence="The network whose loss is computed never changes, and its gradients accumulate.",
            fix="Give the optimizer the parameters of the network it should train, and create it after the network",
        )  # fmt: skip


def _whose(script: Script, optimizer: Object, module: Object, loop: Loop) -> tuple[int, str]:
    """The line of the mistake, and what to add to the finding."""
    own = [
        o
        for o in script.objects
        if is_optimizer(o) and o is not optimizer and set(modules_in(module)) & (_coverage(o) or set())
    ]
    if own and len(loop.key) > 2:
        return loop.key[-3], ""
    given = optimizer.args[0] if optimizer.args else None
    held = given.args[0] if isinstance(given, Object) and given.kind == "parameters" else None
    alike = isinstance(held, Object) and held.kind == module.kind and held.cls is module.cls
    if alike and not own and _made_at(script, module) > _made_at(script, optimizer):
        return module.line, ", which was replaced after the optimizer was created"
    return optimizer.line, ""


def unchanged_part(script: Script) -> Iterator[ScriptFinding]:
    """One of several networks that are trained together is in no optimizer."""
    steps = script.of(Step)
    optimizers = [o for o in script.objects if is_optimizer(o)]
    coverages = [_coverage(s.optimizer) if s.optimizer is not None else None for s in steps]
    if not steps or any(c is None for c in coverages) or _copies_gradients(script):
        return
    moved = {layer for c in coverages if c is not None for layer in c}
    touched = {
        p for e in script.observed("frozen", "thawed") for p in (e.value.items if isinstance(e.value, Items) else [])
    }
    modes = [m for m in script.of(Mode) if m.module is not None]
    again = {m.module for m in modes if m.training is not False}
    resting = [m.module for m in modes if m.module not in again]
    touched |= {p for m in resting if m is not None for p in modules_in(m)} - moved
    given = {v for e in script.of(PassedToUnknown) for v in e.values}
    texts = " ".join(script.lines)
    for loop in dict.fromkeys(s.where.loops[-1] for s in steps if s.where.loops):
        answered = _trained_by(script, loop) or []
        if not any(set(modules_in(f.module)) & moved for f in answered if f.module is not None):
            continue
        for f in answered:
            module = f.module
            learned = _learned(module)
            if module is None or not learned or set(modules_in(module)) & (moved | touched) or f.grad is not True:
                continue
            if not all(is_trained_layer(p) for p in learned):
                continue  # it contains a library's network: perhaps used only for measuring
            names = " ".join(script.lines[module.line - 1 : module.line]).lower()
            kept = any(word in names for word in _KEPT_ON_PURPOSE) or "load_state_dict" in texts or "deepcopy" in texts
            if kept or module in given or module.kind.startswith("torchvision") or not _reached(script, f, loop):
                continue
            idle = next((o for o in optimizers if set(modules_in(module)) & (_coverage(o) or set())), None)
            twin = _second_of_its_kind(steps)
            yield ScriptFinding(
                rule="no-optimizer", line=idle.line if idle is not None else module.line,
                finding="This network is used in the training loop, but no optimizer has its parameters."
                if idle is None
                else "This optimizer never steps, although its network is used in the training loop.",
                evidence=script.evidence(
                    module.line, *([twin.line] if twin else []), f.where.line, *(s.where.line for s in steps[:2])
                ),
                consequence="It keeps its initial random weights while the networks around it learn.",
                fix=_with_parameters_of(script, twin, module)
                or "torch.optim.Adam([*first.parameters(), *second.parameters()], lr=1e-3)",
            )  # fmt: skip
            return


def _second_of_its_kind(steps: list[Step]) -> Object | None:
    """An optimizer with the same parameters as an earlier one: it was meant for another network."""
    optimizers = list(dict.fromkeys(s.optimizer for s in steps if s.optimizer is not None))
    optimizers.sort(key=lambda o: o.line)
    for place, later in enumerate(optimizers):
        if any(_coverage(later) == _coverage(earlier) for earlier in optimizers[:place]):
            return later
    return None


def _with_parameters_of(script: Script, optimizer: Object | None, module: Object) -> str:
    """The optimizer's line with the right network's name; empty if that is unknown."""
    text = script.lines[optimizer.line - 1].strip() if optimizer is not None else ""
    name = re.match(r"\s*([\w.]+)\s*=[^=]", script.lines[module.line - 1])
    if name is None or ".parameters()" not in text:
        return ""
    return re.sub(r"[\w.]+\.parameters\(\)", f"{name.group(1)}.parameters()", text)


def _reached(script: Script, f: Forward, loop: Loop) -> bool:
    """Whether gradients reach this output: it was not detached on its way to the loss."""
    name = f"forward {f.number}"
    cuts = {f"cut {e.number}" for e in script.observed("cut") if name in taints(e.value)}
    losses = [e for e in script.inside(loop) if isinstance(e, Backward) and name in taints(e.of)]
    return any(not cuts & taints(e.of) for e in losses) or (not losses and not cuts)


def new_layers(script: Script) -> Iterator[ScriptFinding]:
    """A layer added to a model after its optimizer was created: the optimizer does not know it."""
    steps = {s.optimizer for s in script.of(Step) if s.optimizer is not None}
    coverages = [_coverage(o) for o in steps]
    moved = {layer for c in coverages if c is not None for layer in c}
    if not steps or any(c is None for c in coverages) or "add_param_group" in " ".join(script.lines):
        return
    used = frozenset().union(*(taints(b.of) for b in script.of(Backward)))
    for f in script.of(Forward):
        if f.module is None or f"forward {f.number}" not in used or f.module not in moved:
            continue
        for layer in modules_in(f.module):
            late = min((_made_at(script, o) for o in steps if o is not None), default=0)
            if is_trained_layer(layer) and layer not in moved and _made_at(script, layer) > late >= 0:
                made_inside = any(e.value is layer for e in script.observed("made in forward"))
                if made_inside:
                    continue
                optimizer = next(o for o in steps if o is not None)
                yield ScriptFinding(
                    rule="other-parameters", line=layer.line,
                    finding="This layer is added to the model after the optimizer was given the model's parameters.",
                    evidence=script.evidence(optimizer.line, layer.line),
                    consequence="The optimizer still has the old layer's parameters, so the new one never changes.",
                    fix="Create the optimizer after the last change to the model",
                )  # fmt: skip
                return


def _moves(script: Script, e: Event) -> set[Object] | None:
    """The layers that a step, or a framework's own loop (`trainer.fit(model)`), should change."""
    if isinstance(e, Step):
        return _coverage(e.optimizer) if e.optimizer is not None else None
    if isinstance(e, PassedToUnknown) and ".fit(" in script.lines[e.where.line - 1]:
        return next((set(modules_in(v)) for v in e.values if is_lightning(v)), None)
    return None


def _given_away(script: Script, layers: set[Object], start: Event, end: Event) -> bool:
    between = (h for h in script.of(PassedToUnknown) if start.where.order < h.where.order < end.where.order)
    return any(v in layers for h in between for v in h.values if isinstance(v, Object))


def all_frozen(script: Script) -> Iterator[ScriptFinding]:
    """Every layer that the optimizer holds has ``requires_grad = False``."""
    if any(e.value is None for e in script.observed("thawed")):
        return  # something unknown was unfrozen
    state: set[Object] = set()
    last: Observation | None = None
    events = (*script.observed("frozen", "thawed"), *script.of(Step), *script.of(PassedToUnknown))
    for e in sorted(events, key=lambda e: e.where.order):
        if isinstance(e, Observation):
            inside = {p for p in e.value.items if isinstance(p, Object)} if isinstance(e.value, Items) else set()
            if e.kind == "frozen" and not e.where.guarded:
                state |= inside
                last = e
            elif e.kind == "thawed":
                state -= inside
        elif last is not None and (layers := _moves(script, e)) is not None:
            learned = {p for p in layers if _learns(p)}
            library = any(not is_trained_layer(p) for p in learned)
            if library and (not layers <= state or _given_away(script, learned, last, e)):
                continue  # a library's network, and the layers added to it are unknown
            if learned and learned <= state:
                yield ScriptFinding(
                    rule="frozen", line=last.where.line,
                    finding="All parameters that should be trained are frozen: requires_grad is False.",
                    evidence=script.evidence(last.where.line, e.where.line),
                    consequence="Nothing can change: backward() stops with “element 0 of tensors does not require "
                    "grad”, or the steps do nothing.",
                    fix="for p in model.fc.parameters(): p.requires_grad = True  # the layers that should learn",
                )  # fmt: skip
                return


# ── graphs ────────────────────────────────────────────────────────────────────────────────────────────────────


def _ends_in_a_leaf(script: Script, loss: Array) -> bool:
    """Whether the graph of a loss ends at a detached output that no optimizer updates."""
    leaves = [int(t.removeprefix("leaf ")) for t in loss.taint if t.startswith("leaf ")]
    if not leaves or loss.graph is True or any(_GRADIENT.search(text) for text in script.lines):
        return False
    later = [t for t in loss.taint if t.startswith("forward ") and int(t.removeprefix("forward ")) > min(leaves)]
    steps = script.of(Step)
    return not later and bool(steps) and all(s.optimizer is not None and _coverage(s.optimizer) for s in steps)


def cut_graph(script: Script) -> Iterator[ScriptFinding]:
    """``backward`` on a value that is no longer connected to a network: `detach` "returns a new Tensor,
    detached from the current graph", and `torch.tensor` copies the value alone (PyTorch).
    """
    cuts = {f"cut {e.number}": e for e in script.observed("cut")}
    seen = set()
    for e in script.of(Backward):
        if not isinstance(e.of, Array) or (e.of.graph is not False and not _ends_in_a_leaf(script, e.of)):
            continue
        found = sorted((cuts[t] for t in e.of.taint if t in cuts), key=lambda c: c.where.order)
        if not found or found[-1].where.line in seen:
            continue
        cut = found[-1]
        seen.add(cut.where.line)
        chosen = cut.text in (".argmax()", ".max()", "a comparison")
        yield ScriptFinding(
            rule="argmax-before-loss" if chosen else "graph-cut", line=cut.where.line,
            finding=(
                f"The loss is computed from classes that were already chosen ({cut.text}), not from the outputs."
                if chosen
                else f"{cut.text} detaches the loss from the network before backward()."
            ),
            evidence=script.evidence(cut.where.line, e.where.line),
            consequence="No gradient reaches the weights: backward() raises an error, or changes nothing.",
            fix=(
                "loss = criterion(output, y)  # the raw outputs; argmax is for the accuracy"
                if chosen
                else "Call backward() on the loss itself, and use loss.item() or .detach() only for output and logs"
            ),
        )  # fmt: skip


def no_gradients(script: Script) -> Iterator[ScriptFinding]:
    """Training under `torch.no_grad`: "every result will have requires_grad=False" (PyTorch, no_grad)."""
    forwards = {f"forward {f.number}": f for f in script.of(Forward)}
    seen: dict[int, Forward | None] = {}  # by the line of backward: the answer, None where once it had a graph
    for e in script.of(Backward):
        into = [forwards[t] for t in taints(e.of) if t in forwards]
        blind = isinstance(e.of, Array) and e.of.graph is False and e.where.called and bool(into)
        if blind and all(f.grad is False and is_module(f.module) for f in into):
            seen.setdefault(e.where.line, max(into, key=lambda f: f.where.order))
        else:
            seen[e.where.line] = None
    for line, answer in seen.items():
        if answer is not None:
            yield ScriptFinding(
                rule="training-without-gradients", line=answer.where.line,
                finding="The network is trained with gradients switched off (torch.no_grad or similar).",
                evidence=script.evidence(answer.where.line, line),
                consequence="No graph is recorded, so backward() stops with “element 0 of tensors does not require "
                "grad”.",
                fix="Use no_grad only for scoring, and train outside it",
            )  # fmt: skip
            return
