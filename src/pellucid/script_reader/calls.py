"""Calls: the script's own functions and classes, modules, methods, and functions of libraries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pellucid.script_reader import watch
from pellucid.script_reader.arrays import array_function
from pellucid.script_reader.functions import FUNCTIONS
from pellucid.script_reader.iteration import elements, role_given, roles_of
from pellucid.script_reader.kinds import LOSSES, gives_back, is_module, parts_of, spreads
from pellucid.script_reader.members import attribute, find_method, method_of
from pellucid.script_reader.methods import call_method
from pellucid.script_reader.modules import call_module, loss_value
from pellucid.script_reader.record import Backward, Handed, HiddenLayers
from pellucid.script_reader.tables import TABLE_FUNCTIONS
from pellucid.script_reader.values import (
    Arguments,
    Array,
    Class,
    Const,
    External,
    Function,
    Items,
    Method,
    Number,
    Obj,
    Scope,
    Table,
    Unknown,
    Value,
    taints,
)

if TYPE_CHECKING:
    from pellucid.script_reader.reader import Reader

__all__ = ["call", "call_value", "hand_over", "harmless", "instantiate", "passed_on", "rows_again", "scored"]

# What these packages are given, they neither train nor put on a device nor into another mode.
_HARMLESS = {
    "torch", "torchvision", "torchaudio", "torchtext", "numpy", "builtins", "math", "random", "time", "os", "sys",
    "tqdm", "sklearn", "pandas", "matplotlib", "wandb", "logging", "collections", "itertools", "functools", "copy",
    "datetime", "pathlib", "argparse", "PIL", "scipy", "seaborn", "torchmetrics", "tensorboardX", "re", "yaml",
    "json", "pickle", "warnings", "typing", "shutil", "torchsummary", "torchinfo", "joblib",
    "csv", "io", "gc", "string", "dataclasses",
    "statistics", "operator", "rich", "plotly", "imageio", "cv2", "h5py", "einops", "mlflow", "psutil", "pprint",
}  # fmt: skip


_LOADS = re.compile(r"(?i)load|data|split")
_CHOOSES = re.compile(r"(?i)split|train|test|val|sample|subset|select|filter|score|eval|loss|metric|acc|stat|mean|load")


def call(reader: Reader, node: ast.Call, scope: Scope) -> Value:
    """What a call gives, and what it does."""
    function = _called(reader, node.func, scope)
    given = _arguments(reader, node, scope)
    if isinstance(function, External) and function.path == "builtins.super":
        return _super(reader, scope)
    if isinstance(function, External) and function.path == "builtins.setattr":
        return _setattr(reader, given)
    return call_value(reader, function, given, hint=_text(node.func))


def _called(reader: Reader, node: ast.expr, scope: Scope) -> Value:
    if isinstance(node, ast.Attribute):
        reader.spend()
        return attribute(reader, reader.value(node.value, scope), node.attr, node.lineno)
    return reader.value(node, scope)


def _text(node: ast.expr) -> str:
    """``self.optimizer.step`` of the expression that says so."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def _arguments(reader: Reader, node: ast.Call, scope: Scope) -> Arguments:
    args: list[Value] = []
    spread: list[Value] = []
    unknown = False
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = reader.value(argument.value, scope)
            every = elements(reader, value).every
            unknown = unknown or every is None
            args += every or (value.items if isinstance(value, Items) else [])  # two layers stand for all of them
            spread += [value] if every is None and value.taint else []
        else:
            args.append(reader.value(argument, scope))
    kwargs: dict[str, Value] = {}
    for keyword in node.keywords:
        value = reader.value(keyword.value, scope)
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
        elif isinstance(value, Table):
            kwargs |= {str(k): v for k, v in value.entries.items()}
        else:
            unknown = True
            spread += [value] if value.taint else []
    kwargs |= {f"*{place}": value for place, value in enumerate(spread)}  # what they were computed from is kept
    return Arguments(tuple(args), kwargs, node.lineno, unknown)


def call_value(reader: Reader, function: Value, given: Arguments, hint: str = "") -> Value:  # noqa: PLR0911
    """Call a value."""
    reader.spend()
    if isinstance(function, Function) and isinstance(function.receiver, Obj) and _is_forward(reader, function):
        return call_module(reader, function.receiver, given)  # `model.forward(x)`
    if isinstance(function, Function):
        return reader.call_function(function, given.args, dict(given.kwargs), given.line, rest=given.open)
    if isinstance(function, Class):
        return instantiate(reader, function, given)
    if isinstance(function, External):
        return _library(reader, function.path, given)
    if isinstance(function, Obj):
        return _object(reader, function, given)
    if isinstance(function, Method):
        return call_method(reader, function, given, hint)
    hand_over(reader, given)
    taint = taints(function, *given.every())
    if reader.loops:  # perhaps a model that was made elsewhere
        taint |= {f"scored {role}" for role in taint & {"train", "val", "test"}}
    return Unknown(taint=taint)


