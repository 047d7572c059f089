"""Methods of tensors, arrays and frames: what is known of the result."""

from __future__ import annotations

from pellucid.script_reader.libraries.shapes import reshaped
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.values.torch_objects import tensor_device
from pellucid.script_reader.values.value import (
    Arguments,
    Array,
    Const,
    External,
    Fit,
    Items,
    Number,
    Unknown,
    Value,
    taints,
)

__all__ = ["ACTIVATIONS", "KNOWN_METHODS", "array_method", "dtype_of", "place_of_type"]

ACTIVATIONS = {
    "softmax": "softmax", "log_softmax": "log_softmax", "sigmoid": "sigmoid", "expit": "sigmoid", "relu": "relu",
    "tanh": "other", "gelu": "other", "leaky_relu": "other", "elu": "other", "silu": "other", "softplus": "other",
    "relu_": "relu", "sigmoid_": "sigmoid", "logsigmoid": "other", "selu": "other",
}  # fmt: skip
_DTYPES = {
    "float": "float32", "float32": "float32", "float64": "float64", "double": "float64", "long": "int64",
    "int64": "int64", "int": "int32", "int32": "int32", "half": "float16", "float16": "float16",
    "bfloat16": "bfloat16", "bool": "bool",
    "FloatTensor": "float32", "LongTensor": "int64", "DoubleTensor": "float64",
}  # fmt: skip
_KEPT = {
    "contiguous", "clone", "detach", "detach_", "copy", "requires_grad_", "numpy", "pin_memory", "type_as", "cpu",
    "cuda", "to", "to_numpy", "dropna", "reset_index", "drop_duplicates", "drop", "head", "tail", "sample",
    "sort_values", "fillna", "clamp", "clip", "retain_grad", "replace", "rename", "set_index", "sort_index", "query",
    "ffill", "bfill",
    "interpolate", "map", "cumsum", "shift", "add", "sub", "mul", "div", "clamp_", "masked_fill", "abs", "exp", "pow",
}  # fmt: skip
_ACT_KEPT = {
    "contiguous",
    "clone",
    "detach",
    "detach_",
    "copy",
    "requires_grad_",
    "numpy",
    "type_as",
    "cpu",
    "cuda",
    "to",
    "retain_grad",
}
_REDUCED = {
    "mean", "sum", "std", "var", "min", "max", "median", "argmax", "argmin", "norm", "prod", "amax", "amin", "mode",
    "quantile", "logsumexp", "all", "any", "nanmean", "nanstd",
}  # fmt: skip
_STATISTICS = {"mean", "std", "var", "min", "max", "median", "amax", "amin", "quantile", "mode", "nanmean", "nanstd"}
_RESHAPED = {
    "view", "reshape", "squeeze", "squeeze_", "unsqueeze", "unsqueeze_", "flatten", "ravel", "view_as", "reshape_as",
    "expand_as", "t", "transpose", "permute", "expand_dims", "expand",
}  # fmt: skip
KNOWN_METHODS = _KEPT | _REDUCED | _RESHAPED | set(_DTYPES) | set(ACTIVATIONS)


def dtype_of(value: Value | None) -> str | None:
    """``float32``, ``int64`` … for what is given as a type, None where it is none or not known."""
    if isinstance(value, External):
        name = value.path.rpartition(".")[2]
        python = {"builtins.float": "float64", "builtins.int": "int64"}
        return python.get(value.path) or (_DTYPES.get(name) if value.path.startswith(("torch.", "numpy.")) else None)
    if isinstance(value, Const) and isinstance(value.value, str):
        return {"float": "float64", "int": "int64"}.get(value.value) or _DTYPES.get(value.value)
    return None


def array_method(reader: Reader, x: Array, name: str, given: Arguments) -> Value:  # noqa: PLR0911, PLR0912
    """What a tensor's, an array's or a frame's method gives.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    x
        The tensor, array or frame.
    name
        The method's name.
    given
        Its arguments.
    """
    if name in ("size", "numel", "dim", "nelement", "ndimension") and (given.args or name != "size"):
        return Number()
    if name in ("item", "tolist", "nunique"):
        if name == "item" and x.graph is not False:
            x = observe.cut(reader, x, ".item()", given.line)
        return Number(taint=x.taint) if name == "item" else Unknown(taint=x.taint)
    if name in ACTIVATIONS:
        return x.then(activation=ACTIVATIONS[name], activation_line=given.line, loss=False)
    if name == "type":
        target = given.get(0)
        place = place_of_type(target) or (x.device if dtype_of(target) else None)
        return x.then(dtype=dtype_of(target), device=place)
    if name == "astype":
        return x.then(dtype=dtype_of(given.get(0)))
    if name in _DTYPES:
        return x.then(dtype=_DTYPES[name])
    if name in _RESHAPED:
        return reshaped(reader, x, name, given)
    if name in _REDUCED:
        return _reduced(reader, x, name, given)
    if name == "gather":
        return _gathered(reader, x, given)
    if name in _KEPT:
        return _kept(reader, x, name, given)
    if name == "round":
        observe.rounded(reader, x, given.line)
        return x.then(activation="other", activation_line=given.line)
    if name == "pop":
        return x.then(ndim=1, last=None)
    if name == "view":
        return x
    if name.endswith("_"):
        return x.then(activation="other", activation_line=given.line)
    return Array(taint=taints(x, *given.every()), source=x.source, part=x.part, fitted=x.fitted, loss=x.loss)


