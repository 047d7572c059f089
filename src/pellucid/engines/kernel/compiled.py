"""Numba's settings in one place, and where compiled code is stored.

Numba looks up stored machine code by the timestamp of the file that defines a function, and by the values in the
function's closure. Neither covers helper functions in other files. So a compiled function that is stored has `SOURCE`,
a checksum of this package's files, in its closure: if one of them changes, it is compiled again.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

from pellucid.engines.kernel.code_cache import CodeCache, warn_once

__all__ = ["SOURCE", "CachedFunction", "compiled", "inlined", "summing"]

F = TypeVar("F", bound=Callable[..., Any])

# "contract" lets a multiplication and an addition become one instruction; "reassoc" lets a sum be added up in another
# order, by which it can be vectorised. Neither touches NaN or infinity, as Numba's fastmath=True would.
_EXACT, _ANY_ORDER = {"contract"}, {"contract", "reassoc", "nsz"}


def _checksum() -> int:
    """The checksum of all files of the package, including subfolders."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files))


SOURCE = _checksum()


# Functions that only compiled code calls need no way in from Python; leaving it out saves a tenth of the compiling.
_INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """A function that the compiled run calls."""
    return cast(F, njit(fastmath=_EXACT, **_INNER)(function))


def inlined(function: F) -> F:
    """A function of one number, inlined into the loop that calls it."""
    return cast(F, njit(fastmath=_EXACT, forceinline=True, **_INNER)(function))


def summing(function: F) -> F:
    """A function whose sums may be added in any order, but the same order each time."""
    return cast(F, njit(fastmath=_ANY_ORDER, **_INNER)(function))


class CachedFunction:
    """A function to call from Python; it runs without Python's lock (GIL), and its machine code is stored on disk.

    It is stored in the folder ``NUMBA_CACHE_DIR`` if that is set, else beside the source, else in the user's cache
    folder; `pellucid.engines.kernel.code_cache` says when it is used. If none of them is writable, every process
    compiles the function again.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        dispatcher: Any = njit(fastmath=_EXACT, error_model="numpy", nogil=True)
        self._function = dispatcher(function)
        self._kept: CodeCache | None = None
        with suppress(RuntimeError, AttributeError, TypeError):  # "no locator available"; or another Numba's inside
            self._kept = self._function._cache = CodeCache(function)

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        if self._kept is None:
            warn_once(
                "there is no folder to keep compiled code in, so every process compiles for about ten seconds; set "
                "NUMBA_CACHE_DIR to one that you can write to"
            )
        return self._function(*arguments)

    def ready(self, dtype: str) -> bool:
        """Whether there is machine code for these argument types, in memory or on disk.

        Numba has no public way to ask what is on disk; if its internals have changed, the answer is no.
        """
        known = list(self._function.signatures)
        if self._kept is not None:
            with suppress(AttributeError, TypeError, OSError):
                known += self._kept.signatures(self._function.targetctx.codegen())
        return any(str(getattr(kind, "dtype", "")) == dtype for signature in known for kind in signature[3:4])