def _is_forward(reader: Reader, function: Function) -> bool:
    named = isinstance(function.node, ast.FunctionDef) and function.node.name == "forward"
    if not named or reader.models or not isinstance(function.receiver, Obj) or not is_module(function.receiver):
        return False
    found = method_of(function.receiver, "forward")  # not `super().forward(x)`, which is another class's
    return isinstance(found, Function) and found.node is function.node


def _super(reader: Reader, scope: Scope) -> Value:
    frame = reader.frames[-1].node if reader.frames else None
    names = frame.args.args if isinstance(frame, ast.FunctionDef) else []
    self_ = scope.find(names[0].arg) if names else None
    if self_ is None or not isinstance(frame, ast.FunctionDef):
        return Unknown()
    current = Function(node=frame, scope=scope)
    return Obj(kind="builtins.super", line=0, attrs={"self": self_, "current": current})


def _setattr(reader: Reader, given: Arguments) -> Value:
    owner, name, value = (given.get(i) for i in range(3))
    if isinstance(owner, Obj) and value is not None:
        key = name.value if isinstance(name, Const) else f"setattr {given.line} {len(owner.attrs)}"
        owner.attrs[str(key)] = value
    return Const(value=None)


# ── the script's own classes ──────────────────────────────────────────────────────────────────────────────────


