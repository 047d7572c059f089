"""Calls of PyTorch's modules: what a model, a layer or a loss returns."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Forward, LossCall, Observation
from pellucid.script_reader.values import images
from pellucid.script_reader.values.classes import method_of
from pellucid.script_reader.values.merging import merge
from pellucid.script_reader.values.torch_objects import ASSUMED, LOSSES, is_module, mode_dependent
from pellucid.script_reader.values.value import (
    Arguments,
    Array,
    Const,
    Dictionary,
    Function,
    Image,
    Items,
    Object,
    Unknown,
    Value,
    taints,
    with_taint,
)

__all__ = ["LAYER_ACTIVATIONS", "call_module", "loss_value"]

LAYER_ACTIVATIONS = {
    "Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid", "LogSigmoid": "other", "ReLU": "relu",
    "LeakyReLU": "other", "ELU": "other", "GELU": "other", "SiLU": "other", "Tanh": "other", "Softplus": "other",
    "PReLU": "other", "SELU": "other", "Hardtanh": "other", "Softmax2d": "softmax", "Hardsigmoid": "sigmoid",
    "ReLU6": "relu", "Mish": "other", "Softmin": "other", "CELU": "other",
}  # fmt: skip


# ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def call_module(reader: Reader, module: Object, given: Arguments) -> Value:
    """A model's output for an input; the outermost call is recorded."""
    loss = (
        LOSSES.get(module.kind.rpartition(".")[2])
        if module.cls is None and module.kind.startswith("torch.nn")
        else None
    )
    if loss is not None:
        return loss_value(reader, loss, module, given)
    outermost = not reader.models
    number = reader.number()
    reader.models.append(module)
    try:
        result = _forward(reader, module, given)
    finally:
        reader.models.pop()
    return _record(reader, module, given, result, number) if outermost else result


def _record(reader: Reader, module: Object, given: Arguments, result: Value, number: int) -> Value:
    inputs = tuple(given.every())
    roles = taints(*inputs) & {"train", "val", "test"}
    taint = frozenset({f"forward {number}", *roles, *(f"scored {r}" for r in roles)})
    mode, mode_line = reader.state.modes.get(module, ("train", 0))
    device, device_line = reader.state.devices.get(module, ("cpu", 0))
    graph = reader.state.grad if is_module(module) else None
    result = _marked(result, taint, graph, device)
    reader.note(
        Forward, given.line, number=number, module=module, inputs=inputs, output=result, grad=reader.state.grad,
        mode=mode, mode_line=mode_line, mode_dependent=mode_dependent(module), device=device, device_line=device_line,
    )  # fmt: skip
    return result


def _marked(value: Value, taint: frozenset[str], graph: bool | None, device: str | None) -> Value:
    """A model's output: where it comes from, and whether it has a graph."""
    if isinstance(value, Items):
        return replace(value, items=[_marked(v, taint, graph, device) for v in value.items], depth=0)
    if isinstance(value, Dictionary):
        return Dictionary(entries={k: _marked(v, taint, graph, device) for k, v in value.entries.items()})
    if isinstance(value, Array):
        kept = graph if value.graph is not False or graph is False else None
        return value.then(taint=value.taint | taint, graph=kept, source=0, part=None, device=device)
    return with_taint(value, taint) if isinstance(value, (Unknown, Const)) else Unknown(taint=taint)


