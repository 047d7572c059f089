"""Observations for single rules: handlers call these functions where something happens, and they record it.

The kinds: ``cut`` (an output loses its graph), ``frozen`` and ``thawed`` (``requires_grad`` of a module's
parameters), ``stacked`` (a linear layer right after another), ``width`` (a layer with the wrong number of input
columns), ``made in forward``, ``argmax``, ``threshold``, ``average``, ``own statistic``, ``slice`` (a batch cut by
hand), ``last step`` (an index into a recurrent layer's output), ``scheduler`` (its step).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Observation
from pellucid.script_reader.values.torch_objects import is_module, is_trained_layer, modules_in
from pellucid.script_reader.values.value import Arguments, Array, Const, Items, Number, Object, Value, taints

__all__ = [
    "argmax",
    "averaged",
    "called_layer",
    "collected",
    "compared",
    "cut",
    "from_model",
    "frozen",
    "leaf",
    "length",
    "made",
    "mean_of_matches",
    "own_statistic",
    "parameters",
    "recurrent_index",
    "rounded",
    "scaled_by_itself",
    "sliced",
    "wrapped",
]

_COUNT, _BATCHES = "a count of rows", "the number of batches"


def from_model(value: Value) -> bool:
    """Whether a value was computed from a model's output."""
    return any(t.startswith("forward ") for t in value.taint)


# ── gradients ─────────────────────────────────────────────────────────────────────────────────────────────────


def cut(reader: Reader, x: Array, how: str, line: int) -> Array:
    """``x`` without its graph; if it comes from a model, this is recorded for a later ``backward``.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    x
        The value that loses its graph.
    how
        For the message: what cut it, such as ``.item()``.
    line
        Where the script does it.
    """
    if x.graph is False or not from_model(x) or reader.models:
        return x.then(graph=False)
    number = reader.number()
    reader.note(Observation, line, kind="cut", value=x, text=how, number=number)
    return x.then(graph=False, taint=x.taint | {f"cut {number}"})


def leaf(reader: Reader, x: Array) -> Array:
    """``out = net(x).detach(); out.requires_grad = True``: a new leaf, whose gradients stay with it."""
    if x.graph is False and any(t.startswith("cut ") for t in x.taint) and not reader.models:
        return x.then(graph=None, taint=x.taint | {f"leaf {reader.number()}"})
    return x.then(graph=None)


def wrapped(reader: Reader, x: Value, made_from: Array, path: str, given: Arguments) -> Array:
    """``torch.tensor(loss)``: a new tensor, which does not know where its value comes from.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    x
        What the new tensor is made from.
    made_from
        The new tensor, as known so far.
    path
        The function's full name.
    given
        Its arguments; ``requires_grad`` counts.
    """
    asks = given.const(None, "requires_grad", False) is not False
    of_a_loss = (isinstance(x, Array) and x.loss) or (isinstance(x, Number) and from_model(x))
    if of_a_loss and path in ("torch.tensor", "torch.Tensor", "torch.FloatTensor"):
        new = cut(reader, made_from.then(graph=None), f"{path}(…)", given.line)
        return new.then(loss=True)
    if asks and isinstance(x, Array) and x.graph is False and not made_from.loss:
        return leaf(reader, made_from.then(graph=False))
    return made_from.then(graph=None) if asks and not made_from.loss else made_from


def collected(reader: Reader, x: Items, made_from: Array, path: str, line: int) -> Array:
    """``torch.tensor(losses)`` of a list of losses: their values without their graphs.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    x
        The list.
    made_from
        The new tensor, as known so far.
    path
        The function's full name.
    line
        Where the script does it.
    """
    live = any(isinstance(v, Array) and v.loss and v.graph and from_model(v) for v in x.items[:8])
    if not live or path not in ("torch.tensor", "torch.Tensor", "torch.FloatTensor"):
        return made_from
    return cut(reader, made_from.then(graph=None), f"{path}(…)", line)


def parameters(owner: Object, line: int, hint: str) -> Object:
    """``model.parameters()``, with the layers that the model has at this moment."""
    attrs: dict[str, Value] = {"parts": Items(items=list(modules_in(owner)))}
    if hint.endswith("named_parameters"):
        attrs["named"] = Const(value=True)
    return Object(kind="parameters", line=line, args=(owner,), attrs=attrs)


