"""Notes for the user about what was read, and which of them quote the table."""

from __future__ import annotations

__all__ = ["CellNote", "ColumnNote", "FlatteringNote", "FrameNote", "LeakNote"]


class CellNote(str):
    """A note that quotes a cell, names one of the user's files, or gives a row number.

    It is left out wherever no rows may be shown.

    >>> note = CellNote("column 'age': 1 cell that is not a number was taken as missing (first: 'unknown', row 7)")
    >>> isinstance(note, CellNote), note.startswith("column 'age'")
    (True, True)
    """

    __slots__ = ()


class ColumnNote(CellNote):
    """A note about cells of one or several columns that a program may want to count.

    Attributes
    ----------
    columns
        Their names.
    what
        ``unread``, ``unseen``, ``far``, ``missing``, ``dates``, ``filled``, ``layout``, ``fractions``, ``swallowed``,
        ``cut`` or ``gaps``.
    cells
        How many cells of each column it is about.

    >>> note = ColumnNote("column 'age': 3 cells are missing, and none was in training", columns=("age",), cells=3)
    >>> note.columns, note.cells, note[:12]
    (('age',), 3, "column 'age'")
    """

    columns: tuple[str, ...]
    what: str
    cells: int

    def __new__(cls, text: str, *, columns: tuple[str, ...] = (), what: str = "", cells: int = 0) -> ColumnNote:
        """The note and what it is about."""
        note = super().__new__(cls, text)
        note.columns, note.what, note.cells = columns, what, cells
        return note


class FlatteringNote(str):
    """A note on why the measured scores are better than those on new rows will be; shown next to the scores."""

    __slots__ = ()


class FrameNote(str):
    """A note on a frame in memory; training warns about it, since a caller from Python sees no terminal output."""

    __slots__ = ()


class LeakNote(FlatteringNote):
    """A note that features may give the target away.

    >>> LeakNote("column 'total' is the sum of …", columns=("total",)).short
    "column 'total' may give the target away: --drop 'total', if it is not known when you predict"
    """

    columns: tuple[str, ...]

    def __new__(cls, text: str, *, columns: tuple[str, ...] = ()) -> LeakNote:
        """The note and the columns that it is about."""
        note = super().__new__(cls, text)
        note.columns = columns
        return note

    @property
    def short(self) -> str:
        """A short version, for repetition."""
        if not self.columns:
            return str(self)
        shown = " ".join(f"--drop {name!r}" for name in self.columns[:3])
        shown += f" and {len(self.columns) - 3:,} more" if len(self.columns) > 3 else ""
        names = ", ".join(map(repr, self.columns[:3])) + (" …" if len(self.columns) > 3 else "")
        subject, it = (f"column {names}", "it is") if len(self.columns) == 1 else (f"columns {names}", "they are")
        return f"{subject} may give the target away: {shown}, if {it} not known when you predict"
