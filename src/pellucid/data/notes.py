"""Remarks about what was read, and which of them quote the table itself."""

from __future__ import annotations

__all__ = ["CellNote", "ColumnNote", "FlatteringNote", "FrameNote", "LeakNote"]


class CellNote(str):
    """A remark that quotes a cell, names a file of the user's, or gives the number of a row.

    It reads as any other; where no rows may be shown, it is left out.

    >>> note = CellNote("column 'age': 1 cell that is not a number was taken as missing (first: 'unknown', row 7)")
    >>> isinstance(note, CellNote), note.startswith("column 'age'")
    (True, True)
    """

    __slots__ = ()


class ColumnNote(CellNote):
    """A remark about cells of a column, or of several, that a program may want to count.

    Attributes
    ----------
    columns
        Their names.
    what
        ``unread``, ``unseen``, ``far``, ``missing``, ``dates``, ``filled``, ``layout``, ``fractions`` or ``swallowed``.
    cells
        How many cells of each it is about.

    >>> note = ColumnNote("column 'age': 3 cells are missing, and none was in training", columns=("age",), cells=3)
    >>> note.columns, note.cells, note[:12]
    (('age',), 3, "column 'age'")
    """

    columns: tuple[str, ...]
    what: str
    cells: int

    def __new__(cls, text: str, *, columns: tuple[str, ...] = (), what: str = "", cells: int = 0) -> ColumnNote:
        """The remark and what it is about."""
        note = super().__new__(cls, text)
        note.columns, note.what, note.cells = columns, what, cells
        return note


class FlatteringNote(str):
    """A remark on what makes the figures measured better than they will be on new rows; said whenever they are."""

    __slots__ = ()


class FrameNote(str):
    """A remark on a frame in memory; training warns of it, as whoever gives a frame sees no notes in a terminal."""

    __slots__ = ()


class LeakNote(FlatteringNote):
    """A remark that columns which the network sees may give the target away.

    >>> LeakNote("column 'total' is the sum of …", columns=("total",)).short
    "column 'total' may give the target away: --drop 'total', if it is not known when you predict"
    """

    columns: tuple[str, ...]

    def __new__(cls, text: str, *, columns: tuple[str, ...] = ()) -> LeakNote:
        """The remark and the columns that it is about."""
        note = super().__new__(cls, text)
        note.columns = columns
        return note

    @property
    def short(self) -> str:
        """The same in a few words, for a place where it is said again."""
        if not self.columns:
            return str(self)
        shown = " ".join(f"--drop {name!r}" for name in self.columns[:3])
        shown += f" and {len(self.columns) - 3:,} more" if len(self.columns) > 3 else ""
        names = ", ".join(map(repr, self.columns[:3])) + (" …" if len(self.columns) > 3 else "")
        subject, it = (f"column {names}", "it is") if len(self.columns) == 1 else (f"columns {names}", "they are")
        return f"{subject} may give the target away: {shown}, if {it} not known when you predict"
