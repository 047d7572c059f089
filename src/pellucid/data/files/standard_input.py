"""Standard input as a file: read once and kept for the life of the process."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from pellucid.errors import DataError, StorageError
from pellucid.io.files import could_not

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["STANDARD_INPUT", "is_standard_input", "read_standard_input"]

STANDARD_INPUT = "-"
_kept: dict[int, pa.Buffer] = {}


def is_standard_input(source: object) -> bool:
    """Whether ``source`` is ``-``; a file of that name is ``./-``.

    >>> is_standard_input("-"), is_standard_input("./-")
    (True, False)
    """
    return isinstance(source, str | os.PathLike) and os.fspath(source) == STANDARD_INPUT


def read_standard_input() -> pa.Buffer:
    """Everything that is piped in; a second call gives the same bytes.

    Raises
    ------
    DataError
        Nothing is piped in: standard input is a terminal, or closed.
    StorageError
        It cannot be read.
    """
    stream: Any = sys.stdin
    if stream is None or getattr(stream, "closed", False):
        raise DataError("'-' stands for standard input, but it is closed: pipe a table into the command")
    if id(stream) in _kept:
        return _kept[id(stream)]
    if stream.isatty():
        raise DataError(
            "'-' stands for standard input, but nothing is piped into it: pipe a table, as in "
            "'cat new.csv | pellucid predict RUN -', or name a file"
        )
    try:
        content = stream.buffer.read() if hasattr(stream, "buffer") else stream.read().encode()
    except OSError as error:
        raise StorageError(could_not("read", "standard input", error)) from error
    except UnicodeDecodeError as error:
        raise DataError("standard input cannot be read as text here: pipe it into the command itself") from error
    from pellucid.data.files.compression import buffer_of

    _kept.clear()
    _kept[id(stream)] = buffer_of(content)
    return _kept[id(stream)]
