"""The four parts of a training step: zero_grad, loss, backward, step; and losses that keep their graph."""

from __future__ import annotations

from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import (
    Accumulated,
    Backward,
    Event,
    Forward,
    Loop,
    LossCall,
    PassedToUnknown,
    Step,
    ZeroGrad,
)
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.torch_objects import is_module, is_optimizer
from pellucid.script_reader.values.value import Array, Object, Unknown, taints

__all__ = ["growing_graph", "no_backward", "no_step", "no_zero_grad", "starved_step"]


def _loops(script: Script) -> Iterator[tuple[Loop, Step, list[Event]]]:
    """Each loop in which an optimizer steps, once per loop and optimizer, with the events in it."""
    seen = set()
    for step in script.of(Step):
        if step.where.loops:
            key = (step.where.loops[-1], step.optimizer, step.name)
            if key not in seen:
                seen.add(key)
                yield step.where.loops[-1], step, list(script.inside(step.where.loops[-1]))


def _handed(events: list[Event]) -> bool:
    """Whether a model, an optimizer or a loss was passed to code that cannot be followed."""
    for e in events:
        for value in e.values if isinstance(e, PassedToUnknown) else ():
            if is_optimizer(value) or is_module(value) or (isinstance(value, Array) and value.loss):
                return True
            if isinstance(value, (Unknown, Object)) and "opt" in getattr(value, "name", ""):
                return True
            if isinstance(value, Unknown) and any(t.startswith("forward ") for t in value.taint):
                return True
    return False


def _is(events: list[Event], kind: type[Event]) -> list[Event]:
    return [e for e in events if isinstance(e, kind)]


def no_zero_grad(script: Script) -> Iterator[ScriptFinding]:
    """Gradients that are never set to zero: ``backward`` adds to ``.grad``.

    "Gradients by default add up; to prevent double-counting, we explicitly zero them at each iteration" (PyTorch's
    tutorial on optimization).
    """
    for loop, step, events in _loops(script):
        backward = _is(events, Backward)
        if (
            not backward
            or _is(events, ZeroGrad)
            or _handed(events)
            or script.mentions(loop, "zero_grad", ".grad = None")
        ):
            continue
        before = [z.where.line for z in script.of(ZeroGrad)]
        outside = f", only outside it ({script.place_of(before[0])})" if before else ""
        yield ScriptFinding(
            rule="zero-grad", line=step.where.line,
            finding=f"Nothing sets the gradients to zero in the training loop{outside}.",
            evidence=script.evidence(loop.line, backward[0].where.line, step.where.line, *before[:1]),
            consequence="backward() adds to the gradients of all earlier batches, so every step follows their sum, "
            "and training oscillates or diverges.",
            fix="optimizer.zero_grad()  # in the loop, before loss.backward()",
        )  # fmt: skip


def no_backward(script: Script) -> Iterator[ScriptFinding]:
    """A step without a backward: ``.grad`` is None, and the optimizer skips parameters without a gradient."""
    for loop, step, events in _loops(script):
        computed = [e for e in events if isinstance(e, (LossCall, Forward))]
        around = [e for b in step.where.loops for e in script.inside(b)]
        if not computed or _is(around, Backward) or _handed(around) or step.closure:
            continue
        if script.mentions(step.where.loops[0], "backward", "autograd"):
            continue
        yield ScriptFinding(
            rule="backward", line=step.where.line,
            finding="The optimizer steps, but no backward() computes gradients in this loop.",
            evidence=script.evidence(loop.line, computed[-1].where.line, step.where.line),
            consequence="There are no gradients, so step() changes nothing: the loss stays where it started.",
            fix="loss.backward()  # after the loss, before optimizer.step()",
        )  # fmt: skip


