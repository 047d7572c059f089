"""Methods: of tensors, arrays and frames, of modules and optimizers, of lists, and of what is not known."""

from __future__ import annotations

from collections.abc import Callable

from pellucid.script_reader.libraries.array_methods import array_method, dtype_of, place_of_type
from pellucid.script_reader.libraries.arrays import array_function
from pellucid.script_reader.libraries.modules import call_module
from pellucid.script_reader.libraries.tables import estimator_method
from pellucid.script_reader.libraries.unknown_calls import harmless, pass_to_unknown, passed_on, rows_again
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.iteration import elements
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Accumulated, Backward, Decision, Mode, Observation, Step, ZeroGrad
from pellucid.script_reader.values.torch_objects import is_module, is_optimizer, is_scheduler, modules_in, tensor_device
from pellucid.script_reader.values.value import (
    Arguments,
    Array,
    Const,
    Dictionary,
    External,
    Function,
    Items,
    Method,
    Number,
    Object,
    Unknown,
    Value,
    taints,
    with_taint,
)

__all__ = ["call_method"]

_MAX_ITEMS = 64
_COUNTS = ("item", "numel", "nelement", "dim")


def call_method(reader: Reader, method: Method, given: Arguments, hint: str) -> Value:  # noqa: PLR0911
    """What a library's method gives, and what it does.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    method
        The method, with the value that it belongs to.
    given
        Its arguments.
    hint
        How the script names it, such as ``self.optimizer.step``.
    """
    owner, name = method.owner, method.name
    if name == "forward" and isinstance(owner, Object) and is_module(owner):
        return call_module(reader, owner, given)
    special = _SPECIAL.get(name)
    if special is not None:
        done = special(reader, owner, given, hint)
        if done is not None:
            return done
    if isinstance(owner, Array):
        return array_method(reader, owner, name, given)
    if isinstance(owner, Items):
        return _of_items(reader, owner, name, given, hint)
    if isinstance(owner, Dictionary):
        return _of_table(owner, name, given)
    if isinstance(owner, Object):
        found = estimator_method(reader, owner, name, given)
        if found is not None:
            return found
    return _foreign(reader, owner, name, given)


def _foreign(reader: Reader, owner: Value, name: str, given: Arguments) -> Value:

    plain = isinstance(owner, Object) and (harmless(owner.kind) or is_module(owner))
    if not plain and not isinstance(owner, (Const, Number)):
        pass_to_unknown(reader, given)
        rows = rows_again(given, name) if isinstance(owner, Object) else None
        if rows is not None:
            return rows
    if name == "shuffle" and isinstance(given.get(0), Array):
        reader.shuffled.add(given.args[0].source)  # type: ignore[attr-defined]
    if isinstance(owner, Object) and owner.kind in ("numpy.random.default_rng", "numpy.random.RandomState"):
        made = array_function(reader, f"numpy.random.{name}", given)
        if made is not None:
            return made
    if isinstance(owner, Unknown) and (name in _COUNTS or (name == "size" and given.args)):
        return Number(taint=owner.taint)
    if name == "format" and isinstance(owner, Const):
        return Unknown()
    if name == "permutation":
        return Array(ndim=1, order="random", dtype="int64")
    return Unknown(taint=taints(owner, *given.every()) if not isinstance(owner, Object) else taints(*given.every()))


# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────


