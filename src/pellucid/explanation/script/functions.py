"""Functions of PyTorch, NumPy and Python: what they give for what is known of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pellucid.explanation.script import images, watch
from pellucid.explanation.script.iteration import elements
from pellucid.explanation.script.members import attribute
from pellucid.explanation.script.methods import ACTIVATIONS, KNOWN_METHODS, array_method, dtype_of
from pellucid.explanation.script.modules import is_module, tensor_device
from pellucid.explanation.script.record import FunctionalDropout, Split
from pellucid.explanation.script.values import (
    Arguments,
    Array,
    Const,
    Items,
    Number,
    Obj,
    Table,
    Unknown,
    Value,
    taints,
    with_taint,
)

if TYPE_CHECKING:
    from pellucid.explanation.script.reader import Reader

__all__ = ["FUNCTIONS", "array_function"]


# ── Python ────────────────────────────────────────────────────────────────────────────────────────────────────


def _number(reader: Reader, path: str, given: Arguments) -> Value:
    return Number(taint=taints(*given.every()))


def _length(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    if isinstance(x, Items) or (isinstance(x, Obj) and x.kind in ("torch.nn.ModuleList", "torch.nn.Sequential")):
        every = elements(reader, x).every
        return Number() if every is None else Const(value=len(every))
    return Number(taint=watch.length(x))


def _open(reader: Reader, path: str, given: Arguments) -> Value:
    return Unknown()


def _int(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    return x if isinstance(x, Const) and type(x.value) is int else Number(taint=taints(x))


def _list(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    if x is None:
        return Items(items=[], depth=len(reader.loops))
    if isinstance(x, Items):
        return Items(items=list(x.items), depth=max(x.depth, len(reader.loops)), taint=x.taint)
    return Obj(kind=path, line=given.line, args=(x,), taint=taints(x))


def _dict(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0)
    entries: dict[object, Value] = dict(x.entries) if isinstance(x, Table) else {}
    return Table(entries=entries | dict(given.kwargs))


def _sum(reader: Reader, path: str, given: Arguments) -> Value:
    found = elements(reader, given.get(0) or Unknown())
    one = with_taint(found.one, taints(given.get(0)))
    return one.then(act="other") if isinstance(one, Array) else Unknown(taint=one.taint)


def _next(reader: Reader, path: str, given: Arguments) -> Value:
    return elements(reader, given.get(0) or Unknown()).one


def _second(reader: Reader, path: str, given: Arguments) -> Value:
    return given.get(1) or Unknown()


def _getattr(reader: Reader, path: str, given: Arguments) -> Value:
    owner, name = given.get(0), given.get(1)
    if owner is not None and isinstance(name, Const) and isinstance(name.value, str):
        return attribute(reader, owner, name.value, given.line)
    return Unknown(taint=taints(owner))


def _map(reader: Reader, path: str, given: Arguments) -> Value:
    from pellucid.explanation.script.calls import call_value

    function, over = given.get(0), elements(reader, given.get(1) or Unknown())
    one = call_value(reader, function, Arguments((over.one,), {}, given.line)) if function is not None else Unknown()
    return Items(items=[one], depth=len(reader.loops) + 1, taint=taints(one))


def _print(reader: Reader, path: str, given: Arguments) -> Value:
    return Const(value=None)


# ── switches and copies ───────────────────────────────────────────────────────────────────────────────────────


def _grad_switch(reader: Reader, path: str, given: Arguments) -> Value:
    mode = given.const(0, "mode", True)
    reader.state.grad = mode if isinstance(mode, bool) else None
    return Obj(kind=path, line=given.line, args=given.args)


def _default_device(reader: Reader, path: str, given: Arguments) -> Value:
    reader.default_device = None
    return Const(value=None)


def _deepcopy(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0) or Unknown()
    if not isinstance(x, Obj):
        return x
    copies: dict[int, Value] = {}
    copy = _copied(x, copies)
    for kept in (reader.state.modes, reader.state.devices):
        for part in list(kept):
            twin = copies.get(id(part))
            if isinstance(twin, Obj):
                kept[twin] = kept[part]
    return copy


def _copied(x: Value, copies: dict[int, Value]) -> Value:
    """A module and the layers in it, each a new one."""
    if id(x) in copies:
        return copies[id(x)]
    if isinstance(x, Items):
        return replace(x, items=[_copied(v, copies) for v in x.items])
    if not isinstance(x, Obj) or not (is_module(x) or not copies):
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
    return Items(items=[Obj(kind=kind, line=given.line, args=(dataset,)) for _ in lengths.items])


def _arrays_in(dataset: Value) -> list[Value]:
    if isinstance(dataset, Obj) and not is_module(dataset):
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


def _dropout(reader: Reader, path: str, given: Arguments) -> Value:
    told = "training" in given.kwargs or len(given.args) > 2 or given.open
    p = given.const(1, "p", 0.5)
    if reader.models and not told and p != 0:
        reader.note(FunctionalDropout, given.line, name=path.rpartition(".")[2])
    x = given.get(0, "input")
    return x.then(act="other") if isinstance(x, Array) else Array(taint=taints(x), act="other")


def _dummies(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0, "data")
    return x.then(ndim=2, last=None) if isinstance(x, Array) else Unknown()


FUNCTIONS: dict[str, Callable[[Reader, str, Arguments], Value]] = {
    **{f"builtins.{name}": _number for name in ("float", "abs", "round")},
    "builtins.int": _int,
    "builtins.len": _length,
    **{f"builtins.{name}": _open for name in ("isinstance", "hasattr", "input", "type", "str", "bool", "any", "all")},
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.dict": _dict,
    "builtins.sum": _sum,
    "builtins.next": _next,
    "builtins.filter": _second,
    "builtins.getattr": _getattr,
    "builtins.map": _map,
    "builtins.print": _print,
    "torch.set_grad_enabled": _grad_switch,
    "torch.set_default_device": _default_device,
    "torch.set_default_tensor_type": _default_device,
    "copy.deepcopy": _deepcopy,
    "copy.copy": _deepcopy,
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


# ── arrays ────────────────────────────────────────────────────────────────────────────────────────────────────

_MADE_FROM = {
    "torch.tensor": None, "torch.as_tensor": None, "torch.from_numpy": None, "torch.Tensor": "float32",
    "torch.FloatTensor": "float32", "torch.LongTensor": "int64", "torch.DoubleTensor": "float64",
    "torch.cuda.FloatTensor": "float32", "torch.cuda.LongTensor": "int64", "torch.IntTensor": "int32",
    "numpy.array": None, "numpy.asarray": None, "pandas.DataFrame": None, "pandas.Series": None,
    "torch.autograd.Variable": None, "numpy.ascontiguousarray": None,
}  # fmt: skip
_SIZED = {"randn", "rand", "zeros", "ones", "empty", "standard_normal", "random"}
_ELEMENTWISE = {
    "sin", "cos", "exp", "sqrt", "square", "abs", "log1p", "log2", "log10", "where", "clip", "clamp", "sign",
    "round", "floor", "power", "pow", "nan_to_num",
}  # fmt: skip
_LIKE = {"zeros_like", "ones_like", "rand_like", "randn_like", "full_like", "empty_like"}
_JOINED = {"cat", "concat", "concatenate", "stack", "vstack", "hstack", "column_stack"}


def array_function(reader: Reader, path: str, given: Arguments) -> Value | None:  # noqa: PLR0911, PLR0912
    """What a function of PyTorch or NumPy gives, None where it is none that gives an array."""
    library, _, name = path.rpartition(".")
    if path in _MADE_FROM:
        return _from_value(reader, path, given)
    if not library.startswith(("torch", "numpy")) or library.startswith(
        ("torch.nn.init", "torch.optim", "torch.utils")
    ):
        return None
    if name[:1].isupper():
        return None
    x = given.get(0, "input")
    if name in ACTIVATIONS and isinstance(x, (Array, Unknown)):
        start = x if isinstance(x, Array) else Array(taint=x.taint)
        return array_method(reader, start, name, Arguments(given.args[1:], given.kwargs, given.line))
    if name in _SIZED and library in ("torch", "numpy", "numpy.random"):
        return _sized(reader, path, given)
    if path in ("numpy.linspace", "numpy.arange", "torch.linspace", "torch.arange", "numpy.logspace"):
        return _one_dimension(reader, path, given)
    if name in ("randint", "normal", "uniform", "full", "integers", "choice", "binomial") and library != "random":
        return _with_size(reader, path, given)
    if name in _LIKE and isinstance(x, Array):
        return x.then(act="other", graph=False, fitted=frozenset())
    if name in _JOINED:
        return _joined(reader, name, given)
    if isinstance(x, Array):
        if name.endswith("pool2d"):
            rest = Arguments(given.args[1:], given.kwargs, given.line)
            return x.then(act="other", at=given.line, image=images.after_pool(name, x.image, rest))
        if name == "round":
            watch.rounded(reader, x, given.line)
        if name in _ELEMENTWISE:
            return x.then(act="other", at=given.line)
        if name == "log":
            return x.then(act="log_softmax" if x.act == "softmax" else "other", at=given.line)
        if name in KNOWN_METHODS:
            return array_method(reader, x, name, Arguments(given.args[1:], given.kwargs, given.line))
        return Array(taint=taints(*given.every()), device=None) if library in ("torch", "torch.nn.functional") else None
    return None


def _from_value(reader: Reader, path: str, given: Arguments) -> Value:
    x = given.get(0) or given.get(None, "data") or Unknown()
    dtype = dtype_of(given.get(1, "dtype")) if "dtype" in given.kwargs else _MADE_FROM[path]
    device = None
    if path.startswith("torch."):
        device = tensor_device(given.kwargs["device"]) if "device" in given.kwargs else reader.default_device
        device = "accelerator" if path.startswith("torch.cuda") else device
    if isinstance(x, Array):
        graph = False if path in ("torch.tensor", "numpy.array") else x.graph
        keep = (
            path in ("torch.as_tensor", "torch.autograd.Variable")
            and x.device is not None
            and "device" not in given.kwargs
        )
        new = x.then(dtype=dtype or x.dtype, device=x.device if keep else device, graph=graph)
        return watch.wrapped(reader, x, new, path, given)
    if isinstance(x, Items):
        depth, shape = _depth(x)
        last = None
        if depth and x.depth <= len(reader.loops):
            last = shape[-1] if depth > 1 else None
        length = shape[0] if shape and x.depth <= len(reader.loops) else None
        kind = dtype or ("float32" if _fraction(x) else None)
        ndim = depth if path not in ("torch.Tensor", "torch.FloatTensor", "torch.LongTensor") or shape else None
        graph = None if "requires_grad" in given.kwargs else False
        return Array(ndim=ndim, last=last, length=length, dtype=kind, device=device, taint=taints(x), graph=graph)
    if isinstance(x, (Const, Number)) and not path.endswith("Tensor"):
        return watch.wrapped(
            reader, x, Array(ndim=0, dtype=dtype, device=device, taint=x.taint, graph=False), path, given
        )
    return Array(
        dtype=dtype,
        device=device,
        taint=taints(x),
        graph=False if path == "torch.tensor" and "requires_grad" not in given.kwargs else None,
    )


def _depth(x: Items) -> tuple[int | None, list[int]]:
    """How deep a literal is nested, and its shape; None where a member is not known."""
    if not x.items:
        return None, []
    inner = x.items[0]
    if isinstance(inner, Items):
        depth, shape = _depth(inner)
        return (None if depth is None else depth + 1), [len(x.items), *shape]
    if isinstance(inner, (Const, Number)):
        return 1, [len(x.items)]
    if isinstance(inner, Array) and inner.ndim is not None:
        return inner.ndim + 1, []
    return None, []


def _fraction(x: Value) -> bool:
    if isinstance(x, Items):
        return any(_fraction(v) for v in x.items[:16])
    return isinstance(x, Const) and isinstance(x.value, float)


def _sized(reader: Reader, path: str, given: Arguments) -> Array:
    return _shaped(reader, path, given, list(given.args) or [v for k, v in given.kwargs.items() if k == "size"])


def _with_size(reader: Reader, path: str, given: Arguments) -> Array:
    name = path.rpartition(".")[2]
    place = 0 if name == "full" else 2
    size = given.get(place, "size") if "size" in given.kwargs or len(given.args) > place else None
    if size is None and name == "randint" and isinstance(given.get(1), Items):
        size = given.get(1)
    dtype = "int64" if name in ("randint", "integers") else None
    if size is None:
        return Array(dtype=dtype, device=_made_on(reader, path, given), source=given.line, part="all", order="random")
    return _shaped(reader, path, given, [size]).then(dtype=dtype)


def _shaped(reader: Reader, path: str, given: Arguments, sizes: Sequence[Value]) -> Array:
    if len(sizes) == 1 and isinstance(sizes[0], Items):
        sizes = sizes[0].items
    unknown = not sizes or any(not isinstance(s, (Const, Number)) and len(sizes) == 1 for s in sizes) or given.open
    end, start = (sizes[-1], sizes[0]) if sizes else (None, None)
    last = end.value if isinstance(end, Const) and isinstance(end.value, int) and len(sizes) > 1 else None
    length = start.value if isinstance(start, Const) and isinstance(start.value, int) else None
    dtype = dtype_of(given.kwargs.get("dtype")) if "dtype" in given.kwargs else None
    plain = "float32" if path.startswith("torch") else "float64"
    return Array(
        ndim=None if unknown else len(sizes), last=None if unknown else last, length=None if unknown else length,
        device=_made_on(reader, path, given), dtype=dtype if "dtype" in given.kwargs else plain,
        graph=None if "requires_grad" in given.kwargs else False, source=given.line, part="all", order="random",
        image=images.of_sizes(list(sizes)),
    )  # fmt: skip


def _made_on(reader: Reader, path: str, given: Arguments) -> str | None:
    if not path.startswith("torch"):
        return None
    return tensor_device(given.kwargs["device"]) if "device" in given.kwargs else reader.default_device


def _one_dimension(reader: Reader, path: str, given: Arguments) -> Array:
    return Array(ndim=1, device=_made_on(reader, path, given), graph=False, source=given.line, part="all", order="kept")


def _joined(reader: Reader, name: str, given: Arguments) -> Value:
    parts = given.get(0)
    taint = taints(parts)
    if not isinstance(parts, Items) or not parts.items:
        return Array(taint=taint)
    arrays = [p for p in parts.items if isinstance(p, Array)]
    if len(arrays) < len(parts.items):
        return Array(taint=taint)
    first = arrays[0]
    devices = {a.device for a in arrays}
    ndim = first.ndim if name in ("cat", "concat", "concatenate") else None
    if name == "stack" and first.ndim is not None:
        ndim = first.ndim + 1
    return Array(
        ndim=ndim, taint=taint, loss=any(a.loss for a in arrays), graph=True if any(a.graph for a in arrays) else None,
        device=first.device if len(devices) == 1 else None,
        act=first.act if len({a.act for a in arrays}) == 1 else None,
        at=first.at, image=images.joined(arrays, given.const(1, "dim", 0)) if name != "stack" else None,
    )  # fmt: skip
