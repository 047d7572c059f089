"""The name of a column in a table, whatever it was in a frame."""

from __future__ import annotations

__all__ = ["column_name"]


def column_name(given: object, position: int = 0) -> str:
    """The name in a table: the parts of a tuple are joined, numbers and dates are written out.

    >>> column_name(2), column_name(("price", "mean")), column_name(" age ")
    ('2', 'price mean', 'age')
    """
    if isinstance(given, str):
        return given.strip() or f"column_{position}"
    if isinstance(given, tuple):
        return " ".join(str(g) for g in given if str(g))
    return str(given)
