"""From a file to text and cells; the text is untrusted and never executed here."""

from __future__ import annotations

import io
import os
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pellucid.errors import DataError, StorageError

__all__ = [
    "MAX_BYTES",
    "Cell",
    "Section",
    "Source",
    "decoded",
    "lines_of",
    "looks_like_script",
    "piped_script",
    "read_script",
]

MAX_BYTES = 1_000_000
_MAX_NOTEBOOK = 50_000_000  # images are stored in the notebook's outputs, which are left out
_SNIFFED = 65_536
_CODE = re.compile(r"(?m)^\s*(?:>>> )?(?:import [A-Za-z_]\w*|from [.A-Za-z_][.\w]* import )")
_STEP = re.compile(r"(?m)^\s*(?:>>> )?\w[\w.]*\.(backward|step|zero_grad)\(\)")
_NETWORK = re.compile(r"(?m)^\s*(?:>>> )?class \w+\((?:torch\.)?nn\.Module\):")


@dataclass(frozen=True)
class Cell:
    """Text that is parsed as one unit; ``number`` counts a notebook's code cells from 1 and is 0 in a script."""

    text: str
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Source:
    """A script or a notebook as text, and the folder in which its own modules are searched (None: nowhere)."""

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    folder: Path | None = None


def read_script(path: str | os.PathLike[str]) -> str:
    """Return the text of a Python file, in the encoding that it declares (UTF-8 by default).

    Raises
    ------
    StorageError
        When there is no such file or it cannot be read.
    DataError
        When it is larger than 1 MB (a notebook: 50 MB) or is not text.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "train.py"
    ...     _ = file.write_text("import torch")
    ...     read_script(file)
    'import torch'
    """
    target = Path(path)
    most = _MAX_NOTEBOOK if target.suffix == ".ipynb" else MAX_BYTES
    try:
        if target.is_dir():
            raise StorageError(f"{str(target)!r} is a folder; name the script, such as {str(target / 'train.py')!r}")
        with target.open("rb") as stream:
            content = stream.read(most + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, StorageError):
            raise
        why = getattr(error, "strerror", None) or error
        raise StorageError(f"could not read the script {str(target)!r}: {why}; check the path") from error
    if len(content) > most:
        raise DataError(f"{target.name} is larger than {most:,} bytes; a training script usually has a few thousand")
    return decoded(content, target.name)


def piped_script(stream: BinaryIO) -> str:
    """Return the text of a script or notebook that is piped in.

    Raises
    ------
    DataError
        When it is too large or is not text.
    """
    content = stream.read(_MAX_NOTEBOOK + 1)
    if len(content) > _MAX_NOTEBOOK:
        raise DataError(
            f"standard input is larger than {_MAX_NOTEBOOK:,} bytes; a training script usually has a few thousand"
        )
    return decoded(content, "standard input")


def decoded(content: bytes, name: str) -> str:
    """Return the text of a Python file from its bytes; line endings are Python's.

    Raises
    ------
    DataError
        When it is not text in the encoding that it declares.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        where = f" (line {content[:at].count(bytes([10])) + 1})"
        raise DataError(f"{name} is not text in the encoding it declares{where}; save it as UTF-8") from error


def looks_like_script(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a script, a notebook, or a saved text with code in it, rather than a table.

    A text counts as a script if it has imports, a class of a network, or the statements of a training step.
    """
    target = Path(path)
    if target.suffix.lower() in (".py", ".pyw", ".ipynb"):
        return not target.is_dir()
    if target.suffix.lower() not in (".txt", ".md", ".text", ""):
        return False
    try:
        if not target.is_file():
            return False
        with target.open("rb") as stream:
            start = stream.read(_SNIFFED)
    except OSError:
        return False
    text = start.decode("utf-8", "replace")
    return bool(_CODE.search(text) or _NETWORK.search(text)) or len(set(_STEP.findall(text))) > 1


def lines_of(text: str) -> list[str]:
    """The lines as Python counts them: form feeds and Unicode separators do not end a line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@dataclass(frozen=True)
class Section:
    """Where a file or a notebook cell begins, counted through all lines; ``file`` is empty for the script itself."""

    first: int
    file: str = ""
    cell: int = 0
