"""Functions of PyTorch and NumPy that make arrays: what is known of the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pellucid.script_reader.libraries.array_methods import ACTIVATIONS, KNOWN_METHODS, array_method, dtype_of
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.values import images
from pellucid.script_reader.values.torch_objects import tensor_device
from pellucid.script_reader.values.value import Arguments, Array, Const, Items, Number, Unknown, Value, taints

__all__ = ["array_function"]

_MADE_FROM = {
    "torch.tensor": None, "torch.as_tensor": None, "torch.from_numpy": None, "torch.Tensor": "float32",
    "torch.FloatTensor": "float32", "torch.LongTensor": "int64", "torch.DoubleTensor": "float64",
    "torch.cuda.FloatTensor": "float32", "torch.cuda.LongTensor": "int64", "torch.IntTensor": "int32",
    "numpy.array": None, "numpy.asarray": None, "pandas.DataFrame": None, "pandas.Series": None,
    "torch.autograd.Variable": None, "numpy.ascontiguousarray": None,
}  # fmt: skip
_STAYING = {"torch.as_tensor", "torch.autograd.Variable", "torch.tensor"}  # they leave a tensor on its device
_SIZED = {"randn", "rand", "zeros", "ones", "empty", "standard_normal", "random"}
_ELEMENTWISE = {
    "sin", "cos", "exp", "sqrt", "square", "abs", "log1p", "log2", "log10", "where", "clip", "clamp", "sign",
    "round", "floor", "power", "pow", "nan_to_num",
}  # fmt: skip
_LIKE = {"zeros_like", "ones_like", "rand_like", "randn_like", "full_like", "empty_like"}
_JOINED = {"cat", "concat", "concatenate", "stack", "vstack", "hstack", "column_stack"}


def array_function(reader: Reader, path: str, given: Arguments) -> Value | None:  # noqa: PLR0911, PLR0912
    """The result of a PyTorch or NumPy function; None if it does not return an array."""
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
        return x.then(activation="other", graph=_leaf(given), fitted=frozenset())
    if name in _JOINED:
        return _joined(reader, name, given)
    if isinstance(x, Array):
        if name.endswith("pool2d"):
            rest = Arguments(given.args[1:], given.kwargs, given.line)
            return x.then(activation="other", activation_line=given.line, image=images.after_pool(name, x.image, rest))
        if name == "round":
            observe.rounded(reader, x, given.line)
        if name in _ELEMENTWISE:
            return x.then(activation="other", activation_line=given.line)
        if name == "log":
            return x.then(
                activation="log_softmax" if x.activation == "softmax" else "other", activation_line=given.line
            )
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
    passed_on = path in _STAYING and "device" not in given.kwargs
    if isinstance(x, Array):
        graph = False if path in ("torch.tensor", "numpy.array") else x.graph
        keep = passed_on and (x.device is not None or path.endswith("Variable"))
        new = x.then(dtype=dtype or x.dtype, device=x.device if keep else device, graph=graph)
        return observe.wrapped(reader, x, new, path, given)
    open_graph = None if "requires_grad" in given.kwargs else False
    if isinstance(x, Items):
        kind = dtype or ("float32" if _fraction(x) else None)
        made = _of_items(reader, x, path).then(dtype=kind, device=device, graph=open_graph)
        return observe.collected(reader, x, made, path, given.line)
    if isinstance(x, (Const, Number)) and not path.endswith("Tensor"):
        one = Array(ndim=0, dtype=dtype, device=device, taint=x.taint, graph=False)
        return observe.wrapped(reader, x, one, path, given)
    return Array(
        dtype=dtype, device=None if path.endswith("Variable") else device, taint=taints(x),
        graph=open_graph if path == "torch.tensor" else None,
    )  # fmt: skip


def _of_items(reader: Reader, x: Items, path: str) -> Array:
    """An array from a list: its shape if that is literal, and the rows that its members come from."""
    shape = _shape(x)
    literal = shape is not None and x.depth <= len(reader.loops)
    sized = path not in ("torch.Tensor", "torch.FloatTensor", "torch.LongTensor") or bool(x.items)
    made = Array(
        ndim=len(shape) if shape is not None and sized else None,
        last=shape[-1] if shape is not None and literal and len(shape) > 1 else None,
        length=shape[0] if shape is not None and literal else None,
        taint=taints(x), graph=False,
    )  # fmt: skip
    rows = next(_arrays(x), None)
    if rows is None or not rows.source:
        return made
    return made.then(source=rows.source, part=rows.part, order=rows.order, fitted=rows.fitted)


def _arrays(x: Items) -> Iterator[Array]:
    for member in x.items[:8]:
        if isinstance(member, Array):
            yield member
        elif isinstance(member, Items):
            yield from _arrays(member)


def _shape(x: Value) -> list[int | None] | None:
    """The sizes of a nested literal, None for each unknown one; None if the number of dimensions is unknown."""
    if isinstance(x, (Const, Number)):
        return []
    if isinstance(x, Array) and x.ndim is not None:
        sizes: list[int | None] = [None] * x.ndim
        if x.ndim:
            sizes[0] = x.length
        if x.ndim > 1:
            sizes[-1] = x.last
        return sizes
    if isinstance(x, Items) and x.items:
        inner = _shape(x.items[0])
        return None if inner is None else [len(x.items), *inner]
    return None


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
    graph, device = _leaf(given), _made_on(reader, path, given)
    return Array(ndim=1, device=device, graph=graph, source=given.line, part="all", order="kept")


def _leaf(given: Arguments) -> bool | None:
    """Whether a new tensor has a graph: perhaps, if gradients are requested."""
    return None if "requires_grad" in given.kwargs else False


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
        activation=first.activation if len({a.activation for a in arrays}) == 1 else None,
        activation_line=first.activation_line,
        image=images.joined(arrays, given.const(1, "dim", 0)) if name != "stack" else None,
    )  # fmt: skip
