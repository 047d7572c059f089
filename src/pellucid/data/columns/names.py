"""What a column is called in a table, whatever its name was in a frame."""

from __future__ import annotations

__all__ = ["column_name"]


def column_name(given: object, position: int = 0) -> str:
    """What a column of this name is called in a table: a tuple's parts are joined, numbers and dates written out.

    >>> column_name(2), column_name(("price", "mean")), column_name(" age ")
    ('2', 'price mean', 'age')
    """
    if isinstance(given, str):
        return given.strip() or f"column_{position}"
    if isinstance(given, tuple):
        return " ".join(str(g) for g in given if str(g))
    return str(given)