def no_step(script: Script) -> Iterator[ScriptFinding]:
    """Gradients that nothing uses: an optimizer was created but never steps."""
    optimizers = [o for o in script.objects if is_optimizer(o)]
    if not optimizers or script.of(Step):
        return
    for backward in script.of(Backward):
        if not backward.where.loops or not backward.where.called:
            continue
        if _handed(script.events) or not any(isinstance(e, LossCall) for e in script.inside(backward.where.loops[-1])):
            continue
        yield ScriptFinding(
            rule="step", line=backward.where.line,
            finding="backward() computes gradients, but no optimizer ever steps.",
            evidence=script.evidence(optimizers[0].line, backward.where.loops[-1].line, backward.where.line),
            consequence="The weights never change, so the network predicts the same at the end as at the start.",
            fix="optimizer.step()  # after loss.backward()",
        )  # fmt: skip
        return


def starved_step(script: Script) -> Iterator[ScriptFinding]:
    """A step that finds no gradients: they are zeroed between ``backward`` and ``step``, or computed only after it.

    The order in PyTorch's tutorials is zero_grad, backward, step; step, zero_grad, backward works from the second
    round on, since the step then finds the gradients of the previous round.
    """
    for loop, step, events in _loops(script):
        if not _is(events, Backward) or _handed(events) or step.closure:
            continue
        state, zero, backward = "none", step, None
        for e in _two_rounds(events, loop):
            if isinstance(e, Backward):
                state, backward = "fresh", e
            elif isinstance(e, ZeroGrad) and _same(script, e, step):
                state = state if e.where.guarded_in(loop) else "none"
                zero = e  # type: ignore[assignment]
            elif isinstance(e, Step) and (e.optimizer, e.name) == (step.optimizer, step.name):
                late = e.where.passes[e.where.loops.index(loop)] == 1
                if state == "none" and late and backward is not None and not e.where.guarded_in(loop):
                    yield _starved(script, loop, e, zero, backward)
                    break


def _two_rounds(events: list[Event], loop: Loop) -> list[Event]:
    return [e for e in events if isinstance(e, (Backward, ZeroGrad, Step))]


def _same(script: Script, zero: ZeroGrad, step: Step) -> bool:
    """Whether these are the gradients that the step needs."""
    if zero.of is None or step.optimizer is None:
        return zero.of is None and step.optimizer is None and zero.name == step.name
    if is_optimizer(zero.of):
        return zero.of is step.optimizer
    return sum(is_optimizer(o) for o in script.objects) == 1


def _starved(script: Script, loop: Loop, step: Step, zero: Event, backward: Event) -> ScriptFinding:
    between = backward.where.line < zero.where.line < step.where.line
    finding = (
        "zero_grad() is called between backward() and step()."
        if between
        else "step() is called before backward(), and zero_grad() erases the gradients before the next step."
    )
    return ScriptFinding(
        rule="step-order", line=(zero if between else step).where.line, finding=finding,
        evidence=script.evidence(loop.line, zero.where.line, backward.where.line, step.where.line),
        consequence="No step finds any gradients, so the weights do not change.",
        fix="optimizer.zero_grad(); loss.backward(); optimizer.step()  # in this order",
    )  # fmt: skip


def growing_graph(script: Script) -> Iterator[ScriptFinding]:
    """Losses that are added up together with their graphs.

    "Don't accumulate history across your training loop": ``total_loss += loss`` keeps every batch's graph alive
    (PyTorch's FAQ on memory).
    """
    used = frozenset().union(*(taints(b.of) for b in script.of(Backward)))
    for e in script.of(Accumulated):
        if f"sum {e.number}" in used:
            continue
        if e.value is not None and not any(b.of is e.value for b in script.of(Backward)):
            continue
        same = [o for o in script.of(Accumulated) if o.where.line == e.where.line]
        if any(f"sum {o.number}" in used for o in same):
            continue
        name = e.name or "a list"
        call = f"{name} += loss.item()" if e.how == "+=" else f"{e.name or 'losses'}.append(loss.item())"
        yield ScriptFinding(
            rule="loss-graph", line=e.where.line,
            finding=f"The loss is added to {name} as a tensor with its graph, not as a number.",
            evidence=script.evidence(e.where.line),
            consequence="The graph of every batch stays in memory: memory use grows until it runs out.",
            fix=f"{call}  # or loss.detach()",
        )  # fmt: skip
