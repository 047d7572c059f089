"""Functions of PyTorch, NumPy and others: their results, from what is known of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pellucid.script_reader.libraries.unknown_calls import passed_on
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import FunctionalDropout, Split
from pellucid.script_reader.values.torch_objects import is_module
from pellucid.script_reader.values.value import (
    BY_TRAINING,
    Arguments,
    Array,
    Const,
    Items,
    Object,
    Unknown,
    Value,
    taints,
)

__all__ = ["FUNCTIONS"]


# ── switches and copies ───────────────────────────────────────────────────────────────────────────────────────


def _grad_switch(reader: Reader, path: str, given: Arguments) -> Value:
    mode = given.const(0, "mode", True)
    reader.state.grad = mode if isinstance(mode, bool) else None
    return Object(kind=path, line=given.line, args=given.args)


def _default_device(reader: Reader, path: str, given: Arguments) -> Value:
    reader.default_device = None
    return Const(value=None)


def _deepcopy(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0) or Unknown()
    if not isinstance(x, Object):
        return x
    copies: dict[int, Value] = {}
    copy = _copied(x, copies)
    for kept in (reader.state.modes, reader.state.devices):
        for part in list(kept):
            twin = copies.get(id(part))
            if isinstance(twin, Object):
                kept[twin] = kept[part]
    return copy


def _copied(x: Value, copies: dict[int, Value]) -> Value:
    """A module and the layers in it, each a new one."""
    if id(x) in copies:
        return copies[id(x)]
    if isinstance(x, Items):
        return replace(x, items=[_copied(v, copies) for v in x.items])
    if not isinstance(x, Object) or not (is_module(x) or not copies):
        return x
    made = copies[id(x)] = replace(x, attrs=dict(x.attrs))
    made.attrs.update({name: _copied(v, copies) for name, v in x.attrs.items()})
    copies[id(x)] = made = replace(made, args=tuple(_copied(v, copies) for v in x.args))
    return made


def _random_split(reader: Reader, path: str, given: Arguments) -> Value:
    dataset, lengths = given.get(0, "dataset") or Unknown(), given.get(1, "lengths")
    rows = _arrays_in(dataset)
    reader.note(Split, given.line, rows=tuple(rows), how="random", call="random_split")
    if not isinstance(lengths, Items):
        return Unknown()
    kind = "torch.utils.data.Subset"
    return Items(items=[Object(kind=kind, line=given.line, args=(dataset,)) for _ in lengths.items])


def _arrays_in(dataset: Value) -> list[Value]:
    if isinstance(dataset, Object) and not is_module(dataset):
        return [v for v in (*dataset.args, *dataset.attrs.values()) if isinstance(v, Array)]
    return [dataset] if isinstance(dataset, Array) else []


def _shuffle_in_place(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    if isinstance(x, Array):
        reader.shuffled.add(x.source)
    return Const(value=None)


def _shuffled(reader: Reader, path: str, given: Arguments) -> Value:
    found = [a.then(order="random") if isinstance(a, Array) else a for a in given.args]
    return found[0] if len(found) == 1 else Items(items=list(found))


def _both(reader: Reader, path: str, given: Arguments) -> Value:

    model, optimizer = given.get(0, "models"), given.get(1, "optimizers")
    return passed_on(reader, Arguments(tuple(v for v in (model, optimizer) if v is not None), {}, given.line))


def _first(reader: Reader, path: str, given: Arguments) -> Value:
    return given.get(0) or Unknown()


def _dropout(reader: Reader, path: str, given: Arguments) -> Value:
    told = "training" in given.kwargs or len(given.args) > 2 or given.open
    told = told or reader.if_training > 0 or BY_TRAINING in taints(*given.every())
    p = given.const(1, "p", 0.5)
    if reader.models and not told and p != 0:
        reader.note(FunctionalDropout, given.line, name=path.rpartition(".")[2])
    x = given.get(0, "input")
    return x.then(activation="other") if isinstance(x, Array) else Array(taint=taints(x), activation="other")


def _dummies(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0, "data")
    return x.then(ndim=2, last=None) if isinstance(x, Array) else Unknown()


FUNCTIONS: dict[str, Callable[[Reader, str, Arguments], Value]] = {
    "torch.set_grad_enabled": _grad_switch,
    "torch.set_default_device": _default_device,
    "torch.set_default_tensor_type": _default_device,
    "copy.deepcopy": _deepcopy,
    "copy.copy": _deepcopy,
    "apex.amp.initialize": _both,
    "apex.amp.scale_loss": _first,
    "horovod.torch.DistributedOptimizer": _first,
    "pandas.get_dummies": _dummies,
    "torch.utils.data.random_split": _random_split,
    "torch.utils.data.dataset.random_split": _random_split,
    "numpy.random.shuffle": _shuffle_in_place,
    "random.shuffle": _shuffle_in_place,
    "sklearn.utils.shuffle": _shuffled,
    "numpy.random.permutation": lambda reader, path, given: Array(ndim=1, order="random", dtype="int64"),
    "torch.randperm": lambda reader, path, given: Array(ndim=1, order="random", dtype="int64"),
    **{
        f"torch.nn.functional.{name}": _dropout
        for name in ("dropout", "dropout1d", "dropout2d", "dropout3d")
    },
}  # fmt: skip
