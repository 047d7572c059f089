"""One row on the command line: ``--input "age=41,job=nurse"``."""

from __future__ import annotations

__all__ = ["cells_given"]


def cells_given(given: str) -> dict[str, object]:
    """``a=1,b=two`` as column → text; a value with a comma stands in double quotes.

    >>> cells_given("age=41, job=nurse")
    {'age': '41', 'job': 'nurse'}
    """
    import csv

    from pellucid.errors import SettingError

    cells: dict[str, object] = {}
    for part in next(csv.reader([given], skipinitialspace=True), []):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise SettingError(f'--input takes column=value, with commas between, got {part!r}: "age=41,job=nurse"')
        cells[name.strip()] = value.strip().strip('"') or None
    return cells