def _forward(reader: Reader, module: Object, given: Arguments) -> Value:  # noqa: PLR0911

    if module.cls is not None:
        found = method_of(module, "forward") or method_of(module, "__call__")
        if isinstance(found, Function):
            return reader.call_function(found, given.args, dict(given.kwargs), given.line, rest=given.open)
        return Array()
    if module.kind == ASSUMED and module.args:
        results = [_forward(reader, each, given) for each in module.args if isinstance(each, Object)]
        return reduce(merge, results) if results else Array()
    x = given.get(0)
    library, _, name = module.kind.rpartition(".")
    if not library.startswith("torch.nn"):
        head = next((module.attrs[n] for n in ("fc", "classifier", "head", "heads") if n in module.attrs), None)
        if isinstance(head, Object) and is_module(head):  # a pretrained model with another last layer
            return call_module(reader, head, Arguments((Array(activation="other", ndim=2),), {}, given.line))
        return Array()
    if name == "Sequential":
        return _sequential(reader, module, given)
    start = x if isinstance(x, Array) else Array(taint=taints(x))
    start = start.then(loss=False, graph=reader.state.grad)
    observe.called_layer(reader, module, start)
    picture = _picture(reader, module, start)
    if name in ("Linear", "LazyLinear", "Bilinear"):
        place = {"Linear": 1, "LazyLinear": 0, "Bilinear": 2}[name]
        width = module.kwargs.get("out_features") or (module.args[place] if len(module.args) > place else None)
        last = width.value if isinstance(width, Const) and isinstance(width.value, int) else None
        return start.then(
            last=last,
            activation="linear",
            activation_line=given.line,
            dtype="float32",
            fitted=frozenset(),
            centred=None,
            layer=module,
        )
    if name in LAYER_ACTIVATIONS:
        return start.then(activation=LAYER_ACTIVATIONS[name], activation_line=module.line or given.line)
    if name == "Identity":
        return start
    if name.startswith(("Dropout", "BatchNorm", "LayerNorm")):
        return start.then(activation="other", layer=start.layer if name == "Dropout" else None)
    if name in ("Flatten", "Unflatten"):
        return _flattened(module, start)
    if name in ("LSTM", "GRU", "RNN"):
        out = Array(
            taint=start.taint, activation="other", ndim=start.ndim, layer=module, last=images.recurrent_width(module)
        )
        return Items(items=[out, Unknown()])
    conv = name.startswith("Conv")
    return Array(
        taint=start.taint, activation="linear" if conv else "other", activation_line=given.line, image=picture,
        ndim=4 if picture is not None else None,
    )  # fmt: skip


def _picture(reader: Reader, layer: Object, x: Array) -> Image | None:
    """The image after a layer; a mismatch in the number of channels is recorded."""
    channels = images.unfit_channels(layer, x)
    if channels is not None:
        reader.note(Observation, layer.line, kind="width", value=layer, other=x, number=channels, text="channels")
    return images.after_layer(layer, x)


def _sequential(reader: Reader, module: Object, given: Arguments) -> Value:

    layers: list[Value] = list(module.args)
    if len(layers) == 1 and isinstance(layers[0], Object) and layers[0].kind == "collections.OrderedDict":
        pairs = layers[0].args[0] if layers[0].args else Unknown()
        if isinstance(pairs, Dictionary):
            layers = list(pairs.entries.values())
        elif isinstance(pairs, Items):
            layers = [p.items[1] for p in pairs.items if isinstance(p, Items) and len(p.items) == 2]
        else:
            return Array()
    result: Value = given.get(0) or Unknown()
    for layer in layers:
        if not isinstance(layer, (Object, Function)):
            return Array(taint=taints(result))
        result = reader.call(layer, Arguments((result,), {}, given.line))
    return result


def _flattened(module: Object, x: Array) -> Array:

    start = module.args[0] if module.args else module.kwargs.get("start_dim")
    if module.kind.endswith("Unflatten") or (start is not None and not (isinstance(start, Const) and start.value == 1)):
        both = [a.value for a in module.args if isinstance(a, Const)]
        ndim = 1 if both in ([0], [0, -1], [0, 1]) and x.ndim in (None, 2) else None
        return x.then(ndim=ndim, last=None)
    return x.then(ndim=2, last=x.last if x.ndim == 2 else images.row_length(x.image))


def loss_value(reader: Reader, kind: str, module: Object | None, given: Arguments) -> Value:
    """Record the computation of a loss and return its value.

    Parameters
    ----------
    reader
        Records it as a `LossCall`.
    kind
        Which loss, such as ``cross_entropy``.
    module
        The loss object; None for a function of ``torch.nn.functional``.
    given
        The arguments: prediction, target and settings.
    """
    prediction = given.get(0, "input") or Unknown()
    target = given.get(1, "target") or Unknown()
    name = module.kind.rpartition(".")[2] if module is not None else kind
    reader.note(
        LossCall, given.line, kind=kind, name=name, prediction=prediction, target=target,
        function_line=module.line if module is not None else given.line,
    )  # fmt: skip
    graph: bool | None = False if reader.state.grad is False else None
    if graph is None and isinstance(prediction, Array) and reader.state.grad:
        graph = prediction.graph
        if graph is False and any(t.startswith("forward ") for t in taints(target)):
            graph = target.graph if isinstance(target, Array) else None
    reduction = (module.kwargs if module is not None else given.kwargs).get("reduction")
    whole = reduction is None or (isinstance(reduction, Const) and reduction.value in ("mean", "sum"))
    return Array(
        ndim=0 if whole else None, loss=True, graph=graph, taint=taints(prediction, target), activation="other",
        device=prediction.device if isinstance(prediction, Array) else None,
    )  # fmt: skip
