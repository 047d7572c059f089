"""The names of a file's columns: from its header, from the user, or numbered."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pellucid.data.files.options import ReadOptions
from pellucid.errors import DataError, SettingError, StorageError
from pellucid.io.files import could_not, open_plain

__all__ = ["Names", "by_header", "by_user", "first_line_named", "header_by_names", "listed", "names_from"]


_MOST_OF_NAMES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Names:
    """One name per column, whether each row ends in a field without a column, and notes."""

    names: tuple[str, ...]
    drop_last: bool = False
    notes: list[str] = field(default_factory=list)


def header_by_names(reading: ReadOptions, first: Sequence[str]) -> bool | None:
    """Whether the first record holds names, if known: from the user, or because it holds the expected names."""
    if reading.header_row is not None:
        return True
    again = "names" in reading.remembered
    if reading.names and (reading.header is None or again):
        cells = [cell.strip() for cell in first]
        if len(set(cells)) == len(cells) >= min(2, len(reading.names)) and set(cells) <= set(reading.names):
            return True
        return None if again and reading.is_numbered else reading.header is True and not again
    return reading.header


def names_from(given: str) -> tuple[str, ...]:
    """Names from a text such as ``a,b,c``, or from a file: one per line, or separated by commas.

    Raises
    ------
    SettingError
        The file is no list of names.

    >>> names_from("age, job")
    ('age', 'job')
    """
    path = Path(given)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    text = given
    if is_file:
        try:
            with open_plain(path) as stream:
                text = stream.read(_MOST_OF_NAMES + 1).decode("utf-8-sig")
        except OSError as error:
            raise StorageError(could_not("read", path, error)) from error
        except UnicodeDecodeError as error:
            raise SettingError(f"the file of names {given!r} is not written in UTF-8") from error
        if len(text) > _MOST_OF_NAMES:
            raise SettingError(f"the file of names {given!r} is too large; write one name per line")
    elif "," not in given and path.suffix in (".txt", ".csv", ".names", ".lst"):
        raise SettingError(f"there is no file of names {given!r}: check the path, or write the names as a,b,c")
    lines = [line for line in text.splitlines() if line.strip()]
    cells = next(csv.reader([lines[0]], skipinitialspace=True)) if len(lines) == 1 else lines
    return tuple(cell.strip().strip('"') for cell in cells)


def by_user(reading: ReadOptions, written: Sequence[str], width: int, source: str) -> Names | None:
    """The names given by the user, or None to keep those in the file.

    Parameters
    ----------
    reading
        What the user said about the file.
    written
        The names in the file's header, if there is one.
    width
        The number of fields in a row.
    source
        The name of the file in messages.
    """
    names = reading.names
    if not names:
        return None
    if written and set(written) <= set(names):
        return None  # a header, perhaps in another order
    if width == len(names):
        return Names(names=names)
    if reading.target in names and width == len(names) - 1:
        return Names(names=tuple(name for name in names if name != reading.target))
    if "names" in reading.remembered and reading.is_numbered:
        return None
    given = f"{len(names)} name{'s' if len(names) != 1 else ''} ({listed(names)})"
    raise DataError(
        f"names gives {given}, but the rows of {source} have {width} field{'s' if width != 1 else ''}; give one name "
        "per column, in order"
    )


def by_header(given: Sequence[str], width: int, source: str, *, ends_in_separator: bool = False) -> Names:
    """The names in the header, completed so that each column has one.

    Parameters
    ----------
    given
        The names as written.
    width
        The number of fields in a row.
    source
        The name of the file in messages.
    ends_in_separator
        Whether each row ends in a separator.

    Raises
    ------
    DataError
        Two columns have the same name.
    """
    written, notes, drop_last = list(given), [], False
    if width == len(written) + 1:
        if ends_in_separator:
            drop_last = True
            notes.append("each row ends in a separator, but the header does not; it was ignored")
        else:
            written.insert(0, "")
            notes.append("the header has one name less than the rows have fields, as in files with row names from R")
    taken = {n for n in written if n}
    seen: dict[str, int] = {}
    names: list[str] = []
    for i, each in enumerate(written, start=1):
        name = each
        if not name:
            name = f"column_{i}"
            while name in taken:
                name += "_"
            notes.append(f"column {i} has no name in the header; it is called {name!r}")
        elif name in seen:
            raise DataError(
                f"{source}: the name {name!r} is used for columns {seen[name]} and {i}; give each column its "
                "own name, or pass --no-header if the first line is a row"
            )
        seen[name] = i
        names.append(name)
    return Names(names=tuple(names), drop_last=drop_last, notes=notes)


def first_line_named(first: Sequence[str]) -> str:
    """The note if names are given and the first line also looks like names."""
    return (
        f"the first line ({listed(first)}) looks like names, but was read as a row because names are given; pass "
        "--header if it holds names"
    )


def listed(names: Sequence[str]) -> str:
    """The first few names, for a message."""
    shown = ", ".join(repr(n if len(n) <= 40 else n[:40] + "…") for n in names[:5])
    return shown + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
