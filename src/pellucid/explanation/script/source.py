"""From a file to a syntax tree: a script is text that nobody has checked, and it is never executed here."""

from __future__ import annotations

import ast
import io
import os
import sys
import tokenize
import warnings
from pathlib import Path

from pellucid.errors import DataError, StorageError

__all__ = ["parse_script", "read_script"]

MAX_BYTES = 1_000_000
_MAX_BRACKETS = 100
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def read_script(path: str | os.PathLike[str]) -> str:
    """Return the text of a Python file, in the encoding that it declares (UTF-8 where it declares none).

    Raises
    ------
    StorageError
        When there is no such file or it cannot be read.
    DataError
        When it is larger than 1 MB or is not text.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "train.py"
    ...     _ = file.write_text("import torch")
    ...     read_script(file)
    'import torch'
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise StorageError(f"{str(target)!r} is a folder: name the script, such as {str(target / 'train.py')!r}")
        with target.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, StorageError):
            raise
        why = getattr(error, "strerror", None) or error
        raise StorageError(f"could not read the script {str(target)!r}: {why}; check the path") from error
    if len(content) > MAX_BYTES:
        raise DataError(
            f"{target.name} is larger than {MAX_BYTES:,} bytes: a training script is text of a few thousand"
        )
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        where = f" (line {content[:at].count(bytes([10])) + 1})"
        raise DataError(f"{target.name} is not text in the encoding it declares{where}: save it as UTF-8") from error
    return text


def parse_script(text: str, name: str) -> ast.Module:
    """Return the syntax tree of ``text``.

    Raises
    ------
    DataError
        When it is too large, no Python of this version, or nested too deeply; the message names the line.
    """
    if len(text) > MAX_BYTES:
        raise DataError(
            f"{name} has {len(text):,} characters, at most {MAX_BYTES:,} are read: give the training script"
        )
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{name}, line {line}: holds a null character, so it is no text; give a Python script")
    _check_brackets(text, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in the user's strings
            return ast.parse(text, name)
    except SyntaxError as error:
        magic = _notebook_line(text)
        remedy = (
            "a notebook's %- and !-lines have to go" if magic else "put it right, or run it with Python to see more"
        )
        raise DataError(
            f"{name}, line {error.lineno or magic or 1}: not valid Python {_VERSION} ({error.msg}); {remedy}"
        ) from error
    except ValueError as error:
        raise DataError(f"{name}: not valid Python ({error}); put it right") from error
    except (RecursionError, MemoryError) as error:
        raise DataError(f"{name} is nested too deeply to be read: split its longest expression") from error


def _check_brackets(text: str, name: str) -> None:
    """Stop before the parser meets hundreds of open brackets, strings and comments left out."""
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.OP:
                depth += (token.string in "([{") - (token.string in ")]}")
                if depth > _MAX_BRACKETS:
                    raise DataError(
                        f"{name}, line {token.start[0]}: more than {_MAX_BRACKETS} open brackets; split the expression"
                    )
    except (tokenize.TokenError, SyntaxError):
        return  # the parser says it better


def _notebook_line(text: str) -> int:
    """The first line that only a notebook understands, or 0."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("%", "!")):
            return number
    return 0
