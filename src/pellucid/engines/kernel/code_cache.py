"""Compiled code on disk: used only if it is unchanged, belongs to this user and was made by these versions.

Numba does not check its files: a truncated index ends every run with an error, and machine code with a flipped bit may
do anything. So each file begins with a line that holds the versions and a digest of the rest. A file that does not
match is ignored, and is replaced once the function has been compiled.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import pickle
import platform
from pathlib import Path
from typing import Any

import numba

__all__ = ["CodeCache", "warn_once"]

_VERSIONS = f"pellucid 1, numba {numba.__version__}, Python {platform.python_version()}"
_DIGEST = 32
_OURS = (os.getuid(),) if hasattr(os, "getuid") else ()
_caching: Any = importlib.import_module("numba.core.caching")  # which has no types
_log = logging.getLogger("pellucid")
_warned: set[str] = set()


def warn_once(sentence: str) -> None:
    """Warn about the stored code, once per process; on standard error unless logging is configured."""
    if sentence not in _warned:
        _warned.add(sentence)
        _log.warning("note: %s", sentence)


class CodeCache(_caching.FunctionCache):  # type: ignore[misc]
    """Where Numba stores a function's machine code.

    Raises
    ------
    RuntimeError
        There is no folder to write to.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        plain: Any = self._cache_file
        self._cache_file: Any = _Files(plain._cache_path, f"{self._impl.filename_base}-kept", plain._source_stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The stored code, or ``None`` if it cannot be used for any reason."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:
            warn_once(f"compiled code in {self.cache_path!r} cannot be loaded ({error!r}): compiled again")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store the code if possible."""
        try:
            super().save_overload(sig, data)
        except Exception as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or repr(error)
            warn_once(
                f"compiled code cannot be kept in {self.cache_path!r} ({reason}), and is compiled again each time; set "
                "NUMBA_CACHE_DIR to a folder that you can write to"
            )

    def signatures(self, codegen: Any) -> list[Any]:
        """Those for which there is code that will be used."""
        files = self._cache_file
        index = files._load_index().items()
        return [key[0] for key, name in index if key == self._index_key(key[0], codegen) and files.holds(name)]


class _Files(_caching.IndexDataCacheFile):  # type: ignore[misc]
    """The index of a function and its data, each with a line of versions and a digest before it."""

    def _load_index(self) -> dict[Any, str]:
        content = self._content(self._index_path)
        if content is None:
            return {}
        stamp, overloads = pickle.loads(content)
        return dict(overloads) if stamp == self._source_stamp else {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, self._dump((self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        content = self._content(self._data_path(name))
        if content is None:
            raise FileNotFoundError(name)  # so that Numba treats the code as missing
        return pickle.loads(content)

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), self._dump(data))

    def holds(self, name: str) -> bool:
        """Whether the file exists and is complete."""
        return self._content(self._data_path(name)) is not None

    def _write(self, path: str, content: bytes) -> None:
        with self._open_for_write(path) as stream:
            stream.write(f"{_VERSIONS}\n".encode() + hashlib.sha256(content).digest() + content)

    def _content(self, path: str) -> bytes | None:
        """What `_write` wrote; otherwise ``None``, with a warning unless another version wrote it."""
        try:
            if not Path(path).is_file():
                return None
            with open(path, "rb") as stream:  # noqa: PTH123
                if _owner(stream.fileno()) not in (*_OURS, 0):
                    warn_once(f"compiled code in {self._cache_path!r} belongs to another user: compiled again")
                    return None
                versions = stream.readline(1000)
                digest, content = stream.read(_DIGEST), stream.read()
        except OSError as error:
            warn_once(f"compiled code in {self._cache_path!r} cannot be read ({error.strerror}): compiled again")
            return None
        if hashlib.sha256(content).digest() == digest and versions == f"{_VERSIONS}\n".encode():
            return content
        of_others = versions.startswith(b"pellucid ") and versions.endswith(b"\n")
        if not of_others or versions == f"{_VERSIONS}\n".encode():
            warn_once(f"compiled code in {self._cache_path!r} is damaged: compiled again")
        return None


def _owner(number: int) -> int:
    """The owner of an open file; 0 (root) on systems without file owners."""
    return os.fstat(number).st_uid
