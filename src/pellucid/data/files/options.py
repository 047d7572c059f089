"""How to read a file: what the user said, or what a run remembers of its training file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pellucid.errors import SettingError

__all__ = ["WORKBOOKS", "ReadOptions"]

WORKBOOKS = ("xlsx", "xls", "ods")


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What is known about a file before it is read; what is None is recognised from its content.

    Parameters
    ----------
    header
        Whether the first line of the table holds names.
    header_row
        The line of a text file, or the row of a sheet, that holds the names, counted from 1 as in an editor.
    names
        Names for the columns, instead of those in the file.
    comment
        How a comment line begins; ``none`` if there are no comments.
    trim
        True leaves out everything around the table that does not look like a row, False nothing, None what is certain.
    separator, encoding
        For a text table.
    sheet
        For a workbook: the name of the sheet.
    table
        For a database: the table or view. For a zip archive: the file.
    remembered
        Which of these come from another file of the same kind; a missing sheet is then not an error.
    target
        A column in `names` that a file for predictions may lack.
    markers
        Texts that mean a missing cell.
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
                f"header_row must be a line number, counted from 1 as in an editor, got {self.header_row!r}"
            )
        if self.header_row is not None and self.header is False:
            raise SettingError(
                "header_row says which line holds the names, but header says that there is none; give only one"
            )
        twice = next((name for i, name in enumerate(self.names) if name in self.names[:i]), None)
        if twice is not None:
            raise SettingError(f"names must give each column a different name, but {twice!r} occurs twice")
        if any(not name.strip() for name in self.names):
            raise SettingError("names must give each column a name, but one of them is empty")
        if self.comment is not None and (not self.comment.strip() or "\n" in self.comment):
            raise SettingError(f"comment must be how a comment line begins, such as #, got {self.comment!r}")

    def check_used(self, source: str, form: str, *, archive: bool) -> None:
        """Raise `SettingError` if a sheet or a table is requested from a file that has none.

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
            lacks = f"has {other}s, not {name}s" if other else f"is a single table without {name}s"
            raise SettingError(f"{name} is {value!r}, but {source} {lacks}; {remedy}")

    @property
    def is_numbered(self) -> bool:
        """Whether these are the names that unnamed columns get."""
        return all(name == f"column_{i}" for i, name in enumerate(self.names, start=1))

    @property
    def comments(self) -> str | None:
        """How comment lines begin, as given by the user; None if not given or if there are no comments."""
        return None if self.comment is None or self.comment.casefold() == "none" else self.comment