def _kept(reader: Reader, x: Array, name: str, given: Arguments) -> Array:  # noqa: PLR0911
    activation = x.activation if name in _ACT_KEPT else "other"
    if name in ("to", "cuda", "cpu", "type_as"):
        return _moved(x, name, given)
    if name in ("detach", "detach_", "numpy"):
        return observe.cut(reader, x, f".{name}()", given.line)
    if name == "requires_grad_":
        return x if x.loss else observe.leaf(reader, x)
    if name == "sample" and given.const(None, "frac") == 1:
        return x.then(order="random")
    if name in ("sort_values", "sort_index", "shift"):
        return x.then(order="time")
    if name == "fillna":
        value = given.get(0, "value")
        if isinstance(value, Array) and value.statistic_of == x.source and x.part == "all":
            return x.then(fitted=x.fitted | {Fit(given.line, "the filling of missing values")})
    if name in ("pow", "add", "sub", "mul", "div") and isinstance(given.get(0), Array) and x.last == 1:
        x = x.then(last=None)  # perhaps broadcast
    if name in ("drop", "dropna", "query", "head", "tail"):
        return x.then(length=None, last=None)
    return x.then(activation=activation, activation_line=given.line if activation == "other" else x.activation_line)


def _gathered(reader: Reader, x: Array, given: Arguments) -> Array:
    """``q.gather(1, a)`` has the shape of ``a``; where that is not known, one column is chosen for each row."""
    index, dim = given.get(1, "index"), given.const(0, "dim")
    x = x.then(activation="other", activation_line=given.line, layer=None, loss=False, length=None)
    if isinstance(index, Array) and index.ndim is not None:
        return x.then(ndim=index.ndim, last=index.last)
    one = dim in (1, -1) and x.ndim in (None, 2) and observe.from_model(x) and not reader.models
    return x.then(ndim=x.ndim, last=1 if one else None)


def _moved(x: Array, name: str, given: Arguments) -> Array:
    target = given.get(0, "device")
    if isinstance(target, Array):
        return x.then(device=target.device, dtype=target.dtype)
    kind = dtype_of(target) or dtype_of(given.get(1, "dtype"))
    if name == "to" and dtype_of(target):
        return x.then(dtype=kind)
    device = {"cuda": "accelerator", "cpu": "cpu"}.get(name) or tensor_device(target)
    return x.then(device=device, dtype=kind or x.dtype)


def _reduced(reader: Reader, x: Array, name: str, given: Arguments) -> Value:
    axis = given.get(0, "dim") or given.kwargs.get("axis")
    kept = given.const(None, "keepdim", False) is True or given.const(None, "keepdims", False) is True
    known = isinstance(axis, Const) and isinstance(axis.value, int)
    ndim: int | None = 0
    if axis is not None:
        ndim = x.ndim if kept else (None if x.ndim is None or not known else max(x.ndim - 1, 0))
    best = name in ("max", "min") and isinstance(axis, Const) and axis.value in (1, -1) and not kept
    if best and x.ndim is None and x.activation == "linear" and x.last is not None and not reader.models:
        ndim = 1  # the greatest answer of each row
    whole = axis is None
    places = name in ("argmax", "argmin")
    torch_pair = name in ("max", "min") and known and "axis" not in given.kwargs and observe.from_model(x)
    if name == "argmax" or torch_pair:
        observe.argmax(reader, x, axis, given.line)
    origin = x
    x = observe.mean_of_matches(observe.cut(reader, x, f".{name}()", given.line) if places else x, name)
    reduced = x.then(
        ndim=ndim, last=None, length=None, activation="other", activation_line=given.line, loss=x.loss and whole,
        statistic_of=x.source if name in _STATISTICS and x.part == "all" else 0,
        dtype="int64" if places else x.dtype,
        statistic=origin if name in _STATISTICS and (whole or (known and axis.value == 0)) else None,  # type: ignore[union-attr]
    )  # fmt: skip
    if torch_pair:
        return Items(items=[reduced, observe.cut(reader, reduced, f".{name}()", given.line).then(dtype="int64")])
    return reduced


def place_of_type(value: Value | None) -> str | None:
    """The device of a type of tensors: ``torch.cuda.FloatTensor`` is on the accelerator; None for any other."""
    path = value.path if isinstance(value, External) else ""
    if isinstance(value, Const) and isinstance(value.value, str):
        path = value.value
    if not path.endswith("Tensor"):
        return None
    return "accelerator" if path.startswith("torch.cuda.") else "cpu"