def _backward(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value:
    of = owner if isinstance(owner, Array) or not given.args else given.get(0)
    reader.note(Backward, given.line, of=of)
    return Const(value=None)


def _zero_grad(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value:
    known = isinstance(owner, Object) and (is_optimizer(owner) or is_module(owner))
    reader.note(ZeroGrad, given.line, of=owner if known else None, name=hint.rpartition(".")[0])
    return Const(value=None)


def _zero(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    if "grad" in hint or "grad" in getattr(owner, "name", ""):
        reader.note(ZeroGrad, given.line, of=None)
    return owner if isinstance(owner, Array) else None


def _step(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:

    closure = next((a for a in given.every() if isinstance(a, Function)), None)
    inner = next((a for a in given.every() if is_optimizer(a)), None)
    result: Value = Unknown()
    if inner is not None:
        reader.note(Step, given.line, optimizer=inner)
    elif is_scheduler(owner, hint):
        reader.note(
            Observation,
            given.line,
            kind="scheduler",
            value=owner,
            text="" if [*given.every()] or given.open else "bare",
        )
        taint = taints(*given.every())
        if any(t.startswith("scored") for t in taint):
            reader.note(Decision, given.line, taint=taint, acts="lowers the learning rate")
    elif is_optimizer(owner):
        if closure is not None:
            result = reader.call(closure, Arguments((), {}, given.line))
        reader.note(Step, given.line, optimizer=owner, closure=closure is not None)
    elif "opt" in hint.lower() or any("opt" in getattr(a, "name", "").lower() for a in given.every()):
        if closure is not None:
            result = reader.call(closure, Arguments((), {}, given.line))
        name = next((a.name for a in given.every() if isinstance(a, Unknown)), "") or hint.rpartition(".")[0]
        reader.note(Step, given.line, optimizer=None, name=name, closure=closure is not None)
    else:
        return None
    return result


def _train(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    if (
        not isinstance(owner, Object)
        or len(given.args) > 1
        or (given.args and not isinstance(given.args[0], (Const, Unknown)))
    ):
        return None
    mode = given.const(0, "mode", True)
    return _set_mode(reader, owner, mode if isinstance(mode, bool) else None, given.line)


def _eval(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    return _set_mode(reader, owner, False, given.line) if isinstance(owner, Object) and not given.args else None


def _set_mode(reader: Reader, owner: Object, training: bool | None, line: int) -> Value:
    mode = None if training is None else "train" if training else "eval"
    for part in (owner, *modules_in(owner)):
        reader.state.modes[part] = (mode, line)
    reader.note(Mode, line, module=owner, training=training)
    return owner


def _parameters(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    return observe.parameters(owner, given.line, hint) if isinstance(owner, Object) else None


_PLACES = dict.fromkeys(("cuda", "xpu", "ipu", "mtia"), "accelerator") | {"cpu": "cpu"}


def _move(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    if not isinstance(owner, Object):
        return None
    name = hint.rpartition(".")[2]
    target = given.get(0, "dst_type" if name == "type" else "device")
    if name == "to" and (target is None or dtype_of(target)):
        return owner
    if name == "type" and not is_module(owner):
        return None
    device = _PLACES.get(name) or (place_of_type(target) if name == "type" else tensor_device(target))
    if name == "type" and device is None and isinstance(target, External):
        return owner  # torch.float32 and its like move nothing
    for part in (owner, *modules_in(owner)):
        if reader.state.devices.get(part, ("cpu", 0))[0] is not None or part is owner:
            reader.state.devices[part] = (device, given.line)
    return owner


def _same_module(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    return owner if isinstance(owner, Object) else None


def _requires_grad(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    mode = given.get(0, "requires_grad") or Const(value=True)
    observe.frozen(reader, owner, mode, given.line)
    return owner if isinstance(owner, Object) else None


def _add_module(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    if isinstance(owner, Object) and (added := given.get(1)) is not None:
        name = given.const(0, "name")
        owner.attrs[name if isinstance(name, str) else f"added {given.line} {len(owner.attrs)}"] = added
        return Const(value=None)
    return None


def _prepared(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    """Accelerate and Fabric give back what they are given, in its order, each in its place."""
    kind = owner.kind if isinstance(owner, Object) else ""
    known = any(word in (kind + " " + hint).lower() for word in ("accelerat", "fabric"))
    return passed_on(reader, given) if known and given.args else None


def _gathered(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    return given.get(0) if "accelerat" in hint.lower() and len(given.args) == 1 else None


def _unwrapped(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    return given.get(0)


def _scale(reader: Reader, owner: Value, given: Arguments, hint: str) -> Value | None:
    return given.get(0) if "scaler" in hint.lower() or (isinstance(owner, Object) and "Scaler" in owner.kind) else None


_PASSING_ON = (
    "prepare", "prepare_model", "prepare_optimizer", "prepare_data_loader", "prepare_scheduler", "setup",
    "setup_module", "setup_optimizers", "setup_dataloaders",
)  # fmt: skip
_SPECIAL: dict[str, Callable[[Reader, Value, Arguments, str], Value | None]] = {
    "backward": _backward, "manual_backward": _backward, "zero_grad": _zero_grad, "zero_": _zero,
    "step": _step, "train": _train, "eval": _eval,
    "parameters": _parameters, "named_parameters": _parameters,
    "to": _move, "cuda": _move, "cpu": _move,
    "half": _same_module, "float": _same_module, "double": _same_module, "bfloat16": _same_module,
    "apply": _same_module, "type": _move, "to_empty": _move, "xpu": _move, "ipu": _move, "mtia": _move,
    "requires_grad_": _requires_grad, "share_memory": _same_module, "compile": _same_module,
    "add_module": _add_module, "register_module": _add_module, "scale": _scale,
    **dict.fromkeys(_PASSING_ON, _prepared),
    "unwrap_model": _unwrapped, "gather": _gathered, "gather_for_metrics": _gathered,
}  # fmt: skip


# ── containers ────────────────────────────────────────────────────────────────────────────────────────────────


def _of_items(reader: Reader, owner: Items, name: str, given: Arguments, hint: str) -> Value:
    x = given.get(0)
    if name == "append" and x is not None:
        if isinstance(x, Array) and x.loss and x.graph and owner.depth < len(reader.loops):
            number = reader.number()
            reader.note(Accumulated, given.line, number=number, name=hint.rpartition(".")[0], how="append")
            x = with_taint(x, frozenset({f"sum {number}"}))
        if len(owner.items) < _MAX_ITEMS:
            owner.items.append(x)
    elif name in ("extend", "__iadd__") and x is not None:
        found = elements(reader, x)
        owner.items.extend((found.every or [found.one])[: _MAX_ITEMS - len(owner.items)])
    elif name == "insert" and given.get(1) is not None:
        owner.items.insert(0, given.args[1])
    elif name in ("pop", "copy"):
        return owner.items[-1] if name == "pop" and owner.items else owner
    return Const(value=None)


def _of_table(owner: Dictionary, name: str, given: Arguments) -> Value:
    if name == "items":
        return Items(items=[Items(items=[Const(value=k), v]) for k, v in owner.entries.items()])
    if name == "values":
        return Items(items=list(owner.entries.values()))
    if name == "keys":
        return Items(items=[Const(value=k) for k in owner.entries])
    if name == "get":
        key = given.get(0)
        return owner.entries.get(key.value, given.get(1) or Unknown()) if isinstance(key, Const) else Unknown()
    if name in ("update", "setdefault", "pop"):
        x = given.get(0)
        owner.entries.update(x.entries if isinstance(x, Dictionary) and name == "update" else {})
        owner.entries.update(given.kwargs if name == "update" else {})
    return Unknown()
