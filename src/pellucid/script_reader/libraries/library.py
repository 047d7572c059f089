"""Calls of a library's functions and classes, by their full names."""

from __future__ import annotations

import re

from pellucid.script_reader.libraries.arrays import array_function
from pellucid.script_reader.libraries.functions import FUNCTIONS
from pellucid.script_reader.libraries.modules import loss_value
from pellucid.script_reader.libraries.tables import TABLE_FUNCTIONS
from pellucid.script_reader.libraries.unknown_calls import harmless, pass_to_unknown, rows_again, scored
from pellucid.script_reader.reading import observe
from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Backward
from pellucid.script_reader.values.data_roles import role_given
from pellucid.script_reader.values.torch_objects import LOSSES, is_module, is_parallel_wrapper, returns_its_module
from pellucid.script_reader.values.value import Arguments, Object, Unknown, Value, taints

__all__ = ["call_library"]


_LOADS = re.compile(r"(?i)load|data|split")


def call_library(reader: Reader, path: str, given: Arguments) -> Value:
    """The result of a library's function or class."""
    library, _, name = path.rpartition(".")
    if name in LOSSES and library in ("torch.nn.functional", "torch"):
        return loss_value(reader, LOSSES[name], None, given)
    special = FUNCTIONS.get(path) or TABLE_FUNCTIONS.get(path)
    if special is not None:
        return special(reader, path, given)
    if returns_its_module(path):
        return _wrapped(reader, path, given)
    if path.startswith(("torch.autograd.grad", "torch.autograd.backward")):
        reader.note(Backward, given.line, of=given.get(0))
        return Unknown()
    array = array_function(reader, path, given)
    if array is not None:
        return array
    return _made(reader, path, given)


def _wrapped(reader: Reader, path: str, given: Arguments) -> Value:
    inner = given.get(0) or Unknown()
    if isinstance(inner, Object) and is_parallel_wrapper(path):
        reader.state.devices[inner] = (None, given.line)  # it moves what it is given itself
        inner.attrs.setdefault("module", inner)
    return inner


def _made(reader: Reader, path: str, given: Arguments) -> Value:
    """An object of a library; it keeps what it was made from."""
    taint = taints(*given.every())
    if path.startswith("torchvision.datasets.") or (not harmless(path) and _LOADS.search(path)):
        taint |= {role for role in (role_given(*given.every()),) if role}
    if not harmless(path):
        pass_to_unknown(reader, given)
        rows = rows_again(given, path.rpartition(".")[2])
        if rows is not None:
            return rows
        taint |= scored(given)
    made = Object(kind=path, line=given.line, args=given.args, kwargs=given.kwargs, taint=taint)
    reader.script.objects.append(made)
    observe.made(reader, made)
    if path.startswith("torch.optim.") or is_module(made):
        _place(reader, made, given)
    return made


def _place(reader: Reader, made: Object, given: Arguments) -> None:
    if "device" in given.kwargs or reader.default_device != "cpu":
        reader.state.devices[made] = (None, given.line)
