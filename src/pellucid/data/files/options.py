"""How a file is to be read: what the user said of it, or what a run remembers of the file it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pellucid.errors import SettingError

__all__ = ["WORKBOOKS", "ReadOptions"]

WORKBOOKS = ("xlsx", "xls", "ods")


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What is known of a file before it is read; what is None is recognised.

    Parameters
    ----------
    header
        Whether the first line of the table holds names.
    header_row
        The line of a text file, or the row of a sheet, that holds the names, from 1 as an editor shows it.
    names
        Names for the columns, in place of those in the file.
    comment
        What a line begins with that is no row; ``none``: nothing does.
    trim
        True leaves out everything around the table that looks like no row, False nothing; None what is certain.
    separator, encoding
        Of a text table.
    sheet
        Of a workbook: the name of the sheet.
    table
        Of a database the table or view, of a zip archive the file.
    remembered
        Which of these were said of another file of the same kind: a sheet that is not here is then no error.
    target
        The column that a file for predictions may lack, where `names` name it.
    markers
        Texts that stand for a missing cell.
    """

    header: bool | None = None
    header_row: int | None = None
    names: tuple[str, ...] = ()
    comment: str | None = None
    trim: bool | None = None
    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    table: str | None = None
    remembered: frozenset[str] = frozenset()
    target: str | None = None
    markers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what can be checked without the file."""
        if self.header_row is not None and (type(self.header_row) is not int or self.header_row < 1):
            raise SettingError(
                f"header_row must be the number of a line from 1 on, as an editor shows it, got {self.header_row!r}"
            )
        if self.header_row is not None and self.header is False:
            raise SettingError("header_row says which line holds the names, and header says that none does; give one")
        twice = next((name for i, name in enumerate(self.names) if name in self.names[:i]), None)
        if twice is not None:
            raise SettingError(f"names must give each column a name of its own, but {twice!r} stands there twice")
        if any(not name.strip() for name in self.names):
            raise SettingError("names must give each column a name, but one of them is empty")
        if self.comment is not None and (not self.comment.strip() or "\n" in self.comment):
            raise SettingError(f"comment must be what a comment line begins with, such as #, got {self.comment!r}")

    def check_used(self, source: str, form: str, *, archive: bool) -> None:
        """Raise `SettingError` where a sheet or a table is asked for in a file that has none.

        Parameters
        ----------
        form, archive
            What kind of file it is (`pellucid.data.files.contents.Opened`), and whether it came out of a zip archive.
        """
        asked: tuple[tuple[Literal["sheet", "table"], bool], ...] = (
            ("sheet", form in WORKBOOKS),
            ("table", form == "sqlite" or archive),
        )
        for name, has in asked:
            value = getattr(self, name)
            if value is None or has or name in self.remembered:
                continue
            other = "sheet" if form in WORKBOOKS else "table" if form == "sqlite" else None
            remedy = f"leave --{name} out" if other is None else f"name one with {other}=… (--{other} NAME)"
            lacks = f"has {other}s and no {name}s" if other else f"has no {name}s, being one table"
            raise SettingError(f"{name} is {value!r}, but {source} {lacks}; {remedy}")

    @property
    def is_numbered(self) -> bool:
        """Whether the names are those that columns without names get."""
        return all(name == f"column_{i}" for i, name in enumerate(self.names, start=1))

    @property
    def comments(self) -> str | None:
        """What the user says that comment lines begin with; None where nothing does, or nothing was said."""
        return None if self.comment is None or self.comment.casefold() == "none" else self.comment