def instantiate(reader: Reader, cls: Class, given: Arguments) -> Value:
    """An object of a class of the script, after its ``__init__``."""
    reader.entered.add(cls.node)
    made = Obj(kind=cls.node.name, line=given.line, cls=cls, args=given.args, kwargs=given.kwargs)
    reader.script.objects.append(made)
    if reader.default_device != "cpu":
        reader.state.devices[made] = (None, given.line)
    role = role_given(*given.every())
    if role is not None and find_method(cls, "__getitem__") is not None and not is_module(made):
        made.attrs["role " + role] = Const(value=True)
    start = find_method(cls, "__init__")
    if start is not None:
        bound = Function(node=start.node, scope=start.scope, receiver=made)
        reader.call_function(bound, given.args, dict(given.kwargs), given.line, rest=given.open)
    else:
        fields = [n.target.id for n in cls.node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
        made.attrs.update(zip(fields, given.args, strict=False))
        made.attrs.update({k: v for k, v in given.kwargs.items() if k in fields})
    if is_module(made) and find_method(cls, "parameters") is None:
        _look_for_hidden_layers(reader, made, cls)
        watch.made(reader, made)
    return made


_TRAINED = ("Linear", "Conv", "LSTM", "GRU", "RNN", "Embedding", "BatchNorm", "LayerNorm", "Transformer", "Multihead")


def _look_for_hidden_layers(reader: Reader, made: Obj, cls: Class) -> None:
    """Layers in a plain list or dictionary are no parameters of the module."""
    registered = {id(p) for v in made.attrs.values() if isinstance(v, Obj) for p in parts_of(v)}
    first, last = cls.node.lineno, cls.node.end_lineno or cls.node.lineno
    for name, value in list(made.attrs.items()):
        hidden = [p for p in parts_of(value) if id(p) not in registered] if isinstance(value, (Items, Table)) else []
        trained = any(
            p.cls is None and p.kind.rpartition(".")[2].startswith(_TRAINED) and first <= p.line <= last for p in hidden
        )
        line = reader.attribute_lines.get((made, name), 0)
        if trained and line:
            kind = "list" if isinstance(value, Items) else "dict"
            reader.note(HiddenLayers, line, attribute=name, owner=cls.node.name, container=kind)


def _object(reader: Reader, made: Obj, given: Arguments) -> Value:
    if is_module(made):
        return call_module(reader, made, given)
    found = method_of(made, "__call__")
    if isinstance(found, Function):
        return reader.call_function(found, given.args, dict(given.kwargs), given.line, rest=given.open)
    if method_of(made, "forward") is not None:
        return call_module(reader, made, given)
    return _foreign_object(reader, made, given)


def _foreign_object(reader: Reader, made: Obj, given: Arguments) -> Value:
    """An object of a library that is no module of PyTorch: perhaps a model of another library."""
    rows = any(isinstance(a, (Array, Unknown)) for a in given.args) and not any(isinstance(a, Obj) for a in given.args)
    if rows and not made.kind.startswith("builtins."):
        return call_module(reader, made, given)
    hand_over(reader, given)
    return Unknown(taint=taints(*given.every()))


# ── libraries ─────────────────────────────────────────────────────────────────────────────────────────────────


def _library(reader: Reader, path: str, given: Arguments) -> Value:
    library, _, name = path.rpartition(".")
    if name in LOSSES and library in ("torch.nn.functional", "torch"):
        return loss_value(reader, LOSSES[name], None, given)
    special = FUNCTIONS.get(path) or TABLE_FUNCTIONS.get(path)
    if special is not None:
        return special(reader, path, given)
    if gives_back(path):
        return _wrapped(reader, path, given)
    if path.startswith(("torch.autograd.grad", "torch.autograd.backward")):
        reader.note(Backward, given.line, of=given.get(0))
        return Unknown()
    array = array_function(reader, path, given)
    if array is not None:
        return array
    return _made(reader, path, given)


def passed_on(reader: Reader, given: Arguments) -> Value:
    """All that was given, once more; where its modules are from now on is not known."""
    for value in given.args:
        if is_module(value):
            for part in parts_of(value):
                reader.state.devices[part] = (None, given.line)
    return given.args[0] if len(given.args) == 1 else Items(items=list(given.args), depth=len(reader.loops))


def _wrapped(reader: Reader, path: str, given: Arguments) -> Value:
    inner = given.get(0) or Unknown()
    if isinstance(inner, Obj) and spreads(path):
        reader.state.devices[inner] = (None, given.line)  # it moves what it is given itself
        inner.attrs.setdefault("module", inner)
    return inner


def _made(reader: Reader, path: str, given: Arguments) -> Value:
    """Some object of a library; it keeps what it was made from."""
    taint = taints(*given.every())
    if path.startswith("torchvision.datasets.") or (not harmless(path) and _LOADS.search(path)):
        taint |= {role for role in (role_given(*given.every()),) if role}
    if not harmless(path):
        hand_over(reader, given)
        rows = rows_again(given, path.rpartition(".")[2])
        if rows is not None:
            return rows
        taint |= scored(given)
    made = Obj(kind=path, line=given.line, args=given.args, kwargs=given.kwargs, taint=taint)
    reader.script.objects.append(made)
    watch.made(reader, made)
    if path.startswith("torch.optim.") or is_module(made):
        _place(reader, made, given)
    return made


def _place(reader: Reader, made: Obj, given: Arguments) -> None:
    if "device" in given.kwargs or reader.default_device != "cpu":
        reader.state.devices[made] = (None, given.line)


def harmless(path: str) -> bool:
    """Whether a library only reads what it is given."""
    return path.partition(".")[0] in _HARMLESS


def rows_again(given: Arguments, name: str) -> Array | None:
    """What a function that is not read makes of a table: most likely the same rows, changed."""
    tables = [a for a in given.every() if isinstance(a, Array) and a.source]
    if not tables or name[:1].isupper() or _CHOOSES.search(name) or any(is_module(a) for a in given.every()):
        return None
    x = tables[0]
    return Array(
        source=x.source, part=x.part, fitted=x.fitted, taint=taints(*given.every()), unread=True,
        order=x.order if x.order == "random" else None,
    )  # fmt: skip


def scored(given: Arguments) -> frozenset[str]:
    """``scored test`` where a function that is not read is given a model and test rows: it gives a score."""
    if not any(is_module(a) for a in given.every()):
        return frozenset()
    roles = frozenset[str]().union(*(roles_of(a) for a in given.every() if not is_module(a)))
    return roles | {f"scored {role}" for role in roles}


def hand_over(reader: Reader, given: Arguments) -> None:
    """An unknown function may do anything with a model, an optimizer or a loss."""
    values = tuple(v for v in _flat(given.every()) if not isinstance(v, (Const, Number)))
    if not values:
        return
    reader.note(Handed, given.line, values=values)
    for value in values:
        if isinstance(value, Obj) and (is_module(value) or value.cls is not None):
            for part in [value, *(v for v in value.attrs.values() if isinstance(v, Obj))]:
                reader.state.modes[part] = (None, given.line)
                reader.state.devices[part] = (None, given.line)


def _flat(values: Iterable[Value]) -> Iterable[Value]:
    for value in values:
        if isinstance(value, Items):
            yield from value.items
        elif isinstance(value, Table):
            yield from value.entries.values()
        else:
            yield value
