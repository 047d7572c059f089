"""Remarks about what was read, and which of them quote the table itself."""

from __future__ import annotations

__all__ = ["CellNote", "FlatteringNote", "LeakNote"]


class CellNote(str):
    """A remark that quotes a cell, names a file of the user's, or gives the number of a row.

    It reads as any other; where no rows may be shown, it is left out.

    >>> note = CellNote("column 'age': 1 cell that is not a number was taken as missing (first: 'unknown', row 7)")
    >>> isinstance(note, CellNote), note.startswith("column 'age'")
    (True, True)
    """

    __slots__ = ()


class FlatteringNote(str):
    """A remark on what makes the figures measured better than they will be on new rows; said whenever they are."""

    __slots__ = ()


class LeakNote(FlatteringNote):
    """A remark that columns which the network sees may give the target away."""

    __slots__ = ()
