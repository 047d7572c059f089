"""Running text: files that are read from their first character to their last, and not as a table.

A ``.txt`` file is prose unless it looks like a table: most of its fields are numbers, or its lines all have the same
number of fields. A folder is prose if it holds ``.txt`` files and no folders, which would be classes. Its files are
read as one text, in the order of their names, with an empty line between two.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pellucid.data.files.contents import opened
from pellucid.data.files.options import ReadOptions
from pellucid.data.files.standard_input import is_standard_input
from pellucid.data.files.stores import is_image_name, is_litter
from pellucid.data.text_files.encodings import to_utf8
from pellucid.errors import DataError, StorageError
from pellucid.io.files import could_not

__all__ = ["Prose", "is_prose", "read_prose"]

_SUFFIXES = (".txt", ".text")
_SAMPLE = 1 << 16  # bytes
_FEW = 5  # lines
_ALIKE = 0.9  # of the lines
_QUOTED = re.compile(r'"[^"]*"')
_NUMBER = re.compile(r"[-+]?(\d[\d.,_]*|\.\d+)([eE][-+]?\d+)?%?|nan|na|\?", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;|]+")
_ENDS = re.compile(r"\r\n?")


@dataclass(frozen=True, kw_only=True)
class Prose:
    """A text, where it comes from, and notes for the user."""

    text: str
    source: str
    name: str
    notes: tuple[str, ...] = ()


def is_prose(data: object) -> bool:
    """Whether a path is a text to be continued: a ``.txt`` file that is no table, or a folder of texts."""
    if not isinstance(data, str | os.PathLike) or is_standard_input(data):
        return False
    path = Path(data)
    try:
        if path.is_dir():
            return _holds_texts(path)
        packed = path.suffix.lower() == ".gz"
        if Path(path.stem if packed else path.name).suffix.lower() not in _SUFFIXES or not path.is_file():
            return False
        with gzip.open(path) if packed else path.open("rb") as stream:
            sample = stream.read(_SAMPLE + 1)
    except (OSError, EOFError, zlib.error):
        return False
    return looks_like_prose(sample[:_SAMPLE], whole=len(sample) <= _SAMPLE)


def looks_like_prose(sample: bytes, *, whole: bool = True) -> bool:
    r"""Whether the beginning of a file is running text and not a table.

    >>> looks_like_prose(b"Now is the winter\nof our discontent,\nmade glorious summer\nby this sun of York\n")
    True
    >>> looks_like_prose(b"name,age\nAnn,31\nBob,29\n"), looks_like_prose(b"1 0.5 0.25\n2 0.1 0.9\n")
    (False, False)
    """
    if b"\0" in sample:
        return False
    lines = sample.decode("utf-8", errors="replace").lstrip("\ufeff").splitlines()
    lines = [line for line in (lines if whole else lines[:-1] or lines) if line.strip()]
    if not lines:
        return False
    if all(line.lstrip()[0] in "{[" and line.rstrip()[-1] in "}]" for line in lines):  # JSON lines
        return False
    fields = [field for line in lines for field in _BETWEEN.split(line.strip()) if field]
    if 2 * sum(_NUMBER.fullmatch(field) is not None for field in fields) > len(fields):
        return False
    if len(lines) > 1 and any(_alike([_QUOTED.sub("", line).count(sign) for line in lines]) for sign in "\t;|,"):
        return False
    return len(lines) < _FEW or not _alike([len(line.split()) - 1 for line in lines])


def _alike(counts: Sequence[int]) -> bool:
    """Whether nearly all lines have as many separators, at least one."""
    usual, often = Counter(counts).most_common(1)[0]
    return usual > 0 and often >= _ALIKE * len(counts)


def _holds_texts(folder: Path) -> bool:
    inside = [each for each in folder.iterdir() if not is_litter(each.name)]
    if any(each.is_dir() or is_image_name(each.name) for each in inside):
        return False
    return any(each.suffix.lower() in _SUFFIXES for each in inside)


def read_prose(data: str | os.PathLike[str], *, encoding: str | None = None, max_unpacked: int | None = None) -> Prose:
    r"""The text of a file, of ``-`` (standard input), or of a folder; every line ends in ``\n``.

    Raises
    ------
    DataError
        There is no such file, it is empty or no text, or its encoding is not the one that was given.
    StorageError
        It cannot be read.
    """
    if not is_standard_input(data) and Path(data).is_dir():
        return _of_folder(Path(data), encoding, max_unpacked)
    return _of_file(data, encoding, max_unpacked)


def _of_file(path: str | os.PathLike[str], encoding: str | None, max_unpacked: int | None) -> Prose:
    piped = is_standard_input(path)
    source = "standard input" if piped else repr(os.fspath(path))
    if not piped and Path(path).is_file() and not Path(path).stat().st_size:
        raise DataError(f"{source} is empty: there is no text in it to learn from")
    content = opened(path, ReadOptions(encoding=encoding), max_unpacked)
    if content.form not in ("csv", "jsonl"):
        raise DataError(f"{source} is a file of the kind {content.form}, not a text: give a text file")
    decoded = to_utf8(content.content, source, encoding)
    text = decoded.content.to_pybytes().decode("utf-8", errors="replace")
    notes = [*content.notes, *decoded.notes]
    if "\0" in text:
        raise DataError(f"{source} holds characters of the code 0, as no text does: give a text file")
    text = _ENDS.sub("\n", text)
    if not text.strip():
        raise DataError(f"{source} holds only spaces and empty lines: there is no text in it to learn from")
    return Prose(text=text, source=source, name="text" if piped else _name(Path(path)), notes=tuple(notes))


def _name(path: Path) -> str:
    return (Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem) or "text"


def _of_folder(folder: Path, encoding: str | None, max_unpacked: int | None) -> Prose:
    try:
        names = sorted(each.name for each in folder.iterdir() if not is_litter(each.name))
    except OSError as error:
        raise StorageError(could_not("read", folder, error)) from error
    texts = [name for name in names if Path(name).suffix.lower() in _SUFFIXES]
    shown = repr(os.fspath(folder))
    if not texts:
        raise DataError(f"{shown} holds no .txt file: name a text file, or a folder of .txt files")
    read = [_of_file(folder / name, encoding, max_unpacked) for name in texts]
    notes = [note for each in read for note in each.notes]
    if len(texts) > 1:
        notes.insert(0, f"the {len(texts):,} .txt files of {shown} are read as one text, in the order of their names")
    others = len(names) - len(texts)
    if others:
        notes.append(f"{others:,} other {'entry' if others == 1 else 'entries'} of {shown} left unread")
    joined = "\n".join(each.text if each.text.endswith("\n") else f"{each.text}\n" for each in read)
    return Prose(text=joined, source=shown, name=folder.resolve().name or "text", notes=tuple(notes))
