"""One row on the command line: ``--input "age=41,job=nurse"``."""

from __future__ import annotations

__all__ = ["cells_given", "row_asked"]


def row_asked(row: int | None, given: str | None) -> tuple[int, dict[str, object] | None]:
    """The number of the row, and the cells of ``--input`` if it is given.

    >>> row_asked(7, None), row_asked(None, "age=41")
    ((7, None), (0, {'age': '41'}))
    """
    from pellucid.errors import SettingError

    if row is not None and given is not None:
        raise SettingError(f"--row and --input both name a row, got {row} and {given!r}: use only one of them")
    return row or 0, None if given is None else cells_given(given)


def cells_given(given: str) -> dict[str, object]:
    """``a=1,b=two`` as column → text; a value with a comma is put in double quotes.

    >>> cells_given("age=41, job=nurse")
    {'age': '41', 'job': 'nurse'}
    """
    import csv

    from pellucid.errors import SettingError

    cells: dict[str, object] = {}
    for part in next(csv.reader([given], skipinitialspace=True), []):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise SettingError(f'--input takes column=value, separated by commas, got {part!r}: "age=41,job=nurse"')
        cells[name.strip()] = value.strip().strip('"') or None
    return cells