def frozen(reader: Reader, owner: Value, value: Value, line: int) -> None:
    """``requires_grad`` of a module's parameters is set.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    owner
        A model, its parameters, one of them, or something unknown.
    value
        What ``requires_grad`` is set to.
    line
        Where the script does it.
    """
    mode = value.value if isinstance(value, Const) else None
    if not isinstance(owner, Object) or not isinstance(mode, bool):
        if not isinstance(owner, Array) and mode is not False:
            reader.note(Observation, line, kind="thawed")  # something, it is not known what
        return
    inside = owner.attrs.get("parts") if owner.kind == "parameter" else Items(items=list(modules_in(owner)))
    if isinstance(inside, Items):
        reader.note(Observation, line, kind="thawed" if mode else "frozen", value=inside)


# ── layers ────────────────────────────────────────────────────────────────────────────────────────────────────

_WIDTH = {"Linear": 0, "LayerNorm": 0, "BatchNorm1d": 0, "LSTM": 0, "GRU": 0, "RNN": 0}
_WIDTH_NAME = {"Linear": "in_features", "LayerNorm": "normalized_shape", "BatchNorm1d": "num_features"}


def called_layer(reader: Reader, layer: Object, x: Array) -> None:
    """A layer is given ``x``: does its width fit, and does a linear layer follow a linear layer?"""
    name = layer.kind.rpartition(".")[2]
    if name in _WIDTH and x.last is not None and not (name == "BatchNorm1d" and x.ndim != 2):
        key = _WIDTH_NAME.get(name, "input_size")
        width = layer.kwargs.get(key) or (layer.args[0] if layer.args else None)
        if isinstance(width, Const) and type(width.value) is int and width.value != x.last:
            reader.note(Observation, layer.line, kind="width", value=layer, other=x, number=x.last)
    if name == "Linear" and x.layer is not None and x.layer.kind.endswith(".Linear") and x.layer is not layer:
        owner = reader.models[-2] if len(reader.models) > 1 else None
        if owner is not None and {x.layer, layer} <= set(_own_layers(owner)):
            reader.note(
                Observation, layer.line, kind="stacked", value=layer, other=x.layer, text=_name_in(owner, layer)
            )


def _own_layers(owner: Object) -> Iterable[Object]:
    for value in (*owner.attrs.values(), *owner.args):
        if isinstance(value, Object):
            yield value


def _name_in(owner: Object, layer: Object) -> str:
    names = [n for n, v in owner.attrs.items() if v is layer]
    return " ".join((owner.kind, *names))


def made(reader: Reader, value: Object) -> None:
    """A layer is created in ``forward``: its weights are new at every call."""
    frame = reader.frames[-1].node if reader.frames else None
    if not isinstance(frame, ast.FunctionDef) or frame.name != "forward" or not is_module(value):
        return
    dropout = value.cls is None and "Dropout" in value.kind
    own = value.cls is not None and any(is_trained_layer(p) for p in modules_in(value))
    if dropout or own or is_trained_layer(value):  # a container of layers that are there already makes none
        reader.note(Observation, value.line, kind="made in forward", value=value, text=f"{frame.lineno}")


def recurrent_index(reader: Reader, owner: Array, parts: list[ast.expr], line: int) -> None:
    """``out[:, -1]`` or ``out[-1]`` of a recurrent layer: along which dimension is the last step taken?

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    owner
        The output that is indexed.
    parts
        The index, an expression for each dimension.
    line
        Where the script does it.
    """
    if owner.layer is None or not owner.layer.kind.endswith((".LSTM", ".GRU", ".RNN")):
        return
    last = [i for i, part in enumerate(parts) if _minus_one(part)]
    whole = [isinstance(p, ast.Slice) and p.lower is None and p.upper is None for p in parts]
    if last and last[0] in (0, 1) and all(whole[i] for i in range(last[0])):
        reader.note(Observation, line, kind="last step", value=owner, other=owner.layer, number=last[0])


def _minus_one(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and node.operand.value == 1
    )


# ── scores ────────────────────────────────────────────────────────────────────────────────────────────────────


def argmax(reader: Reader, x: Array, axis: Value | None, line: int) -> None:
    """The index of the largest output: along which axis?

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    x
        The values.
    axis
        The axis that is given; ``None`` where none is.
    line
        Where the script does it.
    """
    if not reader.models and from_model(x) and isinstance(axis, Const):
        reader.note(Observation, line, kind="argmax", value=x, other=axis)


