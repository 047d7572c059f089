"""The number of dimensions after ``view``, ``squeeze`` and their like."""

from __future__ import annotations

from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Observation
from pellucid.script_reader.values.images import row_length
from pellucid.script_reader.values.value import Arguments, Array, Const, Items, Value

__all__ = ["reshaped"]


def reshaped(reader: Reader, x: Array, name: str, given: Arguments) -> Array:  # noqa: PLR0911
    """``x`` after a method that gives it another shape; the values and the last activation stay.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    x
        The tensor or array.
    name
        The method's name, such as ``view`` or ``squeeze``.
    given
        Its arguments.
    """
    if name in ("view_as", "reshape_as", "expand_as"):
        other = given.get(0)
        same = isinstance(other, Array)
        return x.then(ndim=other.ndim, last=other.last) if same and isinstance(other, Array) else _unknown(x)
    if name in ("view", "reshape"):
        return _viewed(reader, x, given)
    if name in ("squeeze", "squeeze_"):
        return _squeezed(x, given)
    if name in ("unsqueeze", "unsqueeze_", "expand_dims"):
        return _unsqueezed(x, given)
    if name in ("flatten", "ravel"):
        start = given.const(0, "start_dim", 0)
        if start == 0 and len(given.args) <= 1:
            return x.then(ndim=1, last=None, length=None)
        return x.then(ndim=2, last=x.last if x.ndim == 2 else row_length(x.image)) if start == 1 else _unknown(x)
    return x.then(last=None, length=None)


def _unknown(x: Array) -> Array:
    return x.then(ndim=None, last=None, length=None)


def _viewed(reader: Reader, x: Array, given: Arguments) -> Array:
    sizes: list[Value] = list(given.args)
    if len(sizes) == 1 and isinstance(sizes[0], Items):
        sizes = list(sizes[0].items)
    elif len(sizes) == 1 and not (isinstance(sizes[0], Const) and sizes[0].value == -1):
        return _unknown(x)  # a shape taken from elsewhere
    if not sizes or given.open:
        return _unknown(x)
    end = sizes[-1]
    last = end.value if isinstance(end, Const) and isinstance(end.value, int) and end.value > 0 else None
    row = row_length(x.image)
    if len(sizes) == 2 and row is not None:
        if last is not None and last != row and isinstance(sizes[0], Const) and sizes[0].value == -1:
            reader.note(Observation, given.line, kind="regrouped", other=x, number=row, value=end)
        elif last is None and isinstance(end, Const) and end.value == -1:
            last = row
    start = sizes[0]
    length = start.value if isinstance(start, Const) and isinstance(start.value, int) and start.value > 0 else None
    return x.then(ndim=len(sizes), last=last if len(sizes) > 1 else None, length=length)


def _squeezed(x: Array, given: Arguments) -> Array:
    dim = given.const(0, "dim")
    if x.last == 1 and dim in (None, -1, 1):
        return x.then(ndim=1 if x.ndim == 2 else None, last=None)
    if dim is None and x.ndim == 2 and x.last is not None:
        return x  # several columns, and a batch has several rows
    if dim is None:
        return x.then(last=None) if x.ndim == 1 else _unknown(x)
    return _unknown(x)


def _unsqueezed(x: Array, given: Arguments) -> Array:
    dim = given.const(0, "dim") if "axis" not in given.kwargs else given.const(None, "axis")
    ndim = None if x.ndim is None else x.ndim + 1
    at_end = dim == -1 or (isinstance(dim, int) and ndim is not None and dim == ndim - 1)
    return x.then(ndim=ndim, last=1 if at_end else None, length=x.length if dim != 0 else 1)
