"""All exceptions that Pellucid raises on purpose.

::

    PellucidError
    ├── UserError (also a ValueError)     something the user can correct; the command line exits with 2
    │   ├── SettingError                  an argument, an option or a line of config.yaml
    │   ├── DataError                     a table, a column, a row
    │   ├── ModelFileError                a model file or checkpoint that is damaged, newer or hostile
    │   ├── RunFolderError                a run folder that is missing, taken or incomplete
    │   └── StorageError                  a file that could not be read or written (the old one is intact)
    │       └── NotKeptError              … after the computation; the error carries the result
    └── DivergenceError                   training met a NaN or an infinity; names layer, batch and cause

A prediction from Python reports odd cells with a `DataWarning`, which is a UserWarning.

Ctrl-C and SIGTERM end a training with `pellucid.Interrupted`, a KeyboardInterrupt that carries the run and is
therefore defined next to it (``runs/run.py``).

A message names the argument or column, the rule, the value seen and the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pellucid.visible import visible

__all__ = [
    "DataError",
    "DataWarning",
    "DivergenceError",
    "ModelFileError",
    "NotKeptError",
    "PellucidError",
    "RunFolderError",
    "SettingError",
    "StorageError",
    "UserError",
    "nearest",
]


class PellucidError(Exception):
    r"""The root of the tree: catch this to catch everything that Pellucid raises on purpose.

    A message may quote a cell or a name; its text has hidden and control characters written out.

    >>> str(DataError("column 'a\x1b[2J'"))
    "column 'a\\x1b[2J'"
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class UserError(PellucidError, ValueError):
    """Something the user can correct."""


class SettingError(UserError):
    """An argument, an option or a line of ``config.yaml`` is invalid."""


class DataError(UserError):
    """A table, a column or a row cannot be used as it is."""


class DataWarning(UserWarning):
    r"""Cells that a model accepts, but that were not like this in training, or could not be read.

    >>> str(DataWarning("column 'a\x1b[2J'"))
    "column 'a\\x1b[2J'"
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class ModelFileError(UserError):
    """A model file or checkpoint is damaged, of a newer format, or hostile."""


class RunFolderError(UserError):
    """A run folder is missing, taken or incomplete."""


class StorageError(UserError):
    """A file could not be read or written; its previous content is intact."""


class NotKeptError(StorageError):
    """The computation is complete, but one of its files could not be written.

    Attributes
    ----------
    result
        What the call would have returned: a `pellucid.Run`, a lottery, a comparison ….
    """

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class DivergenceError(PellucidError):
    """Training met a NaN or an infinity; the message names the layer, the batch and the likely cause."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ``; did you mean 'age'?`` or, if no name is similar, the existing names.

    >>> nearest("agee", ["age", "job"])
    "; did you mean 'age'?"
    >>> nearest("salary", ["age", "job"])
    "; there are 'age', 'job'"
    """
    names = [str(k) for k in known]
    lowered = {n.casefold(): n for n in reversed(names)}
    close = get_close_matches(str(name)[:100].casefold(), list(lowered), n=1, cutoff=0.6)
    if close:
        return f"; did you mean {lowered[close[0]]!r}?"
    shown = ", ".join(repr(n) for n in names[:12])
    more = f" and {len(names) - 12:,} more" if len(names) > 12 else ""
    return f"; there are {shown}{more}" if names else ""