def compared(reader: Reader, op: ast.cmpop, left: Value, right: Value, result: Array, line: int) -> Array:
    """A comparison of outputs: with a threshold, or with the targets.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    op
        The comparison.
    left, right
        What is compared.
    result
        The answer, as known so far.
    line
        Where the script does it.

    Returns
    -------
    The answer, with what the comparison tells about it.
    """
    if reader.models:
        return result
    if isinstance(op, (ast.Gt, ast.GtE)) and isinstance(left, Array) and from_model(left) and isinstance(right, Const):
        reader.note(Observation, line, kind="threshold", value=left, other=right)
        return (
            cut(reader, left, "a comparison", line).then(dtype="bool", activation="other", loss=False)
            if left.graph
            else result
        )
    if isinstance(op, ast.Eq) and (from_model(left) or from_model(right)):
        return result.then(taint=result.taint | {_COUNT})
    return result


def rounded(reader: Reader, x: Array, line: int) -> None:
    """Outputs are rounded to 0 and 1."""
    if not reader.models and from_model(x):
        reader.note(Observation, line, kind="threshold", value=x, other=Const(value="round"))


def length(value: Value | None) -> frozenset[str]:
    """What ``len`` of a loader or of a data set counts."""
    if isinstance(value, Object) and value.kind == "torch.utils.data.DataLoader":
        size = value.kwargs.get("batch_size") or (value.args[1] if len(value.args) > 1 else None)
        known = isinstance(size, Number) or (isinstance(size, Const) and size.value not in (None, 1))
        return frozenset({_BATCHES}) if known and "batch_sampler" not in value.kwargs else frozenset()
    return frozenset()


def averaged(reader: Reader, op: ast.operator, left: Value, right: Value, line: int) -> frozenset[str]:
    """The taints that a product or quotient loses; a count of rows divided by a number of batches is recorded.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    op
        The operation.
    left, right
        Its operands.
    line
        Where the script does it.
    """
    if not isinstance(op, (ast.Div, ast.FloorDiv, ast.Mult)):
        return frozenset()
    a, b = taints(left), taints(right)
    division = not isinstance(op, ast.Mult)
    if division and _COUNT in a and _BATCHES in b and _COUNT not in b:
        reader.note(Observation, line, kind="average", value=left, other=right)
    if division:
        return frozenset({_COUNT, _BATCHES})
    literal = isinstance(left, Const) or isinstance(right, Const)
    return frozenset({_BATCHES}) if literal else frozenset({_COUNT, _BATCHES})


def mean_of_matches(x: Array, name: str) -> Array:
    """The mean of matches is not a count."""
    return x.then(taint=x.taint - {_COUNT}) if name in ("mean", "nanmean") and _COUNT in x.taint else x


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def own_statistic(reader: Reader, op: ast.operator, a: Array, b: Array, line: int) -> None:
    """``X_test - X_test.mean()``: rows scaled by their own statistics.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    op
        The operation; only a subtraction counts.
    a, b
        The rows, and what is subtracted from them.
    line
        Where the script does it.
    """
    if isinstance(op, ast.Sub) and b.statistic is a and not reader.models and not reader.loops:
        reader.note(Observation, line, kind="own statistic", value=a)


def scaled_by_itself(reader: Reader, node: ast.BinOp, left: Value) -> None:
    """``test[columns] - test[columns].mean()``, which names its rows twice."""
    call = node.right
    if not isinstance(node.op, ast.Sub) or not isinstance(left, Array) or reader.models or reader.loops:
        return
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("mean", "min"):
        axes = (*call.args, *(k.value for k in call.keywords if k.arg in ("axis", "dim")))
        along_rows = all(isinstance(v, ast.Constant) and v.value == 0 for v in axes)
        if along_rows and ast.dump(call.func.value) == ast.dump(node.left):
            reader.note(Observation, node.lineno, kind="own statistic", value=left)


def sliced(reader: Reader, owner: Value, part: ast.expr, line: int) -> None:
    """``X[i : i + n]`` in a loop: a batch cut by hand.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    owner
        The rows.
    part
        The index in the brackets.
    line
        Where the script does it.
    """
    if not isinstance(part, ast.Slice) or part.lower is None or part.upper is None or not reader.changed_in_loop:
        return
    names = {n.id for n in ast.walk(part.lower) if isinstance(n, ast.Name)}
    if names & reader.changed_in_loop[-1] and not reader.models:
        reader.note(Observation, line, kind="slice", value=owner)
