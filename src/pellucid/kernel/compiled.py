"""Numba's settings in one place, and where compiled code is kept.

Numba looks up stored machine code by the time stamp of the file that a function stands in, and by the values that the
function encloses. A function's helpers in other files are in neither. So a compiled function that is stored encloses
`SOURCE`, a checksum of this package's files: where one of them has changed, it is compiled anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["SOURCE", "Stored", "compiled", "inlined", "summing"]

F = TypeVar("F", bound=Callable[..., Any])

# "contract" lets a multiplication and an addition become one instruction; "reassoc" lets a sum be added up in another
# order, by which it can be vectorised. Neither touches NaN or infinity, as Numba's fastmath=True would.
_EXACT, _ANY_ORDER = {"contract"}, {"contract", "reassoc", "nsz"}


def _checksum() -> int:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files))


SOURCE = _checksum()


# Functions that only compiled code calls need no way in from Python; leaving it out saves a tenth of the compiling.
_INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """A function that the compiled run calls."""
    return cast(F, njit(fastmath=_EXACT, **_INNER)(function))


def inlined(function: F) -> F:
    """A function for one number, set into the loop that calls it."""
    return cast(F, njit(fastmath=_EXACT, forceinline=True, **_INNER)(function))


def summing(function: F) -> F:
    """A function whose sums may be added up in any order, the same each time."""
    return cast(F, njit(fastmath=_ANY_ORDER, **_INNER)(function))


class Stored:
    """A function to call from Python; it runs without Python's lock, and its machine code is kept on disk.

    Numba keeps it in the folder ``NUMBA_CACHE_DIR`` if that is set, else beside the source, else in the user's cache
    folder. Where it may write to none of them, the function is compiled anew in every process.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        settings: dict[str, Any] = {"fastmath": _EXACT, "error_model": "numpy", "nogil": True}
        try:
            self._function = njit(cache=True, **settings)(function)
        except RuntimeError:  # "cannot cache function …: no locator available"
            self._function = njit(**settings)(function)

    def __call__(self, *arguments: Any) -> Any:
        """The function's answer."""
        try:
            return self._function(*arguments)
        except OSError:  # compiled, but the disk is full or read-only by now; the second call finds it in memory
            return self._function(*arguments)

    def ready(self, dtype: str) -> bool:
        """Whether there is machine code for these numbers, in memory or on disk.

        Numba has no public way to ask for what is on disk; where its inside has changed, the answer is no.
        """
        try:
            known = [*self._function.signatures, *self._on_disk()]
        except (AttributeError, TypeError, OSError):
            known = list(self._function.signatures)
        return any(str(getattr(kind, "dtype", "")) == dtype for signature in known for kind in signature[3:4])

    def _on_disk(self) -> list[Any]:
        cache, codegen = self._function._cache, self._function.targetctx.codegen()
        return [key[0] for key in cache._cache_file._load_index() if key == cache._index_key(key[0], codegen)]
